"""`serve time` (RFC 868), by the clock of virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.support.wsk_lab import FAR, FAR6, FIN, RST, Lab, ok
from wsknet.apps.time import Time
from wsknet.wsk import AF_INET, AF_INET6, WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET, simple

SECONDS_2026 = 3_976_214_400
"""From 1900 to 2026: 126 years, 31 of them with 366 days."""
FAMILIES = [(AF_INET, "0.0.0.0", FAR), (AF_INET6, "::", FAR6)]


@pytest.fixture
def service(lab: Lab) -> Iterator[Time]:
    made = Time()
    with lab.far.activate():
        made.start()
    yield made
    with lab.far.activate():
        made.stop()


def test_the_years_are_counted_right() -> None:
    assert timedelta(seconds=SECONDS_2026) == datetime(2026, 1, 1) - datetime(1900, 1, 1)


@pytest.mark.rule("RFC868-TCP")
@pytest.mark.parametrize(("family", "wildcard", "address"), FAMILIES)
def test_a_connection_gets_the_time_and_the_server_closes(
    lab: Lab, service: Time, family: int, wildcard: str, address: str
) -> None:
    lab.run(100)
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, AddressFamily=family)
    ok(simple.connect(near, simple.address(address, 37)))
    assert ok(simple.receive(near)) == (SECONDS_2026 + 100).to_bytes(4, "big")
    assert ok(simple.receive(near)) == b""
    ok(simple.disconnect(near))
    lab.run(1)
    assert not service.connections
    flags = lab.near_wire.tcp_flags() + lab.far_wire.tcp_flags()
    assert sum(bool(each & FIN) for each in flags) == 2
    assert not any(each & RST for each in flags)
    ok(simple.close(near))


@pytest.mark.rule("RFC868-UDP")
@pytest.mark.parametrize(("family", "wildcard", "address"), FAMILIES)
@pytest.mark.parametrize("question", [b"", b"what time is it?"])
def test_a_datagram_gets_the_time(
    lab: Lab, service: Time, family: int, wildcard: str, address: str, question: bytes
) -> None:
    lab.run(7)
    near = lab.bound(lab.near, WSK_FLAG_DATAGRAM_SOCKET, wildcard, AddressFamily=family)
    ok(simple.send_to(near, question, simple.address(address, 37)))
    answer, source = ok(simple.receive_from(near))
    assert answer == (SECONDS_2026 + 7).to_bytes(4, "big")
    assert simple.host_and_port(source) == (address, 37)
    ok(simple.close(near))


def test_a_client_that_does_not_close_is_reset_in_the_end(lab: Lab, service: Time) -> None:
    near = lab.connected(37)
    assert len(ok(simple.receive(near))) == 4
    lab.run(5)
    assert len(service.connections) == 1
    lab.run(15)
    assert not service.connections
    ok(simple.close(near))
