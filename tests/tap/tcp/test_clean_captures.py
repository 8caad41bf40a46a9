"""Where nothing is lost nothing may look lost: what Wireshark's experts say of captures of undisturbed runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import kernel_http
from tests.support.needs import requires_tool
from tests.support.tap_host import Segment, TapBench, tap_bench
from tools.benchmark import bulk
from tools.benchmark.bulk_service import Bulk
from wsknet.apps.http.service import Http
from wsknet.apps.service import Service

pytestmark = [pytest.mark.tap, requires_tool("ip", "tshark", "chrt")]

OURS, PEER = "198.51.100.2", "198.51.100.1"
OURS6, PEER6 = "2001:db8::2", "2001:db8::1"
SIZE = 10_000_000
FULL_SEGMENT = 1460
SEGMENTS_OF_A_SHORT_REQUEST = 7
"""Three to open, the request, its answer, and at least two to close."""

AT_ONCE = ("chrt", "--rr", "1")
"""chrt(1): as a real-time process.  Whoever is kept from reading answers late, and the sender probes (RFC 8985 7.2)."""

PATIENCE = "rto_min 30s"
"""ip-route(8), what the kernel waits for an acknowledgement, else 200 ms: a virtual machine may stand still for longer,
and then sends again what has been answered, before it lets anybody read the answer."""

BOTH_FAMILIES = pytest.mark.parametrize("address", [OURS, OURS6], ids=["ipv4", "ipv6"])


def assert_flawless(bench: TapBench, least_frames: int) -> None:
    """Of a bench that is over."""
    verdict = bench.verdict
    assert verdict is not None
    assert verdict.frames >= least_frames
    assert verdict.is_flawless, verdict


@contextmanager
def serving(bench: TapBench, service: Service) -> Iterator[Segment]:
    """Undisturbed also on a busy machine: wsknet, like the programs that talk to it, runs before everybody else, and
    the kernel, which would probe for a lost tail when it gets no answer for some milliseconds, waits for its RTO, and
    that is long.  What is never answered is still sent again."""
    segment = bench.segment(f"{OURS}/24", f"{OURS6}/64", peer=(f"{PEER}/24", f"{PEER6}/64"))
    for route in (f"198.51.100.0/24 dev tap0 src {PEER}", "2001:db8::/64 dev tap0 metric 256"):
        said = segment.run("ip", "route", "change", *route.split(), "proto", "kernel", *PATIENCE.split())
        assert not said
    segment.lab.sysctl("net.ipv4.tcp_early_retrans", "0")  # ip-sysctl.rst: tail loss probes
    (driver,) = (thread for thread in threading.enumerate() if thread.name == "wsknet driver")
    assert driver.native_id is not None
    os.sched_setscheduler(driver.native_id, os.SCHED_RR, os.sched_param(1))
    with bench.host.activate():
        service.start()
        yield segment
        bench.wait(lambda: not service.connections, "the end of the connections")  # stopping resets open ones
        service.stop()


def url(address: str, path: str) -> str:
    return f"http://{f'[{address}]' if ':' in address else address}{path}"


@BOTH_FAMILIES
@pytest.mark.parametrize("mode", ["push", "pull"], ids=["wsknet-receives", "wsknet-sends"])
def test_a_bulk_transfer(mode: str, address: str, tmp_path: Path) -> None:
    bulk.content(SIZE)  # made beforehand: while the service makes it, nothing is acknowledged
    with tap_bench(tmp_path) as bench, serving(bench, Bulk()) as segment:
        told = json.loads(
            segment.run(*AT_ONCE, sys.executable, bulk.__file__, mode, address, str(bulk.PORT), str(SIZE))
        )
    assert told["identical"]
    assert_flawless(bench, SIZE // FULL_SEGMENT)


@requires_tool("curl")
@BOTH_FAMILIES
def test_ten_megabytes_to_curl(address: str, tmp_path: Path) -> None:
    body = tmp_path / "body"
    with tap_bench(tmp_path) as bench, serving(bench, Http()) as segment:
        segment.run(*AT_ONCE, "curl", "-sS", "--fail", "-o", str(body), url(address, f"/bytes/{SIZE}"))
    assert body.read_bytes() == kernel_http.pattern(SIZE)
    assert_flawless(bench, SIZE // FULL_SEGMENT)


@requires_tool("curl")
@BOTH_FAMILIES
def test_ten_megabytes_from_curl(address: str, tmp_path: Path) -> None:
    content = kernel_http.pattern(SIZE)
    body = tmp_path / "body"
    body.write_bytes(content)
    with tap_bench(tmp_path) as bench, serving(bench, Http()) as segment:
        answer = segment.run(*AT_ONCE, "curl", "-sS", "--fail", "-T", str(body), url(address, "/discard"))
    assert answer == f"{SIZE} {hashlib.sha256(content).hexdigest()}\n"
    assert_flawless(bench, SIZE // FULL_SEGMENT)


@requires_tool("curl")
@BOTH_FAMILIES
def test_two_hundred_short_requests_one_after_another(address: str, tmp_path: Path) -> None:
    """Each on a connection of its own, that the server closes; curl counts them."""
    count, size = 200, 100
    ask = ["-o", "/dev/null", url(address, f"/bytes/{size}")] * count
    with tap_bench(tmp_path) as bench, serving(bench, Http()) as segment:
        curl = ("curl", "-sS", "--fail", "-H", "Connection: close", "-w", "%{size_download} %{num_connects}\n")
        said = segment.run(*AT_ONCE, *curl, *ask)
    assert said == f"{size} 1\n" * count
    assert_flawless(bench, count * SEGMENTS_OF_A_SHORT_REQUEST)


@requires_tool("ab")
@BOTH_FAMILIES
def test_two_hundred_short_requests_ten_at_a_time(address: str, tmp_path: Path) -> None:
    count = 200
    with tap_bench(tmp_path) as bench, serving(bench, Http()) as segment:
        said = segment.run(*AT_ONCE, "ab", "-q", "-n", str(count), "-c", "10", url(address, "/bytes/100"))
    assert re.search(rf"Complete requests: +{count}\n", said)
    assert re.search(r"Failed requests: +0\n", said)
    assert_flawless(bench, count * SEGMENTS_OF_A_SHORT_REQUEST)
