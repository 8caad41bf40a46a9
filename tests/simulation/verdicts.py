"""What both ends may disagree about, and everything else that must not happen.

TCP promises each end two things: what it has read is what the other one wrote, from the beginning and without a gap;
what is acknowledged has arrived (`Side` checks both whenever something happens).  And if an end sees the end of the
stream, then the other one has finished, and all of it was read.

How a connection *ended* the two cannot always agree about (two generals).  An error is permitted where it has a cause:

- TIMED_OUT (or what routers and neighbours said meanwhile): as many frames of the connection were lost as one segment
  is transmitted, or there was an outage.  One may time out while the other one ended in order: the last acknowledgement
  was lost, and so was what it was repeated for.
- RESET: the other end aborted, crashed, timed out, or forgot a connection that it had not accepted; or it ended in
  order and its TIME-WAIT is over, while our FIN was still being repeated.
- REFUSED: nobody listens, the backlog is full, or the listener's host was restarting.
- ABORTED: the address was removed.

An end that waits for ever is permitted if the other one is gone and was not able to say so, and if our end has nothing
to send, keep-alive included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.plan import OUTAGES, Kind, World
from tests.simulation.words import time_text
from wsknet.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.lab import Lab
    from tests.simulation.side import Side
    from tests.simulation.talk import Talk
    from wsknet.types import Duration

_UNREACHABLE = frozenset(
    {
        ErrorKind.TIMED_OUT,
        ErrorKind.HOST_UNREACHABLE,
        ErrorKind.NO_ROUTE,
        ErrorKind.PORT_UNREACHABLE,
        ErrorKind.PROTOCOL_UNREACHABLE,
        ErrorKind.PROTOCOL_ERROR,
        ErrorKind.HOP_LIMIT_EXCEEDED,
    }
)
"""The last four: said by hosts that a corrupted header made answer."""


def of_talks(world: World, lab: Lab, talks: Sequence[Talk]) -> list[str]:
    faults = [fault for talk in talks for side in talk.sides for fault in side.faults]
    faults += dict.fromkeys(fault for talk in talks for fault in talk.server.faults)
    for number, talk in enumerate(talks):
        faults += (f"talk {number}: {fault}" for side in talk.sides for fault in _of_side(world, lab, talk, side))
    return faults


def _of_side(world: World, lab: Lab, talk: Talk, side: Side) -> Iterator[str]:
    peer = side.peer
    if side.has_seen_end and not peer.is_finished:
        yield f"{side} has seen the end of a stream that {peer} has not finished"
    if side.has_seen_end and side.taken != peer.written:
        yield f"{side} has seen the end after {side.taken} bytes, {peer} wrote {peer.written}"
    if side.is_fin_acknowledged and not (peer.has_seen_end or _left_before_the_end(peer)):
        yield f"the FIN of {side} is acknowledged, but {peer} has never seen the end"
    if side.error is not None and not _has_cause(world, lab, talk, side):
        yield f"{side} ended with {side.error.value}, for which there is no cause"


def _left_before_the_end(side: Side) -> bool:
    return side.has_aborted or side.has_crashed or side.error is not None or side.endpoint is None


def _has_cause(world: World, lab: Lab, talk: Talk, side: Side) -> bool:
    error, peer = side.error, side.peer
    if error in _UNREACHABLE:
        return is_unlucky(world, lab, talk, side)
    if error is ErrorKind.ABORTED:
        return _had(world, side, Kind.ADDRESSES)
    if error is ErrorKind.NOT_LOCAL:
        return side.failed_while_connecting and _had(world, side, Kind.ADDRESSES, Kind.LINK)
    if error is ErrorKind.REFUSED:
        return side.failed_while_connecting and (
            not talk.plan.is_answered
            or _may_be_full(world, peer)
            or _had(world, peer, Kind.RESTART)
            or is_unlucky(world, lab, talk, peer)
        )
    if error is ErrorKind.RESET:
        return (
            _may_be_full(world, peer)
            or _may_have_reset(peer)
            or is_unlucky(world, lab, talk, peer)
            or _outlived(side, peer)
        )
    return False


def _may_be_full(world: World, side: Side) -> bool:
    """Connections beyond the backlog: some refuse them, and who was accepted by a cookie may be reset for it."""
    is_server = any(talk.client != side.machine.side for talk in world.talks)
    return is_server and len(world.talks) > world.backlog and not side.is_connected


def _may_have_reset(peer: Side) -> bool:
    return peer.has_aborted or peer.has_crashed or peer.error is not None


def _outlived(side: Side, peer: Side) -> bool:
    """The peer ended in order, and its memory of the connection with it."""
    return side.is_finished and side.has_seen_end and peer.has_seen_end


def is_unlucky(world: World, lab: Lab, talk: Talk, side: Side) -> bool:
    """So much was lost that `side` may have transmitted one segment, and its repeats, in vain."""
    if any(trouble.kind in OUTAGES for trouble in world.troubles):
        return True
    if any(link.corrupt for link in world.links) and lab.log.lost[0, 0]:
        return True  # ARP has no checksum: a corrupted answer sends all that follows to a wrong MAC address
    tcp = world.behaviours[side.machine.side].tcp
    retries = min(tcp.syn_retries, tcp.data_retries) if not side.is_connected else tcp.data_retries
    if talk.names is None:
        return lab.log.lost[0, 0] > 0
    return lab.log.losses(talk.names[0].port, talk.names[1].port) > min(retries, 2 if side.error not in
        (ErrorKind.TIMED_OUT, None) else retries)  # fmt: skip


def _had(world: World, side: Side, *kinds: Kind) -> bool:
    return any(trouble.kind in kinds and trouble.side == side.machine.side for trouble in world.troubles)


def of_waiting(world: World, lab: Lab, talk: Talk, bound: Duration) -> Iterator[str]:
    """Of the ends that have not ended when the bound has come."""
    for side in talk.sides:
        if side.has_ended or (side.endpoint is None and not talk.server.may_still_accept(talk)):
            continue
        if not (_may_wait_for_ever(side) and _may_be_unheard(world, lab, talk)):
            yield f"not ended within {time_text(bound)}: {side.tell()}"


def _may_wait_for_ever(side: Side) -> bool:
    peer, endpoint = side.peer, side.endpoint
    if endpoint is None or not side.is_connected or side.plan.keep_alive or endpoint.unacknowledged:
        return False
    waits_for_answer = side.is_finished and not side.is_fin_acknowledged
    # One that nobody ever accepted was given up half open.
    is_peer_gone = peer.endpoint is None or (peer.has_ended and not (peer.has_seen_end and peer.is_fin_acknowledged))
    return is_peer_gone and not waits_for_answer and side.written == side.plan.size


def _may_be_unheard(world: World, lab: Lab, talk: Talk) -> bool:
    """A reset is sent once: only if something was lost may it be that."""
    if talk.names is None or any(trouble.kind in OUTAGES for trouble in world.troubles):
        return True
    return lab.log.losses(talk.names[0].port, talk.names[1].port) > 0


def of_tables(lab: Lab, talks: Sequence[Talk]) -> list[str]:
    """When everything has ended, nothing is left: seen from outside, in the tables that every face shows."""
    faults = []
    for machine in lab.machines:
        stack = machine.host.stack
        view = stack.view()
        faults += [f"{machine.name} still has a connection: {each}" for each in view.connections]
        faults += [f"{machine.name} still holds a port: {name}" for name in view.tcp_ports]
        faults += [f"{machine.name} still has a bound endpoint: {each.local}" for each in stack.tcp.bound]
        if (deadline := stack.next_deadline()) is not None:
            faults.append(f"{machine.name} has a timer left, for {time_text(deadline)}")
        for talk in talks:
            if talk.names is not None:
                local, remote = talk.names if machine is talk.client.machine else talk.names[::-1]
                if stack.tcp.demux.has_exact(local, remote):
                    faults.append(f"{machine.name} still receives for {local} from {remote}")
    return faults
