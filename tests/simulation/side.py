"""One end of a conversation: an application that writes, reads, waits and leaves as planned, and notes what it saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.flow import NO_FLOW
from tests.simulation.plan import Ending
from tests.simulation.words import NAMES, time_text
from wsknet.errors import ErrorKind, NetError
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.lab import Machine
    from tests.simulation.plan import EndPlan
    from wsknet.transport.tcp.endpoint import TcpEndpoint

_ENDS_WITH_RESET = frozenset(
    {State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT}
)
"""RFC 9293 3.10.5: an abort in these is told to the peer."""
_RECEIVES = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})


class Side:
    """An `Owner`.  `outgoing` is its stream, `expected` the other one's."""

    def __init__(self, machine: Machine, plan: EndPlan, outgoing: bytes, expected: bytes) -> None:
        self.machine = machine
        self.plan = plan
        self.outgoing = outgoing
        self.expected = expected
        self.peer: Side = self
        self.endpoint: TcpEndpoint | None = None
        self.written = 0
        self.taken = 0
        """Bytes read."""
        self.is_connected = False
        self.is_finished = False
        """It has said that it sends no more."""
        self.is_fin_acknowledged = False
        self.has_seen_end = False
        self.error: ErrorKind | None = None
        self.failed_while_connecting = False
        self.has_aborted = False
        self.has_left_early = False
        """Closed when its FIN was not acknowledged yet: it never learns how that ended."""
        self.has_crashed = False
        self.was_given_up = False
        """The harness ended it: it would wait for ever, rightly."""
        self.began_at: Instant | None = None
        self.ended_at: Instant | None = None
        self.flow = NO_FLOW
        """What it sends, on the wire."""
        self.reset_due_at: Instant | None = None
        """When it aborted a connection that the peer has, too."""
        self.is_waiting = False
        """The peer has not acknowledged all yet,"""
        self.stalled_since: Instant | None = None
        """and nothing new of it since then."""
        self.heard_at: Instant | None = None
        """When something of the connection arrived last that changed anything."""
        self.was_shut_out = False
        """The latest that the peer said was that its window is closed."""
        self.untold_at: list[Instant] = []
        """When it had made room in a closed window, and said nothing."""
        self.urgent_ends = [0]
        """Offsets in its stream at which what it called urgent ends."""
        self.urgent_told = 0
        """The latest of the other stream that it was told of."""
        self.faults: list[str] = []
        """What TCP must never do."""
        self._host = machine.host
        self._acknowledged = 0
        self._known: tuple[int, int, State] | None = None
        self._wakes_at: Instant | None = None
        self._cancel_wake: Callable[[], None] | None = None
        self._write_at = Instant(0)
        self._read_at = Instant(0)
        self._turn = 0
        self._has_paused = False

    def __str__(self) -> str:
        return NAMES[self.machine.side]

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None

    def tell(self) -> str:
        told = [f"{self}: wrote {self.written} of {self.plan.size}, read {self.taken}"]
        names = ("is_connected", "is_finished", "is_fin_acknowledged", "has_seen_end", "has_aborted",
                 "has_left_early", "has_crashed", "was_given_up")  # fmt: skip
        told += [name.partition("_")[2].replace("_", " ") for name in names if getattr(self, name)]
        if self.error is not None:
            told.append(f"error: {self.error.value}")
        if self.endpoint is not None:
            told.append(f"{self.endpoint.state.value}, {self.endpoint.readable} readable, "
                        f"{self.endpoint.unacknowledged} unacknowledged")  # fmt: skip
        told.append("not ended" if self.ended_at is None else f"ended at {time_text(self.ended_at)}")
        return ", ".join(told)

    def begin(self, endpoint: TcpEndpoint, now: Instant, *, is_connected: bool) -> None:
        self.endpoint = endpoint
        self._host = self.machine.host
        endpoint.owner = self
        endpoint.no_delay = self.plan.no_delay
        endpoint.user_timeout = self.plan.user_timeout
        if self.plan.keep_alive is not None:
            endpoint.keep_alive_settings = self.plan.keep_alive
            endpoint.keep_alive = True
        self._hurry(endpoint)
        self.is_connected = is_connected
        self.began_at = self.heard_at = now
        self._known = self._knowledge(endpoint)
        if is_connected:
            endpoint.receive_buffer = self.plan.buffer
            self.act(now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        if self.has_ended or self.endpoint is None:
            return
        self._check_promises(readiness)
        if readiness & Ready.URGENT:
            self._hurry(self.endpoint)
        if readiness & Ready.CONNECTED:
            self.is_connected = True
            self.stalled_since = now
        if readiness & Ready.FINISHED:
            self.is_fin_acknowledged = True
            self._look(now)
        if readiness & Ready.FAILED:
            self._failed(now)
        else:
            self.act(now)

    def _hurry(self, endpoint: TcpEndpoint) -> None:
        told = endpoint.urgent_to
        if told is None:
            return
        is_as_far_as_it_reaches = 0xFFFF <= told < self.peer.urgent_ends[-1]  # the pointer has 16 bits
        if told not in self.peer.urgent_ends and not is_as_far_as_it_reaches:
            self.faults.append(f"{self} was told that the stream is urgent up to {told}: {self.peer} did not say so")
        self.urgent_told = told

    def heard(self, now: Instant) -> None:
        """Something of the connection has arrived, as far as anybody can tell by its ports."""
        if self.endpoint is not None and not self.has_ended:
            known = self._knowledge(self.endpoint)
            if known != self._known:  # else it may have been corrupted, or of no use
                self._known, self.heard_at = known, now
            self._look(now)

    def _knowledge(self, endpoint: TcpEndpoint) -> tuple[int, int, State]:
        return endpoint.acknowledged, self.taken + endpoint.readable, endpoint.state

    def _look(self, now: Instant, *, is_more: bool = False) -> None:
        """How far the peer has acknowledged; with `is_more` there is something new to acknowledge."""
        endpoint = self.endpoint
        if endpoint is None or endpoint.error is not None:
            return
        acknowledged = endpoint.acknowledged
        if acknowledged != self._acknowledged or (is_more and not self.is_waiting):
            self._acknowledged, self.stalled_since = acknowledged, now
        self.is_waiting = self.written > acknowledged or (self.is_finished and not self.is_fin_acknowledged)

    def _check_promises(self, readiness: int) -> None:
        """What is acknowledged has arrived: the peer's application can read it, now or later."""
        peer, mine = self.peer, self.endpoint
        theirs = peer.endpoint
        if mine is None or theirs is None or peer.has_crashed or peer.has_ended:
            return
        if mine.acknowledged > peer.taken + theirs.readable:
            self.faults.append(
                f"{mine.acknowledged} bytes of {self} are acknowledged, but {peer} has {peer.taken + theirs.readable}"
            )
        if readiness & Ready.FINISHED and not theirs.peer_finished:
            self.faults.append(f"the FIN of {self} is acknowledged, but {peer} has not had it")

    def first_piece(self) -> bytes:
        return self.outgoing[: self.plan.writes[0]]

    def start(self, endpoint: TcpEndpoint, now: Instant, sent: int) -> None:
        """The connection is being opened, with the first `sent` bytes; an eager application does not wait for it."""
        self.begin(endpoint, now, is_connected=False)
        self.written = sent
        self._turn = int(sent > 0)
        if self.plan.is_eager and self.plan.ending is not Ending.ABORT and not self.has_ended:
            self._write(now)

    def act(self, now: Instant) -> None:
        """Do whatever is due, and ask to be woken for what is not."""
        assert self.endpoint is not None
        if self.has_ended or not self.is_connected:
            return
        if self.plan.ending is Ending.ABORT and self.written + self.taken >= self.plan.abort_after:
            self.abort(now)
            return
        self._write(now)
        self._read(now)
        if self.endpoint.peer_finished and not self.endpoint.readable:
            self.has_seen_end = True
        self._end(now)

    def _write(self, now: Instant) -> None:
        endpoint, plan = self.endpoint, self.plan
        assert endpoint is not None
        while self.written < plan.size and endpoint.unacknowledged < plan.lent:
            if now < self._write_at:
                self._wake_at(self._write_at)
                return
            size = plan.writes[self._turn % len(plan.writes)]
            self._turn += 1
            piece = self.outgoing[self.written : self.written + size]
            self.written += len(piece)
            is_urgent = plan.urgent_every > 0 and self._turn % plan.urgent_every == 0
            if is_urgent:
                self.urgent_ends.append(self.written)
            endpoint.send(piece, now, is_urgent=is_urgent)
            self._look(now, is_more=True)
            if plan.write_gap:
                self._write_at = Instant(now + plan.write_gap)

    def _read(self, now: Instant) -> None:
        endpoint, before = self.endpoint, self.taken
        assert endpoint is not None
        self._take_all(endpoint, now)
        if self.taken > before and self._hides_room(endpoint):
            self._host.driver.call_at(now, lambda: self._check_window(endpoint, now))  # when the answer has left

    def _hides_room(self, endpoint: TcpEndpoint) -> bool:
        """The peer thinks that there is no room, and there is enough to tell of (RFC 9293 3.8.6.2.2)."""
        if endpoint.state not in _RECEIVES:
            return False
        mine = self.machine.log.flow(self.flow)
        left = mine.window_left(self.machine.log.flow(self.peer.flow), self.taken + endpoint.readable)
        unit = 1 << (mine.scale or 0)
        room = max(endpoint.receive_buffer, unit)
        return left == 0 and room - endpoint.readable >= max(unit, room // 2)

    def _check_window(self, endpoint: TcpEndpoint, then: Instant) -> None:
        if not self.has_ended and self._hides_room(endpoint):
            self.untold_at.append(then)

    def _take_all(self, endpoint: TcpEndpoint, now: Instant) -> None:
        plan = self.plan
        while endpoint.readable:
            if plan.pause_at is not None and self.taken >= plan.pause_at and not self._has_paused:
                self._has_paused = True
                self._read_at = Instant(now + plan.pause)
            if now < self._read_at:
                self._wake_at(self._read_at)
                return
            self._turn += 1
            self._take(endpoint.receive(plan.reads[self._turn % len(plan.reads)], now))
            if plan.read_gap:
                self._read_at = Instant(now + plan.read_gap)

    def _take(self, data: bytes) -> None:
        if data != self.expected[self.taken : self.taken + len(data)]:
            wrong = next(
                (index for index, (one, other) in enumerate(zip(data, self.expected[self.taken :], strict=False))
                 if one != other), len(self.expected) - self.taken)  # fmt: skip
            self.faults.append(f"{self} read a wrong byte at offset {self.taken + wrong}")
        self.taken += len(data)

    def _end(self, now: Instant) -> None:
        endpoint, plan = self.endpoint, self.plan
        assert endpoint is not None
        if plan.ending is Ending.ABORT and self.has_seen_end and self.written >= plan.size:
            self.abort(now)
            return
        is_due = self.written >= plan.size and (plan.ending is not Ending.AFTER_PEER or self.has_seen_end)
        if is_due and not self.is_finished and plan.ending is not Ending.ABORT:
            self.is_finished = True
            endpoint.finish(now)
            self._look(now, is_more=True)
        if self.has_seen_end and (
            self.is_fin_acknowledged
            or (self.is_finished and plan.ending is Ending.EARLY_LEAVE and not endpoint.unacknowledged)
        ):
            self.has_left_early = not self.is_fin_acknowledged
            self._leave(now)

    def _failed(self, now: Instant) -> None:
        """What had arrived before stays readable (`TcpEndpoint.readable`)."""
        assert self.endpoint is not None
        self.error = self.endpoint.error
        self.failed_while_connecting = not self.is_connected
        theirs = self.machine.log.flow(self.peer.flow)
        self.was_shut_out = theirs.window_left(self.machine.log.flow(self.flow), self._acknowledged) == 0
        self._take(self.endpoint.receive(1 << 30, now))
        if self.endpoint.peer_finished:
            self.has_seen_end = True
        self._leave(now)

    def abort(self, now: Instant) -> None:
        assert self.endpoint is not None
        self.has_aborted = True
        if self.endpoint.state in _ENDS_WITH_RESET:
            self.reset_due_at = now
        self.endpoint.abort(now)
        self._leave(now)

    def crash(self, now: Instant) -> None:
        if not self.has_ended and self.endpoint is not None:
            self.has_crashed = True
            self.ended_at = now

    def refuse(self, error: NetError, now: Instant) -> None:
        """Not even an attempt to connect could be made."""
        self.error = error.kind
        self.failed_while_connecting = True
        self.ended_at = now

    def _leave(self, now: Instant) -> None:
        assert self.endpoint is not None
        self.endpoint.close(now)
        self.ended_at = now

    def _wake_at(self, at: Instant) -> None:
        if self._wakes_at is None or at < self._wakes_at:
            if self._cancel_wake is not None:
                self._cancel_wake()
            self._wakes_at = at
            self._cancel_wake = self._host.driver.call_at(at, self._wake)

    def _wake(self) -> None:
        if self.has_ended:
            return
        with self._host.pump as now:
            self._wakes_at = self._cancel_wake = None
            if self.endpoint is not None and self.endpoint.error is None:  # else FAILED is on its way
                self.act(now)
