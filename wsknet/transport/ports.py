"""Reservations: may I have this port?  Who *receives* on it is another question, see `demux`.

Read BIND-1.1 to 1.5 and RFC 6056 before editing.  A reservation is made by bind and does not move when a
connect later chooses the address: that is all there is to deferred assignment here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.config import PortConfig, PortRange
from wsknet.errors import ErrorKind, NetError
from wsknet.net.wording import address_text
from wsknet.transport.dynamic_ports import DynamicPorts, PortRanges, family_text
from wsknet.transport.holders import Holders, Reservation
from wsknet.transport.sharing import Holder, Security, Sharing, compare
from wsknet.types import Address, Cover, Family, LocalName, Proto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from wsknet.behaviour import Behaviour
    from wsknet.trace import Decision

__all__ = ["ANYONE", "PortConflictError", "PortExcludedError", "PortTable", "Reservation", "describe"]

ANYONE = Security()
NO_RANGES = PortConfig()


class PortConflictError(NetError):
    """`holder` is the reservation in the way, `rule` the sentence of the sharing table that decided."""

    def __init__(self, kind: ErrorKind, rule: str, holder: Reservation) -> None:
        super().__init__(kind, rule)
        self.rule = rule
        self.holder = holder


class PortExcludedError(NetError):
    """The port lies in the range `excluded`: DENIED, whether somebody holds the port or not."""

    def __init__(self, rule: str, excluded: PortRange) -> None:
        super().__init__(ErrorKind.DENIED, rule)
        self.rule = rule
        self.excluded = excluded


class PortTable:
    """All reservations of one protocol."""

    def __init__(self, protocol: Proto, behaviour: Behaviour, rng: Random, config: PortConfig = NO_RANGES) -> None:
        self.protocol = protocol
        self._behaviour = behaviour
        self._rng = rng
        self._holders = Holders()
        self._ranges = PortRanges(protocol, behaviour.ephemeral_ports, config)
        self._dynamic: dict[frozenset[object], DynamicPorts] = {}
        """By `PortRanges.policy`, made when first asked for: covers with the same ranges choose from the same ports."""
        self._resting: dict[int, int] = {}
        """Connections in TIME-WAIT by local port, the port that rests longest first."""

    def reserve(
        self,
        name: LocalName,
        sharing: Sharing = Sharing.DEFAULT,
        security: Security = ANYONE,
        why: Decision | None = None,
        is_scalable: bool = False,
    ) -> Reservation:
        """Reserve `name`; port 0 asks for a dynamic one.

        `is_scalable` (SO_PORT_SCALABILITY) lets a dynamic port be given out once for each specific address, among those
        who ask for it so; with the wildcard or a port by number it means nothing.

        Raises `PortConflictError` (IN_USE or DENIED), `PortExcludedError` (DENIED), or `NetError` NO_PORTS when the
        dynamic range is used up.
        """
        is_scalable = is_scalable and name.port == 0 and name.address is not None
        if name.port == 0:
            name = name._replace(port=self._choose_port(name, is_scalable, why))
        else:
            self.check(Holder(name, sharing, security), why)
        reservation = Reservation(Holder(name, sharing, security), is_scalable)
        self._holders.add(reservation)
        self._update(name.port)
        return reservation

    def check(self, wanted: Holder, why: Decision | None = None) -> None:
        """Ask whether `wanted` could be reserved, without reserving it.  Raises as `reserve`.

        Only holders whose names overlap with that of `wanted` can be in the way, so no others are compared unless
        `why` is to list everybody who holds the port.
        """
        if wanted.name.port == 0:
            self._check_dynamic(wanted.name.cover, why)
            return
        self._refuse_excluded(wanted.name, why)
        conflict: PortConflictError | None = None
        port = wanted.name.port
        for held in self._holders.overlapping(wanted.name) if why is None else self._holders.at(port):
            verdict = compare(self._behaviour.sharing, held.holder, wanted)
            if why is not None:
                why.consider(describe(held.holder), verdict.rule, verdict.error is not None and conflict is None)
            if verdict.error is not None and conflict is None:
                conflict = PortConflictError(verdict.error, verdict.rule, held)
                if why is None:
                    break
        if why is not None:
            rule = conflict.rule if conflict else "no holder of the port is in the way"
            why.conclude(
                conflict.kind.value if conflict else "granted", rule, "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE"
            )
        if conflict is not None:
            raise conflict

    def _refuse_excluded(self, name: LocalName, why: Decision | None) -> None:
        block = self._ranges.excluding(name.port, name.cover)
        if block is None:
            return
        kind = f"{block.protocol.name} over {family_text(block.family)}"
        rule = f"port {name.port} lies in the excluded range {block.first}-{block.last} of {kind}"
        if why is not None:
            why.consider(f"excluded range {block.first}-{block.last} of {kind}", rule, True)
            why.conclude(
                ErrorKind.DENIED.value, rule, "netsh interface ipv4 show excludedportrange; microsoft/WSL #5514"
            )
        raise PortExcludedError(rule, block)

    @property
    def excluded(self) -> tuple[PortRange, ...]:
        """The excluded ranges, those of the configuration first."""
        return tuple(self._ranges.excluded)

    def exclude(self, family: Family, first: int, last: int) -> PortRange:
        """From now on give none of these ports to anybody who binds; those who hold one keep it.

        Undone by `include`.  Raises `ValueError` for a range that cannot be.
        """
        block = PortRange(self.protocol, family, first, last)
        self._ranges.excluded.append(block)
        self._dynamic.clear()  # what belongs to the old ranges would be kept up to date for nobody
        return block

    def include(self, block: PortRange) -> None:
        """Take one exclusion of `block` back, one of the configuration too.  Raises `ValueError` if there is none."""
        if block not in self._ranges.excluded:
            raise ValueError(f"ports {block.first}-{block.last} of {family_text(block.family)} are not excluded")
        self._ranges.excluded.remove(block)
        self._dynamic.clear()

    def release(self, reservation: Reservation) -> None:
        """One user fewer; the port is free again when the last one has gone."""
        reservation.users -= 1
        if reservation.users:
            return
        self._holders.remove(reservation)
        self._update(reservation.name.port)

    def rest(self, port: int) -> None:
        """Give `port` out as a dynamic one only when there is no other: from it the same peer cannot be reached again
        yet.  Asked for by name it is free.  Undone by as many calls of `wake`."""
        self._resting[port] = self._resting.get(port, 0) + 1
        self._update(port)

    def wake(self, port: int) -> None:
        self._resting[port] -= 1
        if not self._resting[port]:
            del self._resting[port]
            self._update(port)

    def is_held(self, address: Address, port: int, zone: int = 0) -> bool:
        """Whether somebody holds `port` for what is sent to `address`, on link `zone` if the address is link-local."""
        return self._holders.is_held(address, port, zone)

    def __iter__(self) -> Iterator[Reservation]:
        return iter(self._holders)

    def _update(self, port: int) -> None:
        for dynamic in self._dynamic.values():
            dynamic.update(port)

    def _dynamic_ports(self, cover: Cover) -> DynamicPorts:
        policy = self._ranges.policy(cover)
        dynamic = self._dynamic.get(policy)
        if dynamic is None:
            dynamic = DynamicPorts(self._ranges.usable(cover), self._is_free, self._is_shared)
            self._dynamic[policy] = dynamic
        return dynamic

    def _is_free(self, port: int) -> bool:
        return self._holders.is_free(port) and port not in self._resting

    def _is_shared(self, port: int) -> bool:
        return not self._holders.is_free(port) and self._holders.is_scalable(port) and port not in self._resting

    def _choose_port(self, name: LocalName, is_scalable: bool, why: Decision | None) -> int:
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
            rule = f"random free port of {self._ranges.wording(name.cover)}"
            if is_scalable:
                rule += ", or one that is held for other addresses under SO_PORT_SCALABILITY alone"
            why.conclude(str(port), rule, "SO_PORT_SCALABILITY; RFC 6056 3.3.1" if is_scalable else "RFC 6056 3.3.1")
        return port

    def _longest_resting(self, dynamic: DynamicPorts, name: LocalName, is_scalable: bool) -> int | None:
        for port in self._resting:
            if port in dynamic.usable:
                is_shareable = is_scalable and self._holders.is_scalable(port)
                if self._holders.is_free(port):
                    return port
                if is_shareable and not self._holders.has_exact(name._replace(port=port)):
                    return port
        return None

    def _check_dynamic(self, cover: Cover, why: Decision | None) -> None:
        """Draws nothing and makes no `DynamicPorts`, so that a question does not change which port comes next."""
        usable = self._ranges.usable(cover)
        left = sum(map(self._holders.is_free, usable))
        if not left:
            raise self._used_up(cover, len(usable), why)
        if why is not None:
            rule = f"a random free port of {self._ranges.wording(cover)}; {left} are left"
            why.conclude("granted", rule, "RFC 6056 3.3.1")

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
            why.conclude(ErrorKind.NO_PORTS.value, rule, "RFC 6056 3.3.1")
        return NetError(ErrorKind.NO_PORTS, rule)


def describe(holder: Holder) -> str:
    """One holder for people who read a decision."""
    name = holder.name
    where = f"the {name.cover.name} wildcard" if name.address is None else address_text(name.address, name.zone)
    return f"{where} port {name.port}, {holder.sharing.value}"
