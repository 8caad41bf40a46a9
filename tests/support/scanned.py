"""Three hosts on one link, and a fourth that scans them: the kernel, wsknet as Linux, wsknet as Windows.

Each has TCP port 80 and UDP port 53 open, and all others closed.
"""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeAlias
from xml.etree import ElementTree

from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import StackConfig
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.machine.fabric import Fabric
from wsknet.machine.kernel_host import KernelHost
from wsknet.types import Cover, LocalName

OPEN, CLOSED, UDP_OPEN, UDP_CLOSED = 80, 81, 53, 54
TARGETS = {"kernel": ("192.0.2.2", "2001:db8::2"), "linux": ("192.0.2.3", "2001:db8::3"),
           "windows": ("192.0.2.4", "2001:db8::4")}  # fmt: skip
"""IPv4 and IPv6 address of each."""

TIMEOUT = 120.0
"""Seconds.  Only a broken program takes that long."""

LOOKS = 5
NOT_IN_TIME = "maxTimingRatio"
"""Of the line in which nmap calls a fingerprint not ideal: probes that it sends 100 ms apart were further apart."""

Fingerprint: TypeAlias = dict[str, dict[str, str]]
"""From the name of a test of nmap to what it found: https://nmap.org/book/osdetect-fingerprint-format.html."""


@dataclass(frozen=True)
class Street:
    scanner: KernelHost

    def start(self, *command: str) -> subprocess.Popen[str]:
        with self.scanner.namespace.entered():
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def scan(self, family: int, *options: str) -> dict[str, dict[str, tuple[str, str, int]]]:
        """From target and port, such as ``80/tcp``, to state, reason and TTL, 0 if nothing came."""
        addresses = {pair[family]: name for name, pair in TARGETS.items()}
        command = ["nmap", "-n", "-Pn", "-T4", "--max-retries", "2", "--max-rtt-timeout", "300ms", "-oX", "-", *options]
        output = run(self.start(*command, *(["-6"] if family else []), *addresses))
        found: dict[str, dict[str, tuple[str, str, int]]] = {}
        for host in ElementTree.fromstring(output[output.index("<?xml") :]).iter("host"):
            ports = found[addresses[host.findall("address")[0].attrib["addr"]]] = {}
            for port in host.iter("port"):
                state = port.findall("state")[0].attrib
                name = f"{port.attrib['portid']}/{port.attrib['protocol']}"
                ports[name] = state["state"], state["reason"], int(state["reason_ttl"])
        return found

    def look(self, family: int, target: str) -> str:
        """All that ``nmap -O`` tells of `target`; once more if it says itself that it could not keep its time."""
        ports = f"T:{OPEN},{CLOSED}"
        command = ["nmap", "-n", "-Pn", "-O", "-d", "--osscan-guess", "--max-os-tries", "1", "-p", ports]
        for _ in range(LOOKS):
            output = run(self.start(*command, *(["-6"] if family else []), TARGETS[target][family]))
            if NOT_IN_TIME not in output:
                break
        return output

    def guess(self, family: int, target: str) -> str:
        """The system that it is most like."""
        output = self.look(family, target)
        guesses = re.search(r"(?:OS details|Aggressive OS guesses|Running \(JUST GUESSING\)): ([^,\n]*)", output)
        assert guesses is not None, output
        return guesses[1]

    def fingerprint(self, target: str) -> Fingerprint:
        """What ``nmap -O`` sees of `target` over IPv4."""
        output = self.look(0, target)
        _, begins, text = output.partition("\nTCP/IP fingerprint:\n")
        assert begins, output
        # Wrapped behind "OS:", but not if it is not ideal.
        text = "".join(line.removeprefix("OS:") for line in text.partition("\n\n")[0].splitlines())
        return {
            name: dict(part.split("=", 1) for part in parts.split("%") if part)
            for name, parts in re.findall(r"(\w+)\(([^)]*)\)", text)
        }


def run(process: subprocess.Popen[str]) -> str:
    """What it prints until it ends."""
    with process:
        try:
            output = process.communicate(timeout=TIMEOUT)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    print("$", *process.args, "\n" + output)  # type: ignore[misc]  # shown if the test fails
    return output


@contextmanager
def street() -> Iterator[Street]:
    with ExitStack() as stack:
        fabric = Fabric()
        stack.callback(fabric.close)
        scanner = _kernel(fabric, 1, "192.0.2.1", "2001:db8::1")
        kernel = _kernel(fabric, 2, *TARGETS["kernel"])
        with kernel.namespace.entered():
            stack.enter_context(socket.create_server(("::", OPEN), family=socket.AF_INET6, dualstack_ipv6=True))
            silent = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            silent.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            silent.bind(("::", UDP_OPEN))
        driver = stack.enter_context(RealDriver())
        for number, behaviour in ((3, LINUX), (4, WINDOWS)):
            device, host = _emulated(fabric, driver, number, behaviour)
            driver.add_device(host.pump, device)
            stack.callback(driver.remove_device, device)
        driver.start()
        fabric.wait_for_carriers()
        yield Street(scanner)


def _kernel(fabric: Fabric, number: int, *addresses: str) -> KernelHost:
    host = fabric.host({})
    fabric.card(host, "eth0", "lan", bytes((2, 0, 0, 0, 1, number)), 1500)
    for address in addresses:
        host.add_address("eth0", f"{address}/{64 if ':' in address else 24}", 0)
    return host


def _emulated(fabric: Fabric, driver: RealDriver, number: int, behaviour: Behaviour) -> tuple[TapDevice, Host]:
    host = Host(behaviour.name, driver, Random(number), StackConfig(behaviour=behaviour), number=number)
    device, _ = fabric.tap(TapDevice, "lan")
    ipv4, ipv6 = TARGETS[behaviour.name]
    host.interface("eth0", f"{ipv4}/24", f"{ipv6}/64").plug(device)
    with host.pump as now:
        for cover in (Cover.IPV4, Cover.IPV6):
            listener = host.stack.tcp.open(cover, None)
            listener.bind(LocalName(cover, None, OPEN), now)
            listener.listen(now)
            host.stack.udp.open(cover, None).bind(LocalName(cover, None, UDP_OPEN), now)
    return device, host
