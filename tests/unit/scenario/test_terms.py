"""The small words of scenario files: times, addresses, names with ports, ranges, patterns."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.scenario.addresses import (
    Named,
    format_name,
    mapped,
    parse_name,
    resolve_references,
    unmapped,
    wildcard,
)
from wsknet.scenario.glob import intruder, matches, missing
from wsknet.scenario.terms import nanoseconds, port_range, split_address
from wsknet.text import parse_address
from wsknet.types import Cover

addresses = st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16))
ports = st.integers(0, 65535)
lines = st.text(alphabet="ab. *[", max_size=8)
plain = st.text(alphabet="ab.[", max_size=4)


# Times


@pytest.mark.parametrize(
    ("words", "expected"), [("50us", 50_000), ("1.5 ms", 1_500_000), ("2s", 2_000_000_000), ("1440min", 86_400 * 10**9)]
)
def test_times(words: str, expected: int) -> None:
    assert nanoseconds(words) == expected


@pytest.mark.parametrize("words", ["", "5", "-5s", "1441min", "9" * 400 + "s", "1e3s", "٣s", "1h", "s"])
def test_what_is_no_time(words: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|is too long"):
        nanoseconds(words)


# Ranges of ports


@given(first=st.integers(1, 65535), last=st.integers(1, 65535))
def test_a_range_of_ports_goes_upwards(first: int, last: int) -> None:
    if first <= last:
        assert port_range(f"{first}-{last}") == (first, last)
    else:
        with pytest.raises(ValueError, match="is no range of ports"):
            port_range(f"{first}-{last}")


@pytest.mark.parametrize("words", ["", "5", "0-5", "5-65536", "-5", "5-", "٣-٤", "1-2-3", "a-b"])
def test_what_is_no_range_of_ports(words: str) -> None:
    with pytest.raises(ValueError, match="is no range of ports"):
        port_range(words)


# Addresses with what is said of them


def test_an_address_and_what_is_said_of_it() -> None:
    assert split_address("10.1.0.2/24") == ("10.1.0.2/24", ())
    assert split_address("fd00::1/64 deprecated  temporary") == ("fd00::1/64", ("deprecated", "temporary"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "no prefix length"),
        ("   ", "no prefix length"),
        ("10.1.0.2", "no prefix length"),
        ("10.1.0.2/33", "no valid prefix length"),
        ("10.1.0.2/24 big", "'big' is nothing that can be said"),
    ],
)
def test_what_is_no_address_of_an_interface(words: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split_address(words)


# Names


@given(address=addresses, port=ports, zone=st.sampled_from(["", "if1", "3"]))
def test_a_name_is_read_as_it_is_written(address: bytes, port: int, zone: str) -> None:
    named = Named(address, port, zone if len(address) == 16 else "")
    assert parse_name(format_name(*named)) == named


@pytest.mark.parametrize(
    "words",
    [
        "", "10.1.0.2", "10.1.0.2:65536", "10.1.0.2:-1", "10.1.0.2:٣", "[10.1.0.2]:7", "::1:7", "[::1]", "[]:7", ":7",
        "10.1.0.2%if1:7", "[fe80::1%]:7", "name:7", "10.1.0.2:7 ",
    ],
)  # fmt: skip
def test_what_is_no_name(words: str) -> None:
    with pytest.raises(ValueError, match=r"expected one like|expected IPv4 like|in brackets|a zone is"):
        parse_name(words)


@given(words=st.text(alphabet="0123456789abf:.[]%@x", max_size=20))
def test_any_text_is_a_name_or_refused(words: str) -> None:
    with suppress(ValueError):
        assert 0 <= parse_name(words).port <= 65535


@given(address=addresses)
def test_a_mapped_address_is_the_ipv4_address_behind_it(address: bytes) -> None:
    assert unmapped(mapped(address, Cover.DUAL)) == unmapped(address)
    assert mapped(address, Cover.IPV4) == mapped(address, Cover.IPV6) == address


def test_the_wildcards() -> None:
    assert [wildcard(cover) for cover in (Cover.IPV4, Cover.IPV6, Cover.DUAL)] == [bytes(4), bytes(16), bytes(16)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("10.1.0.2:7", "10.1.0.2:7"),
        ("@s", "[fe80::1]:4000"),
        ("10.1.0.2:@s", "10.1.0.2:4000"),
        ("[::1]:@s", "[::1]:4000"),
    ],
)
def test_a_reference_is_the_name_of_a_socket_or_its_port(words: str, expected: str) -> None:
    assert resolve_references(words, {"s": "[fe80::1]:4000"}.__getitem__) == expected


# Patterns


@given(parts=st.lists(plain, min_size=1, max_size=4), fillings=st.lists(lines, min_size=3, max_size=3))
def test_a_star_fits_anything(parts: list[str], fillings: list[str]) -> None:
    text = parts[0] + "".join(filling + part for filling, part in zip(fillings, parts[1:], strict=False))
    assert matches("*".join(parts), text)


@given(pattern=plain, text=lines)
def test_without_a_star_it_fits_itself_alone(pattern: str, text: str) -> None:
    assert matches(pattern, text) == (pattern == text)
    assert matches("*", text)


@given(head=plain, text=lines, tail=plain)
def test_both_ends_count(head: str, text: str, tail: str) -> None:
    fits = len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)
    assert matches(f"{head}*{tail}", text) == fits


@given(seen=st.lists(st.sampled_from("abc"), max_size=6), wanted=st.lists(st.sampled_from("abc"), max_size=3))
def test_patterns_are_found_in_their_order(seen: list[str], wanted: list[str]) -> None:
    absent = missing(wanted, seen)
    in_order = re.search(".*".join(wanted), "".join(seen)) is not None
    assert (absent is None) == in_order
    assert absent is None or absent in wanted


@given(seen=st.lists(st.sampled_from("abc"), max_size=6), unwanted=st.lists(st.sampled_from("abc"), max_size=3))
def test_an_intruder_is_the_first_that_fits(seen: list[str], unwanted: list[str]) -> None:
    assert intruder(unwanted, seen) == next((line for line in seen if line in unwanted), None)


def test_one_line_does_not_stand_for_two() -> None:
    assert missing(["a*", "a*"], ["ab"]) == "a*"
    assert missing(["a*", "a*"], ["ab", "ac"]) is None


def test_addresses_are_not_mistaken_for_patterns() -> None:
    assert not matches("udp 10.1.0.2:7", "udp 10.1x0.2:7")
    assert matches("udp [::]:*", "udp [::]:7")
    assert parse_name("[::]:7").address == parse_address("::")
