"""Reservations: may I have this port?  Who *receives* on it is another question, see `demux`.

Read BIND-1.1 to 1.5 and RFC 6056 before editing.  A reservation is made by bind and does not move when a
connect later chooses the address: that is all there is to deferred assignment here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.net.wording import address_text
from wsknet.transport.sharing import Holder, Security, Sharing, compare
from wsknet.types import Address, LocalName, Proto, family_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from random import Random

    from wsknet.behaviour import Behaviour
    from wsknet.trace import Decision

ANYONE = Security()


class Reservation:
    """Proof that `name` may be used.  Shared by a listener and the connections it spawned: `users` counts them."""

    __slots__ = ("holder", "users")

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self.users = 1

    @property
    def name(self) -> LocalName:
        return self.holder.name


class PortConflictError(NetError):
    """`holder` is the reservation in the way, `rule` the sentence of the sharing table that decided."""

    def __init__(self, kind: ErrorKind, rule: str, holder: Reservation) -> None:
        super().__init__(kind, rule)
        self.rule = rule
        self.holder = holder


class PortTable:
    """All reservations of one protocol."""

    def __init__(self, protocol: Proto, behaviour: Behaviour, rng: Random) -> None:
        self.protocol = protocol
        self._behaviour = behaviour
        self._rng = rng
        self._held: dict[int, list[Reservation]] = {}
        self._free: _FreePorts | None = None
        self._resting: dict[int, int] = {}
        """Connections in TIME-WAIT by local port, the port that rests longest first."""

    def reserve(
        self,
        name: LocalName,
        sharing: Sharing = Sharing.DEFAULT,
        security: Security = ANYONE,
        why: Decision | None = None,
    ) -> Reservation:
        """Reserve `name`; port 0 asks for a dynamic one.

        Raises `PortConflictError` (IN_USE or DENIED), or `NetError` NO_PORTS when the dynamic range is used up.
        """
        if name.port == 0:
            name = name._replace(port=self._choose_port(why))
        else:
            self.check(Holder(name, sharing, security), why)
        reservation = Reservation(Holder(name, sharing, security))
        self._held.setdefault(name.port, []).append(reservation)
        if self._free is not None:
            self._free.discard(name.port)
        return reservation

    def check(self, wanted: Holder, why: Decision | None = None) -> None:
        """Ask whether `wanted` could be reserved, without reserving it.  Raises as `reserve`."""
        conflict: PortConflictError | None = None
        for held in self._held.get(wanted.name.port, ()):
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

    def release(self, reservation: Reservation) -> None:
        """One user fewer; the port is free again when the last one has gone."""
        reservation.users -= 1
        if reservation.users:
            return
        port = reservation.holder.name.port
        held = self._held[port]
        held.remove(reservation)
        if not held:
            del self._held[port]
            self._offer(port)

    def rest(self, port: int) -> None:
        """Give `port` out as a dynamic one only when there is no other: from it the same peer cannot be reached again
        yet.  Asked for by name it is free.  Undone by as many calls of `wake`."""
        self._resting[port] = self._resting.get(port, 0) + 1
        if self._free is not None:
            self._free.discard(port)

    def wake(self, port: int) -> None:
        self._resting[port] -= 1
        if not self._resting[port]:
            del self._resting[port]
            self._offer(port)

    def _offer(self, port: int) -> None:
        if self._free is not None and port not in self._held and port not in self._resting:
            self._free.add(port)

    def is_held(self, address: Address, port: int, zone: int = 0) -> bool:
        """Whether somebody holds `port` for what is sent to `address`, on link `zone` if the address is link-local."""
        family = family_of(address)
        for reservation in self._held.get(port, ()):
            name = reservation.name
            is_name = name.address is None or (name.address == address and name.zone in (0, zone))
            if is_name and name.cover.includes(family):
                return True
        return False

    def __iter__(self) -> Iterator[Reservation]:
        for port in sorted(self._held):
            yield from self._held[port]

    def _choose_port(self, why: Decision | None) -> int:
        if self._free is None:
            first, last = self._behaviour.ephemeral_ports
            self._free = _FreePorts(first, last, self._held.keys() | self._resting.keys())
        port = self._free.choose(self._rng)
        if port is None:
            port = next((p for p in self._resting if p in self._free.range and p not in self._held), None)
        if why is not None:
            range_text = "{}-{}".format(*self._behaviour.ephemeral_ports)
            answer = "none left" if port is None else str(port)
            why.conclude(answer, f"random free port of the dynamic range {range_text}", "RFC 6056 3.3.1")
        if port is None:
            raise NetError(ErrorKind.NO_PORTS, "every port of the dynamic range is in use")
        return port


class _FreePorts:
    """The dynamic ports that nobody holds and that do not rest.  Choosing, taking and giving back cost the same however
    full the range is."""

    def __init__(self, first: int, last: int, taken: Collection[int]) -> None:
        self.range = range(first, last + 1)
        self._ports = [port for port in self.range if port not in taken]
        self._position = {port: index for index, port in enumerate(self._ports)}

    def choose(self, rng: Random) -> int | None:
        return rng.choice(self._ports) if self._ports else None

    def discard(self, port: int) -> None:
        index = self._position.pop(port, None)
        if index is None:
            return
        last = self._ports.pop()
        if last != port:
            self._ports[index] = last
            self._position[last] = index

    def add(self, port: int) -> None:
        if port in self.range and port not in self._position:
            self._position[port] = len(self._ports)
            self._ports.append(port)


def describe(holder: Holder) -> str:
    """One holder for people who read a decision."""
    name = holder.name
    where = f"the {name.cover.name} wildcard" if name.address is None else address_text(name.address, name.zone)
    return f"{where} port {name.port}, {holder.sharing.value}"
