"""What acknowledgements tell of what we sent: RFC 9293 3.10.7.4 (fifth step), RFC 6298 3 (samples), RFC 6675 5, RFC
8985 6.2; RFC 2883 and RFC 3522 for losses that were none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.tcp.recovery import Phase
from wsknet.transport.tcp.retransmission import schedule, settle_probe
from wsknet.types import MILLISECOND, Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.transport.tcp.scoreboard import Sent
    from wsknet.transport.tcp.send import Sender
    from wsknet.transport.tcp.seq import Position


_OPEN = Phase.OPEN
"""Looked up for every acknowledgement, and members of an enum are slow to find."""


def acknowledged(
    sender: Sender,
    ack: Position,
    now: Instant,
    blocks: Sequence[tuple[Position, Position]] = (),
    echo: Duration | None = None,
) -> bool:
    """`ack` is new: ``una < ack <= sent``.  Returns whether lent memory was given back.

    `echo` is the round trip by the timestamp of the segment (RFC 7323 4).  The caller calls `output` afterwards,
    when it has dealt with the window of the segment.
    """
    board = sender.board
    recovery = sender.recovery
    is_regular = board.is_clean and recovery.phase is _OPEN and sender.tail_probe_end is None and not blocks
    count = ack - sender.una
    sender.una = ack
    sender.unanswered = 0
    sender.stalled_since = now
    if sender.nxt < ack:  # noqa: PLR1730 - on the hot path
        sender.nxt = ack  # a byte that probed a closed window was taken
    if is_regular and board.records and board.records[-1].end <= ack:
        taken, board.records = board.records, []  # all of it, as in most conversations
    else:
        taken = board.take(ack)
    if is_regular:
        latest: Duration | None = None
        if taken:
            first = taken[0]
            latest = now - taken[-1].at
            recovery.delivered(taken[-1], now)
            if first.start >= sender.sample_from:
                sender.sample_from = sender.nxt
                sender.round_trip.sample(now - first.at)
        recovery.advanced(count, ack, sender.nxt, now, latest)
    else:
        _take_news(sender, taken, blocks, count, now, echo)
    probe = sender.size.probe
    if probe is not None and ack >= probe.end:
        sender.size.probe_arrived(now)
        sender.resize()
    given_back = sender.queue.acknowledge(ack)
    if sender.nxt == ack:
        sender.timers.retransmit.deadline = None
        return given_back
    if not recovery.keeps_timer:
        sender.timeout_at = now + sender.round_trip.rto
    schedule(sender, now)
    return given_back


def reported(sender: Sender, now: Instant, blocks: Sequence[tuple[Position, Position]], is_duplicate: bool) -> None:
    """An acknowledgement of `una` that tells more: a duplicate (RFC 5681 2), if data is in flight, or SACK blocks, of
    which a D-SACK may come when nothing is in flight any more."""
    if is_duplicate and sender.nxt > sender.una:
        has_more = sender.queue.end > sender.nxt and sender.window > sender.nxt - sender.una
        sender.recovery.duplicate(sender.una, sender.nxt, has_more)
    _take_news(sender, [], blocks, 0, now, None, is_duplicate)
    schedule(sender, now)


def _take_news(
    sender: Sender,
    taken: list[Sent],
    blocks: Sequence[tuple[Position, Position]],
    count: int,
    now: Instant,
    echo: Duration | None,
    is_duplicate: bool = False,
) -> None:
    """What is acknowledged or reported while something is missing, was repeated, or may have been."""
    recovery = sender.recovery
    fresh = recovery.take_reports(blocks, sender.una, sender.nxt)
    delivered = [record for record in taken if not record.is_sacked] + fresh
    for record in delivered:
        recovery.delivered(record, now)
    # What arrived twice is acknowledged with the timestamp of what came before it, from long ago.
    is_told = count and not recovery.has_duplicate_report
    sample = _sample(sender, delivered, now, echo if is_told else None)
    has_repeats = any(record.is_repeated for record in taken)
    if recovery.was_spurious(Instant(now - echo + MILLISECOND) if has_repeats and echo is not None else None):
        recovery.undo(now)
    if count:
        recovery.advanced(count, sender.una, sender.nxt, now, sample)
    if sender.tail_probe_end is not None:
        settle_probe(sender, blocks, is_duplicate, now)
    look(sender, now)


def look(sender: Sender, now: Instant) -> None:
    """Find out what is lost by now."""
    probe = sender.size.probe
    has_more = sender.queue.end > sender.nxt
    sender.recovery.look(sender.una, sender.nxt, now, sender.round_trip.smoothed, has_more, probe)
    is_open = sender.recovery.phase is Phase.OPEN
    if not is_open:
        sender.tail_probe_end = None  # the recovery answers for what the tail loss probe has found
    if probe is not None and probe.is_lost:
        sender.size.probe_was_lost(is_open, now)


def _sample(sender: Sender, delivered: list[Sent], now: Instant, echo: Duration | None) -> Duration | None:
    """A round-trip sample, taken into account; Karn's rule: not from what was sent twice."""
    if delivered and not any(record.is_repeated for record in delivered):
        sample: Duration | None = now - min(record.at for record in delivered)
    else:
        sample = echo
    if sample is not None:
        sender.sample_from = sender.nxt
        sender.round_trip.sample(sample)
    return sample
