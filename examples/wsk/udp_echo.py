"""A UDP echo server by events and a client that waits.

The server sends each datagram back out of the memory it was indicated in, with an IRP that is allocated for it: where
there is none the datagram is lost, as datagrams may be, and the client asks again.
"""

from __future__ import annotations

from collections.abc import Sequence

from examples.wsk.blocking import StartThread, StopThread
from examples.wsk.common import *
from wsknet.wsk import *

PATIENCE = 1000
"""Milliseconds that the client waits for an answer."""
ATTEMPTS = 3


# The server


class SERVER:
    """The device extension of the server's driver."""

    __slots__ = ("Address", "Idle", "Provider", "Registration", "Request", "Sending", "Socket")

    def __init__(self, Address: SOCKADDR) -> None:
        self.Address = Address
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Request: REQUEST | None = None
        self.Socket: WSK_SOCKET | None = None
        self.Sending = [1]
        """Datagrams on their way back, and one for as long as others may come."""
        self.Idle = KEVENT()
        KeInitializeEvent(self.Idle, NotificationEvent, False)


class ECHO:
    """One datagram on its way back."""

    __slots__ = ("Indication", "Server")

    def __init__(self, Server: SERVER, Indication: WSK_DATAGRAM_INDICATION) -> None:
        self.Server = Server
        self.Indication = Indication


def ServerEntry(Server: SERVER) -> NTSTATUS:
    Status = AttachToWsk(Server.Registration, Server.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Status = StartReceiving(Server)
    if not NT_SUCCESS(Status):
        ReleaseServer(Server)
    return Status


def StartReceiving(Server: SERVER) -> NTSTATUS:
    Server.Request = AllocateRequest()
    if Server.Request is None:
        return STATUS_INSUFFICIENT_RESOURCES
    Status = CreateSocket(
        Server.Provider,
        Server.Address.sa_family,
        WSK_FLAG_DATAGRAM_SOCKET,
        Server,
        ServerDispatch,
        Server.Request,
    )
    if not NT_SUCCESS(Status):
        return Status
    Socket: WSK_SOCKET = Server.Request.Irp.IoStatus.Information
    Server.Socket = Socket
    Status = BindSocket(Socket, Server.Address, Server.Request)
    if not NT_SUCCESS(Status):
        return Status
    return EnableEvents(Socket, WSK_EVENT_RECEIVE_FROM)


def ServerUnload(Server: SERVER) -> None:
    """What is retained has to be released before the socket is closed, so the event goes first."""
    assert Server.Socket is not None
    assert Server.Request is not None
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM | WSK_EVENT_DISABLE)
    Server.Socket.Dispatch.WskControlSocket(
        Server.Socket,
        WskSetOption,
        SO_WSK_EVENT_CALLBACK,
        SOL_SOCKET,
        sizeof(Control),
        Control,
        0,
        None,
        None,
        PrepareRequest(Server.Request),
    )
    WaitForRequest(Server.Request)
    LeaveServer(Server)
    KeWaitForSingleObject(Server.Idle, Executive, KernelMode, False, None)
    ReleaseServer(Server)


def ReleaseServer(Server: SERVER) -> None:
    CloseSocket(Server.Socket, Server.Request)
    DetachFromWsk(Server.Registration)
    FreeRequest(Server.Request)


def LeaveServer(Server: SERVER) -> None:
    if InterlockedDecrement(Server.Sending) == 0:
        KeSetEvent(Server.Idle, IO_NO_INCREMENT, False)


def ServerReceiveFromEvent(
    SocketContext: SERVER, Flags: int, DataIndication: WSK_DATAGRAM_INDICATION | None
) -> NTSTATUS:
    """Takes the list apart: each element is released by itself.  NULL: the socket is dead, and unload closes it."""
    Element = DataIndication
    while Element is not None:
        Following, Element.Next = Element.Next, None
        SendBack(SocketContext, Element)
        Element = Following
    return STATUS_PENDING if DataIndication is not None else STATUS_SUCCESS


def SendBack(Server: SERVER, Indication: WSK_DATAGRAM_INDICATION) -> None:
    Socket = Server.Socket
    assert Socket is not None
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        Socket.Dispatch.WskRelease(Socket, Indication)
        return
    InterlockedIncrement(Server.Sending)
    IoSetCompletionRoutine(Irp, SendBackComplete, ECHO(Server, Indication), True, True, True)
    Socket.Dispatch.WskSendTo(Socket, Indication.Buffer, 0, Indication.RemoteAddress, 0, None, Irp)


