"""A TCP echo server and a client for it that wait, each in a system thread of its own.

One IRP and one event each, used again for every call.  What takes too long is cancelled; a second event tells the
server to stop, whatever it is waiting for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from examples.wsk.common import *
from wsknet.wsk import *

BUFFER_SIZE = 4096
PATIENCE = 30_000
"""Milliseconds that the client waits for anything."""


def StartThread(StartRoutine: Callable[[Any], object], StartContext: object, Thread: list[KTHREAD]) -> NTSTATUS:
    """`Thread` receives the object, to be given to StopThread."""
    Handle: list[HANDLE] = []
    Status: NTSTATUS = PsCreateSystemThread(Handle, THREAD_ALL_ACCESS, None, None, None, StartRoutine, StartContext)
    if not NT_SUCCESS(Status):
        return Status
    Status = ObReferenceObjectByHandle(Handle[0], THREAD_ALL_ACCESS, PsThreadType, KernelMode, Thread, None)
    ZwClose(Handle[0])
    return Status


def StopThread(Thread: KTHREAD) -> None:
    """Waits for its end: the code of a driver that is gone must not run."""
    KeWaitForSingleObject(Thread, Executive, KernelMode, False, None)
    ObDereferenceObject(Thread)


# The server


class SERVER:
    """The device extension of the server's driver."""

    __slots__ = ("Address", "Buffer", "Provider", "Registration", "Request", "Socket", "Stop", "Thread")

    def __init__(self, Address: SOCKADDR) -> None:
        self.Address = Address
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Request: REQUEST | None = None
        self.Buffer: BUFFER | None = None
        self.Socket: WSK_SOCKET | None = None
        self.Thread: list[KTHREAD] = []
        self.Stop = KEVENT()
        KeInitializeEvent(self.Stop, NotificationEvent, False)


def ServerEntry(Server: SERVER) -> NTSTATUS:
    Status = AttachToWsk(Server.Registration, Server.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Status = StartListening(Server)
    if NT_SUCCESS(Status):
        Status = StartThread(ServerThread, Server, Server.Thread)
    if not NT_SUCCESS(Status):
        ReleaseServer(Server)
    return Status


def StartListening(Server: SERVER) -> NTSTATUS:
    Server.Request = AllocateRequest()
    Server.Buffer = AllocateBuffer(BUFFER_SIZE)
    if Server.Request is None or Server.Buffer is None:
        return STATUS_INSUFFICIENT_RESOURCES
    Status = CreateSocket(Server.Provider, Server.Address.sa_family, WSK_FLAG_LISTEN_SOCKET, None, None, Server.Request)
    if not NT_SUCCESS(Status):
        return Status
    Socket: WSK_SOCKET = Server.Request.Irp.IoStatus.Information
    Server.Socket = Socket
    return BindSocket(Socket, Server.Address, Server.Request)


def ServerUnload(Server: SERVER) -> None:
    KeSetEvent(Server.Stop, IO_NO_INCREMENT, False)
    StopThread(Server.Thread[0])
    ReleaseServer(Server)


def ReleaseServer(Server: SERVER) -> None:
    CloseSocket(Server.Socket, Server.Request)
    DetachFromWsk(Server.Registration)
    FreeBuffer(Server.Buffer)
    FreeRequest(Server.Request)


def WaitUnlessStopped(Server: SERVER) -> NTSTATUS:
    """For the request made last; STATUS_CANCELLED if the server is to stop first."""
    Request = Server.Request
    assert Request is not None
    Objects = [Request.Event, Server.Stop]
    Which = KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, False, None, None)
    if Which == STATUS_WAIT_0:
        Status: NTSTATUS = Request.Irp.IoStatus.Status
        return Status
    IoCancelIrp(Request.Irp)
    return WaitForRequest(Request)


def ServerThread(StartContext: SERVER) -> None:
    """One connection after the other."""
    Server = StartContext
    ListeningSocket, Request = Server.Socket, Server.Request
    assert ListeningSocket is not None
    assert Request is not None
    while not KeReadStateEvent(Server.Stop):
        ListeningSocket.Dispatch.WskAccept(ListeningSocket, 0, None, None, None, None, PrepareRequest(Request))
        if not NT_SUCCESS(WaitUnlessStopped(Server)):
            break  # it is to stop, or the listening socket is dead
        Socket: WSK_SOCKET = Request.Irp.IoStatus.Information
        Echo(Server, Socket, Request)
        CloseSocket(Socket, Request)
    PsTerminateSystemThread(STATUS_SUCCESS)


def Echo(Server: SERVER, Socket: WSK_SOCKET, Request: REQUEST) -> None:
    """Until the peer finishes, or something fails."""
    assert Server.Buffer is not None
    while True:
        Buffer = WSK_BUF(Server.Buffer.Mdl, 0, BUFFER_SIZE)
        Socket.Dispatch.WskReceive(Socket, Buffer, 0, PrepareRequest(Request))
        if not NT_SUCCESS(WaitUnlessStopped(Server)):
            return
        Buffer.Length = Request.Irp.IoStatus.Information
        if Buffer.Length == 0:
            break
        Socket.Dispatch.WskSend(Socket, Buffer, 0, PrepareRequest(Request))
        if not NT_SUCCESS(WaitUnlessStopped(Server)):
            return
    Socket.Dispatch.WskDisconnect(Socket, None, 0, PrepareRequest(Request))
    WaitUnlessStopped(Server)


