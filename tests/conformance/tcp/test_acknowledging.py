"""When segments and acknowledgements are sent: RFC 9293 3.7.4 (Nagle), 3.8.6.3 (delay); RFC 5681 4.2."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import MILLISECOND, Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda behaviour: behaviour.name)


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-SHLD-18", "RFC9293-MUST-40")
def test_one_segment_is_acknowledged_later_but_within_half_a_second(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0         established
        +0         < P. 1:101(100) ack 1
        +.001~+.499 > . 1:1(0) ack 101
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6.3")
def test_the_delay_is_that_of_the_policy_from_the_first_segment_on(family: Family) -> None:
    script(
        """
        0     established
        0     < P. 1:101(100) ack 1
        .080  > . 1:1(0) ack 101
        """,
        family,
        with_tcp(WINDOWS, delayed_ack=80 * MILLISECOND),
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-SHLD-19", "RFC5681-4.2")
def test_every_second_full_segment_is_acknowledged_at_once(family: Family, behaviour: Behaviour) -> None:
    script(
        """
        +0     established
        +0     < . 1:1001(1000) ack 1
        +0     < . 1001:2001(1000) ack 1
        +0     > . 1:1(0) ack 2001
        +0     < . 2001:3001(1000) ack 1
        +0     < . 3001:4001(1000) ack 1
        +0     > . 1:1(0) ack 4001
        +1     nothing
        """,
        family,
        behaviour,
    )


@FAMILIES
@pytest.mark.rule("RFC5681-4.2", "RFC9293-SHLD-31", "RFC9293-MAY-13")
def test_data_out_of_order_is_kept_and_acknowledged_at_once_as_is_what_fills_the_hole(family: Family) -> None:
    script(
        """
        +0     established
        +0     < . 1001:2001(1000) ack 1
        +0     > . 1:1(0) ack 1
        +0     < . 3001:4001(1000) ack 1
        +0     > . 1:1(0) ack 1
        +0     < . 1:1001(1000) ack 1
        +0     > . 1:1(0) ack 2001
        +0     < . 2001:3001(1000) ack 1
        +0     > . 1:1(0) ack 4001
        +0     read 4000
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.6.3", "RFC9293-MUST-58")
def test_data_carries_the_acknowledgement_that_was_due(family: Family) -> None:
    script(
        """
        +0     established
        +0     < P. 1:6(5) ack 1 "hello"
        +.030  write "world"
        +0     > P. 1:6(5) ack 6
        +.2    nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-7", "RFC9293-SHLD-27", "RFC9293-3.7.4")
def test_a_small_segment_waits_while_something_is_in_flight(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 10
        +0     > P. 1:11(10) ack 1             # nothing was in flight
        +0     write 10
        +0     write 10
        +.1    < . 1:1(0) ack 11
        +0     > P. 11:31(20) ack 1
        +0     write 990
        +0     write 20
        +0     > . 31:1031(1000) ack 1         # a full one need not wait
        +.1    < . 1:1(0) ack 1031
        +0     > P. 1031:1041(10) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-17")
def test_the_application_can_switch_the_waiting_off_for_good_or_for_one_write(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     set no_delay on
        +0     write 10
        +0     > P. 1:11(10) ack 1
        +0     write 10
        +0     > P. 11:21(10) ack 1
        +0     set no_delay off
        +0     write 10
        +0     write 10 nodelay
        +0     > P. 21:41(20) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-60", "RFC9293-MUST-61", "RFC9293-3.9.1")
def test_push_is_on_the_last_segment_and_data_is_never_held_for_want_of_it(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     write 2500
        +0     > . 1:2001(2000) ack 1 by 1000
        +.010  < . 1:1(0) ack 2001
        +0     > P. 2001:2501(500) ack 1
        """,
        family,
    )
