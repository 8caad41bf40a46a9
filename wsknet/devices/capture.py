"""A device that writes down what passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from wsknet.devices.pcapng import Direction, PcapngWriter
from wsknet.types import Buffers, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import Device, Entry, Receiver


Describer: TypeAlias = "Callable[[bytes], str]"
"""What there is to say about a frame, empty if nothing.  It sees the frames of one interface in order."""


def described(comment: str | None, frame: bytes, describers: Iterable[Describer]) -> str | None:
    """`comment` with what the describers add."""
    told = [comment or "", *(describe(frame) for describe in describers)]
    return "; ".join(part for part in told if part) or None


class Capture:
    """Records what is sent through `device`, and with `both` what is received as well.

    With a capture at every end of a virtual link each frame is in the file once, under the name of its sender, also
    when it is lost on the way.  A TAP has one end here: record both directions.
    """

    def __init__(
        self,
        device: Device,
        writer: PcapngWriter,
        *,
        both: bool = False,
        name: str | None = None,
        describers: Iterable[Describer] = (),
    ) -> None:
        self.name = name or device.name
        """Also the interface's name in the file."""
        self._device = device
        self._writer = writer
        self._interface = writer.add_interface(self.name)
        self._receiver: Receiver | None = None
        self._records_received = both
        self._describers = describers

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver = receiver
        self._device.attach(self._receive if self._records_received else receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        told = described(comment, whole, self._describers)
        self._writer.write(self._interface, now, whole, Direction.OUTBOUND, told)
        self._device.transmit((whole,), now, comment)

    def close(self) -> None:
        """Close the device; the writer may serve others."""
        self._device.close()

    def _receive(self, frame: bytes, now: Instant) -> None:
        assert self._receiver is not None
        told = described(None, frame, self._describers)
        self._writer.write(self._interface, now, frame, Direction.INBOUND, told)
        self._receiver(frame, now)
