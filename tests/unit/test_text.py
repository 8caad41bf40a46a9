"""Addresses as people write them: what is understood, how it is shown, and what a mistake is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.net.wording import address_text
from wsknet.text import (
    format_address,
    format_endpoint,
    format_mac,
    parse_address,
    parse_cidr,
    parse_mac,
    parse_network,
    same_prefix,
)
from wsknet.types import Endpoint

addresses = st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16))


@given(addresses)
def test_what_is_shown_can_be_written(address: bytes) -> None:
    assert parse_address(format_address(address)) == address
    assert parse_address(address_text(address)) == address


@given(st.binary(min_size=6, max_size=6))
def test_macs_too(mac: bytes) -> None:
    assert parse_mac(format_mac(mac)) == mac
    assert parse_mac(format_mac(mac).upper().replace(":", "-")) == mac


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("192.0.2.1", bytes((192, 0, 2, 1))),
        ("::1", bytes(15) + b"\x01"),
        ("2001:DB8:0:0::1", bytes.fromhex("20010db8") + bytes(11) + b"\x01"),
        ("::ffff:192.0.2.1", bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1))),
    ],
)
def test_addresses(text: str, packed: bytes) -> None:
    assert parse_address(text) == packed


def test_zones_and_ports_are_shown() -> None:
    link_local = parse_address("fe80::1")
    assert format_address(link_local, 2) == address_text(link_local, 2) == "fe80::1%2"
    assert format_endpoint(Endpoint(link_local, 80, 2)) == "[fe80::1%2]:80"
    assert format_endpoint(Endpoint(parse_address("192.0.2.1"), 80)) == "192.0.2.1:80"


def test_prefixes() -> None:
    assert parse_cidr("192.0.2.1/24") == (bytes((192, 0, 2, 1)), 24)
    assert parse_cidr("2001:db8::1/0")[1] == 0
    assert parse_network("192.0.2.0/24") == (bytes((192, 0, 2, 0)), 24)
    assert same_prefix(parse_address("10.1.0.2"), parse_address("10.1.0.129"), 24)
    assert not same_prefix(parse_address("10.1.0.2"), parse_address("10.1.0.129"), 25)


@pytest.mark.parametrize(
    "text",
    ["", "1", "192.0.2", "192.0.2.256", "0192.0.2.1", "0x7f000001", " 192.0.2.1", "192.0.2.1/24", "192.0.2.1:80",
     "fe80::1%2", "[::1]", "::1::", "localhost", "\uff11.2.3.4"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]* is not an address: expected IPv4 like 192\.0\.2\.1 or IPv6 [^\n]*$"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "expected an address like 192.0.2.1/24"),
        ("192.0.2.1/33", "expected 0 to 32"),
        ("192.0.2.1/00099", "expected 0 to 32"),
        ("2001:db8::1/129", "expected 0 to 128"),
        ("192.0.2.1/", "expected 0 to 32"),
        ("192.0.2.1/-1", "expected 0 to 32"),
        ("192.0.2.1/٣", "expected 0 to 32"),
        ("192.0.2.1/255.255.255.0", "expected 0 to 32"),
        ("host/24", "expected IPv4"),
    ],
)
def test_what_is_no_interface_address(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        parse_cidr(text)


def test_a_network_with_host_bits_is_told_the_network() -> None:
    with pytest.raises(ValueError, match=r"'192.0.2.1/24' has bits set after the prefix: expected 192\.0\.2\.0/24"):
        parse_network("192.0.2.1/24")


@pytest.mark.parametrize("text", ["", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00:00:00:00:01", "020000000001", "1"])
def test_what_is_no_mac(text: str) -> None:
    with pytest.raises(ValueError, match="expected six bytes like 02:00:00:00:00:01"):
        parse_mac(text)
