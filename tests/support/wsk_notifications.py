"""The list of addresses of a WSK socket, and requests that wait for its changes and for those of routes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_categories import B, C, D, L, S
from tests.support.wsk_lab import PORT, Lab, Request, start
from wsknet.host import link_local_address
from wsknet.text import format_address
from wsknet.types import IfIndex
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    NTSTATUS,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_CHANGE,
    SOCKET_ADDRESS_LIST,
    STATUS_SUCCESS,
    WSK_SOCKET,
    WskIoctl,
    simple,
)

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


def add_one(lab: Lab, family: int) -> None:
    lab.near_interface.add_address("192.0.2.9/24" if family == AF_INET else "2001:db8::9/64")
