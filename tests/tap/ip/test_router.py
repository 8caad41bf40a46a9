"""A router of ours between the kernel and a host of ours: traceroute, mtr and tracepath go through it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from random import Random

import pytest

from tests.support.needs import requires_tool
from tests.support.tap_host import TapBench, tap_bench
from wsknet.apps import SERVICES
from wsknet.devices.capture import Capture
from wsknet.devices.wire import Wire

pytestmark = [pytest.mark.tap, requires_tool("ping", "traceroute", "mtr", "tracepath", "curl", "tshark")]

KERNEL = {4: "198.51.100.1", 6: "2001:db8::1"}
NEAR = {4: "198.51.100.254", 6: "2001:db8::fe"}
"""The router, on the kernel's side."""
FAR = {4: "203.0.113.2", 6: "2001:db8:f::2"}
"""The host behind it."""
MTU = 1320
"""Between the router and that host."""


class RoutedLab:
    """kernel -- router -- far host, the second link with a smaller MTU."""

    def __init__(self, bench: TapBench) -> None:
        self.router = bench.make_host("router", is_router=True)
        self.far = bench.make_host("far host")
        peers = (f"{KERNEL[4]}/24", f"{KERNEL[6]}/64")
        self.kernel = bench.segment(f"{NEAR[4]}/24", f"{NEAR[6]}/64", peer=peers, host=self.router)
        inner = self.router.interface("inner", "203.0.113.254/24", "2001:db8:f::fe/64", mtu=MTU)
        card = self.far.interface("eth0", f"{FAR[4]}/24", f"{FAR[6]}/64", mtu=MTU)
        wire = Wire(bench.driver, Random(1), "router.inner", "far.eth0")
        inner.plug(Capture(wire.ends[0], bench.writer))
        card.plug(Capture(wire.ends[1], bench.writer))
        self.far.route("0.0.0.0/0", via="203.0.113.254")
        self.far.route("::/0", via="2001:db8:f::fe")
        self.kernel.lab.route("203.0.113.0/24", via=NEAR[4])
        self.kernel.lab.route("2001:db8:f::/64", via=NEAR[6])

    def forget_path_mtus(self) -> None:
        """Let the kernel find out anew."""
        self.kernel.run("ip", "-4", "route", "flush", "cache")
        self.kernel.run("ip", "-6", "route", "flush", "cache")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoutedLab]:
    with tap_bench(tmp_path_factory.mktemp("router")) as bench:
        routed = RoutedLab(bench)
        with routed.far.activate():
            service = SERVICES["echo"](None)
            service.start()
            yield routed
            service.stop()


def hops(output: str) -> list[str]:
    """The addresses that answered, one per line of traceroute, mtr or tracepath."""
    return re.findall(r"^\s*\d+[.:|\s?-]+\s*([0-9a-f.:]+)\s", output, re.MULTILINE)


@pytest.mark.parametrize("method", ["--udp --port=33434", "--icmp", "--tcp --port=7"])
@pytest.mark.parametrize("family", [4, 6])
def test_traceroute_shows_the_router_and_the_host(lab: RoutedLab, family: int, method: str) -> None:
    output = lab.kernel.run("traceroute", "-n", *method.split(), "-q", "1", "-w", "3", FAR[family])
    assert hops(output) == [NEAR[family], FAR[family]]


@pytest.mark.parametrize("family", [4, 6])
def test_mtr_shows_both_without_loss(lab: RoutedLab, family: int) -> None:
    output = lab.kernel.run("mtr", "-n", "-r", "-c", "3", "-i", "0.3", "-G", "1", FAR[family])
    rows = re.findall(r"\|--\s+(\S+)\s+([0-9.]+)%", output)
    assert rows == [(NEAR[family], "0.0"), (FAR[family], "0.0")]


@pytest.mark.parametrize("family", [4, 6])
def test_tracepath_finds_the_smaller_mtu(lab: RoutedLab, family: int) -> None:
    lab.forget_path_mtus()
    output = lab.kernel.run("tracepath", "-n", f"-{family}", "-m", "5", FAR[family])
    assert f"Resume: pmtu {MTU} hops 2 back 2" in output


@pytest.mark.parametrize("size", [0, MTU - 28, MTU, 1472, 9000, 65507])
@pytest.mark.parametrize("family", [4, 6])
def test_pings_of_every_size_pass(lab: RoutedLab, family: int, size: int) -> None:
    """The router cuts what IPv4 lets it cut; IPv6 hears of the smaller MTU and sends again."""
    output = lab.kernel.run("ping", "-n", "-c", "3", "-i", "0.3", "-W", "3", "-s", str(size), FAR[family])
    assert re.search(r"[23] received", output)


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_adapts_to_the_smaller_mtu(lab: RoutedLab, family: int) -> None:
    lab.forget_path_mtus()
    data = Random(family).randbytes(300_000)
    with lab.kernel.lab.entered():
        done = subprocess.run(["nc", "-N", FAR[family], "7"], input=data, capture_output=True, timeout=60, check=True)
    assert done.stdout == data
