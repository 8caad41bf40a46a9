"""Every reader of the wire against what is damaged, cut or nothing at all: it says so, and never raises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.extensions import walk_ipv6
from tests.support.checksums import with_icmp6_checksum, with_icmp_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.icmp import EchoMessage, IcmpError
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation, NeighbourAdvertisement, NeighbourSolicitation
from wsknet.trace import DropReason
from wsknet.types import Family
from wsknet.wire import fragment, ipv4, ipv4_options, ipv6, ipv6_extensions, tcp, tcp_options, udp
from wsknet.wire.checksum import internet_checksum
from wsknet.wire.fault import Fault
from wsknet.wire.ipv6_extensions import Place
from wsknet.wire.tcp_options import Options

tried = settings(max_examples=150)

CODEC = ScapyCodec()


HERE4, THERE4 = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
HERE6, THERE6 = bytes.fromhex("fe80") + bytes(13) + b"\1", bytes.fromhex("fe80") + bytes(13) + b"\2"


def decode_icmp4(payload: bytes) -> IcmpMessage | DropReason:
    return CODEC.decode_icmp(Family.IPV4, HERE4, THERE4, payload)


def decode_icmp6(payload: bytes) -> IcmpMessage | DropReason:
    return CODEC.decode_icmp(Family.IPV6, HERE6, THERE6, payload)


def summed6(payload: bytes) -> bytes:
    """So that more than the checksum is tried."""
    return with_icmp6_checksum(payload, HERE6, THERE6)


def summed_header(packet: bytes) -> bytes:
    """An IPv4 packet whose header checksum is right, if the header is there."""
    length = max(20, (packet[0] & 15) * 4) if packet else 20
    if len(packet) < length:
        return packet
    header = packet[:10] + b"\0\0" + packet[12:length]
    return packet[:10] + internet_checksum(header).to_bytes(2, "big") + packet[12:]


def unchanged(data: bytes) -> bytes:
    return data


STAMPED = tcp_options.build(Options(mss=1460, window_scale=8, timestamps=(1, 2)))
SACKED = tcp_options.build(Options(sack_blocks=((1, 2), (3, 4))))
QUOTE = ipv6.build(THERE6, HERE6, 17, 8, 64) + udp.build(1, 2, 0, 3)


def read_extensions(packet: bytes) -> object:
    """All that stands before the upper protocol; a fragment's header is what is found, where there is one."""
    header = ipv6.parse(packet)
    if isinstance(header, DropReason):
        return header
    raw = packet[: header.total_length]
    place = walk_ipv6(raw)
    if isinstance(place, Place) and place.protocol == ipv6_extensions.FRAGMENT:
        found = fragment.of_ipv6(raw, place)
        return found.reason if isinstance(found, Fault) else found
    return place.reason if isinstance(place, Fault) else place


def read_options(packet: bytes) -> object:
    header = ipv4.parse(packet)
    if isinstance(header, DropReason):
        return header
    options = ipv4_options.kinds_in(header.options)
    return options.reason if isinstance(options, Fault) else options


