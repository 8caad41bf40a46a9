"""One neighbour on a link: what is known of it, what waits for it, and what the host does about it.

Read RFC 4861 5.1 and 7.3.2.  `neighbours.NeighbourTable` moves it from state to state.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsknet.timers import Timer
from wsknet.types import Address, Instant, Mac

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.packet import Packet
    from wsknet.trace import DropReason


class NeighbourState(Enum):
    """RFC 4861 7.3.2.  REACHABLE decays to STALE by the clock alone: ask `Neighbour.state_at`."""

    INCOMPLETE = "being resolved"
    REACHABLE = "confirmed a short while ago"
    STALE = "known, not confirmed"
    DELAY = "used while stale, waiting for a confirmation from above"
    PROBE = "being asked whether it is still there"
    GONE = "no longer in the table"


class Belief(Enum):
    """What becomes of an advertisement (RFC 4861 7.2.5)."""

    BELIEVED = "what it says is known now"
    REFUSED = "it must not change what is known"
    UNWANTED = "no packet ever needed this neighbour"


_REACHABLE = NeighbourState.REACHABLE
_STALE = NeighbourState.STALE
ASK_FIRST = Instant(-1)
"""As `Neighbour.fresh_until`: ask the table before every packet."""


class Pending(NamedTuple):
    """A packet, or the fragments of one, that waits for a MAC address.  Copied: lent memory may change."""

    packets: tuple[bytes, ...]
    transport_offset: int
    protocol: int
    source: Address
    destination: Address
    zone: int
    comment: str | None
    forwarded: Packet | None = None
    """As it arrived, if it is not ours."""

    @property
    def size(self) -> int:
        """Bytes that waiting costs."""
        return sum(map(len, self.packets)) + (len(self.forwarded.raw) if self.forwarded is not None else 0)


class LinkActions(Protocol):
    """What the state machine makes the host do."""

    def solicit(
        self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None, now: Instant
    ) -> None:
        """Ask who has `target`: its owner at `mac` if given, else everybody.  `preferred`: see `source_towards`."""

    def release(self, interface: Interface, link_header: bytes, pending: Pending) -> None:
        """Send what waited."""

    def discard(self, interface: Interface, pending: Pending, reason: DropReason, now: Instant) -> None:
        """Drop what waited; tell its sender if the neighbour failed."""

    def failed(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour did not answer, however often it was asked."""

    def answered(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour is there, from now on or again; it may have failed before."""


class Neighbour:
    """One next hop.  Packets may be sent with `link_header` as long as ``now < fresh_until``, else ask the table."""

    __slots__ = ("address", "fresh_until", "is_router", "is_used", "link_header", "mac", "pending", "preferred",
                 "queued", "solicitations", "state", "timer")  # fmt: skip

    def __init__(self, address: Address, state: NeighbourState, timer: Timer) -> None:
        self.address = address
        self.state = state
        self.mac: Mac | None = None
        self.link_header = b""
        self.fresh_until = ASK_FIRST
        self.is_used = False
        """Since the table last looked for an entry to give up."""
        self.is_router = False
        self.pending: deque[Pending] = deque()
        self.queued = 0
        """Bytes in `pending`."""
        self.preferred: Address | None = None
        """Source of the latest packet that needed this neighbour."""
        self.solicitations = 0
        self.timer = timer

    def state_at(self, now: Instant) -> NeighbourState:
        return _STALE if self.state is _REACHABLE and now >= self.fresh_until else self.state
