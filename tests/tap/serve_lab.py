"""`wsknet serve` in a process of its own, and programs beside it in its namespace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OURS, PEER = "198.51.100.2", "198.51.100.1"
OURS6, PEER6 = "2001:db8::2", "2001:db8::1"
NETNS = f"wsknet-test-{os.getpid()}"


def wsknet(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "wsknet", *arguments]


def serve_command(app: str = "echo", *more: str, netns: str = NETNS) -> list[str]:
    return wsknet(
        "serve", app, "--netns", netns, "--tap", "tap0", "--create", "--peer", f"{PEER}/24", "--address", f"{OURS}/24",
        "--peer", f"{PEER6}/64", "--address", f"{OURS6}/64", *more,
    )  # fmt: skip


@contextmanager
def serving(*more: str, app: str = "echo", netns: str = NETNS) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(serve_command(app, *more, netns=netns), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        assert process.poll() is None, "serve ended at once"
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def in_netns(*command: str, stdin: bytes = b"", netns: str = NETNS, timeout: float = 60) -> bytes:
    done = subprocess.run(
        ["ip", "netns", "exec", netns, *command], input=stdin, capture_output=True, timeout=timeout, check=False
    )
    print(done.stderr.decode(errors="replace"))  # shown if the test fails: why there was no answer
    return done.stdout


def shell(script: str) -> bytes:
    return in_netns("sh", "-c", script)


@contextmanager
def inside(netns: str = NETNS) -> Iterator[None]:
    """This thread in the namespace; sockets made meanwhile stay there."""
    from pyroute2 import netns as namespaces

    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        namespaces.setns(netns)
        yield
    finally:
        namespaces.setns(home)
        os.close(home)


def namespaces_now() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
