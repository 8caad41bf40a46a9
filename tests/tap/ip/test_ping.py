"""ping against us: every size, with and without leave to fragment, and our own ping against the kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.needs import requires_tool
from tests.support.tap_host import Segment, TapBench, tap_bench
from wsknet.apps.ping import ping

pytestmark = [pytest.mark.tap, requires_tool("ping", "arping", "ndisc6", "tshark")]

OURS = {4: "198.51.100.2", 6: "2001:db8::2"}
KERNEL = {4: "198.51.100.1", 6: "2001:db8::1"}
ABSENT = {4: "198.51.100.77", 6: "2001:db8::77"}
LARGEST = 65507
"""What ping sends at most, in both families."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TapBench]:
    with tap_bench(tmp_path_factory.mktemp("ping")) as made:
        yield made


@pytest.fixture(scope="module")
def kernel(bench: TapBench) -> Segment:
    return bench.segment(f"{OURS[4]}/24", f"{OURS[6]}/64", peer=(f"{KERNEL[4]}/24", f"{KERNEL[6]}/64"))


@pytest.mark.parametrize("size", [0, 1, 56, 1452, 1453, 1472, 1473, 4000, 20000, LARGEST - 1, LARGEST])
@pytest.mark.parametrize("family", [4, 6])
def test_every_size_is_answered(kernel: Segment, family: int, size: int) -> None:
    output = kernel.run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "5", "-s", str(size), OURS[family])
    assert "2 received, 0% packet loss" in output


@pytest.mark.parametrize("family", [4, 6])
def test_the_largest_packet_that_may_not_be_fragmented_is_answered(kernel: Segment, family: int) -> None:
    fits = 1500 - (20 if family == 4 else 40) - 8
    command = ("ping", "-n", "-c", "1", "-W", "5", "-M", "do", "-s")
    assert "1 received, 0% packet loss" in kernel.run(*command, str(fits), OURS[family])
    assert "0 received" in kernel.run(*command, str(fits + 1), OURS[family])


@pytest.mark.parametrize("family", [4, 6])
def test_a_flood_is_answered_whole(kernel: Segment, family: int) -> None:
    output = kernel.run("ping", "-n", "-q", "-f", "-c", "300", "-s", "3000", OURS[family])
    assert " 0% packet loss" in output


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("size", [0, 1452, 1473, LARGEST])
@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_answers_our_ping(bench: TapBench, family: int, size: int) -> None:
    result = ping(bench.host, KERNEL[family], count=2, interval=0.1, size=size)
    assert (result.sent, result.received) == (2, 2)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("family", [4, 6])
def test_our_ping_of_an_absent_neighbour_hears_that_it_is_not_there(bench: TapBench, family: int) -> None:
    result = ping(bench.host, ABSENT[family], count=1, timeout=5)
    assert (result.sent, result.received) == (1, 0)
    assert result.errors


def test_arping_finds_us(kernel: Segment) -> None:
    assert "Received 2 response(s)" in kernel.run("arping", "-c", "2", "-w", "5", "-I", "tap0", OURS[4])


def test_arping_sees_that_our_address_is_taken(kernel: Segment) -> None:
    """Its duplicate address detection (RFC 5227 2.1.1) asks from 0.0.0.0."""
    assert "Received 1 response(s)" in kernel.run("arping", "-D", "-c", "2", "-w", "5", "-I", "tap0", OURS[4])
    assert "Received 0 response(s)" in kernel.run("arping", "-D", "-c", "2", "-w", "5", "-I", "tap0", ABSENT[4])


def test_ndisc6_finds_our_mac(bench: TapBench, kernel: Segment) -> None:
    mac = bench.host.interfaces["tap0"].mac.hex(":").upper()
    assert mac in kernel.run("ndisc6", "-1", OURS[6], "tap0")
