"""How connections end: RFC 9293 3.6, 3.6.1, 3.10.4, 3.10.5; RFC 1122 4.2.2.13."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=lambda behaviour: behaviour.name)


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-3.6", "RFC9293-MUST-13")
def test_we_close_first_and_wait_twice_the_lifetime_of_a_segment(family: Family, behaviour: Behaviour) -> None:
    wait = {"windows": 120, "linux": 60}[behaviour.name]
    script(
        """
        +0     established
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     state FIN_WAIT_1
        +.020  < . 1:1(0) ack 2
        +0     state FIN_WAIT_2
        +0     told FINISHED
        +10    < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +0     told PEER_FINISHED
        +0     state TIME_WAIT
        +$most connections 1
        +.002  connections 0
        """,
        family,
        behaviour,
        most=wait - 0.001,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.6", "RFC9293-MUST-12")
def test_the_peer_closes_first(family: Family) -> None:
    script(
        """
        +0     established
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2
        +0     told PEER_FINISHED
        +0     peer_finished yes
        +0     state CLOSE_WAIT
        +9     shutdown
        +0     > F. 1:1(0) ack 2
        +0     state LAST_ACK
        +.010  < . 2:2(0) ack 2
        +0     told FINISHED
        +0     error none
        +0     connections 0
        +120   nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.6")
def test_simultaneous_close(family: Family) -> None:
    script(
        """
        +0     established
        +0     write 100
        +0     > P. 1:101(100) ack 1
        +0     shutdown
        +0     > F. 101:101(0) ack 1
        +.010  < F. 1:1(0) ack 1
        +0     > . 102:102(0) ack 2
        +0     state CLOSING
        +0     < . 2:2(0) ack 102
        +0     told PEER_FINISHED SENT FINISHED
        +0     state TIME_WAIT
        +119   connections 1
        +1     connections 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.6", "RFC9293-MAY-1")
def test_half_closed_by_us_the_peer_goes_on_for_as_long_as_it_likes(family: Family) -> None:
    script(
        """
        +0     established
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     < . 1:1(0) ack 2
        +3600  < . 1:1001(1000) ack 2
        +0     < . 1001:2001(1000) ack 2
        +0     > . 2:2(0) ack 2001
        +0     read 2000
        +3600  < FP. 2001:2101(100) ack 2
        +0     > . 2:2(0) ack 2102
        +0     read 100
        +0     state TIME_WAIT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.6", "RFC9293-3.10.2")
def test_half_closed_by_the_peer_we_go_on_for_as_long_as_we_like(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     < F. 1:1(0) ack 1
        +0     > . 1:1(0) ack 2
        +3600  write 2000
        +0     > P. 1:2001(2000) ack 2 by 1000
        +.010  < . 2:2(0) ack 2001
        +3600  write 10
        +0     > P. 2001:2011(10) ack 2
        +0     shutdown
        +0     > F. 2011:2011(0) ack 2
        +0     < . 2:2(0) ack 2012
        +0     connections 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.4", "RFC9293-3.8")
def test_data_before_the_fin_is_sent_first_and_the_last_of_it_carries_the_fin(family: Family) -> None:
    script(
        """
        +0     established win 1000 mss 1000
        +0     write 1500
        +0     > . 1:1001(1000) ack 1
        +0     shutdown
        +0     write 1 ! INVALID_STATE
        +.010  < . 1:1(0) ack 1001 win 1000
        +0     > FP. 1001:1501(500) ack 1
        +.010  < . 1:1(0) ack 1502 win 1000
        +0     told SENT FINISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.5", "RFC9293-MUST-12")
def test_abort_resets_at_once_and_forgets_what_was_not_sent(family: Family) -> None:
    script(
        """
        +0     established win 1000 mss 1000
        +0     write 1500
        +0     > . 1:1001(1000) ack 1
        +0     abort
        +0     > R 1001:1001(0)
        +0     connections 0
        +0     write 1 ! ABORTED
        +120   nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.6.1", "RFC9293-SHLD-3")
def test_closed_with_data_that_nobody_read_the_peer_hears_of_the_loss(family: Family) -> None:
    script(
        """
        +0     established
        +0     < P. 1:101(100) ack 1
        +.040  > . 1:1(0) ack 101
        +0     close
        +0     > R 1:1(0)
        +0     < P. 101:201(100) ack 1
        +0     > R 1:1(0)                  # data after close
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.1", "RFC6298-5.5")
def test_a_fin_is_repeated_like_data(family: Family) -> None:
    script(
        """
        0      established
        0      shutdown
        0      > F. 1:1(0) ack 1
        .3     > F. 1:1(0) ack 1
        .9     > F. 1:1(0) ack 1
        2.1    > F. 1:1(0) ack 1
        +0     < . 1:1(0) ack 2
        +0     state FIN_WAIT_2
        +60    nothing
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_time_wait_answers_a_repeated_fin_and_starts_anew(family: Family) -> None:
    script(
        """
        +0     established
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +100   < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +119   connections 1
        +1     connections 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MAY-2", "RFC1122-4.2.2.13")
def test_a_new_syn_behind_the_old_stream_is_accepted_in_time_wait(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +0     < S 1:1(0) <mss 1000>        # not behind it
        +0     > . 2:2(0) ack 2
        +0     < S 100:100(0) <mss 1000>
        +0     > S. *:*(0) ack 101 <...>
        """,
        family,
    )


@pytest.mark.rule("RFC9293-3.8.3", "RFC9293-MUST-20")
def test_a_fin_that_nobody_acknowledges_is_given_up() -> None:
    script(
        """
        0      established
        0      shutdown
        0      > F. 1:1(0) ack 1
        .3     > F. 1:1(0) ack 1
        .9     > F. 1:1(0) ack 1
        2.1    > R 2:2(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        behaviour=with_tcp(WINDOWS, data_retries=2),
    )


@FAMILIES
@pytest.mark.parametrize(("is_ignored", "left"), [(False, 0), (True, 1)], ids=["as in RFC 9293", "fix F1"])
@pytest.mark.rule("RFC1337-3", "RFC9293-3.10.7.4")
def test_a_reset_ends_time_wait_unless_the_policy_says_otherwise(family: Family, is_ignored: bool, left: int) -> None:
    script(
        """
        +0     established
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +0     < R 2:2(0)
        +0     connections $left
        +60    nothing
        """,
        family,
        with_tcp(WINDOWS, ignores_reset_in_time_wait=is_ignored),
        left=left,
    )
