"""What passes over a link and what is lost on it, noted where it is sent."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from tests.simulation.words import time_text
from wsknet.inspect.summary import frame_text
from wsknet.types import Buffers, Instant, Proto

if TYPE_CHECKING:
    from wsknet.devices.base import Device, Entry, Receiver
    from wsknet.devices.impair import Channel

_KEPT = 60
"""Frames told of when a seed fails."""


class Log:
    """Of one world."""

    def __init__(self) -> None:
        self.frames = 0
        self.lost: Counter[tuple[int, int]] = Counter()
        """Frames that did not arrive as they were sent, by the ports of a TCP segment; (0, 0): not TCP."""
        self._latest: deque[tuple[Instant, str, bytes, str]] = deque(maxlen=_KEPT)

    def note(self, now: Instant, name: str, frame: bytes, fate: str) -> None:
        self.frames += 1
        self._latest.append((now, name, frame, fate))
        if fate:
            self.lost[ports_of(frame)] += 1

    def losses(self, port: int, other: int) -> int:
        """That hit a conversation between these ports, either way, or might have hit any."""
        return self.lost[port, other] + self.lost[other, port] + self.lost[0, 0]

    def tell(self) -> str:
        return "\n".join(
            f"  {time_text(now):>14} {name}: {_text(frame)}{' - ' + fate if fate else ''}"
            for now, name, frame, fate in self._latest
        )


class Witness:
    """A `Device` in front of one end of a link, with the channel that it sends into."""

    def __init__(self, device: Device, channel: Channel, log: Log) -> None:
        self.name = device.name
        self._device = device
        self._channel = channel
        self._log = log

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._device.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        counters = self._channel.counters
        before = counters.lost, counters.overflowed, counters.corrupted
        self._device.transmit((whole,), now, comment)
        fate = ""
        after = counters.lost, counters.overflowed, counters.corrupted
        if after != before:
            names = ("lost", "dropped by a full queue", "corrupted")
            fate = next(name for name, was, is_ in zip(names, before, after, strict=True) if was != is_)
        self._log.note(now, self.name, whole, fate)

    def close(self) -> None:
        self._device.close()


def ports_of(frame: bytes) -> tuple[int, int]:
    """Source and destination of a TCP segment; (0, 0) for anything else."""
    if frame[12:14] == b"\x08\x00" and frame[23] == Proto.TCP:
        start = 14 + 4 * (frame[14] & 15)
    elif frame[12:14] == b"\x86\xdd" and frame[20] == Proto.TCP:
        start = 54
    else:
        return 0, 0
    return int.from_bytes(frame[start : start + 2], "big"), int.from_bytes(frame[start + 2 : start + 4], "big")


def _text(frame: bytes) -> str:
    """With the numbers of a segment, which `frame_text` leaves out."""
    text = frame_text(frame)
    if ports_of(frame) == (0, 0):
        return text
    start = 14 + 4 * (frame[14] & 15) if frame[12] == 8 else 54
    header = frame[start:]
    seq, ack, window = (int.from_bytes(header[a:b], "big") for a, b in ((4, 8), (8, 12), (14, 16)))
    offset = header[12] >> 4 << 2
    end = int.from_bytes(frame[16:18], "big") + 14 if frame[12] == 8 else int.from_bytes(frame[18:20], "big") + 54
    options = f", options {header[20:offset].hex()}" if offset > 20 else ""
    return f"{text} seq {seq} length {end - start - offset} ack {ack} window {window}{options}"
