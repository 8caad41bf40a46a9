"""Reservations: may I have this port?  Who *receives* on it is another question, see `demux`.

Read BIND-1.1 to 1.5 and RFC 6056 before editing.  A reservation is made by bind and does not move when a
connect later chooses the address: that is all there is to deferred assignment here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.config import PortConfig, PortRange
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.wording import address_text
from wsknet.transport.dynamic_ports import DynamicPorts, PortChoice, PortRanges, PortUse, family_text
from wsknet.transport.holders import Claim, Holders, Reservation
from wsknet.transport.sharing import (
    CONNECTION_SOURCE,
    SOURCES,
    Holder,
    Security,
    Sharing,
    Verdict,
    compare,
    compare_with_connection,
    set_apart,
)
from wsknet.types import Address, Cover, Family, LocalName, Proto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from wsknet.behaviour import Behaviour
    from wsknet.trace import Decision

__all__ = ["ANYONE", "PortChoice", "PortConflictError", "PortExcludedError", "PortTable", "Reservation", "describe"]

ANYONE = Security()
NO_RANGES = PortConfig()
LISTENING = "somebody listens on the port"
BLOCK_SOURCE = "SIO_ASSOCIATE_PORT_RESERVATION"


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
        self._joint: dict[tuple[Holder, Claim, PortChoice], Reservation] = {}
        """Those that one object stands for however many connections have them."""
        self._resting: dict[int, int] = {}
        """Connections in TIME-WAIT by local port, the port that rests longest first."""

    def reserve(
        self,
        name: LocalName,
        sharing: Sharing = Sharing.DEFAULT,
        security: Security = ANYONE,
        device: int = 0,
        why: Decision | None = None,
        choice: PortChoice = PortChoice.ORDINARY,
        block: PortRange | None = None,
    ) -> Reservation:
        """Reserve `name`; port 0 asks for a dynamic one, or for one of `block`, which was excluded or acquired.

        With `device` for this one interface only, where nobody of another device is in the way.

        AT_CONNECT means nothing here: those who want it call `reserve_for_peer` instead, and later.

        Raises `PortConflictError` (IN_USE or DENIED), `PortExcludedError` (DENIED), `NetError` NO_PORTS when the
        dynamic range or `block` is used up, or `LocalError` INVALID_ARGUMENT when `block` is not there for this family.
        """
        if block is not None and not (block in self._ranges.excluded and name.cover.includes(block.family)):
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "there is no such block of ports for this family")
        is_scalable = choice is PortChoice.SCALABLE and name.port == 0 and name.address is not None and block is None
        if name.port:
            self.check(Holder(name, sharing, security, device), why, block)
        elif block is not None:
            name = name._replace(port=self._choose_of(block, name.cover, why))
        else:
            name = name._replace(port=self._choose_port(name, is_scalable, why))
        choice = PortChoice.SCALABLE if is_scalable else PortChoice.ORDINARY
        return self._add(Reservation(Holder(name, sharing, security, device), Claim.NAME, choice))

    def reserve_for_peer(
        self, wanted: Holder, is_taken: Callable[[int], bool], why: Decision | None = None
    ) -> Reservation:  # fmt: skip
        """Reserve a dynamic port for a connection from the specific address of `wanted`.

        It may be one that other connections have by this function, `is_taken` being those that have the same peer.
        Raises `NetError` NO_PORTS.
        """
        name = wanted.name
        dynamic = self._dynamic_ports(name.cover)
        port = dynamic.choose_open(self._rng, is_taken)
        if port is None:
            raise self._used_up(name.cover, len(dynamic.usable), why)
        if why is not None:
            rule = f"random port of {self._ranges.wording(name.cover)} without a connection to this peer"
            why.conclude(str(port), rule, "SO_REUSE_UNICASTPORT; RFC 6056 3.3.1")
        holder = wanted._replace(name=name._replace(port=port))
        return self._join(Reservation(holder, Claim.NAME, PortChoice.AT_CONNECT))

    def reserve_accepted(self, listening: Reservation, name: LocalName) -> Reservation:
        """What a connection to `name` holds that was accepted under `listening`, to be released like any other."""
        behaviour, holder = self._behaviour, listening.holder
        if holder.sharing is Sharing.EXCLUSIVE and behaviour.exclusive_waits_for_connections:
            listening.users += 1
            return listening
        claim = Claim.CONNECTION if behaviour.connections_hold_port else Claim.NUMBER
        return self._join(Reservation(holder._replace(name=name), claim, listening.choice))

    def reserve_time_wait(self, of: Reservation, name: LocalName) -> Reservation | None:
        """What TIME-WAIT of `name` holds, after a connection that held `of`; `None` if it keeps nobody from binding."""
        if not self._behaviour.time_wait_blocks_bind:
            return None
        return self._join(Reservation(of.holder._replace(name=name), Claim.CONNECTION, of.choice))

    def _join(self, wanted: Reservation) -> Reservation:
        """`wanted`, or the same that is there already with a user more."""
        found = self._joint.setdefault((wanted.holder, wanted.claim, wanted.choice), wanted)
        if found is wanted:
            return self._add(wanted)
        found.users += 1
        return found

    def _add(self, reservation: Reservation) -> Reservation:
        self._holders.add(reservation)
        self._update(reservation.name.port)
        return reservation

    def check(self, wanted: Holder, why: Decision | None = None, block: PortRange | None = None) -> None:
        """Ask whether `wanted` could be reserved, without reserving it.  Raises as `reserve`.

        Only holders whose names overlap with that of `wanted` can be in the way, so no others are compared unless
        `why` is to list everybody who holds the port.
        """
        if wanted.name.port == 0:
            self._check_dynamic(wanted.name.cover, why)
            return
        self._refuse_excluded(wanted.name, why, block)
        conflict: PortConflictError | None = None
        rule = "no holder of the port is in the way"
        port = wanted.name.port
        for held in self._holders.overlapping(wanted.name) if why is None else self._holders.at(port):
            verdict = self._compare(held, wanted)
            if why is not None:
                why.consider(describe(held.holder), verdict.rule, verdict.error is not None and conflict is None)
                if set_apart(held.holder, wanted) is None:
                    rule = verdict.rule
            if verdict.error is not None and conflict is None:
                conflict = PortConflictError(verdict.error, verdict.rule, held)
                if why is None:
                    break
        if why is not None:
            rule = conflict.rule if conflict else rule
            is_left = conflict is not None and conflict.holder.claim is Claim.CONNECTION
            source = CONNECTION_SOURCE if is_left else SOURCES[self._behaviour.sharing]
            why.conclude(conflict.kind.value if conflict else "granted", rule, source)
        if conflict is not None:
            raise conflict

    def _compare(self, held: Reservation, wanted: Holder) -> Verdict:
        if held.claim is Claim.CONNECTION:
            return compare_with_connection(held.holder, wanted)
        verdict = compare(self._behaviour.sharing, held.holder, wanted)
        if verdict.error is None and self._is_closed_to(held, wanted):
            return Verdict(ErrorKind.IN_USE, LISTENING)
        return verdict

    def _is_closed_to(self, held: Reservation, wanted: Holder) -> bool:
        is_closed = held.is_listening and not self._behaviour.listeners_share_port
        return is_closed and set_apart(held.holder, wanted) is None

    def listen(self, reservation: Reservation) -> None:
        """The holder of `reservation` listens from now on.

        Raises `PortConflictError` IN_USE if another listener has the name and `listeners_share_port` is off.
        """
        for held in self._holders.overlapping(reservation.name):
            if held is not reservation and self._is_closed_to(held, reservation.holder):
                raise PortConflictError(ErrorKind.IN_USE, LISTENING, held)
        reservation.is_listening = True

    def end_listening(self, reservation: Reservation) -> None:
        """Undo `listen`: connections that were accepted may still have the reservation."""
        reservation.is_listening = False

    def _refuse_excluded(self, name: LocalName, why: Decision | None, but: PortRange | None) -> None:
        block = self._ranges.excluding(name.port, name.cover, but)
        if block is None or not self._behaviour.excluded_ports_are_denied:
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

    def acquire(self, family: Family, count: int) -> PortRange:
        """Exclude `count` dynamic ports in a row that nobody holds, for those who bind with `block` (BIND-1.5.5).

        Undone by `include`, as what SIO_ACQUIRE_PORT_RESERVATION does is undone when its socket is closed.  Raises
        `LocalError` INVALID_ARGUMENT for a `count` below 1, `NetError` NO_PORTS.
        """
        if count < 1:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "a block has at least one port")
        first = self._ranges.find_run(Cover(family.value), count, self._is_free)
        if first is None:
            raise NetError(ErrorKind.NO_PORTS, f"there are no {count} free dynamic ports in a row")
        return self.exclude(family, first, first + count - 1)

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
        if reservation.claim is not Claim.NAME or reservation.choice is PortChoice.AT_CONNECT:
            del self._joint[reservation.holder, reservation.claim, reservation.choice]
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

    def is_held(self, address: Address, port: int, zone: int = 0, device: int = 0) -> bool:
        """Whether somebody holds `port` for what is sent to `address`, on link `zone` if the address is link-local.

        With `device` those of other devices do not count.
        """
        return self._holders.is_held(address, port, zone, device)

    def __iter__(self) -> Iterator[Reservation]:
        return iter(self._holders)

    def _update(self, port: int) -> None:
        for dynamic in self._dynamic.values():
            dynamic.update(port)

    def _dynamic_ports(self, cover: Cover) -> DynamicPorts:
        policy = self._ranges.policy(cover)
        dynamic = self._dynamic.get(policy)
        if dynamic is None:
            dynamic = DynamicPorts(self._ranges.usable(cover), self._use_of)
            self._dynamic[policy] = dynamic
        return dynamic

    def _is_free(self, port: int) -> bool:
        return self._holders.is_free(port) and port not in self._resting

    def _use_of(self, port: int) -> PortUse:
        holders, is_awake = self._holders, port not in self._resting
        if holders.is_free(port):
            return PortUse(is_awake, False, True)
        return PortUse(False, is_awake and holders.is_scalable(port), holders.is_open(port))

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

    def _choose_of(self, block: PortRange, cover: Cover, why: Decision | None) -> int:
        for port in range(block.first, block.last + 1):
            if self._holders.is_free(port) and self._ranges.excluding(port, cover, block) is None:
                if why is not None:
                    why.conclude(str(port), f"first free port of the block {block.first}-{block.last}", BLOCK_SOURCE)
                return port
        rule = f"no port of the block {block.first}-{block.last} is free"
        if why is not None:
            why.conclude(ErrorKind.NO_PORTS.value, rule, BLOCK_SOURCE)
        raise NetError(ErrorKind.NO_PORTS, rule)

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
    device = f", on interface {holder.device} alone" if holder.device else ""
    return f"{where} port {name.port}, {holder.sharing.value}{device}"
