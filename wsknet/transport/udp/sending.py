"""Sending UDP datagrams in a `Manner` of their own: RFC 768 (no checksum), IPPROTO_UDP Socket Options (messages)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, NetError
from wsknet.net.packet import MAX_PAYLOAD
from wsknet.types import Proto
from wsknet.wire import ipv4, ipv6
from wsknet.wire import udp as wire
from wsknet.wire.checksum import pseudo_sum

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.net.packet import Path
    from wsknet.transport.manner import Manner
    from wsknet.transport.udp.protocol import UdpProtocol
    from wsknet.types import Buffers, Instant

MAX_SEGMENTED = 0xFFFF
"""Bytes that are cut into messages by one send: what msquic gives at most (CXPLAT_LARGE_SEND_BUFFER_SIZE)."""

_HEADERS = {4: ipv4.HEADER_LENGTH + wire.HEADER_LENGTH, 16: ipv6.HEADER_LENGTH + wire.HEADER_LENGTH}


class Departure(NamedTuple):
    """Where a datagram goes, and what is its own of what it says on the way."""

    path: Path
    ports: tuple[int, int]
    hop_limit: int | None
    """Of a multicast; `None`: it is none."""
    traffic_class: int
    is_heard_here: bool


def send_in_manner(protocol: UdpProtocol, manner: Manner, data: Buffers, departure: Departure, now: Instant) -> None:
    """Raises `NetError` MESSAGE_TOO_LONG; nothing is sent then, unless routing changes in between."""
    path, (source_port, port), hop_limit, traffic_class, is_heard_here = departure
    length = len(path.destination)
    terms = manner.terms[length]
    path = terms.adapt(path)
    if hop_limit is None:
        hop_limit = terms.hop_limit
    pseudo = pseudo_sum(path.source, path.destination, Proto.UDP)
    label = protocol.flow_labels[path.source, source_port, path.destination, port] if length == 16 else 0
    for message in _messages(b"".join(data), manner.message_size, path):
        checksum = wire.NO_CHECKSUM
        if manner.has_checksum or length == 16:
            checksum = wire.checksum(pseudo, source_port, port, (message,))
        header = wire.build(source_port, port, len(message), checksum)
        protocol.ip.send(
            path,
            Proto.UDP,
            header,
            (message,),
            now,
            hop_limit,
            traffic_class,
            label,
            may_fragment=terms.may_fragment,
            is_heard_here=is_heard_here,
        )


def _messages(data: bytes, size: int, path: Path) -> Iterator[bytes]:
    """Messages that are cut here are not cut again: they have to fit the path."""
    if not size or len(data) <= size:
        if len(data) > MAX_PAYLOAD[path.family] - wire.HEADER_LENGTH - len(path.options):
            raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{len(data)} bytes do not fit into one datagram")
        return iter((data,))
    room = path.mtu - _HEADERS[len(path.destination)] - len(path.options)
    if size > room:
        raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"messages of {size} bytes, the path takes {room}")
    if len(data) > MAX_SEGMENTED:
        raise NetError(ErrorKind.MESSAGE_TOO_LONG, f"{len(data)} bytes are more than one send may cut")
    return (data[at : at + size] for at in range(0, len(data), size))
