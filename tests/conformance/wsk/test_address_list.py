"""SIO_ADDRESS_LIST_QUERY and what SIO_ADDRESS_LIST_CHANGE tells of (wsk.md 5.4; BIND-4.13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_categories import D
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, Lab, start
from tests.support.wsk_notifications import (
    LOOPBACK,
    add_one,
    await_addresses,
    await_routing,
    categories,
    families,
    listed,
    own_link_local,
    query,
)
from wsknet.behaviour import WINDOWS
from wsknet.config import AutoConfig
from wsknet.net import changes
from wsknet.text import format_address, parse_cidr
from wsknet.text import parse_address as A
from wsknet.transport.endpoint import Ready
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    DISPATCH_LEVEL,
    SIO_ADDRESS_LIST_QUERY,
    SOCKET_ADDRESS_LIST,
    STATUS_BUFFER_OVERFLOW,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WskIoctl,
    simple,
)

# The list


@pytest.mark.rule("R-318", "BIND-4.13")
@categories
def test_the_addresses_of_the_family_are_listed_without_an_irp(lab: Lab, Flags: int) -> None:
    lab.near_interface.add_address("192.0.2.9/24")
    assert listed(lab.socket(lab.near, Flags)) == [NEAR, "192.0.2.9"]
    own = own_link_local(lab)
    assert sorted(listed(lab.socket(lab.near, Flags, AddressFamily=AF_INET6))) == sorted([NEAR6, own])


@pytest.mark.rule("R-318")
@families
def test_the_list_has_the_layout_of_c(lab: Lab, family: int) -> None:
    own = A(own_link_local(lab))
    lab.near_interface.add_address("192.0.2.9/24")
    Status, size, memory = query(lab.socket(lab.near, D, AddressFamily=family))
    length = 16 if family == AF_INET else 28
    assert (Status, size) == (STATUS_SUCCESS, 8 + 2 * (16 + length))

    assert memory[:8] == b"\2" + bytes(7)
    sockaddrs = []
    for number in range(2):
        entry = memory[8 + 16 * number : 24 + 16 * number]
        assert int.from_bytes(entry[8:], "little") == length
        at = int.from_bytes(entry[:8], "little")
        sockaddrs.append(bytes(memory[at : at + length]))
    if family == AF_INET:
        assert sockaddrs == [bytes(simple.address(host, 0)) for host in (NEAR, "192.0.2.9")]
    else:
        scope = lab.near_interface.index
        expected = {bytes(simple.address(NEAR6, 0)), bytes(simple.address(format_address(own), 0, scope))}
        assert set(sockaddrs) == expected


@pytest.mark.rule("R-319")
@families
@pytest.mark.parametrize("short", [0, 8, 1])
def test_a_short_buffer_is_told_how_long_it_should_be(lab: Lab, family: int, short: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    needed = query(Socket)[1]
    size = needed - 1 if short == 1 else short
    Status, returned, memory = query(Socket, size)
    assert (Status, returned, bytes(memory)) == (STATUS_BUFFER_OVERFLOW, needed, bytes(size))
    assert query(Socket, needed, bytearray(needed - 1))[:2] == (STATUS_BUFFER_OVERFLOW, needed)

    assert query(Socket, needed)[0] == STATUS_SUCCESS


@pytest.mark.rule("R-319")
def test_the_length_can_be_asked_for_without_a_buffer(lab: Lab) -> None:
    Socket, returned = lab.socket(lab.near, D), [0]
    arguments = (WskIoctl, SIO_ADDRESS_LIST_QUERY, 0, 0, None, 0, None)
    function = Socket.Dispatch.WskControlSocket

    assert function(Socket, *arguments, returned, None) == STATUS_BUFFER_OVERFLOW
    assert returned == [40]
    assert function(Socket, *arguments, None, None) == STATUS_INVALID_PARAMETER


def test_an_irp_is_taken_as_well(lab: Lab) -> None:
    Socket, memory = lab.socket(lab.near, D), bytearray(64)
    arguments = (WskIoctl, SIO_ADDRESS_LIST_QUERY, 0, 0, None)
    function = Socket.Dispatch.WskControlSocket

    assert start(function, Socket, *arguments, 64, memory, None).completions == [(STATUS_SUCCESS, 40)]
    assert SOCKET_ADDRESS_LIST.cast(memory).iAddressCount == 1
    assert start(function, Socket, *arguments, 8, memory, None).completions == [(STATUS_BUFFER_OVERFLOW, 0)]


@pytest.mark.rule("BIND-4.13")
@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_what_means_nothing_outside_the_loopback_interface_is_left_out(lab: Lab, family: int) -> None:
    for cidr in ("127.0.0.2/8", "169.254.9.9/16", "203.0.113.1/32", "fe80::7/64", "2001:db8:7::1/128"):
        lab.near.apply(changes.AddressAdded(LOOPBACK, *parse_cidr(cidr)))
    lab.near_interface.add_address("169.254.7.7/16")
    found = listed(lab.socket(lab.near, D, AddressFamily=family))

    there = {"203.0.113.1", NEAR, "169.254.7.7"} if family == AF_INET else {"2001:db8:7::1", NEAR6, own_link_local(lab)}
    assert set(found) == there


@pytest.mark.rule("BIND-4.13")
@families
def test_deprecated_addresses_are_left_out(lab: Lab, family: int) -> None:
    for cidr in ("192.0.2.9/24", "2001:db8::9/64"):
        lab.near.apply(changes.AddressAdded(lab.near_interface.index, *parse_cidr(cidr), is_deprecated=True))
    found = listed(lab.socket(lab.near, D, AddressFamily=family))

    assert not {"192.0.2.9", "2001:db8::9"} & set(found)
    assert len(found) == (1 if family == AF_INET else 2)


@pytest.mark.rule("BIND-4.13")
@families
@pytest.mark.parametrize("binds_them", [False, True])
def test_addresses_of_an_interface_that_is_down_are_listed_where_they_may_be_bound(
    family: int, binds_them: bool
) -> None:
    with wsk_lab.lab(replace(WINDOWS, binds_down_addresses=binds_them)) as lab:
        Socket = lab.socket(lab.near, D, AddressFamily=family)
        before = listed(Socket)
        lab.near_interface.set_up(False)
        after = listed(Socket)
        assert after == (before if binds_them else [])
        host = NEAR if family == AF_INET else NEAR6
        assert (simple.bind(Socket, simple.address(host, 0))[0] == STATUS_SUCCESS) is (host in after)


def test_a_query_takes_no_input_and_a_living_socket(lab: Lab) -> None:
    Socket: Any = lab.listener()
    arguments = (WskIoctl, SIO_ADDRESS_LIST_QUERY, 0, 4, bytearray(4), 64, bytearray(64), [0], None)
    assert Socket.Dispatch.WskControlSocket(Socket, *arguments) == STATUS_INVALID_PARAMETER
    with lab.far.pump:
        lab.far.stack.notify(Socket.endpoint, Ready.FAILED)
    assert query(Socket)[0] == STATUS_FILE_FORCED_CLOSED
    assert await_addresses(Socket).status == STATUS_FILE_FORCED_CLOSED
    assert await_routing(Socket, "0.0.0.0").status == STATUS_FILE_FORCED_CLOSED


# Its changes


@pytest.mark.rule("R-320", "BIND-4.13")
@categories
def test_a_change_is_told_once(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    request = await_addresses(Socket)
    assert request.returned == STATUS_PENDING
    lab.run()
    assert not request.is_done
    lab.near_interface.add_address("192.0.2.9/24")
    lab.near_interface.add_address("192.0.2.10/24")
    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert (request.was_pending, request.irql) == ([True], DISPATCH_LEVEL)

    again = await_addresses(Socket)
    lab.near_interface.remove_address("192.0.2.9")
    assert again.completions == [(STATUS_SUCCESS, 0)]


def remove_first(lab: Lab, family: int) -> None:
    lab.near_interface.remove_address(NEAR if family == AF_INET else NEAR6)


def cut_the_link(lab: Lab, family: int) -> None:
    lab.near_interface.set_up(False)


def deprecate(lab: Lab, family: int) -> None:
    cidr = f"{NEAR}/24" if family == AF_INET else f"{NEAR6}/64"
    lab.near.apply(changes.AddressAdded(lab.near_interface.index, *parse_cidr(cidr), is_deprecated=True))


def remove_the_interface(lab: Lab, family: int) -> None:
    lab.near.apply(changes.InterfaceRemoved(lab.near_interface.index))


@pytest.mark.rule("R-320")
@families
@pytest.mark.parametrize("change", [remove_first, cut_the_link, deprecate, add_one, remove_the_interface])
def test_everything_that_changes_the_list_is_told(lab: Lab, family: int, change: Callable[[Lab, int], None]) -> None:
    request = await_addresses(lab.socket(lab.near, D, AddressFamily=family))
    change(lab, family)

    assert request.status == STATUS_SUCCESS


@pytest.mark.rule("R-320")
@families
def test_what_leaves_the_list_as_it_is_is_not_told(lab: Lab, family: int) -> None:
    request = await_addresses(lab.socket(lab.near, D, AddressFamily=family))
    add_one(lab, AF_INET6 if family == AF_INET else AF_INET)
    lab.near.route("203.0.113.0/24", via=FAR)
    lab.near.route("2001:db8:9::/64", via=FAR6)
    lab.near.apply(changes.AddressAdded(LOOPBACK, *parse_cidr("127.0.0.9/8")))
    lab.near.apply(changes.InterfaceChanged(lab.near_interface.index, metric=7))

    assert not request.is_done


@pytest.mark.rule("R-320", "BIND-4.13")
@pytest.mark.parametrize(
    ("family", "cidr", "is_optimistic"),
    [(AF_INET, "192.0.2.9/24", False), (AF_INET6, "2001:db8::9/64", False), (AF_INET6, "2001:db8::9/64", True)],
)
def test_an_address_that_is_checked_is_told_when_it_is_preferred(
    lab: Lab, family: int, cidr: str, is_optimistic: bool
) -> None:
    auto = AutoConfig(duplicate_detection=True, optimistic=is_optimistic)
    lab.near.apply(changes.InterfaceChanged(lab.near_interface.index, auto=auto))
    lab.run(10)
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    before = listed(Socket)
    requests = [await_addresses(Socket)]
    lab.near_interface.add_address(cidr)
    assert listed(Socket) == before
    if requests[-1].is_done:  # a spurious one, as it was only optimistic
        assert is_optimistic
        requests.append(await_addresses(Socket))
    lab.run(10)

    assert requests[-1].status == STATUS_SUCCESS
    assert listed(Socket) == [*before, cidr.split("/", maxsplit=1)[0]]
