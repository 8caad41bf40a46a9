"""How losses are found and answered, seen from the wire: RFC 6675 and RFC 5827 (by counting), RFC 8985 (by time), RFC
2883, 3522 and 4015 (losses that were none)."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import CongestionAlgorithm, OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
RENO = with_tcp(WINDOWS, congestion=CongestionAlgorithm.NEW_RENO)
COUNTING = with_tcp(RENO, rack=False)
STAMPED = with_tcp(RENO, timestamps=OptionUse.ASK)

CONNECTED = """
    +0     connect
    +0     > S 0:0(0) <...>
    +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
    +0     > . 1:1(0) ack 1
"""
"""With a round trip of 100 ms: RTO 300 ms, PTO 200 ms."""


# Counting


@FAMILIES
@pytest.mark.rule("RFC6675-4", "RFC6675-5")
def test_three_reports_above_a_segment_repeat_it_and_two_do_not(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:3001>
        +.01   < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        +0     > . 1:1001(1000) ack 1
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC5827-3.1", "RFC5827-3.2")
@pytest.mark.parametrize("has_sack", [True, False])
def test_of_three_segments_in_flight_two_duplicates_repeat_the_first(family: Family, has_sack: bool) -> None:
    reports = ("<nop,nop,sack 1001:2001>", "<nop,nop,sack 1001:3001>") if has_sack else ("", "")
    script(
        f"""
        {CONNECTED if has_sack else CONNECTED.replace(",nop,nop,sackOK", "")}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 {reports[0]}
        +.01   < . 1:1(0) ack 1 {reports[1]}
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC5827-3.1")
def test_while_there_is_more_to_send_two_duplicates_repeat_nothing(family: Family) -> None:
    script(
        f"""
        {CONNECTED.replace(",nop,nop,sackOK", "")}
        +0     write 2000
        +0     > P. 1:2001(2000) ack 1 by 1000
        +0     write 500
        +.1    < . 1:1(0) ack 1
        +.1    nothing
        """,
        family,
        COUNTING,
    )


@FAMILIES
@pytest.mark.rule("RFC6675-6")
def test_the_first_repeat_gets_a_whole_timeout_to_be_answered_in(family: Family) -> None:
    """The round trip is 280 ms, the timeout hardly longer: without that it would end in the midst of the recovery."""
    exchanges = "".join(
        f"""
        +0     write 1000
        +0     > P. {start}:{start + 1000}(1000) ack 1
        +.28   < . 1:1(0) ack {start + 1000}
        """
        for start in range(1, 20_000, 1000)
    )
    script(
        f"""
        {CONNECTED.replace("+.1 ", "+.28")}
        {exchanges}
        +0     write 5000
        +0     > P. 20001:25001(5000) ack 1 by 1000
        +.28   < . 1:1(0) ack 20001 <nop,nop,sack 21001:25001>
        +0     > . 20001:21001(1000) ack 1
        +.28   < . 1:1(0) ack 25001
        +3     nothing
        """,
        family,
    )


