"""A scenario on the kernel: each host a network namespace, each link a bridge, in the machine's own time.

Nothing has a name outside this process, so nothing is left of it.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from wsknet.devices.pcapng import PcapngWriter
from wsknet.errors import UsageError
from wsknet.machine.fabric import Fabric
from wsknet.machine.listener import Listener
from wsknet.scenario.faces.kernel import KernelSockets
from wsknet.scenario.frames import build_frame
from wsknet.scenario.kernel_build import KernelBuilder, lacking, mac_of
from wsknet.scenario.record import Record
from wsknet.scenario.world import Failed
from wsknet.types import MILLISECOND, SECOND, Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from wsknet.host import Host as EmulatedHost
    from wsknet.scenario.schema import Change, Host, Inject, Scenario
    from wsknet.scenario.world import SeenFrame, Sockets

POLL_SECONDS = 0.001
QUIET = 25 * MILLISECOND
"""Without a frame for that long, what a step began has come to an end.  Answers of a kernel take microseconds."""
RESTLESS = 300 * MILLISECOND
"""No longer than this: somebody may be sending again and again."""


class KernelWorld:
    """``with KernelWorld(scenario) as world: ...``.  Needs root; `UsageError` tells what is in the way."""

    quiet = QUIET

    def __init__(self, scenario: Scenario, pcap: Path | None = None) -> None:
        self._scenario = scenario
        self._pcap = pcap
        self._record = Record(None)
        self._undo = ExitStack()
        self._builders: dict[str, KernelBuilder] = {}
        self._sockets: dict[str, Sockets] = {}
        self._senders: dict[str, tuple[str, int]] = {}
        """By port: ``host.interface``, and its number in the capture."""
        self._beginning = 0
        """Nanoseconds since 1970."""
        self.settings: dict[str, str] = {}
        """The sysctls of the first host of the kernel, since the world was entered."""

    def __enter__(self) -> KernelWorld:
        for name, host in self._scenario.hosts.items():
            reason = lacking(host) if self._is_kernel(name) else ""
            if reason:
                raise UsageError(f"the kernel cannot be the host {name}: {reason}")
        with ExitStack() as undo:
            self._open(undo)
            self._undo = undo.pop_all()
        return self

    def _open(self, undo: ExitStack) -> None:
        self._fabric = Fabric()
        undo.callback(self._fabric.close)
        self._beginning = time.time_ns()
        self._listener = Listener(self._fabric.namespace)
        undo.callback(self._listener.close)
        if self._pcap is not None:
            self._record.writer = PcapngWriter.open(self._pcap, self._beginning)
            undo.callback(self._record.writer.close)
        for number, (name, described) in enumerate(self._scenario.hosts.items(), 1):
            ports = self._build_host(name, described, number, undo)
            for card, port in ports.items():
                self._hear(port, f"{name}.{card}")
        for builder in self._builders.values():
            builder.build_routes()
            self.settings = self.settings or builder.host.settings()
        self._fabric.wait_for_carriers()
        self.settle()

    def _is_kernel(self, host: str) -> bool:
        return True

    def _build_host(self, name: str, described: Host, number: int, undo: ExitStack) -> dict[str, str]:
        """Its ports by interface."""
        builder = self._builders[name] = KernelBuilder(self._fabric, described, number)
        sockets = self._sockets[name] = KernelSockets(builder.host)
        undo.callback(sockets.close_all)
        return builder.build_cards()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def _hear(self, port: str, sender: str) -> None:
        writer = self._record.writer
        self._senders[port] = (sender, writer.add_interface(sender) if writer is not None else 0)

    @property
    def frames(self) -> list[SeenFrame]:
        self._listen()
        return self._record.frames

    def sockets(self, host: str) -> Sockets:
        return self._sockets[host]

    def change(self, change: Change) -> None:
        self._builders[change.what].change(change)

    def inject(self, step: Inject) -> None:
        """As if the host itself had sent it."""
        host, _, card = step.what.partition(".")
        frame = build_frame(step.frame, self._mac(step.what), self._mac(step.to))
        with self._builders[host].host.namespace.entered():
            sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            with sender:
                sender.bind((card, 0))
                sender.send(frame)

    def _mac(self, name: str) -> bytes:
        """Of ``host.interface``."""
        host, _, card = name.partition(".")
        interfaces = self._scenario.hosts[host].interfaces
        return mac_of(interfaces[card], list(self._scenario.hosts).index(host) + 1, list(interfaces).index(card))

    def table(self, host: str, show: str) -> list[str] | None:
        return None

    def emulated(self, host: str) -> EmulatedHost:
        raise Failed("invalid", f"{host} is a network namespace with the kernel of this machine")

    def begin(self, step: str) -> None:
        self._listen()
        self._record.step = step

    def run_until(self, ready: Callable[[], bool], limit: Duration) -> bool:
        end = time.monotonic_ns() + limit
        while not ready():
            if time.monotonic_ns() >= end:
                return False
            self._sleep(POLL_SECONDS)
        return True

    def settle(self) -> None:
        last = time.monotonic_ns()
        end = last + RESTLESS
        while (now := time.monotonic_ns()) < end and now < last + self.quiet:
            if self._sleep((min(end, last + self.quiet) - now) / SECOND):
                last = time.monotonic_ns()

    def pass_time(self, duration: Duration) -> None:
        end = time.monotonic_ns() + duration
        while (left := end - time.monotonic_ns()) > 0:
            self._sleep(left / SECOND)

    def _sleep(self, seconds: float) -> bool:
        """Until a frame comes, which is kept; False if none came."""
        return self._listener.wait(max(seconds, 0)) and self._listen()

    def _listen(self) -> bool:
        is_heard = False
        for time_, port, frame in self._listener.read():
            if port in self._senders:
                sender, number = self._senders[port]
                now = Instant(time_ - self._beginning)
                self._record.add(sender, number, frame, now, self._comment(port, frame))
                is_heard = True
        return is_heard

    def _comment(self, port: str, frame: bytes) -> str | None:
        """The decision behind a frame of an emulated host."""
        return None
