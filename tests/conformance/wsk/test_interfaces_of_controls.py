"""Control requests on a host with more than one link: whose address is listed, and by which link one is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support import wsk_lab
from tests.support.wsk_lab import Lab, Request, ok
from tests.support.wsk_tcp import control, query
from wsknet.behaviour import WINDOWS
from wsknet.host import HostInterface
from wsknet.net import changes
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SOCKADDR_IN6,
    SOCKET_ADDRESS_LIST,
    STATUS_SUCCESS,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    WskIoctl,
    simple,
)

OTHER, OTHER6 = "198.51.100.1", "2001:db8:2::1"


def second(lab: Lab) -> HostInterface:
    """Another link between the two hosts."""
    near = lab.near.interface("eth1", f"{OTHER}/24", f"{OTHER6}/64")
    lab.network.link(near, lab.far.interface("eth1", "198.51.100.2/24", "2001:db8:2::2/64"))
    return near


def datagram(lab: Lab, family: int = AF_INET6) -> WSK_SOCKET:
    return lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET, AddressFamily=family)


def await_way(Socket: Any, destination: Any) -> Request:
    return control(Socket, WskIoctl, SIO_ROUTING_INTERFACE_CHANGE, 0, 28, destination, 0, None, None)


def reached_from(Socket: Any, destination: Any) -> SOCKADDR_IN6:
    output = SOCKADDR_IN6()
    arguments = (WskIoctl, SIO_ROUTING_INTERFACE_QUERY, 0, 28, destination, 28, output, None)
    assert control(Socket, *arguments).completions == [(STATUS_SUCCESS, 28)]
    return output


@pytest.mark.rule("BIND-4.11")
def test_a_link_local_destination_is_reached_by_its_own_link(lab: Lab) -> None:
    index = second(lab).index
    lab.run(2)
    Socket = datagram(lab)

    found = [reached_from(Socket, simple.address("fe80::99", 0, each)) for each in (lab.near_interface.index, index)]
    assert [each.sin6_scope_id for each in found] == [lab.near_interface.index, index]
    assert bytes(found[0].sin6_addr) != bytes(found[1].sin6_addr)


@pytest.mark.rule("BIND-4.12")
def test_a_link_local_destination_is_watched_on_its_own_link(lab: Lab) -> None:
    index = second(lab).index
    lab.run(2)
    Socket = datagram(lab)
    first, other = (
        await_way(Socket, simple.address("fe80::99", 0, each)) for each in (lab.near_interface.index, index)
    )
    assert not first.is_done
    assert not other.is_done
    lab.near.apply(changes.LinkDown(index))

    assert (first.is_done, other.completions) == (False, [(STATUS_SUCCESS, 0)])


@pytest.mark.rule("BIND-4.13")
@pytest.mark.parametrize(("family", "expected"), [(AF_INET, OTHER), (AF_INET6, OTHER6)])
def test_addresses_of_an_interface_that_is_up_are_listed_behind_one_that_is_down(family: int, expected: str) -> None:
    with wsk_lab.lab(replace(WINDOWS, binds_down_addresses=False)) as lab:
        second(lab)
        lab.run(2)
        lab.near_interface.set_up(False)
        memory = bytearray(1000)
        ok((query(datagram(lab, family), SIO_ADDRESS_LIST_QUERY, 1000, memory).status, None))

        found = [each.lpSockaddr for each in SOCKET_ADDRESS_LIST.cast(memory).Address]
        assert expected in [simple.host_and_port(each)[0] for each in found if each is not None]
