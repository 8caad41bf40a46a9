"""Multicast listener discovery, both versions: byte by byte, both ways against Scapy, and rubbish."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6MLDMultAddrRec,
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
)

from tests.support.checksums import with_icmp6_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.groups import GroupLeave, GroupQuery, GroupRecord, GroupReport, OldGroupReport, RecordKind
from wsknet.text import format_address, parse_address
from wsknet.trace import DropReason
from wsknet.types import Family

CODEC = ScapyCodec()
A = parse_address
HERE, THERE = A("fe80::1"), A("ff02::16")
GROUP, ANY = A("ff15::1234"), bytes(16)
GROUP_TEXT = "ff15 0000 0000 0000 0000 0000 0000 1234"
ANY_TEXT = "00" * 16
SOURCE_TEXT = "2001 0db8 0000 0000 0000 0000 0000 0001"
tried = settings(max_examples=150)

ADDRESS = st.binary(min_size=16, max_size=16)
MULTICAST = ADDRESS.map(lambda address: b"\xff" + address[1:])
SOURCES = st.lists(ADDRESS, max_size=4).map(tuple)
RECORD = st.builds(GroupRecord, st.sampled_from(RecordKind), MULTICAST, SOURCES)


def summed(message: bytes) -> bytes:
    return with_icmp6_checksum(message, HERE, THERE)


def decode(payload: bytes) -> IcmpMessage | DropReason:
    return CODEC.decode_icmp(Family.IPV6, HERE, THERE, payload)


def encode(message: IcmpMessage) -> bytes:
    return CODEC.encode_icmp(Family.IPV6, HERE, THERE, message)


@pytest.mark.rule("RFC3810-8.1", "RFC3810-5", "RFC2710-3")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (f"82 00 0000 2710 0000 {ANY_TEXT}", GroupQuery(2, ANY, 10_000)),
        (f"82 00 0000 ffff 0000 {GROUP_TEXT}", GroupQuery(2, GROUP, 65_535)),
        (f"82 00 0000 2710 0000 {ANY_TEXT} 02 7d 0000", GroupQuery(3, ANY, 10_000, robustness=2, interval=125)),
        (
            f"82 00 0000 9000 0000 {GROUP_TEXT} 08 80 0001 {SOURCE_TEXT}",
            GroupQuery(3, GROUP, 65_536, (A("2001:db8::1"),), suppresses=True, interval=128),
        ),
        (f"83 00 0000 0000 0000 {GROUP_TEXT}", OldGroupReport(2, GROUP)),
        (f"84 00 0000 0000 0000 {GROUP_TEXT}", GroupLeave(GROUP)),
        (
            f"8f 00 0000 0000 0002 04 00 0000 {GROUP_TEXT} 06 00 0001 {GROUP_TEXT} {SOURCE_TEXT}",
            GroupReport(
                (
                    GroupRecord(RecordKind.TO_EXCLUDE, GROUP),
                    GroupRecord(RecordKind.BLOCK_OLD, GROUP, (A("2001:db8::1"),)),
                )
            ),
        ),
    ],
)
def test_every_message_byte_by_byte(data: str, message: IcmpMessage) -> None:
    raw = summed(bytes.fromhex(data))
    assert decode(raw) == message
    assert encode(message) == raw


@pytest.mark.rule("RFC3810-5.2.6")
def test_auxiliary_data_counts_words() -> None:
    record = f"02 02 0000 {GROUP_TEXT} 1122334455667788"
    raw = summed(bytes.fromhex(f"8f 00 0000 0000 0002 {record} 01 00 0000 {GROUP_TEXT}"))
    kinds = (RecordKind.IS_EXCLUDE, RecordKind.IS_INCLUDE)
    assert decode(raw) == GroupReport(tuple(GroupRecord(kind, GROUP) for kind in kinds))


@pytest.mark.rule("RFC3810-8.1", "RFC3810-5.1.10")
@pytest.mark.parametrize(
    "data",
    [
        f"82 00 0000 2710 0000 {ANY_TEXT} 02",
        f"82 00 0000 2710 0000 {ANY_TEXT} 02 7d 00",
        "82 00 0000 2710 0000",
        f"82 00 0000 2710 0000 {GROUP_TEXT} 02 7d 0002 {SOURCE_TEXT}",
        f"82 00 0000 2710 0000 {ANY_TEXT} 02 7d 0001 {SOURCE_TEXT}",
        f"82 00 0000 2710 0000 {SOURCE_TEXT}",
        f"83 00 0000 0000 0000 {SOURCE_TEXT}",
        f"84 00 0000 0000 0000 {ANY_TEXT}",
        f"8f 00 0000 0000 0001 02 00 0001 {GROUP_TEXT}",
        f"8f 00 0000 0000 ffff 02 00 0000 {GROUP_TEXT}",
        f"8f 00 0000 0000 0001 02 00 0000 {SOURCE_TEXT}",
    ],
)
def test_lengths_counts_and_groups_that_lie_are_malformed(data: str) -> None:
    assert decode(summed(bytes.fromhex(data))) is DropReason.GROUP_MALFORMED


# against Scapy


def by_scapy(message: Any) -> bytes:
    """Checksum and all."""
    packet = IPv6(src="fe80::1", dst="ff02::16", nh=58, hlim=1) / message
    return bytes(packet)[40:]


def texts(addresses: tuple[bytes, ...]) -> list[str]:
    return [format_address(address) for address in addresses]


@tried
@given(MULTICAST, st.integers(0, 0xFFFF))
def test_messages_of_version_1_are_what_scapy_reads_and_writes(group: bytes, response: int) -> None:
    text = format_address(group)
    for message, layer in (
        (GroupQuery(2, group, response), ICMPv6MLQuery(mrd=response, mladdr=text)),
        (OldGroupReport(2, group), ICMPv6MLReport(mrd=0, mladdr=text)),
        (GroupLeave(group), ICMPv6MLDone(mrd=0, mladdr=text)),
    ):
        assert encode(message) == by_scapy(layer)
        assert decode(by_scapy(layer)) == message


@tried
@given(MULTICAST, st.integers(0, 0x7FFF), SOURCES, st.booleans(), st.integers(0, 7), st.integers(0, 127))
def test_queries_of_version_2_are_what_scapy_reads_and_writes(
    group: bytes, response: int, sources: tuple[bytes, ...], suppresses: bool, robustness: int, interval: int
) -> None:
    message = GroupQuery(3, group, response, sources, suppresses, robustness, interval)
    layer = ICMPv6MLQuery2(
        mrd=response,
        mladdr=format_address(group),
        S=int(suppresses),
        QRV=robustness,
        QQIC=interval,
        sources=texts(sources),
    )
    assert encode(message) == by_scapy(layer)
    assert decode(by_scapy(layer)) == message


@tried
@given(st.lists(RECORD, max_size=4))
def test_reports_of_version_2_are_what_scapy_reads_and_writes(records: list[GroupRecord]) -> None:
    message = GroupReport(tuple(records))
    parts = [
        ICMPv6MLDMultAddrRec(rtype=int(record.kind), dst=format_address(record.group), sources=texts(record.sources))
        for record in records
    ]
    layer = ICMPv6MLReport2(records=parts)
    assert encode(message) == by_scapy(layer)
    assert decode(by_scapy(layer)) == message


# rubbish


@pytest.mark.parametrize(
    "data",
    [
        f"82 00 0000 2710 0000 {GROUP_TEXT} 02 7d 0001 {SOURCE_TEXT}",
        f"83 00 0000 0000 0000 {GROUP_TEXT}",
        f"8f 00 0000 0000 0002 04 01 0000 {GROUP_TEXT} 00000000 06 00 0001 {GROUP_TEXT} {SOURCE_TEXT}",
    ],
)
def test_a_message_cut_or_damaged_anywhere_never_raises(data: str) -> None:
    whole = summed(bytes.fromhex(data))
    for end in range(len(whole)):
        decode(whole[:end])
        decode(summed(whole[:end]))
    for at in range(len(whole)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            decode(summed(whole[:at] + bytes((value,)) + whole[at + 1 :]))


@tried
@given(st.sampled_from([130, 131, 132, 143]), st.binary(max_size=120))
def test_random_bytes_never_raise(kind: int, rest: bytes) -> None:
    decode(summed(bytes((kind,)) + rest))
    decode(bytes((kind,)) + rest)
