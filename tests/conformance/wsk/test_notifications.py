"""SIO_ADDRESS_LIST_QUERY, SIO_ADDRESS_LIST_CHANGE and SIO_ROUTING_INTERFACE_CHANGE (wsk.md 5.4; BIND-4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.config import AutoConfig
from wsknet.host import link_local_address
from wsknet.net import changes
from wsknet.text import format_address, parse_cidr
from wsknet.text import parse_address as A
from wsknet.transport.endpoint import Ready
from wsknet.types import IfIndex
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    DISPATCH_LEVEL,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    NTSTATUS,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_CHANGE,
    SOCKADDR_IN6,
    SOCKET_ADDRESS_LIST,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_PARAMETER,
    STATUS_PENDING,
    STATUS_REQUEST_NOT_ACCEPTED,
    STATUS_SUCCESS,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    WskIoctl,
    htonl,
    simple,
)

L, C, D, S, B = (
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_FLAG_BASIC_SOCKET,
)
REMOTE, REMOTE6 = "8.8.8.8", "2001:4860::8"
LOOPBACK = IfIndex(1)

categories = pytest.mark.parametrize("Flags", [L, C, D, S, B])
families = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["IPv4", "IPv6"])


def query(Socket: WSK_SOCKET, size: int = 1024, Output: Any = None) -> tuple[NTSTATUS, int, bytearray]:
    """SIO_ADDRESS_LIST_QUERY as it is documented, without an IRP: status, OutputSizeReturned and the memory."""
    memory = bytearray(size) if Output is None else Output
    returned = [0]
    Status = Socket.Dispatch.WskControlSocket(
        Socket, WskIoctl, SIO_ADDRESS_LIST_QUERY, 0, 0, None, size, memory, returned, None
    )
    return Status, returned[0], memory


def listed(Socket: WSK_SOCKET) -> list[str]:
    Status, _, memory = query(Socket)
    assert Status == STATUS_SUCCESS
    found = SOCKET_ADDRESS_LIST.cast(memory)
    assert found.iAddressCount == len(found.Address)
    hosts = []
    for entry in found.Address:
        assert entry.lpSockaddr is not None
        assert entry.iSockaddrLength == len(bytes(entry.lpSockaddr))
        host, port = simple.host_and_port(entry.lpSockaddr)
        assert port == 0
        hosts.append(host)
    return hosts


def await_addresses(Socket: WSK_SOCKET) -> Request:
    arguments = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def await_routing(Socket: WSK_SOCKET, to: str, **fields: Any) -> Request:
    address = simple.address(to, PORT, **fields)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, len(bytes(address)), address, 0, None, None)
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def own_link_local(lab: Lab) -> str:
    return format_address(link_local_address(lab.near_interface.mac))


def two_links(lab: Lab) -> None:
    """Another link between the two hosts; both have a default route of the near one, the first is better."""
    near = lab.near.interface("eth1", "198.51.100.1/24", "2001:db8:2::1/64")
    far = lab.far.interface("eth1", "198.51.100.2/24", "2001:db8:2::2/64")
    lab.network.link(near, far)
    for default, gateways in (("0.0.0.0/0", (FAR, "198.51.100.2")), ("::/0", (FAR6, "2001:db8:2::2"))):
        for metric, gateway in enumerate(gateways):
            lab.near.route(default, via=gateway, metric=metric)


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


def add_one(lab: Lab, family: int) -> None:
    lab.near_interface.add_address("192.0.2.9/24" if family == AF_INET else "2001:db8::9/64")


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


# Routes


@pytest.mark.rule("BIND-4.12")
@families
def test_the_wildcard_stands_for_every_route_of_the_family(lab: Lab, family: int) -> None:
    two_links(lab)
    wildcard, other, other6 = ("0.0.0.0", "203.0.113.0/24", "2001:db8:9::/64") if family == AF_INET else (
        "::", "2001:db8:9::/64", "203.0.113.0/24",
    )  # fmt: skip
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    via = {False: FAR, True: FAR6}
    steps: list[Callable[[], None]] = [
        lambda: lab.near.route(other, via=via[":" in other]),
        lambda: lab.near_interface.set_up(False),
        lambda: lab.near_interface.set_up(True),
        lambda: lab.near.apply(changes.InterfaceChanged(lab.near_interface.index, metric=7)),
        lambda: add_one(lab, family),
    ]
    for change in steps:
        request = await_routing(Socket, wildcard)
        assert request.returned == STATUS_PENDING
        lab.near.route(other6, via=via[":" in other6])
        lab.near.apply(changes.AutoconfigurationChanged(True))
        assert not request.is_done
        change()
        assert request.completions == [(STATUS_SUCCESS, 0)]


@pytest.mark.rule("BIND-4.12")
@pytest.mark.parametrize("Flags", [L, C, D, S])
@families
def test_a_destination_is_told_of_when_its_way_has_changed(lab: Lab, Flags: int, family: int) -> None:
    two_links(lab)
    remote, far, elsewhere, beyond = (
        (REMOTE, "198.51.100.2", "203.0.113.0/24", "8.8.8.0/24") if family == AF_INET
        else (REMOTE6, "2001:db8:2::2", "2001:db8:9::/64", "2001:4860::/64")
    )  # fmt: skip
    Socket = lab.socket(lab.near, Flags, AddressFamily=family)
    request, neighbour = await_routing(Socket, remote), await_routing(Socket, far)
    lab.near.route(elsewhere, via=far)
    assert not request.is_done
    lab.near.route(beyond, via=far)
    assert request.completions == [(STATUS_SUCCESS, 0)]
    assert not neighbour.is_done

    again = await_routing(Socket, remote)
    lab.near.apply(changes.InterfaceChanged(IfIndex(3), metric=1))
    assert not again.is_done
    lab.near.apply(changes.LinkDown(IfIndex(3)))
    assert again.status == neighbour.status == STATUS_SUCCESS


@pytest.mark.rule("BIND-4.12")
def test_a_destination_without_a_way_waits_for_one(lab: Lab) -> None:
    request = await_routing(lab.socket(lab.near, D), REMOTE)
    assert not request.is_done
    lab.near.route("0.0.0.0/0", via=FAR)

    assert request.status == STATUS_SUCCESS


def test_the_interface_of_the_socket_counts(lab: Lab) -> None:
    two_links(lab)
    Socket = lab.socket(lab.near, D)
    ok(simple.set_option(Socket, IPPROTO_IP, IP_UNICAST_IF, htonl(3)))
    request = await_routing(Socket, REMOTE)
    lab.near_interface.set_up(False)
    assert not request.is_done
    lab.near.apply(changes.LinkDown(IfIndex(3)))

    assert request.status == STATUS_SUCCESS


@pytest.mark.rule("BIND-4.12")
def test_a_dual_stack_socket_watches_both_families(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=AF_INET6)
    mapped = simple.address(f"::ffff:{REMOTE}", 0)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, 28, mapped, 0, None, None)
    refused = start(Socket.Dispatch.WskControlSocket, Socket, *arguments)
    assert refused.status == STATUS_INVALID_ADDRESS_COMPONENT
    ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
    everything, ipv4, one, ipv6 = (
        await_routing(Socket, to) for to in ("::", "::ffff:0.0.0.0", f"::ffff:{REMOTE}", REMOTE6)
    )
    lab.near.route("2001:4860::/32", via=FAR6)
    assert [request.is_done for request in (everything, ipv4, one, ipv6)] == [True, False, False, True]
    lab.near.route("0.0.0.0/0", via=FAR)
    assert ipv4.status == one.status == STATUS_SUCCESS

    again = await_routing(Socket, "::")
    lab.near.route("203.0.113.0/24", via=FAR)
    assert again.status == STATUS_SUCCESS


@pytest.mark.parametrize(
    ("size", "Input"),
    [(0, None), (16, None), (0, bytes(16)), (8, bytes(8)), (16, bytes(16)), (28, SOCKADDR_IN6(AF_INET6))],
)
def test_a_routing_change_needs_an_address_of_the_family(lab: Lab, size: int, Input: Any) -> None:
    Socket = lab.socket(lab.near, D)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, size, Input, 0, None, None)

    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).completions == [(STATUS_INVALID_PARAMETER, 0)]


@families
def test_an_address_has_the_whole_length_of_its_structure(lab: Lab, family: int) -> None:
    Socket = lab.socket(lab.near, D, AddressFamily=family)
    address = simple.address(FAR if family == AF_INET else FAR6, PORT)
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, len(bytes(address)) - 1, address, 0, None, None)

    assert start(Socket.Dispatch.WskControlSocket, Socket, *arguments).status == STATUS_INVALID_PARAMETER


# Pending requests


@pytest.mark.rule("R-320")
def test_a_notification_needs_an_irp_and_no_input(lab: Lab) -> None:
    Socket = lab.socket(lab.near, D)
    function = Socket.Dispatch.WskControlSocket
    arguments = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    assert function(Socket, *arguments, None) == STATUS_INVALID_PARAMETER
    with_input = (WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 4, bytes(4), 0, None, None)
    assert start(function, Socket, *with_input).status == STATUS_INVALID_PARAMETER
    basic = lab.socket(lab.near, B)
    assert await_routing(basic, FAR).status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-068", "R-250", "R-320")
@pytest.mark.parametrize("Flags", [L, C, D, S, B])
def test_notifications_are_cancelled_by_hand_and_by_close(lab: Lab, Flags: int) -> None:
    Socket = lab.socket(lab.near, Flags)
    first, second = await_addresses(Socket), await_addresses(Socket)
    others = [await_routing(Socket, to) for to in ("0.0.0.0", FAR)] if Flags != B else []
    IoCancelIrp(first.Irp)
    assert (first.completions, second.is_done) == ([(STATUS_CANCELLED, 0)], False)
    ok(simple.close(Socket))
    for request in (second, *others):
        assert request.completions == [(STATUS_CANCELLED, 0)]

    lab.near_interface.add_address("192.0.2.9/24")
    assert [len(request.completions) for request in (first, second, *others)] == [1] * (2 + len(others))


@pytest.mark.rule("R-068")
def test_an_irp_that_is_cancelled_already_does_not_wait(lab: Lab) -> None:
    Socket, request = lab.socket(lab.near, D), Request()
    IoCancelIrp(request.Irp)
    arguments = (Socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    request.start(Socket.Dispatch.WskControlSocket, *arguments)

    assert request.completions == [(STATUS_CANCELLED, 0)]


def test_cancelling_a_receive_leaves_the_notification_and_the_other_way_round(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    arguments = (simple.buffer(bytearray(4)), 0, None, None, None, None)
    receive, notification = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments), await_addresses(Socket)
    IoCancelIrp(receive.Irp)
    assert (receive.is_done, notification.is_done) == (True, False)
    receive = start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments)
    IoCancelIrp(notification.Irp)
    assert (receive.is_done, notification.is_done) == (False, True)


@pytest.mark.rule("BIND-4.12")
def test_the_next_request_may_be_made_with_the_same_irp(lab: Lab) -> None:
    Socket, request = lab.socket(lab.near, D), Request()
    arguments = (Socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, 0, None, 0, None, None)
    request.start(Socket.Dispatch.WskControlSocket, *arguments)
    lab.near_interface.add_address("192.0.2.9/24")
    assert listed(Socket) == [NEAR, "192.0.2.9"]

    request.start(Socket.Dispatch.WskControlSocket, *arguments)
    lab.near_interface.remove_address("192.0.2.9")
    assert listed(Socket) == [NEAR]
    assert request.completions == [(STATUS_SUCCESS, 0)] * 2


def test_other_hosts_and_sets_are_no_different(lab: Lab) -> None:
    with wsk_lab.lab(LINUX) as other:
        request = await_addresses(other.socket(other.near, D))
        lab.near_interface.add_address("192.0.2.9/24")
        assert not request.is_done
        other.near_interface.add_address("192.0.2.9/24")
        assert request.status == STATUS_SUCCESS


@pytest.mark.rule("R-157", "BIND-4.12")
def test_a_connection_that_is_not_accepted_takes_its_requests_along(lab: Lab) -> None:
    requests: list[Request] = []

    def accept_event(*arguments: Any) -> NTSTATUS:
        requests.append(await_routing(arguments[4], FAR))
        return STATUS_REQUEST_NOT_ACCEPTED

    listener = lab.bound(lab.near, L, NEAR, PORT, Dispatch=WSK_CLIENT_LISTEN_DISPATCH(accept_event, None, None))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    ok(simple.connect(lab.bound(lab.far, C), simple.address(NEAR, PORT)))
    lab.run()

    assert [request.status for request in requests] == [STATUS_CANCELLED]
    lab.near_interface.set_up(False)
    assert len(requests[0].completions) == 1
