"""WskGetAddressInfo and WskFreeAddressInfo (WSK-6.1, 6.2), over a DNS server in the lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.dns_lab import CLIENT, CLIENT6, SERVER
from tests.support.names_lab import NamesLab, entries, names_lab
from tests.support.wsk_lab import Request
from wsknet.apps.ping import ping
from wsknet.behaviour import WINDOWS
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    AF_INET6,
    AI_ADDRCONFIG,
    AI_ALL,
    AI_CANONNAME,
    AI_DISABLE_IDN_ENCODING,
    AI_FILESERVER,
    AI_FQDN,
    AI_NON_AUTHORITATIVE,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    AI_RETURN_PREFERRED_NAMES,
    AI_SECURE,
    AI_V4MAPPED,
    APC_LEVEL,
    EPROCESS,
    GUID,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NS_DNS,
    NS_NETBT,
    NS_TCPIP_HOSTS,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    STATUS_CANCELLED,
    STATUS_HOST_UNREACHABLE,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NO_MATCH,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    UNICODE_STRING,
    BugCheck,
    IoCancelIrp,
    KeLowerIrql,
    KeRaiseIrql,
    WskDeregister,
    WskReleaseProviderNPI,
    require_nothing_left,
    simple,
    verify,
)

WEB, WEB6 = "192.0.2.80", "2001:db8::80"
TCPIP = GUID(0x22059D40, 0x7E9E, 0x11CF, bytes.fromhex("AE5A00AA00A7112B"))
NUMERIC = ADDRINFOEXW(AI_NUMERICHOST)


def web_lab(lab: NamesLab) -> NamesLab:
    lab.zone.add("web.lab", WEB, WEB6)
    return lab


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


# Parameters


@pytest.mark.rule("R-341")
def test_a_thread_needs_its_process() -> None:
    with names_lab() as lab:
        refused = lab.address_info("127.0.0.1", OwningThread=object())
        assert (refused.returned, refused.status) == (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER)
        for owner in ({"OwningProcess": EPROCESS()}, {"OwningProcess": EPROCESS(), "OwningThread": object()}):
            assert lab.found("127.0.0.1", **owner) == [("127.0.0.1", 0, 0, 0)]


def unterminated() -> UNICODE_STRING:
    made = UNICODE_STRING("127.0.0.1")
    made.MaximumLength = made.Length
    return made


def with_field(name: str, value: object) -> ADDRINFOEXW:
    made = ADDRINFOEXW()
    setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("node", "service", "hints", "status"),
    [
        (None, None, None, STATUS_INVALID_PARAMETER),
        ("", "", None, STATUS_INVALID_PARAMETER),
        (UNICODE_STRING(), None, None, STATUS_INVALID_PARAMETER),
        (unterminated(), None, None, STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_addrlen", 16), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_canonname", "x"), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_addr", simple.address("127.0.0.1", 0)), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, with_field("ai_next", ADDRINFOEXW()), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(0x200), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(AI_CANONNAME | AI_FQDN), STATUS_INVALID_PARAMETER),
        (None, "80", ADDRINFOEXW(AI_CANONNAME), STATUS_INVALID_PARAMETER),
        ("127.0.0.1", None, ADDRINFOEXW(ai_family=1), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(ai_socktype=5), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(ai_protocol=1), STATUS_NOT_SUPPORTED),
        ("127.0.0.1", None, ADDRINFOEXW(0, 0, SOCK_STREAM, IPPROTO_UDP), STATUS_NOT_SUPPORTED),
    ],
)
def test_parameters_that_cannot_be_are_refused_inline(
    node: Any, service: str | None, hints: ADDRINFOEXW | None, status: int
) -> None:
    with names_lab() as lab:
        request = lab.address_info(node, service, hints)
        assert (request.returned, request.status, request.information) == (status, status, 0)
        assert request.was_pending == [False]
        assert lab.result == ["not touched"]


def test_there_has_to_be_a_client_and_a_place_for_the_result() -> None:
    with names_lab() as lab:
        assert lab.address_info("127.0.0.1", Result=None).status == STATUS_INVALID_PARAMETER
        assert lab.address_info("127.0.0.1", Client=None).status == STATUS_INVALID_HANDLE


def test_only_the_length_of_a_counted_string_counts() -> None:
    with names_lab() as lab:
        node = UNICODE_STRING("127.0.0.1 and more")
        node.Length = 18
        assert lab.found(node) == [("127.0.0.1", 0, 0, 0)]


@pytest.mark.parametrize("function", ["WskGetAddressInfo", "WskGetNameInfo", "WskFreeAddressInfo"])
@pytest.mark.parametrize("is_verified", [True, False])
def test_name_functions_are_for_passive_level(function: str, is_verified: bool) -> None:
    with names_lab() as lab:
        assert lab.address_info("127.0.0.1").status == STATUS_SUCCESS
        (head,) = lab.Client.address_lists
        verify(lab.host, is_verified)
        before: list[int] = []
        KeRaiseIrql(APC_LEVEL, before)
        calls: dict[str, Callable[[], object]] = {
            "WskGetAddressInfo": lambda: lab.address_info("127.0.0.1"),
            "WskGetNameInfo": lambda: lab.name_info(simple.address("127.0.0.1", 0), UNICODE_STRING("x")),
            "WskFreeAddressInfo": lambda: lab.free(head),
        }
        try:
            if is_verified:
                with pytest.raises(BugCheck, match=f"IRQL_NOT_LESS_OR_EQUAL.*{function} is for PASSIVE_LEVEL"):
                    calls[function]()
            else:
                calls[function]()
        finally:
            KeLowerIrql(before[0])
        assert list(lab.Client.address_lists) == [head]


# What is found


@pytest.mark.parametrize(
    ("hints", "listed"),
    [
        (None, [(WEB6, 0, 0, 0), (WEB, 0, 0, 0)]),
        (ADDRINFOEXW(0, AF_INET), [(WEB, 0, 0, 0)]),
        (ADDRINFOEXW(0, AF_INET6), [(WEB6, 0, 0, 0)]),
        (ADDRINFOEXW(0, AF_INET, SOCK_STREAM), [(WEB, 0, SOCK_STREAM, 0)]),
        (ADDRINFOEXW(0, AF_INET, 0, IPPROTO_UDP), [(WEB, 0, 0, IPPROTO_UDP)]),
        (ADDRINFOEXW(0, AF_INET, SOCK_DGRAM, IPPROTO_UDP), [(WEB, 0, SOCK_DGRAM, IPPROTO_UDP)]),
        (ADDRINFOEXW(0, AF_INET, SOCK_RAW, 1), [(WEB, 0, SOCK_RAW, 1)]),
        (ADDRINFOEXW(AI_V4MAPPED, AF_INET6), [(WEB6, 0, 0, 0)]),
        (ADDRINFOEXW(AI_V4MAPPED | AI_ALL, AF_INET6), [(WEB6, 0, 0, 0), ("::ffff:192.0.2.80", 0, 0, 0)]),
        (ADDRINFOEXW(AI_ALL, AF_INET6), [(WEB6, 0, 0, 0)]),
        (ADDRINFOEXW(AI_V4MAPPED, AF_INET), [(WEB, 0, 0, 0)]),
        (ADDRINFOEXW(AI_PASSIVE, AF_INET), [(WEB, 0, 0, 0)]),
        (ADDRINFOEXW(AI_NON_AUTHORITATIVE | AI_SECURE | AI_RETURN_PREFERRED_NAMES | AI_FILESERVER, AF_INET),
         [(WEB, 0, 0, 0)]),
    ],
)  # fmt: skip
def test_hints_choose(hints: ADDRINFOEXW | None, listed: list[tuple[str, int, int, int]]) -> None:
    with names_lab() as lab:
        assert web_lab(lab).found("web.lab", None, hints) == listed


def test_mapped_addresses_are_for_want_of_others() -> None:
    with names_lab() as lab:
        lab.zone.add("old.lab", WEB)
        mapped = ADDRINFOEXW(AI_V4MAPPED, AF_INET6)
        assert lab.found("old.lab", "80", mapped) == [("::ffff:192.0.2.80", 80, 0, 0)]
        assert lab.found("192.0.2.80", None, mapped) == [("::ffff:192.0.2.80", 0, 0, 0)]
        assert lab.found("old.lab", None, ADDRINFOEXW(0, AF_INET6)) == STATUS_NOT_FOUND


def test_a_service_is_found_by_name_once_for_each_protocol() -> None:
    with names_lab() as lab:
        tcp, udp = (SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP)
        node = "192.0.2.9"
        assert lab.found(node, "Domain") == [(node, 53, *tcp), (node, 53, *udp)]
        assert lab.found(node, "www") == [(node, 80, *tcp)]
        assert lab.found(node, "ntp") == [(node, 123, *udp)]
        assert lab.found(node, "domain", ADDRINFOEXW(ai_socktype=SOCK_DGRAM)) == [(node, 53, *udp)]
        assert lab.found(node, "domain", ADDRINFOEXW(ai_protocol=IPPROTO_TCP)) == [(node, 53, *tcp)]


@pytest.mark.parametrize(
    ("hints", "addresses"),
    [
        (None, ["::1", "127.0.0.1"]),
        (ADDRINFOEXW(AI_PASSIVE), ["::", "0.0.0.0"]),
        (ADDRINFOEXW(AI_PASSIVE, AF_INET), ["0.0.0.0"]),
        (ADDRINFOEXW(0, AF_INET6), ["::1"]),
    ],
)
@pytest.mark.parametrize("node", [None, ""])
def test_without_a_node_it_is_this_host_or_the_wildcard(
    node: str | None, hints: ADDRINFOEXW | None, addresses: list[str]
) -> None:
    with names_lab() as lab:
        assert lab.found(node, "7", hints) == [(address, 7, 0, 0) for address in addresses]


def test_address_configuration_limits_what_is_asked_for() -> None:
    with names_lab() as lab:
        web_lab(lab)
        configured = ADDRINFOEXW(AI_ADDRCONFIG)
        lab.host.interfaces["eth0"].remove_address(CLIENT6)
        assert lab.found("web.lab", None, configured) == [(WEB, 0, 0, 0)]
        assert len(lab.queries()) == 1
        assert lab.found("::1", None, configured) == [("::1", 0, 0, 0)]
        lab.host.interfaces["eth0"].remove_address(CLIENT)
        assert lab.found("web.lab", None, configured) == STATUS_NOT_FOUND


@pytest.mark.parametrize(
    ("node", "flags", "name"),
    [
        ("web", 0, None),
        ("web", AI_CANONNAME, "web.lab"),
        ("www", AI_CANONNAME, "web.lab"),
        ("www", AI_FQDN, "www.lab"),
        ("www.lab.", AI_FQDN, "www.lab"),
        ("192.0.2.80", AI_CANONNAME, "192.0.2.80"),
        ("in-hosts", AI_CANONNAME, "in-hosts.example"),
        ("client", AI_CANONNAME, "client.lab"),
        ("client", AI_FQDN, "client.lab"),
        ("localhost", AI_CANONNAME, "localhost"),
    ],
)
def test_the_first_entry_has_the_name_behind_it(node: str, flags: int, name: str | None) -> None:
    with names_lab() as lab:
        web_lab(lab).zone.alias("www.lab", "web.lab")
        lab.names.own.domain = "lab"
        lab.names.hosts.add("in-hosts.example", WEB, WEB6, aliases=("in-hosts",))
        request = lab.address_info(node, None, ADDRINFOEXW(flags))
        lab.network.run_for(1)
        assert request.status == STATUS_SUCCESS
        head = lab.result[0]
        assert head.ai_canonname == name
        assert (head.ai_flags, head.ai_blob, head.ai_bloblen, head.ai_provider) == (0, None, 0, None)
        if head.ai_next is not None:
            assert head.ai_next.ai_canonname is None
        lab.free(head)


def test_letters_are_left_as_they_are_where_the_caller_says_so() -> None:
    with names_lab() as lab:
        lab.zone.add("xn--bcher-kva.lab", WEB)
        lab.zone.add_record(r"b\195\188cher.lab", "A", "192.0.2.81")
        hints = ADDRINFOEXW(AI_DISABLE_IDN_ENCODING, AF_INET)
        assert lab.found("bücher.lab", None, ADDRINFOEXW(0, AF_INET)) == [(WEB, 0, 0, 0)]
        assert lab.found("bücher.lab", None, hints) == [("192.0.2.81", 0, 0, 0)]


@pytest.mark.parametrize(
    ("NameSpace", "Provider", "is_known", "asks"),
    [(NS_DNS, None, True, True), (NS_DNS, TCPIP, True, True), (0, TCPIP, True, True),
     (NS_TCPIP_HOSTS, None, True, False), (NS_NETBT, None, False, False), (0, GUID(1), False, False)],
)  # fmt: skip
def test_a_namespace_is_asked_alone(NameSpace: int, Provider: GUID | None, is_known: bool, asks: bool) -> None:
    with names_lab() as lab:
        web_lab(lab).names.hosts.add("own.lab", WEB)
        where = {"NameSpace": NameSpace, "Provider": Provider}
        assert lab.found("own.lab", **where) == ([(WEB, 0, 0, 0)] if is_known else STATUS_NOT_FOUND)
        assert isinstance(lab.found("web.lab", **where), list) == asks
        assert bool(lab.queries()) == asks


@pytest.mark.rule("RFC6724-6")
def test_the_addresses_are_in_the_order_in_which_to_try_them() -> None:
    with names_lab() as lab:
        lab.zone.add("web.lab", "203.0.113.1", WEB, "2001:db8:9::1")
        found = lab.found("web.lab")
        assert isinstance(found, list)
        assert found[0][0] == WEB
        lab.host.route("0.0.0.0/0", via=SERVER)
        lab.host.route("::/0", via="2001:db8::53")
        found = lab.found("web.lab")
        assert isinstance(found, list)
        assert [entry[0] for entry in found] == ["2001:db8:9::1", WEB, "203.0.113.1"]


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
