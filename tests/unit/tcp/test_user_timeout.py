"""The user timeout in every state in which something waits for the peer: RFC 9293 3.9.1.1, 3.10.8."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_a_syn_that_nobody_answers(family: Family) -> None:
    script(
        """
        0      connect
        0      > S 0:0(0) <...>
        0      set user_timeout 2s
        1      > S 0:0(0) <...>
        1.999  told nothing
        2.001  told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_a_fin_that_nobody_acknowledges(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 1s
        0      shutdown
        0      > F. 1:1(0) ack 1
        .3     > F. 1:1(0) ack 1
        .9     > F. 1:1(0) ack 1
        1      > R 2:2(0)
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8", "RFC9293-3.8.6.1")
def test_a_closed_window_even_if_the_peer_answers(family: Family) -> None:
    """As with TCP_USER_TIMEOUT of Linux: who sets it will not wait for ever."""
    script(
        """
        0      established win 0
        0      set user_timeout 1s
        0      write 10
        .3     > . 1:2(1) ack 1
        .3     < . 1:1(0) ack 1 win 0
        .9     > . 1:2(1) ack 1
        .9     < . 1:1(0) ack 1 win 0
        1      > R *:*(0)
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_a_timeout_that_is_given_more_time_does_not_repeat_early(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 200ms
        0      write 10
        0      > P. 1:11(10) ack 1
        .1     set user_timeout 10s
        .3     > P. 1:11(10) ack 1
        +.6    > P. 1:11(10) ack 1
        """,
        family,
    )
