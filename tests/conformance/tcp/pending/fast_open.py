"""Fast Open, the side that listens: RFC 7413 2, 3, 4.1.2, 4.2.2.

Expects `TcpEndpoint.fast_open`, set before `listen`.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_script import Script, script
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

_FAST_OPEN = 34


def offered_cookie(conversation: Script) -> str:
    """The cookie in the SYN-ACK that was expected last, as hexadecimal."""
    assert conversation.latest is not None
    raw = conversation.latest.raw_options
    position = 0
    while position < len(raw):
        if raw[position] <= 1:
            position += 1
            continue
        kind, length = raw[position], raw[position + 1]
        if kind == _FAST_OPEN:
            return raw[position + 2 : position + length].hex()
        position += length
    raise AssertionError("no cookie was offered")


def with_cookie(family: Family) -> tuple[Script, str]:
    """A listener, and a cookie that it has given out on a connection that is over."""
    conversation = Script(family)
    conversation.application.listener = listener = conversation.lab.bound()
    listener.fast_open = True  # type: ignore[attr-defined]
    listener.listen(conversation.lab.now)
    conversation.run(
        """
        +0     < S 0:0(0) <mss 1000,FO>
        +0     > S. 0:0(0) ack 1 <...>
        """
    )
    cookie = offered_cookie(conversation)
    assert 4 <= len(cookie) // 2 <= 16
    assert len(cookie) // 2 % 2 == 0
    conversation.run("+0 < R 1:1(0)")
    return conversation, cookie


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.2", "RFC7413-2")
def test_data_in_a_syn_with_a_cookie_is_taken_and_answered_before_the_handshake_ends(family: Family) -> None:
    conversation, cookie = with_cookie(family)
    conversation.names["cookie"] = cookie
    conversation.run(
        """
        +0     < S 1000:1100(100) <mss 1000,FO $cookie>
        +0     > S. 0:0(0) ack 1101 <...>
        +0     accept
        +0     readable 100
        +0     write 50
        +0     > P. 1:51(50) ack 1101
        +.1    < . 1101:1101(0) ack 51
        +0     state ESTABLISHED
        """
    )


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.2")
def test_a_cookie_that_is_not_ours_costs_the_data_and_nothing_more(family: Family) -> None:
    conversation, cookie = with_cookie(family)
    conversation.names["cookie"] = "00" * (len(cookie) // 2)
    conversation.run(
        """
        +0     < S 1000:1100(100) <mss 1000,FO $cookie>
        +0     > S. 0:0(0) ack 1001 <...>
        +0     < . 1001:1001(0) ack 1
        +0     accept
        +0     readable 0
        +0     < P. 1001:1101(100) ack 1
        +.040  > . 1:1(0) ack 1101
        """
    )


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.2")
def test_it_is_off_unless_asked_for(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000,FO>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        """,
        family,
    )
