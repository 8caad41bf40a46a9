"""Dynamic ranges, excluded ranges and SO_PORT_SCALABILITY (BIND-1.5, cases 50 and 51), and tables with many holders."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from itertools import product
from random import Random
from types import FrameType, FunctionType

import pytest

from wsknet.behaviour import LINUX, WINDOWS, Behaviour, DemuxTie, SharingTable
from wsknet.config import PortConfig, PortRange, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.errors import ErrorKind, NetError
from wsknet.stack import Stack
from wsknet.trace import Decision
from wsknet.transport.demux import Demux
from wsknet.transport.holders import Holders
from wsknet.transport.ports import PortChoice, PortConflictError, PortExcludedError, PortTable, Reservation
from wsknet.transport.queries import BindQuery
from wsknet.transport.sharing import Holder, Security, Sharing, compare, compare_with_connection
from wsknet.types import Address, Cover, Endpoint, Family, Instant, LocalName, Proto

NOW = Instant(0)
ORDINARY, SCALABLE = PortChoice.ORDINARY, PortChoice.SCALABLE
FOUR = (50000, 50003)
KINDS = list(product((Proto.TCP, Proto.UDP), Family))
LOOPBACK = {Family.IPV4: ip_address("127.0.0.1").packed, Family.IPV6: ip_address("::1").packed}


def any_port(cover: Cover | Family, address: Address | None = None) -> LocalName:
    return LocalName(Cover(cover.value), address, 0)


def stack(*dynamic: PortRange, excluded: tuple[PortRange, ...] = ()) -> Stack:
    behaviour = replace(WINDOWS, ephemeral_ports=FOUR)
    config = StackConfig(behaviour=behaviour, ports=PortConfig(dynamic, excluded))
    return Stack(config, ScapyCodec(), Random(1))


def bind(of: Stack, protocol: Proto, name: LocalName) -> int:
    endpoint = of.tcp.open(name.cover) if protocol is Proto.TCP else of.udp.open(name.cover)
    endpoint.bind(name, NOW)
    assert endpoint.local is not None
    return endpoint.local.port


def bind_all(of: Stack, protocol: Proto, name: LocalName) -> set[int]:
    """The ports that `name` gets until there are none."""
    return until_exhausted(lambda: bind(of, protocol, name))


def until_exhausted(draw: Callable[[], int]) -> set[int]:
    ports: set[int] = set()
    kind = None
    while kind is None:
        try:
            port = draw()
        except NetError as error:
            kind = error.kind
        else:
            assert port not in ports
            ports.add(port)
    assert kind is ErrorKind.NO_PORTS
    return ports


def table(
    ports: tuple[int, int] = FOUR, excluded: tuple[PortRange, ...] = (), behaviour: Behaviour = WINDOWS
) -> PortTable:
    behaviour = replace(behaviour, ephemeral_ports=ports)
    return PortTable(Proto.UDP, behaviour, Random(1), PortConfig(excluded=excluded))


def reserve_all(ports: PortTable, name: LocalName, choice: PortChoice) -> set[int]:
    return until_exhausted(lambda: ports.reserve(name, choice=choice).name.port)


def address(number: int) -> Address:
    return (0x0A000000 + number).to_bytes(4, "big")


# Dynamic ranges


@pytest.mark.rule("BIND-1.5.1")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_a_dynamic_range_counts_for_its_protocol_and_family_alone(protocol: Proto, family: Family) -> None:
    of = stack(PortRange(protocol, family, 2000, 2001))
    for kind in KINDS:
        expected = {2000, 2001} if kind == (protocol, family) else set(range(50000, 50004))
        if kind[0] is protocol:
            assert bind_all(of, protocol, any_port(kind[1])) == expected
    other = Proto.UDP if protocol is Proto.TCP else Proto.TCP
    assert bind_all(of, other, any_port(family)) == set(range(50000, 50004))


@pytest.mark.rule("BIND-1.5.1")
@pytest.mark.parametrize(("behaviour", "first", "last"), [(WINDOWS, 49152, 65535), (LINUX, 32768, 60999)])
def test_without_a_range_of_their_own_ports_are_those_of_the_behaviour(
    behaviour: Behaviour, first: int, last: int
) -> None:
    of = Stack(StackConfig(behaviour=behaviour), ScapyCodec(), Random(1))
    assert bind_all(of, Proto.UDP, any_port(Cover.DUAL)) == set(range(first, last + 1))


@pytest.mark.rule("BIND-1.5.1")
def test_a_dual_stack_wildcard_gets_a_port_that_both_families_may_have() -> None:
    ranges = (PortRange(Proto.UDP, Family.IPV4, 2000, 2009), PortRange(Proto.UDP, Family.IPV6, 2005, 2020))
    of = stack(*ranges, excluded=(PortRange(Proto.UDP, Family.IPV4, 2006, 2006),))
    of.udp.ports.exclude(Family.IPV6, 2008, 2008)
    assert bind_all(of, Proto.UDP, any_port(Cover.DUAL)) == {2005, 2007, 2009}
    assert bind_all(of, Proto.UDP, any_port(Cover.IPV6)) == {2006, *range(2010, 2021)}


@pytest.mark.rule("BIND-1.5.1")
def test_ranges_with_nothing_in_common_leave_a_dual_stack_wildcard_without_a_port() -> None:
    of = stack(PortRange(Proto.TCP, Family.IPV4, 2000, 2003), PortRange(Proto.TCP, Family.IPV6, 3000, 3003))
    answer, why = of.explain(BindQuery(Proto.TCP, any_port(Cover.DUAL)))
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.NO_PORTS
    assert why.rule == "the dynamic ranges, 2000-2003 of IPv4 and 3000-3003 of IPv6, have no port in common"
    with pytest.raises(NetError) as caught:
        bind(of, Proto.TCP, any_port(Cover.DUAL))
    assert (caught.value.kind, caught.value.detail) == (ErrorKind.NO_PORTS, why.rule)


@pytest.mark.rule("BIND-50", "BIND-1.5.6")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_the_fifth_bind_in_a_range_of_four_ports_finds_none_and_says_why(protocol: Proto, family: Family) -> None:
    of = stack()
    query = BindQuery(protocol, any_port(family))
    assert of.explain(query)[1].rule == "a random free port of the dynamic range 50000-50003; 4 are left"
    assert bind_all(of, protocol, any_port(family)) == set(range(50000, 50004))
    answer, why = of.explain(query)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.NO_PORTS
    assert (why.answer, why.rule) == (
        "no free port",
        "no port of the dynamic range 50000-50003 is free: 4 in use",
    )
    assert bind(of, protocol, any_port(family)._replace(port=50004)) == 50004


def test_a_question_about_port_0_does_not_change_which_port_comes_next() -> None:
    def draw(is_asked: bool) -> list[int]:
        of, ports = stack(PortRange(Proto.TCP, Family.IPV4, 2000, 2999)), []
        for port in (2000, 2500, 2400):
            if is_asked:
                of.explain(BindQuery(Proto.TCP, any_port(Cover.IPV4)))
            bind(of, Proto.TCP, LocalName(Cover.IPV4, None, port))
        for _ in range(20):
            ports.append(bind(of, Proto.TCP, any_port(Cover.IPV4)))
        return ports

    assert draw(True) == draw(False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PortRange(Proto.ICMP, Family.IPV4, 1, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 0, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 3, 2),
        lambda: PortRange(Proto.TCP, Family.IPV4, 3, 65536),
        lambda: PortConfig(dynamic=(PortRange(Proto.TCP, Family.IPV4, 1, 2), PortRange(Proto.TCP, Family.IPV4, 4, 5))),
    ],
)
def test_ranges_that_cannot_be_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"ports|range"):
        make()


# Excluded ranges


@pytest.mark.rule("BIND-51", "BIND-1.5.5")
@pytest.mark.parametrize("is_persistent", [True, False])
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_a_port_of_an_excluded_range_is_denied_though_nobody_holds_it(
    protocol: Proto, family: Family, is_persistent: bool
) -> None:
    block = PortRange(protocol, family, 5000, 5059)
    of = stack(excluded=(block,) if is_persistent else ())
    if not is_persistent:
        (of.tcp if protocol is Proto.TCP else of.udp).ports.exclude(family, 5000, 5059)
    for where, port in product((None, LOOPBACK[family]), (5000, 5059)):
        name = LocalName(Cover(family.value), where, port)
        with pytest.raises(PortExcludedError) as caught:
            bind(of, protocol, name)
        assert (caught.value.kind, caught.value.excluded) == (ErrorKind.DENIED, block)
        answer, why = of.explain(BindQuery(protocol, name))
        assert answer.error is not None
        assert (answer.error.kind, answer.error.detail) == (ErrorKind.DENIED, caught.value.rule)
        text = f"{protocol.name} over {'IPv4' if family is Family.IPV4 else 'IPv6'}"
        assert why.rule == f"port {port} lies in the excluded range 5000-5059 of {text}"
        assert [candidate.what for candidate in why.candidates][-1] == f"excluded range 5000-5059 of {text}"
    for port in (4999, 5060):
        assert bind(of, protocol, LocalName(Cover(family.value), None, port)) == port


@pytest.mark.rule("BIND-1.5.5")
@pytest.mark.parametrize(("protocol", "family"), KINDS)
def test_an_excluded_range_counts_for_its_protocol_and_family_alone(protocol: Proto, family: Family) -> None:
    of = stack(excluded=(PortRange(protocol, family, 5000, 5000),))
    for kind in KINDS:
        if kind != (protocol, family):
            assert bind(of, kind[0], LocalName(Cover(kind[1].value), None, 5000)) == 5000


@pytest.mark.rule("BIND-1.5.5")
@pytest.mark.parametrize("family", Family)
def test_a_dual_stack_wildcard_is_denied_a_port_excluded_in_either_family(family: Family) -> None:
    with pytest.raises(PortExcludedError):
        bind(stack(excluded=(PortRange(Proto.UDP, family, 5000, 5000),)), Proto.UDP, LocalName(Cover.DUAL, None, 5000))


@pytest.mark.rule("BIND-1.5.5", "BIND-51")
def test_what_is_wrong_first_is_the_exclusion_and_then_the_holder() -> None:
    ports = table()
    holder = ports.reserve(LocalName(Cover.IPV4, None, 5000))
    block = ports.exclude(Family.IPV4, 5000, 5009)
    wanted = Holder(holder.name, Sharing.DEFAULT, Security())
    with pytest.raises(PortExcludedError):
        ports.check(wanted)
    assert ports.is_held(address(1), 5000)
    ports.include(block)
    with pytest.raises(PortConflictError) as caught:
        ports.check(wanted)
    assert caught.value.holder is holder


@pytest.mark.rule("BIND-1.5.5")
def test_dynamic_ports_pass_excluded_ranges_by_and_come_back_with_them() -> None:
    ports = table(excluded=(PortRange(Proto.UDP, Family.IPV4, 50000, 50001),))
    taken = ports.reserve(any_port(Cover.IPV4))
    block = ports.exclude(Family.IPV4, 50002, 50002)
    given = reserve_all(ports, any_port(Cover.IPV4), ORDINARY) | {taken.name.port}
    assert given <= {50002, 50003}
    assert 50003 in given
    [persistent, runtime] = ports.excluded
    assert runtime == block
    ports.include(block)
    ports.include(persistent)
    assert given | reserve_all(ports, any_port(Cover.IPV4), ORDINARY) == set(range(50000, 50004))
    with pytest.raises(ValueError, match="not excluded"):
        ports.include(block)


@pytest.mark.rule("BIND-1.5.5")
def test_a_range_excluded_twice_is_free_when_both_exclusions_are_gone() -> None:
    ports, name = table(), LocalName(Cover.IPV4, None, 5000)
    first, second = (ports.exclude(Family.IPV4, 5000, 5009) for _ in range(2))
    ports.include(first)
    with pytest.raises(PortExcludedError):
        ports.reserve(name)
    ports.include(second)
    assert ports.reserve(name).name == name


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        (50002, "no port of the dynamic range 50000-50003 is free: 1 in use, 3 excluded"),
        (50003, "every port of the dynamic range 50000-50003 is excluded"),
    ],
)
def test_exhaustion_tells_how_many_ports_are_excluded(last: int, rule: str) -> None:
    ports, why = table(excluded=(PortRange(Proto.UDP, Family.IPV4, 50000, last),)), Decision("bind")
    reserve_all(ports, any_port(Cover.IPV4), ORDINARY)
    with pytest.raises(NetError):
        ports.reserve(any_port(Cover.IPV4), why=why)
    assert (why.answer, why.rule) == ("no free port", rule)


# SO_PORT_SCALABILITY


@pytest.mark.rule("BIND-1.5.3", "BIND-50")
def test_every_local_address_has_the_whole_range_with_the_option() -> None:
    ports = table()
    for number in range(3):
        assert reserve_all(ports, any_port(Cover.IPV4, address(number)), SCALABLE) == set(range(50000, 50004))


@pytest.mark.rule("BIND-1.5.3")
def test_a_link_local_address_is_another_one_on_each_link() -> None:
    ports = table()
    for zone in (2, 3):
        name = LocalName(Cover.IPV6, b"\xfe\x80" + bytes(13) + b"\1", 0, zone)
        assert reserve_all(ports, name, SCALABLE) == set(range(50000, 50004))


@pytest.mark.rule("BIND-1.5.3")
@pytest.mark.parametrize("where", [None, address(2)])
def test_ports_given_out_with_the_option_are_not_given_to_those_without(where: Address | None) -> None:
    ports = table()
    scalable = [ports.reserve(any_port(Cover.IPV4, address(1)), choice=SCALABLE) for _ in range(3)]
    left = set(range(50000, 50004)) - {reservation.name.port for reservation in scalable}
    assert reserve_all(ports, any_port(Cover.IPV4, where), ORDINARY) == left
    ports.release(scalable[0])
    assert ports.reserve(any_port(Cover.IPV4, where)).name.port == scalable[0].name.port


@pytest.mark.rule("BIND-1.5.3")
@pytest.mark.parametrize("port", [0, 50001])
def test_ports_held_without_the_option_are_not_given_out_with_it(port: int) -> None:
    ports = table()
    held = ports.reserve(LocalName(Cover.IPV4, address(1), port)).name.port
    given = reserve_all(ports, any_port(Cover.IPV4, address(2)), SCALABLE)
    assert given == set(range(50000, 50004)) - {held}


@pytest.mark.rule("BIND-1.5.3")
def test_one_holder_without_the_option_keeps_a_port_from_those_with_it_while_it_lasts() -> None:
    ports = table((50000, 50000))
    ports.reserve(any_port(Cover.IPV4, address(1)), choice=SCALABLE)
    by_number = ports.reserve(LocalName(Cover.IPV4, address(2), 50000))
    assert reserve_all(ports, any_port(Cover.IPV4, address(3)), SCALABLE) == set()
    ports.release(by_number)
    assert reserve_all(ports, any_port(Cover.IPV4, address(3)), SCALABLE) == {50000}


@pytest.mark.rule("BIND-1.5.3")
@pytest.mark.parametrize("name", [any_port(Cover.IPV4), LocalName(Cover.IPV4, address(1), 50001)])
def test_the_option_means_nothing_for_a_wildcard_or_a_port_by_number(name: LocalName) -> None:
    ports = table()
    held = ports.reserve(name, choice=SCALABLE)
    assert held.name.port not in reserve_all(ports, any_port(Cover.IPV4, address(2)), SCALABLE)


@pytest.mark.rule("BIND-1.5.3")
def test_the_explanation_names_the_option() -> None:
    why = Decision("bind")
    port = table().reserve(any_port(Cover.IPV4, address(1)), why=why, choice=SCALABLE).name.port
    assert why.answer == str(port)
    assert "SO_PORT_SCALABILITY" in why.rule


def test_a_resting_port_is_the_last_choice_with_the_option_too() -> None:
    ports = table()
    held = ports.reserve(any_port(Cover.IPV4, address(1)), choice=SCALABLE).name.port
    ports.rest(held)
    name = any_port(Cover.IPV4, address(2))
    given = [ports.reserve(name, choice=SCALABLE).name.port for _ in range(4)]
    assert given[3] == held
    assert set(given[:3]) == set(range(50000, 50004)) - {held}


def test_with_the_option_every_port_is_as_likely_as_another() -> None:
    draws = dict.fromkeys(range(50000, 50004), 0)
    ports = table()
    ports.reserve(any_port(Cover.IPV4, address(1)), choice=SCALABLE)
    for _ in range(400):
        reservation = ports.reserve(any_port(Cover.IPV4, address(2)), choice=SCALABLE)
        draws[reservation.name.port] += 1
        ports.release(reservation)
    assert min(draws.values()) > 60


# At connect


@pytest.mark.rule("BIND-1.5.4")
def test_a_port_towards_a_peer_is_chosen_at_random_and_its_explanation_names_the_option() -> None:
    ports, why = table((50000, 50999)), Decision("connect")
    wanted = Holder(any_port(Cover.IPV4, address(1)), Sharing.DEFAULT, Security())
    chosen = {ports.reserve_for_peer(wanted, lambda port: port % 2 == 0).name.port for _ in range(300)}
    assert len(chosen) > 200
    assert all(port % 2 for port in chosen)
    last = ports.reserve_for_peer(wanted, lambda port: port != 50007, why).name.port
    assert (last, why.answer) == (50007, "50007")
    assert "SO_REUSE_UNICASTPORT" in why.reference


@pytest.mark.parametrize(
    ("sharing", "source"),
    [
        (SharingTable.WSK, "Sharing Transport Addresses"),
        (SharingTable.WINSOCK_2003, "2003 and later"),
        (SharingTable.XP, "XP and earlier"),
        (SharingTable.LINUX, "socket(7)"),
    ],
)
@pytest.mark.parametrize("is_taken", [False, True])
def test_a_bind_is_explained_by_the_page_that_has_its_table(sharing: SharingTable, source: str, is_taken: bool) -> None:
    ports, why = table(behaviour=replace(WINDOWS, sharing=sharing)), Decision("bind")
    holder = ports.reserve(LocalName(Cover.IPV4, None, 5000))
    if not is_taken:
        ports.release(holder)
        ports.check(holder.holder, why)
    else:
        with pytest.raises(PortConflictError):
            ports.check(holder.holder, why)
    assert source in why.reference


# Many holders


class Counted(bytes):
    """An address that counts how often it is compared; `limit` ends a run that would take for ever."""

    comparisons = 0
    limit = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        assert Counted.comparisons <= Counted.limit, "holders that are not in the way are compared"
        return bytes.__eq__(self, other) is True

    __hash__ = bytes.__hash__


SHAPES = {
    "60,000 ports": [(address(1), port) for port in range(1, 60_001)],
    "60,000 addresses": [(address(number), 5000) for number in range(60_000)],
    "250 ports of 240 addresses": [(address(number), port) for port in range(1000, 1250) for number in range(240)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_sixty_thousand_holders_are_not_compared_with_one_another(shape: str) -> None:
    names = [LocalName(Cover.IPV4, Counted(where), port) for where, port in SHAPES[shape]]
    Random(1).shuffle(names)
    Counted.comparisons, Counted.limit = 0, 40 * len(names)
    ports = table()
    held = [ports.reserve(name) for name in names]
    for name in names[::10]:
        with pytest.raises(PortConflictError):
            ports.check(Holder(name._replace(address=Counted(name.address or b"")), Sharing.DEFAULT, Security()))
        assert ports.is_held(name.address or b"", name.port)
        assert not ports.is_held(address(1 << 20), name.port)
    for reservation in held:
        ports.release(reservation)
    assert not list(ports)
    assert not any(ports.is_held(name.address or b"", name.port) for name in names)


def calls(function: Callable[..., object], action: Callable[[], object]) -> int:
    """How often `action` calls `function`."""
    assert isinstance(function, FunctionType)
    code, count = function.__code__, 0

    def listen(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code is code

    sys.setprofile(listen)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (LocalName(Cover.IPV4, None, 5000), 1),
        (LocalName(Cover.IPV4, address(1), 5000), 1),
        (LocalName(Cover.IPV6, None, 5000), 1001),
        (LocalName(Cover.IPV6, bytes(14) + b"\1\1", 5000), 2),
        (LocalName(Cover.DUAL, None, 5001), 0),
    ],
)
def test_only_names_that_overlap_are_compared(name: LocalName, expected: int) -> None:
    ports = table()
    for number in range(1000):
        ports.reserve(LocalName(Cover.IPV6, number.to_bytes(16, "big"), 5000), Sharing.REUSE)
    ports.reserve(LocalName(Cover.DUAL, None, 5000), Sharing.REUSE)
    assert calls(compare, lambda: ports.reserve(name, Sharing.REUSE)) == expected


@pytest.mark.parametrize("address_count", [1, 20])
def test_connections_are_compared_once_for_each_of_their_names(address_count: int) -> None:
    ports = table(behaviour=LINUX)
    listening = ports.reserve(LocalName(Cover.IPV4, None, 5000), Sharing.REUSE)
    names = [LocalName(Cover.IPV4, address(number), 5000) for number in range(address_count)]
    held = [ports.reserve_accepted(listening, names[number % address_count]) for number in range(2000)]
    held += [ports.reserve_time_wait(one, one.name) or one for one in held]
    ports.release(listening)

    def bind_and_release() -> None:
        ports.release(ports.reserve(LocalName(Cover.IPV4, None, 5000), Sharing.REUSE))

    assert calls(compare_with_connection, bind_and_release) == address_count
    for reservation in held:
        ports.release(reservation)
    assert calls(compare_with_connection, bind_and_release) == 0


def test_one_of_sixty_thousand_connections_is_found_without_comparing_the_others() -> None:
    demux: Demux[int] = Demux(DemuxTie.FIRST, Random(1))
    peers = [(Counted(address(number % 240)), 1024 + number // 240) for number in range(60_000)]
    Counted.comparisons, Counted.limit = 0, 40 * len(peers)
    name = LocalName(Cover.IPV4, address(1 << 20), 5000)
    for number, (peer, port) in enumerate(peers):
        demux.insert(name, Endpoint(peer, port), number)
    for number, (peer, port) in enumerate(peers[::10]):
        assert demux.find(address(1 << 20), 5000, Counted(peer), port, 0) == number * 10
        assert demux.find(address(1 << 20), 5000, Counted(peer), 80, 0) is None


@pytest.mark.parametrize("kinds", [(None, bytes(15) + b"\1"), (bytes(15) + b"\1", None)])
def test_the_oldest_holder_in_the_way_is_named_whatever_its_kind(kinds: tuple[Address | None, ...]) -> None:
    ports = table()
    oldest, _ = (ports.reserve(LocalName(Cover.IPV6, kind, 5000), Sharing.REUSE) for kind in kinds)
    with pytest.raises(PortConflictError) as caught:
        ports.reserve(LocalName(Cover.DUAL, None, 5000), Sharing.EXCLUSIVE)
    assert caught.value.holder is oldest


def test_a_pool_of_250_ports_serves_240_addresses_to_the_last_port() -> None:
    ports = table((1000, 1249))
    held: list[Reservation] = []
    Counted.comparisons, Counted.limit = 0, 60_000 * 40
    for number in range(240):
        name = any_port(Cover.IPV4, Counted(address(number)))
        held += [ports.reserve(name, choice=SCALABLE) for _ in range(250)]
    assert len({reservation.name for reservation in held}) == 60_000
    with pytest.raises(NetError):
        ports.reserve(any_port(Cover.IPV4, address(7)), choice=SCALABLE)
    ports.release(held[7 * 250])
    again = ports.reserve(any_port(Cover.IPV4, address(7)), choice=SCALABLE)
    assert again.name == held[7 * 250].name


def test_a_half_used_range_is_not_searched_through_for_a_port_that_is_left() -> None:
    ports, name = table((1000, 1999)), any_port(Cover.IPV4, address(1))
    for _ in range(500):
        ports.reserve(name, choice=SCALABLE)
    looked_at = calls(Holders.has_exact, lambda: [ports.reserve(name, choice=SCALABLE) for _ in range(100)])
    assert looked_at < 1000
