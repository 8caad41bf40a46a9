"""What passes over a link and what is lost on it, noted where it is sent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tests.simulation.flow import NO_FLOW, Flow, FlowKey, flow_of, header_of
from tests.simulation.words import time_text
from wsknet.inspect.summary import frame_text
from wsknet.types import Buffers, Instant, Mac

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.devices.base import Device, Entry, Receiver
    from wsknet.devices.impair import Channel

_KEPT = 60
"""Frames told of when a seed fails."""


class Log:
    """Of one world."""

    def __init__(self) -> None:
        self.frames = 0
        self.flows: dict[FlowKey, Flow] = {NO_FLOW: Flow()}
        self._latest: deque[tuple[Instant, str, bytes, str]] = deque(maxlen=_KEPT)

    def flow(self, key: FlowKey) -> Flow:
        return self.flows.setdefault(key, Flow())

    def note(self, now: Instant, name: str, frame: bytes, fate: str, is_first_hop: bool) -> None:
        self.frames += 1
        self._latest.append((now, name, frame, fate))
        key = flow_of(frame)
        flow = self.flow(key)
        if fate:
            flow.losses.append((now, fate))
        if is_first_hop and key != NO_FLOW:
            flow.sent(frame, now)

    def swallowed(self, error: bytes, now: Instant) -> None:
        """A router keeps `error`, an ICMP message, and the packet that it is about to itself."""
        at = 14 + 20 + 8 if error[12] == 8 else 14 + 40 + 8
        self.flow(flow_of(error[:14] + error[at:])).losses.append((now, "too long"))

    def losses(self, key: FlowKey, since: Instant, fates: tuple[str, ...] = ()) -> int:
        """From `since` on, that hit a conversation, either way, or might have hit any; of these `fates`, or of all."""
        version, port, other = key
        flows = {each: self.flow(each) for each in (key, (version, other, port), NO_FLOW)}
        return sum(at >= since and (not fates or fate in fates) for flow in flows.values() for at, fate in flow.losses)

    def tell(self) -> str:
        return "\n".join(
            f"  {time_text(now):>14} {name}: {_text(frame)}{' - ' + fate if fate else ''}"
            for now, name, frame, fate in self._latest
        )


class Witness:
    """A `Device` in front of one end of a link, with the channel that it sends into.

    `facing` is the card at the other end.  `arrived` is called after each frame that was received: then this is the end
    of a host, and no router's.
    """

    def __init__(
        self,
        device: Device,
        channel: Channel,
        log: Log,
        facing: Mac,
        arrived: Callable[[bytes, Instant], None] | None,
    ) -> None:
        self.name = device.name
        self._device = device
        self._channel = channel
        self._log = log
        self._facing = facing
        self._arrived = arrived

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        arrived = self._arrived

        def receive(frame: bytes, now: Instant) -> None:
            receiver(frame, now)
            if arrived is not None:
                arrived(frame, now)

        self._device.attach(receive, entry)

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
        elif whole[:6] != self._facing and not whole[0] & 1:
            fate = "for a card that is not there"  # ARP has no checksum: a corrupted answer is believed
        self._log.note(now, self.name, whole, fate, self._arrived is not None)

    def close(self) -> None:
        self._device.close()


class BlackHole:
    """A `Device` of a router that does not say which packets are too long: RFC 2923 2.1."""

    def __init__(self, device: Device, log: Log) -> None:
        self.name = device.name
        self._device = device
        self._log = log

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._device.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        if whole[12:14] == b"\x08\x00":
            is_too_big = whole[23] == 1 and whole[34:36] == b"\x03\x04"
        else:
            is_too_big = whole[12:14] == b"\x86\xdd" and whole[20] == 58 and whole[54] == 2
        if is_too_big:
            self._log.swallowed(whole, now)
        else:
            self._device.transmit((whole,), now, comment)

    def close(self) -> None:
        self._device.close()


def _text(frame: bytes) -> str:
    """With the numbers of a segment, which `frame_text` leaves out."""
    text = frame_text(frame)
    if flow_of(frame) == NO_FLOW:
        return text
    header, length = header_of(frame)
    seq, ack, window = (int.from_bytes(header[a:b], "big") for a, b in ((4, 8), (8, 12), (14, 16)))
    offset = header[12] >> 4 << 2
    options = f", options {header[20:offset].hex()}" if offset > 20 else ""
    return f"{text} seq {seq} length {length} ack {ack} window {window}{options}"
