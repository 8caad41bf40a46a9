from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.transport.tcp.seq import MASK, is_before, unwrap, wrap

seqs = st.integers(0, MASK)


@pytest.mark.rule("RFC9293-3.4")
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1, 2, True),
        (2, 1, False),
        (7, 7, False),
        (0xFFFFFFFF, 0, True),
        (0, 0xFFFFFFFF, False),
        (0xFFFFFFF0, 0x0000000F, True),
        (0, 0x7FFFFFFF, True),
        (0x7FFFFFFF, 0, False),
    ],
)
def test_comparison_is_modulo_2_to_the_32(first: int, second: int, expected: bool) -> None:
    assert is_before(first, second) is expected


@given(seqs, st.integers(-(1 << 31), (1 << 31) - 1))
def test_unwrap_undoes_the_wrap(seq: int, step: int) -> None:
    assert unwrap(wrap(seq + step), seq) == seq + step


@given(st.integers(0, 1 << 40), st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_position_is_found_next_to_the_one_known_however_far_the_stream_has_come(known: int, step: int) -> None:
    assert unwrap((known + step) & MASK, known) == known + step
