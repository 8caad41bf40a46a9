"""The TCP echo server and its client by requests alone: each completion routine makes the next call.

The server has a fixed number of connections, each with one IRP that goes round: accept, receive, send, receive and so
on, disconnect, close, accept.  All memory is allocated on entry.  To stop, everything that pends is cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence

from examples.wsk.common import *
from wsknet.wsk import *

BACKLOG = 4
"""Connections served at a time."""
BUFFER_SIZE = 4096
CANCEL_INTERVAL = -10_000 * 10
"""10 ms, in the units of KeWaitForSingleObject."""


def PrepareIrp(Irp: IRP, Routine: PIO_COMPLETION_ROUTINE, Context: object) -> IRP:
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL)
    IoSetCompletionRoutine(Irp, Routine, Context, True, True, True)
    return Irp


# The server


class CONNECTION:
    __slots__ = ("Buffer", "Irp", "Server", "Socket")

    def __init__(self, Server: SERVER, Irp: IRP, Buffer: BUFFER) -> None:
        self.Server = Server
        self.Socket: WSK_SOCKET | None = None
        self.Irp = Irp
        self.Buffer = Buffer


class SERVER:
    """The device extension of the server's driver."""

    __slots__ = ("Address", "Connections", "Idle", "IsStopping", "Provider", "Registration", "Request", "Running",
                 "Socket")  # fmt: skip

    def __init__(self, Address: SOCKADDR) -> None:
        self.Address = Address
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Request: REQUEST | None = None
        self.Socket: WSK_SOCKET | None = None
        self.Connections: list[CONNECTION] = []
        self.Running = [0]
        """Connections whose IRP is under way."""
        self.IsStopping = False
        self.Idle = KEVENT()
        KeInitializeEvent(self.Idle, NotificationEvent, False)


