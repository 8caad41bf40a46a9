"""Ping from an emulated host: ``print(ping(host, "192.0.2.1"))``."""

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
from wsknet.transport.echo import HEADER_LENGTH
from wsknet.types import Address, Instant

if TYPE_CHECKING:
    from wsknet.host import Host


@dataclass(frozen=True, slots=True)
class PingResult:
    destination: Address
    zone: int
    size: int
    """Bytes of data in each request."""
    sent: int
    """Requests, those that could not leave included."""
    replies: tuple[Answer, ...]
    errors: tuple[Answer, ...]

    @property
    def received(self) -> int:
        """Requests that were answered, however often."""
        return len({reply.sequence for reply in self.replies})

    def __str__(self) -> str:
        name = text.format_address(self.destination, self.zone)
        lines = [f"PING {name}: {self.size} data bytes"]
        answers = sorted((*self.replies, *self.errors), key=lambda answer: answer.sequence)
        lines += [self._line(answer) for answer in answers]
        lines += ["", f"--- {name} ping statistics ---"]
        counts = [f"{self.sent} packets transmitted", f"{self.received} received"]
        if len(self.replies) > self.received:
            counts.append(f"+{len(self.replies) - self.received} duplicates")
        if self.errors:
            counts.append(f"+{len(self.errors)} errors")
        counts.append(f"{100 * (self.sent - self.received) // self.sent}% packet loss")
        lines.append(", ".join(counts))
        if self.replies:
            times = [reply.rtt for reply in self.replies]
            figures = (min(times), sum(times) // len(times), max(times))
            lines.append(f"round-trip min/avg/max = {'/'.join(map(milliseconds_text, figures))} ms")
        return "\n".join(lines)

    def _line(self, answer: Answer) -> str:
        sender = text.format_address(answer.sender, answer.zone) if answer.sender else "this host"
        if answer.problem is None:
            size, time = self.size + HEADER_LENGTH, milliseconds_text(answer.rtt)
            return f"{size} bytes from {sender}: icmp_seq={answer.sequence} ttl={answer.hop_limit} time={time} ms"
        mtu = f" (mtu {answer.mtu})" if answer.mtu else ""
        return f"From {sender}: icmp_seq={answer.sequence} {answer.problem.value}{mtu}"


def ping(
    host: Host,
    destination: str,
    *,
    count: int = 4,
    interval: float = 1.0,
    size: int = 56,
    timeout: float = 4.0,
    hop_limit: int | None = None,
    may_fragment: bool = True,
    source: str | None = None,
    interface: str | None = None,
) -> PingResult:
    """Send `count` echo requests, one every `interval` seconds, and wait for what comes back.

    Blocks until all are answered, with a reply or an error, or `timeout` seconds after the last; a group is always
    given the whole time.  A destination may name its interface (``fe80::1%eth0``).  `ValueError` for bad input.
    """
    target = parse_target(host, destination, source, interface)
    if not 1 <= count <= MAX_REQUESTS:
        raise ValueError(f"count {count} is out of range: expected 1 to {MAX_REQUESTS}")
    if hop_limit is not None and not 1 <= hop_limit <= 255:
        raise ValueError(f"hop limit {hop_limit} is out of range: expected 1 to 255")
    pause, patience = nanoseconds("an interval", interval), nanoseconds("a timeout", timeout)
    with EchoClient(host, target, size) as client:
        start = host.driver.now()
        for number in range(count):
            if number:
                client.wait_until(Instant(start + number * pause))
            client.send(number + 1, hop_limit, may_fragment)
        if target.is_group:
            client.wait_for_group(patience)
        else:
            client.wait_for_answers(patience)
    replies = tuple(answer for answer in client.answers if answer.problem is None)
    errors = tuple(answer for answer in client.answers if answer.problem is not None)
    return PingResult(target.destination, target.zone, size, count, replies, errors)
