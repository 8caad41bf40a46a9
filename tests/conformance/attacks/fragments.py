"""Fragments that lie about their place: teardrop, ping of death, overlaps that rewrite headers.  RFC 1858, RFC 5722."""

from __future__ import annotations

from tests.conformance.attacks.table import attack
from tests.support.memory import growth_after
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_MAC, PEER_ADDRESS, PEER_MAC
from wsknet.net.reassembly import OBJECT_COST
from wsknet.trace import DropReason
from wsknet.types import Family, Proto
from wsknet.wire import ipv4, ipv6
from wsknet.wire.checksum import internet_checksum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

_FRAGMENT_HEADER = 44


def send_fragment(lab: TcpLab, number: int, offset: int, data: bytes, more: bool, protocol: int = Proto.UDP) -> None:
    """`offset` in units of eight bytes."""
    ours, theirs = OUR_ADDRESS[lab.family], PEER_ADDRESS[lab.family]
    if lab.family is Family.IPV6:
        head = bytes((protocol, 0)) + (offset << 3 | more).to_bytes(2, "big") + number.to_bytes(4, "big")
        packet = bytearray(ipv6.build(theirs, ours, Proto.UDP, len(head) + len(data), 64) + head)
        packet[6] = _FRAGMENT_HEADER
        lab.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV6) + bytes(packet) + data)
        return
    packet = bytearray(ipv4.build(theirs, ours, Proto(protocol), len(data), 64))
    packet[4:8] = (number & 0xFFFF).to_bytes(2, "big") + (more << 13 | offset).to_bytes(2, "big")
    packet[10:12] = b"\0\0"
    packet[10:12] = internet_checksum(bytes(packet)).to_bytes(2, "big")
    lab.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4) + bytes(packet) + data)


def _assert_serves(lab: TcpLab) -> None:
    assert lab.accepted() is not None


@attack(
    "teardrop: a fragment inside another, or over its end",
    "the whole packet is void, whatever still comes of it",
    "nothing is delivered, nothing answered",
    "RFC5722-4",
    "RFC8200-4.5",
)
def _teardrop(family: Family) -> None:
    for first, second in (((0, 64), (1, 24)), ((0, 64), (7, 64)), ((2, 64), (0, 24)), ((0, 64), (0, 72))):
        lab = TcpLab(family)
        drops = lab.stack.trace.drops
        for offset, length in (first, second):
            send_fragment(lab, 7, offset, bytes(length), more=True)
        assert drops[DropReason.FRAGMENT_OVERLAP] == 1
        send_fragment(lab, 7, 20, bytes(8), more=False)
        assert drops[DropReason.UDP_NO_ENDPOINT] == drops[DropReason.UDP_BAD_LENGTH] == 0
        _assert_serves(lab)


@attack(
    "ping of death: a fragment beyond the largest packet",
    "the packet is void",
    "no packet longer than its length field tells",
    "RFC8200-4.5",
)
def _ping_of_death(family: Family) -> None:
    lab = TcpLab(family)
    send_fragment(lab, 7, 0, bytes(1400), more=True)
    send_fragment(lab, 7, 8189, bytes(1000), more=False)
    assert lab.stack.trace.drops[DropReason.FRAGMENT_MALFORMED] == 1
    _assert_serves(lab)


@attack(
    "tiny first fragment, and one that would rewrite the flags of TCP",
    "neither is ever seen by TCP",
    "no answer",
    "RFC1858-3",
    "RFC1858-4",
)
def _tiny_fragment(family: Family) -> None:
    lab = TcpLab(family)
    lab.listening()
    syn = bytes.fromhex("0050c350000000000000000050020000") + bytes(4)
    send_fragment(lab, 7, 0, syn[:8], more=True, protocol=Proto.TCP)
    send_fragment(lab, 7, 1, syn[8:], more=False, protocol=Proto.TCP)
    send_fragment(lab, 8, 0, syn + bytes(4), more=True, protocol=Proto.TCP)
    send_fragment(lab, 8, 1, syn[8:16], more=True, protocol=Proto.TCP)
    send_fragment(lab, 8, 3, bytes(8), more=False, protocol=Proto.TCP)
    lab.peer.expect_nothing()
    assert list(lab.stack.tcp.connections()) == []


@attack(
    "fragments whose packets are never completed",
    "the oldest make room for the newest, and after a minute all are gone",
    "the bytes and packets of ReassemblyConfig, bookkeeping included",
    "RFC8200-4.5",
    "RFC8900-3.7",
)
def _incomplete(family: Family) -> None:
    lab = TcpLab(family)
    limits = lab.stack.config.reassembly

    def send(numbers: range) -> None:
        for number in numbers:
            send_fragment(lab, number, 1, bytes(1400), more=True)

    fill = 2 * limits.max_packets
    assert growth_after(lambda: send(range(fill)), lambda: send(range(fill, fill + 1500))) < 100 * OBJECT_COST
    assert lab.stack.trace.drops[DropReason.FRAGMENTS_FULL] >= 1500
    lab.clock.advance(limits.timeout)
    assert (len(lab.stack.ip.reassembly), lab.stack.ip.reassembly.held_bytes) == (0, 0)
    assert lab.stack.next_deadline() is None
    _assert_serves(lab)