def ServerEntry(Server: SERVER) -> NTSTATUS:
    Status = AttachToWsk(Server.Registration, Server.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Status = StartListening(Server)
    if not NT_SUCCESS(Status):
        ReleaseServer(Server)
        return Status
    Server.Running[0] = BACKLOG
    for Connection in Server.Connections:
        Accept(Connection)
    return STATUS_SUCCESS


def StartListening(Server: SERVER) -> NTSTATUS:
    Server.Request = AllocateRequest()
    if Server.Request is None:
        return STATUS_INSUFFICIENT_RESOURCES
    for _ in range(BACKLOG):
        Connection = AllocateConnection(Server)
        if Connection is None:
            return STATUS_INSUFFICIENT_RESOURCES
        Server.Connections.append(Connection)
    Status = CreateSocket(Server.Provider, Server.Address.sa_family, WSK_FLAG_LISTEN_SOCKET, None, None, Server.Request)
    if not NT_SUCCESS(Status):
        return Status
    Socket: WSK_SOCKET = Server.Request.Irp.IoStatus.Information
    Server.Socket = Socket
    return BindSocket(Socket, Server.Address, Server.Request)


def AllocateConnection(Server: SERVER) -> CONNECTION | None:
    Buffer = AllocateBuffer(BUFFER_SIZE)
    if Buffer is None:
        return None
    Irp = IoAllocateIrp(1, False)
    if Irp is None:
        FreeBuffer(Buffer)
        return None
    return CONNECTION(Server, Irp, Buffer)


def ServerUnload(Server: SERVER) -> None:
    Server.IsStopping = True
    while True:
        # A routine may be about to make its next call just now, so that one round need not be enough.
        for Connection in Server.Connections:
            IoCancelIrp(Connection.Irp)
        if KeWaitForSingleObject(Server.Idle, Executive, KernelMode, False, CANCEL_INTERVAL) == STATUS_SUCCESS:
            break
    ReleaseServer(Server)


def ReleaseServer(Server: SERVER) -> None:
    CloseSocket(Server.Socket, Server.Request)
    DetachFromWsk(Server.Registration)
    for Connection in Server.Connections:
        IoFreeIrp(Connection.Irp)
        FreeBuffer(Connection.Buffer)
    FreeRequest(Server.Request)


def Accept(Connection: CONNECTION) -> None:
    Socket = Connection.Server.Socket
    assert Socket is not None
    Irp = PrepareIrp(Connection.Irp, AcceptComplete, Connection)
    Socket.Dispatch.WskAccept(Socket, 0, None, None, None, None, Irp)


def AcceptComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    if not NT_SUCCESS(Irp.IoStatus.Status):
        # Cancelled, or the listening socket is dead.  Accepting again would only fail again.
        LeaveServer(Context.Server)
        return STATUS_MORE_PROCESSING_REQUIRED
    Context.Socket = Irp.IoStatus.Information
    if Context.Server.IsStopping:
        CloseConnection(Context)
    else:
        Receive(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def Receive(Connection: CONNECTION) -> None:
    assert Connection.Socket is not None
    Buffer = WSK_BUF(Connection.Buffer.Mdl, 0, BUFFER_SIZE)
    Irp = PrepareIrp(Connection.Irp, ReceiveComplete, Connection)
    Connection.Socket.Dispatch.WskReceive(Connection.Socket, Buffer, 0, Irp)


def ReceiveComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    """Success with nothing received: the peer has finished, and so do we."""
    assert Context.Socket is not None
    Length = Irp.IoStatus.Information
    if not NT_SUCCESS(Irp.IoStatus.Status) or Context.Server.IsStopping:
        CloseConnection(Context)
    elif Length == 0:
        PrepareIrp(Irp, DisconnectComplete, Context)
        Context.Socket.Dispatch.WskDisconnect(Context.Socket, None, 0, Irp)
    else:
        PrepareIrp(Irp, SendComplete, Context)
        Context.Socket.Dispatch.WskSend(Context.Socket, WSK_BUF(Context.Buffer.Mdl, 0, Length), 0, Irp)
    return STATUS_MORE_PROCESSING_REQUIRED


def SendComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    if not NT_SUCCESS(Irp.IoStatus.Status) or Context.Server.IsStopping:
        CloseConnection(Context)
    else:
        Receive(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def DisconnectComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    """Whatever came of it: closing resets what has not ended well."""
    CloseConnection(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def CloseConnection(Connection: CONNECTION) -> None:
    assert Connection.Socket is not None
    Irp = PrepareIrp(Connection.Irp, CloseComplete, Connection)
    Connection.Socket.Dispatch.WskCloseSocket(Connection.Socket, Irp)


def CloseComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    Context.Socket = None
    if Context.Server.IsStopping:
        LeaveServer(Context.Server)
    else:
        Accept(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def LeaveServer(Server: SERVER) -> None:
    if InterlockedDecrement(Server.Running) == 0:
        KeSetEvent(Server.Idle, IO_NO_INCREMENT, False)


# The client


class CLIENT:
    """The device extension of the client's driver."""

    __slots__ = ("Address", "Buffer", "Done", "Irp", "IsStopping", "Messages", "Provider", "Received", "Registration",
                 "Socket", "Status", "Turn")  # fmt: skip

    def __init__(self, Address: SOCKADDR, Messages: Sequence[bytes]) -> None:
        self.Address = Address
        self.Messages = Messages
        """Sent one after the other, each when the one before has come back whole."""
        self.Received = b""
        self.Status: NTSTATUS = STATUS_PENDING
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Socket: WSK_SOCKET | None = None
        self.Irp: IRP | None = None
        self.Buffer: BUFFER | None = None
        self.Turn = 0
        """The message under way."""
        self.IsStopping = False
        self.Done = KEVENT()
        KeInitializeEvent(self.Done, NotificationEvent, False)


def ClientEntry(Client: CLIENT) -> NTSTATUS:
    """STATUS_PENDING: `Done` and `Status` will tell."""
    Status = AttachToWsk(Client.Registration, Client.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Client.Buffer = AllocateBuffer(max(map(len, Client.Messages)))
    Client.Irp = IoAllocateIrp(1, False)
    if Client.Buffer is None or Client.Irp is None:
        ReleaseClient(Client)
        return STATUS_INSUFFICIENT_RESOURCES
    Client.Provider.Dispatch.WskSocket(
        Client.Provider.Client,
        Client.Address.sa_family,
        SOCK_STREAM,
        IPPROTO_TCP,
        WSK_FLAG_CONNECTION_SOCKET,
        None,
        None,
        None,
        None,
        None,
        PrepareIrp(Client.Irp, SocketComplete, Client),
    )
    return STATUS_PENDING


def ClientUnload(Client: CLIENT) -> None:
    """Whatever is still going on ends."""
    assert Client.Irp is not None
    Client.IsStopping = True
    while True:
        IoCancelIrp(Client.Irp)
        if KeWaitForSingleObject(Client.Done, Executive, KernelMode, False, CANCEL_INTERVAL) == STATUS_SUCCESS:
            break
    ReleaseClient(Client)


def ReleaseClient(Client: CLIENT) -> None:
    DetachFromWsk(Client.Registration)
    if Client.Irp is not None:
        IoFreeIrp(Client.Irp)
    FreeBuffer(Client.Buffer)


def HasFailed(Client: CLIENT, Irp: IRP) -> bool:
    """Ends the client if the step before has not gone well, or no other one is to follow."""
    Status = Irp.IoStatus.Status
    if NT_SUCCESS(Status) and not Client.IsStopping:
        return False
    CloseClient(Client, STATUS_CANCELLED if NT_SUCCESS(Status) else Status)
    return True


def SocketComplete(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    if not NT_SUCCESS(Irp.IoStatus.Status):
        FinishClient(Context, Irp.IoStatus.Status)
        return STATUS_MORE_PROCESSING_REQUIRED
    Socket = Context.Socket = Irp.IoStatus.Information
    if not HasFailed(Context, Irp):
        LocalAddress = WildcardAddress(Context.Address.sa_family)
        Socket.Dispatch.WskBind(Socket, LocalAddress, 0, PrepareIrp(Irp, BindComplete, Context))
    return STATUS_MORE_PROCESSING_REQUIRED


def BindComplete(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    Socket = Context.Socket
    assert Socket is not None
    if not HasFailed(Context, Irp):
        Socket.Dispatch.WskConnect(Socket, Context.Address, 0, PrepareIrp(Irp, ConnectComplete, Context))
    return STATUS_MORE_PROCESSING_REQUIRED


def ConnectComplete(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    if not HasFailed(Context, Irp):
        SendMessage(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def SendMessage(Client: CLIENT) -> None:
    """Or say that no more comes."""
    Socket = Client.Socket
    assert Socket is not None
    assert Client.Irp is not None
    assert Client.Buffer is not None
    if Client.Turn < len(Client.Messages):
        Message = Client.Messages[Client.Turn]
        RtlCopyMemory(Client.Buffer.Memory, Message, len(Message))
        PrepareIrp(Client.Irp, MessageSent, Client)
        Socket.Dispatch.WskSend(Socket, WSK_BUF(Client.Buffer.Mdl, 0, len(Message)), 0, Client.Irp)
    else:
        Socket.Dispatch.WskDisconnect(Socket, None, 0, PrepareIrp(Client.Irp, Disconnected, Client))


def MessageSent(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    """The answer is as long as the message."""
    Socket = Context.Socket
    assert Socket is not None
    assert Context.Buffer is not None
    if not HasFailed(Context, Irp):
        Buffer = WSK_BUF(Context.Buffer.Mdl, 0, len(Context.Messages[Context.Turn]))
        PrepareIrp(Irp, MessageReceived, Context)
        Socket.Dispatch.WskReceive(Socket, Buffer, WSK_FLAG_WAITALL, Irp)
    return STATUS_MORE_PROCESSING_REQUIRED


def MessageReceived(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    assert Context.Buffer is not None
    if HasFailed(Context, Irp):
        return STATUS_MORE_PROCESSING_REQUIRED
    Length = Irp.IoStatus.Information
    Context.Received += bytes(Context.Buffer.Memory[:Length])
    if Length < len(Context.Messages[Context.Turn]):
        CloseClient(Context, STATUS_REMOTE_DISCONNECT)
    else:
        Context.Turn += 1
        SendMessage(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def Disconnected(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    """Wait for the peer to do the same, and discard what it may still send."""
    Socket = Context.Socket
    assert Socket is not None
    if not HasFailed(Context, Irp):
        PrepareIrp(Irp, PeerHasFinished, Context)
        Socket.Dispatch.WskReceive(Socket, WSK_BUF(None, 0, 0), WSK_FLAG_DRAIN, Irp)
    return STATUS_MORE_PROCESSING_REQUIRED


def PeerHasFinished(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    CloseClient(Context, Irp.IoStatus.Status)
    return STATUS_MORE_PROCESSING_REQUIRED


def CloseClient(Client: CLIENT, Status: NTSTATUS) -> None:
    assert Client.Socket is not None
    assert Client.Irp is not None
    Client.Status = Status
    Client.Socket.Dispatch.WskCloseSocket(Client.Socket, PrepareIrp(Client.Irp, ClientClosed, Client))


def ClientClosed(DeviceObject: object, Irp: IRP, Context: CLIENT) -> NTSTATUS:
    Context.Socket = None
    FinishClient(Context, Context.Status)
    return STATUS_MORE_PROCESSING_REQUIRED


def FinishClient(Client: CLIENT, Status: NTSTATUS) -> None:
    Client.Status = Status
    KeSetEvent(Client.Done, IO_NO_INCREMENT, False)
