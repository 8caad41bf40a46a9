"""What is measured, how it is read from what the load program prints, and the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from statistics import median

ECHO_PORT, SINK_PORT, SOURCE_PORT = 7, 9, 19

SERVER_CPU = 0

Printed = dict[str, float]
"""The JSON object that a client of `load.c` prints."""


class Peer(Enum):
    """Who serves; the client is always the kernel."""

    WSKNET = "wsknet"
    KERNEL = "kernel"


@dataclass(frozen=True)
class Effort:
    runs: int
    bulk_seconds: float
    round_trips: int
    connects: int


THOROUGH = Effort(runs=5, bulk_seconds=2.0, round_trips=10_000, connects=1_000)
QUICK = Effort(runs=3, bulk_seconds=0.5, round_trips=2_000, connects=300)


@dataclass(frozen=True)
class Measure:
    """One number, taken `Effort.runs` times from each peer."""

    key: str
    title: str
    unit: str
    arguments: Callable[[str, Effort], list[str]]
    """The client's command line, given the server's address."""
    read: Callable[[Printed], float]
    client_cpu: int = SERVER_CPU
    """Round trips share one CPU with the server: across two, waking the other costs more than all the work."""


def _gigabits(printed: Printed) -> float:
    return printed["bytes"] * 8 / printed["seconds"] / 1e9


def _bulk(mode: str, port: int) -> Callable[[str, Effort], list[str]]:
    return lambda address, effort: [mode, address, str(port), str(effort.bulk_seconds)]


def _round_trips(connections: int) -> Callable[[str, Effort], list[str]]:
    return lambda address, effort: [
        "tcp-round-trips", address, str(ECHO_PORT), str(effort.round_trips), str(connections)
    ]  # fmt: skip


MEASURES = (
    Measure("bulk-in", "bulk TCP, wsknet receives", "Gbit/s", _bulk("push", SINK_PORT), _gigabits, client_cpu=1),
    Measure("bulk-out", "bulk TCP, wsknet sends", "Gbit/s", _bulk("pull", SOURCE_PORT), _gigabits, client_cpu=1),
    Measure("tcp-rr", "TCP round trip, 1 byte, p50", "us", _round_trips(1), lambda printed: printed["p50_us"]),
    Measure(
        "udp-rr",
        "UDP round trip, 1 byte, p50",
        "us",
        lambda address, effort: ["udp-round-trips", address, str(ECHO_PORT), str(effort.round_trips)],
        lambda printed: printed["p50_us"],
    ),
    Measure(
        "connects",
        "TCP connect and close",
        "1/s",
        lambda address, effort: ["connects", address, str(ECHO_PORT), str(effort.connects)],
        lambda printed: printed["count"] / printed["seconds"],
    ),
    Measure("rr-of-1", "TCP round trip, 1 open, mean", "us", _round_trips(1), lambda printed: printed["mean_us"]),
    Measure(
        "rr-of-1000", "TCP round trip, 1000 open, mean", "us", _round_trips(1000), lambda printed: printed["mean_us"]
    ),
)

Samples = dict[tuple[str, Peer], list[float]]
"""By key of the measure: one number per run."""


@dataclass(frozen=True)
class Target:
    """A bound on the ratio of two medians."""

    title: str
    above: tuple[str, Peer]
    below: tuple[str, Peer]
    least: float | None = None
    most: float | None = None

    def ratio(self, samples: Samples) -> float:
        return median(samples[self.above]) / median(samples[self.below])

    def is_met(self, samples: Samples) -> bool:
        ratio = self.ratio(samples)
        return (self.least is None or ratio >= self.least) and (self.most is None or ratio <= self.most)

    @property
    def bound(self) -> str:
        return f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}"


def _against_kernel(key: str, title: str, least: float | None = None, most: float | None = None) -> Target:
    return Target(title, (key, Peer.WSKNET), (key, Peer.KERNEL), least, most)


TARGETS = (
    _against_kernel("bulk-in", "bulk TCP in, of the kernel's", least=0.04),
    _against_kernel("bulk-out", "bulk TCP out, of the kernel's", least=0.04),
    _against_kernel("tcp-rr", "TCP round trip, times the kernel's", most=4.0),
    _against_kernel("udp-rr", "UDP round trip, times the kernel's", most=4.0),
    Target("1000 open connections, times one", ("rr-of-1000", Peer.WSKNET), ("rr-of-1", Peer.WSKNET), most=1.5),
)
