"""What a socket bound to a wildcard says of its name, and whom it hears: BIND-2, cases 9, 10 and 53."""

from __future__ import annotations

import pytest

from tests.support.wsk_datagrams import fix, name_of
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    STATUS_CANCELLED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    simple,
)

families = pytest.mark.parametrize(
    ("family", "wildcard", "near", "far"), [(AF_INET, "0.0.0.0", NEAR, FAR), (AF_INET6, "::", NEAR6, FAR6)]
)


@pytest.mark.rule("BIND-9", "R-288")
@families
def test_a_fixed_remote_address_shows_in_the_local_name(
    lab: Lab, family: int, wildcard: str, near: str, far: str
) -> None:
    Socket = lab.datagram(lab.near, 5000, wildcard, AddressFamily=family)
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, simple.address(far, PORT)) == STATUS_SUCCESS
    assert name_of(Socket) == (near, 5000)
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, None) == STATUS_SUCCESS
    assert name_of(Socket) == (wildcard, 5000)


@pytest.mark.rule("BIND-9")
def test_a_remote_address_without_a_route_is_refused_and_the_wildcard_stays(lab: Lab) -> None:
    Socket = lab.datagram(lab.near, 5000)
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, simple.address("8.8.8.8", PORT)) == STATUS_NETWORK_UNREACHABLE
    assert name_of(Socket) == ("0.0.0.0", 5000)


@pytest.mark.rule("BIND-9", "BIND-17c")
def test_a_dual_stack_socket_shows_a_mapped_name_while_its_peer_is_one(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(Socket, simple.address("::", 5000)))
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, simple.address(f"::ffff:{FAR}", PORT)) == STATUS_SUCCESS
    assert name_of(Socket) == (f"::ffff:{NEAR}", 5000)
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, None) == STATUS_SUCCESS
    assert name_of(Socket) == ("::", 5000)


@pytest.mark.rule("BIND-10", "BIND-4.15")
@families
def test_a_fixed_destination_commits_nothing(lab: Lab, family: int, wildcard: str, near: str, far: str) -> None:
    Socket = lab.datagram(lab.near, 5000, wildcard, AddressFamily=family)
    assert fix(Socket, SIO_WSK_SET_SENDTO_ADDRESS, simple.address(far, PORT)) == STATUS_SUCCESS
    ok(simple.send_to(Socket, b"default"))
    assert name_of(Socket) == (wildcard, 5000)


@pytest.mark.rule("BIND-10", "BIND-4.14", "BIND-4.15")
@pytest.mark.parametrize(
    ("code", "status"), [(SIO_WSK_SET_REMOTE_ADDRESS, STATUS_CANCELLED), (SIO_WSK_SET_SENDTO_ADDRESS, STATUS_SUCCESS)]
)
@families
def test_the_answer_to_an_override_is_dropped_with_a_fixed_remote_address_only(
    lab: Lab, family: int, wildcard: str, near: str, far: str, code: int, status: int
) -> None:
    Socket = lab.datagram(lab.near, 5000, wildcard, AddressFamily=family)
    other = lab.datagram(lab.far, 6000, wildcard, AddressFamily=family)
    assert fix(Socket, code, simple.address(far, PORT)) == STATUS_SUCCESS
    ok(simple.send_to(Socket, b"override", simple.address(far, 6000)))
    data, source = ok(simple.receive_from(other))
    assert (data, simple.host_and_port(source)) == (b"override", (near, 5000))
    ok(simple.send_to(other, b"answer", source))
    assert simple.receive_from(Socket, seconds=1)[0] == status


@pytest.mark.rule("BIND-53")
@families
def test_a_connecting_wsk_socket_has_a_name_and_refuses_everything_else(
    lab: Lab, family: int, wildcard: str, near: str, far: str
) -> None:
    lab.cut()
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, 5000, AddressFamily=family)
    connecting = start(Socket.Dispatch.WskConnect, Socket, simple.address(far, PORT), 0)
    assert name_of(Socket) == (near, 5000)

    Dispatch = Socket.Dispatch
    assert start(Dispatch.WskConnect, Socket, simple.address(far, PORT), 0).status == STATUS_INVALID_DEVICE_STATE
    for function in (Dispatch.WskSend, Dispatch.WskReceive):
        buffer: WSK_BUF = simple.buffer(bytearray(4))
        assert start(function, Socket, buffer, 0).status == STATUS_INVALID_DEVICE_STATE
    assert not connecting.is_done
    lab.cut(False)
    lab.listener(wildcard, AddressFamily=family)
    lab.run(5)
    assert connecting.status == STATUS_SUCCESS
    assert name_of(Socket) == (near, 5000)
