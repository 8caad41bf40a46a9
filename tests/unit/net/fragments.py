"""Fragments of both families, and a host on two links that gets them."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.unit.net.lab import IF1, Lab, two_links
from wsknet.config import ReassemblyConfig, StackConfig
from wsknet.types import Family

US = {Family.IPV4: "10.1.0.2", Family.IPV6: "2001:db8:1::2"}
PEER = {Family.IPV4: "10.1.0.50", Family.IPV6: "2001:db8:1::50"}
families = pytest.mark.parametrize("family", [Family.IPV4, Family.IPV6], ids=["IPv4", "IPv6"])
UDP_HEADER = bytes(UDP(sport=2000, dport=1000, len=0, chksum=0))
DATA = UDP_HEADER + bytes(range(92))
"""100 bytes of transport."""


def make_lab(reassembly: ReassemblyConfig | None = None) -> Lab:
    lab = two_links(StackConfig(reassembly=reassembly or ReassemblyConfig()))
    for peer in PEER.values():
        lab.know(IF1, peer)
    return lab


def part(
    family: Family, offset: int, data: bytes, has_more: bool = True, number: int = 7, protocol: int = 17, **fields: Any
) -> Any:
    """One fragment; `fields` are those of the IP header."""
    if family is Family.IPV4:
        header = IP(**{"src": PEER[family], "dst": US[family], **fields}, proto=protocol, id=number)
        header.frag, header.flags = offset // 8, "MF" if has_more else ""
        return header / Raw(data)
    header = IPv6(**{"src": PEER[family], "dst": US[family], **fields})
    return header / IPv6ExtHdrFragment(nh=protocol, offset=offset // 8, m=has_more, id=number) / Raw(data)


def three_parts(family: Family, **fields: Any) -> list[Any]:
    return [
        part(family, 0, DATA[:40], **fields),
        part(family, 40, DATA[40:80], **fields),
        part(family, 80, DATA[80:], has_more=False, **fields),
    ]
