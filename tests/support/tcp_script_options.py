"""TCP options as `tests.support.tcp_script` writes them: from text, to bytes, from bytes, and compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from struct import pack, unpack

_MASK = 0xFFFFFFFF
_EOL, _NOP, _MSS, _WSCALE, _SACK_OK, _SACK, _TS, _FO = 0, 1, 2, 3, 4, 5, 8, 34
_NAMES = {_EOL: "eol", _NOP: "nop", _SACK_OK: "sackOK"}
_BARE = {name: kind for kind, name in _NAMES.items()}


@dataclass(frozen=True)
class Option:
    """`values` are those of the script, SACK edges relative to the SYN of the stream that they tell of.  None: any."""

    kind: int
    values: tuple[int | None, ...] = ()
    data: bytes = b""
    """Of a Fast Open cookie, and of an option without a name."""

    def __str__(self) -> str:
        words = ["*" if value is None else str(value) for value in self.values]
        if self.kind in _NAMES:
            return _NAMES[self.kind]
        if not words:
            return " ".join(filter(None, ("FO" if self.kind == _FO else f"opt {self.kind}", self.data.hex())))
        if self.kind == _TS:
            return f"TS val {words[0]} ecr {words[1]}"
        if self.kind == _SACK:
            return "sack " + " ".join(f"{left}:{right}" for left, right in zip(words[::2], words[1::2], strict=True))
        return f"{'mss' if self.kind == _MSS else 'wscale'} {words[0]}"

    def encode(self, sack_base: int, echo_base: int) -> bytes:
        """As the peer sends it: `echo_base` is what our own clock shows at the script's timestamp 0."""
        values = [0 if value is None else value for value in self.values]
        if self.kind in (_EOL, _NOP):
            return bytes((self.kind,))
        if not values:
            body = self.data
        elif self.kind == _MSS:
            body = pack("!H", *values)
        elif self.kind == _WSCALE:
            body = bytes(values)
        elif self.kind == _SACK:
            body = b"".join(pack("!I", (value + sack_base) & _MASK) for value in values)
        else:
            body = pack("!II", values[0], (values[1] + echo_base) & _MASK if values[1] else 0)
        return bytes((self.kind, 2 + len(body))) + body

    def admits(self, found: Option) -> bool:
        """`found` came where this was expected."""
        return (self.kind, self.data, len(self.values)) == (found.kind, found.data, len(found.values)) and all(
            wanted is None or wanted == value for wanted, value in zip(self.values, found.values, strict=True)
        )


def parse(text: str) -> tuple[Option, ...]:
    """The inside of ``<mss 1460,nop,wscale 8>``.  Raises `ValueError`."""
    return tuple(_parse_one(part.strip()) for part in text.split(",")) if text.strip() else ()


def _parse_one(text: str) -> Option:
    if text in _BARE:
        return Option(_BARE[text])
    if found := re.fullmatch(r"(mss|wscale) (\d+)", text):
        return Option(_MSS if found[1] == "mss" else _WSCALE, (int(found[2]),))
    if found := re.fullmatch(r"TS val (\d+|\*) ecr (\d+|\*)", text):
        return Option(_TS, tuple(None if word == "*" else int(word) for word in found.groups()))
    if re.fullmatch(r"sack( -?\d+:-?\d+)+", text):
        return Option(_SACK, tuple(int(edge) for block in text.split()[1:] for edge in block.split(":")))
    if found := re.fullmatch(r"(?:FO|opt (\d+))(?: ((?:[0-9a-f]{2})+))?", text):
        return Option(int(found[1]) if found[1] else _FO, (), bytes.fromhex(found[2] or ""))
    raise ValueError(f"no TCP option is written {text!r}")


def decode(raw: bytes, sack_base: int, clock_base: int) -> tuple[Option, ...]:
    """What the stack sent, one by one and in order.  `clock_base` is taken from its TSval."""
    found, position = [], 0
    while position < len(raw):
        kind = raw[position]
        if kind in (_EOL, _NOP):
            found.append(Option(kind))
            position += 1
            continue
        length = raw[position + 1]
        body = raw[position + 2 : position + length]
        assert len(body) == length - 2 >= 0, f"an option that lies about its length was sent: {raw.hex()}"
        found.append(_decode_one(kind, body, sack_base, clock_base))
        position += length
    return tuple(found)


def _decode_one(kind: int, body: bytes, sack_base: int, clock_base: int) -> Option:
    if kind in (_MSS, _WSCALE):
        return Option(kind, (int.from_bytes(body, "big"),))
    if kind == _TS:
        value, echo = unpack("!II", body)
        return Option(kind, ((value - clock_base) & _MASK, echo))
    if kind == _SACK:
        return Option(kind, tuple((edge - sack_base) & _MASK for edge in unpack(f"!{len(body) // 4}I", body)))
    return Option(kind, (), b"" if kind == _SACK_OK else body)


def timestamp_of(options: tuple[Option, ...]) -> int | None:
    """TSval, if there is one and it is not left open."""
    return next((option.values[0] for option in options if option.kind == _TS), None)
