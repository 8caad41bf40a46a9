"""What captures say about the frames of SAN NICs, however TCP cuts them."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wsknet.san.comments import NativeComments
from wsknet.san.provider.native import (
    Accept,
    AccessFault,
    Close,
    Data,
    Error,
    Frame,
    Message,
    Read,
    Reject,
    RejectReason,
    Request,
    Write,
    encode,
)
from wsknet.san.switch.session.messages import Kind, header
from wsknet.types import Endpoint

PORT = 17_223
A, B = Endpoint(b"\x0a\x09\x00\x01", 49_152), Endpoint(b"\x0a\x09\x00\x02", 80)
FIRST = 0xFFFF_FF00
"""The stream begins shortly before the sequence numbers start over."""


def segment(sequence: int, payload: bytes, flags: int = 0x18, ports: tuple[int, int] = (50_000, PORT)) -> bytes:
    tcp = b"".join(port.to_bytes(2, "big") for port in ports)
    tcp += (sequence & 0xFFFFFFFF).to_bytes(4, "big") + bytes(4) + bytes((0x50, flags)) + bytes(6) + payload
    ip = bytes((0x45, 0)) + (20 + len(tcp)).to_bytes(2, "big") + bytes(5) + b"\x06" + bytes(2) + A.address + B.address
    return bytes(12) + b"\x08\x00" + ip + tcp


def stream(*frames: Frame) -> bytes:
    return b"".join(bytes(part) for frame in frames for part in encode(frame))


HELLO = header(Kind.HELLO, 1, 8, 8, 16_384, 8_192) + bytes(8)
FRAMES: list[Frame] = [
    Request(A, B), Accept(), Reject(RejectReason.NO_LISTENER), Message((HELLO,)), Message((b"short",)),
    Write(bytes(16), 4096, (b"x" * 3_000,)), Read(7, bytes(16), 0, 500), Data(7, (b"y" * 500,)),
    Error(7, AccessFault.OUT_OF_BOUNDS), Message((header(Kind.DATA, 1, 0, 4, 0, 0) + b"abcd",)), Close(),
]  # fmt: skip
SAID = [
    "SAN REQUEST: 10.9.0.1:49152 asks 10.9.0.2:80",
    "SAN ACCEPT",
    "SAN REJECT: nobody listens there",
    "SAN MESSAGE of 24 bytes: HELLO, messages to 16384 bytes, reads and writes by RDMA above 8192 bytes, "
    "8 receive buffers posted",
    "SAN MESSAGE of 5 bytes: no control message",
    "SAN WRITE: 3000 bytes into the peer's memory from offset 4096",
    "SAN READ 7: asks for 500 bytes from offset 0",
    "SAN DATA 7: 500 bytes",
    "SAN ERROR: out of bounds; the connection ends",
    "SAN MESSAGE of 20 bytes: DATA, 4 bytes of the application, urgent",
    "SAN CLOSE",
]


def begun() -> NativeComments:
    comments = NativeComments(PORT)
    assert comments(segment(FIRST - 1, b"", 0x02)) == "SAN: a connection between NICs begins"
    return comments


def test_each_frame_is_told_in_words() -> None:
    comments = begun()
    assert comments(segment(FIRST, stream(*FRAMES))) == "; ".join(SAID)


@given(cuts=st.lists(st.integers(1, 4_500), max_size=12, unique=True), again=st.integers(0, 12))
def test_however_tcp_cuts_them_and_sends_them_again(cuts: list[int], again: int) -> None:
    whole, comments = stream(*FRAMES), begun()
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [(start, whole[start:end]) for start, end in pairwise(edges)]
    told = [comments(segment(FIRST + start, piece)) for start, piece in pieces]
    assert [text for part in told if part for text in part.split("; ") if text != "the connection ends"] == [
        text.removesuffix("; the connection ends") for text in SAID
    ]
    start, piece = pieces[again % len(pieces)]
    assert comments(segment(FIRST + start, piece)) == told[again % len(pieces)]


def one_by_one(count: int) -> list[bytes]:
    """Segments with one frame each, and what is said of them: READ and its number."""
    return [stream(Read(number, bytes(16), 0, 500)) for number in range(count)]


@given(order=st.permutations(range(40)), copies=st.lists(st.integers(0, 39), max_size=5))
def test_in_whatever_order_they_come_each_frame_is_told_once_and_as_soon_as_it_can_be(
    order: list[int], copies: list[int]
) -> None:
    whole, comments = stream(*FRAMES), begun()
    size = len(whole) // 40 + 1
    told: list[str] = []
    seen: set[int] = set()
    for number in order:
        told += filter(None, [comments(segment(FIRST + size * number, whole[size * number : size * (number + 1)]))])
        seen.add(number)
        first_missing = min((each for each in range(41) if each not in seen), default=41)
        complete = len(comments_in_order(whole[: size * first_missing]))
        assert len(told_frames(told)) >= complete  # more, where all that is missing is data
    assert sorted(told_frames(told)) == sorted(told_frames(["; ".join(SAID)]))
    for number in copies:
        comments(segment(FIRST + size * number, whole[size * number : size * (number + 1)]))
    assert comments(segment(FIRST + len(whole), stream(Accept()))) == "SAN ACCEPT"


def comments_in_order(part: bytes) -> list[str]:
    return told_frames([begun()(segment(FIRST, part))]) if part else []


def told_frames(told: list[str]) -> list[str]:
    return [text for part in told for text in part.split("; ") if text.startswith("SAN")]


def test_of_a_gap_in_mere_data_nothing_is_noticed() -> None:
    whole, comments = stream(Write(bytes(16), 0, (b"x" * 3_000,)), Accept()), begun()
    assert comments(segment(FIRST, whole[:1_000])).startswith("SAN WRITE")
    assert comments(segment(FIRST + 2_000, whole[2_000:])) == "SAN ACCEPT"
    assert comments(segment(FIRST + 1_000, whole[1_000:2_000])) == ""


def test_what_stands_behind_a_gap_is_told_by_the_segment_that_fills_it() -> None:
    first, second, third = one_by_one(3)
    comments = begun()
    assert comments(segment(FIRST, first)) == "SAN READ 0: asks for 500 bytes from offset 0"
    assert comments(segment(FIRST + 2 * len(first), third)) == ""
    assert comments(segment(FIRST + 2 * len(first), third[:20])) == ""  # sent again, and less of it
    said = comments(segment(FIRST + len(first), second))
    assert told_frames([said]) == [f"SAN READ {number}: asks for 500 bytes from offset 0" for number in (1, 2)]
    assert comments(segment(FIRST + 2 * len(first), third)) == "SAN READ 2: asks for 500 bytes from offset 0"


def test_a_gap_that_nobody_fills_is_told_and_the_frames_after_it_are_told_again() -> None:
    pieces, comments = one_by_one(100), begun()
    size = len(pieces[0])
    told = [comments(segment(FIRST + size * at, piece)) for at, piece in enumerate(pieces) if at != 10]
    assert all(told[:10])
    assert not any(told[10 : 10 + 64])
    missing, *after = told_frames([told[10 + 64]])
    assert missing == f"SAN: {size} bytes before this are missing, or cannot be told apart"
    assert after == [f"SAN READ {number}: asks for 500 bytes from offset 0" for number in range(11, 76)]
    assert told_frames(told[75:]) == [
        f"SAN READ {number}: asks for 500 bytes from offset 0" for number in range(76, 100)
    ]


def test_after_a_gap_only_what_begins_with_a_frame_is_believed() -> None:
    """Also when it was the data of the application that looked like one."""
    accept, comments = stream(Accept()), begun()
    at = FIRST + 500
    for _ in range(65):
        assert comments(segment(at, b"no frame")) == ""
        at += 8
    assert told_frames([comments(segment(at, accept + b"and no frame"))]) == [
        f"SAN: {500 + 65 * 8} bytes before this are missing, or cannot be told apart", "SAN ACCEPT",
    ]  # fmt: skip
    at += len(accept) + 12
    assert comments(segment(at, b"no frame")) == ""
    assert told_frames([comments(segment(at + 8, accept))]) == [
        f"SAN: {12 + 8} bytes before this are missing, or cannot be told apart", "SAN ACCEPT",
    ]  # fmt: skip


def test_garbage_is_named_once_and_nothing_is_made_up_after_it() -> None:
    comments = begun()
    assert re.match("SAN: no frame of a SAN NIC", comments(segment(FIRST, b"GET / HTTP/1.0\r\n\r\n")))
    assert comments(segment(FIRST + 18, stream(Accept()))) == ""


def test_other_connections_and_short_frames_are_left_alone() -> None:
    comments = begun()
    assert comments(segment(FIRST, stream(Accept()), ports=(50_000, 80))) == ""
    assert comments(segment(FIRST, stream(Accept()), ports=(50_001, PORT))) == ""  # its beginning was not seen
    whole = segment(FIRST, stream(Accept()))
    assert all(comments(whole[:length]) == "" for length in range(len(whole) - 16))


def test_one_byte_is_one_byte() -> None:
    comments = begun()
    one = Message((header(Kind.DATA, 0, 1, 1, 0, 0) + b"a",))
    said = "SAN MESSAGE of 17 bytes: DATA, 1 byte of the application, 1 receive buffer posted"
    assert comments(segment(FIRST, stream(one))) == said
