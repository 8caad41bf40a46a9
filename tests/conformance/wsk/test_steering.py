"""IP_UNICAST_IF, IPV6_UNICAST_IF and SIO_ROUTING_INTERFACE_QUERY through WskControlSocket (wsk.md 5.4, 5.5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.host import HostInterface, link_local_address
from wsknet.text import format_address
from wsknet.transport.endpoint import Ready
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_UNICAST_IF,
    IPV6_V6ONLY,
    SIO_ROUTING_INTERFACE_QUERY,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    STATUS_BUFFER_OVERFLOW,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    htonl,
    simple,
)

V4, V6 = (AF_INET, IPPROTO_IP, IP_UNICAST_IF), (AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_IF)
families = pytest.mark.parametrize(("family", "Level", "code"), [V4, V6], ids=["IPv4", "IPv6"])

OTHER, OTHER6 = "198.51.100.1", "2001:db8:2::1"
REMOTE = "8.8.8.8"


def second(lab: Lab) -> HostInterface:
    """Another link between the two hosts; both have a default route of the near one, the first is better."""
    near = lab.near.interface("eth1", f"{OTHER}/24", f"{OTHER6}/64")
    far = lab.far.interface("eth1", "198.51.100.2/24", "2001:db8:2::2/64")
    lab.network.link(near, far)
    lab.near.route("0.0.0.0/0", via=FAR, metric=1)
    lab.near.route("0.0.0.0/0", via="198.51.100.2", metric=2)
    return near


def number(level: int, index: int) -> int:
    """`index` in the order in which the option of `level` is set."""
    return htonl(index) if level == IPPROTO_IP else index


# Options


@pytest.mark.rule("BIND-4.1", "BIND-4.2")
@families
@pytest.mark.parametrize("Flags", [L, C, D, S])
@pytest.mark.parametrize("is_bound", [False, True])
def test_it_is_set_in_network_order_for_ipv4_and_read_in_host_order(
    lab: Lab, Flags: int, family: int, Level: int, code: int, is_bound: bool
) -> None:
    index = second(lab).index
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    if is_bound:
        ok(simple.bind(Socket, simple.address("0.0.0.0" if family == AF_INET else "::", 0)))
    octets = bytearray(index.to_bytes(4, "big" if Level == IPPROTO_IP else "little"))
    setting = start(Socket.Dispatch.WskControlSocket, Socket, WskSetOption, code, Level, 4, octets, 0, None, None)
    assert (setting.status, setting.information) == (STATUS_SUCCESS, 0)

    found = bytearray(4)
    reading = start(Socket.Dispatch.WskControlSocket, Socket, WskGetOption, code, Level, 0, None, 4, found, None)
    assert (reading.status, reading.information) == (STATUS_SUCCESS, 4)
    assert int.from_bytes(found, "little") == index


@families
def test_it_is_unspecified_at_first_and_may_be_so_again(lab: Lab, family: int, Level: int, code: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    assert ok(simple.get_option(Socket, Level, code)) == 0
    for index in (lab.near_interface.index, 0):
        ok(simple.set_option(Socket, Level, code, number(Level, index)))
        assert ok(simple.get_option(Socket, Level, code)) == index


@pytest.mark.rule("BIND-32")
@pytest.mark.parametrize(
    ("version", "value"),
    [(V4, htonl(9)), (V4, 2), (V4, 0xFFFFFFFF), (V4, 0x0100007F), (V6, 9), (V6, htonl(2)), (V6, 0xFFFFFFFF)],
)
def test_a_number_that_no_interface_has_is_refused_and_changes_nothing(
    lab: Lab, version: tuple[int, int, int], value: int
) -> None:
    assert lab.near_interface.index == 2
    family, Level, code = version
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    ok(simple.set_option(Socket, Level, code, number(Level, 2)))

    assert simple.set_option(Socket, Level, code, value)[0] == STATUS_INVALID_ADDRESS_COMPONENT
    assert ok(simple.get_option(Socket, Level, code)) == 2


@families
@pytest.mark.parametrize(
    ("InputSize", "InputBuffer"), [(0, None), (2, bytearray(2)), (4, None), (8, bytearray(8))], ids=repr
)
def test_it_is_a_ulong(
    lab: Lab, family: int, Level: int, code: int, InputSize: int, InputBuffer: bytearray | None
) -> None:
    Socket = lab.socket(lab.near, C, AddressFamily=family)
    arguments = (WskSetOption, code, Level, InputSize, InputBuffer, 0, None, None)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == STATUS_INVALID_PARAMETER
    reading = (WskGetOption, code, Level, 0, None, 2, bytearray(2), None)
    assert start(Socket.Dispatch.WskControlSocket, Socket, *reading).status == STATUS_INVALID_PARAMETER


@pytest.mark.parametrize(
    ("Flags", "family", "Level", "code"),
    [
        (B, AF_INET, *V6[1:]),
        (B, AF_INET6, *V4[1:]),
        (D, AF_INET, *V6[1:]),
        (C, AF_INET, *V6[1:]),
        (D, AF_INET6, *V4[1:]),
        (C, AF_INET6, *V4[1:]),
    ],
)
def test_other_sockets_have_none_of_it(lab: Lab, Flags: int, family: int, Level: int, code: int) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    assert simple.set_option(Socket, Level, code, 0)[0] == STATUS_INVALID_PARAMETER
    assert simple.get_option(Socket, Level, code)[0] == STATUS_INVALID_PARAMETER


@pytest.mark.rule("BIND-4.1", "BIND-4.2")
@pytest.mark.parametrize("is_bound", [False, True])
def test_a_dual_stack_socket_has_one_for_each_family(lab: Lab, is_bound: bool) -> None:
    index = second(lab).index
    Socket: Any = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    if is_bound:
        ok(simple.bind(Socket, simple.address("::", 0)))
    ok(simple.set_option(Socket, IPPROTO_IP, IP_UNICAST_IF, htonl(index)))
    if not is_bound:
        ok(simple.bind(Socket, simple.address("::", 0)))
    receiver: Any = lab.bound(lab.far, D, "0.0.0.0", PORT)
    ok(simple.send_to(Socket, b"x", simple.address("::ffff:198.51.100.2", PORT)))
    lab.run(0.1)

    assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_UNICAST_IF)) == 0
    assert receiver.endpoint.receive().if_index == index
    assert simple.send_to(Socket, b"x", simple.address(f"::ffff:{FAR}", PORT))[0] == STATUS_SUCCESS
    lab.run(0.1)
    assert receiver.endpoint.receive() is None  # over the other link, where a strong host does not take it


@pytest.mark.rule("BIND-32")
@pytest.mark.parametrize("is_bound", [False, True])
def test_a_connection_has_the_source_of_its_interface(lab: Lab, is_bound: bool) -> None:
    index = second(lab).index
    near = lab.bound(lab.near, C) if is_bound else lab.socket(lab.near, C)
    ok(simple.set_option(near, IPPROTO_IP, IP_UNICAST_IF, htonl(index)))
    if not is_bound:
        ok(simple.bind(near, simple.address("0.0.0.0", 0)))
    lab.listener()
    ok(simple.connect(near, simple.address("198.51.100.2", PORT)))

    assert simple.host_and_port(ok(simple.local_address(near)))[0] == OTHER


@pytest.mark.rule("BIND-33")
def test_a_name_on_another_interface_reaches_nothing(lab: Lab) -> None:
    index = second(lab).index
    near = lab.bound(lab.near, C, NEAR)
    ok(simple.set_option(near, IPPROTO_IP, IP_UNICAST_IF, htonl(index)))
    assert simple.connect(near, simple.address(FAR, PORT))[0] == STATUS_NETWORK_UNREACHABLE
    datagram = lab.datagram(lab.near, address=NEAR)
    ok(simple.set_option(datagram, IPPROTO_IP, IP_UNICAST_IF, htonl(index)))

    assert simple.send_to(datagram, b"x", simple.address(FAR, PORT))[0] == STATUS_NETWORK_UNREACHABLE


@families
def test_accepted_sockets_inherit_it(lab: Lab, family: int, Level: int, code: int) -> None:
    here, there, wildcard = (NEAR, FAR, "0.0.0.0") if family == AF_INET else (NEAR6, FAR6, "::")
    index = lab.far_interface.index
    listener = lab.bound(lab.far, L, wildcard, PORT, AddressFamily=family)
    ok(simple.set_option(listener, Level, code, number(Level, index)))
    near = lab.bound(lab.near, C, here, AddressFamily=family)
    ok(simple.connect(near, simple.address(there, PORT)))

    assert ok(simple.get_option(ok(simple.accept(listener)), Level, code)) == index


# SIO_ROUTING_INTERFACE_QUERY


def query(Socket: WSK_SOCKET, to: Any, Output: Any, InputSize: int | None = None, OutputSize: int = 28) -> Request:
    size = (0 if to is None else len(bytes(to))) if InputSize is None else InputSize
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_QUERY, 0, size, to, OutputSize, Output, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def answer(Socket: WSK_SOCKET, to: str) -> str:
    found = SOCKADDR_IN6() if ":" in to else SOCKADDR_IN()
    request = query(Socket, simple.address(to, PORT), found)
    assert (request.status, request.information) == (STATUS_SUCCESS, len(bytes(found)))
    host, port = simple.host_and_port(found)
    assert port == 0
    return host


@pytest.mark.rule("BIND-34", "BIND-4.11")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@pytest.mark.parametrize("is_bound", [False, True])
def test_the_address_that_would_be_used_can_be_bound(lab: Lab, Flags: int, is_bound: bool) -> None:
    second(lab)
    Socket = lab.bound(lab.near, Flags, OTHER) if is_bound else lab.socket(lab.near, Flags)
    assert answer(Socket, REMOTE) == answer(Socket, FAR) == NEAR
    assert answer(Socket, "198.51.100.2") == OTHER
    assert answer(Socket, "127.0.0.1") == "127.0.0.1"

    assert simple.bind(lab.socket(lab.near, Flags), simple.address(NEAR, 0))[0] == STATUS_SUCCESS


def test_the_query_knows_both_families(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    assert answer(Socket, FAR6) == NEAR6
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    assert answer(Socket, f"::ffff:{FAR}") == f"::ffff:{NEAR}"


@pytest.mark.rule("BIND-34", "BIND-4.11")
def test_the_answer_is_not_kept(lab: Lab) -> None:
    second(lab)
    Socket = lab.socket(lab.near, D)
    assert answer(Socket, REMOTE) == NEAR
    lab.near_interface.set_up(False)

    assert simple.bind(Socket, simple.address(NEAR, 0))[0] == STATUS_INVALID_ADDRESS_COMPONENT
    assert answer(Socket, REMOTE) == OTHER


def test_only_a_link_local_address_comes_with_its_link(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    index = lab.near_interface.index
    own = format_address(link_local_address(lab.near_interface.mac))

    def found() -> tuple[str, int]:
        output = SOCKADDR_IN6()
        assert query(Socket, simple.address("fe80::99", 0, index), output).status == STATUS_SUCCESS
        return simple.host_and_port(output)[0], output.sin6_scope_id

    assert found() == (own, index)
    lab.near_interface.remove_address(own)
    lab.near.route("fe80::/64", interface="eth0")
    assert found() == (NEAR6, 0)


def test_the_query_goes_through_the_interface_of_the_socket(lab: Lab) -> None:
    index = second(lab).index
    Socket = lab.socket(lab.near, D)
    ok(simple.set_option(Socket, IPPROTO_IP, IP_UNICAST_IF, htonl(index)))

    assert answer(Socket, REMOTE) == OTHER


@pytest.mark.rule("BIND-4.11")
@pytest.mark.parametrize(
    ("to", "expected"), [(REMOTE, STATUS_NETWORK_UNREACHABLE), ("0.0.0.0", STATUS_INVALID_ADDRESS_COMPONENT)]
)
def test_where_there_is_no_way_there_is_no_address(lab: Lab, to: str, expected: int) -> None:
    request = query(lab.socket(lab.near, D), simple.address(to, 0), SOCKADDR_IN())
    assert request.completions == [(expected, 0)]


def test_the_query_needs_an_address_of_the_family_and_room_for_one(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D)
    to = simple.address(FAR, 0)
    for wrong, size in ((None, 0), (None, 16), (to, 0), (to, 8), (bytes(8), 16), (simple.address(FAR6, 0), 28)):
        assert query(Socket, wrong, SOCKADDR_IN(), size).status == STATUS_INVALID_PARAMETER
    for output, size in ((None, 0), (None, 16), (bytearray(16), 15), (bytearray(15), 16), (SOCKADDR_IN(), 8)):
        assert query(Socket, to, output, OutputSize=size).completions == [(STATUS_BUFFER_OVERFLOW, 0)]
    exact = bytearray(16)
    assert query(Socket, to, exact, OutputSize=16).status == STATUS_SUCCESS
    assert exact == bytes(simple.address(NEAR, 0))


def test_a_socket_without_a_transport_address_or_a_dead_one_answers_no_query(lab: Lab) -> None:
    to = simple.address(FAR, 0)
    basic = lab.socket(lab.near, B)
    assert query(basic, to, SOCKADDR_IN()).status == STATUS_INVALID_PARAMETER
    listener: Any = lab.listener()
    with lab.far.pump:
        lab.far.stack.notify(listener.endpoint, Ready.FAILED)
    assert query(listener, to, SOCKADDR_IN()).status == STATUS_FILE_FORCED_CLOSED
