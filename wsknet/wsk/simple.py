"""WSK for people who do not want to write IRPs by hand: every call waits and returns ``(Status, value)``.

Built on the public functions alone, and a small example of their use.  Needs a current host, and a thread that may
wait: the main program or a system thread, not a completion routine or callback.

    with host.activate(), Application() as application:
        status, server = application.open(WSK_FLAG_LISTEN_SOCKET)
        bind(server, address("0.0.0.0", 80))
        status, connection = accept(server)
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from wsknet import text
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    MAKE_WSK_VERSION,
    SO_WSK_EVENT_CALLBACK,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSK_CACHE_SD,
    WSK_EVENT_DISABLE,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_INFINITE_WAIT,
    WSK_RELEASE_SD,
    WskGetOption,
    WskSetOption,
)
from wsknet.wsk.irp import IRP, IoAllocateIrp, IoCancelIrp, IoFreeIrp, IoSetCompletionRoutine
from wsknet.wsk.ke import (
    KEVENT,
    Executive,
    KeInitializeEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForSingleObject,
    NotificationEvent,
)
from wsknet.wsk.mdl import IoAllocateMdl, IoFreeMdl, MmBuildMdlForNonPagedPool
from wsknet.wsk.registration import WskCaptureProviderNPI, WskDeregister, WskRegister, WskReleaseProviderNPI
from wsknet.wsk.sockaddr import SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_STORAGE, htons
from wsknet.wsk.status import (
    NT_SUCCESS,
    NTSTATUS,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_TIMEOUT,
)
from wsknet.wsk.structures import (
    NPI_WSK_INTERFACE_ID,
    SECURITY_DESCRIPTOR,
    WSK_BUF,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_SOCKET,
    ip_mreq,
    ipv6_mreq,
)

Result = tuple[NTSTATUS, Any]


class Application:
    """A registered client with the provider captured.  On the way out it deregisters, which waits for open sockets."""

    def __init__(self, ClientContext: Any = None) -> None:
        self.registration = WSK_REGISTRATION()
        self.provider = WSK_PROVIDER_NPI()
        client = WSK_CLIENT_NPI(ClientContext, WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0)))
        _require(WskRegister(client, self.registration))
        _require(WskCaptureProviderNPI(self.registration, WSK_INFINITE_WAIT, self.provider))

    def open(
        self,
        Flags: int,
        AddressFamily: int = AF_INET,
        SocketContext: Any = None,
        Dispatch: Any = None,
        **owner: Any,
    ) -> Result:
        """WskSocket of the category `Flags`; `owner`: OwningProcess, OwningThread, SecurityDescriptor.

        The descriptor need not be a cached one.
        """
        is_datagram = Flags == WSK_FLAG_DATAGRAM_SOCKET
        kind = (SOCK_DGRAM, IPPROTO_UDP) if is_datagram else (SOCK_STREAM, IPPROTO_TCP)
        cached: list[Any] = [owner.get("SecurityDescriptor")]
        if cached[0] is not None:
            Status = self.control(WSK_CACHE_SD, 8, [cached[0]], 8, cached, None)
            if not NT_SUCCESS(Status):
                return Status, 0
        security = (owner.get("OwningProcess"), owner.get("OwningThread"), cached[0])
        arguments = (AddressFamily, *kind, Flags, SocketContext, Dispatch, *security)
        try:
            return call(self.provider.Dispatch.WskSocket, self.provider.Client, *arguments)
        finally:
            if cached[0] is not None:
                self.release(cached[0])

    def open_connected(
        self, local: SOCKADDR, remote: SOCKADDR, SocketContext: Any = None, Dispatch: Any = None
    ) -> Result:
        """WskSocketConnect."""
        arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, SocketContext, Dispatch, None, None, None)
        return call(self.provider.Dispatch.WskSocketConnect, self.provider.Client, *arguments)

    def control(self, ControlCode: int, *buffers: Any) -> NTSTATUS:
        """WskControlClient without an IRP; `buffers` are its parameters from InputSize to OutputSizeReturned."""
        Status: NTSTATUS = self.provider.Dispatch.WskControlClient(self.provider.Client, ControlCode, *buffers, None)
        return Status

    def cache(self, SecurityDescriptor: SECURITY_DESCRIPTOR) -> SECURITY_DESCRIPTOR:
        """WSK_CACHE_SD; to be given to `release`."""
        cached: list[Any] = [None]
        _require(self.control(WSK_CACHE_SD, 8, [SecurityDescriptor], 8, cached, None))
        copy: SECURITY_DESCRIPTOR = cached[0]
        return copy

    def release(self, SecurityDescriptor: SECURITY_DESCRIPTOR) -> None:
        """WSK_RELEASE_SD."""
        _require(self.control(WSK_RELEASE_SD, 8, [SecurityDescriptor], 0, None, None))

    def close(self) -> None:
        WskReleaseProviderNPI(self.registration)
        WskDeregister(self.registration)

    def __enter__(self) -> Application:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        WskReleaseProviderNPI(self.registration)
        if kind is None:
            WskDeregister(self.registration)


def _require(Status: NTSTATUS) -> None:
    if not NT_SUCCESS(Status):
        raise RuntimeError(f"WSK cannot be used: {Status.name}")


def call(function: Callable[..., NTSTATUS], *arguments: Any, seconds: float | None = None) -> Result:
    """Call a WSK function whose last parameter is an IRP, and wait for that: its IoStatus.

    After `seconds` the request is cancelled; it then ends with STATUS_CANCELLED unless it has won the race.
    """
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        return STATUS_INSUFFICIENT_RESOURCES, 0
    Event = KEVENT()
    KeInitializeEvent(Event, NotificationEvent, False)
    IoSetCompletionRoutine(Irp, _wake, Event, True, True, True)
    function(*arguments, Irp)
    timeout = None if seconds is None else -int(seconds * 10_000_000)
    if KeWaitForSingleObject(Event, Executive, KernelMode, False, timeout) == STATUS_TIMEOUT:
        IoCancelIrp(Irp)
        KeWaitForSingleObject(Event, Executive, KernelMode, False, None)
    result = (Irp.IoStatus.Status, Irp.IoStatus.Information)
    IoFreeIrp(Irp)
    return result


def _wake(DeviceObject: Any, Irp: IRP, Context: KEVENT) -> NTSTATUS:
    KeSetEvent(Context, 0, False)
    return STATUS_MORE_PROCESSING_REQUIRED


# Memory and addresses


def buffer(memory: bytes | bytearray | memoryview) -> WSK_BUF:
    """A WSK_BUF over all of `memory`."""
    length = memoryview(memory).nbytes
    Mdl = IoAllocateMdl(memory, length, False, False, None)
    if Mdl is None:
        raise MemoryError("IoAllocateMdl returned NULL")
    MmBuildMdlForNonPagedPool(Mdl)
    return WSK_BUF(Mdl, 0, length)


def _lend(
    function: Callable[..., NTSTATUS],
    Socket: WSK_SOCKET,
    memory: bytes | bytearray,
    *arguments: Any,
    seconds: float | None = None,
) -> Result:
    """`call` with a buffer over `memory`, which is free again when it returns."""
    try:
        Buffer = buffer(memory)
    except MemoryError:
        return STATUS_INSUFFICIENT_RESOURCES, 0
    result = call(function, Socket, Buffer, *arguments, seconds=seconds)
    assert Buffer.Mdl is not None
    IoFreeMdl(Buffer.Mdl)
    return result


def address(host: str, port: int, scope: int = 0) -> SOCKADDR_IN | SOCKADDR_IN6:
    """``address("192.0.2.1", 80)``; ``0.0.0.0`` and ``::`` are the wildcards.

    `scope` is the number of the interface of a link-local address.  `ValueError` for what is no address or port.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"port {port} is out of range: expected 0 to 65535")
    octets = text.parse_address(host)
    if len(octets) == 4:
        return SOCKADDR_IN(sin_port=htons(port), sin_addr=octets)
    return SOCKADDR_IN6(sin6_port=htons(port), sin6_addr=octets, sin6_scope_id=scope)


