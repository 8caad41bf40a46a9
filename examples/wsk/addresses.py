"""The first things a driver does: make a listening socket and bind it, and ask a client's socket for its local address.

A socket has a port as soon as it is bound, and if that was to the wildcard, an address only when it connects.  In the
listening socket's part each call has an IRP and a completion routine of its own; the other part waits for one IRP.
"""

from __future__ import annotations

from examples.wsk.common import *
from wsknet.wsk import *

# A listening socket


class SOCKET_CONTEXT:
    """What the driver keeps for it."""

    __slots__ = ("BindStatus", "CompletionEvent", "CreateStatus", "Socket")

    def __init__(self) -> None:
        self.Socket: WSK_SOCKET | None = None
        self.CreateStatus: NTSTATUS = STATUS_PENDING
        self.BindStatus: NTSTATUS = STATUS_PENDING
        self.CompletionEvent = KEVENT()
        KeInitializeEvent(self.CompletionEvent, SynchronizationEvent, False)


def OpenListeningSocket(LocalAddress: SOCKADDR, SocketContext: SOCKET_CONTEXT) -> NTSTATUS:
    """Open it, and close it again."""
    Registration, Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
    Status = AttachToWsk(Registration, Provider)
    if not NT_SUCCESS(Status):
        return Status
    Request = AllocateRequest()
    if Request is None:
        Status = STATUS_INSUFFICIENT_RESOURCES
    else:
        Status = CreateListeningSocket(Provider, LocalAddress.sa_family, SocketContext)
        if SocketContext.Socket is not None:
            Status = BindListeningSocket(SocketContext.Socket, LocalAddress, SocketContext)
        CloseSocket(SocketContext.Socket, Request)
    DetachFromWsk(Registration)
    FreeRequest(Request)
    return Status


def CreateListeningSocket(Provider: WSK_PROVIDER_NPI, AddressFamily: int, SocketContext: SOCKET_CONTEXT) -> NTSTATUS:
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        return STATUS_INSUFFICIENT_RESOURCES
    IoSetCompletionRoutine(Irp, CreateComplete, SocketContext, True, True, True)
    Provider.Dispatch.WskSocket(
        Provider.Client,
        AddressFamily,
        SOCK_STREAM,
        IPPROTO_TCP,
        WSK_FLAG_LISTEN_SOCKET,
        None,
        None,
        None,
        None,
        None,
        Irp,
    )
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    return SocketContext.CreateStatus


def CreateComplete(DeviceObject: object, Irp: IRP, Context: SOCKET_CONTEXT) -> NTSTATUS:
    Context.CreateStatus = Irp.IoStatus.Status
    if NT_SUCCESS(Irp.IoStatus.Status):
        Context.Socket = Irp.IoStatus.Information
    IoFreeIrp(Irp)
    KeSetEvent(Context.CompletionEvent, IO_NO_INCREMENT, False)
    return STATUS_MORE_PROCESSING_REQUIRED


def BindListeningSocket(Socket: WSK_SOCKET, LocalAddress: SOCKADDR, SocketContext: SOCKET_CONTEXT) -> NTSTATUS:
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        return STATUS_INSUFFICIENT_RESOURCES
    IoSetCompletionRoutine(Irp, BindComplete, SocketContext, True, True, True)
    Socket.Dispatch.WskBind(Socket, LocalAddress, 0, Irp)
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    return SocketContext.BindStatus


def BindComplete(DeviceObject: object, Irp: IRP, Context: SOCKET_CONTEXT) -> NTSTATUS:
    Context.BindStatus = Irp.IoStatus.Status
    IoFreeIrp(Irp)
    KeSetEvent(Context.CompletionEvent, IO_NO_INCREMENT, False)
    return STATUS_MORE_PROCESSING_REQUIRED


# The local address of a client


class LOCAL_ADDRESS:
    """What WskGetLocalAddress has said, and when it was asked."""

    __slots__ = ("Address", "Status", "When")

    def __init__(self, When: str, AddressFamily: int) -> None:
        self.When = When
        self.Status: NTSTATUS = STATUS_PENDING
        self.Address = WildcardAddress(AddressFamily)


def AskForLocalAddresses(RemoteAddress: SOCKADDR, Answers: list[LOCAL_ADDRESS]) -> NTSTATUS:
    """Before bind, after bind to the wildcard, after connect."""
    Registration, Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
    Status = AttachToWsk(Registration, Provider)
    if not NT_SUCCESS(Status):
        return Status
    Request = AllocateRequest()
    if Request is None:
        Status = STATUS_INSUFFICIENT_RESOURCES
    else:
        Status = CreateSocket(Provider, RemoteAddress.sa_family, WSK_FLAG_CONNECTION_SOCKET, None, None, Request)
        if NT_SUCCESS(Status):
            Socket: WSK_SOCKET = Request.Irp.IoStatus.Information
            Status = ConnectAndAsk(Socket, RemoteAddress, Answers, Request)
            CloseSocket(Socket, Request)
    DetachFromWsk(Registration)
    FreeRequest(Request)
    return Status


def ConnectAndAsk(
    Socket: WSK_SOCKET, RemoteAddress: SOCKADDR, Answers: list[LOCAL_ADDRESS], Request: REQUEST
) -> NTSTATUS:
    Answers.append(AskForLocalAddress("created", Socket, RemoteAddress.sa_family, Request))
    Status = BindSocket(Socket, WildcardAddress(RemoteAddress.sa_family), Request)
    if not NT_SUCCESS(Status):
        return Status
    Answers.append(AskForLocalAddress("bound", Socket, RemoteAddress.sa_family, Request))
    Socket.Dispatch.WskConnect(Socket, RemoteAddress, 0, PrepareRequest(Request))
    Status = WaitForRequest(Request)
    if not NT_SUCCESS(Status):
        return Status
    Answers.append(AskForLocalAddress("connected", Socket, RemoteAddress.sa_family, Request))
    return STATUS_SUCCESS


def AskForLocalAddress(When: str, Socket: WSK_SOCKET, AddressFamily: int, Request: REQUEST) -> LOCAL_ADDRESS:
    Answer = LOCAL_ADDRESS(When, AddressFamily)
    Socket.Dispatch.WskGetLocalAddress(Socket, Answer.Address, PrepareRequest(Request))
    Answer.Status = WaitForRequest(Request)
    return Answer
