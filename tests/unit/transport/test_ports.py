"""Port tables: dynamic ports, release, and agreement with a naive model over random histories."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wsknet.behaviour import WINDOWS
from wsknet.config import PortRange
from wsknet.errors import ErrorKind, NetError
from wsknet.trace import Decision
from wsknet.transport.ports import PortChoice, PortConflictError, PortTable, Reservation
from wsknet.transport.sharing import Holder, Security, Sharing, compare
from wsknet.types import Cover, Family, LocalName, Proto

ANY = LocalName(Cover.IPV4, None, 0)


def table(first: int = 50000, last: int = 50003, seed: int = 1) -> PortTable:
    return PortTable(Proto.TCP, replace(WINDOWS, ephemeral_ports=(first, last)), Random(seed))


@pytest.mark.rule("BIND-1.5.1", "BIND-50")
def test_port_zero_takes_a_port_of_the_dynamic_range_until_none_is_left() -> None:
    ports = table()
    taken = {ports.reserve(ANY).name.port for _ in range(4)}
    assert taken == {50000, 50001, 50002, 50003}
    with pytest.raises(NetError) as caught:
        ports.reserve(ANY)
    assert caught.value.kind is ErrorKind.NO_PORTS


def test_the_default_range_is_that_of_windows() -> None:
    ports = PortTable(Proto.UDP, WINDOWS, Random(1))
    chosen = {ports.reserve(ANY).name.port for _ in range(500)}
    assert len(chosen) == 500
    assert min(chosen) >= 49152


def test_dynamic_ports_depend_on_the_seed_alone() -> None:
    def draw(seed: int) -> list[int]:
        ports = table(49152, 65535, seed)
        return [ports.reserve(ANY).name.port for _ in range(10)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_a_port_taken_by_name_is_not_given_out_and_comes_back_with_its_last_user() -> None:
    ports = table()
    held = ports.reserve(LocalName(Cover.IPV4, None, 50002))
    held.users += 1
    for _ in range(3):
        assert ports.reserve(ANY).name.port != 50002
    ports.release(held)
    with pytest.raises(NetError):
        ports.reserve(ANY)
    ports.release(held)
    assert ports.reserve(ANY).name.port == 50002


def test_a_resting_port_is_chosen_last_and_free_for_those_who_ask_for_it() -> None:
    ports = table()
    ports.rest(50001)
    ports.rest(50003)
    assert {ports.reserve(ANY).name.port for _ in range(2)} == {50000, 50002}
    assert ports.reserve(LocalName(Cover.IPV4, None, 50003)).name.port == 50003
    assert ports.reserve(ANY).name.port == 50001
    ports.wake(50001)
    with pytest.raises(NetError) as caught:
        ports.reserve(ANY)
    assert caught.value.kind is ErrorKind.NO_PORTS


def test_a_port_rests_until_its_last_connection_is_forgotten() -> None:
    ports = table(50000, 50001)
    held = ports.reserve(LocalName(Cover.IPV4, None, 50000))
    ports.rest(50000)
    ports.rest(50000)
    ports.release(held)
    ports.wake(50000)
    assert ports.reserve(ANY).name.port == 50001
    ports.wake(50000)
    assert ports.reserve(ANY).name.port == 50000


def test_a_conflict_names_the_holder_and_the_rule_and_explains_itself() -> None:
    ports = table()
    first = ports.reserve(LocalName(Cover.IPV4, None, 80))
    why = Decision("bind")
    with pytest.raises(PortConflictError) as caught:
        ports.reserve(LocalName(Cover.IPV4, None, 80), why=why)
    assert caught.value.kind is ErrorKind.IN_USE
    assert caught.value.holder is first
    assert caught.value.rule == "the same name is taken"
    assert why.answer == "address in use"
    assert [c.is_winner for c in why.candidates] == [True]


@pytest.mark.parametrize(("zone", "held"), [(0, {0, 2, 3}), (2, {2})])
def test_a_link_local_name_without_a_zone_holds_its_port_on_every_link(zone: int, held: set[int]) -> None:
    ports, address = table(), b"\xfe\x80" + bytes(13) + b"\1"
    ports.reserve(LocalName(Cover.IPV6, address, 80, zone))
    assert {link for link in (0, 2, 3) if ports.is_held(address, 80, link)} == held


ADDRESSES = (None, b"\xc0\0\2\1", b"\xc0\0\2\2")


class AgainstNaiveModel(RuleBasedStateMachine):
    """Random binds and releases: the table says what asking every holder one by one would say."""

    def __init__(self) -> None:
        super().__init__()
        self.ports = table()
        self.held: list[Reservation] = []

    @rule(
        address=st.sampled_from(ADDRESSES),
        port=st.sampled_from([0, 80, 81, 50000, 50001]),
        sharing=st.sampled_from(list(Sharing)),
        account=st.sampled_from(["alice", "bob"]),
    )
    def reserve(self, address: bytes | None, port: int, sharing: Sharing, account: str) -> None:
        name, security = LocalName(Cover.IPV4, address, port), Security(account, frozenset({"alice"}))
        expected = self.expected(Holder(name, sharing, security))
        if expected is not None:
            with pytest.raises(NetError) as caught:
                self.ports.reserve(name, sharing, security)
            assert caught.value.kind is expected
            return
        reservation = self.ports.reserve(name, sharing, security)
        if port == 0:
            assert all(other.name.port != reservation.name.port for other in self.held)
        self.held.append(reservation)

    def expected(self, wanted: Holder) -> ErrorKind | None:
        if wanted.name.port == 0:
            used = {r.name.port for r in self.held}
            return ErrorKind.NO_PORTS if used >= set(range(50000, 50004)) else None
        for other in self.held:
            if other.name.port == wanted.name.port:
                error = compare(WINDOWS.sharing, other.holder, wanted).error
                if error is not None:
                    return error
        return None

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.held) - 1))
        self.ports.release(self.held.pop(index))

    @invariant()
    def lists_what_is_held(self) -> None:
        assert sorted(map(id, self.ports)) == sorted(map(id, self.held))


TestAgainstNaiveModel = AgainstNaiveModel.TestCase
TestAgainstNaiveModel.settings = settings(max_examples=60, stateful_step_count=30)


class DynamicChoice(RuleBasedStateMachine):
    """Port 0 with and without SO_PORT_SCALABILITY, beside exclusions and resting ports, becomes what it may become."""

    RANGE = range(50000, 50004)

    def __init__(self) -> None:
        super().__init__()
        self.ports = table()
        self.held: list[Reservation] = []
        self.scalable: set[Reservation] = set()
        self.connections: list[tuple[Reservation, int]] = []
        """Reservations made at connect, each with its peer; they are in `held`, too."""
        self.resting: list[int] = []
        self.blocks: list[PortRange] = []

    def choices(self, cover: Cover, address: bytes | None, is_scalable: bool) -> set[int]:
        chosen = set()
        for port in self.RANGE:
            others = [r for r in self.held if r.name.port == port]
            can_share = is_scalable and all(r in self.scalable and r.name.address != address for r in others)
            is_excluded = any(b.first <= port <= b.last and cover.includes(b.family) for b in self.blocks)
            if (can_share or not others) and not is_excluded:
                chosen.add(port)
        return chosen - set(self.resting) or chosen

    @rule(cover=st.sampled_from(Cover), which=st.sampled_from([None, 1, 2]), is_scalable=st.booleans())
    def reserve(self, cover: Cover, which: int | None, is_scalable: bool) -> None:
        length = 4 if cover is Cover.IPV4 else 16
        address = None if which is None or cover is Cover.DUAL else which.to_bytes(length, "big")
        name = LocalName(cover, address, 0)
        is_scalable = is_scalable and address is not None
        allowed = self.choices(cover, address, is_scalable)
        if not allowed:
            with pytest.raises(NetError) as caught:
                self.ports.reserve(name, choice=PortChoice.SCALABLE if is_scalable else PortChoice.ORDINARY)
            assert caught.value.kind is ErrorKind.NO_PORTS
            return
        reservation = self.ports.reserve(name, choice=PortChoice.SCALABLE if is_scalable else PortChoice.ORDINARY)
        assert reservation.name.port in allowed
        self.held.append(reservation)
        if is_scalable:
            self.scalable.add(reservation)

    @rule(family=st.sampled_from(Family), which=st.sampled_from([1, 2]), peer=st.sampled_from([1, 2]))
    def connect(self, family: Family, which: int, peer: int) -> None:
        address = which.to_bytes(4 if family is Family.IPV4 else 16, "big")
        wanted = Holder(LocalName(Cover(family.value), address, 0), Sharing.DEFAULT, Security())
        taken = {r.name.port for r, other in self.connections if other == peer and r.name.address == address}
        made_so = [reservation for reservation, _ in self.connections]
        fixed = {r.name.port for r in self.held if r not in made_so}
        excluded = {p for b in self.blocks if b.family is family for p in range(b.first, b.last + 1)}
        allowed = set(self.RANGE) - taken - fixed - excluded
        if not allowed:
            with pytest.raises(NetError) as caught:
                self.ports.reserve_for_peer(wanted, taken.__contains__)
            assert caught.value.kind is ErrorKind.NO_PORTS
            return
        reservation = self.ports.reserve_for_peer(wanted, taken.__contains__)
        assert reservation.name.port in allowed
        self.held.append(reservation)
        self.connections.append((reservation, peer))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        reservation = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.ports.release(reservation)
        for connection in self.connections:
            if connection[0] is reservation:
                self.connections.remove(connection)
                break

    @rule(port=st.sampled_from(RANGE))
    def rest(self, port: int) -> None:
        self.ports.rest(port)
        self.resting.append(port)

    @precondition(lambda self: self.resting)
    @rule()
    def wake(self) -> None:
        self.ports.wake(self.resting.pop())

    @rule(family=st.sampled_from(Family), first=st.sampled_from(RANGE), size=st.integers(0, 2))
    def exclude(self, family: Family, first: int, size: int) -> None:
        self.blocks.append(self.ports.exclude(family, first, first + size))

    @precondition(lambda self: self.blocks)
    @rule()
    def include(self) -> None:
        self.ports.include(self.blocks.pop())


TestDynamicChoice = DynamicChoice.TestCase
TestDynamicChoice.settings = settings(max_examples=100, stateful_step_count=40)
