"""A timeout that came too early is taken back: RFC 3522 (Eifel detection by timestamps), RFC 4015 (the response)."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
COUNTING = with_tcp(LINUX, rack=False)


@FAMILIES
@pytest.mark.parametrize(("echo", "flight"), [(100, 18), (400, 2)], ids=["what was sent first", "what was sent again"])
@pytest.mark.rule("RFC3522-3.2", "RFC4015-3.2")
def test_which_of_two_copies_was_answered_decides(family: Family, echo: int, flight: int) -> None:
    """The path has become slow: everything arrives, but later than the timeout.

    18: the ten of before, and eight for what is acknowledged (RFC 9406 4.2).
    """
    script(
        """
        0      connect
        0      > S 0:0(0) <mss $mss,sackOK,TS val 0 ecr 0,nop,wscale 5>
        .1     < S. 0:0(0) ack 1 <mss 1012,sackOK,TS val 7 ecr 0>
        .1     > . 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>
        .1     write 10000
        .1     > P. 1:10001(10000) ack 1 <nop,nop,TS val 100 ecr 7> by 1000
        .4     > . 1:1001(1000) ack 1 <nop,nop,TS val 400 ecr 7>
        .45    < . 1:1(0) ack 10001 <nop,nop,TS val 8 ecr $echo>
        .45    write 30000
        .45    > . 10001:$to ack 1 <...> by 1000
        """,
        family,
        COUNTING,
        echo=echo,
        to=10001 + 1000 * flight,
    )
