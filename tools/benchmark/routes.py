"""What a path costs that is not known yet, with few and very many routes; and what it costs to be told why.

.venv/bin/python -m tools.benchmark.routes
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

from tools.benchmark.ports import nanoseconds
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.host import Network
from wsknet.net.changes import RouteAdded
from wsknet.net.path import resolve
from wsknet.net.routes import network_of
from wsknet.net.tables import Tables
from wsknet.text import parse_address
from wsknet.trace import Decision
from wsknet.types import Address, Instant

SIZES = (10, 1_000, 10_000)
LENGTHS = range(16, 32)


def main() -> None:
    print(f"{'us per path':<40}" + "".join(f"{size:>10,}" for size in SIZES))
    for behaviour in (WINDOWS, LINUX):
        for family, size in (("IPv4", 4), ("IPv6", 16)):
            worlds = [filled(behaviour, count, size) for count in SIZES]
            for what, is_told in (("", False), (", told why", True)):
                figures = [nanoseconds(resolving(*world, is_told)) / 1000 for world in worlds]
                label = f"{behaviour.name}, {family}{what}"
                print(f"{label:<40}" + "".join(f"{figure:>10.1f}" for figure in figures))


def resolving(tables: Tables, destinations: list[Address], is_told: bool) -> Callable[[], object]:
    turn = cycle(destinations)
    if is_told:
        return lambda: resolve(tables, next(turn), why=Decision("why"))
    return lambda: resolve(tables, next(turn))


def filled(behaviour: Behaviour, count: int, size: int) -> tuple[Tables, list[Address]]:
    """Prefixes of sixteen lengths, spread evenly, and a destination in each of a hundred of them."""
    with Network() as network:
        host = network.host("host", behaviour)
        card = host.interface("eth0", "10.1.0.2/24", "2001:db8:1::2/64")
        host.route("0.0.0.0/0", via="10.1.0.1")
        next_hop = parse_address("10.1.0.1" if size == 4 else "fe80::1")
        destinations = []
        for number in range(count):
            length = LENGTHS[number % len(LENGTHS)]
            bits = (0x20000000 + number * 2_654_435_761 % 2**29).to_bytes(4, "big").ljust(16, b"\1")[:size]
            host.stack.ip.tables.apply(RouteAdded(network_of(bits, length), length, card.index, next_hop))
            destinations.append(bits)
        host.stack.poll(Instant(0))
        return host.stack.ip.tables, destinations[-100:]


if __name__ == "__main__":
    main()
