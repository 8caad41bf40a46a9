"""The application of one host: its sockets and requests.  The world: both, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from tests.support.wsk_machine.calls import Call, Memory, Then, free_irps, take_irp
from wsknet.host import Host, HostInterface
from wsknet.wsk import IRP, NTSTATUS, WSK_SET_STATIC_EVENT_CALLBACKS, IoCancelIrp, faults_of, simple, verify
from wsknet.wsk.structures import NPI_WSK_INTERFACE_ID, WSK_EVENT_CALLBACK_CONTROL

if TYPE_CHECKING:
    from tests.support.wsk_machine.control_info import Sent
    from tests.support.wsk_machine.sock import Sock
    from tests.support.wsk_machine.streams import Stream

NEVER = 1 << 60
INSIDE = 6
"""Calls from inside routines and callbacks, at most, for each step of the program."""
LOG = 400


class World:
    """What the parties of one sequence share."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.events: list[str] = []
        self.depth = 0
        """Routines and callbacks that run."""
        self.left_inside = 0
        self.sent: dict[bytes, Sent] = {}
        """Datagrams by their first four bytes."""
        self.connected: dict[tuple[str, int], list[Stream]] = {}
        """Those that connected, by host and port."""
        self.accepted: dict[tuple[str, int], list[Stream]] = {}
        """Those that were accepted, by host and port of who connected."""
        self.moment = 0
        self.is_ending = False
        """Callbacks take all that they get, and call nothing."""

    def tick(self) -> int:
        self.moment += 1
        return self.moment

    def fail(self, what: str) -> None:
        self.findings.append(what)

    @contextmanager
    def inside(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def may_act(self) -> bool:
        """Whether a routine or callback may make another call."""
        self.left_inside -= 1
        return self.left_inside >= 0 and not self.is_ending

    def begin(self) -> None:
        """A step of the program."""
        self.left_inside = INSIDE

    def check(self) -> None:
        assert not self.findings, "\n".join([*self.findings, "", *self.events[-LOG:]])


class Party:
    def __init__(self, world: World, host: Host, interface: HostInterface, static_events: int, dice: Random) -> None:
        self.world = world
        self.host = host
        self.interface = interface
        self.static_events = static_events
        self.dice = dice
        self.sockets: list[Sock] = []
        """Not yet closed."""
        self.pending: dict[Call, None] = {}
        self.descriptors: list[Any] = []
        self.address_lists: list[Any] = []
        self._spare: list[IRP] = []
        self.made = 0
        self.changes = 0
        self.is_whole = True
        """Interface, addresses and transports are those of the beginning."""
        self.loopback = next(view.index for view in host.stack.view().interfaces if view.index != interface.index)
        verify(host)
        with host.activate():
            self.application = simple.Application(self)
            if static_events:
                Control = WSK_EVENT_CALLBACK_CONTROL(NPI_WSK_INTERFACE_ID, static_events)
                status = self.application.control(WSK_SET_STATIC_EVENT_CALLBACKS, Control.SIZE, Control, 0, None, None)
                assert status == 0, status.name

    @property
    def provider(self) -> Any:
        return self.application.provider

    def log(self, what: str) -> None:
        self.world.events.append(f"{'  ' * self.world.depth}{self.host.name}: {what}")

    def call(
        self,
        name: str,
        function: Callable[..., NTSTATUS],
        *arguments: Any,
        then: Then | None = None,
        memory: tuple[Memory, ...] = (),
        is_cancelled: bool = False,
        owner: Sock | None = None,
    ) -> Call | None:
        """None: there was no memory for an IRP."""
        Irp = take_irp(self._spare, self.dice.random() < 0.5)
        if Irp is None:
            self.log(f"{name}: no IRP")
            for each in memory:
                each.free()
            return None
        self.log(name)
        call = Call(self, name, then, memory, Irp, owner)
        if is_cancelled:
            call.is_cancelled = True
            IoCancelIrp(Irp)
        call.run(function, arguments)
        return call

    def give_back(self, Irp: IRP) -> None:
        self._spare.append(Irp)
        if len(self._spare) > 4:
            free_irps(self._spare)

    def break_streams(self) -> None:
        """Their way is gone: no end of them is promised any more."""
        self.is_whole = False
        self.changes += 1
        for sock in self.sockets:
            sock.is_broken = True

    def have_memory(self) -> None:
        """No allocation fails any more."""
        faults = faults_of(self.host)
        for function in ("", "IoAllocateIrp", "IoAllocateMdl"):
            faults.fail_allocation(function, NEVER)

    def free_irps(self) -> None:
        free_irps(self._spare)
