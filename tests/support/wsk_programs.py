"""Small WSK drivers as the Windows documentation would have them written: names, argument order and all.

Each is a function of the current host and returns what it has seen, so the same program runs in virtual time and on a
TAP.  They allocate, set completion routines and wait by hand; `wsknet.wsk.simple` would be shorter.
"""

from __future__ import annotations

from typing import Any

from wsknet.wsk import (
    AF_INET,
    INADDR_ANY,
    IPPROTO_TCP,
    IRP,
    KEVENT,
    KTHREAD,
    MAKE_WSK_VERSION,
    MDL,
    NT_SUCCESS,
    NTSTATUS,
    PASSIVE_LEVEL,
    SOCK_STREAM,
    SOCKADDR_IN,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    THREAD_ALL_ACCESS,
    WSK_BUF,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_INFINITE_WAIT,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_SOCKET,
    Executive,
    IoAllocateIrp,
    IoAllocateMdl,
    IoFreeIrp,
    IoFreeMdl,
    IoReuseIrp,
    IoSetCompletionRoutine,
    KeGetCurrentIrql,
    KeInitializeEvent,
    KernelMode,
    KeSetEvent,
    KeWaitForSingleObject,
    MmBuildMdlForNonPagedPool,
    ObDereferenceObject,
    ObReferenceObjectByHandle,
    PsCreateSystemThread,
    PsTerminateSystemThread,
    PsThreadType,
    SynchronizationEvent,
    WskCaptureProviderNPI,
    WskDeregister,
    WskRegister,
    WskReleaseProviderNPI,
    ZwClose,
    htonl,
    htons,
    ntohl,
    ntohs,
)

# The client's dispatch table: version 1.0, no client events.
WskAppDispatch = WSK_CLIENT_DISPATCH(MAKE_WSK_VERSION(1, 0), 0, None)


class SOCKET_CONTEXT:
    """What a driver keeps for a socket."""

    def __init__(self) -> None:
        self.Socket: WSK_SOCKET | None = None
        self.CreateStatus: NTSTATUS | None = None
        self.BindStatus: NTSTATUS | None = None
        self.CompletionEvent = KEVENT()
        KeInitializeEvent(self.CompletionEvent, SynchronizationEvent, False)


def wildcard(Port: int) -> SOCKADDR_IN:
    LocalAddress = SOCKADDR_IN()
    LocalAddress.sin_family = AF_INET
    LocalAddress.sin_port = htons(Port)
    LocalAddress.sin_addr.s_addr = htonl(INADDR_ANY)
    return LocalAddress


# Creating a listening socket, with a completion routine


def CreateListeningSocketIrpCompletionRoutine(DeviceObject: object, Irp: IRP, Context: SOCKET_CONTEXT) -> NTSTATUS:
    Context.CreateStatus = Irp.IoStatus.Status
    if Irp.IoStatus.Status == STATUS_SUCCESS:
        Context.Socket = Irp.IoStatus.Information
    IoFreeIrp(Irp)
    KeSetEvent(Context.CompletionEvent, 0, False)
    return STATUS_MORE_PROCESSING_REQUIRED


def CreateListeningSocket(WskProviderNpi: WSK_PROVIDER_NPI, SocketContext: SOCKET_CONTEXT) -> NTSTATUS:
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        return STATUS_INSUFFICIENT_RESOURCES
    IoSetCompletionRoutine(Irp, CreateListeningSocketIrpCompletionRoutine, SocketContext, True, True, True)
    Status: NTSTATUS = WskProviderNpi.Dispatch.WskSocket(
        WskProviderNpi.Client,
        AF_INET,
        SOCK_STREAM,
        IPPROTO_TCP,
        WSK_FLAG_LISTEN_SOCKET,
        SocketContext,
        None,
        None,
        None,
        None,
        Irp,
    )
    return Status


# Binding it, with another one


def BindListeningSocketIrpCompletionRoutine(DeviceObject: object, Irp: IRP, Context: SOCKET_CONTEXT) -> NTSTATUS:
    Context.BindStatus = Irp.IoStatus.Status
    IoFreeIrp(Irp)
    KeSetEvent(Context.CompletionEvent, 0, False)
    return STATUS_MORE_PROCESSING_REQUIRED


def BindListeningSocket(Socket: WSK_SOCKET, LocalAddress: SOCKADDR_IN, SocketContext: SOCKET_CONTEXT) -> NTSTATUS:
    Dispatch = Socket.Dispatch
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        return STATUS_INSUFFICIENT_RESOURCES
    IoSetCompletionRoutine(Irp, BindListeningSocketIrpCompletionRoutine, SocketContext, True, True, True)
    Status: NTSTATUS = Dispatch.WskBind(Socket, LocalAddress, 0, Irp)
    return Status


# The synchronous pattern: one IRP and one event, used again and again


def SyncIrpCompletionRoutine(DeviceObject: object, Irp: IRP, Context: KEVENT) -> NTSTATUS:
    KeSetEvent(Context, 0, False)
    return STATUS_MORE_PROCESSING_REQUIRED


