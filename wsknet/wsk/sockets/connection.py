"""Connection-oriented sockets: connect, send, disconnect, and what the endpoint reports.

Read WSK-4.8 to 4.13 before editing.  Receiving stands in `receiving`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.endpoint import Ready
from wsknet.types import Cover
from wsknet.wsk.bugcheck import BugCheck
from wsknet.wsk.constants import (
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_SEND_BACKLOG,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_NODELAY,
)
from wsknet.wsk.control.option import CONNECTION
from wsknet.wsk.control.static_events import start_static_events
from wsknet.wsk.dispatch import WSK_PROVIDER_CONNECTION_DISPATCH
from wsknet.wsk.irp import IRP, take_irp
from wsknet.wsk.mdl import views_of
from wsknet.wsk.pointers import require_number
from wsknet.wsk.requests import Forbidden, Refusal, call_back, fail, forbid_flags, status_of_refusal
from wsknet.wsk.sockaddr import SockAddr, remote_endpoint, require_room, sockaddr_octets, store_sockaddr
from wsknet.wsk.sockets.base import DOCUMENTED
from wsknet.wsk.sockets.receiving import ReceivingSocket
from wsknet.wsk.sockets.states import BOUND, CONNECTED, CONNECTING, CREATED, DEAD, FORCED_CLOSED, SILENT
from wsknet.wsk.sockets.transport import OutAddress
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_OF_KIND,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_BUF
from wsknet.wsk.verifier import table

if TYPE_CHECKING:
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Endpoint, Instant
    from wsknet.wsk.client import Client

MAX_GREETING = 65535
"""Bytes that WskConnectEx sends with the connection."""


class ConnectionSocket(ReceivingSocket):
    __slots__ = ("backlog_told", "connect_irp", "disconnect_irp", "greeting", "is_finishing", "sends")

    CATEGORY = WSK_FLAG_CONNECTION_SOCKET
    CHECKS_ITSELF = frozenset({"WskSend", "WskReceive"})
    EVENTS = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.connect_irp: IRP | None = None
        self.disconnect_irp: IRP | None = None
        self.greeting = b""
        self.is_finishing = False
        """A graceful WskDisconnect has been accepted: nothing more can be sent."""
        self.sends: deque[IRP] = deque()
        """In order; each completes when the stream up to its `_moved` is acknowledged (D-10)."""
        self.backlog_told: int | None = None
        """The ideal send backlog as WskSendBacklogEvent was told it last, or as it was when that was enabled first."""

    def default_receive_buffer(self) -> int:
        return self.host.stack.config.tcp.receive_buffer

    def open_endpoint(self, cover: Cover) -> TcpEndpoint:
        return self.host.stack.tcp.open(cover, self)

    def bound(self, now: Instant) -> None:
        self.state = BOUND

    def adopt(self, endpoint: TcpEndpoint) -> None:
        """Become the socket of a connection that a listener accepted."""
        self.endpoint = endpoint
        endpoint.owner = self
        self.state = CONNECTED

    def enable_inherited(self, events: int, now: Instant) -> None:
        """Turn on what the listening socket had enabled, as far as there is a callback for it."""
        for event in (WSK_EVENT_RECEIVE, WSK_EVENT_DISCONNECT, WSK_EVENT_SEND_BACKLOG):
            callback = self.find_callback(event) if events & event else None
            if callback is not None:
                self.callbacks[event] = callback
                self.events |= event
        self.events_changed(now)

    def discard(self, now: Instant) -> None:
        """The application does not want the connection: reset it."""
        self.is_closing = True
        self.end_notifications(STATUS_CANCELLED)
        self.cancel_all(now)
        self.completions.post(self.client.remove_socket, self)

    # Connecting

    def WskConnect(self, RemoteAddress: SockAddr, Flags: int, Irp: IRP | None) -> NTSTATUS:
        return self.perform(Irp, self._connect_plainly, RemoteAddress, Flags)

    def WskConnectEx(self, RemoteAddress: SockAddr, Buffer: WSK_BUF | None, Flags: int, Irp: IRP | None) -> NTSTATUS:
        """`Buffer` is copied: its memory is free again when the connection stands."""
        views = [] if Buffer is None else views_of(Buffer)
        return self.perform(Irp, self._connect_with, RemoteAddress, Flags, views, Buffer)

    def _connect_with(
        self,
        Irp: IRP,
        now: Instant,
        RemoteAddress: SockAddr,
        Flags: int,
        views: list[memoryview],
        Buffer: WSK_BUF | None,
    ) -> Any:
        kept = self._connect(Irp, now, RemoteAddress, Flags, b"".join(views))
        if Buffer is not None and self.connect_irp is Irp:
            self.lend(Irp, views, Buffer)
        return kept

    def _connect_plainly(self, Irp: IRP, now: Instant, RemoteAddress: SockAddr, Flags: int) -> Any:
        forbid_flags(Flags, "R-190")
        return self._connect(Irp, now, RemoteAddress, 0, b"")

    def _connect(self, Irp: IRP, now: Instant, RemoteAddress: SockAddr, Flags: int, greeting: bytes) -> Any:
        if Flags:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        if self.state != BOUND:
            raise self.refuse_state(
                DOCUMENTED if self.state == CREATED else "R-141", "WskConnect twice, or on a listener"
            )
        if len(greeting) > MAX_GREETING:
            raise Refusal(STATUS_BUFFER_OVERFLOW)
        remote = remote_endpoint(RemoteAddress, self.family, self.is_dual)
        if self.endpoint.fast_open:
            self.endpoint.connect(remote, now, greeting)  # perhaps in the SYN
            self.state = CONNECTING
            self.greeting = b""  # that of an attempt that has failed
        else:
            self.connect(remote, now)
            self.greeting = greeting
        self.connect_irp = Irp
        return self.pend(Irp, now)

    def connect(self, remote: Endpoint, now: Instant) -> None:
        self.endpoint.connect(remote, now)
        self.state = CONNECTING

    def _connected(self, now: Instant) -> None:
        self.state = CONNECTED
        if self.greeting and self.endpoint.error is None:  # else it has failed since; FAILED comes with the same event
            self.endpoint.send(self.greeting, now)
        self.greeting = b""
        if self.connect_irp is not None:
            self._finish_connect(STATUS_SUCCESS, now)
        start_static_events(self, now)

    def _finish_connect(self, Status: NTSTATUS, now: Instant) -> None:
        Irp, self.connect_irp = self.connect_irp, None
        assert Irp is not None
        if Irp._out is None:
            self.finish(Irp, Status)
        elif Status == STATUS_SUCCESS:
            self.finish(Irp, Status, Irp._out)
        else:
            # WskSocketConnect: the application never gets to see this socket.
            self.is_closing = True
            self.endpoint.close(now)
            self.finish(Irp, Status)
            self.completions.post(self.client.remove_socket, self)

    def WskGetRemoteAddress(self, RemoteAddress: OutAddress, Irp: IRP | None) -> NTSTATUS:
        require_room(RemoteAddress, self.family)
        return self.perform(Irp, self._get_remote_address, RemoteAddress)

    def _get_remote_address(self, Irp: IRP, now: Instant, RemoteAddress: OutAddress) -> Any:
        if self.state != CONNECTED:
            raise self.refuse_state(DOCUMENTED)
        store_sockaddr(RemoteAddress, self.remote_octets())
        return 0

    def local_octets(self) -> bytes:
        local: Endpoint | None = self.endpoint.local_endpoint
        if local is None:
            return super().local_octets()
        return sockaddr_octets(self.family, local.address, local.port, local.zone)

    def remote_octets(self) -> bytes:
        remote: Endpoint = self.endpoint.remote
        return sockaddr_octets(self.family, remote.address, remote.port, remote.zone)

    # Sending

    def WskSend(self, Buffer: WSK_BUF, Flags: int, Irp: IRP | None) -> NTSTATUS:
        """Lends the memory; completes when all of it has been acknowledged."""
        if Irp is None:
            return STATUS_INVALID_PARAMETER
        try:
            if self.is_closing or not self.CATEGORY & CONNECTION:
                self.require_usable(ConnectionSocket, "WskSend")
            views = views_of(Buffer)
            if Flags not in (0, WSK_FLAG_NODELAY):
                require_number(Flags, "Flags")
            if Flags & ~WSK_FLAG_NODELAY or not views:
                return self.perform(Irp, self._send_nothing, Flags)
            take_irp(Irp)
            with self.pump as now:
                if self.state != CONNECTED or self.is_finishing:
                    status = status_of_refusal(self.host, Irp, self.refuse_send())
                elif Irp.Cancel:
                    status = STATUS_CANCELLED
                else:
                    data = views[0] if len(views) == 1 else b"".join(views)
                    Irp._moved = self.endpoint.send(data, now, Flags != 0)
                    Irp._length = Buffer.Length
                    if self.verifier is not None:
                        self.verifier.lend(Irp, views, Buffer.Mdl)
                    self.sends.append(Irp)
                    return self.pend(Irp, now)
            return fail(self.host, Irp, status)
        except BugCheck:
            return self.stopped()

    def refuse_send(self) -> Refusal:
        if self.state == SILENT:
            return self.refuse_state(DOCUMENTED)
        if self.state == CONNECTED:
            return self.refuse_state("R-204", "nothing can be sent after WskDisconnect")
        return self.refuse_state("WSK-4.11", "WskSend before the socket is connected")

    def _send_nothing(self, Irp: IRP, now: Instant, Flags: int) -> Any:
        """An empty buffer: completes behind the sends before it."""
        if Flags & ~WSK_FLAG_NODELAY:
            raise LocalError(ErrorKind.NOT_SUPPORTED)
        if self.state != CONNECTED or self.is_finishing:
            raise self.refuse_send()
        if not self.sends:
            return 0
        Irp._moved = self.sends[-1]._moved
        Irp._length = 0
        self.sends.append(Irp)
        return self.pend(Irp, now)

    def _sent(self) -> None:
        sends = self.sends
        acknowledged = self.endpoint.acknowledged
        while sends and sends[0]._moved <= acknowledged:
            Irp = sends.popleft()
            self.finish(Irp, STATUS_SUCCESS, Irp._length)

    def events_changed(self, now: Instant) -> None:
        super().events_changed(now)
        if self.events & WSK_EVENT_SEND_BACKLOG:
            if self.backlog_told is None:
                self.backlog_told = self.endpoint.ideal_send_backlog
            self._tell_backlog()

    def _tell_backlog(self) -> None:
        """Looked at when a send completes, as nothing else lets a program send more."""
        if self.busy & WSK_EVENT_SEND_BACKLOG or self.state != CONNECTED:
            return
        ideal = self.endpoint.ideal_send_backlog
        if ideal != self.backlog_told:
            self.backlog_told = ideal
            self.busy |= WSK_EVENT_SEND_BACKLOG
            self.completions.post(self._indicate_backlog, ideal)

    def _indicate_backlog(self, ideal: int) -> None:
        """A completion: no lock held."""
        try:
            if self.is_wanted(WSK_EVENT_SEND_BACKLOG):
                call_back(self.callbacks[WSK_EVENT_SEND_BACKLOG], self.SocketContext, ideal)
        finally:
            with self.pump:
                self.end_callback(WSK_EVENT_SEND_BACKLOG)
                if self.is_wanted(WSK_EVENT_SEND_BACKLOG):
                    self._tell_backlog()

    # The end

    def fall_silent(self) -> None:
        """SIO_WSK_SET_TCP_SILENT_MODE.  A pending WskReceive stays, for WskCloseSocket to cancel."""
        if self.state != CONNECTED:
            raise self.refuse_state("R-316", "silent mode is for a connected socket")
        if self.sends or self.disconnect_irp is not None:
            raise Forbidden(STATUS_INVALID_DEVICE_STATE, "R-316", "a send or disconnect is pending")
        if self.endpoint.unacknowledged:
            raise self.refuse_state(DOCUMENTED)  # what WskConnectEx was given: its request has completed
        self.endpoint.fall_silent()
        self.state = SILENT

    def WskDisconnect(self, Buffer: WSK_BUF | None, Flags: int, Irp: IRP | None) -> NTSTATUS:
        """Graceful: completes when the peer has acknowledged our FIN and all data before it."""
        views = None if Buffer is None else views_of(Buffer)
        return self.perform(Irp, self._disconnect, views, Buffer, Flags)

    def _disconnect(
        self, Irp: IRP, now: Instant, views: list[memoryview] | None, Buffer: WSK_BUF | None, Flags: int
    ) -> Any:
        is_abortive = Flags & WSK_FLAG_ABORTIVE
        if Flags & ~WSK_FLAG_ABORTIVE or (is_abortive and views is not None):
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        if self.state != CONNECTED or (self.is_finishing and not is_abortive):
            if self.state == SILENT:
                raise self.refuse_state(DOCUMENTED)
            raise self.refuse_state("WSK-4.10", "WskDisconnect twice, or before the socket is connected")
        if is_abortive:
            self._abort(STATUS_CONNECTION_ABORTED, now)
            return 0
        Irp._moved = 0
        for view in views or ():
            Irp._moved = self.endpoint.send(view, now)
        self.endpoint.finish(now)
        self.is_finishing = True
        self.disconnect_irp = Irp
        if views and Buffer is not None:
            self.lend(Irp, views, Buffer)
        return self.pend(Irp, now)

    def _abort(self, failure: NTSTATUS, now: Instant) -> None:
        """Reset the connection from our side: sends are cancelled, everything else hears `failure`."""
        self.endpoint.abort(now)
        self.state = DEAD
        self.failure = failure
        self._end_requests(STATUS_CANCELLED, failure, now)

    def _end_requests(self, sends: NTSTATUS, others: NTSTATUS, now: Instant) -> None:
        while self.sends:
            self.finish(self.sends.popleft(), sends)
        while self.receives:
            self.finish(self.receives.popleft(), others)
        if self.disconnect_irp is not None:
            self.finish(self.disconnect_irp, others)
            self.disconnect_irp = None
        if self.connect_irp is not None:
            self._finish_connect(others, now)

    def _failed(self, now: Instant) -> None:
        """The peer reset the connection, or the stack gave it up."""
        if self.state in (DEAD, FORCED_CLOSED):
            return
        error = self.endpoint.error
        if error is ErrorKind.INTERFACE_REMOVED:
            self.force_close(now)
            return
        status = STATUS_CONNECTION_ABORTED if error is None else STATUS_OF_KIND[error]
        if self.state == CONNECTING:
            self.state = BOUND  # another attempt is possible
            self._finish_connect(status, now)
            return
        self.state = DEAD
        self.failure = status
        self._end_requests(status, status, now)
        self.report_disconnect(WSK_FLAG_ABORTIVE)

    def force_close(self, now: Instant) -> None:
        """The interface with the local address has gone: nothing but WskCloseSocket is of use any more (D-23)."""
        self.state = FORCED_CLOSED
        self.end_notifications(STATUS_FILE_FORCED_CLOSED)
        self._end_requests(STATUS_FILE_FORCED_CLOSED, STATUS_FILE_FORCED_CLOSED, now)
        self.tell_dead(WSK_EVENT_RECEIVE, None, 0, [0])
        if self.endpoint is not None:
            self.endpoint.close(now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        if readiness & Ready.CONNECTED and self.state == CONNECTING:
            self._connected(now)
        if readiness & Ready.SENT:
            self._sent()
            if self.events & WSK_EVENT_SEND_BACKLOG:
                self._tell_backlog()
        if readiness & Ready.FINISHED and self.disconnect_irp is not None:
            self._sent()
            self.finish(self.disconnect_irp, STATUS_SUCCESS)
            self.disconnect_irp = None
        if readiness & (Ready.READABLE | Ready.PEER_FINISHED) and self.state == CONNECTED:
            self.deliver(now)
        if readiness & Ready.FAILED:
            self._failed(now)

    def cancel(self, Irp: IRP, now: Instant) -> None:
        """What is lent and cancelled resets the connection: TCP cannot take back bytes of the stream."""
        if Irp is self.connect_irp:
            self.endpoint.abort(now)
            self.state = BOUND  # as after an attempt that has failed: another one is possible
            self._finish_connect(STATUS_CANCELLED, now)
        elif Irp is self.disconnect_irp:
            self.disconnect_irp = None
            is_lent = Irp._moved > self.endpoint.acknowledged
            self.finish(Irp, STATUS_CANCELLED)
            if is_lent:
                self._abort(STATUS_CONNECTION_ABORTED, now)
        elif Irp in self.receives:
            self.cancel_receive(Irp, now)
        elif Irp in self.sends and Irp._length:
            self._abort(STATUS_CONNECTION_ABORTED, now)
        elif Irp in self.sends:
            self.sends.remove(Irp)
            self.finish(Irp, STATUS_CANCELLED)

    def cancel_all(self, now: Instant) -> None:
        self._end_requests(STATUS_CANCELLED, STATUS_CANCELLED, now)
        super().cancel_all(now)


CONNECTION_DISPATCH = table(WSK_PROVIDER_CONNECTION_DISPATCH, ConnectionSocket)
