"""ARP messages to bytes and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation
from wsknet.trace import DropReason

CODEC = ScapyCodec()
REQUEST = ArpMessage(
    operation=ArpOperation.REQUEST,
    sender_mac=bytes.fromhex("020000000001"),
    sender_address=bytes([192, 0, 2, 1]),
    target_mac=bytes(6),
    target_address=bytes([192, 0, 2, 2]),
)
REQUEST_BYTES = bytes.fromhex("0001 0800 0604 0001 020000000001 c0000201 000000000000 c0000202")


def test_a_request_byte_by_byte() -> None:
    assert CODEC.encode_arp(REQUEST) == REQUEST_BYTES
    assert CODEC.decode_arp(REQUEST_BYTES) == REQUEST


def test_a_reply() -> None:
    reply = replace(REQUEST, operation=ArpOperation.REPLY, target_mac=bytes.fromhex("0200000000fe"))
    data = CODEC.encode_arp(reply)
    assert data[7] == 2
    assert CODEC.decode_arp(data) == reply


@pytest.mark.rule("RFC5227-2.1.1")
def test_a_probe_has_no_sender_address() -> None:
    probe = replace(REQUEST, sender_address=bytes(4))
    assert CODEC.decode_arp(CODEC.encode_arp(probe)) == probe


def test_padding_of_the_frame_is_ignored() -> None:
    assert CODEC.decode_arp(REQUEST_BYTES + bytes(18)) == REQUEST


def test_a_message_cut_anywhere_is_malformed() -> None:
    for end in range(len(REQUEST_BYTES)):
        assert CODEC.decode_arp(REQUEST_BYTES[:end]) is DropReason.ARP_MALFORMED


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 1), (1, 6), (2, 0x86), (3, 1), (4, 5), (4, 0), (4, 255), (5, 16), (5, 0), (6, 1), (7, 0), (7, 3), (7, 8)],
)
def test_what_is_not_a_question_or_answer_of_ipv4_over_ethernet_is_malformed(at: int, value: int) -> None:
    message = bytearray(REQUEST_BYTES)
    message[at] = value
    assert CODEC.decode_arp(bytes(message) + bytes(200)) is DropReason.ARP_MALFORMED


@pytest.mark.rule("RFC1812-3.3.2")
@pytest.mark.parametrize("mac", [b"\xff" * 6, bytes.fromhex("01005e000001")])
def test_nobody_owns_a_group_address(mac: bytes) -> None:
    assert CODEC.decode_arp(CODEC.encode_arp(replace(REQUEST, sender_mac=mac))) is DropReason.ARP_MALFORMED
