"""Reservations: may I have this port?  Who *receives* on it is another question, see `demux`.

Read BIND-1.1 to 1.5 and RFC 6056 before editing.  A reservation is made by bind and does not move when a
connect later chooses the address: that is all there is to deferred assignment here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.config import PortConfig, PortRange
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.wording import address_text
from wsknet.transport.holders import Claim, Holders, Reservation
from wsknet.transport.port_choice import PortChoice, PortChooser
from wsknet.transport.port_ranges import PortRanges, family_text
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
LISTENING_SOURCE = "inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c of Linux"


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
        self._holders = Holders()
        self._ranges = PortRanges(protocol, behaviour.ephemeral_ports, config)
        self._chooser = PortChooser(self._ranges, self._holders, rng)
        self._joint: dict[tuple[Holder, Claim, PortChoice], Reservation] = {}
        """Those that one object stands for however many connections have them."""

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
            name = name._replace(port=self._chooser.choose_of(block, name.cover, why))
        else:
            name = name._replace(port=self._chooser.choose(name, is_scalable, why))
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
        port = self._chooser.choose_for_peer(name.cover, is_taken, why)
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
        self._chooser.update(reservation.name.port)
        return reservation

    def check(self, wanted: Holder, why: Decision | None = None, block: PortRange | None = None) -> None:
        """Ask whether `wanted` could be reserved, without reserving it.  Raises as `reserve`.

        Only holders whose names overlap with that of `wanted` can be in the way, so no others are compared unless
        `why` is to list everybody who holds the port.
        """
        if wanted.name.port == 0:
            self._chooser.check(wanted.name.cover, why)
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
            answer, rule = ("granted", rule) if conflict is None else (conflict.kind.value, conflict.rule)
            why.conclude(answer, rule, self._reference(conflict))
        if conflict is not None:
            raise conflict

    def _reference(self, conflict: PortConflictError | None) -> str:
        if conflict is not None and conflict.holder.claim is Claim.CONNECTION:
            return CONNECTION_SOURCE
        if conflict is not None and conflict.rule is LISTENING:
            return LISTENING_SOURCE
        return SOURCES[self._behaviour.sharing]

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
        self._chooser.forget_ranges()
        return block

    def acquire(self, family: Family, count: int) -> PortRange:
        """Exclude `count` dynamic ports in a row that nobody holds, for those who bind with `block` (BIND-1.5.5).

        Undone by `include`, as what SIO_ACQUIRE_PORT_RESERVATION does is undone when its socket is closed.  Raises
        `LocalError` INVALID_ARGUMENT for a `count` below 1, `NetError` NO_PORTS.
        """
        if count < 1:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "a block has at least one port")
        first = self._chooser.choose_block(Cover(family.value), count)
        return self.exclude(family, first, first + count - 1)

    def include(self, block: PortRange) -> None:
        """Take one exclusion of `block` back, one of the configuration too.  Raises `ValueError` if there is none."""
        if block not in self._ranges.excluded:
            raise ValueError(f"ports {block.first}-{block.last} of {family_text(block.family)} are not excluded")
        self._ranges.excluded.remove(block)
        self._chooser.forget_ranges()

    def release(self, reservation: Reservation) -> None:
        """One user fewer; the port is free again when the last one has gone."""
        reservation.users -= 1
        if reservation.users:
            return
        if reservation.claim is not Claim.NAME or reservation.choice is PortChoice.AT_CONNECT:
            del self._joint[reservation.holder, reservation.claim, reservation.choice]
        self._holders.remove(reservation)
        self._chooser.update(reservation.name.port)

    def rest(self, port: int) -> None:
        """As `PortChooser.rest`."""
        self._chooser.rest(port)

    def wake(self, port: int) -> None:
        self._chooser.wake(port)

    def is_held(self, address: Address, port: int, zone: int = 0, device: int = 0) -> bool:
        """Whether somebody holds `port` for what is sent to `address`, on link `zone` if the address is link-local.

        With `device` those of other devices do not count.
        """
        return self._holders.is_held(address, port, zone, device)

    def __iter__(self) -> Iterator[Reservation]:
        return iter(self._holders)


def describe(holder: Holder) -> str:
    """One holder for people who read a decision."""
    name = holder.name
    where = f"the {name.cover.name} wildcard" if name.address is None else address_text(name.address, name.zone)
    device = f", on interface {holder.device} alone" if holder.device else ""
    return f"{where} port {name.port}, {holder.sharing.value}{device}"
