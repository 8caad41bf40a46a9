"""The receiving side of a connection: queued WskReceive requests, WskReceiveEvent, and the news that the peer is gone.

Read WSK-4.12, 4.13, 4.23 and 4.25 before editing.  One rule keeps bytes in order between the two ways to receive:
while an indication is queued or running, its bytes stay in the endpoint and nobody else gets any; what the callback
accepted is consumed when it has returned.  Queued requests come before indications.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.constants import (
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_DRAIN,
    WSK_FLAG_ENTIRE_MESSAGE,
    WSK_FLAG_WAITALL,
)
from wsknet.wsk.control.option import CONNECTION
from wsknet.wsk.control.tcp_options import apply_values
from wsknet.wsk.irp import IRP, take_irp
from wsknet.wsk.mdl import mdl_of, writable_views_of
from wsknet.wsk.pointers import require_number
from wsknet.wsk.requests import call_back, complete, fail, mark_pending, status_of_refusal
from wsknet.wsk.sockets.base import NOT_CALLED
from wsknet.wsk.sockets.states import CONNECTED, DEAD
from wsknet.wsk.sockets.transport import TransportSocket
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_BUF, WSK_DATA_INDICATION

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client

INDICATION_LIMIT = 1 << 16
"""Most bytes in one indication; the next follows when it has been taken."""
WAITALL_LIMIT = 1 << 16
"""Most bytes that a WAITALL receive leaves in the endpoint while it waits for more: so that cancelling loses none."""

_CALLBACKS = {
    WSK_EVENT_RECEIVE: "WskReceiveEvent",
    WSK_EVENT_DISCONNECT: "WskDisconnectEvent",
    WSK_EVENT_SEND_BACKLOG: "WskSendBacklogEvent",
}


class ReceivingSocket(TransportSocket):
    __slots__ = ("accept_out", "disconnect_flags", "disconnect_reported", "is_armed", "receives")

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.receives: deque[IRP] = deque()
        """Queued, first come first served (D-12)."""
        self.is_armed = True
        """False after an indication that was not accepted whole, until a WskReceive has completed."""
        self.disconnect_flags: int | None = None
        """How the peer has left, once it has: 0 gracefully, or WSK_FLAG_ABORTIVE."""
        self.disconnect_reported: int | None = None
        """What WskDisconnectEvent was told of that, or will never be told."""
        self.accept_out: tuple[list[Any], list[Any]] | None = None
        """Inside WskAcceptEvent: where the application is writing context and dispatch table of this socket."""

    def find_callback(self, event: int) -> Callable[..., Any] | None:
        self.take_accept_out()
        return getattr(self.connection_dispatch, _CALLBACKS[event], None)

    def take_accept_out(self) -> None:
        """Use what the application has written by now; it has to before it enables events."""
        if self.accept_out is not None:
            # A list that the application has emptied holds NULL.
            self.SocketContext, self.ClientDispatch = (out[0] if out else None for out in self.accept_out)

    @property
    def connection_dispatch(self) -> Any:
        return self.ClientDispatch

    def check_may_enable(self, events: int) -> None:
        if self.state != CONNECTED:
            raise self.refuse_state("R-298", "events are enabled once the socket is connected")

    def events_changed(self, now: Instant) -> None:
        if self.state == CONNECTED:
            self.deliver(now)
        elif self.state == DEAD and self.disconnect_flags is not None:
            self.report_disconnect(self.disconnect_flags)

    def apply_options(self) -> None:
        endpoint, options = self.endpoint, self.options
        endpoint.no_delay = bool(options.no_delay)
        endpoint.fast_open = bool(options.fast_open)
        endpoint.keep_alive = bool(options.keep_alive)
        endpoint.receive_buffer = options.receive_buffer
        apply_values(endpoint, options.tcp)

    # Requests

    def WskReceive(self, Buffer: WSK_BUF, Flags: int, Irp: IRP | None) -> NTSTATUS:
        """0 bytes of success: the peer has finished, or the buffer is empty.  The latter lets indications go on."""
        if Irp is None:
            return STATUS_INVALID_PARAMETER
        try:
            if self.is_closing or not self.CATEGORY & CONNECTION:
                self.require_usable(ReceivingSocket, "WskReceive")
            views = writable_views_of(Buffer)
            if Flags != 0:
                require_number(Flags, "Flags")
            take_irp(Irp)
            if Flags:
                status = _check_flags(Buffer, Flags)
                if status is not STATUS_SUCCESS:
                    return fail(self.host, Irp, status)
            return self._receive(Irp, views, Buffer, Flags)
        except BugCheck:
            return self.stopped()

    def _receive(self, Irp: IRP, views: list[memoryview], Buffer: WSK_BUF, flags: int) -> NTSTATUS:
        completions = self.completions
        with self.pump as now:
            if self.state != CONNECTED:
                refusal = self.refuse_state("WSK-4.12", "WskReceive before the socket is connected")
                status = status_of_refusal(self.host, Irp, refusal)
            elif Irp.Cancel:
                status = STATUS_CANCELLED
            else:
                Irp._buffers = views
                Irp._length = Buffer.Length
                Irp._flags = flags
                Irp._moved = 0
                if self.receives or self.busy & WSK_EVENT_RECEIVE or not self._fill(Irp, now):
                    if self.verifier is not None:
                        self.verifier.lend(Irp, views, Buffer.Mdl)
                    self.receives.append(Irp)
                    return self.pend(Irp, now)
                Irp._buffers = None
                self.is_armed = True
                is_inline = completions.claim()
                if not is_inline:
                    mark_pending(Irp)
                    completions.post(complete, Irp)
                self.deliver(now)
                if not is_inline:
                    return STATUS_PENDING
                status = STATUS_SUCCESS
        if status is not STATUS_SUCCESS:
            return fail(self.host, Irp, status)
        completions.drain_claimed(complete, Irp)
        return STATUS_SUCCESS

    def _fill(self, Irp: IRP, now: Instant) -> bool:
        """Move what there is into `Irp`.  True if that completes it; then its IoStatus is set."""
        endpoint = self.endpoint
        readable: int = endpoint.readable
        if Irp._flags:
            if not self._fill_flagged(Irp, readable, now):
                return False
        elif readable:
            for view in Irp._buffers:
                moved = endpoint.receive_into(view, now)
                Irp._moved += moved
                if moved < len(view):
                    break
        elif Irp._length and not endpoint.peer_finished:
            return False
        result = Irp.IoStatus
        result.Status = STATUS_SUCCESS
        result.Information = Irp._moved
        return True

    def _fill_flagged(self, Irp: IRP, readable: int, now: Instant) -> bool:
        endpoint = self.endpoint
        if Irp._flags & WSK_FLAG_DRAIN:
            if readable:
                endpoint.consume(readable, now)
            return bool(endpoint.peer_finished)
        missing = Irp._length - Irp._moved
        is_last = readable >= missing or endpoint.peer_finished
        if is_last or readable > min(WAITALL_LIMIT, self.options.receive_buffer >> 1):
            left = Irp._moved
            for view in Irp._buffers:
                if left >= len(view):
                    left -= len(view)  # full already
                    continue
                moved = endpoint.receive_into(view[left:], now)
                Irp._moved += moved
                if moved < len(view) - left:
                    break
                left = 0
        return is_last

    def deliver(self, now: Instant) -> None:
        """Give what is readable to whoever comes first.  Connected, driver lock held."""
        if self.busy & WSK_EVENT_RECEIVE:
            return
        receives = self.receives
        while receives:
            Irp = receives[0]
            if self.verifier is not None:
                self.begin_writing(Irp)
            if not self._fill(Irp, now):
                if self.verifier is not None:
                    self.verifier.end_writing(Irp)
                return
            receives.popleft()
            self.is_armed = True
            self.finish(Irp, STATUS_SUCCESS, Irp._moved)
        endpoint = self.endpoint
        if endpoint.readable:
            if self.events & WSK_EVENT_RECEIVE and self.is_armed:
                flags = WSK_FLAG_AT_DISPATCH_LEVEL
                if endpoint.pushed:
                    flags |= WSK_FLAG_ENTIRE_MESSAGE
                self.busy |= WSK_EVENT_RECEIVE
                self.completions.post(self._indicate, endpoint.peek(INDICATION_LIMIT), flags)
        elif endpoint.peer_finished:
            self.report_disconnect(0)

    def cancel_receive(self, Irp: IRP, now: Instant) -> None:
        """What a WAITALL receive has taken already is not lost: then the operation has won."""
        self.receives.remove(Irp)
        self.is_armed = True
        self.finish(Irp, STATUS_SUCCESS if Irp._moved else STATUS_CANCELLED, Irp._moved)
        if self.state == CONNECTED:
            self.deliver(now)

    # Indications

    def _indicate(self, data: bytes, flags: int) -> None:
        """A completion: no lock held."""
        length = len(data)
        indication = WSK_DATA_INDICATION(None, WSK_BUF(mdl_of(data), 0, length))
        # It may be released by another thread before the callback has returned STATUS_PENDING.
        indication._holder = self
        accepted = [length]
        status: Any = NOT_CALLED
        try:
            if self.events & WSK_EVENT_RECEIVE and not self.is_closing:
                callback = self.callbacks[WSK_EVENT_RECEIVE]
                status = STATUS_DATA_NOT_ACCEPTED  # should it raise
                status = call_back(callback, self.SocketContext, flags, indication, length, accepted)
        finally:
            if status != STATUS_PENDING:
                indication._holder = None
            elif self.verifier is not None:
                self.verifier.retain((indication,), callback)
            with self.pump as now:
                self._indicated(status, length, _number_in(accepted, length), now)

    def _indicated(self, status: Any, length: int, accepted: int, now: Instant) -> None:
        """Apply what the callback returned; NOT_CALLED if it was not."""
        self.end_callback(WSK_EVENT_RECEIVE)
        if self.state != CONNECTED or self.is_closing:
            return
        if status == STATUS_PENDING:
            accepted = length
        elif status != STATUS_SUCCESS:
            accepted = 0
        if accepted:
            self.endpoint.consume(accepted, now)
        if accepted < length and status != NOT_CALLED:
            self.is_armed = False
        endpoint = self.endpoint
        if self.receives or endpoint.readable or endpoint.peer_finished:
            self.deliver(now)

    def report_disconnect(self, flags: int) -> None:
        """The peer has finished (0), the connection is gone (ABORTIVE): each is told once, if the event is enabled."""
        self.disconnect_flags = flags
        if self.disconnect_reported == flags or self.busy & WSK_EVENT_DISCONNECT:
            return
        if self.is_wanted(WSK_EVENT_DISCONNECT):
            self.disconnect_reported = flags
            self.busy |= WSK_EVENT_DISCONNECT
            self.completions.post(self._indicate_disconnect, flags)

    def _indicate_disconnect(self, flags: int) -> None:
        is_called = False
        try:
            if self.is_wanted(WSK_EVENT_DISCONNECT):
                is_called = True
                call_back(self.callbacks[WSK_EVENT_DISCONNECT], self.SocketContext, flags | WSK_FLAG_AT_DISPATCH_LEVEL)
        finally:
            with self.pump:
                self.end_callback(WSK_EVENT_DISCONNECT)
                if not is_called:
                    self.disconnect_reported = None  # enabled again meanwhile, it is due
                if self.disconnect_flags is not None:
                    self.report_disconnect(self.disconnect_flags)

    def WskRelease(self, DataIndication: WSK_DATA_INDICATION | None) -> NTSTATUS:
        return self.release(DataIndication)


def _number_in(accepted: list[Any], length: int) -> int:
    """BytesAccepted as the callback has left it: at most `length`, which what is no SIZE_T counts as."""
    value = accepted[0] if accepted else length
    return value if isinstance(value, int) and 0 <= value < length else length


def _check_flags(Buffer: WSK_BUF, Flags: int) -> NTSTATUS:
    if Flags & ~(WSK_FLAG_WAITALL | WSK_FLAG_DRAIN):
        return STATUS_NOT_SUPPORTED
    if Flags & WSK_FLAG_DRAIN and (Flags & WSK_FLAG_WAITALL or Buffer.Length):
        return STATUS_INVALID_PARAMETER
    return STATUS_SUCCESS