class SYNC_REQUEST:
    def __init__(self) -> None:
        Irp = IoAllocateIrp(1, False)
        assert Irp is not None
        self.Irp = Irp
        self.Event = KEVENT()
        KeInitializeEvent(self.Event, SynchronizationEvent, False)

    def prepare(self) -> IRP:
        IoReuseIrp(self.Irp, STATUS_UNSUCCESSFUL)
        IoSetCompletionRoutine(self.Irp, SyncIrpCompletionRoutine, self.Event, True, True, True)
        return self.Irp

    def wait(self) -> NTSTATUS:
        KeWaitForSingleObject(self.Event, Executive, KernelMode, False, None)
        Status: NTSTATUS = self.Irp.IoStatus.Status
        return Status


def attach() -> tuple[WSK_REGISTRATION, WSK_PROVIDER_NPI]:
    WskRegistration, WskProviderNpi = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
    WskClientNpi = WSK_CLIENT_NPI(None, WskAppDispatch)
    if not NT_SUCCESS(WskRegister(WskClientNpi, WskRegistration)):
        raise AssertionError("WskRegister")
    if not NT_SUCCESS(WskCaptureProviderNPI(WskRegistration, WSK_INFINITE_WAIT, WskProviderNpi)):
        raise AssertionError("WskCaptureProviderNPI")
    return WskRegistration, WskProviderNpi


def detach(WskRegistration: WSK_REGISTRATION) -> None:
    WskReleaseProviderNPI(WskRegistration)
    WskDeregister(WskRegistration)


def close(Socket: WSK_SOCKET) -> NTSTATUS:
    Request = SYNC_REQUEST()
    Socket.Dispatch.WskCloseSocket(Socket, Request.prepare())
    Status = Request.wait()
    IoFreeIrp(Request.Irp)
    return Status


def listening_socket(Port: int) -> dict[str, Any]:
    """Seed 1 and 2: create a listening socket and bind it, each with a completion routine of its own."""
    WskRegistration, WskProviderNpi = attach()
    SocketContext = SOCKET_CONTEXT()
    CreateListeningSocket(WskProviderNpi, SocketContext)
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    assert SocketContext.Socket is not None
    BindListeningSocket(SocketContext.Socket, wildcard(Port), SocketContext)
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    seen = {
        "create": SocketContext.CreateStatus,
        "bind": SocketContext.BindStatus,
        "close": close(SocketContext.Socket),
        "irql": KeGetCurrentIrql() == PASSIVE_LEVEL,
    }
    detach(WskRegistration)
    return seen


def connection_socket(WskProviderNpi: WSK_PROVIDER_NPI, Request: SYNC_REQUEST) -> WSK_SOCKET:
    WskProviderNpi.Dispatch.WskSocket(
        WskProviderNpi.Client,
        AF_INET,
        SOCK_STREAM,
        IPPROTO_TCP,
        WSK_FLAG_CONNECTION_SOCKET,
        None,
        None,
        None,
        None,
        None,
        Request.prepare(),
    )
    assert NT_SUCCESS(Request.wait())
    Socket: WSK_SOCKET = Request.Irp.IoStatus.Information
    return Socket


def local_address(Socket: WSK_SOCKET, Request: SYNC_REQUEST) -> tuple[NTSTATUS, int, int]:
    """The status, the address as a number in host order, the port."""
    LocalAddress = SOCKADDR_IN()
    Socket.Dispatch.WskGetLocalAddress(Socket, LocalAddress, Request.prepare())
    return Request.wait(), ntohl(LocalAddress.sin_addr.s_addr), ntohs(LocalAddress.sin_port)


def local_address_of_a_client(RemoteAddress: SOCKADDR_IN) -> dict[str, tuple[NTSTATUS, int, int]]:
    """Seed 3: the local address before bind, after a wildcard bind, and after connect."""
    WskRegistration, WskProviderNpi = attach()
    Request = SYNC_REQUEST()
    Socket = connection_socket(WskProviderNpi, Request)
    seen = {"created": local_address(Socket, Request)}
    Socket.Dispatch.WskBind(Socket, wildcard(0), 0, Request.prepare())
    assert NT_SUCCESS(Request.wait())
    seen["bound"] = local_address(Socket, Request)
    Socket.Dispatch.WskConnect(Socket, RemoteAddress, 0, Request.prepare())
    assert NT_SUCCESS(Request.wait())
    seen["connected"] = local_address(Socket, Request)
    IoFreeIrp(Request.Irp)
    close(Socket)
    detach(WskRegistration)
    return seen


# Two blocking drivers, each in its own system thread


class DRIVER:
    """A device extension: the parameters of the driver's thread and what came of it."""

    def __init__(self, Address: SOCKADDR_IN, Rounds: int = 3) -> None:
        self.Address = Address
        self.Rounds = Rounds
        self.Trail: list[str] = []
        self.Ready = KEVENT()
        KeInitializeEvent(self.Ready, SynchronizationEvent, False)


