"""TCP headers."""

from __future__ import annotations

import pytest

from wsknet.trace import DropReason
from wsknet.wire import tcp, tcp_options
from wsknet.wire.checksum import pseudo_sum, transport_checksum, transport_is_valid

HERE, THERE = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])
SEQ, ACK = 0xFFFFFFF0, 0xFFFFFFFF


def parsed(data: bytes) -> tcp.Segment:
    segment = tcp.parse(data)
    assert isinstance(segment, tcp.Segment)
    return segment


def fields(segment: tcp.Segment) -> tuple[object, ...]:
    return tuple(getattr(segment, name) for name in tcp.Segment.__slots__)


@pytest.mark.parametrize("options", [b"", tcp_options.build(tcp_options.Options(mss=1460, window_scale=8))])
def test_what_is_built_is_read_back(options: bytes) -> None:
    header = tcp.build(0xC001, 7, SEQ, ACK, 0xFF, 0xFEDC, options, urgent=9)
    expected = tcp.Segment(
        0xC001,
        7,
        SEQ,
        ACK,
        0xFF,
        0xFEDC,
        b"data",
        tcp_options.Options(1460, 8) if options else tcp_options.NO_OPTIONS,
        9,
    )
    assert fields(parsed(header + b"data")) == fields(expected)
    assert parsed(header).payload == b""


@pytest.mark.rule("RFC9293-3.1")
def test_each_flag_has_its_bit() -> None:
    flags = [tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK, tcp.URG, tcp.ECE, tcp.CWR]
    assert [tcp.build(1, 2, 3, 4, flag, 5)[13] for flag in flags] == flags == [1 << bit for bit in range(8)]


def test_the_reserved_bits_are_no_flags() -> None:
    header = bytearray(tcp.build(1, 2, 3, 4, tcp.ACK, 5))
    header[12] |= 0x0F
    segment = parsed(bytes(header) + b"x")
    assert (segment.flags, segment.payload) == (tcp.ACK, b"x")


def test_a_header_cut_anywhere_is_dropped_for_it() -> None:
    header = tcp.build(1, 2, 3, 4, tcp.ACK, 5, tcp_options.build(tcp_options.Options(timestamps=(1, 2))))
    for end in range(len(header)):
        reason = DropReason.TCP_TRUNCATED if end < 20 else DropReason.TCP_BAD_OFFSET
        assert tcp.parse(header[:end]) is reason


@pytest.mark.parametrize("words", [0, 1, 4, 8, 15])
def test_a_data_offset_that_lies_is_refused(words: int) -> None:
    header = bytearray(tcp.build(1, 2, 3, 4, tcp.ACK, 5) + b"data")
    header[12] = words << 4
    assert tcp.parse(bytes(header)) is DropReason.TCP_BAD_OFFSET


def test_options_that_lie_are_refused() -> None:
    assert tcp.parse(tcp.build(1, 2, 3, 4, tcp.SYN, 5, bytes([2, 40, 5, 180]))) is DropReason.TCP_BAD_OPTIONS


@pytest.mark.parametrize("options", [b"", bytes([2, 4, 5, 180]), bytes([1, 1, 8, 10, *range(8)])])
@pytest.mark.parametrize("payload", [(), (b"",), (b"x",), (b"odd", memoryview(b"pieces!")), (bytes(1460),)])
def test_build_checked_sets_the_checksum_of_what_build_leaves_zero(options: bytes, payload: tuple[bytes, ...]) -> None:
    pseudo = pseudo_sum(HERE, THERE, 6)
    header = tcp.build_checked(pseudo, 0xC001, 7, SEQ, ACK, 0x38, 0xFFFF, options, payload, urgent=3)
    plain = tcp.build(0xC001, 7, SEQ, ACK, 0x38, 0xFFFF, options, urgent=3)
    field = transport_checksum(pseudo, plain, payload)
    assert header == tcp.build(0xC001, 7, SEQ, ACK, 0x38, 0xFFFF, options, urgent=3, checksum=field)
    assert transport_is_valid(pseudo, header + b"".join(payload))
