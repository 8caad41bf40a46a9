"""What is under way on one connected SAN socket: overlapped operations, each told once when it is over (SAN-6.6)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from wsknet.san.numbers import NO_ERROR, WSA_IO_PENDING, WSAEMSGSIZE
from wsknet.san.provider.native import BadFrame, Data, Message, Write
from wsknet.san.provider.rdma import PeerAccess, Reads
from wsknet.san.provider.sinks import Landing

if TYPE_CHECKING:
    from wsknet.san.provider.channel import Channel
    from wsknet.san.provider.memory import Hold, Memory
    from wsknet.san.provider.native import Read
    from wsknet.san.structures import WSAOVERLAPPED
    from wsknet.types import Instant


class Socket(Protocol):
    """What the data half needs of a SAN socket."""

    transfers: Transfers | None
    """`None` before it is connected."""

    def complete(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        """Driver lock held."""


class Operation:
    __slots__ = ("hold", "overlapped")

    def __init__(self, overlapped: WSAOVERLAPPED, hold: Hold) -> None:
        self.overlapped = overlapped
        self.hold = hold


class Transfers:
    """Of one connection; a `sinks.DataSink`.  Driver lock held in every call.

    Memory of an operation is in use until the operation is over, however it ends.
    """

    def __init__(self, socket: Socket, channel: Channel, memory: Memory) -> None:
        self.error = NO_ERROR
        """Why the connection is over, once it is: what later calls answer."""
        self._socket = socket
        self._channel = channel
        self._pending: dict[Operation, None] = {}
        """Oldest first."""
        self._receives: deque[Operation] = deque()
        """Those that no message has begun to fill."""
        self._reads = Reads(channel, self._complete)
        self._peer = PeerAccess(channel, memory, socket)

    # Calls

    def post_receive(self, overlapped: WSAOVERLAPPED, hold: Hold, now: Instant) -> None:
        """For one message, in the order of the calls."""
        self._receives.append(self._begin(overlapped, hold))
        self._channel.resume(now)

    def send(self, overlapped: WSAOVERLAPPED, hold: Hold, now: Instant) -> None:
        """One message."""
        operation = self._begin(overlapped, hold)
        self._channel.send(Message(tuple(hold.views)), now, lambda now: self._complete(operation))

    def rdma_write(self, overlapped: WSAOVERLAPPED, hold: Hold, descriptor: bytes, offset: int, now: Instant) -> None:
        """Complete when the peer's NIC has the data; frames sent later find it in the memory."""
        operation = self._begin(overlapped, hold)
        frame = Write(descriptor, offset, tuple(hold.views))
        self._channel.send(frame, now, lambda now: self._complete(operation))

    def rdma_read(self, overlapped: WSAOVERLAPPED, hold: Hold, descriptor: bytes, offset: int, now: Instant) -> None:
        self._reads.begin(self._begin(overlapped, hold), descriptor, offset, now)

    def fail_all(self, error: int, now: Instant) -> None:
        """The connection is over: everything under way fails with `error`, and so will all later calls."""
        if self.error:
            error = self.error
        self.error = error
        self._receives.clear()
        self._reads.clear()
        self._peer.end()
        for operation in list(self._pending):
            self._complete(operation, error, 0)

    def _begin(self, overlapped: WSAOVERLAPPED, hold: Hold) -> Operation:
        overlapped.Internal = WSA_IO_PENDING
        overlapped.InternalHigh = 0
        operation = Operation(overlapped, hold)
        self._pending[operation] = None
        return operation

    def _complete(self, operation: Operation, error: int = NO_ERROR, count: int | None = None) -> None:
        if operation not in self._pending:
            return  # it has failed already, but not the connection: the socket was handed over
        del self._pending[operation]
        operation.hold.release()
        self._socket.complete(operation.overlapped, error, operation.hold.length if count is None else count)
        self._channel.host.driver.wakeup()

    # Arriving frames

    def land(self, frame: Message | Write | Data, length: int, now: Instant) -> Landing | None:
        if isinstance(frame, Write):
            return self._peer.write(frame, length)
        if isinstance(frame, Data):
            return self._reads.answer(frame, length)
        if not self._receives:
            return None
        operation = self._receives.popleft()
        if length > operation.hold.length:
            self._complete(operation, WSAEMSGSIZE, 0)
            raise BadFrame("a message that is longer than the receive posted for it")
        return Landing(operation.hold.first(length), lambda now: self._complete(operation, NO_ERROR, length))

    def read(self, frame: Read, now: Instant) -> None:
        self._peer.read(frame, now)
