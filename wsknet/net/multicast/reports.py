"""How IGMP and MLD send, and how records are divided into reports.

Read RFC 3376 4 and 4.2.16, RFC 2236 2 and 9, RFC 3810 5.2.13 to 5.2.15, RFC 3590 (reports without an address).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages.groups import GroupMessage, GroupRecord, RecordKind
from wsknet.net.well_known import IPV4_ROUTERS, IPV6_ROUTERS
from wsknet.types import Address, Family, Proto, is_link_local
from wsknet.wire import ipv4, ipv6, ipv6_extensions
from wsknet.wire.ethernet import multicast_mac
from wsknet.wire.ipv4_options import ROUTER_ALERT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

_INTERNETWORK_CONTROL = 0xC0
"""Type of service of IGMP (RFC 3376 4)."""
_HOP_LIMIT = 1

_REPORT_HEADER_LENGTH = 8
_RECORD_HEADER_LENGTH = 4
_CUT_SHORT = (RecordKind.IS_EXCLUDE, RecordKind.TO_EXCLUDE)
"""A list of excluded sources cannot be divided: the rest stays untold, and more comes in than is wanted."""


class Igmp:
    """To the routers of a link, by IPv4."""

    family = Family.IPV4
    reports_to = bytes((224, 0, 0, 22))
    leaves_to = IPV4_ROUTERS
    packet_overhead = ipv4.HEADER_LENGTH + len(ROUTER_ALERT) + _REPORT_HEADER_LENGTH

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def send(self, interface: Interface, destination: Address, message: GroupMessage, comment: str) -> None:
        """From the first address; from none where there is none yet (RFC 3376 4.2.13)."""
        source = next((entry.address for entry in interface.addresses_of(Family.IPV4)), bytes(4))
        payload = self._ip.codec.encode_igmp(message)
        header = ipv4.build(
            source,
            destination,
            Proto.IGMP,
            len(payload),
            _HOP_LIMIT,
            traffic_class=_INTERNETWORK_CONTROL,
            options=ROUTER_ALERT,
        )
        self._ip.output.emit_packet(interface, multicast_mac(destination), header + payload, comment)


class Mld:
    """The same by IPv6."""

    family = Family.IPV6
    reports_to = b"\xff\x02" + bytes(13) + b"\x16"
    leaves_to = IPV6_ROUTERS
    packet_overhead = ipv6.HEADER_LENGTH + 8 + _REPORT_HEADER_LENGTH

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def send(self, interface: Interface, destination: Address, message: GroupMessage, comment: str) -> None:
        """From a link-local address; from none before one is assigned (RFC 3590 4, RFC 3810 5.2.13)."""
        own = (entry.address for entry in interface.addresses_of(Family.IPV6) if is_link_local(entry.address))
        source = next(own, bytes(16))
        payload = ipv6_extensions.router_alert(Proto.ICMPV6)
        payload += self._ip.codec.encode_icmp(Family.IPV6, source, destination, message)
        header = ipv6.build(source, destination, ipv6_extensions.HOP_BY_HOP, len(payload), _HOP_LIMIT)
        self._ip.output.emit_packet(interface, multicast_mac(destination), header + payload, comment)


def divided(records: Iterable[GroupRecord], room: int) -> Iterator[tuple[GroupRecord, ...]]:
    """The records of one report after the other, each of at most `room` bytes."""
    report: list[GroupRecord] = []
    used = 0
    for record in records:
        for part in _parts(record, room):
            size = _RECORD_HEADER_LENGTH + len(part.group) * (1 + len(part.sources))
            if report and used + size > room:
                yield tuple(report)
                report, used = [], 0
            report.append(part)
            used += size
    if report:
        yield tuple(report)


def _parts(record: GroupRecord, room: int) -> Iterator[GroupRecord]:
    """A record whose sources do not fit into one report, as several or cut short (RFC 3376 4.2.16)."""
    most = (room - _RECORD_HEADER_LENGTH) // len(record.group) - 1
    yield GroupRecord(record.kind, record.group, record.sources[:most])
    if record.kind not in _CUT_SHORT:
        for start in range(most, len(record.sources), most):
            yield GroupRecord(record.kind, record.group, record.sources[start : start + most])
