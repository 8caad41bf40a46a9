"""The short way of `Connection.arrive` does what the long way does, only faster."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import Received, ms
from tests.support.tcp_script_calls import pattern
from wsknet.behaviour import LINUX
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
OPTIONS = pytest.mark.parametrize("has_timestamps", [False, True], ids=["plain", "timestamps"])


class Unpredicted(Connection):
    """Every segment goes the long way."""

    __slots__ = ()

    def update_prediction(self) -> None:
        self.is_predicted = False


class In(NamedTuple):
    """A segment of the peer."""

    shift: int = 0
    """Where it starts, counted from the end of all that the peer has sent."""
    length: int = 0
    back: int = 0
    """How much of what it could acknowledge it does not."""
    flags: str = "A"
    window: int = 65535
    ticks: int = 1
    """By how much its timestamp is newer than the one before."""
    sack: tuple[tuple[int, int], ...] = ()
    """Blocks, counted from its acknowledgement."""


class Call(NamedTuple):
    name: str
    number: int = 0


class Outcome(NamedTuple):
    """All that can be seen of a stack from outside after a step."""

    sent: list[Received]
    told: int
    readable: bytes
    is_pushed: bool
    drops: dict[DropReason, int]
    state: str
    acknowledged: int


class Run:
    """One stack and the peer that talks to it."""

    def __init__(self, family: Family, has_timestamps: bool, is_short_way_open: bool) -> None:
        lab = self.lab = TcpLab(family, LINUX)
        self.has_timestamps = has_timestamps
        self.clock = 1000
        self.sent = self.heard = 1
        self.read = self.echo = 0
        self.endpoint: TcpEndpoint = lab.bound()
        self.endpoint.receive_buffer = 3500
        self.endpoint.connect(lab.peer.endpoint, lab.now)
        lab.peer.next()
        lab.peer.send("SA", 0, 1, mss=1000, scale=2, sack_permitted=True, timestamps=self._stamps())
        lab.peer.next()
        connection = self.endpoint.connection
        assert connection is not None
        if not is_short_way_open:
            connection.__class__ = Unpredicted
            connection.update_prediction()

    def _stamps(self) -> tuple[int, int] | None:
        return (self.clock, self.echo) if self.has_timestamps else None

    def take(self, step: In | Call) -> Outcome:
        lab, endpoint = self.lab, self.endpoint
        if isinstance(step, In):
            self._send(step)
        elif step.name == "wait":
            lab.clock.advance(ms(step.number))
        elif step.name == "write" and lab.state(endpoint) is State.ESTABLISHED and not endpoint.unacknowledged:
            lab.send(endpoint, pattern(0, step.number))
        elif step.name == "read":
            self.read = len(endpoint.receive(step.number, lab.now))
        elif step.name == "limit":
            endpoint.receive_buffer = step.number
        sent = lab.peer.drain()
        for segment in sent:
            self.heard = max(self.heard, segment.seq + len(segment.data))
            self.echo = segment.options.timestamps[0] if segment.options.timestamps else 0
        drops = dict(lab.stack.trace.drops)
        told, readable, state = lab.told(endpoint), endpoint.peek(1 << 20), endpoint.state.name
        return Outcome(sent, told, readable, endpoint.pushed, drops, state, endpoint.acknowledged)

    def _send(self, step: In) -> None:
        start = max(self.sent + step.shift, 1)
        self.sent = max(self.sent, start + step.length)
        ack = max(self.heard - step.back, 1)
        sack = tuple((ack + left, ack + left + length) for left, length in step.sack)
        self.clock += step.ticks
        self.lab.peer.send(
            step.flags,
            start,
            ack,
            pattern(start - 1, step.length),
            step.window,
            timestamps=self._stamps(),
            sack=sack,
        )
        if "F" in step.flags:
            self.sent = max(self.sent, start + step.length + 1)


REGULAR: dict[str, st.SearchStrategy[Any]] = {
    "shift": st.just(0),
    "length": st.sampled_from([0, 1, 100, 1000]),
    "back": st.sampled_from([0, 0, 0, 1000, 2000]),
    "flags": st.sampled_from(["A", "A", "PA"]),
    "window": st.sampled_from([65535, 65535, 20000, 0]),
    "ticks": st.just(1),
    "sack": st.just(()),
}
ODD: dict[str, list[object]] = {
    "shift": [-1, -100, -1000, -2000, 1, 100, 1000, 100_000],
    "back": [1, 3000, -1, -100_000],
    "flags": ["UA", "EA", "CA", "FA", "R", "S", "SA", ""],
    "window": [1, 300],
    "ticks": [0, 50, -1, -100],
    "sack": [((1000, 1000),), ((-500, 100),)],
}
SEGMENTS = st.one_of(
    st.builds(In, **REGULAR),
    *(st.builds(In, **{**REGULAR, name: st.sampled_from(values)}) for name, values in ODD.items()),
    st.builds(In, **{**REGULAR, **{name: st.sampled_from(values) for name, values in ODD.items()}}),
)
CALLS = st.one_of(
    st.builds(Call, st.just("wait"), st.sampled_from([1, 39, 41, 400, 3000])),
    st.builds(Call, st.just("write"), st.sampled_from([1, 700, 5000, 20000])),
    st.builds(Call, st.just("read"), st.sampled_from([1, 999, 100_000])),
    st.builds(Call, st.just("limit"), st.sampled_from([1, 1500, 65535])),
)
CONVERSATIONS = st.lists(st.one_of(SEGMENTS, SEGMENTS, CALLS), max_size=25)


@FAMILIES
@OPTIONS
@settings(max_examples=60)
@given(steps=CONVERSATIONS)
# Data that an older acknowledgement comes with does not set the window, so that alone does not close the short way.
@example(steps=[Call("write", 2000), In(), In(shift=100, length=100, back=1000), In(shift=-200, length=100), In()])
@example(steps=[Call("write", 2000), In(), In(shift=100, flags="FA", back=1000), In(shift=-101, length=1000), In()])
@example(steps=[In(shift=100, window=5000), In(shift=-100, length=100, window=1000), Call("write", 20000)])
@example(steps=[In(back=-1), In(length=100)])
@example(steps=[In(length=1), In(length=100, ticks=-100)])
@example(steps=[Call("write", 700), Call("wait", 400), In(), Call("write", 700), Call("wait", 3000)])
@example(steps=[In(length=1000), In(length=1000), In(length=1000), In(length=1000), In(length=1)])
def test_both_ways_end_at_the_same(family: Family, has_timestamps: bool, steps: list[In | Call]) -> None:
    short, long = Run(family, has_timestamps, True), Run(family, has_timestamps, False)
    for number, step in enumerate(steps):
        assert short.take(step) == long.take(step), f"step {number}: {step}"


@FAMILIES
@settings(max_examples=60)
@given(steps=CONVERSATIONS)
def test_whatever_comes_the_stream_is_whole_and_ends_once(family: Family, steps: list[In | Call]) -> None:
    run = Run(family, False, True)
    read = ends = 0
    for step in steps:
        outcome = run.take(step)
        if isinstance(step, Call) and step.name == "read":
            read += run.read
        assert outcome.readable == pattern(read, len(outcome.readable))
        assert not (ends and outcome.told & Ready.READABLE), "data after the end"
        ends += bool(outcome.told & Ready.PEER_FINISHED)
        assert ends == run.endpoint.peer_finished
