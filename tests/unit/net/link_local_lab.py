"""A host on a link without a DHCP server, and a neighbour that has every address."""

from __future__ import annotations

from typing import Any

from scapy.layers.l2 import ARP

from tests.unit.net.dhcp_server import STEADY, DhcpLab, Host, arp_answer
from tests.unit.net.lab import IF1, OTHER_MAC
from wsknet.config import AutoConfig
from wsknet.types import IfIndex

PATIENCE = 6
"""Seconds that DHCP has before there is a link-local address (KB 931550)."""
CHECKED = 7
"""Seconds in which an address is certainly checked."""


def silent_lab(*hosts: Host, machine: bool = True, **auto: Any) -> DhcpLab:
    lab = DhcpLab(STEADY, machine, hosts)
    lab.interface(IF1, auto=AutoConfig(**auto))
    return lab


def link_local(lab: DhcpLab, index: IfIndex = IF1) -> str | None:
    """The only IPv4 address of an interface."""
    addresses = lab.addresses(index)
    assert len(addresses) <= 1
    return addresses[0].removesuffix("/16") if addresses else None


def probed(lab: DhcpLab) -> list[tuple[float, str]]:
    """First probe of each address that was tried."""
    found: dict[str, float] = {}
    for sent in lab.sent:
        if ARP in sent.frame and sent.frame[ARP].psrc == "0.0.0.0":
            found.setdefault(sent.frame[ARP].pdst, sent.at)
    return [(at, address) for address, at in found.items()]


class Envious:
    """Answers for every address that is probed, up to a number of them."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __call__(self, frame: Any) -> list[Any]:
        if ARP not in frame or frame[ARP].psrc != "0.0.0.0" or not self.left:
            return []
        self.left -= 1
        return [arp_answer(frame, OTHER_MAC)]
