"""`wsknet serve` that finds out its addresses by itself, as people run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.needs import requires_tool

pytestmark = [pytest.mark.tap, requires_tool("ip", "dnsmasq", "ping")]

NETNS = f"wsknet-auto-{os.getpid()}"
KERNEL, POOL = "198.51.100.1", "198.51.100.60"


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def serve(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "wsknet", "serve", "echo", "--netns", NETNS, "--tap", "tap0", "--create"]
    return subprocess.Popen(
        [*command, "--peer", f"{KERNEL}/24", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="")
        if text in line:
            return line.rstrip("\n")
    raise AssertionError(f"serve ended without saying {text!r}")


def in_netns(*command: str) -> str:
    done = subprocess.run(
        ["ip", "netns", "exec", NETNS, *command], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def test_a_lease_is_announced_and_serves(tmp_path: Path) -> None:
    with ended(serve("--dhcp")) as process:
        assert line_with(process, "tap0") == f"tap0 in namespace {NETNS}: addresses from DHCP"
        line_with(process, "Ctrl-C")
        server = subprocess.Popen(
            [
                "ip", "netns", "exec", NETNS, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                "--interface=tap0", "--bind-dynamic", "--user=root", "--pid-file=", "--no-ping",
                f"--dhcp-leasefile={tmp_path}/leases", f"--dhcp-range={POOL},{POOL},255.255.255.0,600",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert line_with(process, "leased") == f"tap0: {POOL}/24, leased by DHCP"
            assert "1 received" in in_netns("ping", "-n", "-c1", POOL)
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_an_address_that_the_kernel_has_is_refused_with_a_line() -> None:
    with ended(serve("--address", f"{KERNEL}/24", "--address", "198.51.100.2/24", "--check-addresses")) as process:
        assert line_with(process, "tap0").endswith("198.51.100.2/24, once checked for duplicates")
        refused = line_with(process, "in use by")
        assert refused.startswith(f"tap0: {KERNEL} is in use by ")
        assert "not ours to use" in refused
        assert line_with(process, "198.51.100.2/24") == "tap0: 198.51.100.2/24, given by hand"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give --address CIDR, --dhcp or --router-discovery"),
        (("--dhcp", "--mtu", "12"), "--mtu"),
    ],
)
def test_wrong_input_is_told_in_one_line(options: tuple[str, ...], message: str) -> None:
    process = serve(*options)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert message in output
    assert "Traceback" not in output
