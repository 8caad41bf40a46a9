"""The extension headers between the IPv6 header and the upper protocol.

Read RFC 8200 4, RFC 2675, RFC 2711, RFC 5095, RFC 6564, RFC 7112 and RFC 8504 5.3 before editing.  They are read in
two steps: `hop_by_hop` by every node, `destination` by the one the packet is for, and there once more after
reassembly.  Packets are cut to the length that their header gives.
"""

from __future__ import annotations

from typing import NamedTuple

from wsknet.trace import DropReason
from wsknet.wire.fault import ERRONEOUS_FIELD, UNRECOGNIZED_NEXT_HEADER, UNRECOGNIZED_OPTION, Fault
from wsknet.wire.ipv6 import HEADER_LENGTH, NEXT_HEADER_OFFSET, PAYLOAD_LENGTH_OFFSET

HOP_BY_HOP = 0
ROUTING = 43
FRAGMENT = 44
NO_NEXT_HEADER = 59
DESTINATION_OPTIONS = 60

MAX_EXTENSION_HEADERS = 8
"""To a fragment header, and again to the upper protocol.  RFC 8504 5.3 lets a host bound the chain; no sender needs
more than one header of each kind, destination options twice."""

FRAGMENT_LENGTH = 8
"""Bytes of a fragment header."""

EXTENSIONS = frozenset((HOP_BY_HOP, ROUTING, FRAGMENT, NO_NEXT_HEADER, DESTINATION_OPTIONS))
"""What is no upper protocol."""

_WITH_LENGTH = frozenset((HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS))
"""Second byte: length in units of 8 bytes beyond the first 8."""

_PAD_1 = 0
_PAD_N = 1
_ROUTER_ALERT = 5
_JUMBO_PAYLOAD = 0xC2

_SKIP, _DISCARD, _REPORT = 0, 1, 2
"""Two highest bits of the type of an option that one does not know (RFC 8200 4.2); 3 is to report unless the packet
went to a group."""


class Place(NamedTuple):
    """How far the chain has been read."""

    protocol: int
    """What comes next: an upper protocol or an extension header."""
    offset: int
    """Where it starts."""
    field: int
    """Where the byte is that says so."""


def hop_by_hop(packet: bytes) -> Place | Fault:
    """What every node on the way looks at."""
    place = start(packet)
    return _past_options(packet, place) if place.protocol == HOP_BY_HOP else place


def destination(packet: bytes, place: Place) -> Place | Fault:
    """What only the destination looks at, from `place` to the upper protocol or to the next fragment header."""
    for _ in range(MAX_EXTENSION_HEADERS + 1):
        protocol = place.protocol
        if protocol == DESTINATION_OPTIONS:
            step = _past_options(packet, place)
        elif protocol == ROUTING:
            step = _past_routing(packet, place)
        elif protocol == NO_NEXT_HEADER:  # RFC 8200 4.7: nothing follows, and nobody is told
            return Fault(DropReason.IP_UNKNOWN_PROTOCOL)
        elif protocol == HOP_BY_HOP:  # anywhere but first (RFC 8200 4.1)
            return Fault(DropReason.IP_BAD_EXTENSION, UNRECOGNIZED_NEXT_HEADER, place.field)
        else:
            return place
        if isinstance(step, Fault):
            return step
        place = step
    return Fault(DropReason.IP_BAD_EXTENSION)


def find_upper(packet: bytes, place: Place | None = None) -> Place:
    """Where the chain leads from `place`, or from the beginning, without judging anything in it.

    A packet cut short ends at the extension header that is not whole.
    """
    place = place or start(packet)
    while (step := following(packet, place)) is not None:
        place = step
    return place


def start(packet: bytes) -> Place:
    """What comes after the fixed header."""
    return Place(packet[NEXT_HEADER_OFFSET], HEADER_LENGTH, NEXT_HEADER_OFFSET)


def following(packet: bytes, place: Place) -> Place | None:
    """What comes after the extension header at `place`; `None` if that is none, or not whole."""
    protocol, offset, _ = place
    if offset + FRAGMENT_LENGTH > len(packet):
        return None
    if protocol in _WITH_LENGTH:
        return Place(packet[offset], offset + 8 + packet[offset + 1] * 8, offset)
    return Place(packet[offset], offset + FRAGMENT_LENGTH, offset) if protocol == FRAGMENT else None


def router_alert(protocol: int) -> bytes:
    """A hop-by-hop header before `protocol` that asks routers to look at multicast listener messages (RFC 2711 2.1)."""
    return bytes((protocol, 0, _ROUTER_ALERT, 2, 0, 0, _PAD_N, 0))


def has_router_alert(packet: bytes) -> bool:
    """Whether the option is in the hop-by-hop header of a whole packet, which must be the first after the fixed one."""
    if packet[NEXT_HEADER_OFFSET] != HOP_BY_HOP:
        return False
    options = packet[HEADER_LENGTH + 2 : HEADER_LENGTH + 8 + packet[HEADER_LENGTH + 1] * 8]
    position = 0
    while position + 1 < len(options):
        kind = options[position]
        if kind == _ROUTER_ALERT:
            return True
        position += 1 if kind == _PAD_1 else 2 + options[position + 1]
    return False


def _end_of(packet: bytes, place: Place) -> int | Fault:
    """Where the extension header at `place` ends."""
    offset = place.offset
    if offset + 8 > len(packet):
        return Fault(DropReason.IP_BAD_EXTENSION, ERRONEOUS_FIELD, PAYLOAD_LENGTH_OFFSET)
    end = offset + 8 + packet[offset + 1] * 8
    return end if end <= len(packet) else Fault(DropReason.IP_BAD_EXTENSION, ERRONEOUS_FIELD, offset + 1)


def _past_routing(packet: bytes, place: Place) -> Place | Fault:
    """No type is known, type 0 no more (RFC 5095 3): a header whose route is not at its end is an error (8200 4.4)."""
    end = _end_of(packet, place)
    if isinstance(end, Fault):
        return end
    type_offset, segments_left = place.offset + 2, packet[place.offset + 3]
    if segments_left:
        return Fault(DropReason.IP_BAD_EXTENSION, ERRONEOUS_FIELD, type_offset)
    return Place(packet[place.offset], end, place.offset)


def _past_options(packet: bytes, place: Place) -> Place | Fault:
    end = _end_of(packet, place)
    if isinstance(end, Fault):
        return end
    position = place.offset + 2
    while position < end:
        kind = packet[position]
        if kind == _PAD_1:
            position += 1
            continue
        if kind >> 6 != _SKIP:
            return _unknown_option(kind, position)
        if position + 2 > end:
            return Fault(DropReason.IP_BAD_EXTENSION, ERRONEOUS_FIELD, position)
        if position + 2 + packet[position + 1] > end:
            return Fault(DropReason.IP_BAD_EXTENSION, ERRONEOUS_FIELD, position + 1)
        position += 2 + packet[position + 1]
    return Place(packet[place.offset], end, place.offset)


def _unknown_option(kind: int, position: int) -> Fault:
    # RFC 2675 3: to a node without jumbograms theirs is an unknown option too.
    reason = DropReason.IP_JUMBO if kind == _JUMBO_PAYLOAD else DropReason.IP_UNKNOWN_OPTION
    action = kind >> 6
    if action == _DISCARD:
        return Fault(reason)
    return Fault(reason, UNRECOGNIZED_OPTION, position, is_told_to_groups=action == _REPORT)
