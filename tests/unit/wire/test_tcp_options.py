"""TCP options, read and written."""

from __future__ import annotations

import pytest

from wsknet.tcp_policy import OptionOrder
from wsknet.wire.tcp_options import MAX_LENGTH, NO_OPTIONS, Options, build, parse

STAMPS = (0xFFFFFFF0, 7)
BLOCKS = ((0xFFFFFFF0, 0x10), (0x20, 0x30), (0x40, 0x50), (0x60, 0x70))


@pytest.mark.parametrize("data", [b"", bytes([0]), bytes([1, 1, 1, 1]), bytes([0, 2, 4, 5]), bytes([254, 4, 1, 2])])
def test_where_nothing_is_said_everybody_gets_the_same_empty_object(data: bytes) -> None:
    assert parse(data) is NO_OPTIONS
    assert Options() == NO_OPTIONS == (None, None, False, (), None, None)


@pytest.mark.parametrize(
    "options",
    [
        Options(mss=536),
        Options(mss=0),
        Options(window_scale=0),
        Options(window_scale=14),
        Options(sack_permitted=True),
        Options(sack_blocks=BLOCKS),
        Options(sack_blocks=BLOCKS[:1]),
        Options(timestamps=STAMPS),
        Options(mss=1460, window_scale=8, sack_permitted=True, timestamps=STAMPS),
        Options(sack_blocks=BLOCKS[:3], timestamps=STAMPS),
    ],
)
def test_what_is_built_is_read_back(options: Options) -> None:
    data = build(options)
    assert len(data) % 4 == 0
    assert 0 < len(data) <= MAX_LENGTH
    assert parse(data) == options


def test_nothing_takes_no_room() -> None:
    assert build(NO_OPTIONS) == b""


def test_a_handshake_writes_mss_scale_and_sack_in_this_order() -> None:
    data = build(Options(mss=1460, window_scale=8, sack_permitted=True))
    assert data == bytes.fromhex("020405b4 01030308 01010402")


_FULL = Options(mss=1460, window_scale=8, sack_permitted=True, timestamps=(1, 2))
_SCALE, _STAMPS, _NNS, _MSS = "01030308", "080a0000000100000002", "01010402", "020405b4"
SCALE_FIRST, SCALE_LAST, END_PADS = OptionOrder


@pytest.mark.parametrize(
    ("order", "full", "no_sack", "no_stamps"),
    [
        (SCALE_FIRST, _SCALE + "0402" + _STAMPS, _SCALE + "0101" + _STAMPS, _SCALE + _NNS),
        (SCALE_LAST, "0402" + _STAMPS + _SCALE, "0101" + _STAMPS + _SCALE, _NNS + _SCALE),
        (END_PADS, _SCALE + "0402" + _STAMPS, _SCALE + "0101" + _STAMPS, _SCALE + "04020000"),
    ],
    ids=["Windows", "Linux", "FreeBSD"],
)
def test_each_system_has_its_order_in_a_handshake(order: OptionOrder, full: str, no_sack: str, no_stamps: str) -> None:
    for options, wanted in (
        (_FULL, full),
        (_FULL._replace(sack_permitted=False), no_sack),
        (_FULL._replace(timestamps=None), no_stamps),
    ):
        data = build(options, order)
        assert data == bytes.fromhex(_MSS + wanted)
        assert parse(data) == options


@pytest.mark.parametrize("order", list(OptionOrder))
def test_after_the_handshake_all_orders_are_the_same(order: OptionOrder) -> None:
    options = Options(sack_blocks=BLOCKS[:2], timestamps=STAMPS)
    assert build(options, order) == build(options)
    odd = Options(sack_permitted=True, sack_blocks=BLOCKS[:2])
    assert parse(build(odd, order)) == odd


@pytest.mark.rule("RFC2018-3")
def test_as_many_sack_blocks_as_fit() -> None:
    five = (*BLOCKS, (0x80, 0x90))
    assert parse(build(Options(sack_blocks=five))) == Options(sack_blocks=BLOCKS)
    with_stamps = build(Options(sack_blocks=five, timestamps=STAMPS))
    assert parse(with_stamps) == Options(sack_blocks=BLOCKS[:3], timestamps=STAMPS)
    assert len(with_stamps) == MAX_LENGTH


@pytest.mark.rule("RFC7323-2.3")
@pytest.mark.parametrize(("shift", "used"), [(13, 13), (14, 14), (15, 14), (255, 14)])
def test_a_window_scale_beyond_14_is_used_as_14(shift: int, used: int) -> None:
    assert parse(bytes([3, 3, shift, 0])) == Options(window_scale=used)


def test_unknown_options_are_skipped_and_the_last_of_a_kind_counts() -> None:
    data = bytes([253, 6, 1, 2, 3, 4, 2, 4, 1, 0, 30, 2, 2, 4, 2, 0])
    assert parse(data) == Options(mss=512)


def test_after_the_end_of_the_list_nothing_counts() -> None:
    assert parse(bytes([4, 2, 0, 3, 255, 255])) == Options(sack_permitted=True)


@pytest.mark.parametrize(
    "data",
    [
        bytes([2]),  # no room for a length
        bytes([1, 1, 1, 8]),
        bytes([2, 0, 5, 180]),
        bytes([2, 1, 5, 180]),
        bytes([2, 3, 5, 180]),
        bytes([2, 5, 5, 180, 0]),
        bytes([2, 4, 5]),  # beyond the end
        bytes([3, 2, 8, 0]),
        bytes([3, 4, 8, 0]),
        bytes([4, 3, 0, 0]),
        bytes([5, 2, 0, 0]),  # no block at all
        bytes([5, 9]) + bytes(7),
        bytes([5, 11]) + bytes(9),
        bytes([5, 18]) + bytes(8),
        bytes([8, 9]) + bytes(7),
        bytes([1, 1, 8, 11]) + bytes(8),
        bytes([253, 1, 0, 0]),
        bytes([253, 200, 0, 0]),
    ],
)
def test_lengths_that_lie_are_refused(data: bytes) -> None:
    assert parse(data) is None


@pytest.mark.rule("RFC7413-4.1.1")
@pytest.mark.parametrize("cookie", [b"", b"1234", b"12345678", bytes(16)])
def test_a_cookie_survives_building_and_parsing(cookie: bytes) -> None:
    options = Options(mss=1460, fast_open=cookie)
    built = build(options)
    assert len(built) % 4 == 0
    assert parse(built) == options


@pytest.mark.rule("RFC7413-4.1.1")
@pytest.mark.parametrize("length", [1, 2, 3, 5, 17, 18])
def test_a_cookie_of_an_odd_length_is_no_cookie(length: int) -> None:
    found = parse(bytes((34, 2 + length)) + bytes(length))
    assert found is not None
    assert found.fast_open is None
