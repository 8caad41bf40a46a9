"""Listening sockets: bind is listen; connections go to WskAccept requests first, else to WskAcceptEvent.

Read WSK-4.6 and 4.21 before editing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.transport.endpoint import Ready
from wsknet.types import Cover
from wsknet.wsk.constants import (
    IPPROTO_TCP,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_LISTEN_SOCKET,
)
from wsknet.wsk.control.static_events import start_static_events, start_static_events_later
from wsknet.wsk.control.tcp_options import apply_values
from wsknet.wsk.dispatch import WSK_PROVIDER_LISTEN_DISPATCH
from wsknet.wsk.irp import IRP
from wsknet.wsk.pointers import held
from wsknet.wsk.requests import Refusal, call_back, forbid_flags
from wsknet.wsk.sockaddr import require_room, sockaddr_of, store_sockaddr
from wsknet.wsk.sockets.base import NOT_CALLED
from wsknet.wsk.sockets.connection import CONNECTION_DISPATCH, ConnectionSocket
from wsknet.wsk.sockets.inspecting import Inspector
from wsknet.wsk.sockets.states import CREATED, FORCED_CLOSED, LISTENING
from wsknet.wsk.sockets.transport import OutAddress, TransportSocket
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_NOT_IMPLEMENTED,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_INSPECT_ID
from wsknet.wsk.verifier import table

if TYPE_CHECKING:
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Instant
    from wsknet.wsk.client import Client

INHERITED = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG
"""Events that are enabled here for the sockets which WskAcceptEvent delivers."""


class AcceptingSocket(TransportSocket):
    """What a listening socket and a stream socket that listens have in common.  The slots are theirs to declare."""

    __slots__ = ()

    CAN_PEND = False
    """Whether there is a WskInspectComplete."""

    accepts: deque[IRP]
    """WskAccept requests, first come first served (D-12)."""
    waiting: deque[ConnectionSocket]
    """Taken from the endpoint for an event that was disabled before it ran."""
    inspector: Inspector | None
    """With SO_CONDITIONAL_ACCEPT, while the socket listens."""

    @property
    def listen_dispatch(self) -> Any:
        return self.ClientDispatch

    def listen(self, now: Instant) -> None:
        is_conditional = bool(self.options.conditional_accept)
        self.endpoint.is_conditional = is_conditional
        self.endpoint.listen(now)
        self.inspector = Inspector(self) if is_conditional else None  # type: ignore[misc]  # the slot is theirs
        self.state = LISTENING
        start_static_events(self, now)

    def WskAccept(
        self,
        Flags: int,
        AcceptSocketContext: Any,
        AcceptSocketDispatch: Any,
        LocalAddress: OutAddress | None,
        RemoteAddress: OutAddress | None,
        Irp: IRP | None,
    ) -> NTSTATUS:
        require_room(LocalAddress, self.family)
        require_room(RemoteAddress, self.family)
        wanted = (AcceptSocketContext, AcceptSocketDispatch, LocalAddress, RemoteAddress)
        return self.perform(Irp, self._accept, Flags, wanted)

    def _accept(self, Irp: IRP, now: Instant, Flags: int, wanted: tuple[Any, ...]) -> Any:
        forbid_flags(Flags, "WSK-4.6")
        if self.state != LISTENING:
            raise self.refuse_state("R-106", "WskAccept on a socket that does not listen")
        child = None if self.accepts else self._take(now)
        if child is not None:
            return _hand_over(child, wanted)
        *callbacks, LocalAddress, RemoteAddress = wanted
        Irp._out = (*callbacks, held(LocalAddress), held(RemoteAddress))
        self.accepts.append(Irp)
        return self.pend(Irp, now)

    def _take(self, now: Instant) -> ConnectionSocket | None:
        """The connection that has waited longest."""
        if self.waiting:
            return self.waiting.popleft()
        endpoint: TcpEndpoint | None = self.endpoint.accept(now)
        if endpoint is None:
            return None
        child = ConnectionSocket(CONNECTION_DISPATCH, self.client, self.family)
        options = child.options
        options.keep_alive = self.options.keep_alive
        options.no_delay = self.options.no_delay
        options.fast_open = self.options.fast_open
        options.receive_buffer = self.options.receive_buffer
        options.tcp = self.options.tcp
        options.sending = self.options.sending.copy()
        options.v6only = self.options.v6only
        options.unicast_if = self.options.unicast_if
        options.unicast_if6 = self.options.unicast_if6
        child.adopt(endpoint)
        self.client.add_socket(child)
        return child

    def hand_out(self, now: Instant) -> None:
        """Give waiting connections to whoever wants them.  Listening, driver lock held."""
        while self.accepts:
            child = self._take(now)
            if child is None:
                return
            Irp = self.accepts.popleft()
            wanted = Irp._out
            self.finish(Irp, STATUS_SUCCESS, _hand_over(child, wanted))
        if self.is_wanted(WSK_EVENT_ACCEPT) and not self.busy & WSK_EVENT_ACCEPT:
            child = self._take(now)
            if child is not None:
                self.busy |= WSK_EVENT_ACCEPT
                self.completions.post(self._indicate_accept, child)

    def _indicate_accept(self, child: ConnectionSocket) -> None:
        """A completion: no lock held."""
        context: list[Any] = [None]
        dispatch: list[Any] = [None]
        status: Any = NOT_CALLED
        try:
            if self.is_wanted(WSK_EVENT_ACCEPT):
                callback = self.callbacks[WSK_EVENT_ACCEPT]
                status = STATUS_REQUEST_NOT_ACCEPTED  # should it raise
                child.accept_out = (context, dispatch)
                endpoint = child.endpoint
                local = sockaddr_of(self.family, endpoint.local_endpoint)
                remote = sockaddr_of(self.family, endpoint.remote)
                flags = WSK_FLAG_AT_DISPATCH_LEVEL
                status = call_back(callback, self.SocketContext, flags, local, remote, child, context, dispatch)
        finally:
            with self.pump as now:
                self._accept_indicated(child, status, now)

    def _accept_indicated(self, child: ConnectionSocket, status: Any, now: Instant) -> None:
        """Apply what WskAcceptEvent returned; NOT_CALLED if it was not."""
        self.end_callback(WSK_EVENT_ACCEPT)
        is_listening = self.state == LISTENING and not self.is_closing
        if status == NOT_CALLED and is_listening:
            self.waiting.appendleft(child)
        elif status == STATUS_SUCCESS:
            child.take_accept_out()
            child.accept_out = None
            if not child.is_closing:
                child.enable_inherited(self.events & INHERITED, now)
        elif not child.is_closing:
            child.discard(now)
        if is_listening:
            self.hand_out(now)

    def force_close_listener(self, now: Instant) -> None:
        """The endpoint is gone under the socket: nothing but WskCloseSocket is of use any more (D-23)."""
        self.state = FORCED_CLOSED
        self.end_notifications(STATUS_FILE_FORCED_CLOSED)
        while self.accepts:
            self.finish(self.accepts.popleft(), STATUS_FILE_FORCED_CLOSED)
        if self.inspector is not None:
            self.inspector.die()
        self.tell_dead(WSK_EVENT_ACCEPT, None, None, None, [None], [None])
        self._discard_waiting(now)
        if self.endpoint is not None:
            self.endpoint.close(now)

    def listener_ready(self, readiness: int, now: Instant) -> None:
        if self.state != LISTENING:
            return
        if readiness & Ready.FAILED:
            self.force_close_listener(now)
            return
        if self.inspector is not None and readiness & (Ready.REQUESTED | Ready.REQUEST_ABORTED):
            self.inspector.advance()
        if readiness & Ready.ACCEPTABLE:
            self.hand_out(now)

    def listen_callback(self, event: int) -> Callable[..., Any] | None:
        """Of inherited events nothing is known before a connection comes with a table of its own."""
        if event & INHERITED:
            return _later
        return getattr(self.listen_dispatch, "WskAcceptEvent", None)

    def never_disabled(self) -> int:
        return INHERITED if self.state == LISTENING else 0

    def cancel_accept(self, Irp: IRP) -> None:
        self.accepts.remove(Irp)
        self.finish(Irp, STATUS_CANCELLED)

    def cancel_accepts(self, now: Instant) -> None:
        while self.accepts:
            self.finish(self.accepts.popleft(), STATUS_CANCELLED)
        self._discard_waiting(now)

    def _discard_waiting(self, now: Instant) -> None:
        while self.waiting:
            self.waiting.popleft().discard(now)


def _later(*arguments: object) -> None:
    """Stands for the callback of a socket that is yet to be accepted."""


def _hand_over(child: ConnectionSocket, wanted: tuple[Any, ...]) -> ConnectionSocket:
    """Let WskAccept have `child`.  Its events are off but for static ones, whatever the listener has enabled."""
    child.SocketContext, child.ClientDispatch, LocalAddress, RemoteAddress = wanted
    start_static_events_later(child)
    if LocalAddress is not None:
        store_sockaddr(LocalAddress, child.local_octets())
    if RemoteAddress is not None:
        store_sockaddr(RemoteAddress, child.remote_octets())
    return child


class ListeningSocket(AcceptingSocket):
    __slots__ = ("accepts", "inspector", "protocol", "waiting")

    CAN_PEND = True
    CATEGORY = WSK_FLAG_LISTEN_SOCKET
    EVENTS = WSK_EVENT_ACCEPT | INHERITED

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.protocol = IPPROTO_TCP
        self.accepts = deque()
        self.waiting = deque()
        self.inspector = None

    def default_receive_buffer(self) -> int:
        return self.host.stack.config.tcp.receive_buffer

    def open_endpoint(self, cover: Cover) -> TcpEndpoint:
        return self.host.stack.tcp.open(cover, self)

    def bind(self, LocalAddress: Any, Flags: int, now: Instant) -> None:
        if self.protocol != IPPROTO_TCP:
            raise Refusal(STATUS_NOT_IMPLEMENTED)
        super().bind(LocalAddress, Flags, now)

    def bound(self, now: Instant) -> None:
        self.listen(now)

    def apply_options(self) -> None:
        endpoint, options = self.endpoint, self.options
        endpoint.no_delay = bool(options.no_delay)
        endpoint.fast_open = bool(options.fast_open)
        endpoint.keep_alive = bool(options.keep_alive)
        endpoint.receive_buffer = options.receive_buffer
        apply_values(endpoint, options.tcp)

    def find_callback(self, event: int) -> Callable[..., Any] | None:
        return self.listen_callback(event)

    def check_may_enable(self, events: int) -> None:
        if self.state in (CREATED, FORCED_CLOSED):
            raise self.refuse_state("R-297", "events are enabled after bind")

    def events_changed(self, now: Instant) -> None:
        self.hand_out(now)

    def WskInspectComplete(self, InspectID: WSK_INSPECT_ID, Action: int, Irp: IRP | None) -> NTSTATUS:
        """Decides on a request that WskInspectEvent left pending.  Success without effect if it was aborted since."""
        return self.perform(Irp, self._inspect_complete, InspectID, Action)

    def _inspect_complete(self, Irp: IRP, now: Instant, InspectID: WSK_INSPECT_ID, Action: int) -> Any:
        if self.state != LISTENING or self.inspector is None:
            raise self.refuse_state("WSK-4.7", "WskInspectComplete needs a socket that listens with conditional accept")
        self.inspector.complete(InspectID, Action, now)
        return 0

    def force_close(self, now: Instant) -> None:
        self.force_close_listener(now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        self.listener_ready(readiness, now)

    def cancel(self, Irp: IRP, now: Instant) -> None:
        self.cancel_accept(Irp)

    def cancel_all(self, now: Instant) -> None:
        self.cancel_accepts(now)
        super().cancel_all(now)


LISTEN_DISPATCH = table(WSK_PROVIDER_LISTEN_DISPATCH, ListeningSocket)
