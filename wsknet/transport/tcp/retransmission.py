"""The one timer of what is in flight: RFC 6298 5 (timeout), RFC 8985 6.2 and 7 (reordering window, tail loss probe)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from wsknet.transport.tcp.recovery import Phase
from wsknet.transport.tcp.segments import mss_for
from wsknet.types import MILLISECOND, Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.transport.tcp.send import Sender
    from wsknet.transport.tcp.seq import Position

_WORST_DELAYED_ACK = 200 * MILLISECOND
"""RFC 8985 7.2: how long the acknowledgement of a lone segment may be delayed."""


class Alarm(Enum):
    """What the retransmission timer stands for: one of these at a time (RFC 8985 8)."""

    TIMEOUT = "RTO"
    PROBE = "PTO, a tail loss probe"
    REORDER = "RACK, the end of the reordering window"


_OPEN = Phase.OPEN
_TIMEOUT = Alarm.TIMEOUT
_PROBE = Alarm.PROBE
"""Looked up for every segment, and members of an enum are slow to find."""


def schedule(sender: Sender, now: Instant) -> None:
    """Set the timer for what is in flight: to the retransmission timeout, or to something before it."""
    retransmit = sender.timers.retransmit
    outstanding = sender.nxt - sender.una
    if not outstanding:
        retransmit.deadline = None
        return
    recovery = sender.recovery
    deadline: int = sender.timeout_at
    sender.alarm = _TIMEOUT
    if recovery.look_at is not None:
        if recovery.look_at < deadline:
            sender.alarm = Alarm.REORDER
            deadline = recovery.look_at
    elif recovery.uses_rack and recovery.phase is _OPEN and sender.tail_probe_end is None and not sender.board.gone:
        at = now + sender.round_trip.probe_timeout
        if outstanding <= sender.mss:
            at += _WORST_DELAYED_ACK
        if at < deadline:
            sender.alarm = _PROBE
            deadline = at
    elif sender.pipe <= 0 and sender.timers.persist.is_armed:
        return
    if sender.user_timeout is not None:
        deadline = min(deadline, sender.stalled_since + sender.user_timeout)
    sender.timers.persist.deadline = None
    retransmit.arm(deadline)  # type: ignore[arg-type]  # an Instant, which it would cost a call to make


def probe_tail(sender: Sender, now: Instant) -> None:
    """RFC 8985 7.3: send a new segment or the last one again, so that its acknowledgement tells what is missing."""
    sender.segments.refresh_path()
    nxt = sender.nxt
    room = sender.una + sender.window - nxt
    waiting = sender.queue.end - nxt
    length = min(waiting, sender.room)
    sender.tail_probe_was_repeat = not 0 < length <= room
    if sender.tail_probe_was_repeat:
        sender.repeat(len(sender.board.records) - 1, now)
    else:
        sender.send_next(length, now)
    sender.tail_probe_end = sender.nxt
    sender.timeout_at = now + sender.round_trip.rto
    schedule(sender, now)


def settle_probe(sender: Sender, blocks: Sequence[tuple[Position, Position]], is_duplicate: bool, now: Instant) -> None:
    """RFC 8985 7.4.2: whether the probe repaired a loss, which then has to be answered by the window."""
    end = sender.tail_probe_end
    if end is None or sender.una < end:
        return
    if not sender.tail_probe_was_repeat:
        sender.tail_probe_end = None
    elif blocks and blocks[0][1] == end:
        sender.tail_probe_end = None  # D-SACK: both copies arrived
    elif sender.una > end:
        sender.tail_probe_end = None
        sender.recovery.tail_was_lost(sender.nxt - sender.una, sender.pipe, now)
    elif is_duplicate and not blocks:
        sender.tail_probe_end = None


def timed_out(sender: Sender, now: Instant) -> None:
    """The retransmission timer expired (RFC 6298 5.4 to 5.6, RFC 5681 3.1)."""
    # Perhaps because the path has become one with a smaller MTU, of which no router tells when it is our own link.
    path = sender.segments.path
    sender.path_changed(mss_for(path.mtu, path.destination))
    records = sender.board.records
    if sender.detects_black_holes and records:
        sender.size.timed_out(sender.data_in(records[0]), sender.recovery.retries, now)
        sender.resize()
    sender.recovery.timed_out(sender.una, sender.nxt, now, sender.round_trip.smoothed)
    sender.tail_probe_end = None
    sender.round_trip.back_off()
    sender.timeout_at = now + sender.round_trip.rto
    sender.output(now)
    schedule(sender, now)
