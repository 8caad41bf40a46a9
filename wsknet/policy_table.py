"""The policy table of RFC 6724 2.1: what an administrator may say about prefixes.

The label ties sources to destinations (section 5, rule 6; section 6, rule 5), the precedence orders destinations
(section 6, rule 6).  IPv4 addresses stand in it as IPv4-mapped ones (section 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv6Network
from typing import NamedTuple

from wsknet.types import Address

MAPPED = bytes(10) + b"\xff\xff"
"""Before the four bytes of an IPv4 address (RFC 4291 2.5.5.2)."""

_BITS = 128


class Policy(NamedTuple):
    prefix: Address
    """16 bytes, those of IPv4 as ``::ffff:0:0/96``."""
    prefix_length: int
    precedence: int
    """The higher the better."""
    label: int
    """Only equality counts."""


@dataclass(frozen=True)
class PolicyTable:
    """`ValueError`, with one line for people, where a row says nothing or nothing is said about some address."""

    rows: tuple[Policy, ...]
    _by_length: tuple[tuple[int, dict[int, Policy]], ...] = field(init=False, repr=False, compare=False)
    """What has to be shifted out, and the policies by the bits that are left; longest prefix first."""

    def __post_init__(self) -> None:
        by_length: dict[int, dict[int, Policy]] = {}
        for row in self.rows:
            same_length = by_length.setdefault(row.prefix_length, {})
            bits = _bits_of(row)
            if bits in same_length:
                raise ValueError(f"two policies for {_text(row)}: keep one")
            same_length[bits] = row
        if 0 not in by_length:
            raise ValueError("no policy for ::/0: what no other prefix contains needs one")
        index = tuple((_BITS - length, by_length[length]) for length in sorted(by_length, reverse=True))
        object.__setattr__(self, "_by_length", index)

    def find(self, address: Address) -> Policy:
        """The row with the longest prefix that contains `address`, of either family."""
        number = int.from_bytes(mapped(address), "big")
        for shift, policies in self._by_length:
            policy = policies.get(number >> shift)
            if policy is not None:
                return policy
        raise AssertionError("::/0 contains every address")


def mapped(address: Address) -> Address:
    """In 16 bytes: an IPv4 address as IPv4-mapped, others as they are."""
    return MAPPED + address if len(address) == 4 else address


def unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped one stands for, others as they are."""
    return address[12:] if len(address) == 16 and address.startswith(MAPPED) else address


def _bits_of(row: Policy) -> int:
    """The bits of the prefix as a number."""
    if len(row.prefix) != _BITS // 8:
        raise ValueError("the prefix of a policy has 16 bytes: write IPv4 as IPv4-mapped")
    if not 0 <= row.prefix_length <= _BITS:
        raise ValueError(f"prefix length {row.prefix_length} is not 0 to {_BITS}")
    number, shift = int.from_bytes(row.prefix, "big"), _BITS - row.prefix_length
    if number >> shift << shift != number:
        raise ValueError(f"{_text(row)} has bits set after the prefix: clear them")
    return number >> shift


def _text(row: Policy) -> str:
    return f"{IPv6Network((row.prefix, row.prefix_length), strict=False).network_address}/{row.prefix_length}"


def _row(text: str, precedence: int, label: int) -> Policy:
    network = IPv6Network(text)
    return Policy(network.network_address.packed, network.prefixlen, precedence, label)


RFC_6724 = PolicyTable(
    (
        _row("::1/128", 50, 0),
        _row("::/0", 40, 1),
        _row("::ffff:0:0/96", 35, 4),
        _row("2002::/16", 30, 2),
        _row("2001::/32", 5, 5),
        _row("fc00::/7", 3, 13),
        _row("::/96", 1, 3),
        _row("fec0::/10", 1, 11),
        _row("3ffe::/16", 1, 12),
    )
)
"""Section 2.1; "netsh interface ipv6 show prefixpolicies" lists the same."""
