"""Links in memory: a cable with two ends, a hub with any number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from wsknet.devices.impair import Channel, Impairment
from wsknet.types import MICROSECOND, Buffers, Instant

if TYPE_CHECKING:
    from random import Random

    from wsknet.devices.base import Entry, Receiver, Scheduler

CABLE = Impairment(delay=50 * MICROSECOND)
"""What a link is without further words.  Not zero: then whole conversations would happen at one instant."""


class LinkEnd:
    """A `Device`.  Its channel's impairment applies to what it sends."""

    def __init__(self, name: str, channel: Channel, scheduler: Scheduler) -> None:
        self.name = name
        self.channel = channel
        self.peers: Sequence[LinkEnd] = ()
        self.missed = 0
        """Frames that arrived while nothing was attached."""
        self._scheduler = scheduler
        self._receiver: Receiver | None = None
        self._entry: Entry | None = None

    @property
    def impairment(self) -> Impairment:
        return self.channel.impairment

    @impairment.setter
    def impairment(self, impairment: Impairment) -> None:
        """For frames sent from now on; `Impairment(loss=1)` cuts the link in this direction."""
        self.channel.impairment = impairment

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver, self._entry = receiver, entry

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        for at, sent in self.channel.arrivals(b"".join(frame), now):
            self._scheduler.call_at(at, partial(self._arrive, sent))

    def close(self) -> None:
        self._receiver = self._entry = None

    def _arrive(self, frame: bytes) -> None:
        """`frame` has reached the other ends."""
        for peer in self.peers:
            if peer._receiver is None or peer._entry is None:
                peer.missed += 1
            else:
                with peer._entry as now:
                    peer._receiver(frame, now)


class Hub:
    """What one end sends, every other end receives, at the same instant and in the order of the ends."""

    def __init__(
        self, scheduler: Scheduler, rng: Random, names: Sequence[str], impairment: Impairment | None = None
    ) -> None:
        """`impairment` applies to each direction; all of them draw from `rng`."""
        self.ends = tuple(LinkEnd(name, Channel(impairment or CABLE, rng), scheduler) for name in names)
        for end in self.ends:
            end.peers = tuple(other for other in self.ends if other is not end)


class Wire(Hub):
    """A cable: a hub with two ends."""

    def __init__(
        self,
        scheduler: Scheduler,
        rng: Random,
        name_a: str = "a",
        name_b: str = "b",
        impairment: Impairment | None = None,
    ) -> None:
        super().__init__(scheduler, rng, (name_a, name_b), impairment)
