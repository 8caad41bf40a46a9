"""A whole world from one integer.  Every choice comes from one generator, in a fixed order."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.simulation.plan import Ending, EndPlan, Kind, TalkPlan, Trouble, World
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.devices.impair import Impairment
from wsknet.tcp_policy import CongestionAlgorithm, KeepAlive, OptionUse
from wsknet.types import MICROSECOND, MILLISECOND, SECOND, Family

SETS = (WINDOWS, LINUX, BSD)
_MTUS = (1280, 1300, 1400, 1500, 1500, 1500, 9000)
_SMALL_MTUS = (576, 600, 1000)
_LOSSES = (0.0, 0.0, 0.001, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3)
_SIZES = ((0, 0), (1, 100), (100, 3000), (1000, 20_000), (1000, 20_000), (20_000, 120_000))
_WRITES = ((1,), (1, 1, 1460, 7), (100,), (536, 1), (1460,), (3000,), (4096, 1), (20_000,), (100_000,))
_READS = ((1,), (1, 500), (100,), (1460,), (1 << 20,), (1 << 20,), (1 << 20,))
_BUFFERS = (1, 50, 700, 2000, 8000, 65_535, 65_535, 200_000, 1 << 20, 1 << 20)
_KEEP_ALIVES = (KeepAlive(30 * SECOND), KeepAlive(5 * SECOND, 2 * SECOND, 4))
_MOST_STEPS = 400
"""Of a stream written or read bytewise: its size is cut, or the run would take seconds."""


def draw(seed: int) -> World:
    rng = Random(f"world {seed}")
    is_calm = rng.random() < 0.15
    families = rng.choice(((Family.IPV4,), (Family.IPV6,), (Family.IPV4, Family.IPV6)))
    # Less than 1280 bytes has no IPv6, and then no interface must have it.
    choice = _SMALL_MTUS if families == (Family.IPV4,) and rng.random() < 0.5 else _MTUS
    mtus = rng.choice(choice), rng.choice(choice)
    far_mtu = rng.choice(choice) if rng.random() < 0.3 else None
    links = (Impairment(delay=MILLISECOND),) * 2 if is_calm else (_impairment(rng), _impairment(rng))
    if rng.random() < 0.3:
        links = links[0], links[0]
    count = rng.choice((1, 1, 1, 2, 2, 3, 6))
    talks = tuple(_talk(rng, rng.choice(families), count) for _ in range(count))
    troubles = () if is_calm or rng.random() < 0.5 else _troubles(rng, far_mtu is not None, choice)
    return World(
        seed=seed,
        behaviours=(_behaviour(rng), _behaviour(rng)),
        mtus=mtus,
        far_mtu=far_mtu,
        is_black_hole=far_mtu is not None and rng.random() < 0.3,
        links=links,
        backlog=rng.choice((1, 2, 200, 200)),
        accept_gap=rng.choice((0, 0, 0, 20 * MILLISECOND, 2 * SECOND)),
        is_near_wrap=rng.random() < 0.5,
        talks=_modest(talks, troubles),
        troubles=troubles,
    )


def _modest(talks: tuple[TalkPlan, ...], troubles: tuple[Trouble, ...]) -> tuple[TalkPlan, ...]:
    """Sizes cut to what the other end takes in a bounded number of steps.

    A listener offers the least of the buffers that its connections are to have.
    """
    shrunk = [trouble.value for trouble in troubles if trouble.kind is Kind.BUFFER]
    least = [max(1, min(talk.ends[side].buffer for talk in talks)) for side in (0, 1)]
    limits = [_MOST_STEPS * min(each, *shrunk) if shrunk else _MOST_STEPS * each for each in least]

    def cut(end: EndPlan, reader: EndPlan, limit: int) -> EndPlan:
        size = min(end.size, limit, 10 * _MOST_STEPS * sum(reader.reads) // len(reader.reads))
        return replace(end, size=size, abort_after=min(end.abort_after, size))

    return tuple(
        replace(talk, ends=(cut(one, other, limits[1]), cut(other, one, limits[0])))
        for talk in talks
        for one, other in (talk.ends,)
    )


def _behaviour(rng: Random) -> Behaviour:
    """One of the sets, mostly with other choices where TCP leaves some."""
    behaviour = rng.choice(SETS)
    if rng.random() < 0.3:
        return behaviour
    tcp = replace(
        behaviour.tcp,
        congestion=rng.choice(tuple(CongestionAlgorithm)),
        sack=rng.random() < 0.6,
        timestamps=rng.choice(tuple(OptionUse)),
        ecn=rng.choice(tuple(OptionUse)),
        rack=rng.random() < 0.6,
        black_hole_detection=rng.random() < 0.5,
        window_scale=rng.choice((None, 0, 2, 8, 14)),
        syn_cookies=rng.random() < 0.7,
    )
    return replace(behaviour, tcp=tcp)


def _impairment(rng: Random) -> Impairment:
    delay = rng.choice((0, 50 * MICROSECOND, MILLISECOND, 10 * MILLISECOND, 50 * MILLISECOND, 200 * MILLISECOND))
    rate = rng.choice((None, None, None, 64_000, 256_000, 2_000_000, 20_000_000))
    # A queue of at most a second: longer ones only test how patient the timers are.
    queue = 1 << 18 if rate is None else max(3000, int(rate / 8 * rng.choice((0.02, 0.2, 1.0))))
    return Impairment(
        delay=delay,
        jitter=rng.choice((0, 0, MILLISECOND, 30 * MILLISECOND)),
        loss=rng.choice(_LOSSES),
        duplicate=rng.choice((0.0, 0.0, 0.02, 0.3)),
        corrupt=rng.choice((0.0, 0.0, 0.0, 0.01, 0.05)),
        reorder=rng.choice((0.0, 0.0, 0.02, 0.2)),
        reorder_by=rng.choice((MILLISECOND, 5 * MILLISECOND, 50 * MILLISECOND)),
        mark=rng.choice((0.0, 0.0, 0.01, 0.1, 0.5)),
        rate=rate,
        queue=queue,
    )


def _talk(rng: Random, family: Family, count: int) -> TalkPlan:
    one, other = _end(rng), _end(rng)
    if Ending.AFTER_PEER in (one.ending, other.ending) and not {Ending.FINISH, Ending.EARLY_LEAVE} & {
        one.ending,
        other.ending,
    }:
        one, other = replace(one, ending=Ending.FINISH), replace(other, ending=Ending.AFTER_PEER)  # else both wait
    return TalkPlan(
        opens_at=rng.randrange(3 * SECOND) if count > 1 else rng.randrange(MILLISECOND),
        client=rng.choice((0, 0, 1)),
        family=family,
        is_answered=rng.random() < 0.95,
        ends=(one, other) if rng.random() < 0.5 else (other, one),
        is_simultaneous=rng.random() < 0.1,
        is_fast_open=rng.random() < 0.2,
    )


def _end(rng: Random) -> EndPlan:
    size = rng.randint(*rng.choice(_SIZES)) * (10 if rng.random() < 0.03 else 1)
    writes = rng.choice(_WRITES)
    reads = rng.choice(_READS)
    size = min(size, _MOST_STEPS * (sum(writes) // len(writes)))
    buffer = rng.choice(_BUFFERS)
    has_pause = rng.random() < 0.3
    ending = rng.choice((Ending.FINISH,) * 4 + (Ending.AFTER_PEER,) * 2 + (Ending.EARLY_LEAVE, Ending.ABORT))
    return EndPlan(
        size=size,
        writes=writes,
        write_gap=rng.choice((0, 0, 0, MILLISECOND, 30 * MILLISECOND, 300 * MILLISECOND)),
        lent=rng.choice((1, 3000, 100_000)),
        reads=reads,
        read_gap=rng.choice((0, 0, 0, MILLISECOND, 20 * MILLISECOND)),
        pause_at=rng.randrange(10_000) if has_pause else None,
        pause=rng.choice((50 * MILLISECOND, SECOND, 10 * SECOND, 100 * SECOND)) if has_pause else 0,
        ending=ending,
        abort_after=min(size, rng.choice((0, 1, 1000, 30_000))),
        buffer=buffer,
        no_delay=rng.random() < 0.3,
        is_eager=rng.random() < 0.2,
        keep_alive=rng.choice(_KEEP_ALIVES) if rng.random() < 0.3 else None,
        urgent_every=rng.choice((0, 0, 0, 1, 5)),
        user_timeout=rng.choice((SECOND, 5 * SECOND, 30 * SECOND)) if rng.random() < 0.15 else None,
    )


def _troubles(rng: Random, has_router: bool, mtus: tuple[int, ...]) -> tuple[Trouble, ...]:
    kinds = [kind for kind in Kind if kind is not Kind.FAR_MTU or has_router]
    return tuple(
        sorted((_trouble(rng, rng.choice(kinds), mtus) for _ in range(rng.choice((1, 1, 2, 3)))),
               key=lambda trouble: trouble.at)
    )  # fmt: skip


def _trouble(rng: Random, kind: Kind, mtus: tuple[int, ...]) -> Trouble:
    # Most conversations last some tenths of a second: most troubles shall meet one.
    at = rng.choice((rng.randrange(SECOND), rng.randrange(100 * MILLISECOND), rng.randrange(10 * SECOND)))
    duration = rng.choice((MILLISECOND, 100 * MILLISECOND, SECOND, 10 * SECOND, 100 * SECOND))
    value = 0
    if kind in (Kind.MTU, Kind.FAR_MTU):
        duration, value = 0, rng.choice(mtus)
    elif kind is Kind.BUFFER:
        duration, value = 0, rng.choice(_BUFFERS)
    return Trouble(kind, at, rng.choice((0, 1)), duration, value)
