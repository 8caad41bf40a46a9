"""The way through the extension headers: what is skipped, what is refused, and which byte is to blame."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import ipv6, ipv6_extensions
from wsknet.wire.fault import Fault
from wsknet.wire.ipv6_extensions import Place

HERE = bytes.fromhex("20010db8000000000000000000000001")
THERE = bytes.fromhex("fe800000000000000000000000000002")

HOP_BY_HOP, TCP, UDP, ROUTING, FRAGMENT, ESP, NONE, DESTINATION = 0, 6, 17, 43, 44, 50, 59, 60
PAD_N = bytes([1, 4, 0, 0, 0, 0])


def extension(following: int, options: bytes = PAD_N) -> bytes:
    """One extension header around `options`, which with the 2 bytes before it fills whole 8-byte units."""
    assert (len(options) + 2) % 8 == 0
    return bytes([following, (len(options) + 2) // 8 - 1]) + options


def packet(first: int, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return ipv6.build(HERE, THERE, first, len(payload), 64) + payload


def walked(data: bytes) -> Place | Fault:
    """Both steps, as the destination does."""
    place = ipv6_extensions.hop_by_hop(data)
    return place if isinstance(place, Fault) else ipv6_extensions.destination(data, place)


@pytest.mark.rule("RFC8200-4")
def test_the_walk_ends_at_the_upper_protocol() -> None:
    data = packet(
        HOP_BY_HOP,
        extension(DESTINATION, bytes([5, 2, 0, 0, 0, 0])),  # router alert, Pad1, Pad1
        extension(ROUTING, bytes([1, 12]) + bytes(12)),
        extension(TCP, bytes([4, 0, 1, 2, 3, 4])),  # segments left: 0
        b"segment",
    )
    assert walked(data) == Place(TCP, 72, 64)
    assert data[72:] == b"segment"
    assert walked(packet(UDP)) == Place(UDP, 40, 6)


@pytest.mark.rule("RFC8200-4")
def test_nodes_on_the_way_look_at_the_hop_by_hop_header_only() -> None:
    unknown = bytes([0x80, 4, 0, 0, 0, 0])
    data = packet(HOP_BY_HOP, extension(DESTINATION), extension(UDP, unknown))
    assert ipv6_extensions.hop_by_hop(data) == Place(DESTINATION, 48, 40)
    data = packet(DESTINATION, extension(UDP, unknown))
    assert ipv6_extensions.hop_by_hop(data) == Place(DESTINATION, 40, 6)
    assert isinstance(walked(data), Fault)


@pytest.mark.parametrize("protocol", [TCP, UDP, ESP, 58, 255])
def test_what_is_no_extension_header_is_an_upper_protocol(protocol: int) -> None:
    assert walked(packet(DESTINATION, extension(protocol))) == Place(protocol, 48, 40)


@pytest.mark.rule("RFC8200-4.7")
def test_a_packet_of_extension_headers_alone_has_nothing_for_anybody() -> None:
    quietly = Fault(DropReason.IP_UNKNOWN_PROTOCOL)
    assert walked(packet(NONE, b"ignored")) == quietly
    assert walked(packet(DESTINATION, extension(NONE))) == quietly


def test_the_walk_pauses_at_a_fragment_header() -> None:
    data = packet(DESTINATION, extension(FRAGMENT), bytes(8))
    assert walked(data) == Place(FRAGMENT, 48, 40)


@pytest.mark.rule("RFC8200-4.1")
@pytest.mark.parametrize("first", [DESTINATION, HOP_BY_HOP])
def test_hop_by_hop_options_come_first_or_not_at_all(first: int) -> None:
    data = packet(first, extension(HOP_BY_HOP), extension(UDP))
    assert walked(data) == Fault(DropReason.IP_BAD_EXTENSION, 1, 40)


@pytest.mark.rule("RFC8200-4.2")
@pytest.mark.parametrize("header", [HOP_BY_HOP, DESTINATION])
@pytest.mark.parametrize(
    ("action", "fault"),
    [
        (0x00, None),
        (0x40, Fault(DropReason.IP_UNKNOWN_OPTION)),
        (0x80, Fault(DropReason.IP_UNKNOWN_OPTION, 2, 43)),
        (0xC0, Fault(DropReason.IP_UNKNOWN_OPTION, 2, 43, is_told_to_groups=False)),
    ],
)
def test_the_type_of_an_unknown_option_says_what_to_do(header: int, action: int, fault: Fault | None) -> None:
    options = bytes([0, action | 0x1E, 3, 0, 0, 0])
    assert walked(packet(header, extension(UDP, options))) == (fault or Place(UDP, 48, 40))


@pytest.mark.rule("RFC2675-3")
def test_a_jumbo_option_is_an_unknown_one_with_a_name() -> None:
    data = packet(HOP_BY_HOP, extension(UDP, bytes([0xC2, 4, 0, 1, 0, 0])))
    assert walked(data) == Fault(DropReason.IP_JUMBO, 2, 42, is_told_to_groups=False)


@pytest.mark.rule("RFC5095-3", "RFC8200-4.4")
@pytest.mark.parametrize("kind", [0, 4])
def test_a_routing_header_with_segments_left_is_not_for_a_host(kind: int) -> None:
    data = packet(DESTINATION, extension(ROUTING), extension(UDP, bytes([kind, 1, 0, 0, 0, 0])))
    assert walked(data) == Fault(DropReason.IP_BAD_EXTENSION, 0, 50)


@pytest.mark.rule("RFC4443-3.4")
@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (packet(HOP_BY_HOP), 4),
        (packet(HOP_BY_HOP, extension(UDP)[:7]), 4),
        (packet(HOP_BY_HOP, bytes([UDP, 1]) + PAD_N), 41),
        (packet(DESTINATION, extension(DESTINATION), bytes([UDP, 255]) + PAD_N), 49),
        (packet(ROUTING, bytes([UDP, 1, 0, 0]) + bytes(4)), 41),
        (packet(HOP_BY_HOP, extension(UDP, bytes([1, 5, 0, 0, 0, 0]))), 43),
        (packet(HOP_BY_HOP, extension(UDP, bytes([0, 0, 0, 0, 0, 1]))), 47),
    ],
    ids=["no header", "half a header", "too long", "much too long", "routing", "option too long", "option cut off"],
)
def test_lying_lengths_are_pointed_at(data: bytes, pointer: int) -> None:
    assert walked(data) == Fault(DropReason.IP_BAD_EXTENSION, 0, pointer)


@pytest.mark.rule("RFC8504-5.3")
def test_the_chain_is_bounded() -> None:
    most = ipv6_extensions.MAX_EXTENSION_HEADERS
    chain = [extension(DESTINATION)] * (most - 1)
    place = walked(packet(DESTINATION, *chain, extension(UDP)))
    assert isinstance(place, Place)
    assert place.protocol == UDP
    too_many = packet(DESTINATION, *chain, extension(DESTINATION), extension(UDP))
    assert walked(too_many) == Fault(DropReason.IP_BAD_EXTENSION)


def test_the_upper_protocol_is_found_behind_anything() -> None:
    fragment = bytes([DESTINATION, 0, 0, 1, 0, 0, 0, 9])
    data = packet(HOP_BY_HOP, extension(FRAGMENT, bytes([0x80, 4, 0, 0, 0, 0])), fragment, extension(UDP), b"datagram")
    assert ipv6_extensions.find_upper(data) == Place(UDP, 64, 56)
    assert ipv6_extensions.find_upper(data[:60]) == Place(DESTINATION, 56, 48)
    assert ipv6_extensions.find_upper(data, Place(DESTINATION, 56, 48)) == Place(UDP, 64, 56)


@pytest.mark.rule("RFC2711-2.1")
def test_the_router_alert_is_a_hop_by_hop_header_of_8_bytes() -> None:
    assert ipv6_extensions.router_alert(58) == bytes([58, 0, 5, 2, 0, 0, 1, 0])
