"""An emulated host on a TAP, the kernel and its tools on the other side, and every frame in a capture."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from tests.support.tshark import Verdict, judge
from wsknet.config import AutoConfig
from wsknet.devices.capture import Capture
from wsknet.devices.impair import Impaired, Impairment
from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.machine.lab import Lab
from wsknet.types import MILLISECOND, SECOND, Instant

TIMEOUT = 60.0
"""Seconds.  Only a broken program takes that long."""


class Segment:
    """One TAP in a network namespace of its own: the kernel is the host at the other end."""

    def __init__(self, lab: Lab, device: TapDevice) -> None:
        self.lab = lab
        self.device = device

    def run(self, *command: str, stdin: bytes = b"", timeout: float = TIMEOUT) -> str:
        """What a program of the kernel's side prints, errors included."""
        with self.lab.entered():
            done = subprocess.run(
                command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
            )
        output = done.stdout.decode(errors="replace")
        print("$", *command, "\n" + output)  # shown if the test fails
        return output

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """A program that goes on; `TapBench` ends it."""
        with self.lab.entered():
            return subprocess.Popen(command, **options)


class TapBench:
    """A host in real time, with as many TAPs as the test asks for."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._labs = stack.enter_context(ExitStack())
        """Entered first, so that no TAP closes under a driver that still runs."""
        self.directory = directory
        files = stack.enter_context(ExitStack())  # closed behind the driver, which writes until it has ended
        self.driver = stack.enter_context(RealDriver())
        self.capture = directory / "frames.pcapng"
        self.writer = files.enter_context(PcapngWriter.open(self.capture, self.driver.epoch))
        self.host = self.make_host("host")
        self.verdict: Verdict | None = None
        """What Wireshark thinks of the capture, once `tap_bench` is over."""

    def make_host(self, name: str, *, is_router: bool = False) -> Host:
        host = Host(name, self.driver, Random(name), is_router=is_router, number=len(name))
        host.stack.ip.annotate = True
        return host

    def segment(
        self,
        *addresses: str,
        peer: Sequence[str] = (),
        host: Host | None = None,
        name: str = "tap0",
        mtu: int = 1500,
        auto: AutoConfig | None = None,
        impairment: Impairment | None = None,
    ) -> Segment:
        """Give `host` a TAP with `addresses`; the kernel beyond it has `peer`.

        `impairment` is that of either direction, in front of the TAP: the capture shows what `host` sends and what
        reaches it.
        """
        host = host or self.host
        lab = self._labs.enter_context(Lab.unnamed())
        device = lab.tap(name, TapDevice, peer=peer)
        interface = host.interface(name, *addresses, mtu=mtu, auto=auto)
        link = device if impairment is None else Impaired(device, self.driver, Random(name), impairment, impairment)
        interface.plug(Capture(link, self.writer, both=True))
        self.driver.add_device(host.pump, device)
        self._stack.callback(self.driver.remove_device, device)
        return Segment(lab, device)

    @contextmanager
    def running(self, segment: Segment, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A daemon of the kernel's side for the time of the block."""
        log = self.directory / f"{Path(command[0]).name}.log"
        with log.open("wb") as output:
            process = segment.start(*command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT)
            print(f"{command[0]}:\n{log.read_text(errors='replace')}")

    def wait(self, ready: Callable[[], bool], what: str, seconds: float = TIMEOUT) -> None:
        """Until `ready()`, which is asked ten times a second: not everything that may be waited for wakes us."""
        end = self.driver.now() + int(seconds * SECOND)
        while not self.driver.block(ready, what, Instant(self.driver.now() + 100 * MILLISECOND)):
            assert self.driver.now() < end, f"never came true: {what}"


@contextmanager
def tap_bench(directory: Path) -> Iterator[TapBench]:
    """At the end the whole capture must read clean in tshark: every checksum right, nothing malformed."""
    with ExitStack() as stack:
        bench = TapBench(stack, directory)
        bench.driver.start()
        yield bench
    bench.verdict = verdict = judge(bench.capture)
    assert verdict.frames, "nothing was captured"
    assert not verdict.bad_checksums
    assert not verdict.malformed
