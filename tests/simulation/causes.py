"""Which ends of a connection are nobody's fault: the disagreements that a network permits, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.bounds import round_trip
from tests.simulation.flow import NO_FLOW
from tests.simulation.plan import OUTAGES, Kind, World
from wsknet.config import NeighbourConfig
from wsknet.errors import ErrorKind
from wsknet.types import SECOND, Duration, Instant

if TYPE_CHECKING:
    from tests.simulation.lab import Lab
    from tests.simulation.side import Side
    from tests.simulation.talk import Talk

_SOLICITATIONS = NeighbourConfig().max_solicitations
_SOFT = frozenset({ErrorKind.HOST_UNREACHABLE, ErrorKind.NO_ROUTE, ErrorKind.HOP_LIMIT_EXCEEDED})
"""What routers and neighbours said while the retries ran out: reported in place of a time-out (RFC 1122 4.2.3.9)."""
_ODD = frozenset({ErrorKind.PORT_UNREACHABLE, ErrorKind.PROTOCOL_UNREACHABLE, ErrorKind.PROTOCOL_ERROR})
"""Said by a host that a corrupted header made answer: that of IPv6 has no checksum."""


class Causes:
    """Of the error that `side` ended with."""

    def __init__(self, world: World, lab: Lab, talk: Talk, side: Side) -> None:
        self._world = world
        self._log = lab.log
        self._talk = talk
        self._side = side
        self._tcp = world.behaviours[side.machine.side].tcp

    def permit(self) -> bool:
        side = self._side
        permits = {
            ErrorKind.TIMED_OUT: self._has_waited,
            **dict.fromkeys(_SOFT, lambda: self._has_waited() or self._is_neighbour_silent()),
            **dict.fromkeys(_ODD, lambda: self._losses(Instant(0), "corrupted") > 0),
            ErrorKind.ABORTED: lambda: self._had(side, Kind.ADDRESSES),
            ErrorKind.NOT_LOCAL: lambda: side.failed_while_connecting and self._had(side, Kind.ADDRESSES, Kind.LINK),
            ErrorKind.REFUSED: lambda: side.failed_while_connecting and self._may_be_refused(),
            ErrorKind.RESET: self._may_be_reset,
        }
        return side.error in permits and permits[side.error]()

    # Time-outs

    def _has_waited(self) -> bool:
        """The retries have run out, or the user timeout has; and enough was lost for that."""
        side, tcp = self._side, self._tcp
        assert side.ended_at is not None
        if side.began_at is None:
            return self._had(side, Kind.ADDRESSES, Kind.LINK)  # not even an attempt was made
        if side.failed_while_connecting:
            needed = _series(tcp.initial_rto, tcp.syn_retries, tcp.max_rto)
            since, tries, first = side.began_at, tcp.syn_retries, tcp.initial_rto
            # A SYN that finds the queue full is dropped; and no router passes on what comes from a link-local address,
            # which is chosen while there is no other.
            is_unheard = self._may_be_full(side.peer) or self._has_other_address()
        elif side.is_waiting:
            needed = _series(tcp.min_rto, tcp.data_retries, tcp.max_rto)
            assert side.stalled_since is not None
            since, tries, first = side.stalled_since, tcp.data_retries, tcp.min_rto
            is_unheard = False
            if self._talk.plan.is_fast_open and side is self._talk.accepting:  # perhaps its SYN-ACK was not answered
                needed = min(needed, _series(tcp.initial_rto, tcp.syn_ack_retries, tcp.max_rto))
                tries = min(tries, tcp.syn_ack_retries)
        elif side.plan.keep_alive is not None:
            idle, interval, probes = side.plan.keep_alive
            assert side.heard_at is not None
            return self._was_long(side.heard_at, idle + probes * interval, probes, interval, 0)
        else:
            return False  # nothing was outstanding
        if side.plan.user_timeout is not None:
            return self._has_user_waited(side.plan.user_timeout, since, first, is_unheard)
        return self._was_long(since, needed, 0 if is_unheard else tries, first, tcp.max_rto)

    def _has_other_address(self) -> bool:
        talk, side = self._talk, self._side
        if talk.names is None:
            return False
        return talk.names[side is not talk.client].address != side.machine.address(talk.plan.family)

    def _has_user_waited(self, needed: Duration, since: Instant, first: Duration, is_unheard: bool) -> bool:
        """One loss may take longer than that, also one before what was acknowledged last; a full reader any time, and
        so may a server that has not accepted yet, hence does not read; and a round trip, after that to find the
        neighbour, may be all that there is time for."""
        world = self._world
        trip = round_trip(world)
        is_short = needed < 3 * trip + max(each.tcp.delayed_ack for each in world.behaviours)
        is_unread = self._side is not self._talk.accepting and world.accept_gap >= needed
        tries = 0 if is_unheard or self._side.was_shut_out or is_unread or is_short else 1
        return self._was_long(since, needed, tries, first, self._tcp.max_rto, since - 2 * trip)

    def _was_long(
        self,
        since: Instant,
        needed: Duration,
        tries: int,
        first: Duration,
        largest: Duration,
        earlier: int | None = None,
    ) -> bool:
        """From `since` on at least `needed`, and each of the `tries` failed, since `earlier`: lost, or sent during an
        outage."""
        side = self._side
        assert side.ended_at is not None
        if side.ended_at - since < needed:
            return False
        failed = self._losses(since if earlier is None else Instant(earlier))
        for trouble in self._world.troubles:
            if trouble.kind in OUTAGES and trouble.at < side.ended_at and trouble.end > since:
                failed += _most_within(trouble.duration, first, largest)
        return failed >= tries

    def _is_neighbour_silent(self) -> bool:
        """For those who give up a connect then: every request of a series was lost, or its answer."""
        side = self._side
        assert side.ended_at is not None
        if not side.failed_while_connecting:
            return False
        is_final = self._world.behaviours[side.machine.side].neighbour_failure_is_final
        series = Instant(side.ended_at - _SOLICITATIONS * SECOND)
        is_dark = any(
            trouble.kind in OUTAGES and trouble.at < side.ended_at and trouble.end > series
            for trouble in self._world.troubles
        )
        return is_final and (is_dark or self._log.losses(NO_FLOW, series) >= _SOLICITATIONS)

    # Resets

    def _may_be_refused(self) -> bool:
        peer = self._side.peer
        return (
            not (self._talk.plan.is_answered or self._talk.plan.is_simultaneous)
            or self._may_be_full(peer)
            or self._had(peer, Kind.RESTART)
            or (self._talk.plan.is_simultaneous and _is_gone(peer))
        )

    def _may_be_reset(self) -> bool:
        peer = self._side.peer
        if peer.endpoint is None and self._had(peer, Kind.RESTART, Kind.ADDRESSES):
            return True  # before anybody had accepted there
        return _is_gone(peer) or self._may_be_full(peer) or self._outlived() or self._was_forgotten()

    def _outlived(self) -> bool:
        """The peer ended in order, and its memory of the connection with it, while our FIN was still being repeated."""
        side, peer = self._side, self._side.peer
        return side.is_finished and side.has_seen_end and peer.has_seen_end

    def _was_forgotten(self) -> bool:
        """The peer repeated its SYN-ACK as often as it does, and heard nothing: nobody has ever accepted there."""
        peer = self._side.peer
        retries = self._world.behaviours[peer.machine.side].tcp.syn_ack_retries
        is_dark = any(trouble.kind in OUTAGES for trouble in self._world.troubles)
        return peer.endpoint is None and (is_dark or self._losses(Instant(0)) >= retries)

    def _may_be_full(self, peer: Side) -> bool:
        """Connections beyond the backlog: some refuse them, some drop them, and who was accepted by a cookie may be
        reset for it."""
        is_server = any(talk.client != peer.machine.side for talk in self._world.talks)
        return is_server and len(self._world.talks) > self._world.backlog and not peer.is_connected

    def _losses(self, since: Instant, *fates: str) -> int:
        return self._log.losses(self._side.flow, since, fates)

    def _had(self, side: Side, *kinds: Kind) -> bool:
        """One of these troubles, while the connection lived."""
        ended = side.ended_at
        return any(
            trouble.kind in kinds and trouble.side == side.machine.side and (ended is None or trouble.at <= ended)
            for trouble in self._world.troubles
        )


def _is_gone(peer: Side) -> bool:
    """It told us so, or answers what it does not know any more."""
    return peer.has_aborted or peer.has_crashed or peer.error is not None


def _series(first: Duration, retries: int, largest: Duration) -> Duration:
    """From the first transmission to giving up, with the shortest timeouts there are."""
    return sum(min(first << each, largest) for each in range(retries + 1))


def _most_within(duration: Duration, first: Duration, largest: Duration) -> int:
    """How many transmissions of a segment, with the timeout `first` doubled each time, fall into `duration`."""
    count, total = 1, 0
    while total <= duration:
        total += min(first << count - 1, largest) if largest else first
        count += 1
    return count
