"""Interface identifiers: never a reserved one, and what depends on what."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.net.lab import A
from wsknet.net.autoconf import identifiers
from wsknet.net.autoconf.identifiers import Identifiers, is_reserved, modified_eui64

PREFIX, OTHER_PREFIX = A("2001:db8:1::"), A("2001:db8:2::")


@pytest.mark.rule("RFC4291-A", "RFC2464-4")
def test_the_modified_eui64_of_rfc_2464() -> None:
    assert modified_eui64(bytes.fromhex("34567890abcd")) == bytes.fromhex("3656 78ff fe90 abcd")


@pytest.mark.rule("RFC5453-3")
@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("0000000000000000", True),
        ("0000000000000001", False),
        ("02005efffdffffff", False),
        ("02005efffe000000", True),
        ("02005efffe005213", True),
        ("02005efffeffffff", True),
        ("02005effff000000", False),
        ("fdffffffffffff7f", False),
        ("fdffffffffffff80", True),
        ("fdffffffffffffff", True),
        ("fe00000000000000", False),
    ],
)
def test_reserved_identifiers(identifier: str, expected: bool) -> None:
    assert is_reserved(bytes.fromhex(identifier)) is expected


@pytest.mark.rule("RFC7217-5")
def test_a_stable_identifier_depends_on_prefix_interface_counter_and_host() -> None:
    host = Identifiers(Random(1))
    first = host.stable(PREFIX, "eth0", 0)
    assert host.stable(PREFIX, "eth0", 0) == first
    others = [
        host.stable(OTHER_PREFIX, "eth0", 0),
        host.stable(PREFIX, "eth1", 0),
        host.stable(PREFIX, "eth0", 1),
        Identifiers(Random(2)).stable(PREFIX, "eth0", 0),
    ]
    assert len({first, *others}) == 5
    assert Identifiers(Random(1)).stable(PREFIX, "eth0", 0) == first


@pytest.mark.rule("RFC7217-5")
def test_a_reserved_stable_identifier_is_passed_over_for_that_of_the_next_counter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Identifiers(Random(1))
    first, second = (host.stable(PREFIX, "eth0", counter) for counter in (0, 1))
    monkeypatch.setattr(identifiers, "is_reserved", lambda identifier: identifier == first)

    assert host.stable(PREFIX, "eth0", 0) == second


class Fixed(Random):
    """Gives these bytes, in this order."""

    def __init__(self, *values: str) -> None:
        super().__init__(0)
        self.values = [bytes.fromhex(value) for value in values]

    def randbytes(self, n: int) -> bytes:
        return self.values.pop(0)


@pytest.mark.rule("RFC8981-3.3.1")
def test_a_reserved_number_is_drawn_again() -> None:
    random = Fixed("0000000000000000", "fdffffffffffff90", "02005efffe000001", "0123456789abcdef")
    assert Identifiers(random).temporary() == bytes.fromhex("0123456789abcdef")


@settings(max_examples=50)
@given(st.integers(0, 1000), st.binary(min_size=16, max_size=16), st.text(max_size=8), st.integers(0, 10))
def test_no_identifier_is_reserved(seed: int, prefix: bytes, interface: str, counter: int) -> None:
    host = Identifiers(Random(seed))
    for identifier in (host.stable(prefix, interface, counter), host.temporary()):
        assert len(identifier) == 8
        assert not is_reserved(identifier)


@pytest.mark.rule("RFC7217-5")
def test_a_secret_that_is_kept_gives_the_same_identifiers_in_the_next_run() -> None:
    first, second = (Identifiers(Random(seed), b"kept") for seed in (1, 2))
    assert first.stable(PREFIX, "eth0", 0) == second.stable(PREFIX, "eth0", 0)
    drawn, other = (Identifiers(Random(seed)) for seed in (1, 2))
    assert drawn.stable(PREFIX, "eth0", 0) != other.stable(PREFIX, "eth0", 0)
