"""TCP options: RFC 9293 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from wsknet.tcp_policy import OptionOrder

MAX_LENGTH = 40
"""Bytes that a data offset of 15 words leaves."""
MAX_WINDOW_SCALE = 14
"""RFC 7323 2.3: a larger shift is used as 14."""

_END = 0
_NOP = 1
_MSS = 2
_WINDOW_SCALE = 3
_SACK_PERMITTED = 4
_SACK = 5
_TIMESTAMPS = 8
_FAST_OPEN = 34

_TIMESTAMPS_ALIGNED = b"\x01\x01\x08\x0a"
"""What every segment of a connection with timestamps starts its options with (RFC 7323 appendix A)."""

_SACK_PERMITTED_ALONE = bytes((_SACK_PERMITTED, 2))
_NOPS = bytes((_NOP, _NOP))
_ENDS = bytes((_END, _END))

_pack_mss = Struct("!BBH").pack
_PAIR = Struct("!II")
_LENGTHS = {_MSS: 4, _WINDOW_SCALE: 3, _SACK_PERMITTED: 2, _TIMESTAMPS: 10}
_KNOWN = frozenset((*_LENGTHS, _SACK, _FAST_OPEN))
_COOKIE_LENGTHS = (0, *range(4, 17, 2))
"""RFC 7413 4.1.1."""


class Options(NamedTuple):
    """What a segment carries; `None`, `False` and `()` where it carries nothing."""

    mss: int | None = None
    window_scale: int | None = None
    """0 to 14."""
    sack_permitted: bool = False
    sack_blocks: tuple[tuple[int, int], ...] = ()
    """Left and right edge of each, as sequence numbers, in the order of the wire."""
    timestamps: tuple[int, int] | None = None
    """TSval and TSecr."""
    fast_open: bytes | None = None
    """The cookie; empty to ask for one."""


NO_OPTIONS = Options()


def parse(data: bytes) -> Options | None:
    """`None` if an option lies about its length.  Unknown options are skipped, of repeated ones the last counts."""
    if not data:
        return NO_OPTIONS
    if len(data) == 12 and data[:4] == _TIMESTAMPS_ALIGNED:
        # Per segment, hence not by keyword: that is 0.4 us.
        return tuple.__new__(Options, (None, None, False, (), _PAIR.unpack_from(data, 4), None))
    found: dict[int, bytes] = {}
    position, end = 0, len(data)
    while position < end:
        kind = data[position]
        if kind == _END:
            break
        if kind == _NOP:
            position += 1
            continue
        if position + 2 > end:
            return None
        length = data[position + 1]
        if length < 2 or position + length > end or _LENGTHS.get(kind, length) != length:
            return None
        if kind == _SACK and (length < 10 or (length - 2) % 8):
            return None
        if kind in _KNOWN:
            found[kind] = data[position + 2 : position + length]
        position += length
    return _options(found) if found else NO_OPTIONS


def _options(found: dict[int, bytes]) -> Options:
    """From option kind to its value, lengths checked."""
    mss = found.get(_MSS)
    scale = found.get(_WINDOW_SCALE)
    blocks = found.get(_SACK)
    stamps = found.get(_TIMESTAMPS)
    cookie = found.get(_FAST_OPEN)
    return Options(
        None if mss is None else int.from_bytes(mss, "big"),
        None if scale is None else min(scale[0], MAX_WINDOW_SCALE),
        _SACK_PERMITTED in found,
        () if blocks is None else tuple(_PAIR.iter_unpack(blocks)),
        None if stamps is None else _PAIR.unpack(stamps),
        cookie if cookie is not None and len(cookie) in _COOKIE_LENGTHS else None,
    )


def build(options: Options, order: OptionOrder = OptionOrder.SCALE_FIRST) -> bytes:
    """A multiple of 4 bytes, at most 40: of the SACK blocks the first that fit (RFC 2018 3).

    `order` is that of SYN and SYN-ACK; without MSS, window scale and SACK permitted all orders are the same.
    """
    parts = []
    if options.mss is not None:
        parts.append(_pack_mss(_MSS, 4, options.mss))
    scale = b"" if options.window_scale is None else bytes((_NOP, _WINDOW_SCALE, 3, options.window_scale))
    if order is not OptionOrder.SCALE_LAST:
        parts.append(scale)
    if options.sack_permitted and options.timestamps is not None:
        parts.append(_SACK_PERMITTED_ALONE + _TIMESTAMPS_ALIGNED[2:] + _PAIR.pack(*options.timestamps))
    elif options.sack_permitted:
        is_last = order is OptionOrder.END_PADS and not options.sack_blocks
        parts.append(_SACK_PERMITTED_ALONE + _ENDS if is_last else _NOPS + _SACK_PERMITTED_ALONE)
    elif options.timestamps is not None:
        parts.append(_TIMESTAMPS_ALIGNED + _PAIR.pack(*options.timestamps))
    if order is OptionOrder.SCALE_LAST:
        parts.append(scale)
    if options.fast_open is not None:
        cookie = bytes((_FAST_OPEN, 2 + len(options.fast_open))) + options.fast_open
        parts.append(bytes((_NOP,)) * (-len(cookie) % 4) + cookie)
    if options.sack_blocks:
        room = (MAX_LENGTH - 4 - sum(map(len, parts))) // 8
        blocks = options.sack_blocks[:room]
        if blocks:
            parts.append(bytes((_NOP, _NOP, _SACK, 2 + 8 * len(blocks))))
            parts.extend(_PAIR.pack(left, right) for left, right in blocks)
    return b"".join(parts)
