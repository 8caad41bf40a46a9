"""ICMPv6: RFC 4443, RFC 8200 8.1 (pseudo-header).  `ndp`, `router_messages` and `mld` have what else it carries."""

from __future__ import annotations

from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    ICMPv6Unknown,
)

from wsknet.control import mld, ndp, router_messages
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.groups import GroupLeave, GroupQuery, GroupReport, OldGroupReport
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import (
    NeighbourAdvertisement,
    NeighbourSolicitation,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from wsknet.trace import DropReason
from wsknet.types import Address, Proto
from wsknet.wire.checksum import pseudo_sum, transport_checksum, transport_is_valid

HEADER_LENGTH = 8
MIN_QUOTE = 48
"""Bytes quoted at least: an IP header and as much of what follows as ports need."""

_UNREACHABLE = 1
_TOO_BIG = 2
_TIME_EXCEEDED = 3
_PARAMETER_PROBLEM = 4
_LAST_ERROR = 127
"""RFC 4443 2.1: a type with the highest bit clear is an error."""
_ECHO_REQUEST = 128
_ECHO_REPLY = 129

_UNRECOGNIZED_NEXT_HEADER = 1
"""Code of a parameter problem: what IPv6 has for ICMPv4's protocol unreachable (RFC 4443 3.4)."""

_UNREACHABLE_KINDS = {
    0: IcmpErrorKind.NETWORK_UNREACHABLE,  # no route
    1: IcmpErrorKind.ADMIN_PROHIBITED,
    2: IcmpErrorKind.NETWORK_UNREACHABLE,  # beyond the scope of the source address
    3: IcmpErrorKind.HOST_UNREACHABLE,
    4: IcmpErrorKind.PORT_UNREACHABLE,
    5: IcmpErrorKind.ADMIN_PROHIBITED,  # RFC 4443 3.1: 5 and 6 are subsets of 1
    6: IcmpErrorKind.ADMIN_PROHIBITED,
}
_UNREACHABLE_CODES = {
    IcmpErrorKind.NETWORK_UNREACHABLE: 0,
    IcmpErrorKind.ADMIN_PROHIBITED: 1,
    IcmpErrorKind.HOST_UNREACHABLE: 3,
    IcmpErrorKind.PORT_UNREACHABLE: 4,
}


def decode(source: Address, destination: Address, payload: bytes) -> IcmpMessage | DropReason:
    if len(payload) < HEADER_LENGTH:
        return DropReason.ICMP_TRUNCATED
    if not transport_is_valid(pseudo_sum(source, destination, Proto.ICMPV6), payload):
        return DropReason.ICMP_BAD_CHECKSUM
    number = payload[0]
    if number <= _LAST_ERROR:
        return _decode_error(payload)
    if number in (_ECHO_REQUEST, _ECHO_REPLY):
        header = ICMPv6EchoRequest(payload[:HEADER_LENGTH])
        return EchoMessage(number == _ECHO_REPLY, header.id, header.seq, payload[HEADER_LENGTH:], header.code)
    return _decode_of_link(source, destination, payload)


def _decode_of_link(source: Address, destination: Address, payload: bytes) -> IcmpMessage | DropReason:
    if payload[0] in mld.TYPES:
        return mld.decode(payload)
    if payload[0] in router_messages.HEADER_LENGTHS:
        return router_messages.decode(source, destination, payload)
    return ndp.decode(source, destination, payload)


def _decode_error(payload: bytes) -> IcmpError | DropReason:
    number, header, quoted = payload[0], payload[:HEADER_LENGTH], payload[HEADER_LENGTH:]
    if len(quoted) < MIN_QUOTE:
        return DropReason.ICMP_TRUNCATED
    if number == _TOO_BIG:
        return IcmpError(IcmpErrorKind.PACKET_TOO_BIG, quoted, mtu=ICMPv6PacketTooBig(header).mtu)
    if number == _TIME_EXCEEDED:
        return IcmpError(IcmpErrorKind.TIME_EXCEEDED, quoted, code=ICMPv6TimeExceeded(header).code)
    if number == _PARAMETER_PROBLEM:
        problem = ICMPv6ParamProblem(header)
        if problem.code == _UNRECOGNIZED_NEXT_HEADER:
            return IcmpError(IcmpErrorKind.PROTOCOL_UNREACHABLE, quoted, pointer=problem.ptr)
        return IcmpError(IcmpErrorKind.PARAMETER_PROBLEM, quoted, pointer=problem.ptr, code=problem.code)
    code = ICMPv6Unknown(header).code
    kind = _UNREACHABLE_KINDS.get(code) if number == _UNREACHABLE else None
    return IcmpError(IcmpErrorKind.OTHER, quoted, code=code) if kind is None else IcmpError(kind, quoted)


def encode(source: Address, destination: Address, message: IcmpMessage) -> bytes:
    if isinstance(message, EchoMessage):
        layer = ICMPv6EchoReply if message.is_reply else ICMPv6EchoRequest
        header = bytes(layer(code=message.code, cksum=0, id=message.identifier, seq=message.sequence))
        body = message.data
    elif isinstance(message, IcmpError):
        header, body = _encode_error_header(message), message.quoted
    elif isinstance(message, NeighbourSolicitation):
        header, body = ndp.encode_solicitation(message), b""
    elif isinstance(message, NeighbourAdvertisement):
        header, body = ndp.encode_advertisement(message), b""
    elif isinstance(message, (RouterSolicitation, RouterAdvertisement, Redirect)):
        header, body = router_messages.encode(message), b""
    elif isinstance(message, (GroupQuery, GroupReport, OldGroupReport, GroupLeave)):
        header, body = mld.encode(message), b""
    else:
        raise ValueError(f"ICMPv6 has no message for {message!r}")
    checksum = transport_checksum(pseudo_sum(source, destination, Proto.ICMPV6), header, (body,))
    return header[:2] + checksum.to_bytes(2, "big") + header[4:] + body


def _encode_error_header(error: IcmpError) -> bytes:
    kind = error.kind
    if kind is IcmpErrorKind.PACKET_TOO_BIG:
        return bytes(ICMPv6PacketTooBig(code=0, cksum=0, mtu=error.mtu))
    if kind is IcmpErrorKind.TIME_EXCEEDED:
        return bytes(ICMPv6TimeExceeded(code=error.code, cksum=0))
    if kind is IcmpErrorKind.PARAMETER_PROBLEM:
        return bytes(ICMPv6ParamProblem(code=error.code, cksum=0, ptr=error.pointer))
    if kind is IcmpErrorKind.PROTOCOL_UNREACHABLE:
        return bytes(ICMPv6ParamProblem(code=_UNRECOGNIZED_NEXT_HEADER, cksum=0, ptr=error.pointer))
    if kind not in _UNREACHABLE_CODES:
        raise ValueError(f"ICMPv6 has no message for {kind!r}")
    return bytes(ICMPv6DestUnreach(code=error.code or _UNREACHABLE_CODES[kind], cksum=0))
