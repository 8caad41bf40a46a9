"""What each of the drivers needs: memory with its MDL, a request to wait for, and the way to the subsystem and back."""

from __future__ import annotations

from wsknet.wsk import *

POOL_TAG = 0x6F686345  # 'Echo'
CAPTURE_TIMEOUT = 5000
"""Milliseconds.  DriverEntry must not wait for ever for a subsystem that may not come."""

AppDispatch = WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 0, None)


def AttachToWsk(Registration: WSK_REGISTRATION, Provider: WSK_PROVIDER_NPI) -> NTSTATUS:
    """WskRegister and WskCaptureProviderNPI, or neither."""
    Status = WskRegister(WSK_CLIENT_NPI(None, AppDispatch), Registration)
    if not NT_SUCCESS(Status):
        return Status
    Status = WskCaptureProviderNPI(Registration, CAPTURE_TIMEOUT, Provider)
    if not NT_SUCCESS(Status):
        WskDeregister(Registration)
    return Status


def DetachFromWsk(Registration: WSK_REGISTRATION) -> None:
    """Waits until every socket is closed."""
    WskReleaseProviderNPI(Registration)
    WskDeregister(Registration)


def WildcardAddress(AddressFamily: int) -> SOCKADDR:
    """Any local address and any free port."""
    return SOCKADDR_IN6() if AddressFamily == AF_INET6 else SOCKADDR_IN()


# Memory that requests may use


class BUFFER:
    """Pool and the MDL that describes it."""

    __slots__ = ("Mdl", "Memory")

    def __init__(self, Memory: bytearray, Mdl: MDL) -> None:
        self.Memory = Memory
        self.Mdl = Mdl


def AllocateBuffer(Length: int) -> BUFFER | None:
    Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, POOL_TAG)
    if Memory is None:
        return None
    Mdl = IoAllocateMdl(Memory, Length, False, False, None)
    if Mdl is None:
        ExFreePoolWithTag(Memory, POOL_TAG)
        return None
    MmBuildMdlForNonPagedPool(Mdl)
    return BUFFER(Memory, Mdl)


def FreeBuffer(Buffer: BUFFER | None) -> None:
    if Buffer is not None:
        IoFreeMdl(Buffer.Mdl)
        ExFreePoolWithTag(Buffer.Memory, POOL_TAG)


# Requests to wait for: PASSIVE_LEVEL only


class REQUEST:
    """One IRP and one event, used again and again.

    Allocated before the socket is made, so that memory cannot run out when it has to be closed.
    """

    __slots__ = ("Event", "Irp")

    def __init__(self, Irp: IRP) -> None:
        self.Irp = Irp
        self.Event = KEVENT()
        KeInitializeEvent(self.Event, SynchronizationEvent, False)


def AllocateRequest() -> REQUEST | None:
    Irp = IoAllocateIrp(1, False)
    return None if Irp is None else REQUEST(Irp)


def FreeRequest(Request: REQUEST | None) -> None:
    if Request is not None:
        IoFreeIrp(Request.Irp)


def PrepareRequest(Request: REQUEST) -> IRP:
    """The IRP, for the last parameter of any WSK function; WaitForRequest has to follow."""
    IoReuseIrp(Request.Irp, STATUS_UNSUCCESSFUL)
    IoSetCompletionRoutine(Request.Irp, RequestComplete, Request, True, True, True)
    return Request.Irp


def RequestComplete(DeviceObject: object, Irp: IRP, Context: REQUEST) -> NTSTATUS:
    KeSetEvent(Context.Event, IO_NO_INCREMENT, False)
    return STATUS_MORE_PROCESSING_REQUIRED


def WaitForRequest(Request: REQUEST, Milliseconds: int | None = None) -> NTSTATUS:
    """STATUS_IO_TIMEOUT if it had to be cancelled: it has ended in any case, and its memory is free again."""
    Timeout = None if Milliseconds is None else -10_000 * Milliseconds
    IsLate = KeWaitForSingleObject(Request.Event, Executive, KernelMode, False, Timeout) == STATUS_TIMEOUT
    if IsLate:
        IoCancelIrp(Request.Irp)
        KeWaitForSingleObject(Request.Event, Executive, KernelMode, False, None)
    Status: NTSTATUS = Request.Irp.IoStatus.Status
    return STATUS_IO_TIMEOUT if IsLate and Status == STATUS_CANCELLED else Status


def CreateSocket(
    Provider: WSK_PROVIDER_NPI,
    AddressFamily: int,
    Flags: int,
    SocketContext: object,
    Dispatch: object,
    Request: REQUEST,
) -> NTSTATUS:
    """On success ``Request.Irp.IoStatus.Information`` is the socket."""
    IsDatagram = Flags == WSK_FLAG_DATAGRAM_SOCKET
    Provider.Dispatch.WskSocket(
        Provider.Client,
        AddressFamily,
        SOCK_DGRAM if IsDatagram else SOCK_STREAM,
        IPPROTO_UDP if IsDatagram else IPPROTO_TCP,
        Flags,
        SocketContext,
        Dispatch,
        None,
        None,
        None,
        PrepareRequest(Request),
    )
    return WaitForRequest(Request)


def BindSocket(Socket: WSK_SOCKET, LocalAddress: SOCKADDR, Request: REQUEST) -> NTSTATUS:
    Socket.Dispatch.WskBind(Socket, LocalAddress, 0, PrepareRequest(Request))
    return WaitForRequest(Request)


def CloseSocket(Socket: WSK_SOCKET | None, Request: REQUEST | None) -> None:
    """Cannot fail."""
    if Socket is not None and Request is not None:
        Socket.Dispatch.WskCloseSocket(Socket, PrepareRequest(Request))
        WaitForRequest(Request)


def EnableEvents(Socket: WSK_SOCKET, EventMask: int) -> NTSTATUS:
    """Takes effect at once, so that it takes no IRP."""
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, EventMask)
    Status: NTSTATUS = Socket.Dispatch.WskControlSocket(
        Socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, sizeof(Control), Control, 0, None, None, None
    )
    return Status
