"""What the served applications share: a WSK client with listeners and datagram sockets for both families.

Read this as driver code: everything goes through the dispatch tables, and connections are driven by events.  No thread
belongs to them; one watches the deadlines of those that have any.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from wsknet.apps.irps import submit
from wsknet.apps.watch import Watch
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    LARGE_INTEGER,
    NT_SUCCESS,
    NTSTATUS,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_DATA_INDICATION,
    WSK_DATAGRAM_INDICATION,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_SOCKET,
    KeQuerySystemTime,
)
from wsknet.wsk.simple import Application, address, bind, control_events, disable_event

WILDCARDS = {AF_INET: "0.0.0.0", AF_INET6: "::"}
SECOND = 10_000_000
"""In system time, which counts 100 ns."""


def system_time() -> int:
    """KeQuerySystemTime: 100 ns since 1601-01-01 UTC, by the clock of the current host."""
    now = LARGE_INTEGER()
    KeQuerySystemTime(now)
    return now.QuadPart


class StatusError(Exception):
    """A call failed that had to succeed.  The message names it and its status."""


def require(what: str, Status: NTSTATUS) -> None:
    if not NT_SUCCESS(Status):
        raise StatusError(f"{what} failed with {Status.name}")


class Connection(ABC):
    """One accepted connection.  Subclasses decide what to do with data; this class ends it properly."""

    def __init__(self, service: Service, Socket: WSK_SOCKET) -> None:
        self.service = service
        self.Socket = Socket
        self.sends = 0
        """WskSend requests not yet completed."""
        self.peer_finished = False
        self.is_finishing = False
        """Our side is being ended, or has been."""
        self.is_closing = False
        self.deadline: int | None = None
        """The system time at which `expired` is due."""
        self._is_finished = False

    def started(self) -> None:  # noqa: B027 - may be left as it is
        """The connection is open and its events are on."""

    @abstractmethod
    def received(self, Indication: WSK_DATA_INDICATION, length: int, BytesAccepted: list[int]) -> NTSTATUS:
        """The peer sent `length` bytes; answer as WskReceiveEvent does."""

    def expired(self) -> None:
        """`deadline` has come."""
        self.close()

    def send(self, Buffer: WSK_BUF, done: Callable[[NTSTATUS], None] | None = None) -> None:
        self.sends += 1

        def sent(Status: NTSTATUS, Information: int) -> None:
            self.sends -= 1
            if done is not None:
                done(Status)
            if not NT_SUCCESS(Status):
                self.close()
            self._settle()

        submit(self.Socket.Dispatch.WskSend, self.Socket, Buffer, 0, done=sent)

    def disconnected(self, is_abortive: bool) -> None:
        """The peer will send no more.  What it still has coming is sent before we end our side too."""
        if is_abortive:
            self.close()
        else:
            self.peer_finished = True
            self._settle()

    def close(self) -> None:
        """Reset the connection, however far it is from its end.

        Pending sends are ended first: what they borrowed has to be released before the socket may be closed.
        """
        if self.is_closing:
            return
        self.is_closing = True
        if self.sends:
            submit(self.Socket.Dispatch.WskDisconnect, self.Socket, None, WSK_FLAG_ABORTIVE)
        self._settle()

    def finish(self) -> None:
        """End our side behind everything that is being sent; the peer may still send until it ends its own."""
        if not self.is_finishing and not self.is_closing:
            self.is_finishing = True
            submit(self.Socket.Dispatch.WskDisconnect, self.Socket, None, 0, done=self._finished)

    def _finished(self, Status: NTSTATUS, Information: object) -> None:
        self._is_finished = True
        if not NT_SUCCESS(Status):
            self.close()
        self._settle()

    def _settle(self) -> None:
        if self.is_closing:
            if not self.sends:
                self._close_socket()
        elif self.peer_finished and self._is_finished:
            self.close()
        elif self.peer_finished and not self.sends:
            self.finish()

    def _close_socket(self) -> None:
        if self in self.service.connections:
            del self.service.connections[self]
            submit(self.Socket.Dispatch.WskCloseSocket, self.Socket)


class Service:
    """A WSK application on the current host, serving TCP, and UDP unless it says otherwise, of both families."""

    name: ClassVar[str]
    default_port: ClassVar[int]
    summary: ClassVar[str]
    connection_class: ClassVar[type[Connection]]
    has_datagrams: ClassVar[bool] = True
    has_deadlines: ClassVar[bool] = False
    """Its connections have a `deadline`."""
    most_connections: ClassVar[int | None] = None
    """More at once are reset; `None`: as many as come."""

    def __init__(self, port: int | None = None) -> None:
        self.port = self.default_port if port is None else port
        self.connections: dict[Connection, None] = {}
        """The open ones, oldest first."""
        self.accepted = 0
        """Connections ever accepted."""
        self._application: Application | None = None
        self._sockets: list[tuple[WSK_SOCKET, int]] = []
        """Each with the event that brings its work."""
        self._watch: Watch | None = None
        self._connection_dispatch = WSK_CLIENT_CONNECTION_DISPATCH(_receive_event, _disconnect_event, None)

    def start(self) -> None:
        """Register, bind and listen.  `StatusError` names the call that failed; then nothing is left open."""
        self._application = Application(self)
        try:
            for AddressFamily in (AF_INET, AF_INET6):
                self._listen(self._application, AddressFamily)
                if self.has_datagrams:
                    self._receive(self._application, AddressFamily)
        except StatusError:
            self.stop()
            raise
        if self.has_deadlines:
            self._watch = Watch(self._sockets[0][0], self._expire)

    def stop(self) -> None:
        """Close every socket (open connections are reset) and deregister, which waits until all are closed."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        while self._sockets:
            Socket, event = self._sockets.pop()
            # Another thread may be in a callback that uses the socket.
            disable_event(Socket, event)
            submit(Socket.Dispatch.WskCloseSocket, Socket, done=self._close_connections)
        if self._application is not None:
            self._application.close()
            self._application = None

    def _close_connections(self, Status: NTSTATUS, Information: object) -> None:
        """In a completion routine, so that no callback of theirs runs meanwhile."""
        for connection in list(self.connections):
            connection.close()

    def is_full(self) -> bool:
        return self.most_connections is not None and len(self.connections) >= self.most_connections

    def add(self, connection: Connection) -> None:
        self.connections[connection] = None
        self.accepted += 1
        connection.started()
        if self._watch is not None:
            self._watch.wake()

    def _expire(self) -> bool:
        """End what is over its time.  In a completion routine.  Returns whether there is more to wait for."""
        now = system_time()
        for connection in list(self.connections):
            if connection.deadline is not None and connection.deadline <= now:
                connection.expired()
        return bool(self.connections)

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        """Datagrams arrived; answer as WskReceiveFromEvent does.  Here: take them and forget them."""
        return STATUS_SUCCESS

    def _listen(self, application: Application, AddressFamily: int) -> None:
        dispatch = WSK_CLIENT_LISTEN_DISPATCH(_accept_event, None, None)
        Socket = self._open(application, WSK_FLAG_LISTEN_SOCKET, AddressFamily, self, dispatch)
        # Connection events enabled here are inherited by every socket that WskAcceptEvent delivers.
        events = WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT
        require("SO_WSK_EVENT_CALLBACK", control_events(Socket, events))

    def _receive(self, application: Application, AddressFamily: int) -> None:
        context = _DatagramContext(self)
        dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(_receive_from_event)
        context.Socket = self._open(application, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily, context, dispatch)
        require("SO_WSK_EVENT_CALLBACK", control_events(context.Socket, WSK_EVENT_RECEIVE_FROM))

    def _open(
        self, application: Application, Flags: int, AddressFamily: int, context: object, dispatch: object
    ) -> WSK_SOCKET:
        """A socket bound to the port of the service."""
        Status, Socket = application.open(Flags, AddressFamily, context, dispatch)
        require("WskSocket", Status)
        assert isinstance(Socket, WSK_SOCKET)
        event = WSK_EVENT_ACCEPT if Flags == WSK_FLAG_LISTEN_SOCKET else WSK_EVENT_RECEIVE_FROM
        self._sockets.append((Socket, event))
        Status, _ = bind(Socket, address(WILDCARDS[AddressFamily], self.port))
        require(f"WskBind to port {self.port}", Status)
        return Socket


