"""WSK_PROVIDER_DISPATCH: what an application reaches through the captured NPI (WSK-4.1, 4.2, 5.7, 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.client import Client
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MAKE_WSK_VERSION,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.dispatch import WSK_PROVIDER_DISPATCH
from wsknet.wsk.irp import IRP, take_irp
from wsknet.wsk.requests import Refusal, complete_here, perform
from wsknet.wsk.sockaddr import SOCKADDR, SockAddr, remote_endpoint
from wsknet.wsk.sockets.base import Socket
from wsknet.wsk.sockets.basic import BASIC_DISPATCH, BasicSocket
from wsknet.wsk.sockets.connection import CONNECTION_DISPATCH, ConnectionSocket
from wsknet.wsk.sockets.datagram import DATAGRAM_DISPATCH, DatagramSocket
from wsknet.wsk.sockets.listening import LISTEN_DISPATCH, ListeningSocket
from wsknet.wsk.sockets.stream import STREAM_DISPATCH, StreamSocket
from wsknet.wsk.sockets.transport import TransportSocket, security_of
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
)

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.structures import EPROCESS, SECURITY_DESCRIPTOR

_STREAM = (SOCK_STREAM, IPPROTO_TCP)
_DATAGRAM = (SOCK_DGRAM, IPPROTO_UDP)

COMBINATIONS: dict[int, tuple[tuple[int, int], ...]] = {
    # Windows creates a listening socket for UDP and refuses its bind (C-17).
    WSK_FLAG_LISTEN_SOCKET: (_STREAM, _DATAGRAM),
    WSK_FLAG_CONNECTION_SOCKET: (_STREAM,),
    WSK_FLAG_DATAGRAM_SOCKET: (_DATAGRAM,),
    WSK_FLAG_STREAM_SOCKET: (_STREAM,),
    WSK_FLAG_BASIC_SOCKET: (_STREAM, _DATAGRAM),
}
"""SocketType and Protocol by category.  Raw sockets do not exist in this stack beyond the basic category."""

CATEGORIES: dict[int, tuple[type[TransportSocket], Any]] = {
    WSK_FLAG_LISTEN_SOCKET: (ListeningSocket, LISTEN_DISPATCH),
    WSK_FLAG_CONNECTION_SOCKET: (ConnectionSocket, CONNECTION_DISPATCH),
    WSK_FLAG_DATAGRAM_SOCKET: (DatagramSocket, DATAGRAM_DISPATCH),
    WSK_FLAG_STREAM_SOCKET: (StreamSocket, STREAM_DISPATCH),
}


def WskSocket(
    Client: Client | None,
    AddressFamily: int,
    SocketType: int,
    Protocol: int,
    Flags: int,
    SocketContext: Any,
    Dispatch: Any,
    OwningProcess: EPROCESS | None,
    OwningThread: Any,
    SecurityDescriptor: SECURITY_DESCRIPTOR | None,
    Irp: IRP | None,
) -> NTSTATUS:
    """Information is the new socket.  `Flags` names one category, 0 the basic one."""
    kind = (AddressFamily, SocketType, Protocol, Flags)
    owner = (OwningProcess, SecurityDescriptor)
    return _perform(Client, Irp, _create, kind, SocketContext, Dispatch, owner)


def _perform(client: Client | None, Irp: IRP | None, operation: Any, *arguments: Any) -> NTSTATUS:
    if Irp is None:
        return STATUS_INVALID_PARAMETER
    if client is None:
        take_irp(Irp)
        Irp.IoStatus.Status = STATUS_INVALID_HANDLE
        Irp.IoStatus.Information = 0
        complete_here(Irp)
        return STATUS_INVALID_HANDLE
    client.enter()
    try:
        return perform(client.host, Irp, operation, client, *arguments)
    finally:
        client.leave()


def _create(
    Irp: IRP,
    now: Instant,
    client: Client,
    kind: tuple[int, int, int, int],
    SocketContext: Any,
    Dispatch: Any,
    owner: tuple[EPROCESS | None, SECURITY_DESCRIPTOR | None],
) -> Any:
    AddressFamily, SocketType, Protocol, Flags = kind
    combinations = COMBINATIONS.get(Flags)
    if combinations is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    is_raw_basic = Flags == WSK_FLAG_BASIC_SOCKET and SocketType == SOCK_RAW
    if AddressFamily not in (AF_INET, AF_INET6) or not ((SocketType, Protocol) in combinations or is_raw_basic):
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    socket: Socket
    if Flags == WSK_FLAG_BASIC_SOCKET:
        if SocketContext is not None or Dispatch is not None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        socket = BasicSocket(BASIC_DISPATCH, client, AddressFamily)
    else:
        make, table = CATEGORIES[Flags]
        transport = make(table, client, AddressFamily, SocketContext, Dispatch)
        transport.security = security_of(*owner)
        if isinstance(transport, ListeningSocket):
            transport.protocol = Protocol
        socket = transport
    client.add_socket(socket)
    return socket


def WskSocketConnect(
    Client: Client | None,
    SocketType: int,
    Protocol: int,
    LocalAddress: SockAddr,
    RemoteAddress: SockAddr,
    Flags: int,
    SocketContext: Any,
    Dispatch: Any,
    OwningProcess: EPROCESS | None,
    OwningThread: Any,
    SecurityDescriptor: SECURITY_DESCRIPTOR | None,
    Irp: IRP | None,
) -> NTSTATUS:
    """Create, bind and connect.  The family is that of `LocalAddress`; Information is the socket, on success only."""
    kind = (SocketType, Protocol, Flags)
    owner = (OwningProcess, SecurityDescriptor)
    addresses = (LocalAddress, RemoteAddress)
    return _perform(Client, Irp, _create_connected, kind, addresses, SocketContext, Dispatch, owner)


def _create_connected(
    Irp: IRP,
    now: Instant,
    client: Client,
    kind: tuple[int, int, int],
    addresses: tuple[SockAddr, SockAddr],
    SocketContext: Any,
    Dispatch: Any,
    owner: tuple[EPROCESS | None, SECURITY_DESCRIPTOR | None],
) -> Any:
    SocketType, Protocol, Flags = kind
    LocalAddress, RemoteAddress = addresses
    if Flags:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    family = int.from_bytes(bytes(LocalAddress)[:2], "little")
    if (SocketType, Protocol) != _STREAM or family not in (AF_INET, AF_INET6):
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    socket = ConnectionSocket(CONNECTION_DISPATCH, client, family, SocketContext, Dispatch)
    socket.security = security_of(*owner)
    remote = remote_endpoint(RemoteAddress, family, socket.is_dual)
    socket.bind(LocalAddress, 0, now)
    try:
        socket.connect(remote, now)
    except Exception:
        socket.endpoint.close(now)
        raise
    client.add_socket(socket)
    Irp._out = socket
    socket.connect_irp = Irp
    return socket.pend(Irp, now)


def WskControlClient(
    Client: Client | None,
    ControlCode: int,
    InputSize: int,
    InputBuffer: Any,
    OutputSize: int,
    OutputBuffer: Any,
    OutputSizeReturned: list[int] | None,
    Irp: IRP | None,
) -> NTSTATUS:
    """Not there yet.  Most control codes take no IRP, so the status is all there is to tell."""
    return STATUS_NOT_IMPLEMENTED if Irp is None else _perform(Client, Irp, _not_implemented)


def WskGetAddressInfo(
    Client: Client | None,
    NodeName: Any,
    ServiceName: Any,
    NameSpace: int,
    Provider: Any,
    Hints: Any,
    Result: list[Any],
    OwningProcess: Any,
    OwningThread: Any,
    Irp: IRP | None,
) -> NTSTATUS:
    """Not there yet."""
    return _perform(Client, Irp, _not_implemented)


def WskFreeAddressInfo(Client: Client | None, AddrInfo: Any) -> None:
    """WskGetAddressInfo has handed out nothing."""


def WskGetNameInfo(
    Client: Client | None,
    SockAddr: SOCKADDR,
    SockAddrLength: int,
    NodeName: Any,
    ServiceName: Any,
    Flags: int,
    OwningProcess: Any,
    OwningThread: Any,
    Irp: IRP | None,
) -> NTSTATUS:
    """Not there yet."""
    return _perform(Client, Irp, _not_implemented)


def _not_implemented(Irp: IRP, now: Instant, client: Client) -> Any:
    raise Refusal(STATUS_NOT_IMPLEMENTED)


PROVIDER_DISPATCH = WSK_PROVIDER_DISPATCH(
    Version=MAKE_WSK_VERSION(1, 0),
    Reserved=0,
    WskSocket=WskSocket,
    WskSocketConnect=WskSocketConnect,
    WskControlClient=WskControlClient,
    WskGetAddressInfo=WskGetAddressInfo,
    WskFreeAddressInfo=WskFreeAddressInfo,
    WskGetNameInfo=WskGetNameInfo,
)
