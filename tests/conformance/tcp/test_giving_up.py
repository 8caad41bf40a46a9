"""How long a connection waits for its peer: the user timeout of RFC 9293 3.9.1.1 and 3.10.8, RFC 5482 3 in all that
waits: an attempt to connect, data, a closed window, a FIN.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from tests.support.tcp_script import script
from wsknet.errors import ErrorKind
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8", "RFC9293-MUST-21")
def test_data_outlives_the_number_of_repeats_if_the_user_is_patient(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 60s
        0      write 100
        0      > P. 1:101(100) ack 1
        .3     > P. 1:101(100) ack 1
        .9     > P. 1:101(100) ack 1
        2.1    > P. 1:101(100) ack 1
        4.5    > P. 1:101(100) ack 1
        9.3    > P. 1:101(100) ack 1
        18.9   > P. 1:101(100) ack 1            # here it would be given up otherwise
        38.1   > P. 1:101(100) ack 1
        60     > R 101:101(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8", "RFC9293-MUST-23")
def test_an_attempt_to_connect_lasts_as_long_as_the_user_says(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.bound()
    endpoint.user_timeout = sec(200)
    endpoint.connect(lab.peer.endpoint, lab.now)

    lab.peer.expect(flags="S", seq=0)
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):  # four repeats would be all otherwise
        lab.peer.expect(flags="S", seq=0, after=sec(pause))
    lab.peer.expect_nothing(until=sec(17) - 1)
    assert endpoint.error is None
    lab.clock.advance(1)
    assert endpoint.error is ErrorKind.TIMED_OUT


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8", "RFC9293-3.8.6.1")
def test_a_window_that_stays_closed_is_waited_for_no_longer_than_that(family: Family) -> None:
    script(
        """
        0      established win 0
        0      set user_timeout 2s
        0      write 100
        .3     > . 1:2(1) ack 1
        .3     < . 1:1(0) ack 1 win 0           # answered each time, and still no progress
        .9     > . 1:2(1) ack 1
        .9     < . 1:1(0) ack 1 win 0
        2      > R *:*(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_a_fin_is_waited_for_no_longer_than_that(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 1s
        0      shutdown
        0      > F. 1:1(0) ack 1
        .3     > F. 1:1(0) ack 1
        .9     > F. 1:1(0) ack 1
        1      > R 2:2(0)
        +0     told FAILED
        +0     error TIMED_OUT
        +0     connections 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_what_is_written_later_has_its_own_time(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 1s
        0      write 100
        0      > P. 1:101(100) ack 1
        .1     < . 1:1(0) ack 101
        10     write 100
        10     > P. 101:201(100) ack 1
        10.3   > P. 101:201(100) ack 1
        10.9   > P. 101:201(100) ack 1
        11     > R 201:201(0)
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_each_progress_gives_the_rest_its_whole_time(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      set user_timeout 2s
        0      write 2000
        0      > P. 1:2001(2000) ack 1 by 1000
        .3     > . 1:1001(1000) ack 1
        .9     > . 1:1001(1000) ack 1
        1.5    < . 1:1(0) ack 1001
        1.5    > P. 1001:2001(1000) ack 1
        2.7    > P. 1001:2001(1000) ack 1
        3.5    > R 2001:2001(0)                 # two seconds after the progress, not after the start
        +0     error TIMED_OUT
        """,
        family,
    )
