"""The drivers of `examples.wsk` on a TAP: nc is the client of the servers and the server of the clients."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from examples.wsk import addresses, blocking, echo_events, echo_irps, udp_echo
from tests.support.needs import requires_tool
from tests.support.tap_host import TIMEOUT, Segment, TapBench, tap_bench
from tests.support.wsk_fault_sets import Completions
from wsknet.types import MILLISECOND
from wsknet.wsk import (
    NT_SUCCESS,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_SUCCESS,
    Completing,
    Executive,
    KernelMode,
    KeWaitForSingleObject,
    require_nothing_left,
    simple,
    verify,
)

pytestmark = [pytest.mark.tap, requires_tool("ip", "nc")]

OURS = {4: "198.51.100.2", 6: "2001:db8::2"}
KERNEL = {4: "198.51.100.1", 6: "2001:db8::1"}
PORT = 7777
MESSAGES = (b"first", b"the second one", bytes(range(1, 256)) * 4)

USUAL = Completions()
LATE = Completions(Completing.PENDING, 5 * MILLISECOND, is_on_thread=True)
NESTED = Completions(Completing.INLINE)

every_way = pytest.mark.parametrize(
    ("completions", "version"),
    [(USUAL, 4), (USUAL, 6), (LATE, 6), (NESTED, 4)],
    ids=["IPv4", "IPv6", "late and in a thread, IPv6", "inline, IPv4"],
)
every_example = pytest.mark.parametrize(
    "example", [echo_events, echo_irps, blocking, udp_echo], ids=lambda module: module.__name__.split(".")[-1]
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[TapBench, Segment]]:
    """The host is current, and its drivers are verified."""
    with tap_bench(tmp_path) as bench:
        verify(bench.host, is_strict=True)
        segment = bench.segment(f"{OURS[4]}/24", f"{OURS[6]}/64", peer=[f"{KERNEL[4]}/24", f"{KERNEL[6]}/64"])
        with bench.host.activate():
            yield bench, segment
        require_nothing_left(bench.host)


def nc(example: ModuleType, *arguments: str) -> list[str]:
    """A datagram client is content with one answer, however long that takes on a busy machine."""
    return ["nc", "-N", *(["-u", "-W1", "-w10"] if example is udp_echo else []), *arguments]


@every_way
@every_example
def test_the_server_serves_nc(
    example: Any, completions: Completions, version: int, lab: tuple[TapBench, Segment]
) -> None:
    bench, segment = lab
    completions.apply(bench.host)
    server = example.SERVER(simple.address("0.0.0.0" if version == 4 else "::", PORT))
    assert NT_SUCCESS(example.ServerEntry(server))
    for text in ("hello\n", "hello again\n"):
        assert segment.run(*nc(example, OURS[version], str(PORT)), stdin=text.encode()) == text
    example.ServerUnload(server)


@every_way
@every_example
def test_the_client_is_served_by_nc(
    example: Any, completions: Completions, version: int, lab: tuple[TapBench, Segment]
) -> None:
    bench, segment = lab
    completions.apply(bench.host)
    client = example.CLIENT(simple.address(KERNEL[version], PORT), MESSAGES)
    with listening(bench, segment, example, version) as kernel:
        assert NT_SUCCESS(example.ClientEntry(client))
        echo(kernel, len(b"".join(MESSAGES)), is_datagram=example is udp_echo)
        KeWaitForSingleObject(client.Done, Executive, KernelMode, False, None)
        example.ClientUnload(client)
    assert (client.Status, client.Received) == (STATUS_SUCCESS, b"".join(MESSAGES))


@contextmanager
def listening(
    bench: TapBench, segment: Segment, example: ModuleType, version: int
) -> Iterator[subprocess.Popen[bytes]]:
    """`nc -l` in the place of a server, gone at the end."""
    command = ["nc", "-N", *(["-u"] if example is udp_echo else []), "-l", KERNEL[version], str(PORT)]
    process = segment.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        bench.wait(lambda: f":{PORT} " in segment.run("ss", "-Hltun"), "nc listens")
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT)


def echo(kernel: subprocess.Popen[bytes], length: int, *, is_datagram: bool) -> None:
    """Give `nc` back what it prints, until its peer has finished; who sends datagrams never says so."""
    assert kernel.stdin is not None
    assert kernel.stdout is not None
    while data := os.read(kernel.stdout.fileno(), 65536):
        kernel.stdin.write(data)
        kernel.stdin.flush()
        length -= len(data)
        if is_datagram and length <= 0:
            return
    kernel.stdin.close()
    kernel.stdin = None


@pytest.mark.rule("R-072", "R-109")
def test_a_listening_socket_is_created_and_bound(lab: tuple[TapBench, Segment]) -> None:
    context = addresses.SOCKET_CONTEXT()
    assert addresses.OpenListeningSocket(simple.address(OURS[4], PORT), context) == STATUS_SUCCESS
    lab[1].run("ping", "-c1", OURS[4])  # so that the capture has something


@pytest.mark.rule("R-130", "R-131", "R-132")
@pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
def test_the_local_address_before_bind_after_bind_and_after_connect(
    version: int, lab: tuple[TapBench, Segment]
) -> None:
    bench, segment = lab
    answers: list[addresses.LOCAL_ADDRESS] = []
    with listening(bench, segment, echo_irps, version):
        assert addresses.AskForLocalAddresses(simple.address(KERNEL[version], PORT), answers) == STATUS_SUCCESS
    created, bound, connected = answers
    assert created.Status == STATUS_INVALID_DEVICE_STATE
    wildcard, port = simple.host_and_port(bound.Address)
    assert (wildcard, port >= 49152) == ("0.0.0.0" if version == 4 else "::", True)
    assert simple.host_and_port(connected.Address) == (OURS[version], port)
