"""One segment as `tests.support.tcp_script` writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support import tcp_script_options as tcp_options
from tests.support.tcp_peer import OUR_PORT, PEER_ISS, PEER_PORT, Received
from tests.support.tcp_script_options import Option

ECN = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}
"""RFC 3168 5."""

_FORM = re.compile(
    r"""
    (?:\[(?P<ecn>\w+)\]\s+)?
    (?P<flags>[FSRPUEWA.]+|-)\s+
    (?P<start>-?\d+|\*):(?P<end>-?\d+|\*)
    (?:\((?P<length>\d+)\))?
    (?:\s+ack\s+(?P<ack>-?\d+|\*))?
    (?:\s+win\s+(?P<window>\d+|\*))?
    (?:\s+urg\s+(?P<urgent>\d+))?
    (?:\s+<(?P<options>[^>]*)>)?
    (?:\s+by\s+(?P<piece>\d+))?
    (?:\s+port\s+(?P<port>\d+))?
    (?:\s+"(?P<text>[^"]*)")?
    """,
    re.VERBOSE,
)
_ORDER = "FSRPUEWA"


def _letters(text: str) -> str:
    letters = text.replace(".", "A").replace("-", "")
    if len(set(letters)) != len(letters):
        raise ValueError(f"a flag is there twice in {text!r}")
    return "".join(letter for letter in _ORDER if letter in letters)


@dataclass(frozen=True)
class SegmentLine:
    """What a line says.  None: not said, or a star."""

    flags: str
    """Of "FSRPUEWA", in this order."""
    start: int | None
    length: int
    ack: int | None
    window: int | None
    urgent: int | None
    ecn: str | None
    options: tuple[Option, ...] | None
    piece: int | None
    """Several segments of so many bytes each; PSH, FIN and the rest of the data are on the last."""
    text: bytes | None
    port: int = PEER_PORT
    """The peer's."""

    @property
    def offset(self) -> int | None:
        """Where the data lies in the stream."""
        return None if self.start is None else self.start - 1 + ("S" in self.flags)

    @property
    def end(self) -> int | None:
        return None if self.start is None else self.start + self.length

    def pieces(self) -> list[SegmentLine]:
        """One by one, if they are several."""
        if self.piece is None:
            return [self]
        assert self.start is not None
        found, start, end = [], self.start, self.start + self.length
        while start < end:
            size = min(self.piece, end - start)
            flags = self.flags if start + size == end else re.sub("[PF]", "", self.flags)
            found.append(SegmentLine(flags, start, size, self.ack, self.window, self.urgent, self.ecn, self.options,
                                     None, None, self.port))  # fmt: skip
            start += size
        return found

    def differences(self, found: Received, options: tuple[Option, ...], data: bytes | None) -> list[str]:
        """In what `found`, which carries `options`, is not what this line says; `data` is that of the stream there."""
        wanted_and_given = {
            "flags": (self.flags, _letters(found.flags.replace("C", "W"))),
            "sequence number": (None if self.start is None else self.start & 0xFFFFFFFF, found.seq),
            "length": (self.length, len(found.data)),
            "acknowledgement": (None if self.ack is None else self.ack & 0xFFFFFFFF, found.ack),
            "window": (self.window, found.window),
            "urgent pointer": (self.urgent, found.urgent),
            "ECN": (None if self.ecn is None else ECN[self.ecn], found.traffic_class & 3),
            "ports": ((OUR_PORT, self.port), (found.source_port, found.destination_port)),
        }
        different = [name for name, (wanted, given) in wanted_and_given.items() if wanted not in (None, given)]
        if self.options is not None and not _all_admitted(self.options, options):
            different.append("options")
        if data is not None and len(found.data) == self.length and found.data != data:
            different.append("data: not the bytes of the stream")
        return different


def _all_admitted(wanted: tuple[Option, ...], given: tuple[Option, ...]) -> bool:
    return len(wanted) == len(given) and all(one.admits(other) for one, other in zip(wanted, given, strict=True))


def parse(text: str, is_expected: bool) -> SegmentLine:
    """What follows ``<`` or ``>``.  Raises `ValueError`."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            'not of the form  FLAGS START:END(LENGTH) [ack N] [win N] [urg N] [<OPTIONS>] [by N] [port N] ["TEXT"]'
        )
    flags = _letters(found["flags"])
    start, end = _number(found["start"]), _number(found["end"])
    if (start is None) != (end is None) or (start is None and found["length"] is None):
        raise ValueError("a star stands for both ends of the range, and then the length is needed")
    length = int(found["length"]) if start is None or end is None else end - start
    if length < 0 or (found["length"] is not None and int(found["length"]) != length):
        raise ValueError(f"{found['start']}:{found['end']} is not {found['length'] or 'a number of'} bytes")
    if ("A" in flags) != (found["ack"] is not None):
        raise ValueError("'ack' belongs to a segment with the flag '.', and to no other")
    ack, window = _number(found["ack"]), _number(found["window"])
    if not is_expected and "*" in (found["start"], found["ack"], found["window"]):
        raise ValueError("a star is for what is expected")
    if found["piece"] is not None and (not is_expected or not length or start is None or int(found["piece"]) <= 0):
        raise ValueError("'by' is for data that is expected in several segments")
    if found["ecn"] is not None and found["ecn"] not in ECN:
        raise ValueError(f"[{found['ecn']}] is none of {', '.join(ECN)}")
    data = None if found["text"] is None else found["text"].encode()
    if data is not None and (is_expected or len(data) != length):
        raise ValueError("a text is for what the peer sends, and as long as the range says")
    inside = found["options"]
    is_any = inside == "..."
    if is_any and not is_expected:
        raise ValueError("<...> is for what is expected")
    options = None if is_any else tcp_options.parse(inside or "")
    urgent = None if found["urgent"] is None else int(found["urgent"])
    piece = None if found["piece"] is None else int(found["piece"])
    port = int(found["port"] or PEER_PORT)
    return SegmentLine(flags, start, length, ack, window, urgent, found["ecn"], options, piece, data, port)


def _number(word: str | None) -> int | None:
    return None if word in (None, "*") else int(word)


def render(found: Received, options: tuple[Option, ...]) -> str:
    """A segment that came, as a line of a script would say it."""
    flags = _letters(found.flags.replace("C", "W")).replace("A", ".") or "-"
    length = len(found.data)
    words = [f"{flags} {found.seq}:{(found.seq + length) & 0xFFFFFFFF}({length})"]
    if "A" in found.flags:
        words.append(f"ack {found.ack}")
    words.append(f"win {found.window}")
    if "U" in found.flags:
        words.append(f"urg {found.urgent}")
    if options:
        words.append(f"<{','.join(map(str, options))}>")
    if found.destination_port != PEER_PORT:
        words.append(f"port {found.destination_port}")
    if found.traffic_class & 3:
        words.insert(0, next(f"[{name}]" for name, bits in ECN.items() if bits == found.traffic_class & 3))
    return " ".join(words)


def options_of(found: Received, clock_base: int) -> tuple[Option, ...]:
    return tcp_options.decode(found.raw_options, PEER_ISS, clock_base)
