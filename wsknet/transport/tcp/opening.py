"""From CLOSED to ESTABLISHED: RFC 9293 3.5, 3.10.7.2 to 3.10.7.4 (fifth step), RFC 6298 5.7, RFC 7413 for connections
that are of use before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.fast_open import accept_early
from wsknet.transport.tcp.handshake import send_syn, take_syn
from wsknet.transport.tcp.retransmission import schedule
from wsknet.transport.tcp.state import Cause, State

if TYPE_CHECKING:
    from wsknet.transport.tcp.connection import Connection
    from wsknet.transport.tcp.listener import Listener
    from wsknet.types import Duration, Instant
    from wsknet.wire import tcp


def open_actively(connection: Connection, now: Instant) -> None:
    connection.change(Cause.CONNECT)
    _number_syn(connection, now)
    send_syn(connection, now)


def open_passively(connection: Connection, segment: tcp.Segment, listener: Listener, now: Instant) -> None:
    """For a listener.  With Fast Open the data of the SYN is received, and the connection can be accepted, while
    the handshake goes on."""
    connection.listener = listener
    connection.is_early = connection.has_fast_open and accept_early(connection, segment, now)
    early = segment.payload if connection.is_early else b""
    respond_to_syn(connection, segment, now, early)
    if connection.is_early:
        listener.established(connection)  # it need not wait for the end of its handshake (RFC 7413 4.2.2)


def open_from_cookie(connection: Connection, syn: tcp.Segment, listener: Listener, now: Instant) -> None:
    """As `open_passively`, for a SYN that a cookie has answered before."""
    connection.listener = listener
    connection.change(Cause.SYN)
    take_syn(connection, syn, now)
    _number_syn(connection, now)
    connection.has_repeated_syn = True  # when it was sent nobody knows
    connection.timers.retransmit.arm(connection.timeout(now))


def respond_to_syn(connection: Connection, segment: tcp.Segment, now: Instant, early: bytes = b"") -> None:
    """Enter SYN-RECEIVED: for a listener, or because both sides opened at the same time.  `early` data is taken."""
    connection.change(Cause.SYN)
    take_syn(connection, segment, now)
    connection.receiver.insert(connection.receiver.nxt, early, True)
    if connection.listener is None:  # our SYN is out; data that went with it has not been taken
        connection.fast_open = None
        connection.sender.nxt = connection.sender.sent = connection.sender.iss + 1
        connection.sender.board.clear()
    else:
        _number_syn(connection, now)
    send_syn(connection, now)


def _number_syn(connection: Connection, now: Instant) -> None:
    connection.sender.nxt = connection.sender.sent = connection.sender.iss + 1
    connection.syn_at = connection.sender.stalled_since = now


def repeat_syn(connection: Connection, now: Instant) -> None:
    connection.has_repeated_syn = True
    connection.repeated_syns += 1
    if connection.state is State.SYN_SENT and connection.fast_open is not None:
        connection.protocol.fast_open.forget(connection.remote.address)
        connection.fast_open = None
    send_syn(connection, now)


def establish(connection: Connection, cause: Cause, window: int, now: Instant, echo: Duration | None = None) -> None:
    """Our SYN is acknowledged and theirs is here.  `window` is in bytes, `echo` the round trip by timestamps."""
    connection.change(cause)
    sender = connection.sender
    sender.una = sender.iss + 1
    if not connection.has_repeated_syn:
        sender.round_trip.sample(now - connection.syn_at)
    elif echo is not None:
        sender.round_trip.sample(echo)
    if sender.recovery.retries:
        sender.round_trip.syn_was_lost()
        sender.congestion.lost_syn()
        sender.recovery.retries = 0
    sender.set_window(window)
    sender.window_ack = sender.una
    connection.timers.retransmit.cancel()
    connection.last_heard = now
    connection.take_soft_error(None)
    if connection.endpoint.keep_alive:
        connection.start_keep_alive()
    if connection.is_early:
        _end_early(connection, now)
    elif connection.listener is not None:
        connection.listener.established(connection)
    else:
        connection.notify(Ready.CONNECTED)


def _end_early(connection: Connection, now: Instant) -> None:
    """What the application has done meanwhile takes its usual course."""
    sender = connection.sender
    connection.is_early = False
    connection.protocol.fast_open.early.pop(connection, None)
    if sender.nxt > sender.una:
        sender.timeout_at = connection.timeout(now)
        schedule(sender, now)
    if connection.has_to_finish:
        connection.finish(now)
