"""Fast Open: RFC 7413 2, 3, 4.1, 4.2."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_PORT, sec
from tests.support.tcp_script import Script, script
from wsknet.config import TcpConfig
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

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


def with_cookie(family: Family, max_fast_opens: int = 128) -> tuple[Script, str]:
    """A listener, and a cookie that it has given out on a connection that is over."""
    conversation = Script(family, tcp_config=TcpConfig(max_fast_opens=max_fast_opens))
    conversation.application.listener = listener = conversation.lab.bound()
    listener.fast_open = True
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


COOKIE = bytes.fromhex("0123456789abcdef")


def knowing(family: Family) -> TcpLab:
    """A host that has a cookie of the peer, from a connection that is over."""
    lab = TcpLab(family)
    endpoint = lab.bound()
    endpoint.fast_open = True
    endpoint.connect(lab.peer.endpoint, lab.now, b"asks")
    lab.settle()
    syn = lab.peer.expect(flags="S", data=b"")
    assert syn.options.fast_open == b"", "the first SYN asks for a cookie and carries nothing"
    lab.peer.send(flags="SA", seq=0, ack=1, options=tcp_options.build(Options(mss=1000, fast_open=COOKIE)))
    lab.peer.expect(seq=1, ack=1, data=b"asks")
    lab.peer.send(flags="R", seq=1)
    return lab


def opening(lab: TcpLab, data: bytes) -> TcpEndpoint:
    endpoint = lab.bound(OUR_PORT + 1)
    endpoint.fast_open = True
    endpoint.connect(lab.peer.endpoint, lab.now, data)
    lab.settle()
    return endpoint


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.1", "RFC7413-4.1.3")
def test_with_a_cookie_data_travels_in_the_syn(family: Family) -> None:
    lab = knowing(family)
    endpoint = opening(lab, bytes(2000))
    syn = lab.peer.expect(flags="S", seq=0, data=bytes(960))  # the peer takes 1000, options included
    assert syn.options.fast_open == COOKIE
    lab.peer.send(flags="SA", seq=0, ack=961, mss=1000, to=OUR_PORT + 1)
    lab.peer.expect(seq=961, ack=1, data=bytes(1000))
    lab.peer.send(seq=1, ack=1961, to=OUR_PORT + 1)
    lab.peer.expect(seq=1961, data=bytes(40))
    lab.peer.send(seq=1, ack=2001, to=OUR_PORT + 1)
    assert endpoint.acknowledged == 2000
    assert lab.state(endpoint) is State.ESTABLISHED


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.1")
def test_what_the_peer_did_not_take_of_the_syn_is_sent_again_at_once(family: Family) -> None:
    lab = knowing(family)
    endpoint = opening(lab, b"hello")
    lab.peer.expect(flags="S", seq=0, data=b"hello")
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1000, to=OUR_PORT + 1)
    lab.peer.expect(flags="PA", seq=1, ack=1, data=b"hello")
    assert endpoint.acknowledged == 0


@FAMILIES
@pytest.mark.rule("RFC7413-4.1.3.1")
def test_a_syn_with_data_that_is_not_answered_is_repeated_plain_and_the_cookie_forgotten(family: Family) -> None:
    lab = knowing(family)
    opening(lab, b"hello")
    lab.peer.expect(flags="S", data=b"hello")
    again = lab.peer.expect(flags="S", data=b"", after=sec(1))
    assert again.options.fast_open is None
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1000, to=OUR_PORT + 1)
    lab.peer.expect(flags="PA", seq=1, ack=1, data=b"hello")

    endpoint = lab.bound(OUR_PORT + 2)
    endpoint.fast_open = True
    endpoint.connect(lab.peer.endpoint, lab.now, b"later")
    lab.settle()
    assert lab.peer.expect(flags="S", data=b"").options.fast_open == b""


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.2")
def test_a_lost_syn_ack_is_repeated_and_a_fin_waits_for_the_handshake(family: Family) -> None:
    conversation, cookie = with_cookie(family)
    conversation.names["cookie"] = cookie
    conversation.run(
        """
        +0     < S 1000:1100(100) <mss 1000,FO $cookie>
        +0     > S. 0:0(0) ack 1101 <...>
        +0     accept
        +0     write 50
        +0     > P. 1:51(50) ack 1101
        +0     shutdown
        +1     > S. 0:0(0) ack 1101 <...>
        +.1    < . 1101:1101(0) ack 1
        +0     > F. 51:51(0) ack 1101
        +0     state FIN_WAIT_1
        """
    )


@FAMILIES
@pytest.mark.rule("RFC7413-5.1")
def test_only_so_many_may_be_open_before_their_handshakes_are_done(family: Family) -> None:
    conversation, cookie = with_cookie(family, max_fast_opens=1)
    conversation.names["cookie"] = cookie
    conversation.run(
        """
        +0     < S 1000:1100(100) <mss 1000,FO $cookie>
        +0     > S. 0:0(0) ack 1101 <...>
        +0     < S 5000:5100(100) <mss 1000,FO $cookie> port 81
        +0     > S. 0:0(0) ack 5001 <...> port 81
        """
    )
