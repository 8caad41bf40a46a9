"""A client in the kernel, a server beyond a bad link: either wsknet or another kernel.

The chain is the same for both: the client's TAP, the process of `impaired_bridge`, and the server's end, which is a TAP
for a kernel and one end of a SOCK_SEQPACKET pair for wsknet: frames in order, without a network stack of its own.  So
both servers meet the same channels, the same seeds and the same cost of carrying a frame.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tools.benchmark import bulk
from tools.benchmark.bulk import PORT
from tools.benchmark.bulk_service import Bulk
from tools.benchmark.measures import Peer
from wsknet.config import StackConfig, TcpConfig
from wsknet.devices.impair import Impairment
from wsknet.devices.tap import READ_SIZE, TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.machine.lab import Lab

if TYPE_CHECKING:
    from wsknet.devices.base import Entry, Receiver
    from wsknet.types import Buffers, Instant

ROOT = Path(__file__).parents[2]

CLIENT, SERVER = "198.51.100.1", "198.51.100.2"
CLIENT6, SERVER6 = "2001:db8::1", "2001:db8::2"

WINDOW = 16 << 20
"""Most bytes of buffer at either end of a connection: the window is never what limits."""

SETTINGS = {
    "net.ipv4.tcp_rmem": f"4096\t131072\t{WINDOW}",
    "net.ipv4.tcp_wmem": f"4096\t131072\t{WINDOW}",
    "net.ipv4.tcp_no_metrics_save": "1",  # a connection knows nothing of those before it
    "net.ipv6.conf.default.router_solicitations": "0",  # nothing but the transfer draws from the channels
}

QUEUE_FRAMES = 10_000
"""Of a TAP, towards the bridge: a burst of slow start has room."""

SOCKET_BYTES = 64 << 20
"""The same for wsknet's end."""

BATCH = 64

SO_SNDBUFFORCE = 32
"""socket(7); the module `socket` does not name it.  Beyond net.core.wmem_max, which is the whole machine's."""

END_SECONDS = 10

COMMAND_SECONDS = 1_000
"""Only a transfer that hangs takes that long."""


class SocketDevice:
    """One end of a SOCK_SEQPACKET pair: a cable to another process."""

    def __init__(self, name: str, end: socket.socket) -> None:
        self.name = name
        self.dropped = 0
        """Frames that the other process was too slow for."""
        self._socket = end
        self._receiver: Receiver | None = None
        end.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._receiver = receiver

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        try:
            self._socket.sendmsg(frame)
        except OSError:
            self.dropped += 1

    def on_readable(self, now: Instant) -> None:
        for _ in range(BATCH):
            try:
                frame = self._socket.recv(READ_SIZE)
            except BlockingIOError:
                return
            if not frame:
                raise OSError(f"the process at the other end of {self.name} is gone")
            if self._receiver is not None:
                self._receiver(frame, now)

    def close(self) -> None:
        self._socket.close()


class ImpairedPath:
    """``with ImpairedPath(Peer.WSKNET) as path: path.transfer("push", SERVER, 10_000_000)``."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.driver: RealDriver | None = None
        """Of wsknet, if that is the peer."""
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            # Entered first: no descriptor is closed under what still reads it.
            labs = undo.enter_context(ExitStack())
            self._client, near_end = _kernel(labs, f"{CLIENT}/24", f"{CLIENT6}/64")
            if self.peer is Peer.KERNEL:
                lab, far_end = _kernel(labs, f"{SERVER}/24", f"{SERVER6}/64")
                ends = (near_end, far_end)
                self._bridge = _start(undo, None, "impaired_bridge", *ends, inherited=ends)
                serving = _start(undo, lab, "bulk", "serve", PORT)
                if _line(serving) != "ready\n":
                    raise OSError("the kernel's server did not start")
            else:
                ours, theirs = _pair(labs)
                ends = (near_end, theirs.fileno())
                self._bridge = _start(undo, None, "impaired_bridge", *ends, inherited=ends)
                self._serve(undo, ours)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def impair(self, impairment: Impairment, seed: int) -> list[dict[str, int]]:
        """Both directions, for frames that come from now on.  What became of those before: the client's, the server's.

        The fate of the n-th frame of a direction follows from the seed, whoever sends it.
        """
        assert self._bridge.stdin is not None
        order = {"impairment": asdict(impairment), "seeds": [2 * seed, 2 * seed + 1]}
        self._bridge.stdin.write(json.dumps(order) + "\n")
        self._bridge.stdin.flush()
        told: list[dict[str, int]] = json.loads(_line(self._bridge))
        return told

    def transfer(self, mode: str, address: str, size: int) -> dict[str, Any]:
        """`mode` as the client sees it, "push" or "pull".  What it prints, see `bulk`; `OSError` if it fails."""
        bulk.content(size)  # wsknet's server is in this process: a stack that waits for it acknowledges nothing
        client = _start(self._undo, self._client, "bulk", mode, address, PORT, size)
        told, _ = client.communicate(timeout=COMMAND_SECONDS)
        if client.returncode != 0:
            raise OSError(f"{mode} of {size} bytes from {self.peer.value} failed, see above")
        result: dict[str, Any] = json.loads(told)
        return result

    def _serve(self, undo: ExitStack, end: socket.socket) -> None:
        self.driver = driver = undo.enter_context(RealDriver())
        config = StackConfig(tcp=TcpConfig(receive_buffer=WINDOW))
        host = Host("server", driver, Random(1), config)
        device = SocketDevice("link", end)
        host.interface("link", f"{SERVER}/24", f"{SERVER6}/64").plug(device)
        driver.add_device(host.pump, device)
        undo.callback(driver.remove_device, device)
        driver.start()
        service = Bulk()
        undo.enter_context(host.activate())
        service.start()
        undo.callback(service.stop)


def _kernel(labs: ExitStack, *addresses: str) -> tuple[Lab, int]:
    """A kernel with a namespace to itself, and the descriptor of the far end of its TAP."""
    lab = labs.enter_context(Lab.unnamed())
    for key, value in SETTINGS.items():
        lab.sysctl(key, value)
    device = lab.tap("tap0", TapDevice, peer=addresses)
    with lab.entered():
        subprocess.run(["ip", "link", "set", "tap0", "txqueuelen", str(QUEUE_FRAMES)], check=True)
    return lab, device.fileno()


def _pair(labs: ExitStack) -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        labs.enter_context(end)
        end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BYTES)
    return ends


def _start(
    undo: ExitStack, lab: Lab | None, module: str, *arguments: object, inherited: Sequence[int] = ()
) -> subprocess.Popen[str]:
    """A module of this package in a process of its own, which is ended with `undo`."""
    with lab.entered() if lab is not None else nullcontext():
        process = subprocess.Popen(
            [sys.executable, "-m", f"tools.benchmark.{module}", *map(str, arguments)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=inherited,
        )  # fmt: skip
    undo.callback(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    """Each ends with its standard input; one that does not, is made to."""
    try:
        process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()
