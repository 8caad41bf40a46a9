"""Whether a packet may come from where it says, and whether it is for us, by its addresses alone.

Read RFC 1122 3.2.1.3, 3.3.4.2 and 3.3.6, RFC 1812 5.2.3, RFC 4291 2.4 to 2.8, and BIND-3.3 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.packet import Cast
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.trace import DropReason
from wsknet.types import (
    Address,
    Family,
    Mac,
    Proto,
    is_link_local,
    is_loopback,
    is_multicast,
    is_node_local,
    is_unspecified,
)
from wsknet.wire import ipv6_extensions

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet

_IPV4 = Family.IPV4
_UNICAST, _MULTICAST = Cast.UNICAST, Cast.MULTICAST
_ADVERTISEMENT = b"\x88"
"""ICMPv6 type (RFC 4861 4.4)."""
_MAPPED = bytes(10) + b"\xff\xff"
_CLASS_E = 240
"""First byte of the addresses that nobody has; the last of them is the limited broadcast."""


class Admission:
    def __init__(self, ip: IpLayer) -> None:
        self._tables = ip.tables
        self._interfaces = ip.tables.interfaces
        self._groups = ip.groups

    def is_martian(self, packet: Packet) -> bool:
        """Whether its source cannot be the sender of a packet on a wire (RFC 1122 3.2.1.3, RFC 4291 2.5 and 2.7)."""
        source, destination = packet.source, packet.destination
        if is_loopback(source) or is_multicast(source):
            return True
        if source in self._tables.local:
            return not _is_advertised_to_group(packet)
        if packet.family is _IPV4:
            if is_unspecified(source):
                # A host without an address: it asks for one, or is in a group (RFC 2131 4.1, RFC 3376 4.2.13).
                is_about_group = packet.protocol == Proto.IGMP and is_multicast(destination)
                return destination != LIMITED_BROADCAST and not is_about_group
            return source[0] == 0 or source[0] >= _CLASS_E or self._is_directed_broadcast(source)
        if is_unspecified(source):
            # Duplicate address detection asks from nowhere (RFC 4862 5.4.2); its questions go to groups.
            return _upper_protocol(packet) != Proto.ICMPV6 or not is_multicast(destination)
        return source[:12] == _MAPPED or source[:12] == bytes(12)

    def accept(self, packet: Packet, mac: Mac) -> Cast | DropReason | None:
        """How a packet in a frame to `mac` reached us, or why it did not; `None`: it is to be passed on."""
        interface, destination = packet.interface, packet.destination
        if is_loopback(destination) or is_unspecified(destination) or is_node_local(destination):
            return DropReason.IP_MARTIAN_DESTINATION
        cast = interface.accepts.get(destination)
        if cast is None and destination in self._tables.local and not is_link_local(destination):
            # A router's addresses are its own on every side, whatever the host model (RFC 1812 5.2.3).
            cast = _UNICAST if interface.weak_receive or interface.forwarding else None
        if cast is None:
            is_passed_on = interface.forwarding and mac == interface.mac and not is_multicast(destination)
            return None if is_passed_on else DropReason.IP_NOT_LOCAL  # without an answer (RFC 1122 3.2.1.3)
        if cast is _UNICAST and mac[0] & 1:
            return DropReason.IP_LINK_BROADCAST  # RFC 1122 3.3.6
        # Filters are about data: a router asks about a group in the group itself, and is in nobody's list of sources.
        is_data = cast is _MULTICAST and _upper_protocol(packet) == Proto.UDP
        if is_data and not self._groups.admits(interface, destination, packet.source):
            return DropReason.GROUP_FILTERED
        return cast

    def _is_directed_broadcast(self, address: Address) -> bool:
        return any(each.accepts.get(address) is Cast.BROADCAST for each in self._interfaces.values())


def _upper_protocol(packet: Packet) -> int:
    """Of a first fragment too; what the others name decides nothing, for without the first they are never whole."""
    return packet.protocol if packet.family is _IPV4 else ipv6_extensions.find_upper(packet.raw).protocol


def _is_advertised_to_group(packet: Packet) -> bool:
    """Whether it is a neighbour advertisement for everybody: how another host that has our address is heard of."""
    is_to_group = packet.protocol == Proto.ICMPV6 and is_multicast(packet.destination)
    return is_to_group and packet.payload[:1] == _ADVERTISEMENT
