"""WskGetAddressInfo, WskFreeAddressInfo and WskGetNameInfo in detail: odd strings, odd arguments, scope IDs, races."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.names_lab import NamesLab, names_lab, room
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET6,
    AI_FQDN,
    NI_NOFQDN,
    NI_NUMERICHOST,
    SOCKADDR_IN6,
    SOCKADDR_STORAGE,
    STATUS_CANCELLED,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
    UNICODE_STRING,
    BugCheck,
    IoCancelIrp,
    simple,
)
from wsknet.wsk.rtl import RtlInitEmptyUnicodeString

WEB = "192.0.2.80"
GLOBAL = bytes.fromhex("20010db8000000000000000000000080")
LINK_LOCAL = bytes.fromhex("fe800000000000000000000000000009")


def string(octets: bytes, Length: int, MaximumLength: int) -> UNICODE_STRING:
    made = UNICODE_STRING()
    made.Buffer, made.Length, made.MaximumLength = bytearray(octets), Length, MaximumLength
    return made


# Strings


@pytest.mark.rule("R-338")
def test_an_empty_name_is_none_whatever_room_it_has() -> None:
    with names_lab() as lab:
        for empty in (string(b"", 0, 0), string(b"x", 0, 1), UNICODE_STRING("")):
            assert lab.found(empty, "80") == [("::1", 80, 0, 0), ("127.0.0.1", 80, 0, 0)]
        nowhere = UNICODE_STRING()
        RtlInitEmptyUnicodeString(nowhere, None, 8)
        nowhere.Length = 4
        assert lab.found(nowhere, "80") == [("::1", 80, 0, 0), ("127.0.0.1", 80, 0, 0)]


@pytest.mark.parametrize(("Length", "MaximumLength"), [(8, 10), (3, 6), (4, 4), (4, 5)])
def test_a_name_that_does_not_fit_its_memory_is_refused(Length: int, MaximumLength: int) -> None:
    with names_lab() as lab:
        request = lab.address_info(string("::1\0".encode("utf-16-le")[:6], Length, MaximumLength))
        assert (request.returned, request.status) == (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER)


def test_a_name_ends_with_its_first_nul() -> None:
    with names_lab() as lab:
        assert lab.found("::1\0and more") == [("::1", 0, 0, 0)]
        assert lab.found("::1", "80\0" + "1") == [("::1", 80, 0, 0)]


def test_a_name_that_is_no_utf_16_is_not_found() -> None:
    with names_lab() as lab:
        octets = b"\x00\xd8" + "x".encode("utf-16-le") + b"\0\0"
        assert lab.found(string(octets, 4, 6)) == STATUS_NOT_FOUND


# Arguments


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("AddrInfo", ["text", 7, []])
def test_what_is_freed_has_to_be_a_list(AddrInfo: Any) -> None:
    with names_lab() as lab, pytest.raises(BugCheck) as stop:
        lab.free(AddrInfo)

    assert (stop.value.code, stop.value.rule) == (0x50, "D-19")


@pytest.mark.rule("D-19")
def test_the_address_has_to_be_one() -> None:
    with names_lab() as lab, pytest.raises(BugCheck) as stop:
        lab.name_info(28, room(100), SockAddrLength=28)

    assert (stop.value.code, stop.value.rule) == (0x50, "D-19")


# Names and addresses


def test_the_full_name_of_a_service_without_a_node_is_that_of_the_host() -> None:
    with names_lab() as lab:
        lab.names.own.domain = "lab"
        request = lab.address_info(None, "80", ADDRINFOEXW(AI_FQDN, AF_INET6))
        assert (request.status, lab.result[0].ai_canonname) == (STATUS_SUCCESS, "client.lab")
        lab.free(lab.result[0])


@pytest.mark.rule("R-347")
def test_the_short_name_is_the_first_label_and_only_in_our_domain_itself() -> None:
    with names_lab() as lab:
        lab.zone.add("www.sub.lab", WEB)
        address = simple.address(WEB, 80)
        lab.names.own.domain = "lab"
        assert lab.named(address, NI_NOFQDN) == ("www.sub.lab", "http")
        lab.names.own.domain = "sub.lab"
        assert lab.named(address, NI_NOFQDN) == ("www", "http")


@pytest.mark.rule("R-344")
def test_digits_have_a_scope_only_where_an_address_has_one() -> None:
    with names_lab() as lab:
        everywhere = SOCKADDR_IN6(sin6_addr=GLOBAL, sin6_scope_id=2)
        assert lab.named(everywhere, NI_NUMERICHOST) == ("2001:db8::80", "0")
        storage = SOCKADDR_STORAGE()
        storage._raw[:28] = bytes(SOCKADDR_IN6(sin6_addr=LINK_LOCAL, sin6_scope_id=2))
        storage._raw[28:] = b"\xff" * 100
        assert lab.named(storage, NI_NUMERICHOST) == ("fe80::9%2", "0")


# Cancelling


def begin_address(lab: NamesLab) -> Any:
    return lab.address_info("web.lab")


def begin_name(lab: NamesLab) -> Any:
    return lab.name_info(simple.address(WEB, 80), room(100))


@pytest.mark.parametrize("begin", [begin_address, begin_name])
def test_a_cancel_that_comes_too_late_changes_nothing(begin: Callable[[NamesLab], Any]) -> None:
    """As when another thread has just taken the cancel routine and not called it yet."""
    with names_lab() as lab:
        lab.zone.add("web.lab", WEB)
        request = begin(lab)
        routine = request.Irp.CancelRoutine
        lab.network.run_for(1)
        assert request.status == STATUS_SUCCESS
        routine(None, request.Irp)
        assert request.completions == [(STATUS_SUCCESS, 0)]
        for head in list(lab.Client.address_lists):
            lab.free(head)


def test_a_question_that_is_asked_by_tcp_is_taken_back_with_its_connection() -> None:
    with names_lab() as lab:
        lab.zone.add("many.lab", *(f"192.0.2.{number}" for number in range(1, 200)), has_reverse=False)
        request = lab.address_info("many.lab")
        lab.network.run_until(lambda: lab.service.accepted == 1)
        assert not request.is_done
        assert IoCancelIrp(request.Irp)
        assert request.completions == [(STATUS_CANCELLED, 0)]
        lab.network.run_for(20)
        assert lab.host.stack.view().connections == ()
