"""The way through the extension headers of IPv6, as the stack goes it."""

from __future__ import annotations

from wsknet.wire import ipv6_extensions
from wsknet.wire.fault import Fault
from wsknet.wire.ipv6_extensions import Place


def walk_ipv6(packet: bytes) -> Place | Fault:
    """What the destination reads."""
    place = ipv6_extensions.hop_by_hop(packet)
    return place if isinstance(place, Fault) else ipv6_extensions.destination(packet, place)
