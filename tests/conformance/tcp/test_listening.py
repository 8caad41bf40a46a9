"""What a listener keeps, refuses and forgets: RFC 9293 3.10.7.2, RFC 4987 3, RFC 1122 4.2.2.18."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

FULL = """
    +0     listen 1
    +0     < S 0:0(0) <mss 1000>
    +0     > S. 0:0(0) ack 1 <...>
    +0     < . 1:1(0) ack 1
    +0     told ACCEPTABLE
    +0     < S 0:0(0) <mss 1000> port 81
"""


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2")
def test_windows_refuses_a_syn_while_nobody_accepts(family: Family) -> None:
    script(
        f"""
        {FULL}
        +0     > R. *:*(0) ack 1 port 81
        +0     drops TCP_BACKLOG_FULL
        +0     connections 1
        """,
        family,
        WINDOWS,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2")
def test_linux_lets_it_try_again(family: Family) -> None:
    script(
        f"""
        {FULL}
        +0     drops TCP_BACKLOG_FULL
        +.5    accept
        +.5    < S 0:0(0) <mss 1000> port 81
        +0     > S. 0:0(0) ack 1 <...> port 81
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_beyond_the_syn_queue_a_cookie_remembers_the_peer(family: Family) -> None:
    conversation = script(
        """
        +0     listen 1
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < S 0:0(0) <mss 1000> port 81
        +0     > S. *:*(0) ack 1 <...> port 81
        +0     connections 1
        """,
        family,
        WINDOWS,
    )
    assert conversation.latest is not None
    conversation.names["cookie"] = (conversation.latest.seq + 1) & 0xFFFFFFFF
    conversation.run(
        """
        +.1    < . 1:1(0) ack $cookie port 81
        +0     told ACCEPTABLE
        +0     connections 2
        """
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_a_cookie_of_two_minutes_ago_is_refused(family: Family) -> None:
    conversation = script(
        """
        0      listen 1
        0      < S 0:0(0) <mss 1000>
        0      > S. 0:0(0) ack 1 <...>
        0      < S 0:0(0) <mss 1000> port 81
        0      > S. *:*(0) ack 1 <...> port 81
        """,
        family,
        WINDOWS,
    )
    assert conversation.latest is not None
    conversation.names["cookie"] = (conversation.latest.seq + 1) & 0xFFFFFFFF
    conversation.run(
        """
        1      > S. 0:0(0) ack 1 <...>          # to the one who has his place
        3      > S. 0:0(0) ack 1 <...>
        120    < . 1:1(0) ack $cookie port 81
        120    > R $cookie:$cookie(0) port 81
        120    told nothing
        120    connections 0
        """
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_a_forged_cookie_is_refused(family: Family) -> None:
    script(
        """
        +0     listen 1
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < S 0:0(0) <mss 1000> port 81
        +0     > S. *:*(0) ack 1 <...> port 81
        +0     < . 1:1(0) ack 123456 port 82
        +0     > R 123456:123456(0) port 82
        +0     told nothing
        +0     connections 1
        """,
        family,
        WINDOWS,
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.2", "RFC6298-5.5")
def test_a_half_open_connection_is_forgotten_after_its_retries(family: Family) -> None:
    script(
        """
        0      listen
        0      < S 0:0(0) <mss 1000>
        0      > S. 0:0(0) ack 1 <...>
        1      > S. 0:0(0) ack 1 <...>
        3      > S. 0:0(0) ack 1 <...>
        6.999  connections 1
        7.001  connections 0
        +60    told nothing
        """,
        family,
        with_tcp(WINDOWS, syn_ack_retries=2),
    )


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.2.18")
def test_one_listener_serves_many_peers_at_once(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < S 500:500(0) <mss 1000> port 81
        +0     > S. 0:0(0) ack 501 <...> port 81
        +0     < . 501:501(0) ack 1 port 81
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     accept
        +0     accept none
        +0     write 10
        +0     > P. 1:11(10) ack 1
        """,
        family,
    )
