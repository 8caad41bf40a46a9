"""A world in words, for whoever looks into a failing seed."""

from __future__ import annotations

from dataclasses import fields

from tests.simulation.plan import Ending, EndPlan, TalkPlan, Trouble, World
from wsknet.behaviour import Behaviour
from wsknet.devices.impair import Impairment
from wsknet.tcp_policy import TcpPolicy
from wsknet.types import SECOND, Duration

NAMES = ("a", "b")


def time_text(duration: Duration) -> str:
    return f"{duration / SECOND:.6f}".rstrip("0").rstrip(".") + " s"


def describe(world: World) -> str:
    path = "a cable" if world.far_mtu is None else f"a router, behind which the MTU is {world.far_mtu}"
    path += ", which drops without a word what is longer" if world.is_black_hole else ""
    lines = [f"seed {world.seed}: two hosts joined by {path}"]
    for side, name in enumerate(NAMES):
        lines.append(f"  {name}: {_behaviour(world.behaviours[side])}, MTU {world.mtus[side]}")
        lines.append(f"     sends over {_link(world.links[side])}")
    lines.append(f"  listeners: backlog {world.backlog}, accept after {time_text(world.accept_gap)}")
    if world.is_near_wrap:
        lines.append("  streams are numbered from just below 2^32")
    for number, talk in enumerate(world.talks):
        lines += _talk(number, talk)
    lines += [f"  {trouble_text(trouble)}" for trouble in world.troubles]
    return "\n".join(lines)


def trouble_text(trouble: Trouble) -> str:
    what = trouble.kind.value.format(value=trouble.value)
    until = f" until {time_text(trouble.end)}" if trouble.duration else ""
    return f"at {time_text(trouble.at)}{until}, {NAMES[trouble.side]}: {what}"


def _behaviour(behaviour: Behaviour) -> str:
    tcp, plain = behaviour.tcp, TcpPolicy()
    names = ("congestion", "sack", "timestamps", "ecn", "rack", "black_hole_detection", "window_scale", "syn_cookies")
    chosen = [f"{name} {getattr(tcp, name)}" for name in names if getattr(tcp, name) != getattr(plain, name)]
    return ", ".join((behaviour.name, *chosen))


def _link(link: Impairment) -> str:
    plain = Impairment()
    told = []
    for field in fields(Impairment):
        value = getattr(link, field.name)
        if value != getattr(plain, field.name):
            is_time = field.name in ("delay", "jitter", "reorder_by")
            told.append(f"{field.name} {time_text(value) if is_time else value}")
    return ", ".join(told) or "a perfect link"


def _talk(number: int, talk: TalkPlan) -> list[str]:
    client, server = NAMES[talk.client], NAMES[1 - talk.client]
    to = server if talk.is_answered else f"{server}, where nobody listens"
    lines = [f"  talk {number}: at {time_text(talk.opens_at)} {client} connects to {to} over {talk.family.name}"]
    lines[0] += ", and the other way round" if talk.is_simultaneous else ""
    lines[0] += ", with data in its SYN" if talk.is_fast_open else ""
    return lines + [f"     {name}: {_end(talk.ends[side])}" for side, name in enumerate(NAMES)]


def _end(end: EndPlan) -> str:
    told = [f"sends {end.size} bytes in pieces of {_sizes(end.writes)}"]
    if end.write_gap:
        told.append(f"{time_text(end.write_gap)} apart")
    told.append(f"lends {end.lent} at most")
    told.append(f"reads {_sizes(end.reads)} at a time")
    if end.read_gap:
        told.append(f"every {time_text(end.read_gap)}")
    if end.pause_at is not None:
        told.append(f"stops reading at {end.pause_at} for {time_text(end.pause)}")
    told.append(f"buffer {end.buffer}")
    told.append(end.ending.value + (f" after {end.abort_after} bytes" if end.ending is Ending.ABORT else ""))
    if end.keep_alive is not None:
        told.append(f"is probed after {time_text(end.keep_alive.idle)} {end.keep_alive.probes} times")
    if end.user_timeout is not None:
        told.append(f"waits {time_text(end.user_timeout)} for an answer")
    if end.urgent_every:
        told.append(f"calls one of {end.urgent_every} sends urgent")
    flags = {"no delay": end.no_delay, "eager": end.is_eager}
    return ", ".join(told + [name for name, is_on in flags.items() if is_on])


def _sizes(sizes: tuple[int, ...]) -> str:
    return ", ".join(map(str, sizes))
