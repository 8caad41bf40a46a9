"""What both sides of the echo by events do with a connection: use its two IRPs in turn, and end it once and cleanly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.wsk import *

STEP = Callable[["CONNECTION"], None]
NEXT_STEP = Callable[["CONNECTION"], STEP | None]


class CONNECTION:
    """The lock is that of the server or client, which `Owner` is."""

    __slots__ = ("Closed", "EndIrp", "First", "IsBusy", "IsEnding", "IsFinished", "IsPeerDone", "Last", "Link", "Lock",
                 "MayClose", "NextStep", "Owner", "Socket", "Status", "WorkIrp")  # fmt: skip

    def __init__(
        self, Owner: Any, NextStep: NEXT_STEP, Closed: PIO_COMPLETION_ROUTINE, WorkIrp: IRP, EndIrp: IRP
    ) -> None:
        self.Link = LIST_ENTRY(self)
        self.Owner = Owner
        self.Lock: KSPIN_LOCK = Owner.Lock
        self.NextStep = NextStep
        """Asked, with the lock held, what to do with WorkIrp; NULL for nothing."""
        self.Closed = Closed
        self.Socket: WSK_SOCKET | None = None
        self.WorkIrp = WorkIrp
        """For connect, send and disconnect, one after the other."""
        self.EndIrp = EndIrp
        """For the abortive disconnect, and then for close."""
        self.First: WSK_DATA_INDICATION | None = None
        """Received and not yet sent back.  While there is any, IsBusy."""
        self.Last: WSK_DATA_INDICATION | None = None
        self.IsBusy = False
        """Somebody has WorkIrp."""
        self.IsPeerDone = False
        self.IsFinished = False
        """WskDisconnect has been called."""
        self.IsEnding = False
        """Somebody has EndIrp."""
        self.MayClose = False
        self.Status: NTSTATUS = STATUS_SUCCESS
        """Why it ended."""


def AllocateConnection(Owner: Any, NextStep: NEXT_STEP, Closed: PIO_COMPLETION_ROUTINE) -> CONNECTION | None:
    """`Owner` has the lock; `Closed` is the completion routine of its WskCloseSocket."""
    WorkIrp = IoAllocateIrp(1, False)
    if WorkIrp is None:
        return None
    EndIrp = IoAllocateIrp(1, False)
    if EndIrp is None:
        IoFreeIrp(WorkIrp)
        return None
    return CONNECTION(Owner, NextStep, Closed, WorkIrp, EndIrp)


def FreeConnection(Connection: CONNECTION) -> None:
    IoFreeIrp(Connection.WorkIrp)
    IoFreeIrp(Connection.EndIrp)


def PrepareIrp(Irp: IRP, Routine: PIO_COMPLETION_ROUTINE, Connection: CONNECTION) -> IRP:
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL)
    IoSetCompletionRoutine(Irp, Routine, Connection, True, True, True)
    return Irp


def Work(Connection: CONNECTION) -> None:
    """Something has changed: use WorkIrp, unless somebody does already."""
    OldIrql = KeAcquireSpinLockRaiseToDpc(Connection.Lock)
    WasBusy = Connection.IsBusy
    Connection.IsBusy = True
    KeReleaseSpinLock(Connection.Lock, OldIrql)
    if not WasBusy:
        Continue(Connection)


def Continue(Connection: CONNECTION) -> None:
    """WorkIrp is ours: what is next?"""
    OldIrql = KeAcquireSpinLockRaiseToDpc(Connection.Lock)
    Step: STEP | None
    if Connection.IsEnding:
        Step = CloseConnection if Connection.MayClose else None
        Connection.MayClose = False
    else:
        Step = Connection.NextStep(Connection)
        Connection.IsEnding = Step is CloseConnection
    Connection.IsBusy = Step is not None
    KeReleaseSpinLock(Connection.Lock, OldIrql)
    if Step is not None:
        Step(Connection)


def AbortConnection(Connection: CONNECTION, Status: NTSTATUS) -> None:
    """End it now, unless that goes on already."""
    OldIrql = KeAcquireSpinLockRaiseToDpc(Connection.Lock)
    WasEnding = Connection.IsEnding
    if not WasEnding:
        Connection.IsEnding = True
        Connection.Status = Status
    IsOpen = Connection.Socket is not None  # else ConnectComplete will see that it is to end
    KeReleaseSpinLock(Connection.Lock, OldIrql)
    if IsOpen and not WasEnding:
        ResetConnection(Connection)


def ResetConnection(Connection: CONNECTION) -> None:
    """EndIrp is ours.  What is being sent ends; what was received has to be released before the socket is closed."""
    assert Connection.Socket is not None
    Dispatch = Connection.Socket.Dispatch
    Dispatch.WskDisconnect(
        Connection.Socket, None, WSK_FLAG_ABORTIVE, PrepareIrp(Connection.EndIrp, ResetComplete, Connection)
    )


def ResetComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    """Whether it went well or not: a socket that is dead already cannot be reset."""
    OldIrql = KeAcquireSpinLockRaiseToDpc(Context.Lock)
    IsIdle = not Context.IsBusy
    Context.MayClose = not IsIdle  # else whoever has WorkIrp closes when it comes back
    KeReleaseSpinLock(Context.Lock, OldIrql)
    if IsIdle:
        CloseConnection(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def FinishConnection(Connection: CONNECTION) -> None:
    """Say that nothing more comes from here."""
    assert Connection.Socket is not None
    Dispatch = Connection.Socket.Dispatch
    Dispatch.WskDisconnect(Connection.Socket, None, 0, PrepareIrp(Connection.WorkIrp, FinishComplete, Connection))


def FinishComplete(DeviceObject: object, Irp: IRP, Context: CONNECTION) -> NTSTATUS:
    if not NT_SUCCESS(Irp.IoStatus.Status):
        AbortConnection(Context, Irp.IoStatus.Status)
    Continue(Context)
    return STATUS_MORE_PROCESSING_REQUIRED


def CloseConnection(Connection: CONNECTION) -> None:
    """Both IRPs are ours, and nothing is retained."""
    assert Connection.Socket is not None
    Dispatch = Connection.Socket.Dispatch
    Dispatch.WskCloseSocket(Connection.Socket, PrepareIrp(Connection.EndIrp, Connection.Closed, Connection))


def ConnectionDisconnectEvent(SocketContext: CONNECTION, Flags: int) -> NTSTATUS:
    if Flags & WSK_FLAG_ABORTIVE:
        AbortConnection(SocketContext, STATUS_CONNECTION_RESET)
    else:
        SocketContext.IsPeerDone = True
        Work(SocketContext)
    return STATUS_SUCCESS
