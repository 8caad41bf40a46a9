"""Calls that may have to wait: tried at once, and if they cannot go on yet, kept in a queue of the socket.

Blocking, overlapped and nonblocking calls try the same thing and differ in what becomes of one that has to wait: its
thread sleeps, its overlapped structure tells later, or it fails with WSAEWOULDBLOCK (Winsock, Overlapped I/O).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from wsknet.errors import NetError
from wsknet.san.calls import WinsockError, code_of
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    FD_CLOSE,
    FD_WRITE,
    WSA_IO_PENDING,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSS_OPERATION_IN_PROGRESS,
)
from wsknet.types import MILLISECOND, Instant

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.base.sockets import Socket
    from wsknet.san.structures import WSAOVERLAPPED

Routine: TypeAlias = Callable[..., None]
"""lpCompletionRoutine(dwError, cbTransferred, lpOverlapped, dwFlags)."""


class Outcome(NamedTuple):
    transferred: int = 0
    flags: int = 0
    error: int = 0


Attempt: TypeAlias = Callable[[Instant], Outcome | None]
"""Called with the driver lock held, until it has an outcome.  May raise `WinsockError` or `NetError`."""


class Operation:
    """`outcome` is `None` as long as it is under way."""

    __slots__ = ("_host", "_overlapped", "_routine", "attempt", "outcome")

    def __init__(
        self, host: Host, attempt: Attempt, overlapped: WSAOVERLAPPED | None = None, routine: Routine | None = None
    ) -> None:
        self._host = host
        self.attempt = attempt
        self._overlapped = overlapped
        self._routine = routine
        self.outcome: Outcome | None = None

    @property
    def is_overlapped(self) -> bool:
        return self._overlapped is not None

    def wait(self) -> None:
        """It is in a queue now: the overlapped structure says so, and its event is reset."""
        if self._overlapped is not None:
            self._overlapped.Internal = WSS_OPERATION_IN_PROGRESS
            if isinstance(self._overlapped.hEvent, WSAEVENT):
                self._overlapped.hEvent.ResetEvent()

    def run(self, now: Instant) -> bool:
        """Try again; whether it is over."""
        try:
            outcome = self.attempt(now)
        except (WinsockError, NetError) as error:
            outcome = Outcome(error=code_of(error))
        if outcome is not None:
            self.finish(outcome)
        return outcome is not None

    def finish(self, outcome: Outcome) -> None:
        """Tell whoever waits: the routine if there is one, else the event (WSPRecv, lpCompletionRoutine)."""
        self.outcome = outcome
        overlapped = self._overlapped
        if overlapped is not None:
            overlapped.InternalHigh = outcome.transferred
            overlapped.Offset = outcome.flags
            overlapped.Internal = outcome.error
            if self._routine is not None:
                completions = self._host.pump.completions
                completions.post(self._routine, outcome.error, outcome.transferred, overlapped, outcome.flags)
            elif isinstance(overlapped.hEvent, WSAEVENT):
                overlapped.hEvent.SetEvent()
        self._host.driver.wakeup()


class Way(NamedTuple):
    """How a call is to be made."""

    what: str
    """Its name, for whoever asks what a thread waits for."""
    overlapped: WSAOVERLAPPED | None = None
    routine: Routine | None = None
    timeout: int = 0
    """Milliseconds that a blocking call may take; 0: any time."""
    enables: int = 0
    """The FD_* that the call makes possible again, even if it fails."""


def perform(socket: Socket, kind: int, attempt: Attempt, way: Way) -> Outcome:
    """Make a call that waits, if it has to, with others of its `kind`, one of FD_*.

    The outcome may be an error.  Raises `WinsockError` WSA_IO_PENDING, WSAEWOULDBLOCK, WSAETIMEDOUT, or whatever
    `attempt` raises when first tried.
    """
    host = socket.host
    operation = Operation(host, attempt, way.overlapped, way.routine)
    with host.pump as now:
        deadline = Instant(now + way.timeout * MILLISECOND) if way.timeout else None
        try:
            outcome = _start(socket, kind, operation, now)
        except WinsockError as refusal:
            if kind == FD_WRITE and refusal.code == WSAEWOULDBLOCK:
                socket.events.enable(FD_WRITE)  # a send that succeeds does not (WSAEventSelect function)
            raise
        finally:
            socket.events.enable(way.enables)
            socket.settle(now)
    if outcome is not None:
        return outcome
    if operation.is_overlapped:
        raise WinsockError(WSA_IO_PENDING)
    if not host.driver.block(lambda: operation.outcome is not None, way.what, deadline):
        with host.pump:
            if operation.outcome is None:
                socket.queues[kind].remove(operation)
                raise WinsockError(WSAETIMEDOUT)
    assert operation.outcome is not None
    return operation.outcome


def _start(socket: Socket, kind: int, operation: Operation, now: Instant) -> Outcome | None:
    """The outcome; `None` if the operation waits in a queue now."""
    queue = socket.queues[kind]
    if not socket.descriptors and kind != FD_CLOSE:
        raise WinsockError(WSAENOTSOCK)  # closed by another thread meanwhile: nobody would end a wait
    if not queue:
        outcome = operation.attempt(now)
        if outcome is not None:
            if not outcome.error and operation.is_overlapped:
                operation.finish(outcome)
            return outcome
    if socket.settings.is_nonblocking and not operation.is_overlapped:
        raise WinsockError(WSAEWOULDBLOCK)
    operation.wait()
    queue.append(operation)
    return None