class _DatagramContext:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.Socket: WSK_SOCKET | None = None


def elements(head: Any) -> deque[Any]:
    """The elements of an indication list, in order."""
    found: deque[Any] = deque()
    while head is not None:
        found.append(head)
        head = head.Next
    return found


def _accept_event(
    SocketContext: Service,
    Flags: int,
    LocalAddress: object,
    RemoteAddress: object,
    AcceptSocket: WSK_SOCKET | None,
    AcceptSocketContext: list[Any],
    AcceptSocketDispatch: list[Any],
) -> NTSTATUS:
    service = SocketContext
    if AcceptSocket is None or service.is_full():
        return STATUS_REQUEST_NOT_ACCEPTED
    connection = service.connection_class(service, AcceptSocket)
    AcceptSocketContext[0] = connection
    AcceptSocketDispatch[0] = service._connection_dispatch
    service.add(connection)
    return STATUS_SUCCESS


def _receive_event(
    SocketContext: Connection,
    Flags: int,
    DataIndication: WSK_DATA_INDICATION | None,
    BytesIndicated: int,
    BytesAccepted: list[int],
) -> NTSTATUS:
    if DataIndication is None:
        SocketContext.close()
        return STATUS_SUCCESS
    if SocketContext.is_closing:
        return STATUS_DATA_NOT_ACCEPTED
    return SocketContext.received(DataIndication, BytesIndicated, BytesAccepted)


def _disconnect_event(SocketContext: Connection, Flags: int) -> NTSTATUS:
    SocketContext.disconnected(bool(Flags & WSK_FLAG_ABORTIVE))
    return STATUS_SUCCESS


def _receive_from_event(
    SocketContext: _DatagramContext, Flags: int, DataIndication: WSK_DATAGRAM_INDICATION | None
) -> NTSTATUS:
    if DataIndication is None or SocketContext.Socket is None:
        return STATUS_SUCCESS
    return SocketContext.service.datagrams(SocketContext.Socket, DataIndication)
