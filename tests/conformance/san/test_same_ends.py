"""A NIC that asks for a connection between two ends which have one already."""

from __future__ import annotations

import pytest

from tests.support.san_lab import UNTOUCHED, SanLab, nic_connection, san_lab
from wsknet.san.numbers import INVALID_SOCKET, WSAECONNRESET, WSAEWOULDBLOCK
from wsknet.san.provider.native import Accept, Frame, Reject, RejectReason, Request, encode, parse
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Endpoint

A, B = Endpoint(parse_address("10.0.0.1"), 4_000), Endpoint(parse_address("10.0.0.2"), 80)
AGAIN = Reject(RejectReason.NO_RESOURCES)
"""After it the switch of the peer tries TCP/IP."""


def request(lab: SanLab) -> TcpEndpoint:
    endpoint = nic_connection(lab)
    with lab.hosts[0].pump as now:
        endpoint.send(b"".join(encode(Request(A, B))), now)
    lab.run()
    return endpoint


def answer(endpoint: TcpEndpoint) -> Frame | None:
    head = parse(endpoint.peek(100))
    return None if head is None else head.frame


@pytest.mark.rule("SAN-6.4.2")
def test_it_is_rejected_as_long_as_that_connection_lasts() -> None:
    with san_lab() as lab:
        s, accepted, listener = lab.connected(A.port, B.port)
        assert answer(request(lab)) == AGAIN
        assert lab.callers[1].accept(listener) == (INVALID_SOCKET, WSAEWOULDBLOCK)
        lab.callers[0].ok("WSPCloseSocket", s)
        lab.run()
        other = request(lab)
        assert answer(other) is None
        assert lab.callers[1].accept(listener)[1] == UNTOUCHED
        lab.run()
        assert answer(other) == Accept()
        lab.callers[1].ok("WSPCloseSocket", accepted)
        assert answer(request(lab)) == AGAIN


@pytest.mark.rule("SAN-6.5.1")
def test_of_two_that_wait_the_first_is_accepted() -> None:
    with san_lab() as lab:
        b = lab.callers[1]
        listener, _ = b.listening("10.0.0.2", B.port)
        first, second = request(lab), request(lab)
        assert b.accept(listener)[1] == UNTOUCHED
        handles = len(b.handles)
        assert b.accept(listener) == (INVALID_SOCKET, WSAECONNRESET)
        lab.run()
        assert (answer(first), answer(second)) == (Accept(), AGAIN)
        assert b.accept(listener) == (INVALID_SOCKET, WSAEWOULDBLOCK)
        assert len(b.handles) == handles
