"""Makes what a world has planned happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.lab import INTERFACE
from tests.simulation.plan import Kind, Trouble
from wsknet.net import changes
from wsknet.types import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.lab import Lab
    from tests.simulation.plan import World
    from tests.simulation.server import Server
    from tests.simulation.talk import Talk


def schedule(world: World, lab: Lab, servers: Sequence[Server], talks: Sequence[Talk]) -> None:
    for trouble in world.troubles:
        doer = _Doer(trouble, lab, servers[trouble.side], talks)
        lab.network.driver.call_at(Instant(trouble.at), doer.begin)
        if trouble.duration:
            lab.network.driver.call_at(Instant(trouble.end), doer.end)


class _Doer:
    def __init__(self, trouble: Trouble, lab: Lab, server: Server, talks: Sequence[Talk]) -> None:
        self._trouble = trouble
        self._lab = lab
        self._machine = lab.machines[trouble.side]
        self._server = server
        self._talks = talks

    def begin(self) -> None:
        if self._machine.is_down:
            return
        match self._trouble.kind:
            case Kind.MTU:
                self._machine.change(changes.InterfaceChanged(INTERFACE, mtu=self._trouble.value))
            case Kind.FAR_MTU:
                assert self._lab.router is not None
                far = self._lab.router.interfaces["far"].index
                self._lab.router.apply(changes.InterfaceChanged(far, mtu=self._trouble.value))
            case Kind.LINK:
                self._machine.change(changes.LinkDown(INTERFACE))
            case Kind.PATH:
                self._lab.set_path(False)
            case Kind.ADDRESSES:
                self._machine.set_addresses(False)
            case Kind.RESTART:
                self._crash()
            case Kind.BUFFER:
                self._set_buffers()

    def end(self) -> None:
        match self._trouble.kind:
            case Kind.RESTART:
                if self._machine.is_down:
                    self._machine.start_up()
                    self._server.open()
            case Kind.PATH:
                self._lab.set_path(True)
            case Kind.LINK if not self._machine.is_down:
                self._machine.change(changes.LinkUp(INTERFACE))
            case Kind.ADDRESSES if not self._machine.is_down:
                self._machine.set_addresses(True)

    def _crash(self) -> None:
        self._server.crash()
        for talk in self._talks:
            talk.sides[self._trouble.side].crash(self._machine.now)
        self._machine.shut_down()

    def _set_buffers(self) -> None:
        with self._machine.host.pump:
            for talk in self._talks:
                side = talk.sides[self._trouble.side]
                if side.endpoint is not None and not side.has_ended:
                    side.endpoint.receive_buffer = self._trouble.value
