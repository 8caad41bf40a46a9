"""A host with everything switched on, under a flood of everything a stranger can send: it keeps its size and serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6MLQuery2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    RouterAlert,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import checksum

from tests.support.memory import growth_after
from wsknet.apps.ping import ping
from wsknet.config import AutoConfig, NeighbourConfig, ReassemblyConfig, StackConfig
from wsknet.host import Host, Network
from wsknet.net.layer import MAX_PATHS
from wsknet.text import parse_address

BASE = 20_000
"""Bytes for tables that are built anew at another size."""
FLOW = 250
"""Bytes for each address that is heard for the first time; the latest 4096 are known (`interface.MAX_FLOWS`)."""
SLACK = 150
"""Bytes per frame: what dicts whose entries come and go, and cancelled timers, may take meanwhile.  The smallest entry
of any table takes several times as much."""
FILLING = 150
"""Frames that fill every table but that of redirects (`RedirectConfig.max_routes`), which takes 400."""
MEASURED = 200
"""Frames after those that fill every table."""

OURS, PEER, OURS6, PEER6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
ROUTER = "fe80::aa"
STRANGER = "02:00:00:00:bb:01"


def v4(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def near(number: int) -> str:
    """On our link, and not the peer: who pretends to be that gets what is meant for it."""
    return f"192.0.{4 + (number >> 8 & 3)}.{number & 255}"


def v6(number: int) -> str:
    return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::5"


def arp_question(n: int) -> Any:
    return ARP(op=1, hwsrc=STRANGER, psrc=near(n), hwdst="00:00:00:00:00:00", pdst=OURS)


def arp_answer(n: int) -> Any:
    return ARP(op=2, hwsrc=STRANGER, psrc=near(n), hwdst="02:00:00:00:02:02", pdst=OURS)


def solicitation(n: int) -> Any:
    message = ICMPv6ND_NS(tgt=OURS6) / ICMPv6NDOptSrcLLAddr(lladdr=STRANGER)
    return IPv6(src=f"2001:db8::1:{n & 0xFFFF:x}", dst=OURS6, hlim=255) / message


def advertisement(n: int) -> Any:
    message = ICMPv6ND_NA(tgt=f"2001:db8::1:{n & 0xFFFF:x}", S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=STRANGER)
    return IPv6(src=f"2001:db8::1:{n & 0xFFFF:x}", dst=OURS6, hlim=255) / message


def router_advertisement(n: int) -> Any:
    prefix = ICMPv6NDOptPrefixInfo(prefix=v6(n)[:-1], prefixlen=64, L=1, A=1, validlifetime=9000, preferredlifetime=800)
    route = ICMPv6NDOptRouteInfo(prefix=v6(n)[:-1], plen=64, rtlifetime=9000, len=3)
    message = ICMPv6ND_RA(routerlifetime=9000) / ICMPv6NDOptSrcLLAddr(lladdr=STRANGER) / prefix / route
    return IPv6(src=f"fe80::bb:{n & 0xFFFF:x}", dst="ff02::1", hlim=255) / message


def redirect(n: int) -> Any:
    quoted = IP(src=OURS, dst=v4(n)) / UDP(sport=7, dport=9) / b"12345678"
    return IP(src="192.0.2.254", dst=OURS) / ICMP(type=5, code=1, gw=near(n)) / quoted


def redirect6(n: int) -> Any:
    return IPv6(src=ROUTER, dst=OURS6, hlim=255) / ICMPv6ND_Redirect(tgt=f"fe80::cc:{n & 0xFFFF:x}", dst=v6(n))


def fragment(n: int) -> Any:
    return IP(src=v4(n), dst=OURS, id=n & 0xFFFF, flags="MF", proto=17) / Raw(bytes(600))


def fragment6(n: int) -> Any:
    return IPv6(src=v6(n), dst=OURS6) / IPv6ExtHdrFragment(nh=17, id=n, m=1, offset=0) / Raw(bytes(600))


def igmp_query(n: int) -> Any:
    group = bytes((239, 1, n >> 8 & 255, n & 255))
    sum_ = checksum(b"\x11\x64\0\0" + group).to_bytes(2, "big")
    return IP(src="192.0.2.254", dst="224.0.0.1", ttl=1, proto=2) / Raw(b"\x11\x64" + sum_ + group)


def mld_query(n: int) -> Any:
    alert = IPv6ExtHdrHopByHop(options=[RouterAlert()])
    return IPv6(src=ROUTER, dst="ff02::1", hlim=1) / alert / ICMPv6MLQuery2(mladdr=f"ff15::{n & 0xFFFF:x}")


def offer(n: int) -> Any:
    reply = BOOTP(op=2, xid=n, yiaddr=near(n), chaddr=bytes.fromhex("020000000202") + bytes(10))
    options = [("message-type", "offer"), ("server_id", "192.0.2.254"), ("lease_time", 600), "end"]
    return IP(src="192.0.2.254", dst="255.255.255.255") / UDP(sport=67, dport=68) / reply / DHCP(options=options)


def unreachable(n: int) -> Any:
    quoted = IP(src=OURS, dst=v4(n)) / UDP(sport=n & 0xFFFF, dport=9) / b"12345678"
    return IP(src=v4(n), dst=OURS) / ICMP(type=3, code=3 if n & 1 else 4, nexthopmtu=600) / quoted


def unreachable6(n: int) -> Any:
    quoted = IPv6(src=OURS6, dst=v6(n)) / ICMPv6EchoRequest(id=n & 0xFFFF) / b"12345678"
    return IPv6(src=v6(n), dst=OURS6) / ICMPv6DestUnreach() / quoted


def datagram(n: int) -> Any:
    return IP(src=v4(n), dst=OURS) / UDP(sport=9, dport=n & 0xFFFF) / b"hello"


def segment(n: int) -> Any:
    return IPv6(src=v6(n), dst=OURS6) / TCP(sport=9, dport=n & 0xFFFF, flags="SA"[: 1 + (n & 1)], seq=n)


FLOODS = [
    arp_question, arp_answer, solicitation, advertisement, router_advertisement, redirect, redirect6, fragment,
    fragment6, igmp_query, mld_query, offer, unreachable, unreachable6, datagram, segment,
]  # fmt: skip

PER_SENDER = [datagram, segment]

GROUP_MACS = {
    "ff02::1": "33:33:00:00:00:01",
    "224.0.0.1": "01:00:5e:00:00:01",
    "255.255.255.255": "ff:ff:ff:ff:ff:ff",
}

SMALL = StackConfig(
    neighbours=NeighbourConfig(max_entries=64), reassembly=ReassemblyConfig(max_packets=32, max_bytes=1 << 16)
)
"""Bounds that a short flood reaches."""


class Flooded:
    """A host beside a peer, on a link where a stranger sends."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.peer = network.host("peer")
        self.host = network.host("host", config=SMALL)
        auto = AutoConfig(router_discovery=True, temporary_addresses=True, dhcp=True)
        self.card = self.host.interface("eth0", f"{OURS}/21", f"{OURS6}/64", auto=auto)
        other = self.peer.interface("eth0", f"{PEER}/21", f"{PEER6}/64")
        network.link(self.card, other)
        self.host.route("0.0.0.0/0", via="192.0.2.254")
        self.host.route("::/0", via=ROUTER, interface="eth0")
        self.peer.route("::/0", interface="eth0")  # the host may answer from any prefix that it was made to believe in
        network.run_for(5)

    def frame(self, packet: Any) -> bytes:
        kind = 0x0806 if ARP in packet else 0x86DD if isinstance(packet, IPv6) else 0x0800
        mac = GROUP_MACS.get(getattr(packet, "dst", ""), self.card.mac.hex(":"))
        return bytes(Ether(src=STRANGER, dst=mac, type=kind) / packet)

    def fill_paths(self) -> None:
        """Whoever is answered has a place in the cache of paths."""
        for number in range(MAX_PATHS):
            self.host.stack.ip.path(parse_address(v4((1 << 23) + number)), None)

    def send_all(self, frames: list[bytes]) -> None:
        for frame in frames:
            with self.host.pump as now:
                self.host.stack.receive(self.card.index, frame, now)
        self.network.run_for(0.01)  # what is on the wire has arrived


@pytest.fixture
def flooded() -> Iterator[Flooded]:
    with Network(seed=1) as network:
        yield Flooded(network)


def assert_served(host: Host, peer: Host) -> None:
    for source, destination in ((host, PEER), (host, PEER6), (peer, OURS), (peer, OURS6)):
        assert ping(source, destination, count=1, size=4000).received == 1


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_takes_no_memory_and_no_service(flooded: Flooded, flood: Any) -> None:
    filling = 400 if flood in (redirect, redirect6) else FILLING
    frames = [flooded.frame(flood(number)) for number in range(filling + MEASURED)]

    def fill() -> None:
        flooded.fill_paths()
        flooded.send_all(frames[:filling])

    assert (
        growth_after(fill, lambda: flooded.send_all(frames[filling:]))
        < BASE + (SLACK + (FLOW if flood in PER_SENDER else 0)) * MEASURED
    )
    assert_served(flooded.host, flooded.peer)


def test_all_floods_at_once(flooded: Flooded) -> None:
    for number in range(60):
        flooded.send_all([flooded.frame(flood(number)) for flood in FLOODS])
    assert_served(flooded.host, flooded.peer)
    flooded.network.run_for(3600)
    assert_served(flooded.host, flooded.peer)
