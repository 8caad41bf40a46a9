"""Who stands above a channel: the socket that wants to know how it fares, and the transfers that take its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsknet.san.provider.native import Error

if TYPE_CHECKING:
    from wsknet.errors import ErrorKind
    from wsknet.san.provider.native import AccessFault, Data, Message, Read, RejectReason, Request, Write
    from wsknet.types import Instant


class Sink(Protocol):
    """Who wants to know how the connection fares: called with the driver lock held."""

    def request(self, frame: Request, now: Instant) -> None: ...
    def accepted(self, now: Instant) -> None: ...
    def rejected(self, reason: RejectReason, now: Instant) -> None: ...
    def broken(self, error: ErrorKind | None, now: Instant) -> None:
        """It is over; `None`: the peer has closed it in order.  Nothing is told after this or after `rejected`."""


class Landing(NamedTuple):
    """Where data of a frame goes, piece by piece as it comes, and what to do when all of it is there."""

    views: Sequence[memoryview]
    done: Callable[[Instant], None]


class DataSink(Protocol):
    """Who takes the frames of an established connection: called with the driver lock held."""

    def land(self, frame: Message | Write | Data, length: int, now: Instant) -> Landing | None:
        """Where the `length` bytes go.  `None`: nowhere yet; `Channel.resume` asks again.

        Raises `Refused`, or `BadFrame`.
        """

    def read(self, frame: Read, now: Instant) -> None:
        """Answer it.  Raises as `land`."""


class Refused(Exception):
    """The peer may not do that with our memory: it is told so, and the connection ends."""

    def __init__(self, tag: int, fault: AccessFault) -> None:
        super().__init__(fault.name)
        self.frame = Error(tag, fault)
