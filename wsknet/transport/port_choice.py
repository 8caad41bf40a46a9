"""Which port a socket gets that asked for none by its number.  Read BIND-1.5 and RFC 6056 3.3.1 before editing."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.transport.dynamic_ports import DynamicPorts, PortUse

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from wsknet.config import PortRange
    from wsknet.trace import Decision
    from wsknet.transport.holders import Holders
    from wsknet.transport.port_ranges import PortRanges
    from wsknet.types import Cover, LocalName

_AT_RANDOM = "RFC 6056 3.3.1"
_OF_BLOCK = "SIO_ASSOCIATE_PORT_RESERVATION"


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


class PortChooser:
    """Chooses among `ranges` what `holders` leave.  Every `choose` raises `NetError` NO_PORTS.

    `update` has to be told of every change of a port's holders, `forget_ranges` of every change of the ranges.
    """

    def __init__(self, ranges: PortRanges, holders: Holders, rng: Random) -> None:
        self._ranges = ranges
        self._holders = holders
        self._rng = rng
        self._dynamic: dict[frozenset[object], DynamicPorts] = {}
        """By `PortRanges.policy`, made when first asked for: covers with the same ranges choose from the same ports."""
        self._resting: dict[int, int] = {}
        """Connections in TIME-WAIT by local port, the port that rests longest first."""

    def choose(self, name: LocalName, is_scalable: bool, why: Decision | None) -> int:
        """For `name`, whose own port means nothing."""
        dynamic = self._dynamic_ports(name.cover)
        if is_scalable:
            port = dynamic.choose_shared(self._rng, lambda port: self._holders.has_exact(name._replace(port=port)))
        else:
            port = dynamic.choose(self._rng)
        if port is None:
            port = self._longest_resting(dynamic, name, is_scalable)
        if port is None:
            raise self._used_up(name.cover, len(dynamic.usable), why)
        if why is not None:
            rule, reference = f"random free port of {self._ranges.wording(name.cover)}", _AT_RANDOM
            if is_scalable:
                rule += ", or one that is held for other addresses under SO_PORT_SCALABILITY alone"
                reference = f"SO_PORT_SCALABILITY; {_AT_RANDOM}"
            why.conclude(str(port), rule, reference)
        return port

    def choose_for_peer(self, cover: Cover, is_taken: Callable[[int], bool], why: Decision | None) -> int:
        """`is_taken` are those from which the peer has a connection; other connections' will do."""
        dynamic = self._dynamic_ports(cover)
        port = dynamic.choose_open(self._rng, is_taken)
        if port is None:
            raise self._used_up(cover, len(dynamic.usable), why)
        if why is not None:
            rule = f"random port of {self._ranges.wording(cover)} without a connection to this peer"
            why.conclude(str(port), rule, f"SO_REUSE_UNICASTPORT; {_AT_RANDOM}")
        return port

    def choose_of(self, block: PortRange, cover: Cover, why: Decision | None) -> int:
        """The first free port of `block` that no other range excludes."""
        for port in range(block.first, block.last + 1):
            if self._holders.is_free(port) and self._ranges.excluding(port, cover, block) is None:
                if why is not None:
                    why.conclude(str(port), f"first free port of the block {block.first}-{block.last}", _OF_BLOCK)
                return port
        rule = f"no port of the block {block.first}-{block.last} is free"
        if why is not None:
            why.conclude(ErrorKind.NO_PORTS.value, rule, _OF_BLOCK)
        raise NetError(ErrorKind.NO_PORTS, rule)

    def choose_block(self, cover: Cover, count: int) -> int:
        """The first of `count` dynamic ports in a row that nobody holds."""
        first = self._ranges.find_run(cover, count, self._is_free)
        if first is None:
            raise NetError(ErrorKind.NO_PORTS, f"there are no {count} free dynamic ports in a row")
        return first

    def check(self, cover: Cover, why: Decision | None) -> None:
        """Whether `choose` would find one.  Draws nothing and makes no `DynamicPorts`, so that a question does not
        change which port comes next."""
        usable = self._ranges.usable(cover)
        left = sum(map(self._holders.is_free, usable))
        if not left:
            raise self._used_up(cover, len(usable), why)
        if why is not None:
            rule = f"a random free port of {self._ranges.wording(cover)}; {left} are left"
            why.conclude("granted", rule, _AT_RANDOM)

    def rest(self, port: int) -> None:
        """Give `port` out as a dynamic one only when there is no other: from it the same peer cannot be reached again
        yet.  Asked for by name it is free.  Undone by as many calls of `wake`."""
        self._resting[port] = self._resting.get(port, 0) + 1
        self.update(port)

    def wake(self, port: int) -> None:
        self._resting[port] -= 1
        if not self._resting[port]:
            del self._resting[port]
            self.update(port)

    def update(self, port: int) -> None:
        for dynamic in self._dynamic.values():
            dynamic.update(port)

    def forget_ranges(self) -> None:
        """What belongs to the old ranges would be kept up to date for nobody."""
        self._dynamic.clear()

    def _dynamic_ports(self, cover: Cover) -> DynamicPorts:
        policy = self._ranges.policy(cover)
        dynamic = self._dynamic.get(policy)
        if dynamic is None:
            in_use = self._holders.ports | self._resting.keys()
            dynamic = DynamicPorts(self._ranges.usable(cover), self._use_of, in_use)
            self._dynamic[policy] = dynamic
        return dynamic

    def _is_free(self, port: int) -> bool:
        return self._holders.is_free(port) and port not in self._resting

    def _use_of(self, port: int) -> PortUse:
        holders, is_awake = self._holders, port not in self._resting
        if holders.is_free(port):
            return PortUse(is_awake, False, True)
        return PortUse(False, is_awake and holders.is_scalable(port), holders.is_open(port))

    def _longest_resting(self, dynamic: DynamicPorts, name: LocalName, is_scalable: bool) -> int | None:
        for port in self._resting:
            if port in dynamic.usable:
                is_shareable = is_scalable and self._holders.is_scalable(port)
                if self._holders.is_free(port):
                    return port
                if is_shareable and not self._holders.has_exact(name._replace(port=port)):
                    return port
        return None

    def _used_up(self, cover: Cover, usable: int, why: Decision | None) -> NetError:
        where, size = self._ranges.wording(cover), len(self._ranges.dynamic(cover))
        if not size:
            rule = f"{where}, have no port in common"
        elif not usable:
            rule = f"every port of {where} is excluded"
        else:
            excluded = f", {size - usable} excluded" if size > usable else ""
            rule = f"no port of {where} is free: {usable} in use{excluded}"
        if why is not None:
            why.conclude(ErrorKind.NO_PORTS.value, rule, _AT_RANDOM)
        return NetError(ErrorKind.NO_PORTS, rule)
