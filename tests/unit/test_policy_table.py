"""The policy table: the longest prefix answers, and a table that says nothing of some address is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.net.lab import A
from wsknet.net.interface import is_in_prefix
from wsknet.net.routes import network_of
from wsknet.policy_table import RFC_6724, Policy, PolicyTable, mapped, unmapped

REST = Policy(bytes(16), 0, 40, 1)


@pytest.mark.rule("RFC6724-2.1")
@pytest.mark.parametrize(
    ("address", "precedence", "label"),
    [("::1", 50, 0), ("2001:db8::1", 40, 1), ("::ffff:1.2.3.4", 35, 4), ("1.2.3.4", 35, 4), ("2002::1", 30, 2),
     ("2001::1", 5, 5), ("fd00::1", 3, 13), ("::7", 1, 3), ("fec0::1", 1, 11), ("3ffe::1", 1, 12), ("ff02::1", 40, 1)],
)  # fmt: skip
def test_the_default_table(address: str, precedence: int, label: int) -> None:
    assert RFC_6724.find(A(address))[2:] == (precedence, label)


rows = st.lists(
    st.builds(
        lambda a, b, length: Policy(network_of(bytes((a, b)) + bytes(14), length), length, a, b),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(1, 16),
    ),
    max_size=12,
    unique_by=lambda row: (row.prefix, row.prefix_length),
)


@given(rows, st.integers(0, 3), st.integers(0, 3))
def test_the_answer_is_the_one_a_plain_search_finds(rows: list[Policy], a: int, b: int) -> None:
    address = bytes((a, b)) + bytes(13) + b"\1"
    fitting = [row for row in (*rows, REST) if is_in_prefix(address, row.prefix, row.prefix_length)]

    assert PolicyTable((*rows, REST)).find(address) == max(fitting, key=lambda row: row.prefix_length)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ((), "no policy for ::/0"),
        ((REST, REST), "two policies for ::/0"),
        ((REST, Policy(A("2001:db8::1"), 32, 1, 1)), "bits set after the prefix"),
        ((REST, Policy(A("10.0.0.0"), 8, 1, 1)), "16 bytes"),
        ((REST, Policy(A("2001:db8::"), 129, 1, 1)), "prefix length 129"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(wrong: tuple[Policy, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        PolicyTable(wrong)
    assert "\n" not in str(caught.value)


def test_ipv4_addresses_are_mapped_and_back() -> None:
    assert mapped(A("192.0.2.1")) == A("::ffff:192.0.2.1")
    assert unmapped(A("::ffff:192.0.2.1")) == A("192.0.2.1")
    assert unmapped(A("2001:db8::1")) == mapped(A("2001:db8::1")) == A("2001:db8::1")
