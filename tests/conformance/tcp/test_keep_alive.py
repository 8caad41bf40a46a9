"""Keep-alive: RFC 9293 3.8.4, RFC 1122 4.2.3.6."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

PROBES = pytest.mark.parametrize(
    ("behaviour", "probe"), [(WINDOWS, "0:1(1)"), (LINUX, "0:0(0)")], ids=["windows", "linux"]
)
"""One number before what the peer expects.  Windows repeats a byte, which need not be the one that was there: 1 is the
first of the stream, 0 the SYN (RFC 9293 3.8.4: "may contain one garbage octet", MAY-6)."""
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-25")
def test_it_is_off_unless_asked_for(family: Family) -> None:
    script(
        """
        +0      established
        +90000  nothing
        +0      state ESTABLISHED
        """,
        family,
    )


@FAMILIES
@PROBES
@pytest.mark.rule("RFC9293-MUST-24", "RFC9293-MUST-28", "RFC9293-SHLD-12")
def test_asked_for_it_probes_after_two_hours_without_data(family: Family, behaviour: Behaviour, probe: str) -> None:
    script(
        """
        0      established
        0      set keep_alive on
        7200   > . $probe ack 1
        +0     < . 1:1(0) ack 1
        14400  > . $probe ack 1
        +0     < . 1:1(0) ack 1
        +1000  set keep_alive off
        +90000 nothing
        """,
        family,
        behaviour,
        probe=probe,
    )


@FAMILIES
@PROBES
@pytest.mark.rule("RFC9293-MUST-26", "RFC9293-MUST-27", "RFC9293-MAY-6")
def test_only_an_idle_connection_is_probed_and_the_times_can_be_set(
    family: Family, behaviour: Behaviour, probe: str
) -> None:
    script(
        """
        0      established
        0      keepalive 10s 2s 3
        9      < P. 1:2(1) ack 1
        +.040  > . 1:1(0) ack 2
        19     > . $probe ack 2           # 10 s after the last that was heard
        20     < . 2:2(0) ack 1
        30     > . $probe ack 2
        """,
        family,
        behaviour,
        probe=probe,
    )


@FAMILIES
@PROBES
@pytest.mark.rule("RFC9293-MUST-29", "RFC9293-3.8.4")
def test_only_after_several_probes_without_an_answer_the_connection_is_given_up(
    family: Family, behaviour: Behaviour, probe: str
) -> None:
    script(
        """
        0      established
        0      keepalive 10s 2s 3
        10     > . $probe ack 1
        12     > . $probe ack 1
        13     < . 1:1(0) ack 1           # one answer is enough
        23     > . $probe ack 1
        25     > . $probe ack 1
        27     > . $probe ack 1
        28.999 state ESTABLISHED
        29     > R 1:1(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
        behaviour,
        probe=probe,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.8.4")
def test_a_probe_of_the_peer_is_answered_with_or_without_a_byte(family: Family) -> None:
    script(
        """
        +0     established
        +0     < P. 1:6(5) ack 1 "hello"
        +.040  > . 1:1(0) ack 6
        +7200  < . 5:5(0) ack 1
        +0     > . 1:1(0) ack 6
        +7200  < . 5:6(1) ack 1 "?"
        +0     > . 1:1(0) ack 6
        +0     readable 5
        """,
        family,
    )


@FAMILIES
@PROBES
@pytest.mark.rule("RFC9293-3.8.4")
def test_a_peer_that_has_restarted_resets_when_it_is_probed(family: Family, behaviour: Behaviour, probe: str) -> None:
    script(
        """
        0      established
        0      keepalive 10s 2s 3
        10     > . $probe ack 1
        +.010  < R 1:1(0)
        +0     told FAILED
        +0     error RESET
        """,
        family,
        behaviour,
        probe=probe,
    )
