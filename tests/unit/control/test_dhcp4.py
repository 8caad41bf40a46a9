"""DHCP messages to bytes and back, with Scapy and Wireshark as the other opinion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.dhcp import DhcpKind, DhcpMessage
from wsknet.text import format_address
from wsknet.trace import DropReason

CODEC = ScapyCodec()
MAC = bytes.fromhex("020000000002")
COOKIE = b"\x63\x82\x53\x63"
DISCOVER = DhcpMessage(DhcpKind.DISCOVER, 0x12345678, MAC, seconds=3, client_id=b"\x01" + MAC, parameters=(1, 121, 3))
DISCOVER_BYTES = (
    bytes.fromhex("01010600 12345678 0003 0000") + bytes(16) + MAC + bytes(10) + bytes(192) + COOKIE
    + bytes.fromhex("350101 3d0701020000000002 3703017903 ff")
).ljust(300, b"\0")  # fmt: skip
REPLIES = (DhcpKind.OFFER, DhcpKind.ACK, DhcpKind.NAK)


def reply(options: bytes, sname: bytes = b"", file: bytes = b"", end: bytes = b"\xff") -> bytes:
    """An acknowledgement with `options` after the message type."""
    header = bytes.fromhex("02010600 12345678 0000 0000") + bytes(4) + bytes([192, 0, 2, 5]) + bytes(8)
    header += MAC + bytes(10) + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return header + COOKIE + b"\x35\x01\x05" + options + end


def option(number: int, data: bytes) -> bytes:
    return bytes((number, len(data))) + data


def decoded(payload: bytes) -> DhcpMessage:
    message = CODEC.decode_dhcp(payload)
    assert isinstance(message, DhcpMessage)
    return message


addresses = st.binary(min_size=4, max_size=4)
numbers = st.none() | st.integers(0, 0xFFFFFFFF)
names = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)


@st.composite
def routes(draw: st.DrawFn) -> tuple[bytes, int, bytes | None]:
    length = draw(st.integers(0, 32))
    prefix = int.from_bytes(draw(addresses), "big") >> 32 - length << 32 - length
    router = draw(addresses.filter(any) | st.none())
    return prefix.to_bytes(4, "big"), length, router


messages = st.builds(
    DhcpMessage,
    st.sampled_from(DhcpKind),
    transaction=st.integers(0, 0xFFFFFFFF),
    client_mac=st.binary(min_size=6, max_size=6),
    seconds=st.integers(0, 0xFFFF),
    is_broadcast=st.booleans(),
    client_address=addresses,
    your_address=addresses,
    server=st.none() | addresses,
    requested=st.none() | addresses,
    lease=numbers,
    renewal=numbers,
    rebinding=numbers,
    prefix_length=st.none() | st.integers(0, 32),
    routers=st.lists(addresses, max_size=80).map(tuple),
    routes=st.lists(routes(), max_size=60).map(tuple),
    name_servers=st.lists(addresses, max_size=4).map(tuple),
    domain=names,
    host_name=names,
    mtu=st.none() | st.integers(0, 0xFFFF),
    client_id=st.binary(max_size=20),
    parameters=st.lists(st.integers(0, 255), max_size=20).map(tuple),
    text=names,
)


def test_a_discover_byte_by_byte() -> None:
    assert CODEC.encode_dhcp(DISCOVER) == DISCOVER_BYTES
    assert CODEC.decode_dhcp(DISCOVER_BYTES) == DISCOVER


@given(messages)
def test_what_is_encoded_is_decoded(message: DhcpMessage) -> None:
    payload = CODEC.encode_dhcp(message)

    assert len(payload) >= 300
    assert CODEC.decode_dhcp(payload) == message


@given(messages)
def test_scapy_reads_the_same(message: DhcpMessage) -> None:
    message = replace(message, routers=message.routers[:60], routes=(), domain=message.domain[:200])
    packet = BOOTP(CODEC.encode_dhcp(message))

    assert (packet.op, packet.htype, packet.hlen, packet.hops) == (2 if message.kind in REPLIES else 1, 1, 6, 0)
    assert (packet.xid, packet.secs) == (message.transaction, message.seconds)
    assert int(packet.flags) == (0x8000 if message.is_broadcast else 0)
    assert packet.chaddr == message.client_mac + bytes(10)
    assert (packet.ciaddr, packet.yiaddr) == (
        format_address(message.client_address), format_address(message.your_address),
    )  # fmt: skip
    assert (packet.siaddr, packet.giaddr, packet.sname, packet.file) == ("0.0.0.0", "0.0.0.0", bytes(64), bytes(128))
    options: dict[str, Any] = {each[0]: each[1:] for each in packet[DHCP].options if isinstance(each, tuple)}
    assert options["message-type"] == (message.kind,)
    for name, value in (
        ("lease_time", message.lease),
        ("renewal_time", message.renewal),
        ("rebinding_time", message.rebinding),
        ("interface-mtu", message.mtu),
        ("server_id", format_address(message.server) if message.server else None),
        ("requested_addr", format_address(message.requested) if message.requested else None),
        ("domain", message.domain.encode() or None),
    ):
        assert options.get(name) == (None if value is None else (value,))
    assert options.get("router", ()) == tuple(map(format_address, message.routers))


@requires_tool("tshark")
def test_wireshark_reads_the_same(tmp_path: Path) -> None:
    capture = tmp_path / "dhcp.pcap"
    message = replace(DISCOVER, kind=DhcpKind.REQUEST, requested=bytes([192, 0, 2, 5]), host_name="lab")
    link = Ether(src="02:00:00:00:00:02", dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
    wrpcap(str(capture), [link / UDP(sport=68, dport=67) / CODEC.encode_dhcp(each) for each in (DISCOVER, message)])

    assert judge(capture).is_clean
    names = ("dhcp.option.dhcp", "dhcp.id", "dhcp.secs", "dhcp.hw.mac_addr", "dhcp.option.hostname")
    kinds = [row[:3] + row[4:] for row in fields(capture, *names)]
    assert kinds == [["1", "0x12345678", "3", ""], ["3", "0x12345678", "3", "lab"]]


@given(st.binary(max_size=400))
def test_no_bytes_raise(payload: bytes) -> None:
    assert isinstance(CODEC.decode_dhcp(payload), DhcpMessage | DropReason)


@given(st.binary(max_size=200), st.binary(max_size=64), st.binary(max_size=128), st.sampled_from(["", "1", "2", "3"]))
def test_no_options_raise(options: bytes, sname: bytes, file: bytes, overload: str) -> None:
    if overload:
        options = option(52, bytes([int(overload)])) + options
    message = CODEC.decode_dhcp(reply(options, sname, file))

    assert isinstance(message, DhcpMessage) or message is DropReason.DHCP_MALFORMED


def test_a_message_cut_before_its_options_end_is_malformed_or_has_fewer() -> None:
    whole = reply(option(54, bytes([192, 0, 2, 1])) + option(51, bytes(4)))
    for end in range(len(whole)):
        message = CODEC.decode_dhcp(whole[:end])
        if end in (243, 249, 255):  # between two options: senders forget the end option
            assert isinstance(message, DhcpMessage)
        else:
            assert message is DropReason.DHCP_MALFORMED


@pytest.mark.rule("RFC2131-2", "RFC2131-3")
@pytest.mark.parametrize(
    ("at", "value"), [(0, 1), (0, 0), (0, 3), (1, 6), (2, 0), (2, 16), (236, 0), (239, 0x64), (242, 0), (242, 9)]
)
def test_what_is_no_reply_of_dhcp_over_ethernet_is_malformed(at: int, value: int) -> None:
    message = bytearray(reply(b""))
    assert decoded(bytes(message)).kind is DhcpKind.ACK
    message[at] = value
    assert CODEC.decode_dhcp(bytes(message)) is DropReason.DHCP_MALFORMED


def test_a_bootp_reply_without_message_type_is_malformed() -> None:
    bootp = reply(b"").replace(b"\x35\x01\x05", b"\x00\x00\x00")
    assert CODEC.decode_dhcp(bootp) is DropReason.DHCP_MALFORMED


@pytest.mark.parametrize(
    "options",
    [
        option(1, b"\xff\xff\xff"),
        option(1, b"\xff\x00\xff\x00"),
        option(1, b"\x00\x00\x00\xff"),
        option(3, b""),
        option(3, bytes(5)),
        option(6, bytes(3)),
        option(26, b"\x05"),
        option(51, bytes(3)),
        option(52, b"\x01\x01"),
        option(53, b"\x05"),
        option(54, bytes(8)),
        option(58, b""),
        option(121, b"\x21\x0a\x00\x00\x00\x00\xc0\x00\x02\x01"),
        option(121, b"\x18\x0a\x00"),
        option(121, b"\x18\x0a\x00\x00\xc0\x00\x02"),
        b"\x33",
        b"\x33\x04\x00",
    ],
)
def test_an_option_that_lies_spoils_the_message(options: bytes) -> None:
    assert CODEC.decode_dhcp(reply(options, end=b"")) is DropReason.DHCP_MALFORMED


@pytest.mark.parametrize("length", range(33))
def test_a_mask_is_a_prefix_length(length: int) -> None:
    mask = (0xFFFFFFFF << 32 - length & 0xFFFFFFFF).to_bytes(4, "big")
    assert decoded(reply(option(1, mask))).prefix_length == length


def test_unknown_options_and_padding_are_skipped() -> None:
    message = decoded(reply(option(43, b"vendor") + bytes(3) + option(250, b"") + option(54, b"\xc0\x00\x02\x01")))
    assert message.server == bytes([192, 0, 2, 1])


def test_what_follows_the_end_does_not_count() -> None:
    assert decoded(reply(b"\xff" + option(54, bytes(4)), end=b"")).server is None


@pytest.mark.rule("RFC2132-9.3")
@pytest.mark.parametrize(("overload", "server", "domain"), [(0, "", ""), (1, "s", ""), (2, "", "d"), (3, "s", "d")])
def test_options_may_stand_in_the_fields_for_names(overload: int, server: str, domain: str) -> None:
    file, sname = option(54, b"\xc0\x00\x02\x01") + b"\xff", option(15, b"lab") + b"\xff" + option(15, b"no")
    message = decoded(reply(option(52, bytes([overload])) if overload else b"", sname, file))

    assert message.server == (bytes([192, 0, 2, 1]) if server else None)
    assert message.domain == ("lab" if domain else "")


@pytest.mark.rule("RFC3396-5", "RFC3396-7")
def test_an_option_in_several_pieces_is_joined_in_the_order_of_the_fields() -> None:
    options = option(15, b"one.") + option(54, bytes([192, 0, 2, 1])) + option(15, b"two.") + option(52, b"\x03")
    message = decoded(reply(options, sname=option(15, b"four") + b"\xff", file=option(15, b"three.") + b"\xff"))

    assert message.domain == "one.two.three.four"


@pytest.mark.rule("RFC3396-7")
def test_a_long_option_is_written_in_pieces() -> None:
    message = DhcpMessage(DhcpKind.ACK, 1, MAC, name_servers=tuple(bytes([192, 0, 2, n]) for n in range(200)))
    payload = CODEC.encode_dhcp(message)

    assert payload[240:245] == b"\x35\x01\x05\x06\xff"
    assert [payload[at : at + 2] for at in (500, 757, 1014)] == [b"\x06\xff", b"\x06\xff", b"\x06\x23"]
    assert CODEC.decode_dhcp(payload) == message


@pytest.mark.rule("RFC3442-Classless.Route.Option.Format")
def test_the_examples_of_classless_routes() -> None:
    router = bytes([192, 0, 2, 1])
    table = {
        "00": (bytes(4), 0),
        "080a": (bytes([10, 0, 0, 0]), 8),
        "180a0000": (bytes([10, 0, 0, 0]), 24),
        "100a11": (bytes([10, 17, 0, 0]), 16),
        "180a1b81": (bytes([10, 27, 129, 0]), 24),
        "190a e5 00 80": (bytes([10, 229, 0, 128]), 25),
        "200ac67a2f": (bytes([10, 198, 122, 47]), 32),
    }
    data = b"".join(bytes.fromhex(text) + router for text in table)

    assert decoded(reply(option(121, data))).routes == tuple((*prefix, router) for prefix in table.values())


@pytest.mark.rule("RFC3442-Classless.Route.Option.Format")
def test_bits_behind_the_prefix_are_cleared_and_no_router_is_the_link() -> None:
    data = bytes.fromhex("17 0a0103 00000000")
    assert decoded(reply(option(121, data))).routes == ((bytes([10, 1, 2, 0]), 23, None),)


@pytest.mark.rule("RFC2132-2")
@pytest.mark.parametrize(
    ("data", "text"), [(b"lab\0\0", "lab"), (b"l\x1b[2Jab", "l\ufffd[2Jab"), (b"l\xc3\xa4b", "l\ufffd\ufffdb")]
)
def test_text_is_harmless(data: bytes, text: str) -> None:
    assert decoded(reply(option(15, data))).domain == text


def test_text_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="ascii"):
        CODEC.encode_dhcp(replace(DISCOVER, host_name="h\xf6st"))
