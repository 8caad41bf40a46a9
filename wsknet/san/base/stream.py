"""What a stream socket needs of the connection behind it: TCP of the host, or what the switch puts in its place.

Windows has switch and TCP/IP provider in one DLL, and so blocking, overlapped operations, network events, timeouts and
error codes of a socket are the same whichever way its bytes go: they are written once, in this package, over this
protocol, and never ask which of the two it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wsknet.errors import ErrorKind
    from wsknet.transport.endpoint import Owner
    from wsknet.types import Buffer, Endpoint, Instant


class Stream(Protocol):
    """Every member is used with the driver lock held.  `owner.on_ready` hears of READABLE, SENT (there may be room),
    URGENT, PEER_FINISHED, FINISHED and FAILED, bits of `transport.endpoint.Ready`."""

    owner: Owner | None

    @property
    def error(self) -> ErrorKind | None:
        """Why the connection is no more."""

    @property
    def local(self) -> Endpoint: ...

    @property
    def remote(self) -> Endpoint: ...

    @property
    def readable(self) -> int:
        """Bytes waiting."""

    @property
    def peer_finished(self) -> bool:
        """After `readable` bytes comes the end."""

    @property
    def unsent(self) -> int:
        """Bytes taken by `send` that the peer has not acknowledged."""

    @property
    def urgent(self) -> int | None:
        """How many bytes of what waits, or is to come, the peer calls urgent; `None`: it calls nothing so."""

    def send(self, data: Buffer, now: Instant, *, is_urgent: bool = False) -> int:
        """Take as much of `data` as there is room for, by copy; how much."""

    def receive_into(self, buffer: memoryview, now: Instant) -> int: ...

    def peek(self, limit: int) -> bytes: ...

    def finish(self, now: Instant) -> None:
        """No more from us, after what was taken."""

    def refuse(self, now: Instant) -> None:
        """The application wants no more of what the peer sends (SD_RECEIVE)."""

    def close(self, now: Instant, *, is_abortive: bool) -> None:
        """Let it end by itself, what was taken being sent first, or reset it at once.  The owner hears nothing more."""
