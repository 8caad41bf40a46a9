"""Connections of `two_links` whose tables change: whether they live, and why they ended."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.binding.two_links import H1
from wsknet.behaviour import WINDOWS
from wsknet.errors import ErrorKind
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State

KEPT = replace(WINDOWS, removed_address_aborts=False, removed_interface_closes_sockets=False)
"""Windows but for what a connection is told."""


def failure(lab: H1, endpoint: TcpEndpoint) -> ErrorKind | None:
    """Why the connection ended, as its owner was told; `None` if it did not."""
    if not lab.owners[endpoint].readiness & Ready.FAILED:
        return None
    assert endpoint.state is State.CLOSED
    return endpoint.error


def lives(lab: H1, ours: TcpEndpoint, theirs: TcpEndpoint, link: int = 0, seconds: float = 1) -> bool:
    """Whether data gets through both ways."""
    lab.call(ours.send, b"there")
    lab.call(theirs.send, b"and back", host=lab.peers[link])
    lab.run(seconds)
    got = lab.call(theirs.receive, 100, host=lab.peers[link]), lab.call(ours.receive, 100)
    return bool(got[0].endswith(b"there") and got[1].endswith(b"and back"))
