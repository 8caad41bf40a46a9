"""What a bind, a refused bind and a look-up cost while few, many and very many hold ports: the figures should not grow.

.venv/bin/python -m tools.benchmark.ports
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from random import Random
from time import perf_counter_ns

from wsknet.behaviour import WINDOWS, DemuxTie
from wsknet.transport.demux import Demux
from wsknet.transport.ports import ANYONE, PortConflictError, PortTable
from wsknet.transport.sharing import Holder, Sharing
from wsknet.types import Address, Cover, Endpoint, LocalName, Proto

SIZES = (10, 1_000, 60_000)
CALLS, RUNS = 2_000, 5
OTHER = bytes((192, 0, 2, 1))


def main() -> None:
    shapes = {"ports of one address": spread_over_ports, "addresses with one port": spread_over_addresses}
    measures: dict[str, Callable[[list[LocalName]], Callable[[], object]]] = {
        "bind and close": binding,
        "bind port 0 and close": binding_any,
        "bind refused": refused,
        "find a connection": finding,
        "find a listener": finding_listener,
    }
    print(f"{'ns per call':<50}" + "".join(f"{size:>10,}" for size in SIZES))
    for shape, names in shapes.items():
        for what, prepare in measures.items():
            figures = (nanoseconds(prepare(names(size))) for size in SIZES)
            print(f"{what + ', held: ' + shape:<50}" + "".join(f"{figure:>10,.0f}" for figure in figures))


def address(number: int) -> Address:
    return (0x0A000000 + number).to_bytes(4, "big")


def spread_over_ports(count: int) -> list[LocalName]:
    ports = list(range(1, 49152))
    return [LocalName(Cover.IPV4, address(number // len(ports)), ports[number % len(ports)]) for number in range(count)]


def spread_over_addresses(count: int) -> list[LocalName]:
    return [LocalName(Cover.IPV4, address(number), 5000) for number in range(count)]


def table(names: list[LocalName]) -> PortTable:
    ports = PortTable(Proto.UDP, WINDOWS, Random(1))
    for name in names:
        ports.reserve(name)
    return ports


def binding(names: list[LocalName]) -> Callable[[], object]:
    ports, name = table(names), LocalName(Cover.IPV4, OTHER, 5000)
    return lambda: ports.release(ports.reserve(name))


def binding_any(names: list[LocalName]) -> Callable[[], object]:
    ports, name = table(names), LocalName(Cover.IPV4, None, 0)
    return lambda: ports.release(ports.reserve(name))


def refused(names: list[LocalName]) -> Callable[[], object]:
    ports, wanted = table(names), cycle(Holder(name, Sharing.DEFAULT, ANYONE) for name in names)

    def ask() -> None:
        try:
            ports.check(next(wanted))
        except PortConflictError:
            return
        raise AssertionError("the name is held")

    return ask


def finding(names: list[LocalName]) -> Callable[[], object]:
    demux: Demux[LocalName] = Demux(DemuxTie.FIRST, Random(1))
    for name in names:
        demux.insert(name, Endpoint(OTHER, 80), name)
    turn = cycle(names)

    def find() -> None:
        name = next(turn)
        assert demux.find(name.address or b"", name.port, OTHER, 80, 0) is name

    return find


def finding_listener(names: list[LocalName]) -> Callable[[], object]:
    demux: Demux[LocalName] = Demux(DemuxTie.FIRST, Random(1))
    for name in names:
        demux.insert(name, None, name)
    turn = cycle(names)

    def find() -> None:
        name = next(turn)
        assert demux.find(name.address or b"", name.port, OTHER, 80, 0) is name

    return find


def nanoseconds(action: Callable[[], object]) -> float:
    """The best of some runs: what else happens on the machine only adds."""
    action()

    def run() -> int:
        start = perf_counter_ns()
        for _ in range(CALLS):
            action()
        return perf_counter_ns() - start

    return min(run() for _ in range(RUNS)) / CALLS


if __name__ == "__main__":
    main()