def SendBackComplete(DeviceObject: object, Irp: IRP, Context: ECHO) -> NTSTATUS:
    """Sent or not: nobody asks any more."""
    Socket = Context.Server.Socket
    assert Socket is not None
    Socket.Dispatch.WskRelease(Socket, Context.Indication)
    IoFreeIrp(Irp)
    LeaveServer(Context.Server)
    return STATUS_MORE_PROCESSING_REQUIRED


ServerDispatch = WSK_CLIENT_DATAGRAM_DISPATCH(ServerReceiveFromEvent)


# The client


class CLIENT:
    """The device extension of the client's driver."""

    __slots__ = ("Address", "Buffer", "Done", "Messages", "Provider", "Receive", "Received", "Registration", "Send",
                 "Socket", "Status", "Thread")  # fmt: skip

    def __init__(self, Address: SOCKADDR, Messages: Sequence[bytes]) -> None:
        self.Address = Address
        self.Messages = Messages
        """Sent one after the other, each when the one before has come back."""
        self.Received = b""
        self.Status: NTSTATUS = STATUS_PENDING
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Send: REQUEST | None = None
        self.Receive: REQUEST | None = None
        self.Buffer: BUFFER | None = None
        """Twice as long as the longest message: one half to send from, one to receive into."""
        self.Socket: WSK_SOCKET | None = None
        self.Thread: list[KTHREAD] = []
        self.Done = KEVENT()
        KeInitializeEvent(self.Done, NotificationEvent, False)


def ClientEntry(Client: CLIENT) -> NTSTATUS:
    """The rest goes on in a thread: `Done` and `Status` will tell."""
    Status = AttachToWsk(Client.Registration, Client.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Client.Send = AllocateRequest()
    Client.Receive = AllocateRequest()
    Client.Buffer = AllocateBuffer(2 * max(map(len, Client.Messages)))
    if Client.Send is None or Client.Receive is None or Client.Buffer is None:
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
    FreeRequest(Client.Receive)
    FreeRequest(Client.Send)


def ClientThread(StartContext: CLIENT) -> None:
    Client = StartContext
    assert Client.Send is not None
    Status = CreateSocket(Client.Provider, Client.Address.sa_family, WSK_FLAG_DATAGRAM_SOCKET, None, None, Client.Send)
    if NT_SUCCESS(Status):
        Socket: WSK_SOCKET = Client.Send.Irp.IoStatus.Information
        Client.Socket = Socket
        Status = BindSocket(Socket, WildcardAddress(Client.Address.sa_family), Client.Send)
        for Message in Client.Messages:
            if NT_SUCCESS(Status):
                Status = Ask(Client, Socket, Message)
        CloseSocket(Socket, Client.Send)
    Client.Status = Status
    KeSetEvent(Client.Done, IO_NO_INCREMENT, False)
    PsTerminateSystemThread(Status)


def Ask(Client: CLIENT, Socket: WSK_SOCKET, Message: bytes) -> NTSTATUS:
    """STATUS_IO_TIMEOUT if no answer comes, however often it is asked."""
    assert Client.Send is not None
    assert Client.Receive is not None
    assert Client.Buffer is not None
    Half = len(Client.Buffer.Memory) // 2
    RtlCopyMemory(Client.Buffer.Memory, Message, len(Message))
    Status: NTSTATUS = STATUS_IO_TIMEOUT
    for _ in range(ATTEMPTS):
        Room = WSK_BUF(Client.Buffer.Mdl, Half, Half)
        Socket.Dispatch.WskReceiveFrom(Socket, Room, 0, None, None, None, None, PrepareRequest(Client.Receive))
        Datagram = WSK_BUF(Client.Buffer.Mdl, 0, len(Message))
        Socket.Dispatch.WskSendTo(Socket, Datagram, 0, Client.Address, 0, None, PrepareRequest(Client.Send))
        Status = WaitForRequest(Client.Send)
        if not NT_SUCCESS(Status):
            return Status  # what is being received ends with the socket
        Status = WaitForRequest(Client.Receive, PATIENCE)
        if NT_SUCCESS(Status):
            Length = Client.Receive.Irp.IoStatus.Information
            Client.Received += bytes(Client.Buffer.Memory[Half : Half + Length])
            return Status
        if Status != STATUS_IO_TIMEOUT:
            return Status
    return Status
