"""IPv4 options: RFC 791 3.1, RFC 1122 3.2.1.8, RFC 2113 (router alert), RFC 7126 (which are dangerous).

None of them changes what a host does with a packet, so all that is read are their kinds.
"""

from __future__ import annotations

from enum import IntEnum

from wsknet.trace import DropReason
from wsknet.wire.fault import ERRONEOUS_FIELD, Fault
from wsknet.wire.ipv4 import HEADER_LENGTH


class OptionKind(IntEnum):
    """The whole first byte: copied flag, class and number.  A packet may hold others too."""

    END = 0
    NO_OPERATION = 1
    RECORD_ROUTE = 7
    TIMESTAMP = 68
    LOOSE_SOURCE_ROUTE = 131
    STRICT_SOURCE_ROUTE = 137
    ROUTER_ALERT = 148


ROUTER_ALERT = bytes((OptionKind.ROUTER_ALERT, 4, 0, 0))
"""Routers look at the packet although it is not for them."""

_SOURCE_ROUTES = (OptionKind.LOOSE_SOURCE_ROUTE, OptionKind.STRICT_SOURCE_ROUTE)


def kinds_in(options: bytes) -> list[int] | Fault:
    """In the order in which they stand, without padding.

    A length that cannot be right is pointed at (RFC 792, RFC 1122 3.2.2.5).
    """
    kinds: list[int] = []
    position, end = 0, len(options)
    while position < end and options[position] != OptionKind.END:
        kind = options[position]
        if kind == OptionKind.NO_OPERATION:
            position += 1
            continue
        if position + 2 > end:
            return _malformed(position)
        length = options[position + 1]
        if length < 2 or position + length > end:
            return _malformed(position + 1)
        kinds.append(kind)
        position += length
    return kinds


def judge(options: bytes) -> Fault | None:
    """Why a packet with these options goes no further: they lie, or it is source routed.

    RFC 7126 4.3.5 and 4.4.5 drop source routes by default; silently, for there is nothing in them to point at.
    """
    kinds = kinds_in(options)
    if isinstance(kinds, Fault):
        return kinds
    return Fault(DropReason.IP_BAD_OPTIONS) if any(kind in kinds for kind in _SOURCE_ROUTES) else None


def _malformed(position: int) -> Fault:
    return Fault(DropReason.IP_BAD_OPTIONS, ERRONEOUS_FIELD, HEADER_LENGTH + position)
