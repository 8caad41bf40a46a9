"""What both ends may disagree about, and everything else that must not happen.

TCP promises each end two things: what it has read is what the other one wrote, from the beginning and without a gap;
what is acknowledged has arrived (`Side` checks both whenever something happens).  And if an end sees the end of the
stream, then the other one has finished, and all of it was read.

How a connection *ended* the two cannot always agree about (two generals): `causes` has each disagreement that is
permitted, with its reason.  Two things are owed at once, whatever the other end makes of it: the reset of an abort, and
word of room in a window that was closed.

An end that waits for ever is permitted if the other one is gone and was not able to say so, and if our end has nothing
to send, keep-alive included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.causes import Causes
from tests.simulation.flow import NO_FLOW
from tests.simulation.plan import OUTAGES, World
from tests.simulation.words import time_text
from wsknet.types import Instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.simulation.lab import Lab
    from tests.simulation.side import Side
    from tests.simulation.talk import Talk
    from wsknet.types import Duration


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
    if side.has_seen_end and side.urgent_told != peer.urgent_ends[-1]:
        yield f"{side} was told of urgent data up to {side.urgent_told}, not up to {peer.urgent_ends[-1]}"
    if side.is_fin_acknowledged and not (peer.has_seen_end or _left_before_the_end(peer)):
        yield f"the FIN of {side} is acknowledged, but {peer} has never seen the end"
    if side.error is not None and not Causes(world, lab, talk, side).permit():
        yield f"{side} ended with {side.error.value}, for which there is no cause"
    yield from _of_debts(world, lab, side)


def _left_before_the_end(side: Side) -> bool:
    return side.has_aborted or side.has_crashed or side.error is not None or side.endpoint is None


def _of_debts(world: World, lab: Lab, side: Side) -> Iterator[str]:
    flow = lab.log.flow(side.flow)
    due = side.reset_due_at
    if due is not None and due not in flow.resets and not _may_be_mute(world, lab, due):
        yield f"{side} aborted at {time_text(due)}, and did not tell {side.peer}"
    for at in side.untold_at:
        if not _may_be_mute(world, lab, at):
            yield f"{side} made room at {time_text(at)}, and {side.peer} still thinks that there is none"
            return


def _may_be_mute(world: World, lab: Lab, at: Instant) -> bool:
    """The link was away, or its neighbour may be unknown."""
    return any(trouble.kind in OUTAGES and trouble.at <= at for trouble in world.troubles) or any(
        when <= at for when, _ in lab.log.flow(NO_FLOW).losses
    )


def of_waiting(world: World, lab: Lab, talk: Talk, bound: Duration) -> Iterator[str]:
    """Of the ends that have not ended when the bound has come."""
    for side in talk.sides:
        if side.has_ended or (side.endpoint is None and not talk.server.may_still_accept(talk)):
            continue
        if not (_may_wait_for_ever(side) and _may_be_unheard(world, lab, side)):
            yield f"not ended within {time_text(bound)}: {side.tell()}"


def _may_wait_for_ever(side: Side) -> bool:
    peer, endpoint = side.peer, side.endpoint
    if endpoint is None or not side.is_connected or side.plan.keep_alive is not None or endpoint.unacknowledged:
        return False
    waits_for_answer = side.is_finished and not side.is_fin_acknowledged
    # One that nobody ever accepted was given up half open.
    is_peer_gone = peer.endpoint is None or (peer.has_ended and not (peer.has_seen_end and peer.is_fin_acknowledged))
    return is_peer_gone and not waits_for_answer and side.written == side.plan.size


def _may_be_unheard(world: World, lab: Lab, side: Side) -> bool:
    """What the other end said last was lost, a reset, which is sent once, or an answer to what came too late; or it
    had no way to say it."""
    peer = side.peer
    since = peer.ended_at if peer.ended_at is not None and not peer.has_crashed else Instant(0)
    if peer.is_waiting and peer.stalled_since is not None:
        since = min(since, peer.stalled_since)  # a reset behind data that was lost may lie outside the window
    if peer.error is not None and peer.has_seen_end:
        return True  # it gave up its FIN in LAST-ACK, where no reset is sent (RFC 9293 3.10.5)
    if peer.has_crashed or any(trouble.kind in OUTAGES and trouble.end >= since for trouble in world.troubles):
        return True
    return lab.log.losses(side.flow, since) > 0


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
