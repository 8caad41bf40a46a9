"""Where numbers begin that nobody may guess: sequence numbers (RFC 6528, RFC 9293 3.4.1), timestamps (RFC 7323 7.1)."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

from wsknet.transport.tcp.seq import Seq, wrap
from wsknet.types import MICROSECOND

if TYPE_CHECKING:
    from random import Random

    from wsknet.types import Endpoint, Instant

_TICK = 4 * MICROSECOND
"""RFC 9293 3.4.1: the clock behind the numbers goes round in 4.77 hours."""


class InitialSequence:
    """A clock plus a keyed hash of the names: unpredictable from outside, rising for each pair of names."""

    __slots__ = ("_secret",)

    def __init__(self, rng: Random) -> None:
        self._secret = rng.randbytes(16)

    def __call__(self, local: Endpoint, remote: Endpoint, now: Instant) -> Seq:
        return wrap(now // _TICK + _hash(self._secret, local, remote))


class TimestampOffset:
    """What is added to the clock: the same for each pair of names, so that timestamps rise from one connection to the
    next (RFC 6191 2)."""

    def __init__(self, rng: Random, counts_ports: bool) -> None:
        self._rng = rng
        self._counts_ports = counts_ports

    @cached_property
    def _secret(self) -> bytes:
        """Drawn when first needed."""
        return self._rng.randbytes(16)

    def __call__(self, local: Endpoint, remote: Endpoint) -> int:
        if not self._counts_ports:
            local, remote = local._replace(port=0), remote._replace(port=0)
        return _hash(self._secret, local, remote)


def _hash(secret: bytes, local: Endpoint, remote: Endpoint) -> int:
    names = b"%b%b%d,%d" % (local.address, remote.address, local.port, remote.port)
    return int.from_bytes(blake2b(names, digest_size=4, key=secret).digest(), "big")
