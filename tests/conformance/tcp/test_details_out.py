"""Details of sending that only show in the second of two exchanges: what one recovery, probe or wait leaves behind."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import WINDOWS
from wsknet.tcp_policy import CongestionAlgorithm, OptionUse
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
RENO = with_tcp(WINDOWS, congestion=CongestionAlgorithm.NEW_RENO)
STAMPED = with_tcp(WINDOWS, timestamps=OptionUse.ASK)

CONNECTED = """
    +0     connect
    +0     > S 0:0(0) <...>
    +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
    +0     > . 1:1(0) ack 1
"""
"""With a round trip of 100 ms: RTO 300 ms, PTO 200 ms."""


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC4015-3.2")
def test_the_repeats_of_a_recovery_that_was_needed_do_not_speak_for_the_next(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 10001                             # lost, repeated, and that was that
        +0     write 20000
        +0     > . 10001:12001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 12001
        +0     > . 12001:15001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 15001
        +0     > . 15001:19001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 15001 <nop,nop,sack 16001:19001>
        +0     > . 15001:16001(1000) ack 1
        +0     > . 19001:20001(1000) ack 1
        +0     < . 1:1(0) ack 19001                             # it only came late
        +0     > . 20001:21001(1000) ack 1
        +.1    < . 1:1(0) ack 19001 <nop,nop,sack 15001:16001>
        +0     > . 21001:23001(2000) ack 1 by 1000              # the window is four segments again
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC6582-3.2")
def test_a_partial_acknowledgement_of_more_than_the_duplicates_stood_for_lets_new_data_out(family: Family) -> None:
    """Three segments were guessed to have left the network, and eight have: nothing is owed for the difference."""
    script(
        f"""
        {CONNECTED.replace(",nop,nop,sackOK", "")}
        +0     write 30000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 8001
        +0     > . 8001:9001(1000) ack 1
        +0     > . 12001:13001(1000) ack 1
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.3", "RFC8985-7.4.2")
def test_when_a_probe_with_new_data_is_acknowledged_the_next_tail_is_probed_as_well(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 11000
        +0     > . 1:10001(10000) ack 1 by 1000       # all that the congestion window allows
        +.2    > P. 10001:11001(1000) ack 1
        +.01   < . 1:1(0) ack 11001
        +0     write 2000
        +0     > P. 11001:13001(2000) ack 1 by 1000
        *      > P. 12001:13001(1000) ack 1           # and not the first of them, as after a timeout
        """,
        family,
    )


@FAMILIES
@pytest.mark.parametrize("report", [" <nop,nop,sack 1001:2001>", ""], ids=["D-SACK", "plain"])
@pytest.mark.rule("RFC8985-7.4.2", "RFC2883-4")
def test_a_tail_that_arrived_twice_costs_no_window(family: Family, report: str) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 2000
        +0     > P. 1:2001(2000) ack 1 by 1000
        +.2    > P. 1001:2001(1000) ack 1             # before the timeout: a probe
        +.01   < . 1:1(0) ack 2001
        +.01   < . 1:1(0) ack 2001{report}
        +0     write 1000
        +0     > P. 2001:3001(1000) ack 1
        +.1    < . 1:1(0) ack 3001
        +0     write 20000
        +0     > . 3001:13001(10000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-7.4.2")
def test_an_acknowledgement_of_the_probe_alone_does_not_say_that_the_tail_was_lost(family: Family) -> None:
    """The other copy may still be on its way; what is sent meanwhile has the whole window."""
    script(
        f"""
        {CONNECTED}
        +0     write 2000
        +0     > P. 1:2001(2000) ack 1 by 1000
        +.2    > P. 1001:2001(1000) ack 1
        +.01   < . 1:1(0) ack 2001
        +0     write 20000
        +0     > . 2001:12001(10000) ack 1 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC2883-4", "RFC8985-6.2")
def test_a_duplicate_at_the_end_of_an_island_widens_the_reordering_window(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 3001:4001 2001:4001>
        +.05   > . 1:2001(2000) ack 1 by 1000         # two quarters of a round trip, else one
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_where_a_round_trip_takes_no_time_what_was_overtaken_is_not_lost_at_once(family: Family) -> None:
    script(
        f"""
        {CONNECTED.replace("+.1 ", "+0  ")}
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +0     < . 1:1(0) ack 1 <nop,nop,sack 2001:3001>
        +0     < . 1:1(0) ack 3001
        +3     nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-3.2")
def test_duplicates_stand_for_no_more_than_was_in_flight_when_the_loss_was_noticed(family: Family) -> None:
    duplicate = "+0     < . 1:1(0) ack 1"
    let_out = "\n".join(
        f"{duplicate}\n+0     > . {start}:{start + 1000}(1000) ack 1" for start in range(12_001, 16_001, 1000)
    )
    script(
        f"""
        {CONNECTED.replace(",nop,nop,sackOK", "")}
        +0     write 60000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1
        +0     > . 1:1001(1000) ack 1
        {(duplicate + chr(10)) * 4}
        {let_out}
        {(duplicate + chr(10)) * 20}
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-3.1", "RFC5681-3.2")
def test_half_of_what_was_in_flight_is_left_where_that_was_less_than_the_window(family: Family) -> None:
    script(
        f"""
        {CONNECTED}
        +0     write 4000
        +0     > P. 1:4001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
        +0     > . 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 4001
        +0     write 20000
        +0     > . 4001:6001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 5001
        +0     > . 6001:7001(1000) ack 1              # and no slow start up to half of ten
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2", "RFC2883-4")
def test_the_reordering_window_is_never_longer_than_a_round_trip(family: Family) -> None:
    widened = "\n".join(
        f"""
        +0     write 1000
        +0     > P. {start}:{start + 1000}(1000) ack 1
        +.1    < . 1:1(0) ack {start + 1000} <nop,nop,sack 1:1001>
        """
        for start in range(1, 8001, 1000)
    )
    script(
        f"""
        {CONNECTED}
        {widened}
        +0     write 2000
        +0     > P. 8001:10001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 8001 <nop,nop,sack 9001:10001>
        +.1    > . 8001:9001(1000) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_after_sixteen_recoveries_the_reordering_window_is_a_quarter_of_a_round_trip_again(family: Family) -> None:
    recoveries = "\n".join(
        f"""
        +0     write 2000
        +0     > P. {start}:{start + 2000}(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack {start} <nop,nop,sack {start + 1000}:{start + 2000}>
        +{wait}  > . {start}:{start + 1000}(1000) ack 1
        +.1    < . 1:1(0) ack {start + 2000}
        """
        for start, wait in zip(range(1001, 35_001, 2000), (".050",) * 16 + (".025",), strict=True)
    )
    script(
        f"""
        {CONNECTED}
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        +.1    < . 1:1(0) ack 1001 <nop,nop,sack 1:1001>
        {recoveries}
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC8985-6.2")
def test_what_was_sent_first_and_arrives_last_does_not_hide_what_was_lost_again(family: Family) -> None:
    """Of two repeats the second arrives: the first is lost, whatever else that was sent before them comes with it."""
    script(
        f"""
        {CONNECTED}
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 2001:7001>
        +0     > . 1:2001(2000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:8001>
        +0     > . 1:1001(1000) ack 1
        +0     > P. 8001:10001(2000) ack 1 by 1000
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC7323-4.3")
def test_a_timestamp_that_stands_elsewhere_among_the_options_counts_as_well(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S. 0:0(0) ack 1 <mss 1012,nop,nop,TS val 1000 ecr 0>
        +0     > . 1:1(0) ack 1 <nop,nop,TS val * ecr 1000>
        +.1    < P. 1:101(100) ack 1 <TS val 1200 ecr 0,nop,nop>
        +.04   > . 1:1(0) ack 101 <nop,nop,TS val * ecr 1200>
        """,
        family,
        STAMPED,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.5", "RFC5961-3.2")
def test_a_reset_after_probes_of_a_closed_window_has_the_number_that_the_peer_expects(family: Family) -> None:
    script(
        """
        +0     established win 0
        +0     write 100
        +.3    > . 1:2(1) ack 1
        +0     abort
        +0     > R 1:1(0)
        """,
        family,
    )