def host_and_port(sockaddr: SOCKADDR) -> tuple[str, int]:
    """What `address` was made from."""
    raw = bytes(sockaddr)
    octets = raw[4:8] if sockaddr.sa_family == AF_INET else raw[8:24]
    return text.format_address(octets), raw[2] << 8 | raw[3]


# Functions of sockets


def bind(Socket: WSK_SOCKET, LocalAddress: SOCKADDR) -> Result:
    return call(Socket.Dispatch.WskBind, Socket, LocalAddress, 0)


def listen(Socket: WSK_SOCKET) -> Result:
    return call(Socket.Dispatch.WskListen, Socket)


def connect(Socket: WSK_SOCKET, RemoteAddress: SOCKADDR, seconds: float | None = None) -> Result:
    return call(Socket.Dispatch.WskConnect, Socket, RemoteAddress, 0, seconds=seconds)


def accept(Socket: WSK_SOCKET, Context: Any = None, Dispatch: Any = None, seconds: float | None = None) -> Result:
    """The value is the accepted socket."""
    return call(Socket.Dispatch.WskAccept, Socket, 0, Context, Dispatch, None, None, seconds=seconds)


def send(Socket: WSK_SOCKET, data: bytes | bytearray, Flags: int = 0) -> Result:
    return _lend(Socket.Dispatch.WskSend, Socket, data, Flags)


