"""Something at the end of a link, without a stack."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from wsknet.types import Buffers, Instant

if TYPE_CHECKING:
    from wsknet.devices.base import Device, Entry, Receiver
    from wsknet.drivers.base import Driver


class Station:
    """Receives; as its own entry it asserts that frames only come inside it."""

    def __init__(self, driver: Driver, device: Device) -> None:
        self.received: list[tuple[Instant, bytes]] = []
        self._driver = driver
        self._is_entered = False
        device.attach(self._receive, self)

    @property
    def frames(self) -> list[bytes]:
        return [frame for _, frame in self.received]

    def __enter__(self) -> Instant:
        assert not self._is_entered
        self._is_entered = True
        return self._driver.now()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_entered = False

    def _receive(self, frame: bytes, now: Instant) -> None:
        assert self._is_entered
        self.received.append((now, frame))


class Card:
    """A device whose wire is the test: `sent` left by it, `arrive` comes in by it."""

    def __init__(self, name: str = "card") -> None:
        self.name = name
        self.sent: list[tuple[Instant, bytes, str | None]] = []
        self.is_closed = False
        self._receiver: Receiver | None = None
        self._entry: Entry | None = None

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver, self._entry = receiver, entry

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        self.sent.append((now, b"".join(frame), comment))

    def close(self) -> None:
        self.is_closed = True

    def arrive(self, frame: bytes) -> None:
        assert self._receiver is not None
        assert self._entry is not None
        with self._entry as now:
            self._receiver(frame, now)


def frame(number: int, length: int = 60) -> bytes:
    return number.to_bytes(4, "big") + bytes(length - 4)


def number(data: bytes) -> int:
    return int.from_bytes(data[:4], "big")
