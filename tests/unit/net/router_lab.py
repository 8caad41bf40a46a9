"""A router between three links, and what its tests ask of the frames that it sends."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import IPv6

from tests.unit.net.lab import IF1, IF2, IF3, OTHER_MAC, Lab
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.net import changes

PEER4, PEER6 = "10.1.0.50", "2001:db8:1::50"
FAR4, FAR6 = "10.2.0.60", "2001:db8:2::60"
REMOTE4, REMOTE6 = "198.51.100.7", "2001:db8:ffff::7"
families = pytest.mark.parametrize(("near", "far"), [(PEER4, FAR4), (PEER6, FAR6)], ids=["IPv4", "IPv6"])


def router(behaviour: Behaviour = WINDOWS) -> Lab:
    """Forwards on three links; behind the second is another router to the rest of the world, the third is narrow."""
    lab = Lab(behaviour)
    lab.interface(IF1, "10.1.0.1/24", "fe80::1/64", "2001:db8:1::1/64")
    lab.interface(IF2, "10.2.0.1/24", "fe80::2/64", "2001:db8:2::1/64")
    lab.interface(IF3, "10.3.0.1/24", "fe80::3/64", "2001:db8:3::1/64", mtu=1280)
    for index in (IF1, IF2, IF3):
        lab.apply(changes.InterfaceChanged(index, forwarding=True))
    for peer in (PEER4, PEER6, "fe80::50"):
        lab.know(IF1, peer)
    for peer in (FAR4, FAR6, "10.2.0.254", "fe80::fe"):
        lab.know(IF2, peer, OTHER_MAC)
    for peer in ("10.3.0.60", "2001:db8:3::60"):
        lab.know(IF3, peer, OTHER_MAC)
    lab.route("198.51.100.0/24", IF2, "10.2.0.254")
    lab.route("2001:db8:ffff::/48", IF2, "fe80::fe")
    return lab


def hop_limit(packet: Any) -> int:
    layer = packet[IP] if IP in packet else packet[IPv6]
    return int(layer.ttl if IP in packet else layer.hlim)


def with_hop_limit(packet: Any, value: int) -> Any:
    if IP in packet:
        packet[IP].ttl = value
    else:
        packet[IPv6].hlim = value
    return packet


def error_numbers(frame: Any) -> tuple[int, int]:
    """Type and code of the ICMP message in a frame."""
    raw = bytes(frame[IP].payload if IP in frame else frame[IPv6].payload)
    return raw[0], raw[1]


def assert_sound(frame: Any) -> None:
    """Lengths and checksums are what Scapy makes of the same fields."""
    for layer in (IP, IPv6):
        if layer in frame:
            made_again = frame[layer].copy()
            for name in ("chksum", "len", "plen"):
                made_again.fields.pop(name, None)
            made_again[layer].payload.fields.pop("chksum" if ICMP in frame else "cksum", None)
            assert bytes(made_again) == bytes(frame[layer])
