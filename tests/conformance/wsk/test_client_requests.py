"""Requests of WskControlClient and WskGetAddressInfo at their corners: descriptors, transports and address lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.dns_lab import CLIENT6
from tests.support.names_lab import names_lab
from tests.support.wsk_lab import FAR, PORT, Lab, Request, start
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    AF_INET6,
    AI_ADDRCONFIG,
    IPPROTO_TCP,
    SECURITY_DESCRIPTOR,
    SOCK_STREAM,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    STATUS_CANCELLED,
    STATUS_FILE_FORCED_CLOSED,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_EVENT_RECEIVE_FROM,
    BugCheck,
    IoCancelIrp,
    add_transport,
    remove_transport,
    simple,
)

# Cached descriptors


def connecting(lab: Lab, descriptor: Any) -> Request:
    provider = lab.near_application.provider
    local, remote = simple.address("0.0.0.0", 0), simple.address(FAR, PORT)
    arguments = (SOCK_STREAM, IPPROTO_TCP, local, remote, 0, None, None, None, None, descriptor)
    return start(provider.Dispatch.WskSocketConnect, provider.Client, *arguments)


@pytest.mark.rule("R-091")
def test_each_connect_keeps_the_descriptor_that_it_was_given(lab: Lab) -> None:
    lab.cut()
    cached = lab.near_application.cache(SECURITY_DESCRIPTOR("friend"))
    requests = [connecting(lab, cached) for _ in range(3)]
    for request in requests[::-1]:
        with pytest.raises(BugCheck, match="R-091"):
            lab.near_application.release(cached)
        IoCancelIrp(request.Irp)
        lab.run(0.1)
        assert request.status == STATUS_CANCELLED
    lab.near_application.release(cached)


# Transports


@pytest.mark.rule("D-23")
def test_a_socket_loses_its_transport_once(lab: Lab) -> None:
    told: list[Any] = []
    dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(lambda Context, Flags, data: told.append(data))
    Socket = lab.datagram(lab.near, Dispatch=dispatch)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)
    for family in (AF_INET, AF_INET6):
        remove_transport(lab.near, family)
        lab.run(0.1)

    assert told == [None]
    assert simple.local_address(Socket)[0] == STATUS_FILE_FORCED_CLOSED
    add_transport(lab.near)


# Lists of addresses


def test_each_address_of_a_list_has_the_structure_of_its_family() -> None:
    with names_lab() as lab:
        for node, kind in (("192.0.2.9", SOCKADDR_IN), ("2001:db8::9", SOCKADDR_IN6)):
            request = lab.address_info(node)
            assert request.is_done
            assert isinstance(lab.result[0].ai_addr, kind)
            lab.free(lab.result[0])


def test_a_service_may_be_the_last_port() -> None:
    with names_lab() as lab:
        assert lab.found("192.0.2.9", "65535") == [("192.0.2.9", 65535, 0, 0)]


def test_an_address_with_a_zone_is_an_address_whatever_is_configured() -> None:
    with names_lab() as lab:
        configured = ADDRINFOEXW(AI_ADDRCONFIG)
        assert lab.found("fe80::9%2", None, configured) == [("fe80::9%2", 0, 0, 0)]


def test_addresses_are_found_of_families_that_are_not_configured() -> None:
    with names_lab() as lab:
        lab.zone.add("web.lab", "192.0.2.80", "2001:db8::80")
        lab.host.interfaces["eth0"].remove_address(CLIENT6)
        found = lab.found("web.lab", None, ADDRINFOEXW())
        assert isinstance(found, list)
        assert sorted(entry[0] for entry in found) == ["192.0.2.80", "2001:db8::80"]
