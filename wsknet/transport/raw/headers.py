"""IP headers that an application has made (IP_HDRINCL, IPV6_HDRINCL).

Windows tells of one field alone that it may set, the identification (IPPROTO_IP Socket Options).  The others are those
of raw(7) of Linux: total length and checksum always, the source where it is zero.  An IPv6 header goes out as it is, as
from rawv6_send_hdrinc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.types import Address, Family
from wsknet.wire import ipv4, ipv6, ipv6_extensions

if TYPE_CHECKING:
    from collections.abc import Callable


class Given(NamedTuple):
    """A packet to be sent as it is."""

    packet: bytes
    offset: int
    """Where the upper protocol starts."""
    protocol: int
    source: Address


def given(family: Family, data: bytes, source: Address, identification: Callable[[], int]) -> Given:
    """`data` with what is missing in its header; `source` and `identification` are for fields that are zero.

    Raises `LocalError` INVALID_ARGUMENT for what is no header of `family`, `NetError` MESSAGE_TOO_LONG.
    """
    if family is Family.IPV6:
        return _given_ipv6(data)
    length = (data[0] & 0xF) * 4 if data else 0
    if len(data) < ipv4.HEADER_LENGTH or data[0] >> 4 != 4 or not ipv4.HEADER_LENGTH <= length <= len(data):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "what is sent does not start with an IPv4 header")
    if len(data) > ipv4.MAX_LENGTH:
        raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{len(data)} bytes are more than an IPv4 packet has")
    header = bytearray(data[:length])
    header[2:4] = len(data).to_bytes(2, "big")
    if not any(header[4:6]):
        header[4:6] = (identification() & 0xFFFF).to_bytes(2, "big")
    if not any(header[12:16]):
        header[12:16] = source
    header[10:12] = bytes(2)
    header[10:12] = (-int.from_bytes(header, "big") % 0xFFFF).to_bytes(2, "big")
    return Given(bytes(header) + data[length:], length, header[9], bytes(header[12:16]))


def _given_ipv6(data: bytes) -> Given:
    if len(data) < ipv6.HEADER_LENGTH or data[0] >> 4 != 6:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "what is sent does not start with an IPv6 header")
    upper = ipv6_extensions.find_upper(data)
    return Given(data, upper.offset, upper.protocol, data[8:24])
