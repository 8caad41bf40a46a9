"""WskGetAddressInfo and WskFreeAddressInfo (WSK-6.1, 6.2) over a DNS server in the lab, from request to freed list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.dns_lab import SERVER
from tests.support.names_lab import WEB, WEB6, entries, names_lab, web_lab
from tests.support.wsk_lab import Request
from wsknet.apps.ping import ping
from wsknet.behaviour import WINDOWS
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    AF_INET6,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    SOCK_DGRAM,
    SOCK_STREAM,
    STATUS_CANCELLED,
    STATUS_HOST_UNREACHABLE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NO_MATCH,
    STATUS_NOT_FOUND,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    UNICODE_STRING,
    BugCheck,
    IoCancelIrp,
    WskDeregister,
    WskReleaseProviderNPI,
    require_nothing_left,
    simple,
    verify,
)

NUMERIC = ADDRINFOEXW(AI_NUMERICHOST)


# Requests


@pytest.mark.rule("R-336")
def test_a_null_irp_is_refused_and_nothing_happens() -> None:
    with names_lab() as lab:
        Result: list[Any] = ["not touched"]
        function = lab.Dispatch.WskGetAddressInfo
        node = UNICODE_STRING("127.0.0.1")
        assert function(lab.Client, node, None, 0, None, None, Result, None, None, None) == STATUS_INVALID_PARAMETER
        assert Result == ["not touched"]
        assert not lab.Client.address_lists


@pytest.mark.rule("R-337", "R-340")
@pytest.mark.parametrize("node", ["127.0.0.1", "203.0.113.9", "::1", "2001:db8::9", "fe80::9%2", "::ffff:192.0.2.9"])
@pytest.mark.parametrize("flags", [0, AI_NUMERICHOST])
def test_a_literal_is_that_address(node: str, flags: int) -> None:
    with names_lab() as lab:
        request = lab.address_info(node, None, ADDRINFOEXW(flags))
        assert (request.returned, request.was_pending) == (STATUS_PENDING, [True])
        assert (request.status, request.information) == (STATUS_SUCCESS, 0)
        assert entries(lab.result[0]) == [(node, 0, 0, 0)]
        lab.free(lab.result[0])
        assert lab.wire.frames == []


@pytest.mark.rule("R-338")
def test_the_port_is_in_every_entry() -> None:
    with names_lab() as lab:
        web_lab(lab)
        assert lab.found("127.0.0.1", "12345") == [("127.0.0.1", 12345, 0, 0)]
        assert lab.found("web.lab", "12345") == [(WEB6, 12345, 0, 0), (WEB, 12345, 0, 0)]


@pytest.mark.rule("R-337", "R-338", "R-340")
def test_a_name_is_asked_of_the_server_and_completes_later() -> None:
    with names_lab() as lab:
        request = web_lab(lab).address_info("web.lab", "80")
        assert (request.returned, request.is_done, lab.result) == (STATUS_PENDING, False, [None])
        lab.network.run_for(1)
        assert (request.status, request.information, request.was_pending) == (STATUS_SUCCESS, 0, [True])
        assert entries(lab.result[0]) == [(WEB6, 80, 0, 0), (WEB, 80, 0, 0)]
        lab.free(lab.result[0])


@pytest.mark.rule("R-339", "D-21")
@pytest.mark.parametrize(("is_old", "status"), [(False, STATUS_NOT_FOUND), (True, STATUS_NO_MATCH)])
@pytest.mark.parametrize(
    ("node", "service", "hints"),
    [
        ("none.lab", None, None),
        ("text.lab", None, None),
        ("", "nosuchservice", None),
        ("web.lab", "nosuchservice", None),
        ("web.lab", "65536", None),
        ("web.lab", "http", ADDRINFOEXW(ai_socktype=SOCK_DGRAM)),
        ("web.lab", "http", ADDRINFOEXW(AI_NUMERICSERV)),
        ("web.lab", None, NUMERIC),
        ("192.0.2.1", None, ADDRINFOEXW(ai_family=AF_INET6)),
        ("a..b", None, None),
    ],
)
def test_what_is_not_there_is_pending_first(
    is_old: bool, status: int, node: str, service: str | None, hints: ADDRINFOEXW | None
) -> None:
    with names_lab(replace(WINDOWS, unknown_name_is_no_match=is_old)) as lab:
        web_lab(lab).zone.add_record("text.lab", "TXT", "text")
        request = lab.address_info(node, service, hints)
        assert request.returned == STATUS_PENDING
        lab.network.run_for(1)
        assert (request.status, request.information, lab.result) == (status, 0, [None])


@pytest.mark.rule("R-339")
def test_servers_that_do_not_answer_are_no_proof_that_the_name_is_not_there() -> None:
    with names_lab() as lab:
        lab.zone.ignore("quiet.lab")
        lab.zone.fail("bad.lab", 2)
        assert lab.found("bad.lab") == STATUS_UNSUCCESSFUL
        assert lab.found("quiet.lab") == STATUS_IO_TIMEOUT
        assert 10 <= lab.seconds < 10.1
        lab.names.use_servers("203.0.113.53")
        assert lab.found("web.lab") == STATUS_HOST_UNREACHABLE
        lab.names.use_servers()
        assert lab.found("web.lab") == STATUS_NOT_FOUND  # nobody to ask


def test_loss_is_made_up_for() -> None:
    with names_lab() as lab:
        web_lab(lab)
        ping(lab.host, SERVER, count=1)
        request = lab.address_info("web.lab")
        lab.lose(1)
        retried = lab.address_info("web.lab", None, ADDRINFOEXW(ai_family=AF_INET))
        lab.lose(0)
        lab.network.run_for(0.5)
        assert (request.status, retried.is_done) == (STATUS_SUCCESS, False)
        lab.free(next(iter(lab.Client.address_lists)))
        lab.network.run_for(1)
        assert (retried.status, lab.seconds < 3) == (STATUS_SUCCESS, True)
        lab.free(lab.result[0])


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_more_addresses_than_a_datagram_holds_come_by_tcp(family: int) -> None:
    with names_lab() as lab:
        prefix = "192.0.2." if family == AF_INET else "2001:db8:1::"
        lab.zone.add("many.lab", *(f"{prefix}{number}" for number in range(1, 200)), has_reverse=False)
        found = lab.found("many.lab", "80", ADDRINFOEXW(0, family, SOCK_STREAM))
        assert isinstance(found, list)
        assert {entry[1:] for entry in found} == {(80, SOCK_STREAM, 0)}
        assert (len(found), lab.service.accepted) == (199, 1)


# The end of a request


def test_a_cancelled_request_asks_no_more() -> None:
    with names_lab() as lab:
        lab.zone.delay("web.lab", 0.5)
        web_lab(lab)
        request = lab.address_info("web.lab")
        lab.network.run_for(0.1)
        assert IoCancelIrp(request.Irp)
        assert (request.status, request.information, lab.result) == (STATUS_CANCELLED, 0, [None])
        assert not IoCancelIrp(request.Irp)
        sent = len(lab.queries())
        lab.network.run_for(20)
        assert len(lab.queries()) == sent == 2
        assert lab.host.stack.view().udp_ports == ()
        assert request.completions == [(STATUS_CANCELLED, 0)]
        assert not lab.Client.address_lists


def test_a_request_that_was_cancelled_before_it_began_asks_nobody() -> None:
    with names_lab() as lab:
        request = lab.address_info("127.0.0.1")
        assert request.status == STATUS_SUCCESS
        lab.free(lab.result[0])
        early = Request()
        early.Irp.Cancel = True
        Result: list[Any] = [None]
        function = lab.Dispatch.WskGetAddressInfo
        early.start(function, lab.Client, UNICODE_STRING("web.lab"), None, 0, None, None, Result, None, None)
        assert (early.returned, early.status) == (STATUS_PENDING, STATUS_CANCELLED)
        assert lab.wire.frames == []


@pytest.mark.rule("R-342")
def test_a_list_is_freed_as_a_whole_and_once() -> None:
    with names_lab() as lab:
        web_lab(lab).address_info("web.lab")
        lab.network.run_for(1)
        head = lab.result[0]
        other = simple.Application()
        with pytest.raises(BugCheck, match=r"a list of WskGetAddressInfo from .*wsk_lab.py"):
            require_nothing_left(lab.host)
        for wrong in (head.ai_next, ADDRINFOEXW()):
            with pytest.raises(BugCheck, match=r"BAD_POOL_CALLER.*R-342"):
                lab.free(wrong)
        with pytest.raises(BugCheck, match="R-342"):
            other.provider.Dispatch.WskFreeAddressInfo(other.provider.Client, head)
        lab.free(None)
        lab.free(head)
        assert not lab.Client.address_lists
        with pytest.raises(BugCheck, match="R-342"):
            lab.free(head)
        verify(lab.host, False)
        lab.free(head)


def test_deregistration_waits_for_a_request_that_is_pending() -> None:
    with names_lab() as lab:
        lab.zone.delay("web.lab", 3.5)
        web_lab(lab)
        request = lab.address_info("web.lab")
        WskReleaseProviderNPI(lab.application.registration)
        WskDeregister(lab.application.registration)
        assert (request.status, lab.seconds >= 3.5) == (STATUS_SUCCESS, True)


def test_a_completion_routine_may_not_ask_but_a_blocking_thread_may() -> None:
    with names_lab() as lab:
        web_lab(lab)
        Result: list[Any] = [None]
        arguments = (UNICODE_STRING("web.lab"), None, 0, None, None, Result, None, None)
        assert simple.call(lab.Dispatch.WskGetAddressInfo, lab.Client, *arguments) == (STATUS_SUCCESS, 0)
        lab.free(Result[0])
