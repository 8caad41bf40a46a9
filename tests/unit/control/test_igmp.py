"""IGMP of all versions: byte by byte, both ways against Scapy, and against bytes that nobody should send."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.checksums import with_icmp_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.control.group_records import compress, expand
from wsknet.net.messages.groups import (
    GroupLeave,
    GroupMessage,
    GroupQuery,
    GroupRecord,
    GroupReport,
    OldGroupReport,
    RecordKind,
)
from wsknet.text import parse_address
from wsknet.trace import DropReason

theirs = pytest.importorskip("scapy.layers.igmp", reason="this module is new in Scapy 2.7")

CODEC = ScapyCodec()
A = parse_address
GROUP = A("239.1.2.3")
ANY = bytes(4)
tried = settings(max_examples=150)

ADDRESS = st.binary(min_size=4, max_size=4)
MULTICAST = ADDRESS.map(lambda address: bytes((0xE0 | address[0] & 0x0F,)) + address[1:])
SOURCES = st.lists(ADDRESS, max_size=5).map(tuple)
RECORD = st.builds(GroupRecord, st.sampled_from(RecordKind), MULTICAST, SOURCES)


def decoded(text: str) -> GroupMessage | DropReason:
    """What these bytes, in hexadecimal and with the checksum left zero, mean."""
    return CODEC.decode_igmp(with_icmp_checksum(bytes.fromhex(text)))


@pytest.mark.rule("RFC3376-7.1")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("11 00 0000 00000000", GroupQuery(1, ANY, 10_000)),
        ("11 64 0000 00000000", GroupQuery(2, ANY, 10_000)),
        ("11 0a 0000 ef010203", GroupQuery(2, GROUP, 1_000)),
        ("11 64 0000 00000000 02 7d 0000", GroupQuery(3, ANY, 10_000, robustness=2, interval=125)),
        (
            "11 00 0000 ef010203 0f 00 0002 0a000001 0a000002",
            GroupQuery(3, GROUP, 0, (A("10.0.0.1"), A("10.0.0.2")), suppresses=True, robustness=7),
        ),
        ("12 00 0000 ef010203", OldGroupReport(1, GROUP)),
        ("16 00 0000 ef010203", OldGroupReport(2, GROUP)),
        ("17 00 0000 ef010203", GroupLeave(GROUP)),
        ("22 00 0000 0000 0000", GroupReport(())),
        (
            "22 00 0000 0000 0002  04 00 0000 ef010203  05 00 0001 ef010203 0a000001",
            GroupReport(
                (
                    GroupRecord(RecordKind.TO_EXCLUDE, GROUP),
                    GroupRecord(RecordKind.ALLOW_NEW, GROUP, (A("10.0.0.1"),)),
                )
            ),
        ),
    ],
)
def test_every_message_byte_by_byte(data: str, message: GroupMessage) -> None:
    assert decoded(data) == message
    assert CODEC.encode_igmp(message) == with_icmp_checksum(bytes.fromhex(data))


@pytest.mark.rule("RFC3376-4.1.10", "RFC3376-4.2.11", "RFC3376-4.2.6")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("11 64 0000 00000000 02 7d 0000 ffff", GroupQuery(3, ANY, 10_000, robustness=2, interval=125)),
        ("22 00 0000 0000 0001 02 00 0000 ef010203 ff", GroupReport((GroupRecord(RecordKind.IS_EXCLUDE, GROUP),))),
        (
            "22 00 0000 0000 0002 02 02 0000 ef010203 1122334455667788 01 00 0000 ef010203",
            GroupReport((GroupRecord(RecordKind.IS_EXCLUDE, GROUP), GroupRecord(RecordKind.IS_INCLUDE, GROUP))),
        ),
        ("22 00 0000 0000 0002 09 00 0000 ef010203 01 00 0000 ef010203",
         GroupReport((GroupRecord(RecordKind.IS_INCLUDE, GROUP),))),
    ],
    ids=["after the sources", "after the records", "auxiliary data", "unknown record"],
)  # fmt: skip
def test_what_later_versions_may_add_is_skipped(data: str, message: GroupMessage) -> None:
    assert decoded(data) == message


@pytest.mark.rule("RFC3376-7.1")
@pytest.mark.parametrize(
    "data",
    [
        "11 64 0000 000000",
        "11 64 0000 00000000 02",
        "11 64 0000 00000000 02 7d 00",
        "11 64 0000 ef010203 02 7d 0002 0a000001",
        "11 64 0000 00000000 02 7d 0001 0a000001",
        "11 64 0000 0a000001",
        "11 64 0000 0a000001 02 7d 0000",
        "12 00 0000 0a000001",
        "16 00 0000 00000000",
        "17 00 0000 0a000001",
        "22 00 0000 0000 0001",
        "22 00 0000 0000 0001 02 00 0001 ef010203",
        "22 00 0000 0000 0001 02 01 0000 ef010203",
        "22 00 0000 0000 0001 02 00 0000 0a000001",
        "22 00 0000 0000 ffff 02 00 0000 ef010203",
    ],
)
def test_lengths_counts_and_groups_that_lie_are_malformed(data: str) -> None:
    assert decoded(data) is DropReason.GROUP_MALFORMED


def test_a_wrong_checksum_is_malformed() -> None:
    good = CODEC.encode_igmp(OldGroupReport(2, GROUP))
    assert CODEC.decode_igmp(good[:-1] + b"\x04") is DropReason.GROUP_MALFORMED


@pytest.mark.rule("RFC3376-4")
def test_other_types_are_ignored() -> None:
    assert decoded("13 00 0000 00000000") is DropReason.GROUP_IGNORED


@pytest.mark.rule("RFC3376-4.1.1", "RFC3376-4.1.7", "RFC3810-5.1.3")
@pytest.mark.parametrize(
    ("code", "bits", "number"),
    [
        (0x7F, 8, 127), (0x80, 8, 128), (0x81, 8, 136), (0x8F, 8, 248), (0x90, 8, 256), (0xFF, 8, 31744),
        (0x7FFF, 16, 32767), (0x8000, 16, 32768), (0x8001, 16, 32776), (0x9000, 16, 65536), (0xFFFF, 16, 8387584),
    ],
)  # fmt: skip
def test_codes_above_half_are_floating_point(code: int, bits: int, number: int) -> None:
    assert expand(code, bits) == number
    assert compress(number, bits) == code
    assert compress(number + 1, bits) in (code, code + 1)


@pytest.mark.parametrize("bits", [8, 16])
def test_every_code_comes_back_and_no_number_grows(bits: int) -> None:
    numbers = [expand(code, bits) for code in range(1 << bits)]
    assert numbers == sorted(set(numbers))
    assert [compress(number, bits) for number in numbers] == list(range(1 << bits))
    assert [compress(number - 1, bits) for number in numbers[1:]] == list(range((1 << bits) - 1))
    assert compress(numbers[-1] * 2, bits) == (1 << bits) - 1


# against Scapy


@tried
@given(st.integers(1, 255), MULTICAST)
def test_queries_of_version_2_are_what_scapy_reads_and_writes(tenths: int, group: bytes) -> None:
    message = GroupQuery(2, group, tenths * 100)
    raw = CODEC.encode_igmp(message)
    assert CODEC.decode_igmp(raw) == message
    packet = theirs.IGMP(raw)
    assert isinstance(packet, theirs.IGMP_MQ)
    assert (raw[1], A(packet.gaddr), packet.chksum) == (tenths, group, int.from_bytes(raw[2:4], "big"))
    packet.chksum = None
    assert bytes(packet)[2:] == raw[2:]


@tried
@given(MULTICAST, SOURCES, st.booleans(), st.integers(0, 7), st.integers(0, 127))
def test_queries_of_version_3_are_what_scapy_reads_and_writes(
    group: bytes, sources: tuple[bytes, ...], suppresses: bool, robustness: int, interval: int
) -> None:
    message = GroupQuery(3, group, 2_000, sources, suppresses, robustness, interval)
    raw = CODEC.encode_igmp(message)
    packet = theirs.IGMPv3_MQ(
        mrcode=20, gaddr=dotted(group), s=suppresses, qrv=robustness, qqic=interval, srcaddrs=list(map(dotted, sources))
    )
    assert raw[4:] == bytes(packet)[4:]
    assert CODEC.decode_igmp(raw) == message
    read = theirs.IGMP(raw)
    assert (read.gaddr, bool(read.s), read.qrv, read.qqic) == (dotted(group), suppresses, robustness, interval)
    assert read.srcaddrs == list(map(dotted, sources))


@tried
@given(st.lists(RECORD, max_size=4))
def test_reports_of_version_3_are_what_scapy_reads_and_writes(records: list[GroupRecord]) -> None:
    message = GroupReport(tuple(records))
    raw = CODEC.encode_igmp(message)
    parts = [
        theirs.IGMPv3_MR_Group(
            rtype=int(record.kind), auxdlen=0, maddr=dotted(record.group), srcaddrs=list(map(dotted, record.sources))
        )
        for record in records
    ]
    assert raw == bytes(theirs.IGMPv3_MR(records=parts))
    assert CODEC.decode_igmp(raw) == message
    read = theirs.IGMP(raw)
    assert [(part.rtype, part.maddr) for part in read.records] == [(each.kind, dotted(each.group)) for each in records]


@pytest.mark.parametrize(
    ("message", "layer"),
    [
        (OldGroupReport(1, GROUP), "IGMP_MR"),
        (OldGroupReport(2, GROUP), "IGMPv2_MR"),
        (GroupLeave(GROUP), "IGMPv2_LG"),
    ],
)
def test_old_reports_and_leaves_are_what_scapy_reads_and_writes(message: GroupMessage, layer: str) -> None:
    raw = CODEC.encode_igmp(message)
    packet = theirs.IGMP(raw)
    assert type(packet).__name__ == layer
    assert packet.gaddr == "239.1.2.3"
    assert raw == bytes(getattr(theirs, layer)(type=raw[0], mrcode=0, gaddr="239.1.2.3"))


def dotted(address: bytes) -> str:
    return ".".join(map(str, address))


# rubbish

WHOLE = [
    "11 64 0000 ef010203 0a 7d 0002 0a000001 0a000002",
    "11 64 0000 ef010203",
    "16 00 0000 ef010203",
    "22 00 0000 0000 0002  04 01 0000 ef010203 11223344  05 00 0001 ef010203 0a000001",
]


@pytest.mark.parametrize("data", WHOLE)
def test_a_message_cut_or_damaged_anywhere_never_raises(data: str) -> None:
    whole = with_icmp_checksum(bytes.fromhex(data))
    for end in range(len(whole)):
        CODEC.decode_igmp(whole[:end])
        CODEC.decode_igmp(with_icmp_checksum(whole[:end]))
    for at in range(len(whole)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            CODEC.decode_igmp(with_icmp_checksum(whole[:at] + bytes((value,)) + whole[at + 1 :]))


@tried
@given(st.sampled_from([0x11, 0x12, 0x16, 0x17, 0x22, 0x00, 0xFF]), st.binary(max_size=120))
def test_random_bytes_never_raise(kind: int, rest: bytes) -> None:
    message = CODEC.decode_igmp(with_icmp_checksum(bytes((kind,)) + rest))
    assert isinstance(message, (DropReason, GroupQuery, GroupReport, OldGroupReport, GroupLeave))
    assert isinstance(CODEC.decode_igmp(rest), (DropReason, GroupQuery, GroupReport, OldGroupReport, GroupLeave))


def test_a_report_of_the_largest_packet_is_read_at_once() -> None:
    records = struct.pack("!BBH4s", 2, 0, 0, GROUP) * 8000
    message = CODEC.decode_igmp(with_icmp_checksum(struct.pack("!BBHHH", 0x22, 0, 0, 0, 8000) + records))
    assert isinstance(message, GroupReport)
    assert len(message.records) == 8000
