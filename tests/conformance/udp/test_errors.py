"""Who hears that a port is closed: RFC 1122 3.2.2, 4.1.3.1, 4.1.3.3 and 4.1.3.6, RFC 4443 2.4 and 3.1."""

from __future__ import annotations

import pytest

from tests.conformance.udp.udp_lab import BROADCASTS, GROUP, IF_INDEX, OURS, PEER, UdpLab
from wsknet.errors import ErrorKind
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.trace import DropReason
from wsknet.transport.endpoint import QUEUE_OVERHEAD
from wsknet.types import Endpoint, Family

UNREACHABLE = IcmpErrorKind.PORT_UNREACHABLE


@pytest.mark.rule("RFC1122-4.1.3.1", "RFC4443-3.1")
def test_a_closed_port_is_told_to_the_sender_with_the_datagram(lab: UdpLab) -> None:
    lab.bound(7)
    lab.datagram(b"anybody?", port=8)
    (quoted,) = lab.refusals()
    assert quoted[:6] == bytes.fromhex("232800080010")
    assert quoted[8:] == b"anybody?"


@pytest.mark.rule("RFC1122-3.2.2", "RFC4443-2.4")
def test_a_closed_port_is_not_told_to_who_asked_many(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    endpoint.multicast.join(GROUP[lab.family], IF_INDEX, lab.now)
    lab.sent()
    for destination in (GROUP[lab.family], *(BROADCASTS if lab.family is Family.IPV4 else ())):
        lab.datagram(port=8, destination=destination)
        assert lab.refusals() == []
        lab.datagram(port=7, destination=destination)
        assert endpoint.receive() is not None


@pytest.mark.rule("RFC1122-4.1.3.6")
def test_who_sends_from_a_group_or_a_broadcast_is_nobody(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    for source in (GROUP[lab.family], *(BROADCASTS if lab.family is Family.IPV4 else ())):
        lab.datagram(source=source)
        lab.datagram(source=source, port=8)
    assert endpoint.readable == 0
    assert lab.sent() == []


@pytest.mark.rule("RFC1122-4.1.3.3")
def test_the_error_goes_to_the_socket_that_sent_and_to_no_other(lab: UdpLab) -> None:
    asked, other = lab.bound(5000), lab.bound(5001)
    fixed, elsewhere = lab.bound(5002), lab.bound(5003)
    fixed.connect(Endpoint(PEER[lab.family], 9), lab.now)
    elsewhere.connect(Endpoint(PEER[lab.family], 10), lab.now)
    lab.icmp_error(UNREACHABLE, 5000, 9)
    assert [each.take_error() for each in (asked, other, fixed, elsewhere)] == [ErrorKind.PORT_UNREACHABLE, *[None] * 3]
    lab.icmp_error(UNREACHABLE, 5002, 9)
    assert [each.take_error() for each in (asked, other, fixed, elsewhere)] == [
        None, None, ErrorKind.PORT_UNREACHABLE, None,
    ]  # fmt: skip


@pytest.mark.rule("RFC1122-4.1.3.3", "RFC8085-5.2")
def test_an_error_about_somebody_elses_datagram_is_not_believed(lab: UdpLab) -> None:
    """RFC 8085 5.2: the ports and the peer must be those of a socket; nothing else of a datagram can be checked."""
    endpoint = lab.bound(5002)
    endpoint.connect(Endpoint(PEER[lab.family], 9), lab.now)
    stranger = PEER[lab.family][:-1] + b"\x63"
    lab.icmp_error(UNREACHABLE, 5002, 10)
    lab.icmp_error(UNREACHABLE, 5003, 9)
    lab.icmp_error(UNREACHABLE, 5002, 9, about=stranger)
    assert endpoint.take_error() is None
    assert lab.stack.trace.drops == {DropReason.ICMP_NO_ENDPOINT: 3}


@pytest.mark.rule("RFC1122-4.1.3.3")
def test_two_sockets_with_one_port_and_two_addresses_are_told_apart(lab: UdpLab) -> None:
    bound = lab.bound(5000, OURS[lab.family])
    lab.icmp_error(UNREACHABLE, 5000, 9)
    assert bound.take_error() is ErrorKind.PORT_UNREACHABLE
    loopback = bytes((127, 0, 0, 1)) if lab.family is Family.IPV4 else bytes(15) + b"\1"
    elsewhere = lab.bound(5000, loopback)
    lab.icmp_error(UNREACHABLE, 5000, 9)
    assert (bound.take_error(), elsewhere.take_error()) == (ErrorKind.PORT_UNREACHABLE, None)


def test_a_full_queue_is_no_closed_port(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    endpoint.receive_buffer = QUEUE_OVERHEAD + 4
    for _ in range(3):
        lab.datagram(b"data")
    assert lab.refusals() == []
    assert lab.stack.trace.drops == {DropReason.UDP_BUFFER_FULL: 2}


@pytest.mark.rule("RFC768-Fields")
def test_a_datagram_without_a_source_port_is_heard(lab: UdpLab) -> None:
    """Zero says that no reply is expected; there is none to give either."""
    endpoint = lab.bound(7)
    lab.datagram(source_port=0)
    received = endpoint.receive()
    assert received is not None
    assert received.source.port == 0


def test_nobody_is_at_port_zero(lab: UdpLab) -> None:
    lab.bound(7)
    lab.datagram(port=0)
    assert len(lab.refusals()) == 1
    assert lab.stack.trace.drops == {DropReason.UDP_NO_ENDPOINT: 1}
