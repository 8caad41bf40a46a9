"""Who listens on a side, and gives each accepted connection to the talk that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.talk import PORT
from wsknet.types import Cover, Endpoint, Instant, LocalName

if TYPE_CHECKING:
    from tests.simulation.lab import Machine
    from tests.simulation.plan import World
    from tests.simulation.talk import Talk
    from wsknet.transport.tcp.endpoint import TcpEndpoint


class Server:
    """An `Owner`, of a listener per family."""

    def __init__(self, machine: Machine, world: World) -> None:
        self.machine = machine
        self.faults: list[str] = []
        self._world = world
        self._expected: dict[Endpoint, Talk] = {}
        self._listeners: list[TcpEndpoint] = []
        self._is_waiting = False

    def open(self) -> None:
        stack = self.machine.host.stack
        buffers = [talk.ends[self.machine.side].buffer for talk in self._world.talks]
        with self.machine.host.pump as now:
            for cover in (Cover.IPV4, Cover.IPV6):
                listener = stack.tcp.open(cover, self)
                listener.receive_buffer = min(buffers)
                listener.fast_open = any(talk.is_fast_open for talk in self._world.talks)
                listener.bind(LocalName(cover, None, PORT), now)
                listener.listen(now, self._world.backlog)
                self._listeners.append(listener)

    def close(self) -> None:
        with self.machine.host.pump as now:
            for listener in self._listeners:
                listener.close(now)
        self._listeners.clear()

    def crash(self) -> None:
        self._listeners.clear()

    def expect(self, talk: Talk, client: Endpoint) -> None:
        """Connections from `client` are those of `talk` from now on."""
        self._expected[client] = talk

    def may_still_accept(self, talk: Talk) -> bool:
        """The stack has a connection of `talk` that nobody has accepted yet."""
        if talk.names is None:
            return False
        views = self.machine.host.stack.tcp.connections()
        return any(each.remote == talk.names[0] for each in views)

    def on_ready(self, readiness: int, now: Instant) -> None:
        if self._world.accept_gap == 0:
            self._accept(now)
        elif not self._is_waiting:
            self._is_waiting = True
            host = self.machine.host

            def later() -> None:
                self._is_waiting = False
                if host is self.machine.host and not self.machine.is_down:
                    with host.pump as then:
                        self._accept(then)

            host.driver.call_at(Instant(now + self._world.accept_gap), later)

    def _accept(self, now: Instant) -> None:
        for listener in self._listeners:
            while (endpoint := listener.accept(now)) is not None:
                assert endpoint.remote is not None
                talk = self._expected.get(endpoint.remote)
                if talk is None:
                    self.faults.append(f"a connection from {endpoint.remote} that nobody opened was accepted")
                    endpoint.close(now)
                elif talk.accepting.has_ended:
                    # A late copy of the first segment, when the listener answers with cookies (RFC 4987 3.6): it holds
                    # all that the lost handshake did.  The peer, which has no such connection any more, resets it.
                    endpoint.close(now)
                elif talk.accepting.endpoint is not None:
                    self.faults.append(f"the connection from port {endpoint.remote.port} was accepted twice")
                    endpoint.close(now)
                else:
                    talk.accepting.begin(endpoint, now, is_connected=True)
