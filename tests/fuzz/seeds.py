"""One good frame of every kind, and what makes a damaged one plausible again."""

from __future__ import annotations

from typing import Any

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6MLQuery2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRouteInfo,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import ARP, Ether

US, PEER = "02:00:00:00:00:02", "02:00:00:00:00:99"
US4, PEER4, US6, PEER6 = "10.1.0.2", "10.1.0.50", "2001:db8::2", "2001:db8::50"
LISTENING = 7
START = 0xFFFFFFF0


def ipv4(**fields: Any) -> Any:
    return Ether(dst=US, src=PEER, type=0x0800) / IP(**{"src": PEER4, "dst": US4, **fields})


def ipv6(**fields: Any) -> Any:
    return Ether(dst=US, src=PEER, type=0x86DD) / IPv6(**{"src": PEER6, "dst": US6, **fields})


def arp(**fields: Any) -> Any:
    message = {"op": 1, "hwsrc": PEER, "psrc": PEER4, "hwdst": "00:00:00:00:00:00", "pdst": US4, **fields}
    return Ether(dst="ff:ff:ff:ff:ff:ff", src=PEER, type=0x0806) / ARP(**message)


def tcp(**fields: Any) -> Any:
    return TCP(**{"sport": 40000, "dport": LISTENING, "seq": START, "flags": "S", **fields})


OPTIONS = [("MSS", 1460), ("NOP", None), ("WScale", 7), ("SAckOK", b""), ("Timestamp", (1, 0))]
DATAGRAM = UDP(sport=40000, dport=LISTENING) / b"hello"
ARP_REQUEST = arp()
ECHO4 = ipv4() / ICMP(type=8, id=1, seq=2) / b"hello"
ECHO6 = ipv6() / ICMPv6EchoRequest(id=1, seq=2, data=b"hello")
SOLICITATION = ipv6(hlim=255) / ICMPv6ND_NS(tgt=US6) / ICMPv6NDOptSrcLLAddr(lladdr=PEER)
QUOTE4 = IP(src=US4, dst=PEER4) / UDP(sport=LISTENING, dport=9) / b"quoted"
QUOTE6 = IPv6(src=US6, dst=PEER6) / UDP(sport=LISTENING, dport=9) / b"quoted"

FRAMES: dict[str, Any] = {
    "ARP request": ARP_REQUEST,
    "ARP reply": arp(op=2, hwdst=US),
    "IPv4 echo": ECHO4,
    "IPv6 echo": ECHO6,
    "IPv4 UDP": ipv4() / DATAGRAM,
    "IPv6 UDP": ipv6() / DATAGRAM,
    "IPv4 TCP": ipv4() / tcp(options=OPTIONS),
    "IPv6 TCP": ipv6() / tcp(options=OPTIONS),
    "IPv4 options": ipv4(options=[IPOption(b"\x07\x07\x04\0\0\0\0")]) / DATAGRAM,
    "IPv6 extensions": ipv6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]) / IPv6ExtHdrDestOpt() / DATAGRAM,
    "IPv4 fragment": ipv4(flags="MF") / DATAGRAM,
    "IPv6 fragment": ipv6() / IPv6ExtHdrFragment(m=1) / DATAGRAM,
    "ICMP error": ipv4() / ICMP(type=3, code=3) / QUOTE4,
    "ICMPv6 error": ipv6() / ICMPv6DestUnreach(code=4) / QUOTE6,
    "neighbour solicitation": SOLICITATION,
    "neighbour advertisement": ipv6(hlim=255) / ICMPv6ND_NA(tgt=PEER6, S=1) / ICMPv6NDOptDstLLAddr(lladdr=PEER),
}


def corrected(frame: bytes) -> bytes:
    """`frame` with a right IPv4 header checksum, if it has such a header: so that what is behind it is reached."""
    if len(frame) < 34 or frame[12:14] != b"\x08\x00" or frame[14] & 0x0F < 5:
        return frame
    end = 14 + (frame[14] & 0x0F) * 4
    header = frame[14:24] + b"\0\0" + frame[26:end]
    checksum = -int.from_bytes(header, "big") % 0xFFFF
    return frame[:24] + checksum.to_bytes(2, "big") + frame[26:]


def _mld_query() -> Any:
    alert = IPv6ExtHdrHopByHop(options=[RouterAlert()])
    return ipv6(src=ROUTER, dst="ff02::1", hlim=1) / alert / ICMPv6MLQuery2(mladdr="ff15::1")


def _router_advertisement() -> Any:
    prefix = ICMPv6NDOptPrefixInfo(prefix="2001:db8:1::", prefixlen=64, L=1, A=1)
    route = ICMPv6NDOptRouteInfo(prefix="2001:db8:2::", plen=64, rtlifetime=9000, len=3)
    message = ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=PEER) / ICMPv6NDOptMTU(mtu=1400)
    return ipv6(src=ROUTER, dst="ff02::1", hlim=255) / message / prefix / route


def _offer() -> Any:
    reply = BOOTP(op=2, xid=1, yiaddr="10.1.0.77", chaddr=bytes.fromhex(US.replace(":", "")) + bytes(10))
    options = [("message-type", "offer"), ("server_id", "10.1.0.254"), ("lease_time", 600), "end"]
    return ipv4(src="10.1.0.254", dst="255.255.255.255") / UDP(sport=67, dport=68) / reply / DHCP(options=options)


ROUTER = "fe80::aa"
FRAMES_OF_ROUTERS: dict[str, Any] = {
    "router advertisement": _router_advertisement(),
    "redirect": ipv4(src="10.1.0.254") / ICMP(type=5, code=1, gw="10.1.0.60") / QUOTE4,
    "IPv6 redirect": ipv6(src=ROUTER, hlim=255) / ICMPv6ND_Redirect(tgt="fe80::cc", dst=PEER6),
    "IGMP query": ipv4(src="10.1.0.254", dst="224.0.0.1", ttl=1, proto=2) / b"\x11\x64\xee\x9b\0\0\0\0",
    "MLD query": _mld_query(),
    "DHCP offer": _offer(),
    "packet too big": ipv6() / ICMPv6PacketTooBig(mtu=1280) / QUOTE6,
    "fragmentation needed": ipv4() / ICMP(type=3, code=4, nexthopmtu=600) / QUOTE4,
}
