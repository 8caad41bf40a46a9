"""Routers and hosts that speak IGMP or MLD on the link of a `Lab`, and what the host under test says to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from scapy.layers.inet import IP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop, RouterAlert
from scapy.packet import Raw

from tests.unit.net.lab import IF1, A, Lab
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.groups import GroupLeave, GroupMessage, GroupQuery, GroupReport, OldGroupReport, RecordKind
from wsknet.net.multicast.groups import SourceFilter
from wsknet.text import format_address
from wsknet.types import Family, IfIndex, is_multicast

CODEC = ScapyCodec()
MLD_TYPES = (130, 131, 132, 143)

IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = (kind.name for kind in RecordKind)


class Side(NamedTuple):
    """One family's names for the same things."""

    us: str
    cidr: str
    router: str
    routed_router: str
    """The same router, or another, with a source address that is not link-local."""
    everybody: str
    group: str
    group2: str
    sources: tuple[str, str, str]
    reports_to: str
    leaves_to: str

    @property
    def unspecified(self) -> str:
        return "::" if self.is_ipv6 else "0.0.0.0"

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.router


V4 = Side(
    "10.1.0.2",
    "10.1.0.2/24",
    "10.1.0.99",
    "10.1.0.99",
    "224.0.0.1",
    "239.1.2.3",
    "239.1.2.4",
    ("10.9.0.1", "10.9.0.2", "10.9.0.3"),
    "224.0.0.22",
    "224.0.0.2",
)
V6 = Side(
    "fe80::a",
    "fe80::a/64",
    "fe80::99",
    "2001:db8::99",
    "ff02::1",
    "ff15::1",
    "ff15::2",
    ("2001:db8:9::1", "2001:db8:9::2", "2001:db8:9::3"),
    "ff02::16",
    "ff02::2",
)

families = pytest.mark.parametrize("side", [V4, V6], ids=["IGMP", "MLD"])


class Said(NamedTuple):
    """A message that the host sent."""

    to: str
    what: str
    """``report``, ``leave``, or the version of an old report."""
    records: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """Kind, group and sources."""
    source: str = ""


def only(*sources: str) -> SourceFilter:
    return SourceFilter(False, frozenset(map(A, sources)))


def all_but(*sources: str) -> SourceFilter:
    return SourceFilter(True, frozenset(map(A, sources)))


EVERYBODY = all_but()

Change = tuple[Callable[..., SourceFilter] | None, tuple[int, ...]]
"""`only` or `all_but` of these sources of a side, by number; `None`: no member."""


def listen(
    lab: Lab, group: str, wanted: SourceFilter | None = EVERYBODY, member: object = "member", index: IfIndex = IF1
) -> None:
    lab.ip.groups.listen(lab.ip.interfaces[index], A(group), member, wanted, lab.now)


def said(lab: Lab) -> list[Said]:
    """IGMP and MLD messages since the last time; other frames are passed over."""
    found = (_said(frame) for _, frame in lab.take())
    return [each for each in found if each is not None]


def records(lab: Lab) -> list[tuple[tuple[str, str, tuple[str, ...]], ...]]:
    """Those of each report since the last time."""
    return [each.records for each in said(lab) if each.what == "report"]


def _said(frame: Any) -> Said | None:
    if IP in frame and frame[IP].proto == 2:
        to, source = frame[IP].dst, frame[IP].src
        message = CODEC.decode_igmp(bytes(frame[IP])[24:])
    elif IPv6 in frame and frame[IPv6].nh == 0 and bytes(frame[IPv6])[48] in MLD_TYPES:
        to, source = frame[IPv6].dst, frame[IPv6].src
        message = CODEC.decode_icmp(Family.IPV6, A(source), A(to), bytes(frame[IPv6])[48:])  # type: ignore[assignment]
    else:
        return None
    if isinstance(message, GroupReport):
        parts = tuple(
            (part.kind.name, format_address(part.group), tuple(map(format_address, part.sources)))
            for part in message.records
        )
        return Said(to, "report", parts, source)
    if isinstance(message, OldGroupReport):
        return Said(to, f"version {message.version}", ((" ", format_address(message.group), ()),), source)
    assert isinstance(message, GroupLeave), message
    return Said(to, "leave", ((" ", format_address(message.group), ()),), source)


def query(
    side: Side,
    group: str | None = None,
    sources: tuple[str, ...] = (),
    version: int = 3,
    seconds: float = 10,
    robustness: int = 0,
    interval: int = 0,
) -> GroupQuery:
    address = A(group or side.unspecified)
    milliseconds = int(seconds * 1000)
    return GroupQuery(version, address, milliseconds, tuple(map(A, sources)), False, robustness, interval)


def hear(lab: Lab, side: Side, message: GroupMessage, to: str | None = None, **fields: Any) -> None:
    """A router or host of the link says `message`: to everybody, or to the group that it is about, or `to` an address.

    `fields`: `source`, `hops`, `has_alert`, `index`.
    """
    group = format_address(message.group) if not isinstance(message, GroupReport) else side.reports_to
    to = to or (side.everybody if group == side.unspecified else group)
    source, hops = fields.get("source", side.router), fields.get("hops", 1)
    has_alert, index = fields.get("has_alert", True), fields.get("index", IF1)
    packet: Any
    if side.is_ipv6:
        payload = CODEC.encode_icmp(Family.IPV6, A(source), A(to), message)
        if has_alert:
            options = IPv6ExtHdrHopByHop(nh=58, options=[RouterAlert()])
            packet = IPv6(src=source, dst=to, hlim=hops, nh=0) / options / Raw(payload)
        else:
            packet = IPv6(src=source, dst=to, hlim=hops, nh=58) / Raw(payload)
        group_mac = "33:33:" + A(to)[12:].hex(":")
    else:
        options = [IPOption_Router_Alert()] if has_alert else []
        packet = IP(src=source, dst=to, ttl=hops, proto=2, options=options) / Raw(CODEC.encode_igmp(message))
        group_mac = "01:00:5e:" + bytes((A(to)[1] & 0x7F, *A(to)[2:])).hex(":")
    lab.arrive(index, packet, mac=group_mac if is_multicast(A(to)) else None)


def link(side: Side) -> Lab:
    """A host on a link of that family, nothing said yet."""
    lab = Lab()
    lab.interface(IF1, side.cidr)
    assert said(lab) == []
    return lab


def settle(lab: Lab) -> None:
    """Whatever is to be told unasked has been told, and passed over."""
    lab.pass_time(5)
    said(lab)


def joined(side: Side, wanted: SourceFilter = EVERYBODY) -> Lab:
    """A host that listens to a group, and whose routers know it."""
    lab = link(side)
    listen(lab, side.group, wanted)
    settle(lab)
    return lab
