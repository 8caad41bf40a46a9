"""The frames of SAN NICs: bytes as documented, and nothing but `BadFrame` for what is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.san.provider.native import (
    HEADER_SIZE,
    LARGEST_MESSAGE,
    LARGEST_TRANSFER,
    LONGEST_HEAD,
    Accept,
    AccessFault,
    BadFrame,
    Close,
    Data,
    Error,
    Frame,
    Head,
    Message,
    Read,
    Reject,
    RejectReason,
    Request,
    Write,
    encode,
    parse,
)
from wsknet.types import Endpoint

ends = st.builds(Endpoint, st.binary(min_size=4, max_size=4), st.integers(0, 0xFFFF), st.just(0))
tags = st.integers(0, 0xFFFF_FFFF)
descriptors = st.binary(min_size=16, max_size=16)
offsets = st.integers(0, (1 << 64) - 1)
payloads = st.lists(st.binary(max_size=40), max_size=3).map(tuple)
frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Request, ends, ends),
    st.just(Accept()),
    st.builds(Reject, st.sampled_from(RejectReason)),
    st.builds(Message, payloads),
    st.builds(Write, descriptors, offsets, payloads),
    st.builds(Read, tags, descriptors, offsets, st.integers(0, LARGEST_TRANSFER)),
    st.builds(Data, tags, payloads),
    st.builds(Error, tags, st.sampled_from(AccessFault)),
    st.just(Close()),
)


def header(kind: int, length: int, tag: int = 0) -> bytes:
    return b"SD\x01" + bytes((kind, 0, 0, 0, 0)) + length.to_bytes(4, "big") + tag.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("frame", "octets"),
    [
        (
            Request(Endpoint(b"\xc0\0\2\1", 4000), Endpoint(b"\xc0\0\2\2", 80)),
            header(1, 12) + bytes.fromhex("c0000201 0fa0 c0000202 0050"),
        ),
        (Accept(), header(2, 0)),
        (Reject(RejectReason.TCPIP_ONLY), header(3, 0, 3)),
        (Message((b"ab", b"c")), header(4, 3) + b"abc"),
        (Write(b"d" * 16, 258, (b"xyz",)), header(5, 27) + b"d" * 16 + bytes(6) + b"\1\2xyz"),
        (Read(7, b"d" * 16, 1, 65536), header(6, 28, 7) + b"d" * 16 + bytes(7) + b"\1\0\1\0\0"),
        (Data(7, (b"answer",)), header(7, 6, 7) + b"answer"),
        (Error(9, AccessFault.OUT_OF_BOUNDS), header(8, 4, 9) + b"\0\0\0\2"),
        (Close(), header(9, 0)),
    ],
)
def test_each_frame_has_the_documented_bytes(frame: Frame, octets: bytes) -> None:
    assert b"".join(encode(frame)) == octets


@given(frames, st.binary(max_size=50))
def test_what_is_encoded_is_parsed_as_the_same_with_its_data_and_what_follows_left(frame: Frame, more: bytes) -> None:
    octets = b"".join(encode(frame))
    head = parse((octets + more)[:LONGEST_HEAD])
    assert head is not None
    payload = octets[head.size :]
    assert head.length == len(payload)
    expected: Frame = replace(frame, payload=()) if isinstance(frame, Message | Write | Data) else frame
    assert head.frame == expected
    if isinstance(frame, Message | Write | Data):
        assert payload == b"".join(frame.payload)


@given(frames)
def test_a_head_is_not_parsed_before_all_of_it_is_there(frame: Frame) -> None:
    octets = b"".join(encode(frame))
    head = parse(octets)
    assert head is not None
    assert [parse(octets[:size]) for size in range(head.size)] == [None] * head.size
    assert parse(octets[: head.size]) == head


def test_payload_buffers_are_passed_on_as_they_are() -> None:
    payload = bytearray(b"payload")
    assert encode(Message((payload,)))[1] is payload


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda tail: b"SD\x01" + tail)))
def test_any_bytes_are_a_head_or_too_few_or_a_bad_frame(stream: bytes) -> None:
    try:
        head = parse(stream)
    except BadFrame:
        return
    assert isinstance(head, Head) or len(stream) < LONGEST_HEAD


@pytest.mark.parametrize(
    "octets",
    [
        b"XD" + header(2, 0)[2:],
        b"SD\x02" + header(2, 0)[3:],
        b"SD\x01\x02\x00\x01" + header(2, 0)[6:],
        b"SD\x01\x02\x00\x00\x01\x00" + header(2, 0)[8:],
        header(0, 0),
        header(10, 0),
        header(1, 11),
        header(1, 13),
        header(2, 1),
        header(4, LARGEST_MESSAGE + 1),
        header(5, 23),
        header(5, 24 + LARGEST_TRANSFER + 1),
        header(6, 29),
        header(7, LARGEST_TRANSFER + 1),
        header(8, 5),
        header(9, 1),
        header(6, 28) + bytes(24) + (LARGEST_TRANSFER + 1).to_bytes(4, "big"),
    ],
)
def test_what_breaks_the_format_is_a_bad_frame(octets: bytes) -> None:
    with pytest.raises(BadFrame):
        parse(octets)


def test_the_largest_data_is_none() -> None:
    message, write = parse(header(4, LARGEST_MESSAGE)), parse(header(5, 24 + LARGEST_TRANSFER) + bytes(24))
    assert message == Head(Message(), HEADER_SIZE, LARGEST_MESSAGE)
    assert write == Head(Write(bytes(16), 0), HEADER_SIZE + 24, LARGEST_TRANSFER)


def test_reasons_that_do_not_exist_count_as_the_most_cautious() -> None:
    rejected, error = parse(header(3, 0, 77)), parse(header(8, 4) + b"\0\0\0\x63")
    assert rejected is not None
    assert rejected.frame == Reject(RejectReason.NO_RESOURCES)
    assert error is not None
    assert error.frame == Error(0, AccessFault.DENIED)