# Time


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_what_is_written_meanwhile_does_not_put_off_the_end_of_the_reordering_window(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     set no_delay on
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        +.02   write 10
        +0     > P. 3001:3011(10) ack 1
        +.005  > . 1:2001(2000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2", "RFC2018-4")
def test_blocks_come_in_any_order_and_that_is_no_reordering(family: Family) -> None:
    """What had been seen to overtake would be waited for later on."""
    script(
        f"""
        {CONNECTED}
        +0     write 8000
        +0     > P. 1:8001(8000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 7001:8001 4001:5001 1001:3001>
        +0     > . 1:1001(1000) ack 1
        +0     > . 3001:4001(1000) ack 1
        +0     > . 5001:7001(2000) ack 1 by 1000
        """,
        family,
    )


# Tail loss probes


@FAMILIES
@pytest.mark.rule("RFC2883-4")
def test_a_needless_repeat_is_told_of_when_nothing_is_in_flight_any_more_and_does_not_count_as_loss(
    family: Family,
) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        *      > P. 1:1001(1000) ack 1
        +0     < . 1:1(0) ack 1001
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
        +0     write 1000
        +0     > P. 1001:2001(1000) ack 1
        +.1    < . 1:1(0) ack 2001
        +0     write 20000
        +0     > . 2001:12001(10000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.4.2")
def test_a_probe_that_repaired_the_only_loss_costs_half_the_window(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 9001
        *      > P. 9001:10001(1000) ack 1
        +.1    < . 1:1(0) ack 10001
        +0     write 1000
        +0     > P. 10001:11001(1000) ack 1
        +.1    < . 1:1(0) ack 11001
        +0     write 20000
        +0     > . 11001:13001(2000) ack 1 by 1000
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.4.2")
def test_a_recovery_that_a_probe_has_started_is_the_only_answer_to_it(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.2    > P. 9001:10001(1000) ack 1
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 9001:10001>
        +0     > . 1:5001(5000) ack 1 by 1000
        +.1    < . 1:1(0) ack 5001 <nop,nop,sack 9001:10001>
        +0     > . 5001:9001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     write 1000
        +0     > P. 10001:11001(1000) ack 1
        +.1    < . 1:1(0) ack 11001
        +0     write 20000
        +0     > . 11001:14001(3000) ack 1 by 1000      # it would be two
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.3", "RFC2018-3")
def test_a_probe_leaves_room_for_the_reports_that_it_carries(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     < . 11:21(10) ack 1
        +0     > . 1:1(0) ack 1 <nop,nop,sack 11:21>
        +0     write 12000
        +0     > . 1:9881(9880) ack 1 <nop,nop,sack 11:21> by 988
        +.2    > . 9881:10869(988) ack 1 <nop,nop,sack 11:21>
        """,
        family,
    )


# Losses that were none

NEEDLESS = f"""
    {CONNECTED}
    +0     write 40000
    +0     > . 1:10001(10000) ack 1 by 1000
    +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>
    +0     > . 1:1001(1000) ack 1
    +0     < . 1:1(0) ack 10001
    +0     > . 10001:12001(2000) ack 1 by 1000
"""
"""What was repeated has only come late, and the recovery is over before its copy arrives."""


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC4015-3.2")
def test_when_the_only_repeat_is_reported_as_duplicate_the_window_is_as_before(family: Family) -> None:
    script(
        f"""
        {NEEDLESS}
        +.09   < . 1:1(0) ack 10001 <nop,nop,sack 1:1001>
        +0     > . 12001:20001(8000) ack 1 by 1000
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.parametrize("block", ["1001:2001", "1:1000", "1001:1", "2:1001"])
@pytest.mark.rule("RFC2883-4", "RFC4015-3.2")
def test_a_duplicate_of_anything_else_proves_nothing(family: Family, block: str) -> None:
    script(
        f"""
        {NEEDLESS}
        +.09   < . 1:1(0) ack 10001 <nop,nop,sack {block}>
        +.01   nothing
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC8985-7.3")
def test_the_duplicate_of_a_tail_loss_probe_does_not_undo_the_recovery_after_it(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.2    > P. 9001:10001(1000) ack 1
        +0     write 20000
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 1:1001(1000) ack 1
        +0     > . 10001:14001(4000) ack 1 by 1000
        +.05   < . 1:1(0) ack 1 <nop,nop,sack 9001:10001 1001:10001>
        +.04   nothing
        """,
        family,
        RENO,
    )


TWO_REPEATED = """
    +0     connect
    +0     > S 0:0(0) <mss $mss,nop,wscale 8,sackOK,TS val 0 ecr 0>
    +.1    < S. 0:0(0) ack 1 <mss 1012,nop,nop,TS val 1000 ecr 0>
    +0     > . 1:1(0) ack 1 <...>
    +0     write 20000
    +0     > . 1:10001(10000) ack 1 <nop,nop,TS val 100 ecr 1000> by 1000
    +.1    < . 1:1(0) ack 1 <nop,nop,TS val 1100 ecr 0>
    +0     > . 10001:11001(1000) ack 1 <...>
    +0     < . 1:1(0) ack 1 <nop,nop,TS val 1100 ecr 0>
    +0     > . 11001:12001(1000) ack 1 <...>
    +0     < . 1:1(0) ack 1 <nop,nop,TS val 1100 ecr 0>
    +0     > . 1:1001(1000) ack 1 <nop,nop,TS val 200 ecr 1100>
"""
"""Without SACK, with timestamps."""


@FAMILIES
@pytest.mark.rule("RFC3522-3.2")
def test_a_loss_that_was_real_stays_so_when_a_later_repeat_was_needless(family: Family) -> None:
    script(
        f"""
        {TWO_REPEATED}
        +.1    < . 1:1(0) ack 3001 <nop,nop,TS val 1200 ecr 200>
        +0     > . 3001:4001(1000) ack 1 <...>
        +.01   < . 1:1(0) ack 5001 <nop,nop,TS val 1210 ecr 100>
        +0     > . 5001:6001(1000) ack 1 <...>
        """,
        family,
        STAMPED,
    )
