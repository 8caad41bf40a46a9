"""ICMP errors about a connection: RFC 1122 4.2.3.9, RFC 5927 (attacks with them), RFC 1191 and RFC 8201 (path MTU)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.net.messages import IcmpErrorKind
from wsknet.transport.tcp.segments import mss_after_too_big
from wsknet.transport.tcp.seq import unwrap
from wsknet.transport.tcp.state import CONNECTING, State

if TYPE_CHECKING:
    from wsknet.transport.tcp.connection import Connection
    from wsknet.types import Instant

_HARD = {
    IcmpErrorKind.PORT_UNREACHABLE: ErrorKind.PORT_UNREACHABLE,
    IcmpErrorKind.PROTOCOL_UNREACHABLE: ErrorKind.PROTOCOL_UNREACHABLE,
}
"""End a connection that is being opened.  Later they count as soft: a forged one must not end it (RFC 5927 5.2)."""

_SOFT = {
    IcmpErrorKind.NETWORK_UNREACHABLE: ErrorKind.NO_ROUTE,
    IcmpErrorKind.HOST_UNREACHABLE: ErrorKind.HOST_UNREACHABLE,
    IcmpErrorKind.ADMIN_PROHIBITED: ErrorKind.HOST_UNREACHABLE,
    IcmpErrorKind.TIME_EXCEEDED: ErrorKind.HOST_UNREACHABLE,
}
"""Remembered, and reported in place of a time-out should the retries be used up."""


def is_about(connection: Connection, seq: int) -> bool:
    """Whether a segment that starts at `seq` is in flight; other errors are forged or late (RFC 5927 4.1)."""
    sender = connection.sender
    return sender.una <= unwrap(seq, sender.una) < sender.sent


def take_error(connection: Connection, kind: IcmpErrorKind, mtu: int, now: Instant) -> None:
    """`mtu` is that of PACKET_TOO_BIG."""
    if kind is IcmpErrorKind.PACKET_TOO_BIG:
        _shrink(connection, mtu, now)
    elif connection.state is State.SYN_SENT and kind in _HARD:
        connection.fail(_HARD[kind], now)
    elif kind is IcmpErrorKind.HOST_UNREACHABLE and connection.state is State.SYN_SENT:
        _host_unreachable(connection, now)
    elif kind in _SOFT:
        connection.take_soft_error(_SOFT[kind])


def _host_unreachable(connection: Connection, now: Instant) -> None:
    """From a router, or from our own link: then the neighbour never answered (D-29)."""
    neighbour = connection.segments.path.neighbour
    if connection.protocol.fails_on_unreachable_neighbour:
        connection.fail(ErrorKind.HOST_UNREACHABLE, now)
    elif neighbour is None or neighbour.mac is not None:
        connection.take_soft_error(ErrorKind.HOST_UNREACHABLE)


def _shrink(connection: Connection, mtu: int, now: Instant) -> None:
    """What is in flight was lost, and congestion had nothing to do with it (RFC 1191 6.4)."""
    sender = connection.sender
    if sender.limit_segments(mss_after_too_big(mtu, connection.remote.address)) and connection.state not in CONNECTING:
        sender.go_back()
        sender.output(now)
