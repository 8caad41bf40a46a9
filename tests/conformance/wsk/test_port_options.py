"""Port options through WskControlSocket (BIND-1.5.2 to 1.5.4), and a port whose listener has gone (BIND-48)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.wsk_categories import C, D, L, S
from tests.support.wsk_datagrams import name_of
from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, ok
from tests.support.wsk_lab import lab as make_lab
from wsknet.behaviour import WINDOWS
from wsknet.wsk import (
    SO_EXCLUSIVEADDRUSE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_REUSE_UNICASTPORT,
    SOL_SOCKET,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    STATUS_TOO_MANY_ADDRESSES,
    WSK_SOCKET,
    simple,
)

CODES = pytest.mark.parametrize("code", [SO_RANDOMIZE_PORT, SO_PORT_SCALABILITY, SO_REUSE_UNICASTPORT])
TWO = (50000, 50001)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """With two dynamic ports on each host."""
    with make_lab(replace(WINDOWS, ephemeral_ports=TWO)) as made:
        yield made


def socket(lab: Lab, Flags: int, *codes: int) -> WSK_SOCKET:
    Socket = lab.socket(lab.near, Flags)
    for code in codes:
        ok(simple.set_option(Socket, SOL_SOCKET, code, 1))
    return Socket


def bound(lab: Lab, Flags: int, code: int, address: str = "0.0.0.0") -> WSK_SOCKET:
    Socket = socket(lab, Flags, code)
    ok(simple.bind(Socket, simple.address(address, 0)))
    return Socket


@CODES
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_it_is_off_at_first_and_cannot_be_set_any_more_after_bind(lab: Lab, Flags: int, code: int) -> None:
    Socket = socket(lab, Flags)
    assert ok(simple.get_option(Socket, SOL_SOCKET, code)) == 0
    ok(simple.bind(Socket, simple.address("0.0.0.0", 0)))
    assert simple.set_option(Socket, SOL_SOCKET, code, 1)[0] == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("BIND-1.5.2")
def test_a_random_port_is_refused_after_reuse_and_not_the_other_way_round(lab: Lab) -> None:
    Socket = socket(lab, C, SO_REUSE_UNICASTPORT)
    assert simple.set_option(Socket, SOL_SOCKET, SO_RANDOMIZE_PORT, 1)[0] == STATUS_INVALID_PARAMETER
    ok(simple.set_option(Socket, SOL_SOCKET, SO_RANDOMIZE_PORT, 0))
    ok(simple.set_option(Socket, SOL_SOCKET, SO_REUSE_UNICASTPORT, 0))
    ok(simple.set_option(Socket, SOL_SOCKET, SO_RANDOMIZE_PORT, 1))
    ok(simple.set_option(Socket, SOL_SOCKET, SO_REUSE_UNICASTPORT, 1))


@pytest.mark.rule("BIND-1.5.2")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_a_random_port_is_one_of_the_dynamic_range_and_known_at_once(lab: Lab, Flags: int) -> None:
    address, port = name_of(bound(lab, Flags, SO_RANDOMIZE_PORT))
    assert address == "0.0.0.0"
    assert port in TWO


@pytest.mark.rule("BIND-1.5.3", "BIND-50")
@pytest.mark.parametrize("Flags", [L, C, D, S])
def test_with_scalability_each_address_has_every_port(lab: Lab, Flags: int) -> None:
    for address in (NEAR, "127.0.0.1"):
        given = {name_of(bound(lab, Flags, SO_PORT_SCALABILITY, address)) for _ in TWO}
        assert given == {(address, port) for port in TWO}
        Socket = socket(lab, Flags, SO_PORT_SCALABILITY)
        assert simple.bind(Socket, simple.address(address, 0))[0] == STATUS_TOO_MANY_ADDRESSES


@pytest.mark.rule("BIND-1.5.4", "BIND-2.1.1")
def test_with_reuse_neither_address_nor_port_is_fixed_before_connect(lab: Lab) -> None:
    lab.listener()
    Socket = bound(lab, C, SO_REUSE_UNICASTPORT)
    assert name_of(Socket) == ("0.0.0.0", 0)
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    address, port = name_of(Socket)
    assert address == NEAR
    assert port in TWO


@pytest.mark.rule("BIND-50", "BIND-1.5.4")
@pytest.mark.parametrize("Flags", [C, S])
def test_with_reuse_a_port_serves_a_second_destination_and_no_second_time_the_same(lab: Lab, Flags: int) -> None:
    for destination in (PORT, PORT + 1):
        lab.listener(port=destination)
        sockets = [bound(lab, Flags, SO_REUSE_UNICASTPORT) for _ in TWO]
        for Socket in sockets:
            ok(simple.connect(Socket, simple.address(FAR, destination)))
        assert {name_of(Socket)[1] for Socket in sockets} == set(TWO)
        another = bound(lab, Flags, SO_REUSE_UNICASTPORT)
        Status, _ = simple.connect(another, simple.address(FAR, destination))
        assert Status == STATUS_TOO_MANY_ADDRESSES
        assert name_of(another) == ("0.0.0.0", 0)


@pytest.mark.rule("BIND-1.5.4")
def test_with_reuse_a_listening_socket_has_its_port_as_soon_as_it_listens(lab: Lab) -> None:
    assert name_of(bound(lab, L, SO_REUSE_UNICASTPORT))[1] in TWO
    Socket = bound(lab, S, SO_REUSE_UNICASTPORT)
    assert name_of(Socket)[1] == 0
    ok(simple.listen(Socket))
    assert name_of(Socket)[1] in TWO


@pytest.mark.rule("BIND-1.5.4")
def test_with_reuse_a_datagram_socket_has_its_port_from_the_first_datagram_on(lab: Lab) -> None:
    lab.datagram(lab.far, PORT)
    Socket = bound(lab, D, SO_REUSE_UNICASTPORT)
    assert name_of(Socket) == ("0.0.0.0", 0)
    ok(simple.send_to(Socket, b"question", simple.address(FAR, PORT)))
    assert name_of(Socket)[1] in TWO


@pytest.mark.rule("BIND-48", "BIND-1.6.2")
@pytest.mark.parametrize("is_exclusive", [False, True])
def test_a_port_is_listened_on_again_while_connections_go_on_unless_it_was_exclusive(
    lab: Lab, is_exclusive: bool
) -> None:
    listener = lab.socket(lab.far, L)
    ok(simple.set_option(listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(is_exclusive)))
    ok(simple.bind(listener, simple.address("0.0.0.0", PORT)))
    near = lab.connected()
    far = ok(simple.accept(listener))
    ok(simple.close(listener))
    status = simple.bind(lab.socket(lab.far, L), simple.address("0.0.0.0", PORT))[0]
    assert status == (STATUS_ADDRESS_ALREADY_EXISTS if is_exclusive else STATUS_SUCCESS)
    ok(simple.send(near, b"still here"))
    assert ok(simple.receive(far)) == b"still here"
    if is_exclusive:
        ok(simple.close(far))
        lab.listener()
