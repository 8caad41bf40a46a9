from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsknet.transport.tcp import reassembly
from wsknet.transport.tcp.reassembly import MAX_PIECES, Reassembly

STREAM = bytes(range(200))


@given(st.lists(st.tuples(st.integers(0, 199), st.integers(1, 60)), max_size=40))
def test_whatever_came_and_in_whatever_order_the_pieces_are_those_of_the_stream(spans: list[tuple[int, int]]) -> None:
    waiting = Reassembly()
    known = bytearray(len(STREAM))
    for start, length in spans:
        assert waiting.add(start, STREAM[start : start + length])
        known[start : start + length] = b"\1" * len(STREAM[start : start + length])

    for position in range(len(STREAM)):
        found = b"".join(waiting.take(position))
        end = position + len(found)
        assert found == STREAM[position:end]
        assert all(known[position:end])
        known[position:end] = bytes(len(found))
        if known[position]:
            raise AssertionError(f"byte {position} came and was not given out")
    assert len(waiting) == 0


def test_what_came_first_is_kept() -> None:
    waiting = Reassembly()
    waiting.add(10, b"first")
    waiting.add(8, b"XXXXXXXXX")

    assert b"".join(waiting.take(8)) == b"XXfirstXX"


def test_the_number_of_pieces_is_bounded() -> None:
    waiting = Reassembly()
    results = [waiting.add(2 * number + 1, b"x") for number in range(MAX_PIECES + 5)]

    assert results.count(False) == 5
    assert len(waiting) == MAX_PIECES
    assert waiting.add(3, b"x"), "a copy of what is there needs no room"


def test_the_bound_is_large_enough_for_the_default_window_in_small_segments() -> None:
    assert reassembly.MAX_PIECES * 536 > 1 << 20
