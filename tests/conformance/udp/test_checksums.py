"""What the checksum of UDP decides: RFC 768, RFC 1122 4.1.3.4, RFC 8200 8.1, RFC 6936 4."""

from __future__ import annotations

import pytest

from tests.conformance.udp.udp_lab import OURS, PEER, UdpLab
from wsknet.trace import DropReason
from wsknet.types import Family, Proto
from wsknet.wire import udp
from wsknet.wire.checksum import pseudo_sum, transport_is_valid


@pytest.mark.rule("RFC1122-4.1.3.4", "RFC8200-8.1", "RFC6936-4")
def test_no_checksum_is_legal_over_ipv4_alone(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    lab.datagram(checksum=0)
    is_taken = lab.family is Family.IPV4
    assert endpoint.readable == is_taken
    assert lab.stack.trace.drops[DropReason.UDP_BAD_CHECKSUM] == (not is_taken)


@pytest.mark.rule("RFC1122-4.1.3.4")
@pytest.mark.parametrize("port", [7, 9], ids=["open port", "closed port"])
def test_a_wrong_checksum_costs_the_datagram_without_a_word(lab: UdpLab, port: int) -> None:
    endpoint = lab.bound(7)
    lab.datagram(checksum=0x1234, port=port)
    assert endpoint.readable == 0
    assert lab.sent() == []
    assert lab.stack.trace.drops == {DropReason.UDP_BAD_CHECKSUM: 1}


@pytest.mark.rule("RFC768-Fields")
def test_each_bit_of_a_datagram_and_its_addresses_is_covered(lab: UdpLab) -> None:
    endpoint = lab.bound(7)
    source, destination = PEER[lab.family], OURS[lab.family]
    checksum = udp.checksum(pseudo_sum(source, destination, Proto.UDP), 9000, 7, (b"data",))
    good = udp.build(9000, 7, 4, checksum) + b"data"
    lab.packet(good, source, destination)
    assert endpoint.readable == 1
    for bit in range(8 * len(good)):
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        lab.packet(bytes(damaged), source, destination)
    lab.packet(good, source[:-1] + b"\x77", destination)
    assert endpoint.readable == 1
    assert lab.stack.trace.drops.total() == 8 * len(good) + 1


@pytest.mark.rule("RFC768-Fields")
def test_the_checksum_ends_where_the_datagram_does(lab: UdpLab) -> None:
    """IP may carry more; that belongs to nobody, and an option of RFC 9868 would be there."""
    endpoint = lab.bound(7)
    lab.datagram(b"data", behind=b"not data")
    received = endpoint.receive()
    assert received is not None
    assert received.data == b"data"


@pytest.mark.rule("RFC1122-4.1.3.4", "RFC8200-8.1")
@pytest.mark.parametrize("size", [0, 1, 2, 3, 1471, 1472])
def test_what_we_send_has_a_checksum(lab: UdpLab, size: int) -> None:
    endpoint = lab.bound(5000)
    lab.send(endpoint, bytes(range(256))[:size] * (1 if size < 256 else 6), 9)
    first = lab.sent()[0]
    if len(first.body) == int.from_bytes(first.body[4:6], "big"):  # else it left in fragments
        assert any(first.body[6:8])
        assert transport_is_valid(pseudo_sum(first.source, first.destination, Proto.UDP), first.body)


@pytest.mark.rule("RFC768-Fields", "RFC8200-8.1")
def test_a_checksum_of_zero_is_sent_as_all_ones(lab: UdpLab) -> None:
    endpoint = lab.bound(5000)
    pseudo = pseudo_sum(OURS[lab.family], PEER[lab.family], Proto.UDP)
    without = udp.checksum(pseudo, 5000, 9, (b"\0\0",))
    data = without.to_bytes(2, "big")  # adding it makes the sum come out as all ones, its complement as zero
    lab.send(endpoint, data, 9)
    assert lab.sent()[0].body == udp.build(5000, 9, 2, 0xFFFF) + data
