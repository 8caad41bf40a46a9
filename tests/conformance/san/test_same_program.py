"""The same program over SAN, over TCP/IP and in fallback: the same bytes, results, events and errors (SAN-2, SAN-6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

import pytest

from examples.san.transfer import TRANSFER, Client, Server
from tests.support import san_script_connecting, san_script_data
from tests.support.san_capture import tcp_payload
from tests.support.san_script import Script
from tests.support.san_ways import CLIENT, LAN_CLIENT, SERVER, Way, san_world
from wsknet.san.numbers import NO_ERROR
from wsknet.san.policy import SanPolicy, Wildcard

PORT = 5001
SIZE = 10_000_000
NATIVE = SanPolicy().native_port
STEPS = san_script_connecting.STEPS + san_script_data.STEPS
POLICIES = {
    "no RdmaRead": SanPolicy(supports_rdma_read=False),
    "Vista": SanPolicy(wildcard=Wildcard.VISTA),
    "messages only": SanPolicy(rdma_threshold=1 << 30, max_message_size=1_024),
}


def transfer(way: Way, size: int, capture: Path | None = None, policy: SanPolicy | None = None) -> tuple[bytes, bytes]:
    """What each side has received, as it should be; the client's and the server's name are as always, too."""
    with san_world(way, policy or SanPolicy(), capture) as world:
        driver = world.network.driver
        up, down = TRANSFER(Random(1).randbytes(size)), TRANSFER(Random(2).randbytes(size))
        driver.spawn(partial(Server, world.server, PORT, down), "server")
        world.network.run_for(0.1)
        driver.spawn(partial(Client, world.client, SERVER, PORT, up), "client")
        world.network.run_until(lambda: up.Error >= 0 and down.Error >= 0, 300)
        world.network.run_for(5)
    assert (up.Error, down.Error) == (NO_ERROR, NO_ERROR)
    assert up.Received == down.Data
    assert down.Received == up.Data
    assert up.Peer.endpoint == down.Name.endpoint == (SERVER, PORT, 0)
    assert up.Name == down.Peer
    assert up.Name.sin_addr == (LAN_CLIENT if way is Way.CUT else CLIENT)
    return up.Received, down.Received


@pytest.mark.rule("SAN-6.3.1", "SAN-6.6.1", "SAN-6.6.2")
def test_ten_megabytes_each_way_go_over_the_san_link_only(tmp_path: Path) -> None:
    transfer(Way.SAN, SIZE, tmp_path / "way.pcapng")

    sent = tcp_payload(tmp_path / "way.pcapng")
    assert {each.interface for each in sent} == {"client.san0", "server.san0"}
    assert {each.port for each in sent} == {NATIVE}
    assert min(sent.values()) > SIZE


@pytest.mark.rule("SAN-6.3.1", "SAN-6.2.6")
def test_with_the_san_link_cut_the_same_runs_over_tcpip(tmp_path: Path) -> None:
    transfer(Way.CUT, SIZE, tmp_path / "way.pcapng")

    sent = tcp_payload(tmp_path / "way.pcapng")
    assert sent == {("client.lan", PORT): SIZE, ("server.lan", PORT): SIZE}


@pytest.mark.rule("SAN-6.3.3")
@pytest.mark.parametrize("way", [Way.TCPIP, Way.FALLBACK, Way.TCPIP_ONLY])
def test_without_a_san_on_both_sides_the_same_runs_over_tcpip(way: Way, tmp_path: Path) -> None:
    transfer(way, 1_000_000, tmp_path / "way.pcapng")

    sent = tcp_payload(tmp_path / "way.pcapng")
    data = {each: count for each, count in sent.items() if each.port == PORT}
    assert data == {("client.san0", PORT): 1_000_000, ("server.san0", PORT): 1_000_000}
    assert sum(sent.values()) - sum(data.values()) < 100  # a request, and its answer


@pytest.mark.rule("SAN-6.6.2")
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_same_bytes_whatever_the_provider_can(policy: SanPolicy) -> None:
    assert transfer(Way.SAN, 1_000_000, policy=policy) == transfer(Way.TCPIP, 1_000_000)


@cache
def over_tcpip(step: Callable[[Script], None]) -> list[str]:
    return transcript(step, Way.TCPIP)


def transcript(step: Callable[[Script], None], way: Way, policy: SanPolicy | None = None) -> list[str]:
    with san_world(way, policy or SanPolicy()) as world:
        script = Script(world)
        step(script)
        return script.transcript


@pytest.mark.rule("SAN-6.2.6", "SAN-6.3.3")
@pytest.mark.parametrize("way", [way for way in Way if way is not Way.TCPIP], ids=lambda way: way.name)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_every_call_answers_the_same(step: Callable[[Script], None], way: Way) -> None:
    assert transcript(step, way) == over_tcpip(step)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("step", san_script_data.STEPS, ids=lambda step: step.__name__)
def test_every_call_answers_the_same_whatever_the_provider_can(
    step: Callable[[Script], None], policy: SanPolicy
) -> None:
    assert transcript(step, Way.SAN, policy) == over_tcpip(step)


def test_the_transcripts_have_something_to_compare() -> None:
    lines = [line for step in STEPS for line in over_tcpip(step)]
    failures = {word for line in lines for word in line.split() if word.startswith("WSA") and word.isupper()}
    assert len(lines) > 500
    assert failures >= {
        "WSAECONNREFUSED", "WSAETIMEDOUT", "WSAEINVAL", "WSAENOTSOCK", "WSAEFAULT", "WSAEADDRINUSE", "WSAEADDRNOTAVAIL",
        "WSAESHUTDOWN", "WSAECONNRESET", "WSAECONNABORTED", "WSAEWOULDBLOCK", "WSAENOTCONN", "WSAEISCONN",
        "WSAEALREADY", "WSANOTINITIALISED", "WSAENOPROTOOPT", "WSAEOPNOTSUPP", "WSATRY_AGAIN", "WSAEINTR",
        "WSA_IO_PENDING", "WSA_IO_INCOMPLETE", "WSA_OPERATION_ABORTED",
    }  # fmt: skip
