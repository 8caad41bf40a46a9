"""TCP Fast Open: data in the SYN, RFC 7413.  Off unless a socket asks for it."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from wsknet.transport.tcp.delivery import acknowledged
from wsknet.transport.tcp.seq import unwrap
from wsknet.types import SECOND, Duration, Instant

if TYPE_CHECKING:
    from random import Random

    from wsknet.transport.tcp.connection import Connection
    from wsknet.types import Address, Buffers
    from wsknet.wire import tcp

_COOKIE_LENGTH = 8
"""RFC 7413 4.1.1 allows 4 to 16 bytes; TCP_FASTOPEN_COOKIE_SIZE of Linux."""
_MOST_PEERS = 1024
"""Of which cookies are kept; the oldest goes.  Our own choice."""
_RESET_COUNTS: Duration = 60 * SECOND
"""How long; as in Linux."""
_MOST_OPTIONS = 40
"""Bytes of options that a SYN may have, and that its data leaves room for."""


class Known(NamedTuple):
    """What an earlier connection has told of a peer (RFC 7413 4.1.3)."""

    cookie: bytes
    mss: int


class FastOpen:
    """Cookies of this host: those it gives and those it was given."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._known: dict[Address, Known] = {}
        self.early: dict[Connection, None] = {}
        """Connections that were opened by data whose sender has not proved yet that it is where it says."""
        self._resets: deque[Instant] = deque()
        """Until when each of those counts that was reset: a peer whose address somebody forges resets what it knows
        nothing of (RFC 7413 5.1; `reqsk_fastopen_remove` of Linux)."""

    def pending(self, now: Instant) -> int:
        while self._resets and self._resets[0] <= now:
            self._resets.popleft()
        return len(self.early) + len(self._resets)

    def was_reset(self, now: Instant) -> None:
        """A connection of `early` was."""
        self._resets.append(Instant(now + _RESET_COUNTS))

    @cached_property
    def _secret(self) -> bytes:
        """Drawn when first needed."""
        return self._rng.randbytes(16)

    def cookie(self, peer: Address) -> bytes:
        """RFC 7413 4.1.2: what only a host that has the address has seen."""
        return blake2b(peer, digest_size=_COOKIE_LENGTH, key=self._secret).digest()

    def is_valid(self, cookie: bytes, peer: Address) -> bool:
        return compare_digest(cookie, self.cookie(peer))

    def learn(self, peer: Address, cookie: bytes, mss: int) -> None:
        self.forget(peer)
        if len(self._known) >= _MOST_PEERS:
            del self._known[next(iter(self._known))]
        self._known[peer] = Known(cookie, mss)

    def known(self, peer: Address) -> Known | None:
        return self._known.get(peer)

    def forget(self, peer: Address) -> None:
        """A SYN with data was not answered: the next one goes without (RFC 7413 4.1.3.1)."""
        self._known.pop(peer, None)


def prepare(connection: Connection) -> Buffers:
    """The data of the first SYN, and in `connection.fast_open` the cookie that goes with it or the request for one."""
    sender = connection.sender
    known = connection.protocol.fast_open.known(connection.remote.address)
    if known is None:
        connection.fast_open = b""
        return ()
    connection.fast_open = known.cookie
    length = min(sender.queue.end - sender.nxt, min(known.mss, sender.mss) - _MOST_OPTIONS)
    if length <= 0:
        return ()
    return sender.queue.take(sender.nxt, length)


def take_answer(connection: Connection, segment: tcp.Segment, now: Instant) -> None:
    """The SYN-ACK has come: what of our early data does it acknowledge?  The rest is sent again as if it were new."""
    sender = connection.sender
    told = segment.options
    if told.fast_open and connection.fast_open is not None:
        connection.protocol.fast_open.learn(connection.remote.address, told.fast_open, sender.size.peer)
    connection.fast_open = None
    ack = unwrap(segment.ack, sender.una)
    if ack > sender.una:
        acknowledged(sender, ack, now)
    if sender.nxt > sender.una:
        sender.take_back()


def accept_early(connection: Connection, syn: tcp.Segment, now: Instant) -> bool:
    """Whether the data of a SYN to a listener may be used before the handshake is done (RFC 7413 4.2.2).  If the
    cookie with it is no good, or missing, the SYN-ACK will bring one."""
    cookie = syn.options.fast_open
    fast_open = connection.protocol.fast_open
    if cookie is None:
        return False
    if not fast_open.is_valid(cookie, connection.remote.address):
        connection.fast_open = fast_open.cookie(connection.remote.address)
        return False
    if not syn.payload or fast_open.pending(now) >= connection.protocol.config.max_fast_opens:
        return False
    fast_open.early[connection] = None
    return True
