"""RDMA of one connection: what we read from the peer's memory, and what the peer does with ours (SAN-8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.san.numbers import MEM_READ, MEM_WRITE
from wsknet.san.provider.native import AccessFault, BadFrame, Data, Read, Write
from wsknet.san.provider.sinks import Landing, Refused

if TYPE_CHECKING:
    from wsknet.san.provider.channel import Channel
    from wsknet.san.provider.memory import Hold, Memory
    from wsknet.san.provider.transfers import Operation
    from wsknet.types import Instant

READS_AT_ONCE = 64
"""[design] READs of a connection that may wait for their DATA: what a SAN NIC calls its depth.  Further ones wait with
who asks, so that no peer can make us queue answers without end."""
_TAGS = 1 << 32


class Reads:
    """WSPRdmaReads that the peer has not answered, in order."""

    def __init__(self, channel: Channel, complete: Callable[[Operation], None]) -> None:
        self._channel = channel
        self._complete = complete
        self._asked: deque[tuple[Read, Operation]] = deque()
        self._waiting: deque[tuple[Read, Operation]] = deque()
        self._tag = 0

    def begin(self, operation: Operation, descriptor: bytes, offset: int, now: Instant) -> None:
        self._tag = (self._tag + 1) % _TAGS
        self._waiting.append((Read(self._tag, descriptor, offset, operation.hold.length), operation))
        self._ask(now)

    def _ask(self, now: Instant) -> None:
        while self._waiting and len(self._asked) < READS_AT_ONCE:
            entry = self._waiting.popleft()
            self._asked.append(entry)
            self._channel.send(entry[0], now)

    def answer(self, frame: Data, length: int) -> Landing:
        """Where the answer to the oldest goes.  Raises `BadFrame` if it is another's."""
        if not self._asked or frame.tag != self._asked[0][0].tag or length != self._asked[0][0].length:
            raise BadFrame("DATA that nobody has asked for")
        _, operation = self._asked[0]

        def landed(now: Instant) -> None:
            self._complete(operation)
            if self._asked and self._asked[0][1] is operation:
                self._asked.popleft()
                self._ask(now)

        return Landing(operation.hold.views, landed)

    def clear(self) -> None:
        self._asked.clear()
        self._waiting.clear()


class PeerAccess:
    """What the peer does with memory that was registered for it, on the socket of this connection alone."""

    def __init__(self, channel: Channel, memory: Memory, owner: object) -> None:
        self._channel = channel
        self._memory = memory
        self._owner = owner
        self._guests: dict[Hold, None] = {}
        """What a WRITE is filling, and what DATA on its way is lent from."""
        self._answers = 0
        """DATA on its way."""

    def write(self, frame: Write, length: int) -> Landing:
        """Raises `Refused`."""
        hold = self._hold(0, frame.descriptor, frame.offset, length, MEM_WRITE)
        return Landing(hold.views, lambda now: self._release(hold))

    def read(self, frame: Read, now: Instant) -> None:
        """Send the data.  Raises `Refused`, or `BadFrame` when too many answers are on their way."""
        if self._answers == READS_AT_ONCE:
            raise BadFrame("more READs than a NIC may send at once")
        hold = self._hold(frame.tag, frame.descriptor, frame.offset, frame.length, MEM_READ)
        self._answers += 1

        def answered(now: Instant) -> None:
            self._answers -= 1
            self._release(hold)

        self._channel.send(Data(frame.tag, tuple(hold.views)), now, answered)

    def _hold(self, tag: int, descriptor: bytes, offset: int, length: int, access: int) -> Hold:
        found = self._memory.hold_for_peer(self._owner, descriptor, offset, length, access)
        if isinstance(found, AccessFault):
            raise Refused(tag, found)
        self._guests[found] = None
        return found

    def _release(self, hold: Hold) -> None:
        self._guests.pop(hold, None)
        hold.release()

    def end(self) -> None:
        """The peer touches nothing any more."""
        for hold in self._guests:
            hold.release()
        self._guests.clear()
