"""One request of a random program, and what is true of every request (WSK-2.1 to 2.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine import statuses
from wsknet.wsk import (
    DISPATCH_LEVEL,
    IRP,
    MDL,
    NT_SUCCESS,
    NTSTATUS,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_PENDING,
    STATUS_UNSUCCESSFUL,
    WSK_BUF,
    IoAllocateIrp,
    IoAllocateMdl,
    IoCancelIrp,
    IoFreeIrp,
    IoFreeMdl,
    IoReuseIrp,
    IoSetCompletionRoutine,
    KeGetCurrentIrql,
    MmBuildMdlForNonPagedPool,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.party import Party
    from tests.support.wsk_machine.sock import Sock

Then = Callable[["Call"], object]


class Memory:
    """A WSK_BUF over `size` bytes, in pieces, that starts some bytes into the first."""

    def __init__(self, pieces: list[bytearray], offset: int, size: int, mdls: list[MDL]) -> None:
        self.pieces = pieces
        self.offset = offset
        self.size = size
        self.mdls = mdls
        self.buffer = WSK_BUF(mdls[0] if mdls else None, offset, size)

    @property
    def content(self) -> bytes:
        return b"".join(self.pieces)[self.offset :]

    def free(self) -> None:
        for Mdl in self.mdls:
            IoFreeMdl(Mdl)


def allocate(content: bytes, pieces: int = 1, offset: int = 0) -> Memory | None:
    """`content` behind `offset` bytes that are none of it.  None: out of memory, and nothing is left allocated."""
    whole = bytes(offset) + content
    if not content:
        return Memory([], 0, 0, [])
    step = max(offset + 1, -(-len(whole) // pieces))
    memory = [bytearray(whole[at : at + step]) for at in range(0, len(whole), step)]
    mdls: list[MDL] = []
    for piece in memory:
        Mdl = IoAllocateMdl(piece, len(piece), False, False, None)
        if Mdl is None:
            for made in mdls:
                IoFreeMdl(made)
            return None
        MmBuildMdlForNonPagedPool(Mdl)
        if mdls:
            mdls[-1].Next = Mdl
        mdls.append(Mdl)
    return Memory(memory, offset, len(content), mdls)


class Call:
    def __init__(
        self,
        party: Party,
        name: str,
        then: Then | None,
        memory: tuple[Memory, ...],
        Irp: IRP,
        owner: Sock | None,
    ) -> None:
        self.party = party
        self.owner = owner
        self.name = name
        self.then = then
        self.memory = memory
        self.Irp = Irp
        self.returned: NTSTATUS | None = None
        self.is_done = False
        self.is_cancelled = False
        self.was_pending = False
        self.Status: NTSTATUS = STATUS_PENDING
        self.Information: Any = 0

    @property
    def is_success(self) -> bool:
        return bool(NT_SUCCESS(self.Status))

    def cancel(self) -> None:
        self.is_cancelled = True
        if self.owner is not None and ("WskSend(" in self.name or "WskDisconnect(" in self.name):
            self.owner.is_broken = True  # bytes that are lent cannot be taken back out of the stream
        IoCancelIrp(self.Irp)

    def run(self, function: Callable[..., NTSTATUS], arguments: tuple[Any, ...]) -> None:
        IoSetCompletionRoutine(self.Irp, self._routine, self, True, True, True)
        self.party.pending[self] = None
        self.returned = function(*arguments, self.Irp)
        if self.is_done:
            self._require_agreement()
        elif self.returned != STATUS_PENDING:
            self.fail(f"returned {self.returned.name} and has not completed")

    def fail(self, what: str) -> None:
        self.party.world.fail(f"{self.party.host.name}: {self.name}: {what}")

    def _routine(self, DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        if self.is_done or Context is not self or Irp is not self.Irp:
            self.fail("completed a second time, or with what is another's")
        self.is_done = True
        self.was_pending = Irp.PendingReturned
        self.Status, self.Information = Irp.IoStatus.Status, Irp.IoStatus.Information
        if KeGetCurrentIrql() != DISPATCH_LEVEL:
            self.fail(f"completed at IRQL {KeGetCurrentIrql()}")
        if not self.is_success and self.Information != 0:
            self.fail(f"{self.Status.name} with Information {self.Information}")
        if self.returned is not None:
            self._require_agreement()
        statuses.check(self)
        del self.party.pending[self]
        for memory in self.memory:
            memory.free()
        self.party.give_back(Irp)
        self.party.log(f"{self.name} completes: {self.Status.name}, {self.Information}")
        if self.then is not None:
            with self.party.world.inside():
                self.then(self)
        return STATUS_MORE_PROCESSING_REQUIRED

    def _require_agreement(self) -> None:
        assert self.returned is not None
        if self.was_pending != (self.returned == STATUS_PENDING):
            self.fail(f"returned {self.returned.name}, and PendingReturned was {self.was_pending}")
        if self.returned not in (STATUS_PENDING, self.Status):
            self.fail(f"returned {self.returned.name} and completed with {self.Status.name}")


def take_irp(spare: list[IRP], is_reused: bool) -> IRP | None:
    if spare and is_reused:
        Irp = spare.pop()
        IoReuseIrp(Irp, STATUS_UNSUCCESSFUL)
        return Irp
    made: IRP | None = IoAllocateIrp(1, False)
    return made


def free_irps(spare: list[IRP]) -> None:
    while spare:
        IoFreeIrp(spare.pop())
