"""Raw sockets against the kernel's: both directions, headers of their own, and a ping that the kernel answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from tests.support.needs import requires_tool
from tests.support.tap_host import Segment, tap_bench
from tests.support.wsk_lab import ok
from wsknet.text import parse_address
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_HDRINCL,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_HDRINCL,
    SOCK_RAW,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    simple,
)

pytestmark = [pytest.mark.tap, requires_tool("tshark")]

OURS = {AF_INET: "198.51.100.2", AF_INET6: "2001:db8:5::2"}
KERNEL = {AF_INET: "198.51.100.1", AF_INET6: "2001:db8:5::1"}
ANYWHERE = {AF_INET: "0.0.0.0", AF_INET6: "::"}
FAMILIES = {AF_INET: socket.AF_INET, AF_INET6: socket.AF_INET6}
PROTOCOL = 253
SECONDS = 20.0
families = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["IPv4", "IPv6"])


class Street(NamedTuple):
    application: simple.Application
    kernel: Segment

    def raw(self, family: int, protocol: int = PROTOCOL) -> WSK_SOCKET:
        provider = self.application.provider
        kind = (family, SOCK_RAW, protocol, WSK_FLAG_DATAGRAM_SOCKET)
        arguments = (*kind, None, None, None, None, None)
        Socket: WSK_SOCKET = ok(simple.call(provider.Dispatch.WskSocket, provider.Client, *arguments))
        ok(simple.bind(Socket, simple.address(ANYWHERE[family], 0)))
        return Socket

    def kernel_raw(self, family: int) -> socket.socket:
        with self.kernel.lab.entered():
            made = socket.socket(FAMILIES[family], socket.SOCK_RAW, PROTOCOL)
        made.settimeout(SECONDS)
        return made


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with tap_bench(tmp_path) as bench:
        peer = (f"{KERNEL[AF_INET]}/24", f"{KERNEL[AF_INET6]}/64")
        kernel = bench.segment(f"{OURS[AF_INET]}/24", f"{OURS[AF_INET6]}/64", peer=peer)
        wanted = {parse_address(address) for address in OURS.values()}
        bench.wait(lambda: wanted <= dict(bench.host.stack.view().interfaces[-1].addresses).keys(), "both addresses")
        with bench.host.activate():
            application = simple.Application()
            yield Street(application, kernel)


def close(*sockets: WSK_SOCKET) -> None:
    for Socket in sockets:
        ok(simple.close(Socket))


@families
def test_the_kernel_answers_a_ping(street: Street, family: int) -> None:
    pinger = street.raw(family, IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6)
    data = bytes(range(100))
    request = bytes(ICMP(type=8, id=77, seq=3) / Raw(data)) if family == AF_INET else b"\x80\0\0\0\0\x4d\0\3" + data
    ok(simple.send_to(pinger, request, simple.address(KERNEL[family], 0)))
    while True:
        answer, source = ok(simple.receive_from(pinger, seconds=SECONDS))
        if family == AF_INET:
            answer = answer[20:]
        if answer[0] in (0, 129):
            break
    assert simple.host_and_port(source) == (KERNEL[family], 0)
    assert answer[4:] == request[4:]
    close(pinger)


@families
def test_raw_sockets_of_both_sides_hear_each_other(street: Street, family: int) -> None:
    ours = street.raw(family)
    with closing(street.kernel_raw(family)) as theirs:
        data = bytes(range(256)) * 12  # in fragments
        ok(simple.send_to(ours, data, simple.address(KERNEL[family], 0)))
        heard, source = theirs.recvfrom(65536)
        assert source[0] == OURS[family]
        assert heard[20 if family == AF_INET else 0 :] == data
        theirs.sendto(data, (OURS[family], 0))
        heard, there = ok(simple.receive_from(ours, seconds=SECONDS))
        assert simple.host_and_port(there) == (KERNEL[family], 0)
        assert heard[20 if family == AF_INET else 0 :] == data
    close(ours)


@families
def test_the_kernel_hears_a_packet_with_a_header_of_our_own(street: Street, family: int) -> None:
    ours = street.raw(family)
    option = (IPPROTO_IP, IP_HDRINCL) if family == AF_INET else (IPPROTO_IPV6, IPV6_HDRINCL)
    ok(simple.set_option(ours, *option, 1))
    if family == AF_INET:
        head = bytes(IP(dst=KERNEL[family], src="0.0.0.0", ttl=3, tos=0x48, id=0, proto=PROTOCOL, chksum=1, len=1))
    else:
        head = bytes(IPv6(dst=KERNEL[family], src=OURS[family], hlim=3, nh=PROTOCOL, plen=4))
    with closing(street.kernel_raw(family)) as theirs:
        ok(simple.send_to(ours, head + b"mine", simple.address(KERNEL[family], 0)))
        heard, source = theirs.recvfrom(65536)
        assert source[0] == OURS[family]
        if family == AF_INET:
            packet = IP(heard)
            assert (packet.ttl, packet.tos, packet.src, packet.len) == (3, 0x48, OURS[family], 24)
            assert packet.id
            heard = heard[20:]
        assert heard == b"mine"
    close(ours)
