"""The structures of the public headers: as they are made, what they hold, and how they lie in memory."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.wsk import (
    CMSGHDR,
    ETHREAD,
    GUID,
    ICMP_ERROR_INFO,
    IN6_PKTINFO,
    IN6_PKTINFO_EX,
    IN_PKTINFO,
    IN_PKTINFO_EX,
    IN_RECVERR,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKET_ADDRESS,
    SOCKET_ADDRESS_LIST,
    WSABUF,
    WSAMSG,
    WSK_BUF_LIST,
    WSK_DATA_INDICATION,
    WSK_DATAGRAM_INDICATION,
    WSK_EVENT_CALLBACK_CONTROL,
    WSK_EXTENSION_CONTROL_IN,
    WSK_EXTENSION_CONTROL_OUT,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_TDI_MAP,
    WSK_TRANSPORT,
    group_req,
    group_source_req,
    ipv6_mreq,
    simple,
    sizeof,
)

FIELDS: list[tuple[type[Any], tuple[str, ...]]] = [
    (ETHREAD, ("ImpersonationAccount",)),
    (GUID, ("Data1", "Data2", "Data3", "Data4")),
    (IN_RECVERR, ("protocol", "info", "type", "code")),
    (SOCKET_ADDRESS, ("lpSockaddr", "iSockaddrLength")),
    (WSABUF, ("len", "buf")),
    (WSAMSG, ("name", "namelen", "lpBuffers", "dwBufferCount", "Control", "dwFlags")),
    (WSK_BUF_LIST, ("Next", "Buffer")),
    (WSK_DATAGRAM_INDICATION, ("Next", "Buffer", "ControlInfo", "ControlInfoLength", "RemoteAddress")),
    (WSK_DATA_INDICATION, ("Next", "Buffer")),
    (WSK_EVENT_CALLBACK_CONTROL, ("NpiId", "EventMask")),
    (WSK_EXTENSION_CONTROL_IN, ("NpiId", "ClientContext", "ClientDispatch")),
    (WSK_EXTENSION_CONTROL_OUT, ("ProviderContext", "ProviderDispatch")),
    (WSK_PROVIDER_CHARACTERISTICS, ("HighestVersion", "LowestVersion")),
    (WSK_TDI_MAP, ("SocketType", "AddressFamily", "Protocol", "TdiDeviceName")),
    (WSK_TRANSPORT, ("Version", "SocketType", "Protocol", "AddressFamily", "ProviderId")),
]
"""In the order of C."""


@pytest.mark.parametrize(("kind", "names"), FIELDS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_structure_holds_what_it_is_given_in_the_order_of_c(kind: type[Any], names: tuple[str, ...]) -> None:
    values = [f"the value of {name}" for name in names]
    made = kind(*values)

    assert [getattr(made, name) for name in names] == values


@pytest.mark.parametrize(("kind", "names"), FIELDS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_structure_is_made_with_zeros_and_null(kind: type[Any], names: tuple[str, ...]) -> None:
    made = kind()
    for name in names:
        value = getattr(made, name)
        if name == "Buffer":
            assert (value.Mdl, value.Offset, value.Length) == (None, 0, 0)
        elif name == "Control":
            assert (value.len, value.buf) == (0, None)
        else:
            assert value in (None, 0, bytes(8)), name


@pytest.mark.parametrize(
    "kind",
    [
        CMSGHDR, ICMP_ERROR_INFO, IN6_PKTINFO, IN6_PKTINFO_EX, IN_PKTINFO, IN_PKTINFO_EX, IN_RECVERR, WSK_TRANSPORT,
        group_req, group_source_req, ipv6_mreq,
    ],
)  # fmt: skip
def test_what_has_been_given_nothing_lies_in_memory_as_zeros(kind: type[Any]) -> None:
    assert bytes(kind()) == bytes(sizeof(kind))


def test_a_header_is_made_with_memory_of_its_own() -> None:
    header = CMSGHDR(24, 41, 50)
    assert (header.cmsg_len, header.cmsg_level, header.cmsg_type) == (24, 41, 50)
    empty = CMSGHDR()
    assert (empty.cmsg_len, empty.cmsg_level, empty.cmsg_type) == (0, 0, 0)


def test_an_address_fills_its_storage_with_zeros() -> None:
    address = simple.address("239.1.2.3", 0)
    assert bytes(group_req(7, address)) == b"\7" + bytes(7) + bytes(address) + bytes(112)
    info = ICMP_ERROR_INFO(bytearray(bytes(address)))
    assert info.srcaddress == bytes(address) + bytes(12)
    assert bytes(info) == bytes(address) + bytes(20)


def test_a_transport_is_read_as_it_is_written() -> None:
    memory = bytes(WSK_TRANSPORT(1, 2, 3, 4, GUID(5, 6, 7, b"8 bytes.")))
    assert memory == bytes.fromhex("0100 0200 03000000 0400 0000 05000000 0600 0700") + b"8 bytes."
    found = WSK_TRANSPORT.cast(memory + b"what stands behind it")
    assert (found.Version, found.SocketType, found.Protocol, found.AddressFamily) == (1, 2, 3, 4)
    assert found.ProviderId == GUID(5, 6, 7, b"8 bytes.")


def test_a_list_of_addresses_has_the_structure_of_each_family() -> None:
    addresses = [simple.address("192.0.2.1", 5), simple.address("2001:db8::1", 6)]
    found = SOCKET_ADDRESS_LIST.cast(SOCKET_ADDRESS_LIST.of([bytes(each) for each in addresses]))

    assert found.iAddressCount == len(found.Address) == 2
    assert [type(each.lpSockaddr) for each in found.Address] == [SOCKADDR_IN, SOCKADDR_IN6]
    assert [bytes(each.lpSockaddr or b"") for each in found.Address] == [bytes(each) for each in addresses]
    assert [each.iSockaddrLength for each in found.Address] == [16, 28]
    assert SOCKET_ADDRESS_LIST().Address == []


def test_what_lies_between_the_fields_of_an_address_list_does_not_count() -> None:
    memory = bytearray(SOCKET_ADDRESS_LIST.of([bytes(simple.address("192.0.2.1", 5))]))
    memory[4:8] = memory[20:24] = b"\1\2\3\4"

    assert [each.iSockaddrLength for each in SOCKET_ADDRESS_LIST.cast(memory).Address] == [16]
