"""Which ports port 0 may become: dynamic ranges, excluded ranges, and what is left of them.

Read BIND-1.5 and RFC 6056 3.3.1 before editing.  Ranges belong to one protocol and family, so that a dual-stack name
gets a port that both families may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wsknet.config import PortRange
from wsknet.types import Cover, Family, Proto

if TYPE_CHECKING:
    from random import Random

    from wsknet.config import PortConfig


class PortChoice(Enum):
    """How a dynamic port is chosen for a socket; means nothing for a port by number."""

    ORDINARY = "ordinary"
    RANDOM = "SO_RANDOMIZE_PORT"
    """The same as ORDINARY, which is random already (RFC 6056 3.3.1)."""
    SCALABLE = "SO_PORT_SCALABILITY"
    """Once for each specific address, among those who ask for it so; means nothing for the wildcard."""
    AT_CONNECT = "SO_REUSE_UNICASTPORT"
    """Not before the peer is known, so that TCP can give one port to several peers; IP_BIND_ADDRESS_NO_PORT of Linux.
    What Windows does for a connect without a bind."""


REDRAWS = 64
"""Ports drawn at random before the usable ones are listed, which costs as much as the range is long."""


class PortRanges:
    """The dynamic and the excluded ranges of one protocol; only the latter change."""

    def __init__(self, protocol: Proto, default: tuple[int, int], config: PortConfig) -> None:
        self._dynamic = dict.fromkeys(Family, default)
        self._dynamic |= {r.family: (r.first, r.last) for r in config.dynamic if r.protocol is protocol}
        self.excluded = [r for r in config.excluded if r.protocol is protocol]

    def excluding(self, port: int, cover: Cover, but: PortRange | None = None) -> PortRange | None:
        """The first range, `but` aside, that keeps a name of `cover` from having `port`."""
        for block in self.excluded:
            if block.first <= port <= block.last and cover.includes(block.family) and block != but:
                return block
        return None

    def policy(self, cover: Cover) -> frozenset[object]:
        """Equal for covers whose ports are the same."""
        return frozenset((self._dynamic[family], self._blocks(family)) for family in cover.families)

    def _blocks(self, family: Family) -> frozenset[tuple[int, int]]:
        return frozenset((block.first, block.last) for block in self.excluded if block.family is family)

    def dynamic(self, cover: Cover) -> range:
        """What the dynamic ranges of all families of `cover` have in common, perhaps nothing."""
        limits = [self._dynamic[family] for family in cover.families]
        return range(max(first for first, _ in limits), min(last for _, last in limits) + 1)

    def usable(self, cover: Cover) -> list[int]:
        """The dynamic ports that are not excluded, from the lowest."""
        blocks = {limits for family in cover.families for limits in self._blocks(family)}
        excluded = {port for first, last in blocks for port in range(first, last + 1)}
        return [port for port in self.dynamic(cover) if port not in excluded]

    def find_run(self, cover: Cover, count: int, is_free: Callable[[int], bool]) -> int | None:
        """The first of the lowest `count` usable ports in a row that are free."""
        length, previous = 0, 0
        for port in filter(is_free, self.usable(cover)):
            length = length + 1 if port == previous + 1 else 1
            if length == count:
                return port - count + 1
            previous = port
        return None

    def wording(self, cover: Cover) -> str:
        """The dynamic range of `cover` for people."""
        limits = {family: "{}-{}".format(*self._dynamic[family]) for family in cover.families}
        if len(set(limits.values())) == 1:
            return f"the dynamic range {limits[cover.families[0]]}"
        return "the dynamic ranges, " + " and ".join(f"{limits[f]} of {family_text(f)}" for f in limits)


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

    def __init__(self, usable: list[int], use_of: Callable[[int], PortUse]) -> None:
        self.usable = frozenset(usable)
        self._use_of = use_of
        uses = [(port, use_of(port)) for port in usable]
        self.free = _PortSet(port for port, use in uses if use.is_free)
        self.shared = _PortSet(port for port, use in uses if use.is_shared)
        self.open = _PortSet(port for port, use in uses if use.is_open)

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

    def __init__(self, ports: Iterator[int]) -> None:
        self.ports = list(ports)
        self._position = {port: index for index, port in enumerate(self.ports)}

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


def family_text(family: Family) -> str:
    return "IPv4" if family is Family.IPV4 else "IPv6"
