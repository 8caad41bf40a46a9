"""A TCP echo server and a client for it, both driven by events: nothing here waits but entry and unload.

The server keeps what WskReceiveEvent indicates, sends that very memory back, and releases it when it has been sent.
The client copies.  A connection has two IRPs from the start: one for what it does, one for its end, which must not
fail.
"""

from __future__ import annotations

from collections.abc import Sequence

from examples.wsk.common import *
from examples.wsk.event_connection import *
from wsknet.wsk import *

CONNECTION_EVENTS = WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT


# The server


class SERVER:
    """The device extension of the server's driver."""

    __slots__ = ("Address", "Connections", "IsListenerDead", "Lock", "NoConnections", "Provider", "Registration",
                 "Request", "Socket")  # fmt: skip

    def __init__(self, Address: SOCKADDR) -> None:
        self.Address = Address
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Request: REQUEST | None = None
        self.Socket: WSK_SOCKET | None = None
        self.IsListenerDead = False
        self.Lock = KSPIN_LOCK()
        KeInitializeSpinLock(self.Lock)
        self.Connections = LIST_ENTRY()
        InitializeListHead(self.Connections)
        self.NoConnections = KEVENT()
        KeInitializeEvent(self.NoConnections, NotificationEvent, True)


def ServerEntry(Server: SERVER) -> NTSTATUS:
    Status = AttachToWsk(Server.Registration, Server.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Status = StartListening(Server)
    if not NT_SUCCESS(Status):
        ServerUnload(Server)
    return Status


def StartListening(Server: SERVER) -> NTSTATUS:
    Server.Request = AllocateRequest()
    if Server.Request is None:
        return STATUS_INSUFFICIENT_RESOURCES
    Status = CreateSocket(
        Server.Provider,
        Server.Address.sa_family,
        WSK_FLAG_LISTEN_SOCKET,
        Server,
        ServerListenDispatch,
        Server.Request,
    )
    if not NT_SUCCESS(Status):
        return Status
    Socket: WSK_SOCKET = Server.Request.Irp.IoStatus.Information
    Server.Socket = Socket
    Status = BindSocket(Socket, Server.Address, Server.Request)
    if not NT_SUCCESS(Status):
        return Status
    # The events of connections are for the sockets that WskAcceptEvent delivers.
    return EnableEvents(Socket, WSK_EVENT_ACCEPT | CONNECTION_EVENTS)


def ServerUnload(Server: SERVER) -> None:
    """The listener goes first: once it is closed no connection comes any more."""
    CloseSocket(Server.Socket, Server.Request)
    while True:
        Connection = ClaimConnection(Server)
        if Connection is None:
            break
        ResetConnection(Connection)
    KeWaitForSingleObject(Server.NoConnections, Executive, KernelMode, False, None)
    DetachFromWsk(Server.Registration)
    FreeRequest(Server.Request)


def ClaimConnection(Server: SERVER) -> CONNECTION | None:
    """One that nobody is ending yet.  Claimed it stays, for only ResetComplete lets it be closed."""
    OldIrql = KeAcquireSpinLockRaiseToDpc(Server.Lock)
    Entry = Server.Connections.Flink
    Found = None
    while Entry is not None and Entry is not Server.Connections and Found is None:
        Connection = CONTAINING_RECORD(Entry, CONNECTION, "Link")
        if not Connection.IsEnding:
            Connection.IsEnding = True
            Found = Connection
        Entry = Entry.Flink
    KeReleaseSpinLock(Server.Lock, OldIrql)
    return Found


def ServerAcceptEvent(
    SocketContext: SERVER,
    Flags: int,
    LocalAddress: SOCKADDR,
    RemoteAddress: SOCKADDR,
    AcceptSocket: WSK_SOCKET | None,
    AcceptSocketContext: list[object],
    AcceptSocketDispatch: list[object],
) -> NTSTATUS:
    if AcceptSocket is None:
        SocketContext.IsListenerDead = True  # it can only be closed, which is for a thread that may wait
        return STATUS_REQUEST_NOT_ACCEPTED
    Connection = AllocateConnection(SocketContext, ServerNextStep, ServerConnectionClosed)
    if Connection is None:
        return STATUS_REQUEST_NOT_ACCEPTED
    Connection.Socket = AcceptSocket
    OldIrql = KeAcquireSpinLockRaiseToDpc(SocketContext.Lock)
    InsertTailList(SocketContext.Connections, Connection.Link)
    KeClearEvent(SocketContext.NoConnections)
    KeReleaseSpinLock(SocketContext.Lock, OldIrql)
    AcceptSocketContext[0] = Connection
    AcceptSocketDispatch[0] = ServerConnectionDispatch
    return STATUS_SUCCESS


def ServerReceiveEvent(
    SocketContext: CONNECTION,
    Flags: int,
    DataIndication: WSK_DATA_INDICATION | None,
    BytesIndicated: int,
    BytesAccepted: list[int],
) -> NTSTATUS:
    if DataIndication is None:
        AbortConnection(SocketContext, STATUS_FILE_FORCED_CLOSED)
        return STATUS_SUCCESS
    Connection = SocketContext
    OldIrql = KeAcquireSpinLockRaiseToDpc(Connection.Lock)
    IsUnwanted = Connection.IsEnding
    if not IsUnwanted:
        if Connection.First is None:
            Connection.First = DataIndication
        else:
            assert Connection.Last is not None
            Connection.Last.Next = DataIndication
        Connection.Last = DataIndication
        while Connection.Last.Next is not None:
            Connection.Last = Connection.Last.Next
        WasBusy = Connection.IsBusy
        Connection.IsBusy = True  # in the same breath: what is retained keeps the connection busy
    KeReleaseSpinLock(Connection.Lock, OldIrql)
    if IsUnwanted:
        return STATUS_SUCCESS
    if not WasBusy:
        SendBack(Connection)
    return STATUS_PENDING


def ServerNextStep(Connection: CONNECTION) -> STEP | None:
    if Connection.First is not None:
        return SendBack
    if not Connection.IsPeerDone:
        return None
    if Connection.IsFinished:
        return CloseConnection
    Connection.IsFinished = True
    return FinishConnection


def SendBack(Connection: CONNECTION) -> None:
    """The first of the elements retained."""
    assert Connection.Socket is not None
    assert Connection.First is not None
    Dispatch = Connection.Socket.Dispatch
    Dispatch.WskSend(
        Connection.Socket,
        Connection.First.Buffer,
        0,
        PrepareIrp(Connection.WorkIrp, SendBackComplete, Connection),
    )


def SendBackComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    """Releases what was sent, or everything if that has failed or is not wanted any more."""
    Status = Irp.IoStatus.Status
    if not NT_SUCCESS(Status):
        AbortConnection(Context, Status)
    OldIrql = KeAcquireSpinLockRaiseToDpc(Context.Lock)
    Released = Context.First
    assert Released is not None
    if Context.IsEnding:
        Context.First = None
    else:
        Context.First, Released.Next = Released.Next, None
    KeReleaseSpinLock(Context.Lock, OldIrql)
    assert Context.Socket is not None
    Context.Socket.Dispatch.WskRelease(Context.Socket, Released)
    Continue(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def ServerConnectionClosed(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    Server = Context.Owner
    OldIrql = KeAcquireSpinLockRaiseToDpc(Server.Lock)
    if RemoveEntryList(Context.Link):
        KeSetEvent(Server.NoConnections, IO_NO_INCREMENT, False)
    KeReleaseSpinLock(Server.Lock, OldIrql)
    FreeConnection(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


ServerListenDispatch = WSK_CLIENT_LISTEN_DISPATCH(ServerAcceptEvent, None, None)
ServerConnectionDispatch = WSK_CLIENT_CONNECTION_DISPATCH(ServerReceiveEvent, ConnectionDisconnectEvent, None)


# The client


class CLIENT:
    """The device extension of the client's driver."""

    __slots__ = ("Address", "Buffer", "Connection", "Done", "Lock", "Messages", "Missing", "Provider", "Received",
                 "Registration", "Status", "Turn")  # fmt: skip

    def __init__(self, Address: SOCKADDR, Messages: Sequence[bytes]) -> None:
        self.Address = Address
        self.Messages = Messages
        """Sent one after the other, each when the one before has come back whole."""
        self.Received = b""
        self.Status: NTSTATUS = STATUS_PENDING
        self.Registration, self.Provider = WSK_REGISTRATION(), WSK_PROVIDER_NPI()
        self.Connection: CONNECTION | None = None
        self.Buffer: BUFFER | None = None
        self.Turn = 0
        """Messages begun."""
        self.Missing = 0
        """Bytes of the present one that are yet to come back."""
        self.Lock = KSPIN_LOCK()
        KeInitializeSpinLock(self.Lock)
        self.Done = KEVENT()
        KeInitializeEvent(self.Done, NotificationEvent, False)


def ClientEntry(Client: CLIENT) -> NTSTATUS:
    """STATUS_PENDING: `Done` and `Status` will tell."""
    Status = AttachToWsk(Client.Registration, Client.Provider)
    if not NT_SUCCESS(Status):
        return Status
    Status = StartConnecting(Client)
    if not NT_SUCCESS(Status):
        ReleaseClient(Client)
    return Status


def StartConnecting(Client: CLIENT) -> NTSTATUS:
    # Static events are there from the first moment on; nothing has to be enabled in between.
    Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, CONNECTION_EVENTS)
    Status: NTSTATUS = Client.Provider.Dispatch.WskControlClient(
        Client.Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof(Control), Control, 0, None, None, None
    )
    if not NT_SUCCESS(Status):
        return Status
    Client.Buffer = AllocateBuffer(max(map(len, Client.Messages)))
    if Client.Buffer is None:
        return STATUS_INSUFFICIENT_RESOURCES
    Connection = AllocateConnection(Client, ClientNextStep, ClientConnectionClosed)
    if Connection is None:
        return STATUS_INSUFFICIENT_RESOURCES
    Client.Connection = Connection
    Connection.IsBusy = True
    Client.Provider.Dispatch.WskSocketConnect(
        Client.Provider.Client,
        SOCK_STREAM,
        IPPROTO_TCP,
        WildcardAddress(Client.Address.sa_family),
        Client.Address,
        0,
        Connection,
        ClientConnectionDispatch,
        None,
        None,
        None,
        PrepareIrp(Connection.WorkIrp, ConnectComplete, Connection),
    )
    return STATUS_PENDING


def ConnectComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    Status = Irp.IoStatus.Status
    if not NT_SUCCESS(Status):
        FinishClient(Context.Owner, Status)
        return STATUS_MORE_PROCESSING_REQUIRED
    OldIrql = KeAcquireSpinLockRaiseToDpc(Context.Lock)
    Context.Socket = Irp.IoStatus.Information
    IsEnding = Context.IsEnding
    KeReleaseSpinLock(Context.Lock, OldIrql)
    if IsEnding:
        ResetConnection(Context)
    Continue(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def ClientNextStep(Connection: CONNECTION) -> STEP | None:
    Client = Connection.Owner
    if Client.Missing:
        return GiveUp if Connection.IsPeerDone else None
    if Client.Turn < len(Client.Messages):
        Client.Missing = len(Client.Messages[Client.Turn])
        Client.Turn += 1
        return SendMessage
    if not Connection.IsFinished:
        Connection.IsFinished = True
        return FinishConnection
    return CloseConnection if Connection.IsPeerDone else None


def GiveUp(Connection: CONNECTION) -> None:
    """The peer has finished too early."""
    AbortConnection(Connection, STATUS_REMOTE_DISCONNECT)
    Continue(Connection)


def SendMessage(Connection: CONNECTION) -> None:
    Client = Connection.Owner
    assert Connection.Socket is not None
    Message = Client.Messages[Client.Turn - 1]
    RtlCopyMemory(Client.Buffer.Memory, Message, len(Message))
    Buffer = WSK_BUF(Client.Buffer.Mdl, 0, len(Message))
    Irp = PrepareIrp(Connection.WorkIrp, SendMessageComplete, Connection)
    Connection.Socket.Dispatch.WskSend(Connection.Socket, Buffer, 0, Irp)


def SendMessageComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    if not NT_SUCCESS(Irp.IoStatus.Status):
        AbortConnection(Context, Irp.IoStatus.Status)
    Continue(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def ClientReceiveEvent(
    SocketContext: CONNECTION,
    Flags: int,
    DataIndication: WSK_DATA_INDICATION | None,
    BytesIndicated: int,
    BytesAccepted: list[int],
) -> NTSTATUS:
    if DataIndication is None:
        AbortConnection(SocketContext, STATUS_FILE_FORCED_CLOSED)
        return STATUS_SUCCESS
    Client = SocketContext.Owner
    Data = CopyIndication(DataIndication)
    if Data is None:
        AbortConnection(SocketContext, STATUS_INSUFFICIENT_RESOURCES)
        return STATUS_SUCCESS
    OldIrql = KeAcquireSpinLockRaiseToDpc(SocketContext.Lock)
    Client.Received += Data
    Client.Missing -= min(len(Data), Client.Missing)
    KeReleaseSpinLock(SocketContext.Lock, OldIrql)
    Work(SocketContext)
    return STATUS_SUCCESS


def CopyIndication(DataIndication: WSK_DATA_INDICATION) -> bytes | None:
    """Each element has a WSK_BUF, which may be a chain of MDLs."""
    Data = b""
    Element: WSK_DATA_INDICATION | None = DataIndication
    while Element is not None:
        Mdl, Offset, Left = Element.Buffer.Mdl, Element.Buffer.Offset, Element.Buffer.Length
        while Left:
            assert Mdl is not None
            Memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority)
            if Memory is None:
                return None
            Piece = bytes(Memory[Offset : Offset + Left])
            Data += Piece
            Left -= len(Piece)
            Mdl, Offset = Mdl.Next, 0
        Element = Element.Next
    return Data


def ClientConnectionClosed(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    FinishClient(Context.Owner, Context.Status)
    return STATUS_MORE_PROCESSING_REQUIRED


def FinishClient(Client: CLIENT, Status: NTSTATUS) -> None:
    Client.Status = Status
    KeSetEvent(Client.Done, IO_NO_INCREMENT, False)


def ClientUnload(Client: CLIENT) -> None:
    """Whatever is still going on ends."""
    Connection = Client.Connection
    assert Connection is not None
    if not KeReadStateEvent(Client.Done):
        AbortConnection(Connection, STATUS_CANCELLED)
        if Connection.Socket is None:
            IoCancelIrp(Connection.WorkIrp)  # it is connecting
    KeWaitForSingleObject(Client.Done, Executive, KernelMode, False, None)
    ReleaseClient(Client)


def ReleaseClient(Client: CLIENT) -> None:
    DetachFromWsk(Client.Registration)
    if Client.Connection is not None:
        FreeConnection(Client.Connection)
    FreeBuffer(Client.Buffer)


ClientConnectionDispatch = WSK_CLIENT_CONNECTION_DISPATCH(ClientReceiveEvent, ConnectionDisconnectEvent, None)
