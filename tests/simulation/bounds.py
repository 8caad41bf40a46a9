"""How long a world may take, and how many frames, that its links and applications justify.

Time.  What would be needed if nothing overlapped, all conversations one after the other:

- each send of an application, and each piece that the smaller of segment, window and lent memory allows, waits for one
  round trip and one delayed acknowledgement (Nagle's algorithm, silly-window rules, `EndPlan.lent`);
- the applications' own gaps and pauses;
- the bytes at the rate of the link, once per transmission;
- losses.  Of a segment and its acknowledgement one is lost with probability ``e = 1 - (1 - p) (1 - q)``; the k-th
  retransmission in a row happens with ``e ** k`` and comes after ``RTO * 2 ** (k - 1)`` (RFC 6298 5.5), at most the
  largest RTO.  So a segment costs ``sum(e ** k * min(RTO * 2 ** (k - 1), max_rto))`` on average: `_per_segment`.
  Four times that is allowed, since a recovery by acknowledgements is faster, and chance is not;
- on top of the average, and where packets vanish for their length alone, two whole series up to giving up, that of the
  SYN and that of data: a single unlucky segment may take that long;
- an outage may cost its own duration again, as the timer has been backed off that far when it ends.

Without loss, outage or full queue the last three are nothing: then a lost window update, a stalled Nagle or a forgotten
acknowledgement is seen, because whatever waits for a timer is too late.
"""

from __future__ import annotations

from tests.simulation.plan import OUTAGES, EndPlan, Kind, World
from wsknet.config import NeighbourConfig
from wsknet.types import SECOND, Duration

LINGERING = 7200 * SECOND
"""After all have ended: TIME-WAIT, connections that still try to tell a peer that has gone, learnt path MTUs."""
_HEADERS = 100
"""Of link, IP and TCP with options, generously."""
_OVERFLOW = 0.15
"""Loss by a queue of a rate-limited link, at most, that a congestion control causes itself."""
_MISMEASURED = 8
"""With timestamps a round trip can be measured from the first of several transmissions: the echo of a repeated segment
is that of its original, if that arrived (RFC 7323 4.3, R2 before R3).  The timeout stays up for some round trips."""
_SLACK = 5 * SECOND


def completion(world: World) -> Duration:
    """When, counted from the beginning, everything that can end must have ended."""
    error = _error(world)
    trip = round_trip(world)
    is_clean = not error and not world.troubles
    opens = max(talk.opens_at for talk in world.talks)
    total = opens + world.last_trouble + _SLACK + _outages(world)
    for talk in world.talks:
        total += world.accept_gap + 4 * trip
        for side, end in enumerate(talk.ends):
            pieces = _pieces(world, side, end, talk.ends[1 - side])
            delayed = max(behaviour.tcp.delayed_ack for behaviour in world.behaviours)
            total += pieces * (trip + delayed) + _application(end, talk.ends[1 - side].size, is_clean)
            total += int(4 * pieces * _per_segment(world, side, error))
            total += int(2 * _on_wire(world, side, end, pieces) / (1 - error))
            if end.keep_alive is not None:
                total += end.keep_alive.idle + (end.keep_alive.probes + 1) * end.keep_alive.interval
    if error or world.troubles or world.is_black_hole or len(world.talks) > world.backlog:
        total += 2 * max(_series(world, side) for side in (0, 1))
    return total


def frames(world: World) -> int:
    """Frames of all hosts together until everything has ended."""
    error = _error(world)
    total = 150.0 + 40 * len(world.talks)
    for talk in world.talks:
        for side, end in enumerate(talk.ends):
            pieces = _pieces(world, side, end, talk.ends[1 - side])
            reads = end.size // max(1, sum(end.reads) // len(end.reads))
            total += 4 * (pieces + min(reads, 400)) / (1 - error) ** 2 + 40
    most_copies = max(1 + link.duplicate for link in world.links)
    hops = 1 if world.far_mtu is None else 2
    return int(total * most_copies * hops)


def _error(world: World) -> float:
    """`e`: a segment or its acknowledgement does not arrive."""
    arrives = 1.0
    for link in world.links:
        arrives *= (1 - link.loss) * (1 - link.corrupt) * (1 - (_OVERFLOW if link.rate is not None else 0))
    return 1 - arrives


def round_trip(world: World) -> Duration:
    total = 0
    for link in world.links:
        total += link.delay + link.jitter + (link.reorder_by if link.reorder else 0)
        if link.rate is not None:
            total += (link.queue + 2 * max(world.mtus)) * 8 * SECOND // link.rate
    return total + SECOND // 1000


def _pieces(world: World, side: int, end: EndPlan, reader: EndPlan) -> int:
    """Segments that one stream may be cut into."""
    if not end.size:
        return 1
    smallest = [trouble.value for trouble in world.troubles if trouble.kind in (Kind.MTU, Kind.FAR_MTU)]
    segment = min(*world.mtus, world.far_mtu or 1 << 16, *smallest, 1280) - _HEADERS
    shrunk = [trouble.value for trouble in world.troubles if trouble.kind is Kind.BUFFER]
    buffers = [talk.ends[1 - side].buffer for talk in world.talks]  # a listener has the least of them
    window = max(1, min(*buffers, *shrunk, reader.buffer) // 2)
    sends = end.size * len(end.writes) // sum(end.writes) + 1
    return sends + end.size // min(segment, window) + 1


def _application(end: EndPlan, arriving: int, is_clean: bool) -> Duration:
    """Time that an application takes itself.  A pause may close the window.  If the update is lost that opens it again,
    the probe that finds it open comes after as long again, at most."""
    sends = end.size * len(end.writes) // sum(end.writes) + 1
    reads = arriving * len(end.reads) // sum(end.reads) + arriving // 500 + 2  # what arrives in small segments
    return sends * end.write_gap + reads * end.read_gap + (end.pause if is_clean else 2 * end.pause)


def _on_wire(world: World, side: int, end: EndPlan, pieces: int) -> Duration:
    rate = world.links[side].rate
    return 0 if rate is None else (end.size + pieces * _HEADERS) * 8 * SECOND // rate


def _per_segment(world: World, side: int, error: float) -> float:
    tcp = world.behaviours[side].tcp
    rto = max(tcp.min_rto, 3 * round_trip(world)) * (_MISMEASURED if error > 0.1 else 1)
    return sum(error**k * min(rto << k - 1, tcp.max_rto) for k in range(1, tcp.data_retries + 1))


def _series(world: World, side: int) -> Duration:
    """From the first transmission to giving up: of a SYN, then of data; and of a neighbour that does not answer."""
    tcp = world.behaviours[side].tcp
    rto = max(tcp.initial_rto, 3 * round_trip(world))
    both = (tcp.syn_retries, tcp.data_retries)
    neighbours = NeighbourConfig()
    silence = 10 * (neighbours.retransmit * neighbours.max_solicitations + neighbours.delay_first_probe)
    return sum(min(rto << k, tcp.max_rto) for retries in both for k in range(retries + 1)) + silence


def _outages(world: World) -> Duration:
    return sum(trouble.duration for trouble in world.troubles if trouble.kind in OUTAGES)
