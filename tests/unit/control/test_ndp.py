"""Neighbour solicitations and advertisements, and the checks of RFC 4861 7.1."""

from __future__ import annotations

import pytest

from tests.support.checksums import with_icmp6_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.neighbours import NeighbourAdvertisement, NeighbourSolicitation
from wsknet.trace import DropReason
from wsknet.types import Family

CODEC = ScapyCodec()
MAC = bytes.fromhex("020000000001")
HERE = bytes.fromhex("fe800000000000000000000000000001")
THERE = bytes.fromhex("fe8000000000000000000000aa123456")
SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff123456")
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
UNSPECIFIED = bytes(16)

SOURCE_OPTION = b"\1\1" + MAC
TARGET_OPTION = b"\2\1" + MAC
MTU_OPTION = bytes([5, 1, 0, 0, 0, 0, 5, 220])


def solicit(
    options: bytes = b"",
    source: bytes = HERE,
    destination: bytes = SOLICITED_NODE,
    target: bytes = THERE,
    code: int = 0,
) -> IcmpMessage | DropReason:
    """Decode a solicitation with these bytes."""
    payload = with_icmp6_checksum(bytes([135, code]) + bytes(6) + target + options, source, destination)
    return CODEC.decode_icmp(Family.IPV6, source, destination, payload)


def advertise(
    options: bytes = b"", flags: int = 0x60, destination: bytes = HERE, target: bytes = THERE, code: int = 0
) -> IcmpMessage | DropReason:
    """Decode an advertisement with these bytes."""
    payload = with_icmp6_checksum(bytes([136, code, 0, 0, flags, 0, 0, 0]) + target + options, THERE, destination)
    return CODEC.decode_icmp(Family.IPV6, THERE, destination, payload)


@pytest.mark.rule("RFC4861-4.3")
@pytest.mark.parametrize(("mac", "option"), [(MAC, SOURCE_OPTION), (None, b"")])
def test_a_solicitation_byte_by_byte(mac: bytes | None, option: bytes) -> None:
    data = CODEC.encode_icmp(Family.IPV6, HERE, SOLICITED_NODE, NeighbourSolicitation(THERE, mac))
    assert data == with_icmp6_checksum(bytes([135]) + bytes(7) + THERE + option, HERE, SOLICITED_NODE)
    assert solicit(option) == NeighbourSolicitation(THERE, mac)


@pytest.mark.rule("RFC4861-4.4")
@pytest.mark.parametrize(("mac", "option"), [(MAC, TARGET_OPTION), (None, b"")])
@pytest.mark.parametrize("flags", range(8))
def test_an_advertisement_byte_by_byte(mac: bytes | None, option: bytes, flags: int) -> None:
    message = NeighbourAdvertisement(THERE, bool(flags & 4), bool(flags & 2), bool(flags & 1), mac)
    data = CODEC.encode_icmp(Family.IPV6, THERE, HERE, message)
    assert data == with_icmp6_checksum(bytes([136, 0, 0, 0, flags << 5, 0, 0, 0]) + THERE + option, THERE, HERE)
    assert advertise(option, flags << 5) == message


def test_other_options_are_skipped_wherever_they_stand() -> None:
    nonce = bytes([14, 2]) + bytes(14)
    assert solicit(nonce + SOURCE_OPTION + MTU_OPTION) == NeighbourSolicitation(THERE, MAC)
    assert solicit(TARGET_OPTION) == NeighbourSolicitation(THERE, None)
    assert advertise(SOURCE_OPTION + TARGET_OPTION) == advertise(TARGET_OPTION)


def test_of_two_addresses_the_first_counts() -> None:
    assert solicit(SOURCE_OPTION + b"\1\1" + bytes(6)) == NeighbourSolicitation(THERE, MAC)


@pytest.mark.rule("RFC4861-7.1.1", "RFC4861-7.1.2")
@pytest.mark.parametrize(
    "options",
    [
        b"\1\0" + MAC,  # no length
        b"\2\0" + MAC,
        MTU_OPTION + b"\x0e\0" + bytes(6),
        b"\1\2" + MAC,  # beyond the end
        MTU_OPTION + b"\1",
        b"\1\1" + MAC[:5],
        b"\1\2" + MAC + bytes(8),  # too long for an Ethernet address
        b"\1\1\xff\xff\xff\xff\xff\xff",
        b"\2\1\x33\x33\0\0\0\1",
    ],
)
def test_options_that_lie_are_refused(options: bytes) -> None:
    assert solicit(options) is DropReason.ND_MALFORMED
    assert advertise(options) is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-7.1.1", "RFC4861-7.1.2")
def test_the_code_is_zero_and_the_target_is_no_group() -> None:
    for message in (solicit(code=1), advertise(code=1), solicit(target=ALL_NODES), advertise(target=ALL_NODES)):
        assert message is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-7.1.1")
def test_who_has_no_address_yet_asks_the_group_and_gives_no_mac() -> None:
    assert solicit(source=UNSPECIFIED) == NeighbourSolicitation(THERE, None)
    assert solicit(SOURCE_OPTION, source=UNSPECIFIED) is DropReason.ND_MALFORMED
    for destination in (THERE, ALL_NODES):
        assert solicit(source=UNSPECIFIED, destination=destination) is DropReason.ND_MALFORMED


@pytest.mark.rule("RFC4861-7.1.2")
def test_an_advertisement_to_everybody_answers_nobody() -> None:
    assert advertise(destination=ALL_NODES, flags=0x60) is DropReason.ND_MALFORMED
    assert advertise(destination=ALL_NODES, flags=0x20) == NeighbourAdvertisement(THERE, is_override=True)


def test_a_message_cut_anywhere_is_dropped() -> None:
    whole = CODEC.encode_icmp(Family.IPV6, THERE, HERE, NeighbourAdvertisement(THERE, target_mac=MAC))
    for end in range(len(whole)):
        assert isinstance(CODEC.decode_icmp(Family.IPV6, THERE, HERE, whole[:end]), DropReason)
        if end >= 8:
            cut = CODEC.decode_icmp(Family.IPV6, THERE, HERE, with_icmp6_checksum(whole[:end], THERE, HERE))
            assert cut == NeighbourAdvertisement(THERE) if end == 24 else cut is DropReason.ND_MALFORMED
