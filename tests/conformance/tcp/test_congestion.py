"""The congestion window as a peer sees it: RFC 5681 and RFC 9438 behind one switch.

`tests/unit/tcp/congestion` holds the curves to the formulas; here each rule shows once on the wire.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_peer import ms
from tests.support.tcp_script import Script, script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
RENO = with_tcp(WINDOWS, congestion=CongestionAlgorithm.NEW_RENO, rack=False)
CUBIC = with_tcp(WINDOWS, rack=False)

ONE_LOSS = """
    +0     connect
    +0     > S 0:0(0) <...>
    +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
    +0     > . 1:1(0) ack 1
    +0     write 1000000
    +0     > . 1:10001(10000) ack 1 by 1000
    +.1    < . 1:1(0) ack 1 <nop,nop,sack 1001:4001>
    +0     > . 1:1001(1000) ack 1                               # seven are in flight
"""


@FAMILIES
@pytest.mark.rule("RFC5681-3.2", "RFC6675-5")
def test_new_reno_leaves_half_of_the_window(family: Family) -> None:
    script(
        ONE_LOSS
        + """
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>        # six
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:6001>        # five
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:7001>
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 11001:14001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     > . 14001:15001(1000) ack 1
        """,
        family,
        RENO,
    )


@FAMILIES
@pytest.mark.parametrize(
    "behaviour", [CUBIC, with_tcp(LINUX, rack=False, timestamps=WINDOWS.tcp.timestamps)], ids=["windows", "linux"]
)
@pytest.mark.rule("RFC9438-4.6", "RFC6675-5")
def test_cubic_is_the_default_and_leaves_seven_tenths(family: Family, behaviour: Behaviour) -> None:
    script(
        ONE_LOSS
        + """
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:5001>
        +0     > . 10001:11001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:6001>
        +0     > . 11001:12001(1000) ack 1
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 12001:16001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     > . 16001:17001(1000) ack 1
        """,
        family,
        behaviour,
    )


def rounds(conversation: Script, count: int) -> list[int]:
    """Segments in flight in each of so many round trips of 100 ms, in which every segment is acknowledged by itself."""
    lab, found = conversation.lab, []
    una = 10001
    flight = [una + 1000 * number for number in range(1, conversation_flight(conversation, una) + 1)]
    for _ in range(count):
        found.append(len(flight))
        lab.clock.advance(ms(100))
        for end in flight:
            lab.peer.send(seq=1, ack=end)
        flight = [segment.seq + len(segment.data) for segment in lab.peer.drain()]
    return found


def conversation_flight(conversation: Script, una: int) -> int:
    assert conversation.latest is not None
    return (conversation.latest.seq + len(conversation.latest.data) - una) // 1000


@FAMILIES
@pytest.mark.rule("RFC5681-3.1")
def test_new_reno_then_adds_a_segment_per_round_trip(family: Family) -> None:
    conversation = script(
        ONE_LOSS
        + """
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 10001:14001(4000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     > . 14001:15001(1000) ack 1
        """,
        family,
        RENO,
    )

    assert rounds(conversation, 8) == [5, 6, 7, 8, 9, 10, 11, 12]


@FAMILIES
@pytest.mark.rule("RFC9438-4.3", "RFC9438-4.4")
def test_cubic_then_adds_half_a_segment_until_it_is_where_it_was(family: Family) -> None:
    """The time is too short for the curve: until W_max the window is that of a Reno flow that falls to 0.7, W_est."""
    conversation = script(
        ONE_LOSS
        + """
        +0     < . 1:1(0) ack 1 <nop,nop,sack 1001:10001>
        +0     > . 10001:16001(6000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     > . 16001:17001(1000) ack 1
        """,
        family,
        CUBIC,
    )

    estimate, expected = 7.0, []
    for _ in range(8):
        expected.append(int(estimate))
        for _ in range(int(estimate)):
            estimate += (3 * (1 - 0.7) / (1 + 0.7) if estimate < 10 else 1) / estimate
    assert rounds(conversation, 8) == expected == [7, 7, 7, 8, 8, 9, 9, 10]


@FAMILIES
@pytest.mark.rule("RFC5681-3.1")
def test_slow_start_doubles_with_each_round_trip(family: Family) -> None:
    conversation = script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 1000000
        +0     > . 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 10001
        +0     > . 10001:21001(11000) ack 1 by 1000             # Reno: one more for each acknowledgement
        """,
        family,
        RENO,
    )

    assert rounds(conversation, 3) == [11, 22, 44]


@FAMILIES
@pytest.mark.parametrize(("behaviour", "left"), [(RENO, 5), (CUBIC, 7)], ids=["newreno", "cubic"])
@pytest.mark.rule("RFC5681-3.1", "RFC9438-4.8")
def test_after_a_timeout_slow_start_ends_where_a_loss_would_have_led(
    family: Family, behaviour: Behaviour, left: int
) -> None:
    conversation = script(
        """
        0      connect
        0      > S 0:0(0) <...>
        .1     < S. 0:0(0) ack 1 <mss 1000>
        .1     > . 1:1(0) ack 1
        .1     write 1000000
        .1     > . 1:10001(10000) ack 1 by 1000
        .4     > . 1:1001(1000) ack 1
        .5     < . 1:1(0) ack 10001
        .5     > . 10001:12001(2000) ack 1 by 1000
        """,
        family,
        behaviour,
    )

    assert rounds(conversation, 4) == [2, 4, left, left + 1 if behaviour is RENO else left]


@FAMILIES
@pytest.mark.parametrize(
    ("report", "flight"), [("", 2), (" <nop,nop,sack 9001:10001>", 18)], ids=["repaired", "needless"]
)
@pytest.mark.rule("RFC8985-7.4.2")
def test_a_loss_that_a_tail_probe_has_repaired_is_a_loss(family: Family, report: str, flight: int) -> None:
    """Only what is sent behind the probe tells which it was.  18: the ten of before, and eight for the first
    acknowledgement (RFC 9406 4.2); for the others the window was not in use."""
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
        +0     > . 1:1(0) ack 1
        +0     write 10000
        +0     > P. 1:10001(10000) ack 1 by 1000
        +.1    < . 1:1(0) ack 8001
        +.2    > P. 9001:10001(1000) ack 1
        +.1    < . 1:1(0) ack 10001$report
        +0     write 1000
        +0     > P. 10001:11001(1000) ack 1
        +.1    < . 1:1(0) ack 11001
        +0     write 50000
        +0     > . 11001:$to ack 1 by 1000
        """,
        family,
        WINDOWS,
        report=report,
        to=11001 + 1000 * flight,
    )
