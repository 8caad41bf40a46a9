"""The scoreboard under any conversation: its sums are those of its records, and these lie between SND.UNA and SND.NXT
without a gap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import ms
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.transport.tcp.send import Sender
from wsknet.types import Family
from wsknet.wire.tcp_options import Options, build

MSS = 100
PLACES = st.integers(0, 12)
"""Borders of our segments in flight, by number; 12 and the like lie beyond all of them, most of the time."""
SHIFTS = st.sampled_from((0,) * 12 + (1, -1, 50, 1 << 31))
"""Most peers keep to our borders, some do not."""
BLOCKS = st.lists(
    st.builds(lambda left, count, shift: (left, max(left + count, 0), shift), PLACES, st.integers(-1, 5), SHIFTS),
    min_size=1,
    max_size=4,
)
HAS_SACK = st.sampled_from((True, True, True, False))
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 3000)),
    st.tuples(st.just("acknowledge"), PLACES, SHIFTS, st.just([]) | BLOCKS),
    st.tuples(st.just("report"), BLOCKS),
    st.tuples(st.just("report"), BLOCKS),
    st.tuples(st.just("repeat acknowledgement"), st.integers(1, 5)),
    st.tuples(st.just("window"), st.sampled_from((0, 1, 99, 500, 5000))),
    st.tuples(st.just("wait"), st.sampled_from((1, 30, 250, 400, 2000))),
    st.tuples(st.just("data"), st.integers(1, 3)),
    st.tuples(st.just("path"), st.sampled_from((576, 700, 1300))),
    st.tuples(st.just("finish")),
)


def policies() -> st.SearchStrategy[Behaviour]:
    return st.builds(
        lambda rack, algorithm: replace(
            WINDOWS, tcp=replace(WINDOWS.tcp, rack=rack, congestion=algorithm, data_retries=50)
        ),
        st.booleans(),
        st.sampled_from(CongestionAlgorithm),
    )


def check(sender: Sender) -> None:
    board, at = sender.board, sender.una
    for record in board.records:
        assert at == record.start < record.end, "records are not empty and follow one another"
        assert not (record.is_lost and record.is_sacked)
        at = record.end
    assert at == sender.nxt <= sender.sent
    sacked = sum(record.end - record.start for record in board.records if record.is_sacked)
    lost = sum(record.end - record.start for record in board.records if record.is_lost)
    assert (board.sacked, board.lost) == (sacked, lost)
    assert board.gone == sacked + lost + board.guessed
    assert board.guessed >= 0
    assert sender.pipe >= 0 or board.guessed
    if board.is_clean:
        assert not board.gone
        assert not any(record.is_repeated for record in board.records)
    latest = max((record.at for record in board.records), default=0)
    for at in (latest, latest - 1):
        assert set(board.sent_before(at, sender.nxt)) == {
            record
            for record in board.records
            if not record.is_lost and not record.is_sacked and (record.at, record.end) < (at, sender.nxt)
        }
    assert board.reports == sum(record.is_sacked for record in board.records)
    if lost:
        first = board.records[board.first_lost()]
        assert first.is_lost
        assert not any(record.is_lost for record in board.records if record.start < first.start)
    if sender.nxt > sender.una:
        assert sender.timers.retransmit.is_armed or sender.timers.persist.is_armed


class Conversation:
    def __init__(self, family: Family, behaviour: Behaviour, has_sack: bool) -> None:
        self.lab = TcpLab(family, behaviour)
        self.endpoint = self.lab.connected(mss=MSS, sack=has_sack)
        self.window = 65535
        self.received = 1

    @property
    def sender(self) -> Sender:
        assert self.endpoint.connection is not None
        return self.endpoint.connection.sender

    def place(self, number: int, shift: int) -> int:
        """The border of a segment, in the numbers of the peer."""
        sender = self.sender
        borders = [sender.una, *(record.end for record in sender.board.records)]
        position = borders[number] if number < len(borders) else borders[-1] + number
        return position - sender.iss + shift

    def acknowledge(self, ack: int, blocks: list[tuple[int, int, int]], data: bytes = b"") -> None:
        mask = 0xFFFFFFFF
        places = tuple(
            ((self.sender.iss + self.place(left, shift)) & mask, (self.sender.iss + self.place(right, 0)) & mask)
            for left, right, shift in blocks
        )
        options = build(Options(sack_blocks=places)) if places else b""
        self.lab.peer.send(seq=self.received, ack=ack, window=self.window, options=options, data=data)
        self.received += len(data)

    def take(self, step: tuple[object, ...]) -> None:
        lab, sender = self.lab, self.sender
        una = sender.una - sender.iss
        match step:
            case ("write", int(count)) if sender.fin_at is None:
                lab.send(self.endpoint, bytes(count))
            case ("finish",) if sender.fin_at is None:
                lab.finish(self.endpoint)
            case ("acknowledge", int(number), int(shift), list(blocks)):
                self.acknowledge(max(self.place(number, shift), 0), blocks)
            case ("report", list(blocks)):
                self.acknowledge(una, blocks)
            case ("repeat acknowledgement", int(count)):
                for _ in range(count):
                    self.acknowledge(una, [])
            case ("window", int(window)):
                self.window = window
                self.acknowledge(una, [])
            case ("data", int(count)):
                self.acknowledge(una, [], bytes(count))
            case ("wait", int(time)):
                lab.clock.advance(ms(time))
            case ("path", int(mtu)) if lab.peer.segments:
                lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, lab.peer.segments[-1], mtu)
        lab.peer.drain() if step[0] == "wait" else lab.settle()


@given(
    st.sampled_from(list(Family)), policies(), HAS_SACK, st.lists(STEPS, min_size=8, max_size=40), st.integers(5, 30)
)
@settings(max_examples=150, deadline=None)
@pytest.mark.rule("RFC6675-2", "RFC6675-4")
def test_the_sums_of_the_scoreboard_are_those_of_its_records(
    family: Family, behaviour: Behaviour, has_sack: bool, steps: list[tuple[object, ...]], first: int
) -> None:
    conversation = Conversation(family, behaviour, has_sack)
    conversation.take(("write", MSS * first + 1))
    for step in steps:
        if not conversation.endpoint.connection or conversation.endpoint.error is not None:
            return
        conversation.take(step)
        if conversation.endpoint.state.name not in ("CLOSED", "TIME_WAIT"):
            check(conversation.sender)
