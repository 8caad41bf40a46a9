"""WSPIoctl ("Winsock IOCTLs").  What is not here is WSAEOPNOTSUPP, or for quality of service WSAENOPROTOOPT."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from wsknet.san.arguments import check_output, read_destination, store_address_list
from wsknet.san.base.arguments import ULONG_SIZE, read_overlapped, read_ulong
from wsknet.san.base.datagram_socket import DatagramSocket
from wsknet.san.base.operations import Operation, Outcome, Way, perform
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    FD_ADDRESS_LIST_CHANGE,
    FIONBIO,
    FIONREAD,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_GROUP_QOS,
    SIO_GET_QOS,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_SET_GROUP_QOS,
    SIO_SET_QOS,
    SIO_UDP_CONNRESET,
    SIOCATMARK,
    SOCKET_ERROR,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.sockets import Socket
    from wsknet.types import Instant

_QUALITY = (SIO_GET_QOS, SIO_GET_GROUP_QOS, SIO_SET_QOS, SIO_SET_GROUP_QOS)


class _Request(NamedTuple):
    """The buffers of one call; `returned` is where the size of the output goes."""

    into: Any
    into_size: Any
    out: Any
    out_size: Any
    returned: INT
    overlapped: Any
    routine: Any


_Control: TypeAlias = Callable[["ControlFunctions", "Socket", _Request], int]
"""Returns the bytes of output; sets `returned` itself where it fails for want of room."""


class ControlFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPIoctl(
        self,
        s: Any,
        dwIoControlCode: Any,
        lpvInBuffer: Any,
        cbInBuffer: Any,
        lpvOutBuffer: Any,
        cbOutBuffer: Any,
        lpcbBytesReturned: Any,
        lpOverlapped: Any,
        lpCompletionRoutine: Any,
        lpThreadId: Any,
    ) -> int:
        """Everything but SIO_ADDRESS_LIST_CHANGE is answered at once, with lpOverlapped as well."""
        socket = self._sockets.find(s)
        lpOverlapped = read_overlapped(lpOverlapped, lpCompletionRoutine, is_overlapped=socket.is_overlapped)
        if lpcbBytesReturned is None and lpOverlapped is not None:
            lpcbBytesReturned = INT()
        if not isinstance(lpcbBytesReturned, INT):
            raise WinsockError(WSAEFAULT)
        control = _CONTROLS.get(dwIoControlCode) if isinstance(dwIoControlCode, int) else None
        if control is None:
            raise WinsockError(WSAENOPROTOOPT if dwIoControlCode in _QUALITY else WSAEOPNOTSUPP)
        request = _Request(
            lpvInBuffer, cbInBuffer, lpvOutBuffer, cbOutBuffer, lpcbBytesReturned, lpOverlapped, lpCompletionRoutine
        )
        count = control(self, socket, request)
        lpcbBytesReturned.Value = count
        if lpOverlapped is not None and dwIoControlCode != SIO_ADDRESS_LIST_CHANGE:
            with self._provider.host.pump:
                operation = Operation(self._provider.host, _never, lpOverlapped, lpCompletionRoutine)
                operation.finish(Outcome(count))
        return 0

    def set_nonblocking(self, socket: Socket, request: _Request) -> int:
        is_nonblocking = bool(read_ulong(request.into, request.into_size))
        if not is_nonblocking and socket.events.mask:
            raise WinsockError(WSAEINVAL)
        socket.settings.is_nonblocking = is_nonblocking
        return 0

    def count_readable(self, socket: Socket, request: _Request) -> int:
        with self._provider.host.pump:
            readable = socket.readable
        return _store_ulong(request, readable)

    def is_at_mark(self, socket: Socket, request: _Request) -> int:
        if not isinstance(socket, StreamSocket):
            raise WinsockError(WSAEINVAL)
        with self._provider.host.pump:
            is_at_mark = socket.reader is None or socket.reader.is_at_mark
        return _store_ulong(request, int(is_at_mark))

    def query_addresses(self, socket: Socket, request: _Request) -> int:
        with self._provider.host.pump:
            addresses = self._provider.address_lists.current()
        return store_address_list(addresses, request.out, request.out_size, request.returned)

    def await_change(self, socket: Socket, request: _Request) -> int:
        """Overlapped it is under way until the list changes; a nonblocking socket hears FD_ADDRESS_LIST_CHANGE."""
        way = Way("WSPIoctl(SIO_ADDRESS_LIST_CHANGE)", request.overlapped, request.routine)
        try:
            outcome = perform(socket, FD_ADDRESS_LIST_CHANGE, _never, way)
        except WinsockError as refusal:
            if refusal.code == WSAEWOULDBLOCK:
                with self._provider.host.pump:
                    socket.awaits_address_list = True
                    socket.events.enable(FD_ADDRESS_LIST_CHANGE)
            raise
        if outcome.error:
            raise WinsockError(outcome.error)
        return 0

    def query_route(self, socket: Socket, request: _Request) -> int:
        """The address, ready to be bound with port 0, from which the destination is reached now."""
        destination = read_destination(request.into, request.into_size)
        check_output(request.out, request.out_size, SOCKADDR_IN, SIZE, request.returned)
        with self._provider.host.pump:
            path = self._provider.host.stack.ip.path(destination.address, None, 0, None, 0)
        request.out.assign(SOCKADDR_IN(path.source))
        return SIZE

    def set_connection_reset(self, socket: Socket, request: _Request) -> int:
        if not isinstance(socket, DatagramSocket):
            raise WinsockError(WSAEINVAL)
        socket.endpoint.tells_port_unreachable = bool(read_ulong(request.into, request.into_size))
        return 0


def _never(now: Instant) -> Outcome | None:
    return None


def _store_ulong(request: _Request, value: int) -> int:
    check_output(request.out, request.out_size, INT, ULONG_SIZE, request.returned)
    request.out.Value = value
    return ULONG_SIZE


_CONTROLS: dict[int, _Control] = {
    FIONBIO: ControlFunctions.set_nonblocking,
    FIONREAD: ControlFunctions.count_readable,
    SIOCATMARK: ControlFunctions.is_at_mark,
    SIO_ADDRESS_LIST_QUERY: ControlFunctions.query_addresses,
    SIO_ADDRESS_LIST_CHANGE: ControlFunctions.await_change,
    SIO_ROUTING_INTERFACE_QUERY: ControlFunctions.query_route,
    SIO_UDP_CONNRESET: ControlFunctions.set_connection_reset,
}
