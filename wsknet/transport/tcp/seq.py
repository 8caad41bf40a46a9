"""Sequence numbers: RFC 9293 3.4.

On the wire a sequence number is a `Seq`, modulo 2^32.  Inside a connection every place in a stream is a `Position`: the
same number without the modulus, so positions are compared and subtracted like any integers and never wrap.  A `Seq`
becomes a position next to one that is already known, see `unwrap`.
"""

from __future__ import annotations

from typing import NewType, TypeAlias

Seq = NewType("Seq", int)
"""0 to 2^32 - 1."""

Position: TypeAlias = int
"""A sequence number counted on past 2^32; congruent to the `Seq` that travels."""

MASK = 0xFFFFFFFF
_HALF = 0x80000000


def wrap(position: Position) -> Seq:
    return Seq(position & MASK)


def unwrap(seq: int, near: Position) -> Position:
    """The position congruent to `seq` in [near - 2^31, near + 2^31).

    Windows are at most 2^30 bytes (RFC 7323 2.3), so nothing that belongs to the connection lies further away.
    """
    return near + ((seq - near + _HALF) & MASK) - _HALF


def is_before(first: int, second: int) -> bool:
    """``first < second`` modulo 2^32; of two numbers exactly 2^31 apart each counts as before the other."""
    return (second - first - 1) & MASK < _HALF
