"""Port tables over random histories, against a model that keeps a plain list and asks the printed tables."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.conformance.binding.sharing_tables import OTHER, SAME, TABLES
from wsknet.behaviour import WINDOWS, SharingTable
from wsknet.errors import ErrorKind, NetError
from wsknet.trace import Decision
from wsknet.transport.ports import PortConflictError, PortTable, Reservation, describe
from wsknet.transport.sharing import Holder, Security, Sharing
from wsknet.types import Cover, LocalName, Proto

DYNAMIC = (50000, 50001)
PORTS = (80, *DYNAMIC)
"""Few, so that names meet often."""
LINK_LOCAL = b"\xfe\x80" + bytes(13) + b"\1"
IPV4_DESTINATIONS = [(b"\xc0\0\2\1", 0), (b"\xc0\0\2\2", 0)]
IPV6_DESTINATIONS = [(bytes(15) + b"\1", 0), (LINK_LOCAL, 2), (LINK_LOCAL, 3)]
"""Addresses with their zones: all that a packet of this world can be sent to."""

REACH = {
    LocalName(Cover.DUAL, None, 0): frozenset(IPV4_DESTINATIONS + IPV6_DESTINATIONS),
    LocalName(Cover.IPV4, None, 0): frozenset(IPV4_DESTINATIONS),
    LocalName(Cover.IPV6, None, 0): frozenset(IPV6_DESTINATIONS),
} | {
    LocalName(cover, address, 0, zone): frozenset([(address, zone)])
    for cover, destinations in ((Cover.IPV4, IPV4_DESTINATIONS), (Cover.IPV6, IPV6_DESTINATIONS))
    for address, zone in destinations
}
"""What can be bound, and the destinations that it answers for."""


def reach(holder: Holder) -> frozenset[tuple[bytes, int]]:
    return REACH[holder.name._replace(port=0)]


def says(sharing: SharingTable, first: Holder, second: Holder) -> ErrorKind | None:
    """Whether `first` is in the way of `second`, which it meets, by what they reach and by what is printed."""
    if sharing is SharingTable.LINUX:
        # socket(7): SO_REUSEADDR shares a port if both have set it.
        return None if first.sharing is second.sharing is Sharing.REUSE else ErrorKind.IN_USE
    if reach(first) == reach(second):
        kinds = "ss" if first.name.address else "ww"
    else:
        kinds = "ws" if reach(first) > reach(second) else "sw"
    is_granted = second.security.account in (
        first.security.shares_with if sharing is SharingTable.WSK else {first.security.account}
    )
    party = SAME if is_granted else OTHER
    table = next(
        table
        for table in TABLES
        if table.sharing is sharing and (sharing is not SharingTable.WINSOCK_2003 or party in table.parties)
    )
    cell = (f"{first.sharing.name[0]},{kinds[0]}", f"{second.sharing.name[0]},{kinds[1]}")
    word = table.words[cell]
    if word == "CHECK":
        return None if is_granted else ErrorKind.DENIED
    return {"ok": None, "USE": ErrorKind.IN_USE, "ACC": ErrorKind.DENIED}[word]


class Held:
    """A reservation as the model knows it: `holder` is what was asked for, not what the table made of it."""

    def __init__(self, holder: Holder, reservation: Reservation) -> None:
        self.holder = holder
        self.reservation = reservation
        self.users = 1


class AgainstNaiveModel(RuleBasedStateMachine):
    sharing: ClassVar[SharingTable]

    @initialize(seed=st.integers(0, 99))
    def start(self, seed: int) -> None:
        first, last = DYNAMIC
        behaviour = replace(WINDOWS, sharing=self.sharing, ephemeral_ports=(first, last))
        self.ports = PortTable(Proto.UDP, behaviour, Random(seed))
        self.held: list[Held] = []
        self.resting: list[int] = []
        """One entry for each call of `rest`; the port that rests longest has the first one."""

    @rule(
        name=st.sampled_from(sorted(REACH, key=repr)),
        port=st.sampled_from(PORTS),
        sharing=st.sampled_from(Sharing),
        account=st.sampled_from(["alice", "bob"]),
        shares_with=st.frozensets(st.sampled_from(["alice", "bob"])),
    )
    def reserve(self, name: LocalName, port: int, sharing: Sharing, account: str, shares_with: frozenset[str]) -> None:
        wanted = Holder(name._replace(port=port), sharing, Security(account, shares_with))
        others = [held for held in self.held if held.holder.name.port == port and reach(held.holder) & reach(wanted)]
        verdicts = [(held, says(self.sharing, held.holder, wanted)) for held in others]
        in_the_way = [(held, kind) for held, kind in verdicts if kind is not None]
        why = Decision("bind")
        if not in_the_way:
            self.ports.check(wanted)
            self.held.append(Held(wanted, self.ports.reserve(*wanted, why)))
            assert why.answer == "granted"
            assert not any(candidate.is_winner for candidate in why.candidates)
            return
        held, kind = in_the_way[0]
        for ask in (lambda: self.ports.check(wanted), lambda: self.ports.reserve(*wanted, why)):
            with pytest.raises(PortConflictError) as caught:
                ask()
            assert (caught.value.kind, caught.value.holder) == (kind, held.reservation)
        decisive = [candidate.what for candidate in why.candidates if candidate.is_winner]
        assert decisive == [describe(held.holder)]

    @rule(name=st.sampled_from(sorted(REACH, key=repr)), sharing=st.sampled_from(Sharing))
    def reserve_a_dynamic_port(self, name: LocalName, sharing: Sharing) -> None:
        unheld = [port for port in DYNAMIC if all(port != held.holder.name.port for held in self.held)]
        fresh = [port for port in unheld if port not in self.resting]
        allowed = fresh or [port for port in self.resting if port in unheld][:1]
        if not allowed:
            with pytest.raises(NetError) as caught:
                self.ports.reserve(name, sharing)
            assert caught.value.kind is ErrorKind.NO_PORTS
            return
        reservation = self.ports.reserve(name, sharing)
        port = reservation.name.port
        assert port in allowed
        assert reservation.holder == Holder(name._replace(port=port), sharing, Security())
        self.held.append(Held(Holder(name._replace(port=port), sharing, Security()), reservation))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def share(self, data: st.DataObject) -> None:
        """As a connection does with the name of its listener."""
        held = data.draw(st.sampled_from(self.held))
        held.reservation.users += 1
        held.users += 1

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.held))
        self.ports.release(held.reservation)
        held.users -= 1
        if not held.users:
            self.held.remove(held)

    @rule(port=st.sampled_from(PORTS))
    def rest(self, port: int) -> None:
        self.ports.rest(port)
        # A port that rests already goes on doing so: it keeps its place.
        at = self.resting.index(port) if port in self.resting else len(self.resting)
        self.resting.insert(at, port)

    @precondition(lambda self: self.resting)
    @rule(data=st.data())
    def wake(self, data: st.DataObject) -> None:
        port = data.draw(st.sampled_from(self.resting))
        self.ports.wake(port)
        self.resting.remove(port)

    @invariant()
    def lists_what_is_held_by_port_and_age(self) -> None:
        expected = sorted(self.held, key=lambda held: held.holder.name.port)
        assert list(self.ports) == [held.reservation for held in expected]

    @invariant()
    def knows_which_destinations_are_held(self) -> None:
        for port in PORTS:
            reached = {to for held in self.held if held.holder.name.port == port for to in reach(held.holder)}
            for address, zone in IPV4_DESTINATIONS + IPV6_DESTINATIONS:
                assert self.ports.is_held(address, port, zone) == ((address, zone) in reached)


class WskHistories(AgainstNaiveModel):
    sharing = SharingTable.WSK


class Winsock2003Histories(AgainstNaiveModel):
    sharing = SharingTable.WINSOCK_2003


class XpHistories(AgainstNaiveModel):
    sharing = SharingTable.XP


class LinuxHistories(AgainstNaiveModel):
    sharing = SharingTable.LINUX


LENGTH = settings(max_examples=150, stateful_step_count=40, report_multiple_bugs=False)
TestWsk = WskHistories.TestCase
TestWsk.settings = LENGTH
TestWinsock2003 = Winsock2003Histories.TestCase
TestWinsock2003.settings = LENGTH
TestXp = XpHistories.TestCase
TestXp.settings = LENGTH
TestLinux = LinuxHistories.TestCase
TestLinux.settings = LENGTH
