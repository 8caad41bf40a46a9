"""What a simulated world holds, as data: hosts, links, conversations, troubles.  `draw` makes it, `words` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wsknet.behaviour import Behaviour
from wsknet.devices.impair import Impairment
from wsknet.tcp_policy import KeepAlive
from wsknet.types import Duration, Family


class Ending(Enum):
    """How an application leaves its connection, provided that nothing goes wrong before."""

    FINISH = "finishes when all is written"
    AFTER_PEER = "finishes after the end of the peer's stream"
    EARLY_LEAVE = "finishes, and closes without waiting until the peer has its FIN"
    ABORT = "aborts"


@dataclass(frozen=True)
class EndPlan:
    """One side's application."""

    size: int
    """Bytes to send."""
    writes: tuple[int, ...]
    """Sizes of its sends, one after the other and round again."""
    write_gap: Duration
    """Between two sends; 0: as long as there is room."""
    lent: int
    """It does not send while more than so many bytes are unacknowledged."""
    reads: tuple[int, ...]
    read_gap: Duration
    pause_at: int | None
    """After so many bytes it stops reading,"""
    pause: Duration
    """for so long."""
    ending: Ending
    abort_after: int
    """Bytes sent and received together, for `Ending.ABORT`."""
    buffer: int
    """Receive buffer."""
    no_delay: bool
    is_eager: bool
    """Sends before the connection exists."""
    keep_alive: KeepAlive | None
    """Probes while idle."""
    user_timeout: Duration | None
    urgent_every: int
    """Of so many sends one is urgent; 0: none."""


@dataclass(frozen=True)
class TalkPlan:
    """One connection, or the attempt to make one."""

    opens_at: Duration
    client: int
    """Side that connects, 0 or 1; the other one listens."""
    family: Family
    is_answered: bool
    """Somebody listens where it connects to."""
    ends: tuple[EndPlan, EndPlan]
    """By side, not by who connects."""
    is_simultaneous: bool = False
    """The other one connects, too, at the same instant, and nobody listens."""
    is_fast_open: bool = False
    """The client's first data goes with its SYN, if it has met this server before."""


class Kind(Enum):
    MTU = "the interface takes packets of at most {value} bytes"
    FAR_MTU = "the link behind the router takes packets of at most {value} bytes"
    LINK = "the interface has no link"
    PATH = "nothing gets through, either way"
    ADDRESSES = "the addresses are gone"
    RESTART = "the host is off, and comes back without memory of its connections"
    BUFFER = "the receive buffers of its connections become {value} bytes"


@dataclass(frozen=True)
class Trouble:
    """Something that happens to side `side` at `at`, and for those that end after `duration`."""

    kind: Kind
    at: Duration
    side: int
    duration: Duration = 0
    value: int = 0

    @property
    def end(self) -> Duration:
        return self.at + self.duration


OUTAGES = frozenset({Kind.LINK, Kind.PATH, Kind.ADDRESSES, Kind.RESTART})
"""While these last, nothing that a side sends arrives."""


@dataclass(frozen=True)
class World:
    seed: int
    behaviours: tuple[Behaviour, Behaviour]
    mtus: tuple[int, int]
    far_mtu: int | None
    """Of the link between a router and side 1; `None`: a cable joins the two."""
    is_black_hole: bool
    """That router drops what is too long without a word."""
    links: tuple[Impairment, Impairment]
    """For what each side sends into the link (of side 1: what the router sends for it, if there is one)."""
    backlog: int
    accept_gap: Duration
    """How long a server takes before it accepts."""
    is_near_wrap: bool
    """First connections of each pair of names are numbered from just below 2^32."""
    talks: tuple[TalkPlan, ...]
    troubles: tuple[Trouble, ...]

    @property
    def last_trouble(self) -> Duration:
        return max((trouble.end for trouble in self.troubles), default=0)
