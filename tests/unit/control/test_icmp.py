"""ICMP of both families: echoes, errors, and what is refused."""

from __future__ import annotations

import pytest

from tests.support.checksums import with_icmp6_checksum, with_icmp_checksum
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.codec import IcmpMessage
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import NeighbourSolicitation
from wsknet.trace import DropReason
from wsknet.types import Family
from wsknet.wire import ipv4, ipv6, udp

CODEC = ScapyCodec()
ENDS = {
    Family.IPV4: (bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])),
    Family.IPV6: (bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")),
}
FAMILIES = [Family.IPV4, Family.IPV6]
Kind = IcmpErrorKind


def quoted(family: Family, data: bytes = b"question") -> bytes:
    """A UDP datagram as it was sent, from the IP header on."""
    build = ipv4.build if family is Family.IPV4 else ipv6.build
    source, destination = ENDS[family]
    return build(destination, source, 17, 8 + len(data), 64) + udp.build(50000, 53, len(data), 0xABCD) + data


def with_checksum(family: Family, message: bytes) -> bytes:
    return with_icmp_checksum(message) if family is Family.IPV4 else with_icmp6_checksum(message, *ENDS[family])


def decode(family: Family, payload: bytes) -> IcmpMessage | DropReason:
    return CODEC.decode_icmp(family, *ENDS[family], payload)


def encode(family: Family, message: IcmpMessage) -> bytes:
    return CODEC.encode_icmp(family, *ENDS[family], message)


def error(family: Family, number: int, code: int, rest: int = 0, quote: bytes | None = None) -> bytes:
    """An error message off the wire; `rest` are the 4 bytes before the quoted packet."""
    quote = quoted(family) if quote is None else quote
    return with_checksum(family, bytes([number, code, 0, 0]) + rest.to_bytes(4, "big") + quote)


@pytest.mark.parametrize("data", [b"", b"x", b"abcdefgh", bytes(1472)])
@pytest.mark.parametrize(
    ("family", "is_reply", "number"),
    [(Family.IPV4, False, 8), (Family.IPV4, True, 0), (Family.IPV6, False, 128), (Family.IPV6, True, 129)],
)
def test_echoes(family: Family, is_reply: bool, number: int, data: bytes) -> None:
    message = EchoMessage(is_reply, identifier=0xFEDC, sequence=0xFFFF, data=data)
    payload = encode(family, message)
    assert payload == with_checksum(family, bytes([number, 0, 0, 0, 0xFE, 0xDC, 0xFF, 0xFF]) + data)
    assert decode(family, payload) == message


@pytest.mark.parametrize(
    ("family", "kind", "number", "code"),
    [
        (Family.IPV4, Kind.NETWORK_UNREACHABLE, 3, 0),
        (Family.IPV4, Kind.HOST_UNREACHABLE, 3, 1),
        (Family.IPV4, Kind.PROTOCOL_UNREACHABLE, 3, 2),
        (Family.IPV4, Kind.PORT_UNREACHABLE, 3, 3),
        (Family.IPV4, Kind.PACKET_TOO_BIG, 3, 4),
        (Family.IPV4, Kind.ADMIN_PROHIBITED, 3, 13),
        (Family.IPV4, Kind.TIME_EXCEEDED, 11, 0),
        (Family.IPV4, Kind.PARAMETER_PROBLEM, 12, 0),
        (Family.IPV6, Kind.NETWORK_UNREACHABLE, 1, 0),
        (Family.IPV6, Kind.ADMIN_PROHIBITED, 1, 1),
        (Family.IPV6, Kind.HOST_UNREACHABLE, 1, 3),
        (Family.IPV6, Kind.PORT_UNREACHABLE, 1, 4),
        (Family.IPV6, Kind.PACKET_TOO_BIG, 2, 0),
        (Family.IPV6, Kind.TIME_EXCEEDED, 3, 0),
        (Family.IPV6, Kind.PARAMETER_PROBLEM, 4, 0),
        (Family.IPV6, Kind.PROTOCOL_UNREACHABLE, 4, 1),
    ],
)
def test_each_kind_of_error_has_its_numbers(family: Family, kind: Kind, number: int, code: int) -> None:
    message = IcmpError(kind, quoted(family))
    payload = encode(family, message)
    assert payload == error(family, number, code)
    assert decode(family, payload) == message


@pytest.mark.parametrize(
    ("family", "message", "head"),
    [
        (Family.IPV4, IcmpError(Kind.PACKET_TOO_BIG, b"", mtu=1400), "0304 0000 0000 0578"),
        (Family.IPV4, IcmpError(Kind.PARAMETER_PROBLEM, b"", pointer=20, code=2), "0c02 0000 14000000"),
        (Family.IPV4, IcmpError(Kind.TIME_EXCEEDED, b"", code=1), "0b01 0000 00000000"),
        (Family.IPV6, IcmpError(Kind.PACKET_TOO_BIG, b"", mtu=0x12345), "0200 0000 00012345"),
        (Family.IPV6, IcmpError(Kind.PARAMETER_PROBLEM, b"", pointer=0x1234, code=2), "0402 0000 00001234"),
        (Family.IPV6, IcmpError(Kind.PROTOCOL_UNREACHABLE, b"", pointer=6), "0401 0000 00000006"),
        (Family.IPV6, IcmpError(Kind.TIME_EXCEEDED, b"", code=1), "0301 0000 00000000"),
    ],
)
def test_what_an_error_says_besides_its_kind(family: Family, message: IcmpError, head: str) -> None:
    whole = IcmpError(message.kind, quoted(family), message.mtu, message.pointer, message.code)
    payload = encode(family, whole)
    assert payload == with_checksum(family, bytes.fromhex(head) + quoted(family))
    assert decode(family, payload) == whole


