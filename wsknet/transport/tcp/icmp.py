"""ICMP errors about a connection: RFC 1122 4.2.3.9, RFC 5461 (soft errors), RFC 5927 (attacks with them), RFC 1191 and
RFC 8201 (path MTU)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.transport.icmp_errors import error_kind, is_silent_neighbour
from wsknet.transport.tcp.segments import mss_after_too_big
from wsknet.transport.tcp.seq import unwrap
from wsknet.transport.tcp.state import CONNECTING, State

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.transport.tcp.connection import Connection
    from wsknet.types import Instant

_HARD = (IcmpErrorKind.PORT_UNREACHABLE, IcmpErrorKind.PROTOCOL_UNREACHABLE)
"""End a connection that is being opened.  Later they count as soft: a forged one must not end it (RFC 5927 5.2)."""


def is_about(connection: Connection, seq: int) -> bool:
    """Whether a segment that starts at `seq` is in flight; other errors are forged or late (RFC 5927 4.1)."""
    sender = connection.sender
    return sender.una <= unwrap(seq, sender.una) < sender.sent


def take_error(connection: Connection, error: Undelivered, now: Instant) -> None:
    """All but those of `_HARD` are soft: remembered, and reported in place of a time-out should the retries be used up.

    While connecting, two policies may make them final: one for what routers say, one for a silent neighbour.
    """
    if error.kind is IcmpErrorKind.PACKET_TOO_BIG:
        _shrink(connection, error.mtu, now)
    elif connection.state is State.SYN_SENT:
        _while_connecting(connection, error, now)
    elif not is_silent_neighbour(error) or connection.protocol.fails_on_unreachable_neighbour:
        connection.take_soft_error(error_kind(error))  # else it ends in a time-out, as while connecting (D-29)


def _while_connecting(connection: Connection, error: Undelivered, now: Instant) -> None:
    protocol, endpoint = connection.protocol, connection.endpoint
    if endpoint.settings.fails_on_icmp_error and error.reporter is not None:
        endpoint.icmp_error = error
        connection.fail(ErrorKind.HOST_UNREACHABLE, now)
        return
    if is_silent_neighbour(error):
        if protocol.fails_on_unreachable_neighbour:
            connection.fail(error_kind(error), now)
        return  # else the retries go on, and end in a time-out (D-29)
    if error.kind in _HARD or protocol.policy.connect_fails_on_soft_error:
        connection.fail(error_kind(error), now)
    else:
        connection.take_soft_error(error_kind(error))


def _shrink(connection: Connection, mtu: int, now: Instant) -> None:
    """What is in flight was lost, and congestion had nothing to do with it (RFC 1191 6.4)."""
    sender = connection.sender
    sender.segments.refresh_path()  # first: else it would undo this when the next segment is cut
    sender.path_changed(min(mss_after_too_big(mtu, connection.remote.address), sender.size.path))
    if connection.state not in CONNECTING:
        sender.repeat_too_long(now)
