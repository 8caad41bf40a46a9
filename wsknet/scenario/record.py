"""What was sent into the links, for expectations and for the capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.devices.capture import described
from wsknet.devices.pcapng import Direction
from wsknet.inspect.summary import frame_text
from wsknet.scenario.world import SeenFrame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsknet.devices.base import Device, Entry, Receiver
    from wsknet.devices.capture import Describer
    from wsknet.devices.pcapng import PcapngWriter
    from wsknet.types import Buffers, Instant

_ETHERTYPE_IPV6 = b"\x86\xdd"
_NEIGHBOUR = {
    "arp who-has": "the next hop is on this link, its MAC address is not known (RFC 826)",
    "arp": "answers for an address of its own (RFC 826)",
    "nd who-has": "the next hop is on this link, its MAC address is not known (RFC 4861 7.2.2)",
    "nd": "answers for an address of its own (RFC 4861 7.2.4)",
}


class Record:
    """All frames of a run, in order, each with the step that caused it and the decision behind it."""

    def __init__(self, writer: PcapngWriter | None) -> None:
        self.frames: list[SeenFrame] = []
        self.writer = writer
        self.step = ""
        self._decisions: dict[tuple[str, bytes], str] = {}
        """The last decision by interface and both addresses: the core tells it once for each path."""

    def add(
        self, sender: str, interface: int, frame: bytes, now: Instant, comment: str | None, said: str | None = None
    ) -> None:
        """`said` belongs to this frame alone."""
        told = frame_text(frame)
        comment = "; ".join(part for part in (said, self._decision(sender, frame, told, comment)) if part)
        self.frames.append(SeenFrame(now, sender, told, comment, said or ""))
        if self.writer is not None:
            text = "; ".join(part for part in (self.step, comment) if part)
            self.writer.write(interface, now, frame, Direction.OUTBOUND, text or None)

    def _decision(self, sender: str, frame: bytes, told: str, comment: str | None) -> str:
        key = (sender, frame[22:54] if frame[12:14] == _ETHERTYPE_IPV6 else frame[26:34])
        if comment:
            self._decisions[key] = comment
            return comment
        known = self._decisions.get(key)
        if known is not None and not told.startswith(("arp", "nd")):
            return known
        return next((why for start, why in _NEIGHBOUR.items() if told.startswith(start)), "")


class RecordedEnd:
    """A `Device` in front of a link's end that keeps what is sent."""

    def __init__(self, device: Device, record: Record, describers: Iterable[Describer] = ()) -> None:
        self.name = device.name
        self._device = device
        self._record = record
        self._describers = describers
        self._interface = record.writer.add_interface(self.name) if record.writer is not None else 0

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._device.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        said = described(None, whole, self._describers)
        self._record.add(self.name, self._interface, whole, now, comment, said)
        self._device.transmit((whole,), now, comment)

    def close(self) -> None:
        self._device.close()