# The client


class CLIENT:
    """The device extension of the client's driver."""

    __slots__ = ("Address", "Buffer", "Done", "Messages", "Provider", "Received", "Registration", "Request", "Socket",
                 "Status", "Thread")  # fmt: skip

    def __init__(self, Address: SOCKADDR, Messages: Sequence[bytes]) -> None:
        self.Address = Address
        self.Messages = Messages
        """Sent one after the other, each when the one before has come back whole."""
        self.Received = b""
        self.Status: NTSTATUS = STATUS_PENDING
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Request: REQUEST | None = None
        self.Buffer: BUFFER | None = None
        self.Socket: WSK_SOCKET | None = None
        self.Thread: list[KTHREAD] = []
        self.Done = KEVENT()
        KeInitializeEvent(self.Done, NotificationEvent, False)


def ClientEntry(Client: CLIENT) -> NTSTATUS:
    """The rest goes on in a thread: `Done` and `Status` will tell."""
    Status = AttachToWsk(Client.Registration, Client.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Client.Request = AllocateRequest()
    Client.Buffer = AllocateBuffer(max(map(len, Client.Messages)))
    if Client.Request is None or Client.Buffer is None:
        Status = STATUS_INSUFFICIENT_RESOURCES
    else:
        Status = StartThread(ClientThread, Client, Client.Thread)
    if not NT_SUCCESS(Status):
        ReleaseClient(Client)
    return Status


def ClientUnload(Client: CLIENT) -> None:
    StopThread(Client.Thread[0])
    ReleaseClient(Client)


def ReleaseClient(Client: CLIENT) -> None:
    DetachFromWsk(Client.Registration)
    FreeBuffer(Client.Buffer)
    FreeRequest(Client.Request)


def ClientThread(StartContext: CLIENT) -> None:
    Client = StartContext
    Request = Client.Request
    assert Request is not None
    Status = CreateSocket(Client.Provider, Client.Address.sa_family, WSK_FLAG_CONNECTION_SOCKET, None, None, Request)
    if NT_SUCCESS(Status):
        Socket: WSK_SOCKET = Request.Irp.IoStatus.Information
        Client.Socket = Socket
        Status = Converse(Client, Socket, Request)
        CloseSocket(Socket, Request)
    Client.Status = Status
    KeSetEvent(Client.Done, IO_NO_INCREMENT, False)
    PsTerminateSystemThread(Status)


def Converse(Client: CLIENT, Socket: WSK_SOCKET, Request: REQUEST) -> NTSTATUS:
    """Until every message has come back and both sides have finished, or something fails or takes too long."""
    Status = BindSocket(Socket, WildcardAddress(Client.Address.sa_family), Request)
    if not NT_SUCCESS(Status):
        return Status
    Socket.Dispatch.WskConnect(Socket, Client.Address, 0, PrepareRequest(Request))
    Status = WaitForRequest(Request, PATIENCE)
    if not NT_SUCCESS(Status):
        return Status
    for Message in Client.Messages:
        Status = SendAndReceive(Client, Socket, Request, Message)
        if not NT_SUCCESS(Status):
            return Status
    Socket.Dispatch.WskDisconnect(Socket, None, 0, PrepareRequest(Request))
    Status = WaitForRequest(Request, PATIENCE)
    if not NT_SUCCESS(Status):
        return Status
    Socket.Dispatch.WskReceive(Socket, WSK_BUF(None, 0, 0), WSK_FLAG_DRAIN, PrepareRequest(Request))
    return WaitForRequest(Request, PATIENCE)


def SendAndReceive(Client: CLIENT, Socket: WSK_SOCKET, Request: REQUEST, Message: bytes) -> NTSTATUS:
    assert Client.Buffer is not None
    RtlCopyMemory(Client.Buffer.Memory, Message, len(Message))
    Buffer = WSK_BUF(Client.Buffer.Mdl, 0, len(Message))
    Socket.Dispatch.WskSend(Socket, Buffer, 0, PrepareRequest(Request))
    Status = WaitForRequest(Request, PATIENCE)
    if not NT_SUCCESS(Status):
        return Status
    while Buffer.Length:
        Socket.Dispatch.WskReceive(Socket, Buffer, 0, PrepareRequest(Request))
        Status = WaitForRequest(Request, PATIENCE)
        if not NT_SUCCESS(Status):
            return Status
        Length = Request.Irp.IoStatus.Information
        if Length == 0:
            return STATUS_REMOTE_DISCONNECT
        Client.Received += bytes(Client.Buffer.Memory[Buffer.Offset : Buffer.Offset + Length])
        Buffer.Offset += Length
        Buffer.Length -= Length
    return STATUS_SUCCESS
