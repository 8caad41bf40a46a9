"""Two network namespaces without names: no traffic leaves them, and they vanish with this process, however it ends."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from threading import Timer
from types import TracebackType
from typing import Self

from wsknet.machine.namespace import Namespace

COMMAND_SECONDS = 10
READY_SECONDS = 20

OFFLOADS = ("tso", "gso", "gro", "tx", "rx")


class Lab:
    """`client`, where the load comes from, and `server`, where the kernel answers it, joined by a veth pair.

    The client's namespace also has the TAP through which it reaches wsknet.
    """

    CLIENT, SERVER = "192.0.2.1/24", "192.0.2.2/24"
    TAP_KERNEL, TAP_WSKNET = "198.51.100.1/24", "198.51.100.2/24"
    TAP = "tap0"

    def __init__(self) -> None:
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.client, self.server = Namespace.unnamed(), Namespace.unnamed()
            undo.callback(self.client.close)
            undo.callback(self.server.close)
            self._link()
            self._tap()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def _link(self) -> None:
        with self.server.entered():
            far_end = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with self.client.entered():
            run(*f"ip link add veth0 type veth peer veth0 netns /proc/{os.getpid()}/fd/{far_end}".split())
        os.close(far_end)
        for namespace, cidr in ((self.client, self.CLIENT), (self.server, self.SERVER)):
            with namespace.entered():
                _bring_up("veth0", cidr)
                run("ethtool", "-K", "veth0", *(word for offload in OFFLOADS for word in (offload, "off")))

    def _tap(self) -> None:
        with self.client.entered():
            run(*f"ip tuntap add dev {self.TAP} mode tap".split())
            _bring_up(self.TAP, self.TAP_KERNEL)


def _bring_up(interface: str, cidr: str) -> None:
    run(*f"ip link set {interface} addrgenmode none".split())  # no IPv6 chatter while the clock runs
    run(*f"ip address add {cidr} dev {interface}".split())
    run(*f"ip link set {interface} up".split())


class Server:
    """A program that prints the line "ready" and serves until it is killed.

    Should this process die first, it sees the end of its standard input, or asks the kernel to be told.
    """

    def __init__(self, namespace: Namespace, *command: str) -> None:
        with namespace.entered():
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        impatience = Timer(READY_SECONDS, self._process.kill)
        impatience.start()
        first = self._process.stdout.readline()
        impatience.cancel()
        if first != b"ready\n":
            self.close()
            raise OSError(f"did not start: {' '.join(command)}")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def on_cpu(number: int, *command: str) -> list[str]:
    """`command`, on that CPU alone, or on the last one of a machine that has fewer."""
    return ["taskset", "--cpu-list", str(min(number, (os.cpu_count() or 1) - 1)), *command]


def run(*command: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run `command` to its end and return what it printed.  `OSError` with its own words if it fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise OSError(f"no end after {seconds:.0f} s: {' '.join(command)}") from None
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip() or f'exit {done.returncode}'}")
    return done.stdout
