"""ICMPv4: RFC 792, RFC 1122 3.2.2, RFC 1191 4 (the MTU field), RFC 1812 4.3 and 5.2.7, RFC 6633 (no source quench)."""

from __future__ import annotations

from scapy.layers.inet import ICMP

from wsknet.control.fields import address_bytes, address_text
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import Redirect
from wsknet.trace import DropReason
from wsknet.wire.checksum import internet_checksum

HEADER_LENGTH = 8
MIN_QUOTE = 28
"""Bytes quoted at least: an IP header and 64 bits of what follows (RFC 792)."""

_ECHO_REPLY = 0
_UNREACHABLE = 3
_REDIRECT = 5
_ECHO_REQUEST = 8
_TIME_EXCEEDED = 11
_PARAMETER_PROBLEM = 12
_TYPES = frozenset((_ECHO_REPLY, _UNREACHABLE, _REDIRECT, _ECHO_REQUEST, _TIME_EXCEEDED, _PARAMETER_PROBLEM))

_REDIRECT_HOST = 1
"""The code sent: a network cannot be told without its mask (RFC 1812 5.2.7.2)."""
_LAST_REDIRECT = 3
"""Of four codes, for network or host, for one type of service or all; a host takes each for host
(RFC 1122 3.2.2.2)."""

_UNREACHABLE_KINDS = {
    0: IcmpErrorKind.NETWORK_UNREACHABLE,
    1: IcmpErrorKind.HOST_UNREACHABLE,
    2: IcmpErrorKind.PROTOCOL_UNREACHABLE,
    3: IcmpErrorKind.PORT_UNREACHABLE,
    4: IcmpErrorKind.PACKET_TOO_BIG,
    5: IcmpErrorKind.HOST_UNREACHABLE,  # source route failed; RFC 1122 4.2.3.9 treats 0, 1 and 5 alike
    6: IcmpErrorKind.NETWORK_UNREACHABLE,  # network unknown
    7: IcmpErrorKind.HOST_UNREACHABLE,  # host unknown
    8: IcmpErrorKind.HOST_UNREACHABLE,  # source host isolated
    9: IcmpErrorKind.ADMIN_PROHIBITED,
    10: IcmpErrorKind.ADMIN_PROHIBITED,
    11: IcmpErrorKind.NETWORK_UNREACHABLE,  # not for this type of service
    12: IcmpErrorKind.HOST_UNREACHABLE,  # not for this type of service
    13: IcmpErrorKind.ADMIN_PROHIBITED,
    14: IcmpErrorKind.ADMIN_PROHIBITED,  # host precedence violation
    15: IcmpErrorKind.ADMIN_PROHIBITED,  # precedence cutoff
}

_TYPE_AND_CODE = {
    IcmpErrorKind.NETWORK_UNREACHABLE: (_UNREACHABLE, 0),
    IcmpErrorKind.HOST_UNREACHABLE: (_UNREACHABLE, 1),
    IcmpErrorKind.PROTOCOL_UNREACHABLE: (_UNREACHABLE, 2),
    IcmpErrorKind.PORT_UNREACHABLE: (_UNREACHABLE, 3),
    IcmpErrorKind.PACKET_TOO_BIG: (_UNREACHABLE, 4),
    IcmpErrorKind.ADMIN_PROHIBITED: (_UNREACHABLE, 13),
    IcmpErrorKind.TIME_EXCEEDED: (_TIME_EXCEEDED, 0),
    IcmpErrorKind.PARAMETER_PROBLEM: (_PARAMETER_PROBLEM, 0),
}


def decode(payload: bytes) -> EchoMessage | IcmpError | Redirect | DropReason:
    if len(payload) < HEADER_LENGTH:
        return DropReason.ICMP_TRUNCATED
    if internet_checksum(payload):
        return DropReason.ICMP_BAD_CHECKSUM
    if payload[0] not in _TYPES:
        return DropReason.ICMP_UNKNOWN_TYPE
    header = ICMP(payload[:HEADER_LENGTH])
    body = payload[HEADER_LENGTH:]
    if header.type in (_ECHO_REQUEST, _ECHO_REPLY):
        return EchoMessage(header.type == _ECHO_REPLY, header.id, header.seq, body, header.code)
    if header.type == _REDIRECT:
        return _decode_redirect(header, body)
    return _decode_error(header, body)


def _decode_redirect(header: ICMP, quoted: bytes) -> Redirect | DropReason:
    if header.code > _LAST_REDIRECT:
        return DropReason.ICMP_UNKNOWN_TYPE
    if len(quoted) < MIN_QUOTE:
        return DropReason.ICMP_TRUNCATED
    return Redirect(address_bytes(header.gw), quoted[16:20], quoted)


def _decode_error(header: ICMP, quoted: bytes) -> IcmpError | DropReason:
    if len(quoted) < MIN_QUOTE:
        return DropReason.ICMP_TRUNCATED
    if header.type == _TIME_EXCEEDED:
        return IcmpError(IcmpErrorKind.TIME_EXCEEDED, quoted, code=header.code)
    if header.type == _PARAMETER_PROBLEM:
        return IcmpError(IcmpErrorKind.PARAMETER_PROBLEM, quoted, pointer=header.ptr, code=header.code)
    kind = _UNREACHABLE_KINDS.get(header.code, IcmpErrorKind.OTHER)
    if kind is IcmpErrorKind.PACKET_TOO_BIG:
        return IcmpError(kind, quoted, mtu=header.nexthopmtu)
    return IcmpError(kind, quoted, code=header.code if kind is IcmpErrorKind.OTHER else 0)


def encode(message: IcmpMessage) -> bytes:
    if isinstance(message, EchoMessage):
        kind = _ECHO_REPLY if message.is_reply else _ECHO_REQUEST
        header = ICMP(type=kind, code=message.code, chksum=0, id=message.identifier, seq=message.sequence)
        return _with_checksum(bytes(header) + message.data)
    if isinstance(message, IcmpError) and message.kind in _TYPE_AND_CODE:
        return _with_checksum(bytes(_error_header(message)) + message.quoted)
    if isinstance(message, Redirect):
        header = ICMP(type=_REDIRECT, code=_REDIRECT_HOST, chksum=0, gw=address_text(message.gateway))
        return _with_checksum(bytes(header) + message.quoted)
    raise ValueError(f"ICMPv4 has no message for {message!r}")


def _error_header(error: IcmpError) -> ICMP:
    number, code = _TYPE_AND_CODE[error.kind]
    if number == _TIME_EXCEEDED:
        return ICMP(type=number, code=error.code, chksum=0)
    if number == _PARAMETER_PROBLEM:
        return ICMP(type=number, code=error.code, chksum=0, ptr=error.pointer)
    return ICMP(type=number, code=code, chksum=0, nexthopmtu=error.mtu)


def _with_checksum(message: bytes) -> bytes:
    return message[:2] + internet_checksum(message).to_bytes(2, "big") + message[4:]
