"""Trace route from an emulated host: ``print(*trace_route(host, "203.0.113.7"), sep="\\n")``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet import text
from wsknet.apps.echo_client import (
    MAX_REQUESTS,
    Answer,
    EchoClient,
    milliseconds_text,
    nanoseconds,
    parse_target,
)
from wsknet.net.messages.icmp import IN_TRANSIT, IcmpErrorKind
from wsknet.types import Address

if TYPE_CHECKING:
    from wsknet.host import Host


@dataclass(frozen=True, slots=True)
class Hop:
    number: int
    """The hop limit of the requests that got this far."""
    answers: tuple[Answer | None, ...]
    """One for each request; `None`: nobody answered in time."""

    @property
    def senders(self) -> tuple[Address, ...]:
        """Who answered: usually one."""
        return tuple(dict.fromkeys(a.sender for a in self.answers if a is not None and a.sender is not None))

    @property
    def is_last(self) -> bool:
        """The destination has answered, or somebody says that there is no way on."""
        return any(answer is not None and not _is_transit(answer) for answer in self.answers)

    def __str__(self) -> str:
        parts = [f"{self.number:2}"]
        known: Address | None = None
        for answer in self.answers:
            if answer is None:
                parts.append("*")
                continue
            if answer.sender is not None and answer.sender != known:
                known = answer.sender
                parts.append(text.format_address(known, answer.zone))
            parts.append(f"{milliseconds_text(answer.rtt)} ms")
            if answer.problem is not None and not _is_transit(answer):
                parts.append(f"({answer.problem.value})")
        return "  ".join(parts)


def _is_transit(answer: Answer) -> bool:
    return answer.problem is IcmpErrorKind.TIME_EXCEEDED and answer.code == IN_TRANSIT


def trace_route(
    host: Host,
    destination: str,
    max_hops: int = 30,
    probes: int = 3,
    *,
    timeout: float = 4.0,
    size: int = 32,
    source: str | None = None,
    interface: str | None = None,
) -> list[Hop]:
    """The routers on the way, nearest first, found by echo requests whose hop limit ends there.

    Blocks at most `timeout` seconds for each hop and ends with the first that `is_last`.  `ValueError` for bad input.
    """
    target = parse_target(host, destination, source, interface)
    if target.is_group:
        raise ValueError(f"{destination} is a group: no single way leads there")
    if not 1 <= max_hops <= 255:
        raise ValueError(f"max_hops {max_hops} is out of range: expected 1 to 255")
    if not 1 <= probes <= MAX_REQUESTS // max_hops:
        raise ValueError(f"probes {probes} is out of range: expected 1 to {MAX_REQUESTS // max_hops}")
    patience = nanoseconds("a timeout", timeout)
    hops: list[Hop] = []
    with EchoClient(host, target, size) as client:
        while len(hops) < max_hops and not (hops and hops[-1].is_last):
            first = len(hops) * probes + 1
            for sequence in range(first, first + probes):
                client.send(sequence, hop_limit=len(hops) + 1)
            client.wait_for_answers(patience)
            found = {answer.sequence: answer for answer in reversed(tuple(client.answers))}
            hops.append(Hop(len(hops) + 1, tuple(found.get(first + number) for number in range(probes))))
    return hops
