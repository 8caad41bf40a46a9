"""A timer of a connection expires: RFC 9293 3.8.3, 3.8.4, 3.8.6.1, 3.10.8; RFC 1122 4.2.3.5, 4.2.3.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.transport.tcp.delivery import look
from wsknet.transport.tcp.opening import repeat_syn
from wsknet.transport.tcp.retransmission import Alarm, probe_tail, schedule, timed_out
from wsknet.transport.tcp.state import CONNECTING, State
from wsknet.types import Instant
from wsknet.wire import tcp

if TYPE_CHECKING:
    from wsknet.transport.tcp.connection import Connection


_DOUBTFUL = 3
"""Retransmissions after which the next hop is doubted: the least that R1 may be (RFC 1122 4.2.3.5 (a))."""


def retransmission(connection: Connection, now: Instant) -> None:
    sender = connection.sender
    recovery = sender.recovery
    if connection.state not in CONNECTING:
        if sender.is_overdue(now):
            _give_up(connection, now)
            return
        if sender.alarm is Alarm.REORDER:
            look(sender, now)
            schedule(sender, now)
            sender.output(now)
            return
        if sender.alarm is Alarm.PROBE:
            probe_tail(sender, now)
            return
        if now < sender.timeout_at:  # set to the end of a user timeout that has been prolonged since
            schedule(sender, now)
            return
    if recovery.retries == _DOUBTFUL - 1:
        connection.protocol.ip.doubt(connection.segments.path, now)
    if connection.state in CONNECTING:
        _syn(connection, now)
    elif sender.user_timeout is None and recovery.retries >= connection.protocol.policy.data_retries:
        _give_up(connection, now)
    else:
        timed_out(sender, now)


def _syn(connection: Connection, now: Instant) -> None:
    """Our SYN or SYN-ACK was not answered."""
    sender, policy = connection.sender, connection.protocol.policy
    retries = connection.endpoint.settings.syn_retries
    if retries is None:
        is_answer = connection.listener is not None or connection.is_early
        retries = policy.syn_ack_retries if is_answer else policy.syn_retries
    is_over = sender.recovery.retries >= retries if sender.user_timeout is None else sender.is_overdue(now)
    if is_over:
        connection.fail(connection.soft_error or ErrorKind.TIMED_OUT, now)
        return
    sender.recovery.retries += 1
    sender.round_trip.back_off()
    repeat_syn(connection, now)


def persist(connection: Connection, now: Instant) -> None:
    """The window has been too small for a while.

    As long as the peer answers, the connection stays open (RFC 9293 3.8.6.1), however long that takes: but not for a
    socket that is closed already.
    """
    sender = connection.sender
    if sender.pipe > 0 or (sender.una == sender.queue.end and sender.fin_at != sender.una):
        return
    in_vain = sender.probes if connection.endpoint.is_closed else sender.unanswered
    retries = connection.protocol.policy.data_retries
    if sender.is_overdue(now) or (sender.user_timeout is None and in_vain > retries):
        _give_up(connection, now)
    else:
        sender.probe(now)


def keep_alive(connection: Connection, now: Instant) -> None:
    endpoint = connection.endpoint
    settings = endpoint.keep_alive_settings
    timer = connection.timers.keep_alive
    if not endpoint.keep_alive or timer is None or connection.state in CONNECTING:
        return
    due = connection.last_heard + settings.idle
    sender = connection.sender
    if now < due or sender.nxt != sender.una or connection.timers.persist.is_armed:
        # Heard from meanwhile, or waiting for an answer anyway: other timers see to that.
        connection.keep_alive_probes = 0
        timer.arm(Instant(max(due, now + settings.interval)))
        return
    if connection.keep_alive_probes >= settings.probes:
        _give_up(connection, now)
        return
    connection.keep_alive_probes += 1
    timer.arm(Instant(now + settings.interval))
    # One before what the peer expects: it must answer, and a peer that has restarted resets.
    payload = (b"\0",) if connection.protocol.policy.keep_alive_has_byte else ()
    connection.segments.send(sender.sent - 1, tcp.ACK, payload, now)


def _give_up(connection: Connection, now: Instant) -> None:
    """The peer does not answer.  The reset tells it, should only the way back be broken."""
    if connection.state not in (State.CLOSING, State.LAST_ACK):
        connection.send_reset(now)
    connection.fail(connection.soft_error or ErrorKind.TIMED_OUT, now)
