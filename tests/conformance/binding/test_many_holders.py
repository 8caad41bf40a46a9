"""Tables with tens of thousands of holders and connections: only those in the way are looked at."""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from types import FrameType, FunctionType

import pytest

from tests.conformance.binding.port_tables import SCALABLE, address, any_port, table
from wsknet.behaviour import LINUX, DemuxTie
from wsknet.errors import NetError
from wsknet.transport.demux import Demux
from wsknet.transport.holders import Holders
from wsknet.transport.ports import PortConflictError, Reservation
from wsknet.transport.sharing import Holder, Security, Sharing, compare, compare_with_connection
from wsknet.types import Address, Cover, Endpoint, LocalName


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
