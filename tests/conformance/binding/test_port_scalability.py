"""SO_PORT_SCALABILITY and SO_REUSE_UNICASTPORT: options by which more ports can be chosen (BIND-1.5, case 50)."""

from __future__ import annotations

import pytest

from tests.conformance.binding.port_tables import ORDINARY, SCALABLE, address, any_port, reserve_all, table
from wsknet.trace import Decision
from wsknet.transport.sharing import Holder, Security, Sharing
from wsknet.types import Address, Cover, LocalName


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
