"""WskGetNameInfo (WSK-6.3), over a DNS server in the lab."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.dns_lab import CLIENT, CLIENT6
from tests.support.names_lab import WEB, WEB6, names_lab, room, web_lab
from tests.support.wsk_lab import Request
from wsknet.behaviour import WINDOWS
from wsknet.wsk import (
    EPROCESS,
    NI_DGRAM,
    NI_NAMEREQD,
    NI_NOFQDN,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    SOCKADDR_STORAGE,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_CANCELLED,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NO_MATCH,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    UNICODE_STRING,
    IoCancelIrp,
    simple,
)

BOTH = pytest.mark.parametrize("address", [WEB, WEB6])


@BOTH
@pytest.mark.rule("R-347")
def test_the_name_is_the_full_one_unless_the_caller_wants_the_short_one(address: str) -> None:
    with names_lab() as lab:
        web_lab(lab)
        assert lab.named(simple.address(address, 80)) == ("web.lab", "http")
        assert lab.named(simple.address(address, 80), NI_NOFQDN) == ("web.lab", "http")  # not of our domain
        lab.names.own.domain = "lab"
        assert lab.named(simple.address(address, 80)) == ("web.lab", "http")
        assert lab.named(simple.address(address, 80), NI_NOFQDN) == ("web", "http")
        assert lab.service.queries == 1


@pytest.mark.rule("R-347")
def test_a_name_in_the_hosts_file_needs_no_server() -> None:
    with names_lab() as lab:
        lab.names.hosts.add("near.lab", WEB, WEB6)
        assert lab.named(simple.address(WEB6, 9)) == ("near.lab", "discard")
        lab.names.suffixes = ["LAB."]
        assert lab.named(simple.address(WEB, 9), NI_NOFQDN) == ("near", "discard")
        assert lab.wire.frames == []


@pytest.mark.rule("R-347")
@pytest.mark.parametrize("address", [CLIENT, CLIENT6, "127.0.0.1", "::1", "::ffff:192.0.2.1"])
def test_our_own_addresses_have_our_own_name(address: str) -> None:
    with names_lab() as lab:
        lab.names.own.domain = "lab"
        assert lab.named(simple.address(address, 0)) == ("client.lab", "0")
        assert lab.named(simple.address(address, 0), NI_NOFQDN) == ("client", "0")


@pytest.mark.rule("R-344")
@pytest.mark.parametrize("address", [WEB, WEB6, "::1", "0.0.0.0", "::", "::ffff:192.0.2.80"])
def test_the_digits_are_asked_of_nobody(address: str) -> None:
    with names_lab() as lab:
        request = lab.name_info(simple.address(address, 80), node := room(200), None, NI_NUMERICHOST)
        assert (request.returned, request.status, request.information) == (STATUS_PENDING, STATUS_SUCCESS, 0)
        assert str(node) == address
        assert lab.wire.frames == []


@pytest.mark.rule("R-344")
def test_the_digits_of_a_link_local_address_have_its_zone() -> None:
    with names_lab() as lab:
        assert lab.named(simple.address("fe80::9", 80, 2), NI_NUMERICHOST) == ("fe80::9%2", "http")


@BOTH
@pytest.mark.rule("R-345")
def test_the_digits_stand_in_for_a_name_that_there_is_not(address: str) -> None:
    with names_lab() as lab:
        sockaddr = simple.address(address, 80)
        assert lab.named(sockaddr) == (address, "http")
        assert lab.named(sockaddr, NI_NAMEREQD) == STATUS_NOT_FOUND
        lab.stop()
        lab.names.use_servers("192.0.2.54")
        assert lab.named(sockaddr, NI_NAMEREQD) == STATUS_IO_TIMEOUT
        assert lab.named(sockaddr) == (address, "http")


@pytest.mark.rule("R-345", "D-21")
def test_a_name_that_there_is_not_is_no_match_on_windows_7() -> None:
    with names_lab(replace(WINDOWS, unknown_name_is_no_match=True)) as lab:
        assert lab.named(simple.address(WEB, 80), NI_NAMEREQD) == STATUS_NO_MATCH
        assert lab.named(simple.address("0.0.0.0", 80), NI_NAMEREQD) == STATUS_NO_MATCH
        assert len(lab.queries()) == 1  # of the unspecified address nobody knows a name
        lab.zone.add("web.lab", WEB)
        lab.names.cache.clear()
        assert lab.named(simple.address(WEB, 80), NI_NAMEREQD) == ("web.lab", "http")


@pytest.mark.rule("R-346")
@pytest.mark.parametrize(
    ("port", "flags", "service"),
    [
        (80, 0, "http"),
        (80, NI_NUMERICSERV, "80"),
        (80, NI_DGRAM, "80"),
        (123, 0, "123"),
        (123, NI_DGRAM, "ntp"),
        (123, NI_DGRAM | NI_NUMERICSERV, "123"),
        (40000, 0, "40000"),
    ],
)
def test_a_port_has_the_name_of_its_service(port: int, flags: int, service: str) -> None:
    with names_lab() as lab:
        request = lab.name_info(simple.address(WEB, port), None, made := room(100), flags)
        assert (request.returned, request.status) == (STATUS_PENDING, STATUS_SUCCESS)
        assert str(made) == service
        assert lab.wire.frames == []


@pytest.mark.rule("R-343")
def test_one_of_the_two_names_has_to_be_wanted() -> None:
    with names_lab() as lab:
        request = lab.name_info(simple.address(WEB, 80), None, None)
        assert (request.returned, request.status) == (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER)


@pytest.mark.parametrize(
    ("sockaddr", "others", "status"),
    [
        (None, {}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB, 80), {"SockAddrLength": 15}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB6, 80), {"SockAddrLength": 27}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB, 80), {"SockAddrLength": 129}, STATUS_INVALID_PARAMETER),
        (bytes(simple.address(WEB6, 80))[:20], {"SockAddrLength": 28}, STATUS_INVALID_PARAMETER),
        (SOCKADDR_STORAGE(), {}, STATUS_NOT_SUPPORTED),
        (simple.address(WEB, 80), {"Flags": 0x20}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB, 80), {"Flags": NI_NUMERICHOST | NI_NAMEREQD}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB, 80), {"OwningThread": object()}, STATUS_INVALID_PARAMETER),
        (simple.address(WEB, 80), {"Client": None}, STATUS_INVALID_HANDLE),
    ],
)
def test_parameters_that_cannot_be_are_refused_inline(sockaddr: Any, others: dict[str, Any], status: int) -> None:
    with names_lab() as lab:
        node = room(100)
        request = lab.name_info(sockaddr, node, **others)
        assert (request.returned, request.status, request.information) == (status, status, 0)
        assert (request.was_pending, node.Length) == ([False], 0)


def test_there_is_no_request_without_an_irp() -> None:
    with names_lab() as lab:
        sockaddr = simple.address(WEB, 80)
        function = lab.Dispatch.WskGetNameInfo
        assert function(lab.Client, sockaddr, 16, room(99), None, 0, None, None, None) == STATUS_INVALID_PARAMETER


def test_the_length_may_be_that_of_the_largest_address() -> None:
    with names_lab() as lab:
        storage = SOCKADDR_STORAGE()
        storage._raw[:16] = bytes(simple.address(WEB, 80))
        request = lab.name_info(storage, node := room(100), Flags=NI_NUMERICHOST, OwningProcess=EPROCESS())
        assert (request.status, str(node)) == (STATUS_SUCCESS, WEB)


@pytest.mark.parametrize("size", [20, 21, 22, 100])
def test_there_has_to_be_room_for_the_terminator(size: int) -> None:
    """192.0.2.80 has ten characters."""
    with names_lab() as lab:
        node, service = room(size), room(10)
        request = lab.name_info(simple.address(WEB, 80), node, service, NI_NUMERICHOST)
        assert request.returned == STATUS_PENDING
        if size < 22:
            assert request.status == STATUS_BUFFER_TOO_SMALL
            assert (node.Length, service.Length) == (0, 0)
        else:
            assert (request.status, node.Length, node.MaximumLength) == (STATUS_SUCCESS, 20, size)
            assert bytes(node.Buffer[:22]) == WEB.encode("utf-16-le") + b"\0\0"


def test_neither_name_is_changed_when_one_does_not_fit() -> None:
    with names_lab() as lab:
        node = room(100)
        request = lab.name_info(simple.address(WEB, 80), node, room(9), NI_NUMERICHOST)
        assert (request.status, node.Length) == (STATUS_BUFFER_TOO_SMALL, 0)
        assert lab.name_info(simple.address(WEB, 80), UNICODE_STRING(), room(10)).completions == []


def test_a_cancelled_request_asks_no_more() -> None:
    with names_lab() as lab:
        request: Request = lab.name_info(simple.address(WEB, 80), node := room(100))
        assert (request.returned, request.is_done) == (STATUS_PENDING, False)
        assert IoCancelIrp(request.Irp)
        assert request.completions == [(STATUS_CANCELLED, 0)]
        lab.network.run_for(20)
        assert (len(lab.queries()), node.Length, len(request.completions)) == (1, 0, 1)
