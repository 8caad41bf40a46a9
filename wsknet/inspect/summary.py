"""A frame in one line, both ends and what it is: ``udp 10.1.0.2:5000 > 10.1.0.50:7``.

Scenarios match these lines, so their form is part of the vocabulary of scenario files.
"""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

TCP_FLAGS = (
    ("S", "SYN"),
    ("F", "FIN"),
    ("R", "RST"),
    ("P", "PSH"),
    ("A", "ACK"),
    ("U", "URG"),
    ("E", "ECE"),
    ("C", "CWR"),
)
_BROADCAST = "ff:ff:ff:ff:ff:ff"

_ICMP_TYPES = {0: "echo-reply", 3: "unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
               11: "time-exceeded", 12: "parameter-problem"}  # fmt: skip
_ICMP_UNREACHABLE = {0: "network-unreachable", 1: "host-unreachable", 2: "protocol-unreachable", 3: "port-unreachable",
                     4: "fragmentation-needed", 13: "prohibited"}  # fmt: skip
_ICMPV6_TYPES = {2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
                 129: "echo-reply", 133: "router-solicitation", 134: "router-advertisement", 137: "redirect",
                 143: "mld-report"}  # fmt: skip
_EXTENSIONS = (0, 43, 60)
_FRAGMENT = 44
_ICMPV6_UNREACHABLE = {0: "no-route", 1: "prohibited", 3: "address-unreachable", 4: "port-unreachable"}
ICMP_NAMES = tuple(
    dict.fromkeys(
        name
        for names in (_ICMP_TYPES, _ICMP_UNREACHABLE, _ICMPV6_TYPES, _ICMPV6_UNREACHABLE)
        for name in names.values()
    )
)


def frame_text(frame: bytes) -> str:
    """Of any frame, however malformed."""
    ether = Ether(frame)
    if ARP in ether:
        return _arp(ether[ARP])
    ip = ether.getlayer(IP) or ether.getlayer(IPv6)
    if ip is None:
        return f"ethertype 0x{frame[12:14].hex()}"
    suffix = " (broadcast)" if ether.dst == _BROADCAST else ""
    return _ip(ip) + suffix


def _arp(arp: Packet) -> str:
    if arp.op == 1:
        return f"arp who-has {arp.pdst} tell {arp.psrc}"
    return f"arp {arp.psrc} is-at {arp.hwsrc}"


def _ip(ip: Packet) -> str:
    if getattr(ip, "frag", 0):
        return f"fragment {ip.src} > {ip.dst}"
    above = ip.payload
    if isinstance(above, UDP):
        return f"udp {_ends(ip, above)}"
    if isinstance(above, TCP):
        set_ = str(above.flags)
        return f"tcp {','.join(name for letter, name in TCP_FLAGS if letter in set_) or 'none'} {_ends(ip, above)}"
    if isinstance(above, ICMP):
        kind = _ICMP_UNREACHABLE.get(above.code) if above.type == 3 else _ICMP_TYPES.get(above.type)
        return f"icmp {kind or f'type {above.type}'} {ip.src} > {ip.dst}"
    if ip.name == "IPv6":
        return _ipv6(ip, above)
    return f"protocol {ip.proto} {ip.src} > {ip.dst}"


def _ipv6(ip: Packet, above: Packet) -> str:
    number, extension = ip.nh, above
    while number in _EXTENSIONS and hasattr(extension, "nh"):
        number, extension = extension.nh, extension.payload
    if extension is not above:
        carrier = IPv6(src=ip.src, dst=ip.dst, nh=number)
        carrier.payload = extension
        return _ip(carrier)
    if number == _FRAGMENT:
        return f"fragment {ip.src} > {ip.dst}"
    if number != 58 or not hasattr(above, "type"):
        return f"protocol {number} {ip.src} > {ip.dst}"
    if above.type == 135 and hasattr(above, "tgt"):
        return f"nd who-has {above.tgt} tell {ip.src}"
    if above.type == 136 and hasattr(above, "tgt"):
        return f"nd {above.tgt} is-at {ip.src}"
    kind = _ICMPV6_UNREACHABLE.get(above.code) if above.type == 1 else _ICMPV6_TYPES.get(above.type)
    return f"icmp {kind or f'type {above.type}'} {ip.src} > {ip.dst}"


def _ends(ip: Packet, above: Packet) -> str:
    if ip.name == "IPv6":
        return f"[{ip.src}]:{above.sport} > [{ip.dst}]:{above.dport}"
    return f"{ip.src}:{above.sport} > {ip.dst}:{above.dport}"
