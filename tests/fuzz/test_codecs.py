"""Every codec against Scapy, both ways."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    RouterAlert,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw
from scapy.pton_ntop import inet_ntop
from scapy.utils import str2mac

from tests.fuzz.extensions import walk_ipv6
from wsknet.control.codec import ScapyCodec
from wsknet.net.messages.icmp import EchoMessage, IcmpError, IcmpErrorKind
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation, NeighbourAdvertisement, NeighbourSolicitation
from wsknet.trace import DropReason
from wsknet.types import Address, Family, Proto, is_multicast
from wsknet.wire import ethernet, ipv4, ipv6, ipv6_extensions, tcp, tcp_options, udp
from wsknet.wire.checksum import internet_checksum, pseudo_sum, transport_is_valid
from wsknet.wire.fault import Fault
from wsknet.wire.ipv6_extensions import Place
from wsknet.wire.tcp_options import Options

tried = settings(max_examples=150)

CODEC = ScapyCodec()

BYTE, WORD, LONG = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
FLAG = st.booleans()
V4 = st.binary(min_size=4, max_size=4)
V6 = st.binary(min_size=16, max_size=16)
ENDS = st.one_of(st.tuples(V4, V4), st.tuples(V6, V6))
MAC = st.binary(min_size=6, max_size=6)
STATION_MAC = MAC.filter(lambda mac: not mac[0] & 1)
PAYLOAD = st.binary(max_size=64)


def text(address: Address) -> str:
    return str(inet_ntop(2 if len(address) == 4 else 10, address))


def network_layer(source: Address, destination: Address, protocol: int) -> Packet:
    """Scapy's, with every address set."""
    if len(source) == 4:
        return IP(src=text(source), dst=text(destination), proto=protocol)
    return IPv6(src=text(source), dst=text(destination), nh=protocol)


def read_by_scapy(source: Address, destination: Address, protocol: int, payload: bytes) -> Packet:
    """What Scapy finds above IP."""
    layer = network_layer(source, destination, protocol)
    return layer.__class__(bytes(layer / Raw(payload))).payload


def checked_by_scapy(source: Address, destination: Address, protocol: int, layer: Packet) -> bytes:
    """The bytes of `layer` with the checksum that Scapy computes."""
    layer = layer.copy()
    layer.delfieldval("cksum" if "cksum" in layer.fields else "chksum")
    whole = bytes(network_layer(source, destination, protocol) / layer)
    return whole[20 if len(source) == 4 else 40 :]


# Ethernet


@tried
@given(MAC, MAC, st.sampled_from([ethernet.ETHERTYPE_IPV4, ethernet.ETHERTYPE_ARP, ethernet.ETHERTYPE_IPV6]))
def test_ethernet_headers_are_what_scapy_reads_and_writes(destination: bytes, source: bytes, ethertype: int) -> None:
    ours = ethernet.header(destination, source, ethertype)
    theirs = Ether(dst=str2mac(destination), src=str2mac(source), type=ethertype)
    assert ours == bytes(theirs)
    read = Ether(ours)
    assert (read.dst, read.src, read.type) == (str2mac(destination), str2mac(source), ethertype)


# IPv4


@tried
@given(V4, V4, BYTE, PAYLOAD, BYTE, WORD, BYTE, FLAG, FLAG, st.integers(0, 0x1FFF))
def test_ipv4_headers_are_what_scapy_reads_and_writes(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload: bytes,
    hop_limit: int,
    identification: int,
    traffic_class: int,
    dont_fragment: bool,
    more_fragments: bool,
    units: int,
) -> None:
    ours = ipv4.build(
        source, destination, protocol, len(payload), hop_limit, identification, traffic_class, dont_fragment,
        more_fragments, units * 8,
    )  # fmt: skip
    theirs = IP(
        src=text(source), dst=text(destination), proto=protocol, ttl=hop_limit, id=identification, tos=traffic_class,
        flags=2 * dont_fragment + more_fragments, frag=units,
    )  # fmt: skip
    assert ours + payload == bytes(theirs / Raw(payload))

    header = ipv4.parse(ours + payload)
    assert isinstance(header, ipv4.Ipv4Header)
    assert_same_ipv4(header, IP(ours + payload))


def assert_same_ipv4(header: ipv4.Ipv4Header, read: Packet) -> None:
    assert (header.header_length, header.total_length) == (read.ihl * 4, read.len)
    assert (header.traffic_class, header.identification) == (read.tos, read.id)
    assert (header.dont_fragment, header.more_fragments) == (bool(read.flags.DF), bool(read.flags.MF))
    assert header.fragment_offset == read.frag * 8
    assert (header.hop_limit, header.protocol) == (read.ttl, read.proto)
    assert (text(header.source), text(header.destination)) == (read.src, read.dst)


