"""Finding the size that a silent path takes: RFC 4821 7."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import Received, ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.transport.tcp.scoreboard import Sent
from wsknet.transport.tcp.segment_size import SegmentSize
from wsknet.types import Duration, Family, Instant

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SACK = pytest.mark.parametrize("has_sack", [True, False], ids=["sack", "no sack"])
HEADERS = {Family.IPV4: 40, Family.IPV6: 60}
BASE = {Family.IPV4: 984, Family.IPV6: 1220}
PATIENT = replace(WINDOWS, tcp=replace(WINDOWS.tcp, data_retries=15))
ROUND_TRIP = ms(20)
START = Instant(sec(100))


class Hole:
    """A connection over a path that swallows what is longer than `takes` bytes, and a peer that always wants more."""

    def __init__(self, family: Family, takes: int, has_sack: bool) -> None:
        self.lab = TcpLab(family, PATIENT)
        self.endpoint = self.lab.connected(mss=1460, sack=has_sack)
        self.takes = takes
        self.has_sack = has_sack
        self.received = 1
        self.swallowed: list[Received] = []
        self.arrived: list[Received] = []
        self._islands: dict[int, int] = {}

    @property
    def room(self) -> int:
        """Data that fits into a packet."""
        return self.takes - HEADERS[self.lab.family]

    @property
    def mss(self) -> int:
        return max(len(segment.data) for segment in self.arrived[-100:])

    def run(self, duration: Duration, is_written: bool = True) -> None:
        end = self.lab.now + duration
        while self.lab.now < end:
            if is_written and self.endpoint.unacknowledged < 30_000:
                self.lab.send(self.endpoint, bytes(30_000))
            for segment in self.lab.peer.drain():
                self._carry(segment)
            self.lab.clock.advance(ROUND_TRIP)

    def rest(self, duration: Duration) -> None:
        """The application writes nothing."""
        self.run(sec(1), is_written=False)
        assert not self.endpoint.unacknowledged
        self.lab.clock.advance(duration - sec(1))

    def _carry(self, segment: Received) -> None:
        if len(segment.data) > self.room:
            self.swallowed.append(segment)
            return
        if not segment.data:
            return
        self.arrived.append(segment)
        end = segment.seq + len(segment.data)
        self._islands[segment.seq] = max(end, self._islands.get(segment.seq, 0))
        for left in sorted(self._islands):
            if left <= self.received:
                self.received = max(self.received, self._islands.pop(left))
        sack = ((segment.seq, end),) if self.has_sack and end > self.received else ()
        self.lab.peer.send(seq=1, ack=self.received, sack=sack)


@FAMILIES
@SACK
@pytest.mark.rule("RFC4821-7.3", "RFC4821-7.7")
def test_the_size_that_the_path_takes_is_found_to_within_32_bytes(family: Family, has_sack: bool) -> None:
    hole = Hole(family, 1400, has_sack)
    hole.run(sec(4))
    assert hole.room - 32 <= hole.mss <= hole.room


@FAMILIES
@SACK
@pytest.mark.rule("RFC4821-7.3", "RFC4821-7.8")
def test_a_search_that_has_ended_rests_for_ten_minutes(family: Family, has_sack: bool) -> None:
    hole = Hole(family, 1400, has_sack)
    hole.run(sec(4))
    swallowed = len(hole.swallowed)
    hole.rest(sec(590))
    hole.run(sec(1))
    assert len(hole.swallowed) == swallowed
    hole.takes = 1500
    hole.rest(sec(10))
    hole.run(sec(1))
    assert hole.mss == 1500 - HEADERS[family]
    assert len(hole.swallowed) == swallowed


@FAMILIES
@SACK
@pytest.mark.rule("RFC4821-7.6.2")
def test_a_lost_search_is_no_congestion(family: Family, has_sack: bool) -> None:
    hole = Hole(family, 1400, has_sack)
    hole.run(sec(4))
    hole.rest(sec(600))
    hole.run(ms(60))
    assert hole.endpoint.connection is not None
    congestion = hole.endpoint.connection.sender.congestion
    before, swallowed = congestion.window, len(hole.swallowed)
    hole.run(sec(2))
    assert len(hole.swallowed) > swallowed
    assert congestion.window >= before


@FAMILIES
@SACK
@pytest.mark.rule("RFC4821-7.6.3")
def test_an_application_that_sends_little_at_a_time_does_not_wait_for_the_search(
    family: Family, has_sack: bool
) -> None:
    """With nothing behind it only a timeout would tell of the loss of a longer segment."""
    hole = Hole(family, 1400, has_sack)
    hole.lab.send(hole.endpoint, bytes(5000))
    hole.run(sec(10), is_written=False)
    assert hole.received == 5001
    hole.swallowed.clear()
    for _ in range(20):
        hole.lab.send(hole.endpoint, bytes(1440))
        hole.run(sec(1), is_written=False)
    assert hole.received == 5001 + 20 * 1440
    assert not hole.swallowed


@FAMILIES
@pytest.mark.rule("RFC4821-7.6.1")
def test_a_search_that_is_acknowledged_in_pieces_counts_with_its_whole_length(family: Family) -> None:
    """Else a peer could make us send a header for each byte."""
    hole = Hole(family, 1500, True)
    hole.takes = BASE[family] + HEADERS[family]
    hole.run(sec(2.2))  # three timeouts
    hole.takes = 1500
    lab, connection = hole.lab, hole.endpoint.connection
    assert connection is not None
    assert connection.sender.mss == BASE[family]
    for _ in range(50):
        lab.send(hole.endpoint, bytes(15_000))
        for segment in lab.peer.drain():
            end = segment.seq + len(segment.data)
            if len(segment.data) > BASE[family]:
                lab.peer.send(seq=1, ack=end - 1)
            lab.peer.send(seq=1, ack=end)
        lab.clock.advance(ROUND_TRIP)
    assert connection.sender.mss >= 1500 - HEADERS[family] - 32


# The search by itself


def reduced(length: int = 1460, address_length: int = 4) -> SegmentSize:
    size = SegmentSize(address_length, 1460)
    size.timed_out(length, 2, START)
    return size


def test_two_timeouts_are_no_reason_and_a_third_one_is() -> None:
    size = SegmentSize(4, 1460)
    size.timed_out(1460, 0, START)
    size.timed_out(1460, 1, START)
    assert size.current == 1460
    size.timed_out(1460, 2, START)
    assert size.current == 984
    size.timed_out(984, 3, START)
    assert size.current == 512
    size.timed_out(512, 4, START)
    assert size.current == 512


def test_over_ipv6_there_is_nothing_below_the_least() -> None:
    size = reduced(1440, 16)
    assert size.current == 1220
    size.timed_out(1220, 3, START)
    assert size.current == 1220


def test_what_was_left_of_a_long_segment_does_not_lengthen_them_again() -> None:
    size = reduced()
    size.timed_out(984, 3, START)
    size.timed_out(1460, 4, START)
    assert size.current == 512


def test_a_short_segment_that_times_out_does_not_end_the_search_below_its_length() -> None:
    size = reduced(600)
    assert size.current == 512
    assert size.next_probe(START) > 900


@pytest.mark.rule("RFC4821-7.2", "RFC8201-4")
def test_what_a_router_says_meanwhile_bounds_the_search() -> None:
    size = reduced()
    length = size.next_probe(START)
    size.probe_sent(Sent(1, 1 + length, START), length)
    size.path_takes(1100)
    assert size.probe is None
    assert 984 < size.next_probe(START) <= 1100
    size.path_takes(900)
    assert size.current == 900
    assert size.next_probe(START) == 0


@pytest.mark.rule("RFC4821-7.6.3")
def test_a_probe_that_times_out_is_not_sent_again() -> None:
    size = reduced()
    length = size.next_probe(START)
    size.probe_sent(Sent(1, 1 + length, START), length)
    assert size.next_probe(START) == 0
    size.timed_out(length, 0, START)
    assert size.current == 984
    assert size.next_probe(START) < length


@pytest.mark.rule("RFC4821-7.6.4")
def test_a_probe_that_was_lost_with_others_is_sent_again() -> None:
    size = reduced()
    length = size.next_probe(START)
    size.probe_sent(Sent(1, 1 + length, START), length)
    size.probe_was_lost(False, START)
    assert size.next_probe(START) == length


def test_options_belong_to_the_size() -> None:
    size = SegmentSize(4, 1460)
    size.overhead = 12
    size.timed_out(1448, 2, START)
    assert size.current == 972
    length = size.next_probe(START)
    size.probe_sent(Sent(1, 2 + length, START), length)  # with FIN
    size.probe_arrived(START)
    assert size.current == length