def allocate_buffer(Memory: bytearray) -> tuple[MDL, WSK_BUF]:
    Mdl = IoAllocateMdl(Memory, len(Memory), False, False, None)
    assert Mdl is not None
    MmBuildMdlForNonPagedPool(Mdl)
    return Mdl, WSK_BUF(Mdl, 0, len(Memory))


def ServerThread(StartContext: DRIVER) -> None:
    """Accepts one connection, answers each message in upper case, and ends when the client does."""
    WskRegistration, WskProviderNpi = attach()
    SocketContext = SOCKET_CONTEXT()
    CreateListeningSocket(WskProviderNpi, SocketContext)
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    ListenSocket = SocketContext.Socket
    assert ListenSocket is not None
    BindListeningSocket(ListenSocket, StartContext.Address, SocketContext)
    KeWaitForSingleObject(SocketContext.CompletionEvent, Executive, KernelMode, False, None)
    KeSetEvent(StartContext.Ready, 0, False)

    Request = SYNC_REQUEST()
    ListenSocket.Dispatch.WskAccept(ListenSocket, 0, None, None, None, None, Request.prepare())
    Status = Request.wait()
    Socket: WSK_SOCKET = Request.Irp.IoStatus.Information
    Memory = bytearray(64)
    Mdl, Buffer = allocate_buffer(Memory)
    while NT_SUCCESS(Status):
        Buffer.Length = len(Memory)
        Socket.Dispatch.WskReceive(Socket, Buffer, 0, Request.prepare())
        Status = Request.wait()
        Length = Request.Irp.IoStatus.Information
        if not NT_SUCCESS(Status) or Length == 0:
            break
        StartContext.Trail.append(f"server got {bytes(Memory[:Length])!r}")
        Memory[:Length] = Memory[:Length].upper()
        Buffer.Length = Length
        Socket.Dispatch.WskSend(Socket, Buffer, 0, Request.prepare())
        Status = Request.wait()
    Socket.Dispatch.WskDisconnect(Socket, None, 0, Request.prepare())
    StartContext.Trail.append(f"server ends: {Request.wait().name}")
    IoFreeMdl(Mdl)
    IoFreeIrp(Request.Irp)
    close(Socket)
    close(ListenSocket)
    detach(WskRegistration)
    PsTerminateSystemThread(STATUS_SUCCESS)


def ClientThread(StartContext: DRIVER) -> None:
    """Sends messages, waits for each answer, disconnects gracefully and waits for the server to do the same."""
    WskRegistration, WskProviderNpi = attach()
    Request = SYNC_REQUEST()
    Socket = connection_socket(WskProviderNpi, Request)
    Socket.Dispatch.WskBind(Socket, wildcard(0), 0, Request.prepare())
    Request.wait()
    Socket.Dispatch.WskConnect(Socket, StartContext.Address, 0, Request.prepare())
    Status = Request.wait()
    Memory = bytearray(64)
    Mdl, Buffer = allocate_buffer(Memory)
    for Round in range(StartContext.Rounds if NT_SUCCESS(Status) else 0):
        Message = b"message %d" % Round
        Memory[: len(Message)] = Message
        Buffer.Length = len(Message)
        Socket.Dispatch.WskSend(Socket, Buffer, 0, Request.prepare())
        Request.wait()
        Buffer.Length = len(Memory)
        Socket.Dispatch.WskReceive(Socket, Buffer, 0, Request.prepare())
        Request.wait()
        StartContext.Trail.append(f"client got {bytes(Memory[: Request.Irp.IoStatus.Information])!r}")
    Socket.Dispatch.WskDisconnect(Socket, None, 0, Request.prepare())
    Request.wait()
    Buffer.Length = len(Memory)
    Socket.Dispatch.WskReceive(Socket, Buffer, 0, Request.prepare())
    StartContext.Trail.append(f"client ends: {Request.wait().name}, {Request.Irp.IoStatus.Information} bytes")
    IoFreeMdl(Mdl)
    IoFreeIrp(Request.Irp)
    close(Socket)
    detach(WskRegistration)
    PsTerminateSystemThread(STATUS_SUCCESS)


def start_thread(StartRoutine: Any, StartContext: DRIVER) -> KTHREAD:
    """DriverEntry: start the thread and keep a reference to wait for."""
    ThreadHandle: list[Any] = [None]
    PsCreateSystemThread(ThreadHandle, THREAD_ALL_ACCESS, None, None, None, StartRoutine, StartContext)
    ThreadObject: list[Any] = [None]
    ObReferenceObjectByHandle(ThreadHandle[0], THREAD_ALL_ACCESS, PsThreadType, KernelMode, ThreadObject, None)
    ZwClose(ThreadHandle[0])
    thread: KTHREAD = ThreadObject[0]
    return thread


def stop_thread(Thread: KTHREAD) -> int:
    """DriverUnload: wait until the thread is gone."""
    KeWaitForSingleObject(Thread, Executive, KernelMode, False, None)
    ExitStatus = Thread.ExitStatus
    ObDereferenceObject(Thread)
    return ExitStatus