IPV4_OPTION = st.one_of(
    st.just(b"\1"),
    st.tuples(st.sampled_from([7, 68, 130, 136, 148, 222]), st.binary(max_size=8)).map(
        lambda option: bytes([option[0], 2 + len(option[1])]) + option[1]
    ),
)
IPV4_OPTIONS = st.lists(IPV4_OPTION, max_size=4).map(b"".join).map(lambda options: options + bytes(-len(options) % 4))


@tried
@given(V4, V4, IPV4_OPTIONS, PAYLOAD, st.binary(max_size=8), st.integers(0, 7))
def test_ipv4_options_and_padding_are_what_scapy_reads(
    source: bytes, destination: bytes, options: bytes, payload: bytes, padding: bytes, flags: int
) -> None:
    header = IP(src=text(source), dst=text(destination), ihl=5 + len(options) // 4, flags=flags)
    header.len = header.ihl * 4 + len(payload)
    raw = bytes(header)[:20] + options
    raw = raw[:10] + b"\0\0" + raw[12:]
    raw = raw[:10] + internet_checksum(raw).to_bytes(2, "big") + raw[12:]

    ours = ipv4.parse(raw + payload + padding)

    assert isinstance(ours, ipv4.Ipv4Header)
    assert ours.options == options
    assert_same_ipv4(ours, IP(raw + payload + padding))
    for end in range(len(raw) + len(payload)):
        assert ipv4.parse((raw + payload)[:end]) is DropReason.IP_TRUNCATED


# IPv6


@tried
@given(V6, V6, st.sampled_from([6, 17, 50, 58, 132]), PAYLOAD, BYTE, BYTE, st.integers(0, 0xFFFFF))
def test_ipv6_headers_are_what_scapy_reads_and_writes(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload: bytes,
    hop_limit: int,
    traffic_class: int,
    flow_label: int,
) -> None:
    ours = ipv6.build(source, destination, protocol, len(payload), hop_limit, traffic_class, flow_label)
    theirs = IPv6(src=text(source), dst=text(destination), nh=protocol, hlim=hop_limit, tc=traffic_class, fl=flow_label)
    assert ours + payload == bytes(theirs / Raw(payload))

    header, read = ipv6.parse(ours + payload), IPv6(ours + payload)
    assert isinstance(header, ipv6.Ipv6Header)
    assert (header.traffic_class, header.flow_label, header.payload_length) == (read.tc, read.fl, read.plen)
    assert (header.protocol, header.hop_limit) == (read.nh, read.hlim)
    assert (text(header.source), text(header.destination)) == (read.src, read.dst)
    assert (header.header_length, header.total_length) == (40, 40 + read.plen)


OPTIONS_6 = st.lists(
    st.one_of(st.builds(lambda size: PadN(optdata=bytes(size)), st.integers(0, 9)), st.builds(RouterAlert)), max_size=3
)
EXTENSION = st.one_of(
    st.builds(lambda options: IPv6ExtHdrDestOpt(options=options), OPTIONS_6),
    st.builds(lambda hops: IPv6ExtHdrRouting(type=2, addresses=["2001:db8::9"] * hops, segleft=0), st.integers(0, 2)),
)


@tried
@given(st.none() | OPTIONS_6, st.lists(EXTENSION, max_size=6), PAYLOAD)
def test_the_upper_protocol_is_where_scapy_put_it(
    hop_by_hop: list[Packet] | None, extensions: list[Packet], payload: bytes
) -> None:
    packet = IPv6(src="2001:db8::1", dst="2001:db8::2")
    if hop_by_hop is not None:
        packet /= IPv6ExtHdrHopByHop(options=hop_by_hop)
    for extension in extensions:
        packet /= extension.copy()
    raw = bytes(packet / UDP(sport=1, dport=2) / Raw(payload))

    place = walk_ipv6(raw)

    assert isinstance(place, Place)
    assert place.protocol == 17
    assert raw[place.offset :][8:] == payload
    assert ipv6_extensions.find_upper(raw) == place
    for end in range(len(raw)):
        assert ipv6.parse(raw[:end]) is DropReason.IP_TRUNCATED
        if 40 <= end < place.offset:
            fault = walk_ipv6(raw[:end])
            assert isinstance(fault, Fault)
            assert (fault.reason, fault.code) == (DropReason.IP_BAD_EXTENSION, 0)


# UDP, TCP


@tried
@given(ENDS, WORD, WORD, PAYLOAD, st.integers(0, 64))
def test_udp_headers_are_what_scapy_reads_and_writes(
    ends: tuple[bytes, bytes], source_port: int, destination_port: int, payload: bytes, cut: int
) -> None:
    pseudo = pseudo_sum(*ends, Proto.UDP)
    checksum = udp.checksum(pseudo, source_port, destination_port, (payload[:cut], payload[cut:]))
    ours = udp.build(source_port, destination_port, len(payload), checksum) + payload

    theirs = UDP(sport=source_port, dport=destination_port, chksum=0) / Raw(payload)
    assert ours == checked_by_scapy(*ends, Proto.UDP, theirs)
    assert transport_is_valid(pseudo, ours)
    read = UDP(ours)
    assert udp.parse(ours) == (read.sport, read.dport, read.len, read.chksum)
    for end in range(len(ours)):
        assert udp.parse(ours[:end]) in (DropReason.UDP_TRUNCATED, DropReason.UDP_BAD_LENGTH)


BLOCKS = st.lists(st.tuples(LONG, LONG), max_size=3).map(tuple)
TCP_OPTIONS = st.builds(
    Options,
    mss=st.none() | WORD,
    window_scale=st.none() | st.integers(0, 14),
    sack_permitted=FLAG,
    sack_blocks=BLOCKS,
    timestamps=st.none() | st.tuples(LONG, LONG),
    fast_open=st.none() | st.sampled_from((0, 4, 8, 16)).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
).filter(lambda options: len(tcp_options.build(options._replace(sack_blocks=()))) + 4 + 24 <= 40 or not options[3])


def options_of_scapy(read: Packet) -> Options:
    found = {name: value for name, value in read.options if name not in ("NOP", "EOL")}
    edges = found.get("SAck", ())
    cookie = found.get("TFO")
    if isinstance(cookie, tuple):  # how it reads those of eight bytes
        cookie = b"".join(half.to_bytes(4, "big") for half in cookie)
    return Options(
        found.get("MSS"),
        found.get("WScale"),
        "SAckOK" in found,
        tuple(zip(edges[::2], edges[1::2], strict=True)),
        found.get("Timestamp"),
        cookie,
    )


@tried
@given(ENDS, WORD, WORD, LONG, LONG, BYTE, WORD, WORD, TCP_OPTIONS, PAYLOAD)
def test_tcp_headers_are_what_scapy_reads_and_writes(
    ends: tuple[bytes, bytes],
    source_port: int,
    destination_port: int,
    seq: int,
    ack: int,
    flags: int,
    window: int,
    urgent: int,
    options: Options,
    payload: bytes,
) -> None:
    pseudo = pseudo_sum(*ends, Proto.TCP)
    ports, fields = (source_port, destination_port), (seq, ack, flags, window)
    packed = tcp_options.build(options)
    ours = tcp.build_checked(pseudo, *ports, *fields, packed, (payload,), urgent) + payload

    read = TCP(ours)
    assert (read.sport, read.dport, read.seq, read.ack, int(read.flags), read.window) == (*ports, *fields)
    assert (read.urgptr, bytes(read.payload)) == (urgent, payload)
    assert options_of_scapy(read) == options
    assert ours == checked_by_scapy(*ends, Proto.TCP, read)
    assert transport_is_valid(pseudo, ours)

    segment = tcp.parse(ours)
    assert isinstance(segment, tcp.Segment)
    assert (segment.source_port, segment.destination_port) == ports
    assert (segment.seq, segment.ack, segment.flags, segment.window) == fields
    assert (segment.urgent, segment.payload, segment.options) == (urgent, payload, options)
    for end in range(20 + len(packed)):
        assert tcp.parse(ours[:end]) in (DropReason.TCP_TRUNCATED, DropReason.TCP_BAD_OFFSET)


SCAPY_TCP_OPTION = st.one_of(
    st.just(("NOP", None)),
    st.tuples(st.just("MSS"), WORD),
    st.tuples(st.just("WScale"), st.integers(0, 14)),
    st.just(("SAckOK", b"")),
    st.tuples(st.just("Timestamp"), st.tuples(LONG, LONG)),
    st.tuples(st.just("SAck"), st.tuples(LONG, LONG)),
    st.tuples(st.just("AltChkSum"), st.tuples(BYTE, WORD)),
    st.tuples(st.just(253), st.binary(max_size=4)),
)


@tried
@given(st.lists(SCAPY_TCP_OPTION, max_size=3, unique_by=lambda option: option[0]))
def test_options_in_any_order_are_what_scapy_wrote(options: list[tuple[Any, Any]]) -> None:
    raw = bytes(TCP(sport=1, dport=2, options=options, chksum=0))
    segment = tcp.parse(raw)
    assert isinstance(segment, tcp.Segment)
    assert segment.options == options_of_scapy(TCP(raw))


# control

ARP_MESSAGE = st.builds(ArpMessage, st.sampled_from(ArpOperation), STATION_MAC, V4, MAC, V4)


@tried
@given(ARP_MESSAGE)
def test_arp_messages_are_what_scapy_reads(message: ArpMessage) -> None:
    raw = CODEC.encode_arp(message)
    read = ARP(raw)
    assert (read.op, read.hwsrc, read.hwdst) == (
        message.operation,
        str2mac(message.sender_mac),
        str2mac(message.target_mac),
    )
    assert (read.psrc, read.pdst) == (text(message.sender_address), text(message.target_address))
    assert CODEC.decode_arp(raw) == message
    for end in range(len(raw)):
        assert CODEC.decode_arp(raw[:end]) is DropReason.ARP_MALFORMED


ECHO = st.builds(EchoMessage, FLAG, WORD, WORD, PAYLOAD)


@tried
@given(ENDS, ECHO)
def test_echoes_are_what_scapy_reads_and_writes(ends: tuple[bytes, bytes], message: EchoMessage) -> None:
    family = Family.IPV4 if len(ends[0]) == 4 else Family.IPV6
    number, fields = icmp_number(family), {"id": message.identifier, "seq": message.sequence}
    if family is Family.IPV4:
        theirs = ICMP(type=0 if message.is_reply else 8, chksum=0, **fields) / Raw(message.data)
    else:
        layer = ICMPv6EchoReply if message.is_reply else ICMPv6EchoRequest
        theirs = layer(cksum=0, data=message.data, **fields)
    raw = CODEC.encode_icmp(family, *ends, message)
    assert raw == checked_by_scapy(*ends, number, theirs)
    assert CODEC.decode_icmp(family, *ends, raw) == message


def icmp_number(family: Family) -> int:
    return Proto.ICMP if family is Family.IPV4 else Proto.ICMPV6


ERROR = st.builds(
    IcmpError,
    st.sampled_from([kind for kind in IcmpErrorKind if kind is not IcmpErrorKind.OTHER]),
    st.binary(min_size=48, max_size=600),
    BYTE,
    BYTE,
)


@tried
@given(ENDS, ERROR)
def test_errors_carry_the_checksum_that_scapy_computes(ends: tuple[bytes, bytes], error: IcmpError) -> None:
    family = Family.IPV4 if len(ends[0]) == 4 else Family.IPV6
    mtu = error.mtu if error.kind is IcmpErrorKind.PACKET_TOO_BIG else 0
    has_pointer = error.kind is IcmpErrorKind.PARAMETER_PROBLEM or (
        error.kind is IcmpErrorKind.PROTOCOL_UNREACHABLE and family is Family.IPV6
    )
    error = IcmpError(error.kind, error.quoted, mtu, error.pointer if has_pointer else 0)
    raw = CODEC.encode_icmp(family, *ends, error)
    head = read_by_scapy(*ends, icmp_number(family), raw[:8])
    assert raw == checked_by_scapy(*ends, icmp_number(family), head.__class__(raw[:8]) / Raw(error.quoted))
    assert CODEC.decode_icmp(family, *ends, raw) == error


UNICAST_V6 = V6.filter(lambda address: not is_multicast(address) and any(address))
SOLICITATION = st.builds(NeighbourSolicitation, UNICAST_V6, st.none() | STATION_MAC)
ADVERTISEMENT = st.builds(NeighbourAdvertisement, UNICAST_V6, FLAG, FLAG, FLAG, st.none() | STATION_MAC)


@tried
@given(UNICAST_V6, UNICAST_V6, SOLICITATION)
def test_solicitations_are_what_scapy_reads_and_writes(
    source: bytes, destination: bytes, message: NeighbourSolicitation
) -> None:
    theirs = ICMPv6ND_NS(tgt=text(message.target), cksum=0)
    if message.source_mac is not None:
        theirs /= ICMPv6NDOptSrcLLAddr(lladdr=str2mac(message.source_mac))
    raw = CODEC.encode_icmp(Family.IPV6, source, destination, message)
    assert raw == checked_by_scapy(source, destination, Proto.ICMPV6, theirs)
    assert CODEC.decode_icmp(Family.IPV6, source, destination, raw) == message


@tried
@given(UNICAST_V6, UNICAST_V6, ADVERTISEMENT)
def test_advertisements_are_what_scapy_reads_and_writes(
    source: bytes, destination: bytes, message: NeighbourAdvertisement
) -> None:
    flags = {"R": int(message.is_router), "S": int(message.is_solicited), "O": int(message.is_override)}
    theirs = ICMPv6ND_NA(tgt=text(message.target), cksum=0, **flags)
    if message.target_mac is not None:
        theirs /= ICMPv6NDOptDstLLAddr(lladdr=str2mac(message.target_mac))
    raw = CODEC.encode_icmp(Family.IPV6, source, destination, message)
    assert raw == checked_by_scapy(source, destination, Proto.ICMPV6, theirs)
    assert CODEC.decode_icmp(Family.IPV6, source, destination, raw) == message
