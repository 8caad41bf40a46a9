"""IP packets that a WSK application has put on the cable of `wsk_lab`, and ones that are put there by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import Ether

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, Lab, Watch
from wsknet.wsk import AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6


class Names(NamedTuple):
    family: int
    level: int
    wildcard: str
    near: str
    far: str
    header: int
    """Bytes of an IP header."""


V4 = Names(AF_INET, IPPROTO_IP, "0.0.0.0", NEAR, FAR, 20)
V6 = Names(AF_INET6, IPPROTO_IPV6, "::", NEAR6, FAR6, 40)


def sent(wire: Watch, protocol: int | None = 17) -> list[Any]:
    """IPv4 and IPv6 packets as scapy reads them, of one protocol (`None`: all), fragments included."""
    packets = []
    for frame in wire.frames:
        packet = Ether(frame)
        for layer, field in ((IP, "proto"), (IPv6, "nh")):
            if packet.haslayer(layer) and protocol in (None, getattr(packet[layer], field)):
                packets.append(packet[layer])
    return packets


def hop_limit(packet: Any) -> int:
    value: int = packet.ttl if packet.version == 4 else packet.hlim
    return value


def traffic_class(packet: Any) -> int:
    value: int = packet.tos if packet.version == 4 else packet.tc
    return value


def inject(lab: Lab, packet: Any) -> None:
    """Into the near host, as if it came over the cable."""
    frame = bytes(Ether(dst=lab.near_interface.mac, src="02:00:00:00:00:99") / packet)
    with lab.near.pump as now:
        lab.near.stack.receive(lab.near_interface.index, frame, now)
    lab.run(0.001)


def tell_too_big(lab: Lab, names: Names, source_port: int, port: int, mtu: int) -> None:
    """An ICMP error about a UDP datagram from near to far: the path takes no more than `mtu` bytes."""
    quoted = UDP(sport=source_port, dport=port, len=1408, chksum=1) / bytes(8)
    if names is V4:
        about = IP(src=NEAR, dst=FAR, flags="DF", len=1428) / quoted
        inject(lab, IP(src=FAR, dst=NEAR) / ICMP(type=3, code=4, nexthopmtu=mtu) / about)
    else:
        about = IPv6(src=NEAR6, dst=FAR6, plen=1408) / quoted
        inject(lab, IPv6(src=FAR6, dst=NEAR6) / ICMPv6PacketTooBig(mtu=mtu) / about)
