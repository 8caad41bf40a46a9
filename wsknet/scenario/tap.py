"""A scenario with its first host emulated, on one TAP for each interface, and the kernel as all the others."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING

from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.errors import UsageError
from wsknet.host import Host
from wsknet.scenario import build
from wsknet.scenario.alter import alter
from wsknet.scenario.frames import build_frame
from wsknet.scenario.kernel import QUIET, KernelWorld
from wsknet.scenario.names import add_names
from wsknet.scenario.virtual import sockets_of, table_lines

if TYPE_CHECKING:
    from pathlib import Path

    from wsknet.devices.base import Entry, Receiver
    from wsknet.scenario import schema
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Change, Inject, Scenario
    from wsknet.types import Buffers, Instant


class TapWorld(KernelWorld):
    """``with TapWorld(scenario, column) as world: ...``.  Needs root."""

    quiet = 2 * QUIET
    """Answers of an emulated host take milliseconds on a busy machine."""

    def __init__(self, scenario: Scenario, column: Column, pcap: Path | None = None, seed: int = 1) -> None:
        super().__init__(scenario, pcap)
        if scenario.no_tap:
            raise UsageError(f"this scenario is not for a TAP: {scenario.no_tap}")
        self._column = column
        self._seed = seed
        self._subject = next(iter(scenario.hosts))
        self._taps: dict[str, CommentedTap] = {}
        """By port."""

    def _is_kernel(self, host: str) -> bool:
        return host != self._subject

    def _build_host(self, name: str, described: schema.Host, number: int, undo: ExitStack) -> dict[str, str]:
        if self._is_kernel(name):
            return super()._build_host(name, described, number, undo)
        devices = undo.enter_context(ExitStack())  # closed after the driver, whose thread may be sending
        driver = undo.enter_context(RealDriver())
        config = build.stack_config(described, self._column)
        self._host = host = Host(name, driver, Random(self._seed), config, 1, described.is_router)
        build.add_interfaces(host, described)
        add_names(host, described)
        host.stack.ip.annotate = True
        ports = {}
        for card, settings in described.interfaces.items():
            device, port = self._fabric.tap(TapDevice, settings.link)
            devices.callback(device.close)
            tap = self._taps[port] = CommentedTap(device)
            host.interfaces[card].plug(tap)
            driver.add_device(host.pump, tap)
            undo.callback(driver.remove_device, tap)
            ports[card] = port
        build.add_routes(host, described)
        driver.start()
        sockets = self._sockets[name] = sockets_of(host, self._column.face, described)
        undo.callback(sockets.close_all)
        return ports

    def host(self, name: str) -> Host:
        """The emulated one; `KeyError` for others."""
        return {self._subject: self._host}[name]

    def change(self, change: Change) -> None:
        if self._is_kernel(change.what):
            super().change(change)
        else:
            alter(self._host, change)

    def inject(self, step: Inject) -> None:
        host, _, card = step.what.partition(".")
        if self._is_kernel(host):
            super().inject(step)
            return
        frame = build_frame(step.frame, self._mac(step.what), self._mac(step.to))
        device = self._host.interfaces[card].device
        assert device is not None
        with self._host.pump as now:
            device.transmit((frame,), now, "put on the link by hand")

    def table(self, host: str, show: str) -> list[str] | None:
        if self._is_kernel(host):
            return super().table(host, show)
        with self._host.pump:
            return table_lines(self._host, show)

    def emulated(self, host: str) -> Host:
        return super().emulated(host) if self._is_kernel(host) else self._host

    def _comment(self, port: str, frame: bytes) -> str | None:
        tap = self._taps.get(port)
        return None if tap is None else tap.comment_of(frame)


class CommentedTap:
    """A TAP that remembers the comments of frames until they are heard on the fabric."""

    def __init__(self, device: TapDevice) -> None:
        self.name = device.name
        self._device = device
        self._sent: deque[tuple[bytes, str | None]] = deque(maxlen=1024)

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._device.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        whole = b"".join(frame)
        self._sent.append((whole, comment))
        self._device.transmit((whole,), now)

    def comment_of(self, frame: bytes) -> str | None:
        """Of a frame that was sent; those before it were lost, and are forgotten."""
        while self._sent:
            sent, comment = self._sent.popleft()
            if sent == frame:
                return comment
        return None

    def on_readable(self, now: Instant) -> None:
        self._device.on_readable(now)

    def fileno(self) -> int:
        return int(self._device.fileno())

    def close(self) -> None:
        self._device.close()
