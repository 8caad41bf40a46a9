"""A planned connection and its two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.transport.ports import PortChoice
from wsknet.types import Cover, Endpoint, LocalName

if TYPE_CHECKING:
    from tests.simulation.plan import TalkPlan
    from tests.simulation.server import Server
    from tests.simulation.side import Side

PORT = 7
NOBODYS_PORT = 9


class Talk:
    def __init__(self, plan: TalkPlan, one: Side, other: Side, server: Server) -> None:
        self.plan = plan
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
        if not self.client.has_ended:
            return False
        return accepting.has_ended or (accepting.endpoint is None and not self.server.may_still_accept(self))

    def open(self) -> None:
        client, plan = self.client, self.plan
        machine = client.machine
        stack = machine.host.stack
        remote = Endpoint(self.accepting.machine.address(plan.family), PORT if plan.is_answered else NOBODYS_PORT)
        cover = Cover(plan.family.value)
        with machine.host.pump as now:
            if machine.is_down:
                client.crash(now)
                client.ended_at = now
                return
            endpoint = stack.tcp.open(cover)
            endpoint.receive_buffer = client.plan.buffer
            endpoint.bind(LocalName(cover, None, 0), now, choice=PortChoice.AT_CONNECT)
            try:
                endpoint.connect(remote, now)
            except NetError as error:
                client.refuse(error, now)
                endpoint.close(now)
                return
            local = endpoint.local_endpoint
            assert local is not None
            self.names = local, remote
            self.server.expect(self, local)
            client.start(endpoint, now)

    def tell(self, number: int) -> list[str]:
        names = "no names" if self.names is None else f"ports {self.names[0].port} and {self.names[1].port}"
        return [f"  talk {number}, {names}:", *(f"     {side.tell()}" for side in self.sides)]
