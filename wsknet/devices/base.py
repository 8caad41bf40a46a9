"""The edge between a host and whatever carries its frames.  Devices compose by wrapping each other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from wsknet.types import Buffers, Instant

Receiver = Callable[[bytes, Instant], None]
"""`receiver(frame, now)`: one Ethernet frame without preamble or FCS."""

Entry: TypeAlias = AbstractContextManager[Instant]
"""A pump as devices see it: ``with entry as now:`` holds the driver lock and settles the stack at the end."""


class Scheduler(Protocol):
    """What a device that delays frames needs of a driver."""

    def now(self) -> Instant: ...

    def call_at(self, at: Instant, run: Callable[[], object]) -> Callable[[], None]: ...


class Device(Protocol):
    """One end of a link."""

    name: str

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        """Hand every arriving frame to `receiver` from now on.

        `receiver` is called inside `entry` only.  The driver has entered it around `PollableDevice.on_readable`; a
        device that delivers when its own time has come enters it itself.
        """

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        """Send one frame.  Driver lock held.

        The buffers may change after the call returns; a device that delays them copies them.
        `comment` is for captures.  A device that cannot take the frame (queue full, link down) drops and counts it.
        """

    def close(self) -> None: ...


class PollableDevice(Device, Protocol):
    """A device of the real machine, driven by `drivers.blocking`."""

    def fileno(self) -> int: ...

    def on_readable(self, now: Instant) -> None:
        """Read what waits (a bounded number of frames) and hand it to the receiver.  Never blocks.

        Called inside the pump.  Raises `OSError` when the device is gone.
        """
