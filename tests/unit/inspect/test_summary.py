"""Frames in one line; scenarios match these, so their form must not change unnoticed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from wsknet.inspect.summary import frame_text
from wsknet.scenario.frames import build_frame, parse_frame
from wsknet.scenario.patterns import can_fit

FOUR = {"src": "10.1.0.2", "dst": "10.1.0.50"}
SIX = {"src": "fd00:1::2", "dst": "fd00:1::50"}
HERE, THERE = "02:00:00:00:00:01", "02:00:00:00:00:02"

FORMS: list[tuple[Any, str]] = [
    (IP(**FOUR) / UDP(sport=7, dport=8), "udp 10.1.0.2:7 > 10.1.0.50:8"),
    (IPv6(**SIX) / UDP(sport=7, dport=8), "udp [fd00:1::2]:7 > [fd00:1::50]:8"),
    (IP(**FOUR) / TCP(sport=7, dport=8, flags="SA"), "tcp SYN,ACK 10.1.0.2:7 > 10.1.0.50:8"),
    (IPv6(**SIX) / TCP(sport=7, dport=8, flags="PA"), "tcp PSH,ACK [fd00:1::2]:7 > [fd00:1::50]:8"),
    (IP(**FOUR) / TCP(sport=7, dport=8, flags=0), "tcp none 10.1.0.2:7 > 10.1.0.50:8"),
    (IP(**FOUR) / TCP(sport=7, dport=8, flags="SEC"), "tcp SYN,ECE,CWR 10.1.0.2:7 > 10.1.0.50:8"),
    (IP(**FOUR) / ICMP(type=3, code=3), "icmp port-unreachable 10.1.0.2 > 10.1.0.50"),
    (IP(**FOUR) / ICMP(type=3, code=9), "icmp type 3 10.1.0.2 > 10.1.0.50"),
    (IP(**FOUR) / ICMP(type=8), "icmp echo-request 10.1.0.2 > 10.1.0.50"),
    (IP(**FOUR, frag=5, proto=17) / Raw(b"x" * 8), "fragment 10.1.0.2 > 10.1.0.50"),
    (IP(**FOUR, proto=143) / Raw(b"x" * 8), "protocol 143 10.1.0.2 > 10.1.0.50"),
    (IPv6(**SIX) / ICMPv6ND_NS(tgt="fd00:1::50"), "nd who-has fd00:1::50 tell fd00:1::2"),
    (IPv6(**SIX) / ICMPv6ND_NA(tgt="fd00:1::2"), "nd fd00:1::2 is-at fd00:1::2"),
    (IPv6(**SIX) / ICMPv6DestUnreach(code=4), "icmp port-unreachable fd00:1::2 > fd00:1::50"),
    (IPv6(**SIX) / ICMPv6PacketTooBig(), "icmp packet-too-big fd00:1::2 > fd00:1::50"),
    (IPv6(**SIX) / ICMPv6EchoRequest(), "icmp echo-request fd00:1::2 > fd00:1::50"),
    (IPv6(**SIX) / IPv6ExtHdrHopByHop() / ICMPv6MLReport2(), "icmp mld-report fd00:1::2 > fd00:1::50"),
    (IPv6(**SIX) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP(sport=7, dport=8),
     "udp [fd00:1::2]:7 > [fd00:1::50]:8"),
    (IPv6(**SIX, nh=143) / Raw(b"x" * 8), "protocol 143 fd00:1::2 > fd00:1::50"),
    (ARP(op=1, psrc="10.1.0.2", pdst="10.1.0.50"), "arp who-has 10.1.0.50 tell 10.1.0.2"),
    (ARP(op=2, psrc="10.1.0.2", hwsrc=HERE), f"arp 10.1.0.2 is-at {HERE}"),
]  # fmt: skip


@pytest.mark.parametrize(("packet", "told"), FORMS, ids=[told for _, told in FORMS])
def test_a_frame_in_one_line(packet: Any, told: str) -> None:
    assert frame_text(bytes(Ether(src=HERE, dst=THERE) / packet)) == told


@pytest.mark.parametrize(("packet", "told"), FORMS, ids=[told for _, told in FORMS])
def test_what_a_frame_is_called_may_be_expected(packet: Any, told: str) -> None:
    cards = ["server.if1"]
    assert can_fit(f"server.if1: {told}", cards)
    assert can_fit(f"*: {told}", cards)
    assert can_fit(f"* {told.rsplit(maxsplit=1)[-1]}", cards)


def test_a_broadcast_says_so() -> None:
    packet = Ether(src=HERE, dst="ff:ff:ff:ff:ff:ff") / IP(**FOUR) / UDP(sport=7, dport=8)
    assert frame_text(bytes(packet)) == "udp 10.1.0.2:7 > 10.1.0.50:8 (broadcast)"
    assert frame_text(bytes(Ether(src=HERE, dst=THERE, type=0x88CC) / b"x")) == "ethertype 0x88cc"


def test_headers_before_the_transport_are_skipped() -> None:
    routed = IPv6(**SIX) / IPv6ExtHdrRouting() / UDP(sport=7, dport=8)
    assert frame_text(bytes(Ether(src=HERE, dst=THERE) / routed)) == "udp [fd00:1::2]:7 > [fd00:1::50]:8"
    fragment = IPv6(**SIX) / IPv6ExtHdrFragment() / b"x"
    assert frame_text(bytes(Ether(src=HERE, dst=THERE) / fragment)) == "fragment fd00:1::2 > fd00:1::50"


@given(
    frame=st.one_of(
        st.binary(min_size=14, max_size=80),
        st.builds(
            lambda kind, rest: bytes(12) + kind + rest,
            st.sampled_from([b"\x08\x00", b"\x86\xdd", b"\x08\x06"]),
            st.binary(max_size=80),
        ),
        st.builds(
            lambda number, rest: bytes(12) + b"\x86\xdd\x60\0\0\0\0\x20" + bytes((number, 64)) + bytes(32) + rest,
            st.sampled_from([0, 6, 17, 43, 44, 58, 60]),
            st.binary(max_size=60),
        ),
    )
)  # fmt: skip
def test_any_frame_has_a_line(frame: bytes) -> None:
    told = frame_text(frame)
    assert told
    assert told.isprintable()


# Patterns that no frame fits


@pytest.mark.parametrize(
    "pattern",
    [
        "server.if1: *", "*", "*: arp *", "server.*: tcp *", "* 0.0.0.0:*", "* [::]:*", "* tcp SYN *",
        "server.if1: udp 10.1.*:5000 > *", "server.if1: icmp *unreach*", "*nd who-has fd00:*",
        "server.if1: tcp *RST* 10.1.0.2:7 > *",
    ],
)  # fmt: skip
def test_a_pattern_that_may_fit(pattern: str) -> None:
    assert can_fit(pattern, ["server.if1", "client.eth0"])


@pytest.mark.parametrize(
    "pattern",
    [
        "", "x", "server.if9: *", "server.if1: upd *", "server.if1 udp *", "server.if1: udp", "*: nd who-has [2f]*",
        "server.if1: tcp 10.1.0.2:7 > *", "server.if1: tcp SYNACK *", "server.if1: icmp port_unreachable *", "if1: *",
        "server.if1: udp 10.1.0.2:7 -> 10.1.0.50:8", "server.if1: udp 10.1.0.2:7",
    ],
)  # fmt: skip
def test_a_pattern_that_no_frame_fits(pattern: str) -> None:
    assert not can_fit(pattern, ["server.if1", "client.eth0"])


# Frames by hand


@pytest.mark.parametrize("words", [
    "udp 10.1.0.50:1 > 10.1.0.2:7000",
    "udp [fd00::1]:1 > [fd00::2]:0",
    "tcp SYN 10.1.0.50:1 > 10.1.0.2:7000",
    "tcp RST,ACK [fd00::1]:1 > [fd00::2]:7000",
])  # fmt: skip
def test_a_frame_by_hand_is_what_it_says(words: str) -> None:
    frame = build_frame(words, bytes((2, 0, 0, 0, 0, 1)), bytes((2, 0, 0, 0, 0, 2)))
    assert frame_text(frame) == words
    assert frame == build_frame(words, bytes((2, 0, 0, 0, 0, 1)), bytes((2, 0, 0, 0, 0, 2)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "is no frame"),
        ("icmp 10.1.0.50:1 > 10.1.0.2:7", "is no frame"),
        ("udp SYN 10.1.0.50:1 > 10.1.0.2:7", "is no frame"),
        ("udp 10.1.0.50:1 > [::1]:7", "one family"),
        ("tcp SIN 10.1.0.50:1 > 10.1.0.2:7", "no flag 'SIN': choose from SYN"),
        ("tcp SYN,, 10.1.0.50:1 > 10.1.0.2:7", "no flag ''"),
        ("udp 10.1.0.50 > 10.1.0.2:7", "is no address with port"),
    ],
)
def test_what_is_no_frame(words: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_frame(words)
