"""Scapy fills addresses that are left out from the machine that runs it: its routes, its interfaces, even by an ARP
request of its own.  Here all of that raises, while every message there is gets built and read."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest
import scapy.layers.inet6
import scapy.layers.l2
import scapy.route
import scapy.route6
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.dhcp import DhcpKind, DhcpMessage
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation, NeighbourAdvertisement, NeighbourSolicitation
from wsknet.types import Family

MAC = bytes.fromhex("020000000001")
V4 = (bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
V6 = (bytes.fromhex("fe800000000000000000000000000001"), bytes.fromhex("fe800000000000000000000000000002"))
ENDS = {Family.IPV4: V4, Family.IPV6: V6}


class HostWasAskedError(BaseException):
    """Not an `Exception`, so that no handler on the way swallows it."""


@pytest.fixture
def trapped(monkeypatch: pytest.MonkeyPatch) -> None:
    def trap(*_: object, **__: object) -> NoReturn:
        raise HostWasAskedError

    for module in (scapy.layers.l2, scapy.layers.inet6):
        monkeypatch.setattr(module, "get_if_hwaddr", trap)
    for name in ("get_if_addr", "getmacbyip", "resolve_iface"):
        monkeypatch.setattr(scapy.layers.l2, name, trap)
    monkeypatch.setattr(scapy.layers.inet6, "getmacbyip6", trap)
    monkeypatch.setattr(scapy.route.Route, "route", trap)
    monkeypatch.setattr(scapy.route6.Route6, "route", trap)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "socket"):
        monkeypatch.setattr(socket, name, trap)


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize(
    "packet",
    [
        IP(dst="192.0.2.2") / ICMP(),
        Ether() / IP(src="192.0.2.1", dst="192.0.2.2"),
        IPv6(dst="fe80::2"),
        Ether() / IPv6(src="fe80::1", dst="fe80::2"),
        ARP(pdst="192.0.2.2", hwsrc="02:00:00:00:00:01"),
        ARP(psrc="192.0.2.1", pdst="192.0.2.2"),
    ],
    ids=["source", "mac", "source6", "mac6", "arp-source", "arp-mac"],
)
def test_the_traps_work(packet: Packet) -> None:
    with pytest.raises(HostWasAskedError):
        bytes(packet)


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize("operation", list(ArpOperation))
def test_arp_asks_nobody(operation: ArpOperation) -> None:
    codec = ScapyCodec()
    for message in (
        ArpMessage(operation, MAC, V4[0], MAC, V4[1]),
        ArpMessage(operation, bytes(6), bytes(4), bytes(6), bytes(4)),
        ArpMessage(operation, MAC, b"\xff" * 4, b"\xff" * 6, b"\xff" * 4),
    ):
        assert codec.decode_arp(codec.encode_arp(message)) == message


ERRORS: list[tuple[Family, IcmpMessage]] = [
    (family, IcmpError(kind, bytes(48))) for family in Family for kind in IcmpErrorKind if kind != IcmpErrorKind.OTHER
]
ECHOES: list[tuple[Family, IcmpMessage]] = [
    (family, EchoMessage(is_reply, 0, 0, b"data")) for family in Family for is_reply in (False, True)
]
DISCOVERY: list[tuple[Family, IcmpMessage]] = [
    (Family.IPV6, message(target, *mac))
    for message in (
        lambda target, mac=None: NeighbourSolicitation(target, mac),
        lambda target, mac=None: NeighbourAdvertisement(target, target_mac=mac),
    )
    for target in (V6[1], bytes(16))
    for mac in ((), (MAC,), (bytes(6),))
]


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize(("family", "message"), ERRORS + ECHOES + DISCOVERY)
def test_icmp_asks_nobody(family: Family, message: IcmpMessage) -> None:
    codec = ScapyCodec()
    payload = codec.encode_icmp(family, *ENDS[family], message)
    assert codec.decode_icmp(family, *ENDS[family], payload) == message


@pytest.mark.usefixtures("trapped")
@pytest.mark.parametrize("kind", list(DhcpKind))
def test_dhcp_asks_nobody(kind: DhcpKind) -> None:
    codec = ScapyCodec()
    for message in (
        DhcpMessage(kind, 0, bytes(6)),
        DhcpMessage(kind, 1, MAC, server=V4[0], requested=V4[1], routers=V4, domain="lab.example", host_name="lab"),
    ):
        assert codec.decode_dhcp(codec.encode_dhcp(message)) == message
