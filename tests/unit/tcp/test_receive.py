"""The receiving half alone: window arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.transport.tcp.receive import Receiver, scale_for

IRS = 0xFFFFFFF5


def receiver(limit: int, mss: int = 1460, shift: int | None = None) -> Receiver:
    made = Receiver(limit, mss)
    made.start(IRS, scale_for(limit) if shift is None else shift)
    return made


@pytest.mark.rule("RFC7323-2.2", "RFC7323-2.3")
@pytest.mark.parametrize(
    ("limit", "shift"),
    [(1, 0), (65535, 0), (65536, 1), (131070, 1), (131072, 2), (1 << 20, 5), (1 << 29, 14), (1 << 30, 14)],
)
def test_the_scale_is_the_smallest_that_can_offer_the_buffer(limit: int, shift: int) -> None:
    assert scale_for(limit) == shift


@pytest.mark.rule("RFC9293-3.8.6.2.2")
def test_small_steps_of_the_window_are_withheld() -> None:
    side = receiver(10000, 1000)
    assert side.offer() == 10000
    side.insert(side.nxt, bytes(5000), False)
    side.consume(999)
    assert side.offer() == 5000
    side.consume(1)
    assert side.offer() == 6000


@pytest.mark.rule("RFC9293-3.8.6.2.2")
def test_in_a_tiny_buffer_half_of_it_is_a_step() -> None:
    side = receiver(100, 1460)
    side.offer()
    side.insert(side.nxt, bytes(100), False)
    side.consume(49)
    assert side.offer() == 0
    side.consume(1)
    assert side.offer() == 50


@pytest.mark.rule("RFC9293-3.8.6.2.2")
def test_a_closed_window_opens_with_one_segment_and_updates_then_double() -> None:
    side = receiver(10000, 1000)
    side.offer()
    side.insert(side.nxt, bytes(10000), False)
    side.offer()
    due = []
    for _ in range(10):
        side.consume(1000)
        due.append(side.is_update_due())
        if due[-1]:
            side.offer()
    assert due == [True, True, False, True, False, False, False, True, False, False]


@given(
    st.sampled_from([(1 << 20, 5), (100_000, 1), (65535, 0), (1 << 20, 0), (5000, 7)]),
    st.lists(st.tuples(st.booleans(), st.integers(1, 3000)), max_size=60),
)
def test_the_window_never_moves_back_nor_beyond_the_buffer(
    size: tuple[int, int], steps: list[tuple[bool, int]]
) -> None:
    limit, shift = size
    side = receiver(limit, 1460, shift)
    for is_arrival, count in steps:
        edge = side.edge
        if is_arrival:
            side.insert(side.nxt, bytes(min(count, side.window)), False)
        else:
            side.consume(min(count, len(side.buffer)))
        field = side.offer()
        assert 0 <= field <= 0xFFFF
        assert side.edge >= edge
        assert side.window + len(side.buffer) <= limit
        assert side.nxt + (field << shift) <= side.edge


def test_single_bytes_close_a_scaled_window_in_the_end() -> None:
    side = receiver(70_000, 1460, 1)
    side.offer()
    while side.window:
        side.insert(side.nxt, b"x", False)
        side.offer()
    assert len(side.buffer) <= 70_000


def test_push_marks_what_is_readable_until_it_is_read() -> None:
    side = receiver(1000)
    side.insert(side.nxt, b"abc", True)
    side.insert(side.nxt, b"de", False)
    assert side.is_pushed
    side.consume(3)
    assert not side.is_pushed


def test_copying_out_takes_what_fits() -> None:
    side = receiver(1000)
    side.insert(side.nxt, b"abcdef", False)
    target = bytearray(4)
    assert side.copy_into(memoryview(target)) == 4
    assert target == b"abcd"
    large = bytearray(10)
    assert side.copy_into(memoryview(large)) == 2
    assert bytes(large[:2]) == b"ef"
    assert side.consumed == 6


def test_a_push_counts_only_if_the_whole_segment_was_taken() -> None:
    side = receiver(10)
    side.insert(side.nxt, bytes(11), True)
    assert len(side.buffer) == 10
    assert not side.is_pushed


def test_of_two_ends_of_the_stream_the_first_counts_and_none_outside_the_window() -> None:
    side = receiver(100)
    side.take_fin(side.nxt + 101)
    assert side.fin_at is None
    side.take_fin(side.nxt + 50)
    side.take_fin(side.nxt + 60)
    assert side.fin_at == side.nxt + 50


def test_an_older_push_does_not_hide_a_later_one() -> None:
    side = receiver(1000)
    first = side.nxt
    side.insert(first + 10, bytes(10), True)
    side.insert(first, bytes(10), False)
    side.insert(first + 30, bytes(10), False)
    side.insert(first + 20, bytes(10), True)
    side.consume(20)
    assert side.is_pushed
    side.consume(10)
    assert not side.is_pushed
