"""How long a datagram says that it is, and is: RFC 768, RFC 8200 8.1, RFC 8085 3.2."""

from __future__ import annotations

import pytest

from tests.conformance.udp.udp_lab import OURS, PEER, UdpLab
from wsknet.errors import ErrorKind, NetError
from wsknet.trace import DropReason
from wsknet.transport.udp.endpoint import MAX_DATA
from wsknet.types import Endpoint, Family


@pytest.mark.rule("RFC768-Fields")
@pytest.mark.parametrize("length", [0, 1, 7, 13, 0xFFFF])
def test_a_length_that_lies_costs_the_datagram_without_a_word(lab: UdpLab, length: int) -> None:
    """Zero included: over IPv6 it would stand for a jumbogram (RFC 2675 4), of which there are none here."""
    endpoint = lab.bound(7)
    lab.datagram(b"data", length=length)
    assert endpoint.readable == 0
    assert lab.sent() == []
    assert lab.stack.trace.drops == {DropReason.UDP_BAD_LENGTH: 1}


@pytest.mark.rule("RFC768-Fields")
def test_less_than_a_header_is_no_datagram(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    for length in range(8):
        lab.packet(bytes.fromhex("2328000700080000")[:length], PEER[lab.family], OURS[lab.family])
    assert endpoint.readable == 0
    assert lab.sent() == []
    assert lab.stack.trace.drops == {DropReason.UDP_TRUNCATED: 8}


@pytest.mark.rule("RFC8085-3.2")
def test_a_datagram_may_be_empty(lab: UdpLab) -> None:
    sender, receiver = lab.bound(5000), lab.bound(7)
    lab.datagram(b"")
    received = receiver.receive()
    assert received is not None
    assert (received.data, received.source.port) == (b"", 9000)
    lab.send(sender, b"", 9)
    assert len(lab.sent()[0].body) == 8


@pytest.mark.rule("RFC1122-4.1.4")
def test_the_largest_datagram_arrives_whole_and_one_byte_more_is_refused(lab: UdpLab) -> None:
    sender, receiver = lab.bound(5000), lab.bound(7)
    receiver.receive_buffer = 1 << 20
    ours = OURS[lab.family]
    most = MAX_DATA[len(ours)]
    assert most == (65507 if lab.family is Family.IPV4 else 65527)
    data = (bytes(range(251)) * 262)[:most]
    sender.send((data,), Endpoint(ours, 7), lab.now)
    lab.stack.ip.deliver_looped(lab.now)
    received = receiver.receive()
    assert received is not None
    assert received.data == data
    with pytest.raises(NetError) as caught:
        sender.send((data, b"1"), Endpoint(ours, 7), lab.now)
    assert caught.value.kind is ErrorKind.MESSAGE_TOO_LONG
