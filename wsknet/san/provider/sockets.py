"""One companion socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError
from wsknet.san.numbers import FD_CONNECT, NO_ERROR, WSAECONNABORTED, WSAECONNRESET
from wsknet.san.provider.selecting import Selection
from wsknet.san.provider.states import TRANSITIONS, Cause, SocketState
from wsknet.san.provider.transfers import Transfers
from wsknet.types import Endpoint

if TYPE_CHECKING:
    from wsknet.san.provider.attempt import Attempt
    from wsknet.san.provider.channel import Channel
    from wsknet.san.provider.listening import Listening
    from wsknet.san.provider.native import RejectReason, Request
    from wsknet.san.provider.process import Process
    from wsknet.san.structures import WSAOVERLAPPED
    from wsknet.types import Instant


class SanSocket:
    """Known to the switch by its `descriptor`, and to the provider in up-calls by the switch's `handle`.

    It is the sink of its channel: those calls come with the driver lock held.
    """

    __slots__ = ("attempt", "channel", "descriptor", "handle", "is_debugged", "listening", "name", "process", "remote",
                 "selection", "state", "transfers")  # fmt: skip

    def __init__(self, process: Process, descriptor: int, handle: int) -> None:
        self.process = process
        self.descriptor = descriptor
        self.handle = handle
        self.state = SocketState.UNBOUND
        self.name: Endpoint | None = None
        """What WSPBind was given; of an accepted socket what the peer has dialled."""
        self.remote: Endpoint | None = None
        """The name of the peer's companion, from WSPConnect on."""
        self.selection = Selection()
        self.listening: Listening | None = None
        self.attempt: Attempt | None = None
        """While it connects."""
        self.channel: Channel | None = None
        """While there is a connection, or about to be."""
        self.transfers: Transfers | None = None
        """From the moment of connection on, also after it has ended."""
        self.is_debugged = False
        """SO_DEBUG."""

    def change(self, cause: Cause) -> None:
        following = TRANSITIONS[self.state].get(cause)
        if following is None:
            raise LocalError(ErrorKind.INVALID_STATE, f"{cause.value} while it {self.state.value}")
        self.state = following

    def establish(self, channel: Channel, now: Instant) -> None:
        """The connection is there: data may flow, beginning with what has come already."""
        self.change(Cause.ACCEPTED)
        self.channel = channel
        self.transfers = Transfers(self, channel, self.process.memory)
        channel.start_data(self.transfers, now)

    def complete(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        """Tell the switch that an operation is over, unless it wants to ask (SAN-6.6.1)."""
        overlapped.Internal = error
        overlapped.InternalHigh = count
        if isinstance(overlapped.hEvent, int) and overlapped.hEvent & 1:
            return
        self.process.post_completion(self.handle, overlapped, error, count)

    def disconnect(self) -> None:
        """The connection, under way or established, is no more."""
        if self.name is not None and self.remote is not None:
            self.process.proxy.names.disconnect(self.name, self.remote, self)
        if self.attempt is not None:
            self.attempt.settle()
            self.attempt = None
        self.channel = None

    # What the channel tells

    def request(self, frame: Request, now: Instant) -> None:
        """A REQUEST comes before the channel is ours, and no second one gets through."""
        raise LocalError(ErrorKind.INVALID_STATE, "REQUEST on a connection that was requested")

    def accepted(self, now: Instant) -> None:
        assert self.attempt is not None
        assert self.channel is not None
        self.attempt.settle()
        self.attempt = None
        self.establish(self.channel, now)
        self.selection.happen(FD_CONNECT, NO_ERROR)

    def rejected(self, reason: RejectReason, now: Instant) -> None:
        assert self.attempt is not None
        self.fail_attempt(self.attempt.error_of_rejection(reason))

    def broken(self, error: ErrorKind | None, now: Instant) -> None:
        if self.attempt is not None:
            self.fail_attempt(self.attempt.error_of_failure(error))
            return
        self.change(Cause.ENDED)
        self.disconnect()
        assert self.transfers is not None
        self.transfers.fail_all(WSAECONNABORTED if error is ErrorKind.ABORTED else WSAECONNRESET, now)

    def fail_attempt(self, code: int) -> None:
        """As bound as before, and free to connect elsewhere."""
        self.change(Cause.FAILED)
        self.disconnect()
        self.remote = None
        self.selection.happen(FD_CONNECT, code)
