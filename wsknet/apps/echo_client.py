"""Echo requests to one destination, and a thread that waits for the answers: what ping and trace route share."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from wsknet import text
from wsknet.errors import ErrorKind, NetError
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.net.path import needs_zone
from wsknet.transport.echo import MAX_DATA, EchoFailure
from wsknet.types import MILLISECOND, SECOND, Address, Duration, Instant, is_link_local, is_multicast, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.transport.echo import EchoEndpoint

MAX_REQUESTS = 0xFFFF
"""Of one client: each has a sequence number of its own, from 1."""
MAX_ANSWERS = MAX_REQUESTS
"""Kept beside the first to each request, so that a flood of them does not fill the memory."""


class Target(NamedTuple):
    destination: Address
    zone: int
    source: Address | None
    """`None`: routing chooses."""
    is_group: bool
    """Many may answer: a multicast group, or a broadcast address."""


class Answer(NamedTuple):
    """To one request; one to a group may have many."""

    sequence: int
    sender: Address | None
    """`None` for this host itself: the request could not be sent, or the neighbour did not answer."""
    rtt: Duration
    problem: IcmpErrorKind | ErrorKind | None
    """`None`: an echo reply."""
    hop_limit: int = 0
    """What was left of it when the reply came."""
    mtu: int = 0
    """Where a packet was too big: how large it may be."""
    code: int = 0
    """See `net.handler.Undelivered`."""
    zone: int = 0
    """The interface, if `sender` is a link-local address that has replied."""


class EchoClient:
    """``with EchoClient(host, target, 56) as client:``, in virtual or real time, in any thread that may wait.

    `size` is the number of bytes after the ICMP header.
    """

    def __init__(self, host: Host, target: Target, size: int) -> None:
        most = MAX_DATA[len(target.destination)]
        if not 0 <= size <= most:
            raise ValueError(f"size {size} is out of range: an echo request carries 0 to {most} bytes")
        self._host = host
        self._target = target
        self._data = (bytes(range(256)) * (size // 256 + 1))[:size]
        self._endpoint: EchoEndpoint | None = None
        self._sent: dict[int, Instant] = {}
        self._unanswered: dict[int, None] = {}
        self.answers: list[Answer] = []
        """In the order in which they came."""

    def __enter__(self) -> EchoClient:
        with self._host.pump:
            self._endpoint = self._host.stack.echo.open(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._host.pump:
            if self._endpoint is not None:
                self._endpoint.close()

    def send(self, sequence: int, hop_limit: int | None = None, may_fragment: bool = True) -> None:
        """Send one request.  That it cannot be sent is an answer, too."""
        assert self._endpoint is not None
        destination, zone, source, _ = self._target
        with self._host.pump as now:
            self._sent[sequence] = now
            self._unanswered[sequence] = None
            try:
                self._endpoint.send(
                    destination,
                    sequence,
                    self._data,
                    now,
                    source=source,
                    zone=zone,
                    hop_limit=hop_limit,
                    may_fragment=may_fragment,
                )
            except NetError as error:
                self._add(Answer(sequence, None, 0, error.kind))

    def wait_until(self, at: Instant) -> None:
        self._host.driver.block(lambda: False, "the time of the next echo request", at)

    def wait_for_answers(self, timeout: Duration) -> None:
        """Until every request has an answer, at most `timeout` nanoseconds; later waits do not wait for these again."""
        self._block(lambda: not self._unanswered, timeout)
        self._unanswered.clear()

    def wait_for_group(self, timeout: Duration) -> None:
        """The whole `timeout`: nobody knows how many will answer."""
        self._block(lambda: False, timeout)

    def _block(self, ready: Callable[[], bool], timeout: Duration) -> None:
        driver = self._host.driver
        name = text.format_address(self._target.destination, self._target.zone)
        driver.block(ready, f"echo replies from {name}", Instant(driver.now() + timeout))

    def on_ready(self, readiness: int, now: Instant) -> None:
        """`transport.endpoint.Owner`."""
        assert self._endpoint is not None
        while (result := self._endpoint.receive()) is not None:
            at = self._sent.get(result.sequence)
            if at is None:
                continue
            rtt = now - at
            if isinstance(result, EchoFailure):
                kind, mtu, code = result.kind, result.mtu, result.code
                self._add(Answer(result.sequence, result.reporter, rtt, kind, mtu=mtu, code=code))
            elif result.data == self._data:
                zone = result.if_index if is_link_local(result.source) else 0
                self._add(Answer(result.sequence, result.source, rtt, None, result.hop_limit, zone=zone))
        self._host.driver.wakeup()

    def _add(self, answer: Answer) -> None:
        if answer.sequence in self._unanswered or len(self.answers) < MAX_ANSWERS:
            self.answers.append(answer)
        self._unanswered.pop(answer.sequence, None)


def parse_target(host: Host, destination: str, source: str | None = None, interface: str | None = None) -> Target:
    """The arguments as people write them.  `ValueError` says in one line what is wrong.

    An interface, in the form ``fe80::1%eth0`` or as `interface`, is for link-local and group destinations.
    """
    name, _, zone_text = destination.partition("%")
    address = text.parse_address(name)
    if is_unspecified(address):
        raise ValueError(f"{destination} is no destination: expected the address of a host or a group")
    if zone_text and interface and host.interface_index(zone_text) != host.interface_index(interface):
        raise ValueError(f"{destination} is on another interface than {interface}: give one of the two")
    where = zone_text or interface
    zone = host.interface_index(where) if where else 0
    if zone and not needs_zone(address):
        raise ValueError(f"routes choose the interface towards {name}: name one only for a link-local or group address")
    sender = _source(host, source, address, zone) if source else None
    return Target(address, zone, sender, is_multicast(address) or _is_broadcast(host, address, sender, zone))


def _is_broadcast(host: Host, address: Address, source: Address | None, zone: int) -> bool:
    with host.pump, suppress(NetError):
        return host.stack.ip.path(address, source, zone).is_broadcast
    return False


def _source(host: Host, name: str, destination: Address, zone: int) -> Address:
    source = text.parse_address(name)
    if len(source) != len(destination):
        raise ValueError(f"source {name} is not of the family of the destination")
    try:
        host.stack.ip.bindable(source, zone if is_link_local(source) else 0)
    except NetError as error:
        raise ValueError(f"source {name}: {error.detail}") from None
    return source


def nanoseconds(what: str, seconds: float) -> Duration:
    if not 0 <= seconds <= 86400:
        raise ValueError(f"{what} of {seconds} seconds is out of range: expected 0 to 86400")
    return int(seconds * SECOND)


def milliseconds_text(duration: Duration) -> str:
    return f"{duration / MILLISECOND:.3f}"