Decoder = Callable[[bytes], object]
SUBJECTS: dict[str, tuple[Decoder, Callable[[bytes], bytes], bytes, type]] = {
    "ipv4": (ipv4.parse, unchanged, ipv4.build(HERE4, THERE4, 17, 8, 64) + bytes(8), ipv4.Ipv4Header),
    "ipv4-options": (
        read_options,
        summed_header,
        b"\x47" + ipv4.build(HERE4, THERE4, 17, 16, 64)[1:] + bytes([7, 7, 4, 0, 0, 0, 0, 0]) + bytes(8),
        list,
    ),
    "ipv6": (ipv6.parse, unchanged, ipv6.build(HERE6, THERE6, 17, 8, 64) + bytes(8), ipv6.Ipv6Header),
    "ipv6-extensions": (
        read_extensions,
        unchanged,
        ipv6.build(HERE6, THERE6, 0, 32, 64)
        + bytes([60, 0, 5, 2, 0, 0, 1, 0, 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 4, 0, 0, 0, 0, 0])
        + bytes(8),
        Place,
    ),
    "ipv6-fragment": (
        read_extensions,
        unchanged,
        ipv6.build(HERE6, THERE6, 60, 32, 64) + bytes([44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 1, 2, 3, 4]) + bytes(16),
        fragment.Fragment,
    ),
    "udp": (udp.parse, unchanged, udp.build(1, 2, 5, 3) + b"hello", tuple),
    "tcp": (tcp.parse, unchanged, tcp.build(1, 2, 3, 4, 16, 5, STAMPED) + b"data", tcp.Segment),
    "tcp-sack": (tcp.parse, unchanged, tcp.build(1, 2, 3, 4, 16, 5, SACKED) + b"data", tcp.Segment),
    "arp": (
        CODEC.decode_arp,
        unchanged,
        CODEC.encode_arp(ArpMessage(ArpOperation.REQUEST, b"\2\0\0\0\0\1", HERE4, bytes(6), THERE4)),
        ArpMessage,
    ),
    "icmp4-echo": (decode_icmp4, with_icmp_checksum, b"\x08\0\0\0\1\2\3\4data", EchoMessage),
    "icmp4-error": (decode_icmp4, with_icmp_checksum, bytes([3, 3]) + bytes(6) + bytes(28), IcmpError),
    "icmp6-echo": (decode_icmp6, summed6, bytes([128, 0, 0, 0, 1, 2, 3, 4]) + b"data", EchoMessage),
    "icmp6-error": (decode_icmp6, summed6, bytes([1, 4]) + bytes(6) + QUOTE, IcmpError),
    "solicitation": (
        decode_icmp6,
        summed6,
        bytes([135]) + bytes(7) + THERE6 + b"\1\1\2\0\0\0\0\1" + b"\x0e\1" + bytes(6),
        NeighbourSolicitation,
    ),
    "advertisement": (
        decode_icmp6,
        summed6,
        bytes([136, 0, 0, 0, 0x60, 0, 0, 0]) + THERE6 + b"\2\1\2\0\0\0\0\1",
        NeighbourAdvertisement,
    ),
}
MEANINGS = (DropReason, *(meaning for *_, meaning in SUBJECTS.values()))


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_is_damaged_below_is_whole_before(name: str) -> None:
    decode, repair, whole, meaning = SUBJECTS[name]
    assert isinstance(decode(repair(whole)), meaning)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_message_cut_anywhere_never_raises(name: str) -> None:
    decode, repair, whole, _ = SUBJECTS[name]
    whole = repair(whole)
    for end in range(len(whole)):
        assert isinstance(decode(whole[:end]), MEANINGS)
        assert isinstance(decode(repair(whole[:end])), MEANINGS)
    for end in range(8):
        assert isinstance(decode(whole[:end]), DropReason)


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("value", [0, 1, 2, 0x3F, 0x7F, 0x80, 0xFE, 0xFF])
def test_any_byte_may_be_anything(name: str, value: int) -> None:
    decode, repair, whole, _ = SUBJECTS[name]
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([value]) + whole[at + 1 :]
        assert isinstance(decode(damaged), MEANINGS)
        assert isinstance(decode(repair(damaged)), MEANINGS)


@pytest.mark.parametrize("name", SUBJECTS)
@tried
@given(data=st.data())
def test_random_bytes_never_raise(name: str, data: st.DataObject) -> None:
    decode, repair, whole, _ = SUBJECTS[name]
    keep = data.draw(st.integers(0, len(whole)))
    rubbish = whole[:keep] + data.draw(st.binary(max_size=120))
    assert isinstance(decode(rubbish), MEANINGS)
    assert isinstance(decode(repair(rubbish)), MEANINGS)


@tried
@given(st.sampled_from([0x45, 0x46, 0x4F]), st.binary(max_size=120))
def test_an_accepted_ipv4_header_stays_within_its_packet(first: int, rest: bytes) -> None:
    packet = summed_header(bytes([first]) + rest)
    header = ipv4.parse(packet)
    if isinstance(header, ipv4.Ipv4Header):
        assert 20 <= header.header_length <= header.total_length <= len(packet)


@tried
@given(st.binary(max_size=60), st.integers(0, 60))
def test_an_accepted_ipv6_header_stays_within_its_packet(rest: bytes, claimed: int) -> None:
    packet = ipv6.build(HERE6, THERE6, 0, claimed, 64) + rest
    header = ipv6.parse(packet)
    if isinstance(header, ipv6.Ipv6Header):
        assert header.header_length == 40 <= header.total_length <= len(packet)
        place = walk_ipv6(packet[: header.total_length])
        if isinstance(place, Place):
            assert 40 <= place.offset <= header.total_length
