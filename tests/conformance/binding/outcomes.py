"""What operations on endpoints say, for tables of behaviour sets."""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.binding.multi_homed import (
    MultiHomed,
)
from wsknet.errors import ErrorKind, NetError
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Cover


def cover_of(address: str) -> Cover:
    return Cover.IPV6 if ":" in address else Cover.IPV4


def outcomes(lab: MultiHomed, bound: str | None, to: str, zone: int = 0) -> dict[str, ErrorKind | None]:
    """What connecting with TCP, connecting with UDP and sending with UDP say."""
    tcp, udp = lab.tcp_on(bound, cover=cover_of(to)), lab.udp_on(bound, cover=cover_of(to))
    told = {
        "tcp connect": error_of(lambda: lab.connect(tcp, to, zone=zone)),
        "udp connect": error_of(lambda: lab.connect(udp, to, zone=zone)),
        "udp send": error_of(lambda: lab.send_to(udp, to, zone=zone)),
    }
    for endpoint in (tcp, udp):
        endpoint.close(lab.now)
    return told


def error_of(operation: Callable[[], None]) -> ErrorKind | None:
    try:
        operation()
    except NetError as error:
        return error.kind
    return None


def everywhere(kind: ErrorKind | None) -> dict[str, ErrorKind | None]:
    return {"tcp connect": kind, "udp connect": kind, "udp send": kind}


def talk(lab: MultiHomed, client: TcpEndpoint, server: TcpEndpoint) -> None:
    """Data both ways, then both ends."""
    for one, other in ((client, server), (server, client)):
        one.send(b"hello", lab.now, no_delay=True)
        lab.settle()
        assert other.receive(100, lab.now) == b"hello"
    client.finish(lab.now)
    lab.settle()
    server.finish(lab.now)
    lab.settle()
    assert client.peer_finished
    assert server.peer_finished