def receive(Socket: WSK_SOCKET, length: int = 65536, Flags: int = 0, seconds: float | None = None) -> Result:
    """The value is the bytes: none when the peer has finished."""
    memory = bytearray(length)
    Status, count = _lend(Socket.Dispatch.WskReceive, Socket, memory, Flags, seconds=seconds)
    return Status, bytes(memory[:count])


def send_to(Socket: WSK_SOCKET, data: bytes | bytearray, RemoteAddress: SOCKADDR | None = None) -> Result:
    return _lend(Socket.Dispatch.WskSendTo, Socket, data, 0, RemoteAddress, 0, None)


def receive_from(Socket: WSK_SOCKET, length: int = 65536, seconds: float | None = None) -> Result:
    """The value is the datagram and the SOCKADDR it came from."""
    memory, source = bytearray(length), SOCKADDR_STORAGE()
    out = (source, None, None, None)
    Status, count = _lend(Socket.Dispatch.WskReceiveFrom, Socket, memory, 0, *out, seconds=seconds)
    return Status, (bytes(memory[:count]), _narrow(source))


def disconnect(Socket: WSK_SOCKET, data: bytes | None = None, is_abortive: bool = False) -> Result:
    Flags = WSK_FLAG_ABORTIVE if is_abortive else 0
    if data is None:
        return call(Socket.Dispatch.WskDisconnect, Socket, None, Flags)
    return _lend(Socket.Dispatch.WskDisconnect, Socket, data, Flags)


def close(Socket: WSK_SOCKET) -> Result:
    return call(Socket.Dispatch.WskCloseSocket, Socket)


def local_address(Socket: WSK_SOCKET) -> Result:
    """The value is a SOCKADDR_IN or SOCKADDR_IN6."""
    found = SOCKADDR_STORAGE()
    Status, _ = call(Socket.Dispatch.WskGetLocalAddress, Socket, found)
    return Status, _narrow(found)


def remote_address(Socket: WSK_SOCKET) -> Result:
    """The value is a SOCKADDR_IN or SOCKADDR_IN6."""
    found = SOCKADDR_STORAGE()
    Status, _ = call(Socket.Dispatch.WskGetRemoteAddress, Socket, found)
    return Status, _narrow(found)


def _narrow(found: SOCKADDR_STORAGE) -> SOCKADDR:
    return SOCKADDR_IN6.cast(found) if found.ss_family == AF_INET6 else SOCKADDR_IN.cast(found)


# Control


def set_option(Socket: WSK_SOCKET, Level: int, Option: int, value: int) -> Result:
    arguments = (Socket, WskSetOption, Option, Level, 4, [value], 0, None, None)
    return call(Socket.Dispatch.WskControlSocket, *arguments)


def get_option(Socket: WSK_SOCKET, Level: int, Option: int) -> Result:
    found: list[int] = [0]
    Status, _ = call(Socket.Dispatch.WskControlSocket, Socket, WskGetOption, Option, Level, 0, None, 4, found, None)
    return Status, found[0]


def join_group(Socket: WSK_SOCKET, group: str, interface: int = 0) -> Result:
    """Receive what is sent to `group` on an interface, by its `Host.interface_index`; 0: by the route to the group."""
    return _change_membership(Socket, group, interface, IP_ADD_MEMBERSHIP, IPV6_ADD_MEMBERSHIP)


def leave_group(Socket: WSK_SOCKET, group: str, interface: int = 0) -> Result:
    return _change_membership(Socket, group, interface, IP_DROP_MEMBERSHIP, IPV6_DROP_MEMBERSHIP)


def _change_membership(Socket: WSK_SOCKET, group: str, interface: int, code: int, code6: int) -> Result:
    octets = text.parse_address(group)
    membership: ip_mreq | ipv6_mreq
    if len(octets) == 4:
        # An interface is named by one of its addresses, or by its number as 0.x.x.x.
        Level, membership = IPPROTO_IP, ip_mreq(octets, interface.to_bytes(4, "big"))
    else:
        Level, code, membership = IPPROTO_IPV6, code6, ipv6_mreq(octets, interface)
    arguments = (Socket, WskSetOption, code, Level, len(bytes(membership)), membership, 0, None, None)
    return call(Socket.Dispatch.WskControlSocket, *arguments)


def control_events(Socket: WSK_SOCKET, EventMask: int) -> NTSTATUS:
    """Enable the events of the mask, or disable one that is combined with WSK_EVENT_DISABLE.  Does not wait."""
    Status: NTSTATUS = Socket.Dispatch.WskControlSocket(Socket, *_event_control(EventMask), None)
    return Status


def disable_event(Socket: WSK_SOCKET, Event: int) -> Result:
    """Waits for a callback that is running, and for the completion routines due before."""
    return call(Socket.Dispatch.WskControlSocket, Socket, *_event_control(Event | WSK_EVENT_DISABLE))


def _event_control(EventMask: int) -> tuple[Any, ...]:
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, EventMask)
    return (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, Control.SIZE, Control, 0, None, None)
