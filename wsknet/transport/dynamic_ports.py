"""The usable ports of one set of ranges, by who may be given them, so that choosing one is cheap.

Read RFC 6056 3.3.1 before editing.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

REDRAWS = 64
"""Ports drawn at random before the usable ones are listed, which costs as much as the range is long."""


class PortUse(NamedTuple):
    """Who may be given a port.  A resting one is `open` at most."""

    is_free: bool
    """Nobody holds it."""
    is_shared: bool
    """It is held under SO_PORT_SCALABILITY alone, so that the next address may have it too."""
    is_open: bool
    """It was chosen at connect for all who hold it, if any, so that a connection to another peer may have it too."""


class DynamicPorts:
    """The usable ports of one set of ranges, by who may be given them.

    Giving, taking and choosing a free port cost the same however full the range is.
    """

    def __init__(self, usable: list[int], use_of: Callable[[int], PortUse], in_use: Container[int]) -> None:
        """`use_of` is asked for those `in_use` only, held or resting: nearly always a few of thousands."""
        self.usable = frozenset(usable)
        self._use_of = use_of
        uses = {port: use_of(port) for port in usable if port in in_use}
        self.free = _PortSet([port for port in usable if port not in uses or uses[port].is_free])
        self.shared = _PortSet([port for port, use in uses.items() if use.is_shared])
        self.open = _PortSet([port for port in usable if port not in uses or uses[port].is_open])

    def update(self, port: int) -> None:
        """Somebody took, released, rested or woke `port`."""
        if port in self.usable:
            is_free, is_shared, is_open = self._use_of(port)
            self.free.put(port, is_free)
            self.shared.put(port, is_shared)
            self.open.put(port, is_open)

    def choose(self, rng: Random) -> int | None:
        """A random free port."""
        return rng.choice(self.free.ports) if self.free.ports else None

    def choose_shared(self, rng: Random, is_taken: Callable[[int], bool]) -> int | None:
        """A random free or shared port, `is_taken` being what the address has already.

        Every port that is left is as likely as any other.  With a share x of the range left 1/x are looked at, and all
        of them only when less than about one in `REDRAWS` is.
        """
        free, shared = self.free.ports, self.shared.ports
        if not shared:
            return self.choose(rng)
        for _ in range(REDRAWS):
            index = rng.randrange(len(free) + len(shared))
            port = free[index] if index < len(free) else shared[index - len(free)]
            if index < len(free) or not is_taken(port):
                return port
        left = free + [port for port in shared if not is_taken(port)]
        return rng.choice(left) if left else None

    def choose_open(self, rng: Random, is_taken: Callable[[int], bool]) -> int | None:
        """A random open port, `is_taken` being those from which the peer has a connection.  Costs as `choose_shared`.

        Resting ports are as good as others: from them another peer can be reached.
        """
        ports = self.open.ports
        for _ in range(REDRAWS if ports else 0):
            port = rng.choice(ports)
            if not is_taken(port):
                return port
        left = [port for port in ports if not is_taken(port)]
        return rng.choice(left) if left else None


class _PortSet:
    """A set that a random member can be drawn from."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self._position = dict(zip(ports, range(len(ports)), strict=True))

    def put(self, port: int, is_member: bool) -> None:
        """Let `port` be a member, or not; nothing happens if it is so already."""
        index = self._position.get(port)
        if is_member and index is None:
            self._position[port] = len(self.ports)
            self.ports.append(port)
        elif not is_member and index is not None:
            del self._position[port]
            last = self.ports.pop()
            if last != port:
                self.ports[index] = last
                self._position[last] = index
