"""A planned connection and its two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.flow import key_between
from wsknet.errors import NetError
from wsknet.transport.ports import PortChoice
from wsknet.types import Cover, Endpoint, LocalName

if TYPE_CHECKING:
    from tests.simulation.plan import TalkPlan
    from tests.simulation.server import Server
    from tests.simulation.side import Side

PORT = 7
MEETING_PORT = 1000
"""The first of those from which both connect."""
NOBODYS_PORT = 9


class Talk:
    def __init__(self, number: int, plan: TalkPlan, one: Side, other: Side, server: Server) -> None:
        self.plan = plan
        self._number = number
        self.sides = one, other
        one.peer, other.peer = other, one
        self.client = self.sides[plan.client]
        self.accepting = self.client.peer
        self.server = server
        self.names: tuple[Endpoint, Endpoint] | None = None
        """Of the connection: the client's end and the server's."""

    @property
    def is_over(self) -> bool:
        """A server that nobody ever reached has nothing to end."""
        accepting = self.accepting
        if self.plan.is_simultaneous or not self.client.has_ended:
            return self.client.has_ended and accepting.has_ended
        return accepting.has_ended or (accepting.endpoint is None and not self.server.may_still_accept(self))

    def open(self) -> None:
        if self.plan.is_simultaneous:
            port = MEETING_PORT + 2 * self._number
            self._connect(self.client, port, port + 1)
            self._connect(self.accepting, port + 1, port)
        else:
            self._connect(self.client, 0, PORT if self.plan.is_answered else NOBODYS_PORT)
            if self.names is not None:
                self.server.expect(self, self.names[0])

    def _connect(self, side: Side, port: int, to: int) -> None:
        machine, family = side.machine, self.plan.family
        remote = Endpoint(side.peer.machine.address(family), to)
        cover = Cover(family.value)
        with machine.host.pump as now:
            if machine.is_down:
                side.crash(now)
                side.ended_at = now
                return
            endpoint = machine.host.stack.tcp.open(cover)
            endpoint.receive_buffer = side.plan.buffer
            endpoint.fast_open = self.plan.is_fast_open
            data = side.first_piece() if self.plan.is_fast_open else b""
            endpoint.bind(LocalName(cover, None, port), now, choice=PortChoice.AT_CONNECT)
            try:
                endpoint.connect(remote, now, data)
            except NetError as error:
                side.refuse(error, now)
                endpoint.close(now)
                return
            local = endpoint.local_endpoint
            assert local is not None
            if self.names is None:
                self.names = (local, remote) if side is self.client else (remote, local)
            for each, key in zip(
                (side, side.peer), (key_between(local, remote), key_between(remote, local)), strict=True
            ):
                each.flow = key
                each.machine.parties[key] = each
            side.start(endpoint, now, len(data))

    def tell(self, number: int) -> list[str]:
        names = "no names" if self.names is None else f"ports {self.names[0].port} and {self.names[1].port}"
        return [f"  talk {number}, {names}:", *(f"     {side.tell()}" for side in self.sides)]
