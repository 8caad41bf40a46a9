"""What SYN and SYN-ACK offer, and in which order: RFC 7323 2.2 and 3.2, RFC 2018 2; systems as nmap-os-db has them."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.tcp_policy import OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC2018-2")
def test_windows_asks_for_a_scale_and_for_sack(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) win 65535 <mss $mss,nop,wscale 8,nop,nop,sackOK>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2")
def test_linux_asks_for_timestamps_as_well(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) win 65535 <mss $mss,sackOK,TS val 0 ecr 0,nop,wscale $scale>
        +1     > S 0:0(0) win 65535 <mss $mss,sackOK,TS val 1000 ecr 0,nop,wscale $scale>
        """,
        family,
        LINUX,
        scale=5,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC7323-3.2", "RFC2018-2")
def test_a_syn_ack_has_what_the_syn_had(family: Family) -> None:
    for theirs, ours in (
        ("mss 1460", "mss $mss"),
        ("mss 1460,nop,wscale 7", "mss $mss,nop,wscale 8"),
        ("mss 1460,nop,nop,sackOK", "mss $mss,nop,nop,sackOK"),
        ("mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 7", "mss $mss,nop,wscale 8,sackOK,TS val 0 ecr 700"),
    ):
        script(
            f"""
            +0     listen
            +0     < S 0:0(0) <{theirs}>
            +0     > S. 0:0(0) ack 1 <{ours}>
            """,
            family,
        )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2")
def test_what_the_peer_did_not_grant_is_not_used(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <mss $mss,sackOK,TS val 0 ecr 0,nop,wscale *>
        """.replace("wscale *", "wscale 5")
        + """
        +.010  < S. 0:0(0) ack 1 win 1000 <mss 1000>
        +0     > . 1:1(0) ack 1 win 65535 <>
        +0     < . 1001:2001(1000) ack 1 win 1000
        +0     > . 1:1(0) ack 1 <>
        +0     write 2000
        +0     > . 1:1001(1000) ack 1 <>
        """,
        family,
        LINUX,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC2018-2")
def test_what_is_switched_off_is_neither_asked_for_nor_granted(family: Family) -> None:
    plain = with_tcp(WINDOWS, sack=False, timestamps=OptionUse.OFF)
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1460,sackOK,TS val 700 ecr 0>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        """,
        family,
        plain,
    )
    script(
        """
        +0     connect
        +0     > S 0:0(0) <mss $mss,nop,wscale 8>
        """,
        family,
        plain,
    )
