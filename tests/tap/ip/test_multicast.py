"""Multicast between a WSK socket of ours and socat, in both directions, and what tells the link of it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tap_host import Segment, TapBench, tap_bench
from tests.support.tshark import fields
from wsknet.wsk import AF_INET, AF_INET6, STATUS_SUCCESS, WSK_FLAG_DATAGRAM_SOCKET, WSK_SOCKET, simple

pytestmark = [pytest.mark.tap, requires_tool("socat", "tshark")]

PORT = 5000
OURS = {4: "198.51.100.2", 6: "2001:db8::2"}
KERNEL = {4: "198.51.100.1", 6: "2001:db8::1"}
GROUP = {4: "239.1.2.3", 6: "ff15::1:7"}
OTHER_GROUP = {4: "239.1.2.4", 6: "ff15::1:8"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TapBench]:
    with tap_bench(tmp_path) as made, made.host.activate():
        yield made


@pytest.fixture
def kernel(bench: TapBench) -> Segment:
    return bench.segment(f"{OURS[4]}/24", f"{OURS[6]}/64", peer=(f"{KERNEL[4]}/24", f"{KERNEL[6]}/64"))


@pytest.fixture
def application(kernel: Segment) -> Iterator[simple.Application]:
    with simple.Application() as made:
        yield made


def bound(application: simple.Application, family: int, port: int = PORT) -> WSK_SOCKET:
    socket: WSK_SOCKET
    status, socket = application.open(WSK_FLAG_DATAGRAM_SOCKET, AF_INET if family == 4 else AF_INET6)
    assert status == STATUS_SUCCESS
    wildcard = "0.0.0.0" if family == 4 else "::"
    assert simple.bind(socket, simple.address(wildcard, port))[0] == STATUS_SUCCESS
    return socket


def socat_sends(kernel: Segment, family: int, group: str, data: bytes) -> None:
    where = f"UDP4-DATAGRAM:{group}:{PORT},ip-multicast-if={KERNEL[4]}"
    if family == 6:
        where = f"UDP6-DATAGRAM:[{group}]:{PORT},so-bindtodevice=tap0"
    kernel.run("socat", "-u", "STDIO", where, stdin=data)


@pytest.mark.parametrize("family", [4, 6])
def test_what_socat_sends_to_our_group_arrives_and_to_others_does_not(
    kernel: Segment, application: simple.Application, family: int
) -> None:
    socket = bound(application, family)
    assert simple.join_group(socket, GROUP[family])[0] == STATUS_SUCCESS
    socat_sends(kernel, family, OTHER_GROUP[family], b"not for us")
    socat_sends(kernel, family, GROUP[family], b"for us")
    status, (data, _) = simple.receive_from(socket, seconds=20)
    assert (status, data) == (STATUS_SUCCESS, b"for us")

    assert simple.leave_group(socket, GROUP[family])[0] == STATUS_SUCCESS
    socat_sends(kernel, family, GROUP[family], b"too late")
    assert simple.receive_from(socket, seconds=0.5)[0] != STATUS_SUCCESS
    simple.close(socket)


@pytest.mark.parametrize("family", [4, 6])
def test_socat_hears_what_we_send_to_its_group(kernel: Segment, application: simple.Application, family: int) -> None:
    joining = f"UDP4-RECVFROM:{PORT},ip-add-membership={GROUP[4]}:{KERNEL[4]}"
    if family == 6:
        joining = f"UDP6-RECVFROM:{PORT},ipv6-join-group=[{GROUP[6]}]:tap0"
    process = kernel.start("socat", "-u", joining, "STDOUT", stdout=subprocess.PIPE)
    socket = bound(application, family)
    try:
        for _ in range(100):  # when socat is ready nobody can tell
            assert simple.send_to(socket, b"hello", simple.address(GROUP[family], PORT))[0] == STATUS_SUCCESS
            try:
                heard, _ = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            pytest.fail("socat never heard anything")
    finally:
        process.kill()
    assert heard == b"hello"
    simple.close(socket)


@pytest.mark.usefixtures("kernel")
def test_memberships_are_reported_and_taken_back(bench: TapBench, application: simple.Application) -> None:
    """IGMPv3 and MLDv2 as tshark reads them: a change to EXCLUDE nobody, then one to INCLUDE nobody."""
    for family in (4, 6):
        socket = bound(application, family)
        simple.join_group(socket, GROUP[family])
        simple.leave_group(socket, GROUP[family])
        simple.close(socket)
    bench.writer.flush()
    ours = f"igmp && ip.src == {OURS[4]}"
    assert [row[0] for row in fields(bench.capture, "igmp.record_type", where=ours)][:2] == ["4", "3"]
    ours = f"icmpv6.type == 143 && icmpv6.mldr.mar.multicast_address == {GROUP[6]} && eth.src == 02:00:00:00:04:02"
    assert [row[0] for row in fields(bench.capture, "icmpv6.mldr.mar.record_type", where=ours)][:2] == ["4", "3"]


@pytest.mark.long  # and only where the kernel has bridges
@pytest.mark.parametrize("family", [4, 6])
def test_a_switch_that_listens_to_reports_learns_where_we_are(bench: TapBench, family: int) -> None:
    """A bridge of the kernel, as querier: it asks, and forgets us when we leave."""
    kernel = bench.segment(f"{OURS[4]}/24", f"{OURS[6]}/64")
    querier = "mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 mcast_mld_version 2 mcast_last_member_interval 20"
    kernel.run("ip", "link", "add", "br0", "type", "bridge", *querier.split())
    for command in ("address add 198.51.100.1/24 dev br0", "link set tap0 master br0", "link set br0 up"):
        kernel.run("ip", *command.split())

    def shown() -> bool:
        return GROUP[family] in kernel.run("bridge", "mdb", "show", "dev", "br0")

    with simple.Application() as application:
        socket = bound(application, family)
        simple.join_group(socket, GROUP[family], bench.host.interfaces["tap0"].index)
        assert any(shown() for _ in pauses(kernel))
        simple.leave_group(socket, GROUP[family], bench.host.interfaces["tap0"].index)
        assert any(not shown() for _ in pauses(kernel))
        simple.close(socket)


def pauses(kernel: Segment) -> Iterator[int]:
    """Half a minute at most, in steps of an exchange that takes 200 ms because nobody answers."""
    for number in range(150):
        yield number
        kernel.run("arping", "-c", "1", "-w", "1", "-I", "br0", "198.51.100.99")
