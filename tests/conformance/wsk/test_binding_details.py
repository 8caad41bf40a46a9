"""What a bind that fails leaves behind, and how the name of a socket is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.wsk_lab import NEAR, PORT, Lab, ok, start
from tests.support.wsk_lab import lab as laboratory
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.wsk import (
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOL_SOCKET,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_SUCCESS,
    STATUS_TOO_MANY_ADDRESSES,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    simple,
)

CATEGORIES = [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_STREAM_SOCKET]


def socket(lab: Lab, *codes: int) -> WSK_SOCKET:
    """A listening one."""
    Socket = lab.socket(lab.near, WSK_FLAG_LISTEN_SOCKET)
    for code in codes:
        ok(simple.set_option(Socket, SOL_SOCKET, code, 1))
    return Socket


def bind(Socket: WSK_SOCKET, port: int, address: str = "0.0.0.0") -> Any:
    return start(Socket.Dispatch.WskBind, Socket, simple.address(address, port), 0).completions[0]


def local_address(Socket: WSK_SOCKET, room: Any) -> Any:
    return start(Socket.Dispatch.WskGetLocalAddress, Socket, room).status


def test_a_listening_socket_whose_name_is_taken_is_not_bound_and_keeps_no_port() -> None:
    with laboratory(LINUX) as lab:
        first, second = socket(lab, SO_REUSEADDR), socket(lab, SO_REUSEADDR)
        assert bind(first, PORT) == (STATUS_SUCCESS, 0)
        assert bind(second, PORT) == (STATUS_ADDRESS_ALREADY_EXISTS, 0)
        assert local_address(second, SOCKADDR_IN()) == STATUS_INVALID_DEVICE_STATE

        ok(simple.close(first))
        assert bind(socket(lab, SO_EXCLUSIVEADDRUSE), PORT) == (STATUS_SUCCESS, 0)
        assert bind(second, PORT + 1) == (STATUS_SUCCESS, 0)
        assert simple.host_and_port(ok(simple.local_address(second)))[1] == PORT + 1


@pytest.mark.rule("BIND-1.5.4")
def test_a_listening_socket_that_finds_no_port_when_it_is_to_listen_is_not_bound() -> None:
    with laboratory(replace(WINDOWS, ephemeral_ports=(50000, 50000))) as lab:
        first, second = socket(lab, SO_REUSE_UNICASTPORT), socket(lab, SO_REUSE_UNICASTPORT)
        assert bind(first, 0, NEAR) == (STATUS_SUCCESS, 0)
        assert bind(second, 0, NEAR) == (STATUS_TOO_MANY_ADDRESSES, 0)
        assert local_address(second, SOCKADDR_IN()) == STATUS_INVALID_DEVICE_STATE

        ok(simple.close(first))
        assert bind(second, 0, NEAR) == (STATUS_SUCCESS, 0)
        assert simple.host_and_port(ok(simple.local_address(second))) == (NEAR, 50000)


@pytest.mark.parametrize("Flags", CATEGORIES)
def test_a_link_local_name_is_told_with_its_scope(lab: Lab, Flags: int) -> None:
    lab.near_interface.add_address("fe80::77/64")
    lab.run(2)
    Socket = lab.socket(lab.near, Flags, AddressFamily=AF_INET6)
    ok(simple.bind(Socket, simple.address("fe80::77", PORT, lab.near_interface.index)))
    found = SOCKADDR_IN6()

    assert local_address(Socket, found) == STATUS_SUCCESS
    assert simple.host_and_port(found)[1] == PORT
    assert found.sin6_scope_id == lab.near_interface.index


@pytest.mark.parametrize("Flags", CATEGORIES)
@pytest.mark.parametrize("address", ["::", "::ffff:0.0.0.0"])
def test_a_wildcard_is_told_as_the_one_that_was_bound(lab: Lab, Flags: int, address: str) -> None:
    Socket = lab.socket(lab.near, Flags, AddressFamily=AF_INET6)
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    ok(simple.bind(Socket, simple.address(address, PORT)))

    assert bytes(ok(simple.local_address(Socket)))[8:24] == bytes(simple.address(address, PORT))[8:24]
