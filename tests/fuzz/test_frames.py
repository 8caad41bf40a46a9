"""A frame never raises: whatever the bytes, it is delivered, answered or dropped for a reason that has a name."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP
from scapy.layers.inet6 import (
    ICMPv6ND_NS,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import Ether

from tests.fuzz.seeds import (
    ARP_REQUEST,
    DATAGRAM,
    ECHO4,
    ECHO6,
    FRAMES,
    LISTENING,
    PEER,
    SOLICITATION,
    US,
    US4,
    US6,
    arp,
    corrected,
    ipv4,
    ipv6,
    tcp,
)
from wsknet.config import InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.types import SECOND, Cover, IfIndex, Instant, LocalName

IF1 = IfIndex(2)


tried = settings(max_examples=120)


class Target:
    """A stack with something behind every door: a UDP socket, a TCP listener, a connection being made."""

    def __init__(self) -> None:
        self.stack = Stack(StackConfig(), ScapyCodec(), Random(1))
        self.now = Instant(1000 * SECOND)
        mac = bytes.fromhex(US.replace(":", ""))
        self.stack.apply(changes.InterfaceAdded(IF1, InterfaceConfig("if1", mac)), self.now)
        for address, length in ((US4, 24), (US6, 64)):
            self.stack.apply(changes.AddressAdded(IF1, parse_address(address), length), self.now)
        for cover in (Cover.IPV4, Cover.IPV6):
            self.stack.udp.open(cover).bind(LocalName(cover, None, LISTENING), self.now)
            listener = self.stack.tcp.open(cover)
            listener.bind(LocalName(cover, None, LISTENING), self.now)
            listener.listen(self.now)
        self.meet()

    def meet(self) -> None:
        """Make the peer known."""
        for frame in (ARP_REQUEST, SOLICITATION):
            self.receive(frame)
        self.take()

    def receive(self, frame: Any) -> None:
        self.stack.receive(IF1, bytes(frame), self.now)

    def take(self) -> list[Any]:
        while self.stack.next_event() is not None:
            pass
        return [Ether(b"".join(buffers)) for _, buffers, _ in self.stack.take_frames()]

    def dropped(self) -> list[DropReason]:
        reasons = list(self.stack.trace.drops.elements())
        self.stack.trace.drops.clear()
        return reasons

    def pass_time(self, seconds: int) -> None:
        end = Instant(self.now + seconds * SECOND)
        while (deadline := self.stack.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.stack.poll(self.now)
            self.take()
        self.now = end

    def is_well(self) -> bool:
        """Whether it still answers an echo request in both families."""
        self.meet()
        self.receive(ECHO4)
        self.receive(ECHO6)
        return [frame.type for frame in self.take()] == [0x0800, 0x86DD]


every_frame = pytest.mark.parametrize("name", FRAMES)


@every_frame
def test_cut_at_every_byte(name: str) -> None:
    frame = bytes(FRAMES[name])
    target = Target()
    kind = DropReason.ARP_MALFORMED if name.startswith("ARP") else DropReason.IP_TRUNCATED
    for length in range(len(frame)):
        target.receive(frame[:length])
        assert target.dropped() == [DropReason.FRAME_TRUNCATED if length < 14 else kind]
        assert target.take() == []
    assert target.is_well()


@every_frame
def test_cut_at_every_byte_with_honest_lengths(name: str) -> None:
    """The IP header tells the shorter length, so the cut is found by whoever reads on."""
    frame = bytes(FRAMES[name])
    if name.startswith("ARP"):
        return
    target = Target()
    is_ipv4 = frame[12:14] == b"\x08\x00"
    least = 14 + ((frame[14] & 0x0F) * 4 if is_ipv4 else 40)
    for length in range(least, len(frame)):
        cut = bytearray(frame[:length])
        if is_ipv4:
            cut[16:18] = (length - 14).to_bytes(2, "big")
        else:
            cut[18:20] = (length - 54).to_bytes(2, "big")
        target.receive(corrected(bytes(cut)))
        is_good = "fragment" in name and length == least + (8 if is_ipv4 else 16)  # 8 bytes of data
        assert len(target.dropped()) == 1 - is_good
    assert target.is_well()


@every_frame
def test_every_byte_wrong_in_turn(name: str) -> None:
    frame = bytes(FRAMES[name])
    target = Target()
    for position in range(len(frame)):
        for value in (0x00, 0x01, 0x7F, 0x80, 0xFF):
            wrong = frame[:position] + bytes((frame[position] ^ value,)) + frame[position + 1 :]
            target.receive(wrong)
            target.receive(corrected(wrong))
            target.take()
    target.pass_time(300)
    assert target.is_well()


def patched(frame: Any, offset: int, data: str, fix: bool = True) -> bytes:
    """`frame` with bytes from `offset` of its IP packet replaced."""
    raw, new = bytearray(bytes(frame)), bytes.fromhex(data)
    raw[14 + offset : 14 + offset + len(new)] = new
    return corrected(bytes(raw)) if fix else bytes(raw)


UDP4, UDP6, TCP4 = FRAMES["IPv4 UDP"], FRAMES["IPv6 UDP"], FRAMES["IPv4 TCP"]


LIES: list[tuple[Any, DropReason]] = [
    (patched(UDP4, 0, "65"), DropReason.IP_BAD_VERSION),
    (patched(UDP6, 0, "40"), DropReason.IP_BAD_VERSION),
    (patched(UDP4, 0, "44"), DropReason.IP_BAD_HEADER_LENGTH),
    (patched(UDP4, 0, "4f"), DropReason.IP_TRUNCATED),
    (patched(UDP4, 2, "ffff"), DropReason.IP_TRUNCATED),
    (patched(UDP4, 2, "0013"), DropReason.IP_TRUNCATED),
    (patched(UDP6, 4, "ffff"), DropReason.IP_TRUNCATED),
    (patched(UDP4, 10, "0000", fix=False), DropReason.IP_BAD_CHECKSUM),
    (patched(FRAMES["IPv4 options"], 21, "01"), DropReason.IP_BAD_OPTIONS),
    (patched(FRAMES["IPv4 options"], 21, "ff"), DropReason.IP_BAD_OPTIONS),
    (patched(FRAMES["IPv4 options"], 20, "8307040a010001"), DropReason.IP_BAD_OPTIONS),
    (patched(FRAMES["IPv6 extensions"], 41, "ff"), DropReason.IP_BAD_EXTENSION),
    (patched(FRAMES["IPv6 extensions"], 42, "01ff"), DropReason.IP_BAD_EXTENSION),
    (ipv6() / IPv6ExtHdrDestOpt() / IPv6ExtHdrHopByHop() / DATAGRAM, DropReason.IP_BAD_EXTENSION),
    (ipv6() / IPv6ExtHdrRouting(addresses=[US6]) / DATAGRAM, DropReason.IP_BAD_EXTENSION),
    (FRAMES["IPv4 fragment"], DropReason.FRAGMENT_MALFORMED),
    (FRAMES["IPv6 fragment"], DropReason.FRAGMENT_MALFORMED),
    (ipv4(src="127.0.0.1") / DATAGRAM, DropReason.IP_MARTIAN_SOURCE),
    (ipv4(dst="127.0.0.1") / DATAGRAM, DropReason.IP_MARTIAN_DESTINATION),
    (ipv4(dst="10.1.0.3") / DATAGRAM, DropReason.IP_NOT_LOCAL),
    (ipv4(proto=200) / b"12345678", DropReason.IP_UNKNOWN_PROTOCOL),
    (patched(ECHO4, 22, "0000"), DropReason.ICMP_BAD_CHECKSUM),
    (patched(ECHO6, 42, "0000"), DropReason.ICMP_BAD_CHECKSUM),
    (ipv4(proto=1) / b"\x08\x00\xf7\xff", DropReason.ICMP_TRUNCATED),
    (ipv4() / ICMP(type=99), DropReason.ICMP_UNKNOWN_TYPE),
    (ipv4() / ICMP(type=3, code=3) / bytes(40), DropReason.ICMP_BAD_QUOTE),
    (ipv6(hlim=255) / ICMPv6ND_NS(tgt="ff02::1"), DropReason.ND_MALFORMED),
    (ipv6(hlim=255) / ICMPv6ND_NS(tgt=US6) / b"\x01\x00\0\0\0\0\0\0", DropReason.ND_MALFORMED),
    (ipv6(hlim=255) / ICMPv6ND_NS(tgt=US6) / b"\x01\x09\0\0\0\0\0\0", DropReason.ND_MALFORMED),
    (ipv6(hlim=64) / ICMPv6ND_NS(tgt=US6), DropReason.ND_BAD_HOP_LIMIT),
    (arp(hwtype=6), DropReason.ARP_MALFORMED),
    (arp(op=9), DropReason.ARP_MALFORMED),
    (arp(hwsrc="01:00:00:00:00:01"), DropReason.ARP_MALFORMED),
    (arp(hwsrc="00:00:00:00:00:00"), DropReason.ARP_MALFORMED),
    (ipv4(proto=17) / bytes(7), DropReason.UDP_TRUNCATED),
    (patched(UDP4, 24, "0007"), DropReason.UDP_BAD_LENGTH),
    (patched(UDP4, 24, "ffff"), DropReason.UDP_BAD_LENGTH),
    (patched(UDP4, 26, "0001"), DropReason.UDP_BAD_CHECKSUM),
    (patched(UDP6, 46, "0000"), DropReason.UDP_BAD_CHECKSUM),
    (ipv4(proto=6) / bytes(19), DropReason.TCP_TRUNCATED),
    (ipv4() / tcp(dataofs=4), DropReason.TCP_BAD_OFFSET),
    (ipv4() / tcp(dataofs=15), DropReason.TCP_BAD_OFFSET),
    (patched(TCP4, 36, "0000"), DropReason.TCP_BAD_CHECKSUM),
    (ipv4() / tcp(dataofs=6) / b"\x02\x00\x05\xb4", DropReason.TCP_BAD_OPTIONS),
    (ipv4() / tcp(dataofs=6) / b"\x03\x09\x05\xb4", DropReason.TCP_BAD_OPTIONS),
]


@pytest.mark.parametrize(
    ("frame", "reason"), LIES, ids=[f"{reason.name} {number}" for number, (_, reason) in enumerate(LIES)]
)
def test_each_lie_has_its_name(frame: Any, reason: DropReason) -> None:
    target = Target()
    heard: list[tuple[DropReason, bytes]] = []
    target.stack.trace.on_drop = lambda why, what: heard.append((why, what))

    target.receive(frame)

    assert [why for why, _ in heard] == [reason]
    assert target.is_well()


@tried
@given(st.lists(st.binary(max_size=120), max_size=10))
def test_random_bytes(frames: list[bytes]) -> None:
    target = Target()
    for frame in frames:
        target.receive(frame)
    target.pass_time(10)
    assert target.is_well()


headers = st.sampled_from(
    [
        bytes(Ether(dst=US, src=PEER, type=0x0806)),
        bytes(Ether(dst="ff:ff:ff:ff:ff:ff", src=PEER, type=0x0806)) + bytes.fromhex("0001080006040001"),
        bytes(Ether(dst=US, src=PEER, type=0x0800)),
        bytes(Ether(dst=US, src=PEER, type=0x86DD)),
        *(bytes(ipv4(proto=protocol, len=60)) for protocol in (1, 2, 6, 17)),
        *(bytes(ipv6(nh=protocol, plen=40, hlim=255)) for protocol in (0, 6, 17, 43, 44, 58, 59, 60)),
    ]
)


@tried
@given(st.lists(st.tuples(headers, st.binary(min_size=40, max_size=60)), max_size=10))
def test_random_bytes_behind_good_headers(frames: list[tuple[bytes, bytes]]) -> None:
    target = Target()
    for header, rest in frames:
        target.receive(header + rest)
    target.pass_time(10)
    assert target.is_well()


@tried
@given(
    st.sampled_from(sorted(FRAMES)),
    st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
    st.integers(0, 200),
)
def test_good_frames_gone_bad(name: str, wounds: list[tuple[int, bytes]], length: int) -> None:
    target = Target()
    frame = bytearray(bytes(FRAMES[name]))
    for position, data in wounds:
        at = position % len(frame)
        frame[at : at + len(data)] = data
    for wrong in (bytes(frame), bytes(frame[:length])):
        target.receive(wrong)
        target.receive(corrected(wrong))
    target.pass_time(10)
    assert target.is_well()
