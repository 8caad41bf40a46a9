"""Bad links: delay, jitter, loss, duplication, reordering, corruption, marks and a bounded rate, from one generator.

`Channel` is the arithmetic of one direction, used by the ends of `wire`; `Impaired` puts one in front of any device.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

from wsknet.types import MILLISECOND, SECOND, Buffers, Duration, Instant
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from wsknet.wire.ethernet import HEADER_LENGTH as ETHERNET_LENGTH

if TYPE_CHECKING:
    from random import Random

    from wsknet.devices.base import Device, Entry, Receiver, Scheduler

_CE = 3
"""Congestion experienced; 1 and 2 stand for a sender that understands it (RFC 3168 5)."""
_CHECKSUM_AT = ETHERNET_LENGTH + 10
_HEADERS_END = ETHERNET_LENGTH + 20
"""Shorter frames hold no packet."""


@dataclass(frozen=True)
class Impairment:
    """What happens to the frames that are sent into one direction of a link.  Probabilities are 0 to 1, per frame."""

    delay: Duration = 0
    jitter: Duration = 0
    """Up to this much more delay, evenly distributed.  It does not reorder: a late frame holds up those behind it."""
    loss: float = 0.0
    duplicate: float = 0.0
    """The copy arrives right behind the frame."""
    corrupt: float = 0.0
    """One bit anywhere in the frame is flipped."""
    reorder: float = 0.0
    """Held back by `reorder_by`, so that later frames overtake it."""
    reorder_by: Duration = MILLISECOND
    mark: float = 0.0
    """Marked as by a congested router (RFC 3168 5): a packet whose sender understands ECN gets CE, any other passes."""
    rate: int | None = None
    """Bits per second, counting frames as captured; `None` for no limit.  A lost frame uses its share all the same."""
    queue: int = 256 * 1024
    """Bytes that may wait for the rate; a frame beyond is dropped.  An idle link takes a frame of any size."""

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "corrupt", "reorder", "mark"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be a probability, 0 to 1")
        for name in ("delay", "jitter", "reorder_by", "queue"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if self.rate is not None and self.rate <= 0:
            raise ValueError("rate must be positive; leave it out for no limit")


@dataclass(slots=True)
class ChannelCounters:
    lost: int = 0
    overflowed: int = 0
    """Dropped because the queue in front of the rate was full."""
    duplicated: int = 0
    corrupted: int = 0
    reordered: int = 0
    marked: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, f.name)} {f.name}" for f in fields(self) if getattr(self, f.name)) or "clean"


class Channel:
    """One direction of a link.  `impairment` may be replaced at any time and holds for frames sent from then on."""

    def __init__(self, impairment: Impairment, rng: Random) -> None:
        self.impairment = impairment
        self.counters = ChannelCounters()
        self._rng = rng
        self._is_free_at = 0
        self._last_arrival = 0

    def arrivals(self, frame: bytes, now: Instant) -> list[tuple[Instant, bytes]]:
        """When and as what `frame`, sent now, arrives; empty if it does not."""
        impairment, rng, counters = self.impairment, self._rng, self.counters
        at: int = now
        if impairment.rate is not None:
            begins = max(at, self._is_free_at)
            waiting = (begins - at) * impairment.rate // (8 * SECOND)
            if waiting and waiting + len(frame) > impairment.queue:
                counters.overflowed += 1
                return []
            at = self._is_free_at = begins + len(frame) * 8 * SECOND // impairment.rate
        if impairment.loss and rng.random() < impairment.loss:
            counters.lost += 1
            return []
        at += impairment.delay
        if impairment.jitter:
            at += rng.randrange(impairment.jitter + 1)
        if impairment.mark and rng.random() < impairment.mark:
            marked = _marked(frame)
            counters.marked += marked is not frame
            frame = marked
        if impairment.corrupt and frame and rng.random() < impairment.corrupt:
            counters.corrupted += 1
            frame = _flip_bit(frame, rng.randrange(8 * len(frame)))
        if impairment.reorder and rng.random() < impairment.reorder:
            counters.reordered += 1
            at += impairment.reorder_by
        else:
            at = self._last_arrival = max(at, self._last_arrival)
        if impairment.duplicate and rng.random() < impairment.duplicate:
            counters.duplicated += 1
            return [(Instant(at), frame), (Instant(at), frame)]
        return [(Instant(at), frame)]


class Impaired:
    """Any device behind a bad link.  What passes without delay passes at once, as if it were not there."""

    def __init__(
        self,
        device: Device,
        scheduler: Scheduler,
        rng: Random,
        outbound: Impairment | None = None,
        inbound: Impairment | None = None,
    ) -> None:
        self.name = device.name
        self.outbound = Channel(outbound or Impairment(), rng)
        self.inbound = Channel(inbound or Impairment(), rng)
        self._device = device
        self._scheduler = scheduler
        self._receiver: Receiver | None = None
        self._entry: Entry | None = None

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver, self._entry = receiver, entry
        self._device.attach(self._receive, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        for at, sent in self.outbound.arrivals(b"".join(frame), now):
            if at <= now:
                self._device.transmit((sent,), now, comment)
            else:
                self._later(at, partial(self._transmit, sent, comment))

    def close(self) -> None:
        self._receiver = self._entry = None
        self._device.close()

    def _receive(self, frame: bytes, now: Instant) -> None:
        for at, received in self.inbound.arrivals(frame, now):
            if at <= now:
                self._deliver(received, now)
            else:
                self._later(at, partial(self._deliver, received))

    def _deliver(self, frame: bytes, now: Instant) -> None:
        if self._receiver is not None:
            self._receiver(frame, now)

    def _transmit(self, frame: bytes, comment: str | None, now: Instant) -> None:
        self._device.transmit((frame,), now, comment)

    def _later(self, at: Instant, run: Callable[[Instant], None]) -> None:
        """Call `run(now)` at `at` inside the pump, unless the device is closed by then."""

        def enter() -> None:
            if self._entry is not None:
                with self._entry as now:
                    run(now)

        self._scheduler.call_at(at, enter)


def _marked(frame: bytes) -> bytes:
    """With CE where the sender allows it; else `frame` itself."""
    ethertype = int.from_bytes(frame[12:14], "big")
    # The second byte of either header: type of service, or the lower half of the traffic class and of the flow label.
    shift = {ETHERTYPE_IPV4: 0, ETHERTYPE_IPV6: 4}.get(ethertype)
    if shift is None or len(frame) < _HEADERS_END or frame[ETHERNET_LENGTH + 1] >> shift & _CE in (0, _CE):
        return frame
    marked = bytearray(frame)
    marked[ETHERNET_LENGTH + 1] |= _CE << shift
    if ethertype == ETHERTYPE_IPV4:  # RFC 1624 3, equation 3
        field = slice(_CHECKSUM_AT, _CHECKSUM_AT + 2)
        step = marked[ETHERNET_LENGTH + 1] - frame[ETHERNET_LENGTH + 1]
        total = (0xFFFF - int.from_bytes(frame[field], "big") + step) % 0xFFFF
        marked[field] = (0xFFFF - (total or 0xFFFF)).to_bytes(2, "big")
    return bytes(marked)


def _flip_bit(frame: bytes, bit: int) -> bytes:
    corrupted = bytearray(frame)
    corrupted[bit >> 3] ^= 1 << (bit & 7)
    return bytes(corrupted)
