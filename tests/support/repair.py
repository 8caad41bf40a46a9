"""Lengths and checksums made right again after a mutation, so that what lies behind them is reached."""

from __future__ import annotations

from wsknet.types import Proto
from wsknet.wire.checksum import internet_checksum, pseudo_sum, transport_checksum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6

_LINK = 14
_CHECKSUM_AT = {Proto.ICMP: 2, Proto.IGMP: 2, Proto.TCP: 16, Proto.UDP: 6, Proto.ICMPV6: 2}
_PLAIN_SUM = (Proto.ICMP, Proto.IGMP)
"""Without a pseudo-header."""
_EXTENSIONS = (0, 43, 60)


def repaired(frame: bytes) -> bytes:
    """`frame` with the lengths and checksums that fit it, as far as its headers can be followed."""
    ethertype = int.from_bytes(frame[12:14], "big")
    packet = bytearray(frame[_LINK:])
    if ethertype == ETHERTYPE_IPV4 and len(packet) >= 20:
        _repair_ipv4(packet)
    elif ethertype == ETHERTYPE_IPV6 and len(packet) >= 40:
        _repair_ipv6(packet)
    return frame[:_LINK] + bytes(packet)


def _repair_ipv4(packet: bytearray) -> None:
    header = (packet[0] & 0x0F) * 4
    if not 20 <= header <= len(packet):
        packet[0] = 0x45
        header = 20
    packet[2:4] = len(packet).to_bytes(2, "big")
    if not (packet[6] & 0x3F or packet[7]):
        _repair_transport(packet, header, packet[9], bytes(packet[12:16]), bytes(packet[16:20]))
    packet[10:12] = b"\0\0"
    packet[10:12] = internet_checksum(bytes(packet[:header])).to_bytes(2, "big")


def _repair_ipv6(packet: bytearray) -> None:
    packet[4:6] = (len(packet) - 40).to_bytes(2, "big")
    protocol, at = packet[6], 40
    while protocol in _EXTENSIONS and at + 8 <= len(packet):
        protocol, at = packet[at], at + (packet[at + 1] + 1) * 8
    if at <= len(packet):
        _repair_transport(packet, at, protocol, bytes(packet[8:24]), bytes(packet[24:40]))


def _repair_transport(packet: bytearray, at: int, protocol: int, source: bytes, destination: bytes) -> None:
    if protocol not in tuple(_CHECKSUM_AT) or len(packet) < at + 8:
        return
    field = at + _CHECKSUM_AT[Proto(protocol)]
    if len(packet) < field + 2:
        return
    if protocol == Proto.UDP:
        packet[at + 4 : at + 6] = (len(packet) - at).to_bytes(2, "big")
    packet[field : field + 2] = b"\0\0"
    message = bytes(packet[at:])
    if protocol in _PLAIN_SUM:
        checksum = internet_checksum(message)
    else:
        checksum = transport_checksum(pseudo_sum(source, destination, protocol), b"", (message,)) or 0xFFFF
    packet[field : field + 2] = checksum.to_bytes(2, "big")
