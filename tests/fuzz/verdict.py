"""Whether a stack is none the worse for what it went through: it lets go of everything, and serves the next caller."""

from __future__ import annotations

from tests.fuzz.world import DETECTION, IF_INDEX, PEER, US, Followed, Numbers, World
from wsknet.net import changes
from wsknet.types import SECOND, Family
from wsknet.wire.tcp import ACK, FIN, PSH, SYN

_PORT = 4000
_ISS = 0xFFFFFFF0
_LONG = 3000 * SECOND
"""Longer than any connection lives that nobody holds: fifteen repetitions two minutes apart."""
_ADVERTISED = 60 * SECOND
"""The longest RetransTimer taken from a router: so long goes the search for duplicates of an IPv6 address on."""


def judge(world: World) -> None:
    """Raises `AssertionError`.  Closes everything that programs hold."""
    for tcp in world.tcp:
        tcp.close(world.now)
    for udp in world.udp:
        udp.close(world.now)
    world.settle()
    _expect_nothing_left(world)
    restore(world)
    for family in Family:
        _serve(world, family)
    _expect_nothing_left(world)


def _expect_nothing_left(world: World) -> None:
    world.pass_time(_LONG)
    assert list(world.stack.tcp.connections()) == [], "connections that nobody holds are left"
    view = world.stack.view()
    assert (view.tcp_ports, view.udp_ports) == ((), ()), "ports are left"


def restore(world: World) -> None:
    """The link is up and we have our addresses, whatever came in between."""
    world.stack.apply(changes.LinkUp(IF_INDEX), world.now)
    for family in Family:
        address = US[family]
        if world.stack.ip.tables.find_local(address, 0) is not None:
            world.stack.apply(changes.AddressRemoved(IF_INDEX, address), world.now)
    world.give_addresses()
    world.pass_time(DETECTION + _ADVERTISED)


def _serve(world: World, family: Family) -> None:
    """A connection from its SYN to its end, with data both ways."""
    port = _PORT + family  # TIME-WAIT may hold the other one
    listener = world.listener(port)
    name = Followed(family, port, 40_999)
    world.followed.pop(name, None)
    world.segment(name, _ISS, 0, SYN, 8192, b"\x02\x04\x05\xb4")
    numbers = world.followed.get(name)
    assert numbers is not None, f"a SYN to {US[family].hex()} from {PEER[family].hex()} is not answered"
    world.segment(name, _ISS + 1, numbers.ours, ACK | PSH, 8192, data=b"anybody there?")
    endpoint = listener.accept(world.now)
    assert endpoint is not None, "the connection is not there to be accepted"
    assert endpoint.receive(100, world.now) == b"anybody there?"
    endpoint.send(b"I am", world.now)
    endpoint.finish(world.now)
    world.settle()
    before = Numbers(numbers.ours, numbers.theirs)
    world.segment(name, _ISS + 15, before.ours, FIN | ACK, 8192)
    assert numbers.theirs == _ISS + 16 & 0xFFFFFFFF, "the end of the stream is not acknowledged"
    endpoint.close(world.now)
    listener.close(world.now)
    world.settle()
