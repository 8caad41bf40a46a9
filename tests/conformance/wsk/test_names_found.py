"""What WskGetAddressInfo finds, and in which order: hints, services, namespaces, canonical names (WSK-6.1)."""

from __future__ import annotations

import pytest

from tests.support.dns_lab import CLIENT, CLIENT6, SERVER
from tests.support.names_lab import WEB, WEB6, names_lab, web_lab
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
    AI_PASSIVE,
    AI_RETURN_PREFERRED_NAMES,
    AI_SECURE,
    AI_V4MAPPED,
    GUID,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NS_DNS,
    NS_NETBT,
    NS_TCPIP_HOSTS,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
)

TCPIP = GUID(0x22059D40, 0x7E9E, 0x11CF, bytes.fromhex("AE5A00AA00A7112B"))


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
