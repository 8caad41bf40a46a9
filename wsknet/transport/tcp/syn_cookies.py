"""SYN cookies: RFC 4987 3.6 and D. J. Bernstein's description (cr.yp.to/syncookies.html).

What has to be known of a SYN lies in the two numbers that the peer returns with its acknowledgement:

- the sequence number of our SYN-ACK, less that of the peer's SYN: 5 bits of a clock, 3 bits for the MSS, and 24 bits of
  a keyed hash of both ends, the peer's number, clock and MSS;
- with timestamps, as Linux does it, the 6 lowest bits of our TSval: window scale, SACK, ECN.

Without timestamps there is neither window scaling nor SACK nor ECN.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from wsknet.transport.tcp.seq import MASK, Seq
from wsknet.types import SECOND, Duration
from wsknet.wire.tcp_options import MAX_WINDOW_SCALE, NO_OPTIONS, Options

if TYPE_CHECKING:
    from random import Random

    from wsknet.types import Endpoint, Instant

_TICK = 60 * SECOND
"""Of the clock in a cookie; 64 s in Bernstein's description, a minute in Linux."""
MAX_AGE: Duration = 2 * _TICK
"""A cookie is good in the tick that it was made in and in the next: one to two minutes."""

_MSS = {
    4: (64, 536, 1220, 1360, 1440, 1452, 1460, 8960),
    16: (64, 1220, 1280, 1360, 1420, 1432, 1440, 8940),
}
"""By address length: what the peer's MSS is rounded down to.  The least that is believed, the defaults, tunnels, PPPoE,
Ethernet and jumbo frames."""

_HASH_BITS = 24
_MSS_BITS = 3
_CLOCK_BITS = 5

_SCALE = 0x0F
_NO_SCALE = 0x0F
_SACK = 0x10
_ECN = 0x20
_OPTION_BITS = 6


class SynCookies:
    """Numbers that only this host can have sent."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def number(self, local: Endpoint, remote: Endpoint, irs: int, mss: int, now: Instant) -> Seq:
        """Our initial sequence number in answer to a SYN with number `irs` from a peer that takes `mss` bytes."""
        table = _MSS[len(local.address)]
        index = max(position for position, size in enumerate(table) if size <= mss or position == 0)
        return Seq(irs + self._secret_part(local, remote, irs, now // _TICK, index) & MASK)

    def check(self, local: Endpoint, remote: Endpoint, irs: int, number: int, now: Instant) -> int | None:
        """The MSS of the peer whose SYN had the number `irs`, if `number` answered it lately."""
        difference = number - irs & MASK
        age = (now // _TICK - (difference >> _HASH_BITS + _MSS_BITS)) % (1 << _CLOCK_BITS)
        if age > 1:
            return None
        index = difference >> _HASH_BITS & (1 << _MSS_BITS) - 1
        if difference != self._secret_part(local, remote, irs, now // _TICK - age, index):
            return None
        return _MSS[len(local.address)][index]

    def _secret_part(self, local: Endpoint, remote: Endpoint, irs: int, ticks: int, index: int) -> int:
        """What lies between the two sequence numbers."""
        names = b"%b%b%d,%d,%d" % (local.address, remote.address, local.port, remote.port, local.zone or remote.zone)
        made_of = b"%b,%d,%d,%d" % (names, irs, ticks, index)
        digest = blake2b(made_of, digest_size=_HASH_BITS // 8, key=self._secret).digest()
        open_part = ticks % (1 << _CLOCK_BITS) << _MSS_BITS | index
        return open_part << _HASH_BITS | int.from_bytes(digest, "big")

    @cached_property
    def _secret(self) -> bytes:
        """Drawn when first needed: without a flood nothing is."""
        return self._rng.randbytes(16)


def stamp(timestamp: int, options: Options, has_ecn: bool = False) -> int:
    """The latest TSval not after `timestamp` that tells what of `options`, those of the peer's SYN, is granted."""
    bits = _NO_SCALE if options.window_scale is None else options.window_scale
    bits |= _SACK * options.sack_permitted | _ECN * has_ecn
    value = timestamp >> _OPTION_BITS << _OPTION_BITS | bits
    if value > timestamp:
        value -= 1 << _OPTION_BITS
    return value & MASK


def granted(echoed: int) -> tuple[Options, bool]:
    """Window scale and SACK of the peer's SYN, and whether ECN was granted, from our TSval as the peer echoes it."""
    scale = echoed & _SCALE
    options = NO_OPTIONS._replace(
        window_scale=None if scale == _NO_SCALE else min(scale, MAX_WINDOW_SCALE),
        sack_permitted=bool(echoed & _SACK),
    )
    return options, bool(echoed & _ECN)
