"""WSK_PROVIDER_DISPATCH: what an application reaches through the captured NPI (WSK-4.1, 4.2, 5.7, 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.client import Client
from wsknet.wsk.client_requests import perform_for_client
from wsknet.wsk.constants import (
    MAKE_WSK_VERSION,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.control.client import WskControlClient
from wsknet.wsk.control.security import CachedDescriptor, require_cached, security_of
from wsknet.wsk.control.tdi import refusal_without_native_transport
from wsknet.wsk.control.transports import COMBINATIONS, RAW, STREAM, transports_of
from wsknet.wsk.dispatch import WSK_PROVIDER_DISPATCH
from wsknet.wsk.irp import IRP
from wsknet.wsk.names import WskFreeAddressInfo, WskGetAddressInfo, WskGetNameInfo
from wsknet.wsk.pointers import require_kind
from wsknet.wsk.requests import KEPT, complete, forbid_flags, mark_pending
from wsknet.wsk.sockaddr import ADDRESS_KINDS, SockAddr, remote_endpoint
from wsknet.wsk.sockets.base import Socket
from wsknet.wsk.sockets.basic import BASIC_DISPATCH, BasicSocket
from wsknet.wsk.sockets.connection import CONNECTION_DISPATCH, ConnectionSocket
from wsknet.wsk.sockets.datagram import DATAGRAM_DISPATCH, DatagramSocket
from wsknet.wsk.sockets.listening import LISTEN_DISPATCH, ListeningSocket
from wsknet.wsk.sockets.raw import MAX_PROTOCOL, RawSocket
from wsknet.wsk.sockets.stream import STREAM_DISPATCH, StreamSocket
from wsknet.wsk.sockets.transport import TransportSocket
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
)
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.structures import EPROCESS, SECURITY_DESCRIPTOR

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
    require_cached(SecurityDescriptor)
    owner = (OwningProcess, OwningThread, SecurityDescriptor)
    return perform_for_client(Client, Irp, _create, kind, SocketContext, Dispatch, owner)


def _create(
    Irp: IRP,
    now: Instant,
    client: Client,
    kind: tuple[int, int, int, int],
    SocketContext: Any,
    Dispatch: Any,
    owner: tuple[EPROCESS | None, Any, SECURITY_DESCRIPTOR | None],
) -> Any:
    AddressFamily, SocketType, Protocol, Flags = kind
    combinations = COMBINATIONS.get(Flags)
    if combinations is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    transport = transports_of(client.host).find(AddressFamily, SocketType, Protocol)
    if transport is None:
        raise refusal_without_native_transport(client, AddressFamily, SocketType, Protocol)
    if transport.kind not in combinations or not 0 <= Protocol <= MAX_PROTOCOL:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    socket: Socket
    if Flags == WSK_FLAG_BASIC_SOCKET:
        if SocketContext is not None or Dispatch is not None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        socket = BasicSocket(BASIC_DISPATCH, client, AddressFamily)
    else:
        make, table = (RawSocket, DATAGRAM_DISPATCH) if transport.kind == RAW else CATEGORIES[Flags]
        made = make(table, client, AddressFamily, SocketContext, Dispatch)
        made.security = security_of(*owner)
        if isinstance(made, ListeningSocket | RawSocket):
            made.protocol = Protocol
        socket = made
    socket.socket_type = SocketType
    client.add_socket(socket)
    return _deliver(Irp, client, socket)


def _deliver(Irp: IRP, client: Client, socket: Socket) -> Any:
    """Windows lets WskSocket pend (R-090), so we do, unless completions are disturbed on purpose."""
    completions = client.host.pump.completions
    if completions.disturbance is not None:
        return socket
    mark_pending(Irp)
    Irp.IoStatus.Status = STATUS_SUCCESS
    Irp.IoStatus.Information = socket
    completions.post(complete, Irp)
    return KEPT


def WskSocketConnect(
    Client: Client | None,
    SocketType: int,
    Protocol: int,
    LocalAddress: SockAddr | None,
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
    require_cached(SecurityDescriptor)
    require_kind(LocalAddress, ADDRESS_KINDS, "LocalAddress")
    owner = (OwningProcess, OwningThread, SecurityDescriptor)
    addresses = (LocalAddress, RemoteAddress)
    return perform_for_client(Client, Irp, _create_connected, kind, addresses, SocketContext, Dispatch, owner)


def _create_connected(
    Irp: IRP,
    now: Instant,
    client: Client,
    kind: tuple[int, int, int],
    addresses: tuple[SockAddr | None, SockAddr],
    SocketContext: Any,
    Dispatch: Any,
    owner: tuple[EPROCESS | None, Any, SECURITY_DESCRIPTOR | None],
) -> Any:
    SocketType, Protocol, Flags = kind
    LocalAddress, RemoteAddress = addresses
    forbid_flags(Flags, "WSK-4.2")
    if LocalAddress is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "the address is NULL")
    family = int.from_bytes(bytes(LocalAddress)[:2], "little")
    transport = transports_of(client.host).find(family, SocketType, Protocol)
    if transport is None:
        raise refusal_without_native_transport(client, family, SocketType, Protocol)
    if transport.kind != STREAM:
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
    if isinstance(owner[-1], CachedDescriptor):
        owner[-1].keep_for(socket)
    return socket.pend(Irp, now)


_checked = checked(STATUS_INVALID_PARAMETER)

PROVIDER_DISPATCH = WSK_PROVIDER_DISPATCH(
    Version=MAKE_WSK_VERSION(1, 0),
    Reserved=0,
    WskSocket=_checked(WskSocket),
    WskSocketConnect=_checked(WskSocketConnect),
    WskControlClient=_checked(WskControlClient),
    WskGetAddressInfo=_checked(WskGetAddressInfo),
    WskFreeAddressInfo=_checked(WskFreeAddressInfo),
    WskGetNameInfo=_checked(WskGetNameInfo),
)
