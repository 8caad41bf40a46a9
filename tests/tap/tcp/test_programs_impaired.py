"""curl, wget, nc, socat, ab and wrk against `wsknet serve http`, over a clean link and a bad one.

The same command lines meet a server on the kernel's own sockets first: what they say of that one they have to say of
wsknet.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support import kernel_http
from tests.support.needs import requires_tool
from tests.support.tap_host import tap_bench
from wsknet.apps.http.service import Http
from wsknet.devices.impair import Impairment
from wsknet.machine.lab import Lab
from wsknet.types import MILLISECOND

pytestmark = [pytest.mark.tap, requires_tool("ip", "tshark", "curl", "wget", "nc", "socat", "ab", "wrk")]

OURS, PEER = "198.51.100.2", "198.51.100.1"
OURS6, PEER6 = "2001:db8::2", "2001:db8::1"
PORT = 80

BAD_LINK = Impairment(delay=15 * MILLISECOND, loss=0.02, reorder=0.05, reorder_by=5 * MILLISECOND)
"""In each direction.  What is held back is overtaken by everything that is sent in the 5 ms after it."""

ENOUGH_TO_LOSE_SOME = 1000
"""Frames of which some are lost or late, for all that chance can do."""

SECONDS = 60
"""No program takes that long, whatever is lost."""

SMALL, LARGE = 10_000, 200_000


class Client(Protocol):
    """A place from which programs reach the server."""

    def __call__(self, *command: str, stdin: bytes = b"") -> bytes:
        """What the program prints on its standard output.  It has to exit with 0."""


def client_in(lab: Lab) -> Client:
    def run(*command: str, stdin: bytes = b"") -> bytes:
        with lab.entered():
            done = subprocess.run(command, input=stdin, capture_output=True, timeout=SECONDS, check=False)
        print("$", *command, "\n" + done.stderr.decode(errors="replace"))  # shown if the test fails
        assert done.returncode == 0, done.stdout[-2000:]
        return done.stdout

    return run


def url(address: str, path: str) -> str:
    return f"http://{f'[{address}]' if ':' in address else address}:{PORT}{path}"


def digest(data: bytes) -> tuple[int, str]:
    return len(data), hashlib.sha256(data).hexdigest()


# What is done, and what there is to say of it afterwards


def curl_gets(run: Client, address: str) -> object:
    body = run("curl", "-sS", "--fail", url(address, f"/bytes/{LARGE}"))
    return digest(body)


def curl_gets_several_on_one_connection(run: Client, address: str) -> object:
    urls = [url(address, f"/bytes/{size}") for size in (1, SMALL, 0, SMALL + 1, 1_000)]
    written = "%{http_code} %{size_download} %{num_connects}\n"
    each = [part for one in urls for part in ("-o", "/dev/null", one)]
    return run("curl", "-sS", "--fail", "-w", written, *each).split(b"\n")


def curl_puts(run: Client, address: str) -> object:
    content = kernel_http.pattern(LARGE)
    return run("curl", "-sS", "--fail", "-X", "PUT", "--data-binary", "@-", url(address, "/discard"), stdin=content)


def curl_gets_a_range(run: Client, address: str) -> object:
    written = "%{http_code}"
    body = run("curl", "-sS", "--fail", "-r", "70000-169999", "-w", written, url(address, f"/bytes/{LARGE}"))
    return digest(body)


def curl_asks_for_the_head(run: Client, address: str) -> object:
    head = run("curl", "-sS", "--fail", "--head", url(address, f"/bytes/{LARGE}")).lower()
    return head.splitlines()[0], re.findall(rb"content-length: \d+", head)


def wget_gets(run: Client, address: str) -> object:
    return digest(run("wget", "-q", "-O", "-", url(address, f"/bytes/{LARGE}")))


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.0\r\n\r\n".encode()


def body_of(answer: bytes) -> tuple[int, str]:
    return digest(answer.partition(b"\r\n\r\n")[2])


def nc_gets(run: Client, address: str) -> object:
    return body_of(run("nc", address, str(PORT), stdin=request(f"/bytes/{LARGE}")))


def nc_gets_after_it_has_shut_down_its_side(run: Client, address: str) -> object:
    return body_of(run("nc", "-N", address, str(PORT), stdin=request(f"/bytes/{LARGE}")))


def socat_gets(run: Client, address: str) -> object:
    peer = f"TCP6:[{address}]:{PORT}" if ":" in address else f"TCP4:{address}:{PORT}"
    return body_of(run("socat", "-t30", "-", peer, stdin=request(f"/bytes/{LARGE}")))


def ab_report(output: bytes) -> dict[str, str]:
    said = dict(re.findall(r"^([A-Z][\w -]+):\s+(\S+)", output.decode(), re.MULTILINE))
    kinds = ("Complete requests", "Failed requests", "Non-2xx responses", "HTML transferred", "Document Length")
    return {kind: said[kind] for kind in kinds if kind in said}


def ab_connects_for_each(run: Client, address: str) -> object:
    return ab_report(run("ab", "-q", "-n", "40", "-c", "8", url(address, f"/bytes/{SMALL}")))


def ab_keeps_connections(run: Client, address: str) -> object:
    return ab_report(run("ab", "-q", "-k", "-n", "40", "-c", "4", url(address, f"/bytes/{SMALL}")))


def wrk_has_no_failure(run: Client, address: str) -> object:
    """How many requests it makes is a matter of time; that all are answered and well is not."""
    said = run("wrk", "-t1", "-c4", "-d1s", "--timeout", "30s", url(address, f"/bytes/{SMALL}"))
    found = re.search(rb"(\d+) requests in", said)
    failures = re.findall(rb"Socket errors.*|Non-2xx.*", said)
    return found is not None and int(found[1]) > 0, failures


DEEDS = [
    curl_gets, curl_gets_several_on_one_connection, curl_puts, curl_gets_a_range, curl_asks_for_the_head, wget_gets,
    nc_gets, nc_gets_after_it_has_shut_down_its_side, socat_gets, ab_connects_for_each, ab_keeps_connections,
    wrk_has_no_failure,
]  # fmt: skip

Deed = Callable[[Client, str], object]


class Reference:
    """What each deed comes to against the kernel, found out once."""

    def __init__(self, run: Client) -> None:
        self._run = run
        self._known: dict[str, Any] = {}

    def __call__(self, deed: Deed, address: str) -> Any:
        name = f"{deed.__name__} {address}"
        if name not in self._known:
            self._known[name] = deed(self._run, address)
        return self._known[name]


@pytest.fixture(scope="module")
def kernel() -> Iterator[Reference]:
    with Lab.unnamed() as lab:
        lab.address("lo", f"{OURS}/32")
        lab.address("lo", f"{OURS6}/128")
        command = [sys.executable, kernel_http.__file__, str(PORT)]
        with lab.entered():
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield Reference(client_in(lab))
        finally:
            server.communicate(timeout=SECONDS)


def serving(directory: Path, impairment: Impairment | None) -> Iterator[Client]:
    with tap_bench(directory) as bench:
        segment = bench.segment(
            f"{OURS}/24", f"{OURS6}/64", peer=(f"{PEER}/24", f"{PEER6}/64"), impairment=impairment
        )  # fmt: skip
        with bench.host.activate():
            service = Http(PORT)
            service.start()
        yield client_in(segment.lab)
        with bench.host.activate():
            service.stop()
    if impairment is not None and bench.verdict is not None and bench.verdict.frames > ENOUGH_TO_LOSE_SOME:
        assert not bench.verdict.is_flawless, "the bad link was a good one"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    yield from serving(tmp_path_factory.mktemp("clean"), None)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    yield from serving(tmp_path_factory.mktemp("bad"), BAD_LINK)


BOTH_FAMILIES = pytest.mark.parametrize("address", [OURS, OURS6], ids=["ipv4", "ipv6"])
ALL = pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)


@BOTH_FAMILIES
@ALL
def test_programs_find_no_difference(kernel: Reference, clean: Client, deed: Deed, address: str) -> None:
    assert deed(clean, address) == kernel(deed, address)


@BOTH_FAMILIES
@ALL
def test_programs_find_no_difference_through_a_bad_link(
    kernel: Reference, bad: Client, deed: Deed, address: str
) -> None:
    assert deed(bad, address) == kernel(deed, address)


def test_the_reference_is_what_was_promised(kernel: Reference) -> None:
    """A comparison of two failures would find no difference either."""
    whole = kernel_http.pattern(LARGE)
    assert kernel(curl_gets, OURS) == kernel(nc_gets, OURS6) == digest(whole)
    assert kernel(curl_puts, OURS) == f"{LARGE} {digest(whole)[1]}\n".encode()
    assert kernel(ab_connects_for_each, OURS) == {
        "Complete requests": "40",
        "Failed requests": "0",
        "HTML transferred": str(40 * SMALL),
        "Document Length": str(SMALL),
    }
    assert kernel(wrk_has_no_failure, OURS6) == (True, [])
