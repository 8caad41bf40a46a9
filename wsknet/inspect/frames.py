"""The frames of a capture, each with a short label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RS,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from scapy.utils import RawPcapNgReader

_FLAG_NAMES = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK", "U": "URG", "E": "ECE", "C": "CWR"}

_ICMPV6_NAMES = (
    (ICMPv6EchoRequest, "echo request"),
    (ICMPv6EchoReply, "echo reply"),
    (ICMPv6DestUnreach, "unreachable"),
    (ICMPv6MLReport2, "MLD report"),
    (ICMPv6ND_RS, "router solicitation"),
)


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    time: int
    """Nanoseconds since the first frame of the capture."""
    interface: str
    source_mac: str
    destination_mac: str
    label: str
    comments: tuple[str, ...]

    @property
    def is_group(self) -> bool:
        """Sent to a broadcast or multicast MAC address."""
        return bool(int(self.destination_mac[:2], 16) & 1)


def read(path: str | Path) -> Iterator[CapturedFrame]:
    """The frames of a pcapng file in order.  Raises `scapy.error.Scapy_Exception` for anything else."""
    first: int | None = None
    with RawPcapNgReader(str(path)) as reader:
        for data, metadata in reader:
            resolution = metadata.tsresol
            time = ((metadata.tshigh << 32) + metadata.tslow) * 1_000_000_000 // resolution
            first = time if first is None else first
            frame = Ether(data)
            yield CapturedFrame(
                time - first,
                (metadata.ifname or b"").decode(),
                frame.src,
                frame.dst,
                describe(frame),
                tuple(comment.decode() for comment in metadata.comments or ()),
            )


def describe(frame: Packet) -> str:
    """One short line: protocol, source, destination port, what it does."""
    if ARP in frame:
        arp = frame[ARP]
        return f"ARP who has {arp.pdst}?" if arp.op == 1 else f"ARP {arp.psrc} is here"
    ip = frame.getlayer(IP) or frame.getlayer(IPv6)
    if ip is None:
        return f"EtherType {frame.type:#06x}"
    source = f"[{ip.src}]" if ip.name == "IPv6" else ip.src
    if TCP in ip:
        tcp = ip[TCP]
        flags = ",".join(_FLAG_NAMES[flag] for flag in str(tcp.flags) if flag in _FLAG_NAMES)
        size = f" {len(tcp.payload)} B" if len(tcp.payload) else ""
        return f"{flags} {source}:{tcp.sport} > :{tcp.dport}{size}"
    if UDP in ip:
        return f"UDP {source}:{ip[UDP].sport} > :{ip[UDP].dport} {len(ip[UDP].payload)} B"
    return _describe_icmp(ip) or f"protocol {ip.payload.name} {source} > {ip.dst}"


def _describe_icmp(ip: Packet) -> str | None:
    if ICMP in ip:
        names = {0: "echo reply", 8: "echo request", 3: "unreachable"}
        return f"ICMP {names.get(ip[ICMP].type, ip[ICMP].type)} {ip.src} > {ip.dst}"
    if ICMPv6ND_NS in ip:
        return f"ND who has {ip[ICMPv6ND_NS].tgt}?"
    if ICMPv6ND_NA in ip:
        return f"ND {ip[ICMPv6ND_NA].tgt} is here"
    for layer, name in _ICMPV6_NAMES:
        if layer in ip:
            return f"ICMPv6 {name} from {ip.src}"
    return None