@pytest.mark.rule("RFC1122-3.2.2.1", "RFC1812-5.2.7.1", "RFC4443-3.1")
@pytest.mark.parametrize(
    ("family", "code", "kind"),
    [(Family.IPV4, code, Kind.NETWORK_UNREACHABLE) for code in (0, 6, 11)]
    + [(Family.IPV4, code, Kind.HOST_UNREACHABLE) for code in (1, 5, 7, 8, 12)]
    + [(Family.IPV4, code, Kind.ADMIN_PROHIBITED) for code in (9, 10, 13, 14, 15)]
    + [(Family.IPV6, code, Kind.NETWORK_UNREACHABLE) for code in (0, 2)]
    + [(Family.IPV6, code, Kind.ADMIN_PROHIBITED) for code in (1, 5, 6)],
)
def test_codes_that_mean_the_same_to_a_host(family: Family, code: int, kind: Kind) -> None:
    payload = error(family, 3 if family is Family.IPV4 else 1, code)
    assert decode(family, payload) == IcmpError(kind, quoted(family))


@pytest.mark.rule("RFC4443-2.4")
@pytest.mark.parametrize(
    ("family", "number", "code"), [(Family.IPV4, 3, 200), (Family.IPV6, 1, 200), (Family.IPV6, 127, 9)]
)
def test_an_unknown_error_is_handed_up_as_such(family: Family, number: int, code: int) -> None:
    assert decode(family, error(family, number, code)) == IcmpError(Kind.OTHER, quoted(family), code=code)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_quote_comes_through_whole(family: Family) -> None:
    """Beyond 136 bytes there might be an extension by RFC 4884; this is none, and not to be taken for one."""
    quote = quoted(family, bytes(range(256)) * 4)
    message = IcmpError(Kind.PORT_UNREACHABLE, quote)
    assert decode(family, encode(family, message)) == message


@pytest.mark.parametrize("number", [1, 4, 9, 13, 40, 128, 255])
@pytest.mark.rule("RFC1122-3.2.2", "RFC6633-3")
def test_types_without_a_meaning_in_icmpv4(number: int) -> None:
    assert decode(Family.IPV4, error(Family.IPV4, number, 0)) is DropReason.ICMP_UNKNOWN_TYPE


@pytest.mark.parametrize("number", [139, 200, 255])
@pytest.mark.rule("RFC4443-2.4")
def test_types_without_a_meaning_in_icmpv6(number: int) -> None:
    assert decode(Family.IPV6, error(Family.IPV6, number, 0)) is DropReason.ICMP_UNKNOWN_TYPE


@pytest.mark.parametrize("family", FAMILIES)
def test_every_flipped_bit_is_noticed(family: Family) -> None:
    payload = encode(family, EchoMessage(False, 1, 2, b"hello"))
    for bit in range(8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 1 << bit % 8
        assert decode(family, bytes(damaged)) is DropReason.ICMP_BAD_CHECKSUM


def test_a_message_of_zeros_only_has_no_checksum() -> None:
    assert decode(Family.IPV4, bytes(8)) is DropReason.ICMP_BAD_CHECKSUM


@pytest.mark.rule("RFC8200-8.1")
def test_the_checksum_of_icmpv6_covers_the_addresses() -> None:
    payload = encode(Family.IPV6, EchoMessage(False, 1, 2))
    source, destination = ENDS[Family.IPV6]
    other = source[:-1] + b"\x55"
    assert CODEC.decode_icmp(Family.IPV6, other, destination, payload) is DropReason.ICMP_BAD_CHECKSUM


@pytest.mark.parametrize("family", FAMILIES)
def test_a_message_cut_anywhere_is_dropped(family: Family) -> None:
    """With the checksum of what is left, so that it is the length that counts."""
    least = 8 + (28 if family is Family.IPV4 else 48)
    payload = encode(family, IcmpError(Kind.PORT_UNREACHABLE, quoted(family)))
    for end in range(len(payload)):
        assert isinstance(decode(family, payload[:end]), DropReason)
        cut = with_checksum(family, payload[:end]) if end >= 4 else payload[:end]
        if end < least:
            assert decode(family, cut) is DropReason.ICMP_TRUNCATED
        else:
            assert decode(family, cut) == IcmpError(Kind.PORT_UNREACHABLE, quoted(family)[: end - 8])


def test_what_a_family_does_not_have_cannot_be_built() -> None:
    for family in FAMILIES:
        with pytest.raises(ValueError, match="OTHER"):
            encode(family, IcmpError(Kind.OTHER, quoted(family)))
    with pytest.raises(ValueError, match="NeighbourSolicitation"):
        encode(Family.IPV4, NeighbourSolicitation(ENDS[Family.IPV6][0]))
