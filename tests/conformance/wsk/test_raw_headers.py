"""What raw sockets send: headers and checksums of their own or of the stack (RFC 3542 3.1), and what is forbidden."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import IP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from tests.support import wsk_lab
from tests.support.raw_lab import (
    PROTOCOL,
    WHERE,
    body,
    families,
    opened,
    raw,
    sent,
    to,
    waiting,
    with_header,
)
from tests.support.wsk_lab import FAR, FAR6, NEAR, Lab, ok
from wsknet.behaviour import WINDOWS
from wsknet.text import parse_address as A
from wsknet.trace import DropReason
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    CMSGHDR,
    IP_DONTFRAGMENT,
    IP_HDRINCL,
    IP_MULTICAST_TTL,
    IP_PKTINFO,
    IP_TOS,
    IP_TTL,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPPROTO_UDP,
    IPV6_CHECKSUM,
    IPV6_DONTFRAG,
    IPV6_HDRINCL,
    IPV6_MULTICAST_HOPS,
    IPV6_PKTINFO,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    NTSTATUS,
    SOCKADDR,
    STATUS_ACCESS_DENIED,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_SUPPORTED,
    STATUS_SUCCESS,
    UDP_SEND_MSG_SIZE,
    WSK_SOCKET,
    simple,
)
from wsknet.wsk.cmsg import message

# Headers of the application


def test_the_stack_fills_in_what_is_missing_in_an_ipv4_header(lab: Lab) -> None:
    Socket = with_header(lab, AF_INET)
    header = IP(
        proto=200, dst=FAR, src="0.0.0.0", ttl=7, tos=0x28, len=5, id=0, chksum=0x1234, options=[IPOption_NOP()]
    )
    made = bytes(header)
    assert ok(simple.send_to(Socket, made + b"data", to(FAR))) == len(made) + 4
    lab.run(0.1)
    (packet,) = sent(lab)
    octets = bytes(packet)[: packet.len]
    assert (packet.src, packet.dst, packet.proto, packet.ttl, packet.tos) == (NEAR, FAR, 200, 7, 0x28)
    assert packet.len == len(made) + 4
    assert packet.id != 0
    assert int.from_bytes(octets[: packet.ihl * 4], "big") % 0xFFFF == 0
    assert octets.endswith(b"data")


def test_what_an_ipv4_header_says_goes_out(lab: Lab) -> None:
    Socket = with_header(lab, AF_INET)
    ok(simple.send_to(Socket, bytes(IP(src="198.51.100.9", dst=FAR, id=777, flags="DF", proto=PROTOCOL)), to(FAR)))
    lab.run(0.1)
    (packet,) = sent(lab)
    assert (packet.src, packet.id, packet.flags, packet.len) == ("198.51.100.9", 777, "DF", 20)


def test_an_ipv6_header_goes_out_as_it_is(lab: Lab) -> None:
    Socket = with_header(lab, AF_INET6)
    made = bytes(IPv6(src="2001:db8:9::9", dst=FAR6, nh=200, hlim=9, tc=4, fl=99) / Raw(b"data"))
    ok(simple.send_to(Socket, made, to(FAR6)))
    lab.run(0.1)
    assert [bytes(packet) for packet in sent(lab)] == [made]


@families
@pytest.mark.parametrize("length", [0, 1, 19, 39])
def test_what_is_no_header_is_refused(lab: Lab, family: int, length: int) -> None:
    Socket = with_header(lab, family)
    far = to(WHERE[family][1])
    first = b"\x45" if family == AF_INET else b"\x60"
    if length < (20 if family == AF_INET else 40):
        assert simple.send_to(Socket, (first + bytes(60))[:length], far)[0] == STATUS_INVALID_PARAMETER
    for wrong in (b"\x44", b"\x4f", b"\x65" if family == AF_INET else b"\x45", b"\0"):
        assert simple.send_to(Socket, wrong + bytes(40), far)[0] == STATUS_INVALID_PARAMETER
    lab.run(0.1)
    assert not sent(lab)


@families
def test_a_packet_with_its_own_header_is_never_cut(lab: Lab, family: int) -> None:
    Socket = with_header(lab, family)
    near, far, _ = WHERE[family]
    head = bytes(IP(dst=far, src=near) if family == AF_INET else IPv6(dst=far, src=near, plen=1460))
    assert simple.send_to(Socket, head + bytes(1501 - len(head)), to(far))[0] == STATUS_INVALID_BUFFER_SIZE
    ok(simple.send_to(Socket, head + bytes(1500 - len(head)), to(far)))
    lab.run(0.1)
    assert [len(packet) for packet in sent(lab)] == [1500]


@families
def test_a_packet_with_its_own_header_reaches_ourselves(lab: Lab, family: int) -> None:
    near = WHERE[family][0]
    Socket, receiver = with_header(lab, family), raw(lab, lab.near, family)
    other = "198.51.100.9" if family == AF_INET else "2001:db8:9::9"
    head = IP(src=other, dst=near, proto=PROTOCOL) if family == AF_INET else IPv6(src=other, dst=near, nh=PROTOCOL)
    ok(simple.send_to(Socket, bytes(head / Raw(b"loop")), to(near)))
    data, source = ok(simple.receive_from(receiver))
    assert (body(family, data), simple.host_and_port(source)[0]) == (b"loop", other)


@families
def test_fragments_that_an_application_made_are_put_together_here(lab: Lab, family: int) -> None:
    near = WHERE[family][0]
    Socket, receiver = with_header(lab, family), raw(lab, lab.near, family)
    if family == AF_INET:
        parts = [
            IP(src=near, dst=near, proto=PROTOCOL, id=5, flags="MF") / Raw(bytes(16)),
            IP(src=near, dst=near, proto=PROTOCOL, id=5, frag=2) / Raw(b"end"),
        ]
    else:
        parts = [
            IPv6(src=near, dst=near) / IPv6ExtHdrFragment(nh=PROTOCOL, id=5, m=1) / Raw(bytes(16)),
            IPv6(src=near, dst=near) / IPv6ExtHdrFragment(nh=PROTOCOL, id=5, offset=2) / Raw(b"end"),
        ]
    for part in parts:
        ok(simple.send_to(Socket, bytes(part), to(near)))
    assert [body(family, data) for data in waiting(receiver)] == [bytes(16) + b"end"]


@families
def test_long_data_without_a_header_goes_in_fragments(lab: Lab, family: int) -> None:
    _near, far, _ = WHERE[family]
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    data = bytes(range(250)) * 16
    ok(simple.send_to(sender, data, to(far)))
    lab.run(0.1)
    assert [body(family, whole) for whole in waiting(receiver)] == [data]
    assert len(sent(lab)) == 3
    assert simple.send_to(sender, bytes(65536), to(far))[0] == STATUS_INVALID_BUFFER_SIZE


@families
def test_a_header_for_somebody_else_ends_at_ourselves(lab: Lab, family: int) -> None:
    near, far, _ = WHERE[family]
    Socket, receiver = with_header(lab, family), raw(lab, lab.near, family)
    head = IP(src=near, dst=far, proto=PROTOCOL) if family == AF_INET else IPv6(src=near, dst=far, nh=PROTOCOL)
    ok(simple.send_to(Socket, bytes(head / Raw(b"lost")), to(near)))
    assert not waiting(receiver)
    assert lab.near.stack.trace.drops[DropReason.IP_NOT_LOCAL] == 1


@families
def test_a_packet_with_its_own_header_goes_to_a_group(lab: Lab, family: int) -> None:
    near, group = WHERE[family][0], "239.1.2.3" if family == AF_INET else "ff05::123"
    Socket = with_header(lab, family)
    head = IP(src=near, dst=group, proto=PROTOCOL) if family == AF_INET else IPv6(src=near, dst=group, nh=PROTOCOL)
    ok(simple.send_to(Socket, bytes(head / Raw(b"data")), to(group)))
    assert [packet.dst for packet in sent(lab)] == [group]


# Checksums


@pytest.mark.rule("RFC3542-3.1")
def test_a_checksum_is_put_and_checked_where_the_option_says(lab: Lab) -> None:
    plain, sender, receiver = raw(lab, lab.near, AF_INET6), raw(lab, lab.near, AF_INET6), raw(lab, lab.far, AF_INET6)
    for Socket in (sender, receiver):
        assert ok(simple.get_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM)) == 0xFFFFFFFF
        ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM, 4))
    ok(simple.send_to(plain, b"wrong checksum", to(FAR6)))
    ok(simple.send_to(plain, b"short", to(FAR6)))
    ok(simple.send_to(sender, b"good\0\0 one", to(FAR6)))
    assert simple.send_to(sender, b"short", to(FAR6))[0] == STATUS_INVALID_PARAMETER
    lab.run(0.1)
    (data,) = waiting(receiver)
    assert data[:4] + data[6:] == b"good one"
    assert lab.far.stack.trace.drops[DropReason.RAW_BAD_CHECKSUM] == 2
    ok(simple.set_option(receiver, IPPROTO_IPV6, IPV6_CHECKSUM, 0xFFFFFFFF))
    ok(simple.send_to(plain, b"wrong checksum", to(FAR6)))
    lab.run(0.1)
    assert waiting(receiver) == [b"wrong checksum"]


@pytest.mark.rule("RFC3542-3.1")
def test_odd_places_are_refused_and_icmpv6_takes_none(lab: Lab) -> None:
    Socket, icmp = raw(lab, lab.near, AF_INET6), raw(lab, lab.near, AF_INET6, IPPROTO_ICMPV6)
    for value in (1, 3, 0xFFFFFFFE, 0x10000):
        assert simple.set_option(Socket, IPPROTO_IPV6, IPV6_CHECKSUM, value)[0] == STATUS_INVALID_PARAMETER
    assert simple.set_option(icmp, IPPROTO_IPV6, IPV6_CHECKSUM, 2)[0] == STATUS_INVALID_PARAMETER
    assert simple.send_to(icmp, b"\x80\0\0", to(FAR6))[0] == STATUS_INVALID_PARAMETER


@pytest.mark.rule("D-17")
def test_only_raw_sockets_of_the_family_have_the_options(lab: Lab) -> None:
    raw4, raw6 = raw(lab, lab.near, AF_INET), raw(lab, lab.near, AF_INET6)
    for Socket in (raw6, lab.datagram(lab.near)):
        assert simple.set_option(Socket, IPPROTO_IP, IP_HDRINCL, 1)[0] == STATUS_INVALID_PARAMETER
    for option in (IPV6_HDRINCL, IPV6_CHECKSUM):
        for Socket in (raw4, lab.datagram(lab.near, 0, "::", AddressFamily=AF_INET6)):
            assert simple.set_option(Socket, IPPROTO_IPV6, option, 0)[0] == STATUS_INVALID_PARAMETER


# Options of the level


@families
def test_options_about_the_header_count(lab: Lab, family: int) -> None:
    sender, receiver = raw(lab, lab.near, family), raw(lab, lab.far, family)
    level, hops, no_cut = (
        (IPPROTO_IP, IP_TTL, IP_DONTFRAGMENT) if family == AF_INET else (IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_DONTFRAG)
    )
    ok(simple.set_option(sender, level, hops, 9))
    ok(simple.set_option(sender, level, no_cut, 1))
    far = to(WHERE[family][1])
    assert simple.send_to(sender, bytes(2000), far)[0] == STATUS_INVALID_BUFFER_SIZE
    ok(simple.send_to(sender, b"data", far))
    lab.run(0.1)
    (packet,) = sent(lab)
    assert (packet.ttl if family == AF_INET else packet.hlim) == 9
    assert len(waiting(receiver)) == 1


@families
def test_a_multicast_has_the_hop_limit_of_its_option(lab: Lab, family: int) -> None:
    sender, group = raw(lab, lab.near, family), "239.1.2.3" if family == AF_INET else "ff05::123"
    level, hops = (IPPROTO_IP, IP_MULTICAST_TTL) if family == AF_INET else (IPPROTO_IPV6, IPV6_MULTICAST_HOPS)
    ok(simple.send_to(sender, b"data", to(group)))
    ok(simple.set_option(sender, level, hops, 5))
    ok(simple.send_to(sender, b"data", to(group)))
    assert [packet.ttl if family == AF_INET else packet.hlim for packet in sent(lab)] == [1, 5]


@families
def test_control_information_gives_source_and_class(lab: Lab, family: int) -> None:
    far = to(WHERE[family][1])
    extra = "192.0.2.77" if family == AF_INET else "2001:db8::77"
    lab.near_interface.add_address(extra + ("/24" if family == AF_INET else "/64"))
    lab.run(3)
    lab.near_wire.frames.clear()
    sender = raw(lab, lab.near, family)
    level, pktinfo, tclass = (
        (IPPROTO_IP, IP_PKTINFO, IP_TOS) if family == AF_INET else (IPPROTO_IPV6, IPV6_PKTINFO, IPV6_TCLASS)
    )
    control = message(level, pktinfo, A(extra) + bytes(4)) + message(level, tclass, b"\x28\0\0\0")
    assert send_with(sender, far, control) == STATUS_SUCCESS
    lab.run(0.1)
    (packet,) = sent(lab)
    assert (packet.src, packet.tos if family == AF_INET else packet.tc) == (extra, 0x28)
    assert send_with(sender, far, message(IPPROTO_UDP, UDP_SEND_MSG_SIZE, b"\2\0\0\0")) == STATUS_NOT_SUPPORTED


def send_with(Socket: WSK_SOCKET, to: SOCKADDR, control: bytes) -> NTSTATUS:
    ControlInfo = CMSGHDR.cast(bytearray(control))
    arguments = (Socket, simple.buffer(b"data"), 0, to, len(control), ControlInfo)
    return simple.call(Socket.Dispatch.WskSendTo, *arguments)[0]


# The restrictions of client versions


RESTRICTED = replace(WINDOWS, raw_sends_are_restricted=True)


@families
@pytest.mark.parametrize("is_restricted", [False, True])
def test_tcp_may_be_bound_and_sent_where_it_is_not_restricted(family: int, is_restricted: bool) -> None:
    near, far, anywhere = WHERE[family]
    expected = STATUS_ACCESS_DENIED if is_restricted else STATUS_SUCCESS
    with wsk_lab.lab(RESTRICTED if is_restricted else WINDOWS) as lab:
        Socket: WSK_SOCKET = ok(opened(lab, lab.near, family, IPPROTO_TCP))
        assert simple.bind(Socket, to(anywhere))[0] == expected
        head = IP(src=near, dst=far, proto=6) if family == AF_INET else IPv6(src=near, dst=far, nh=6)
        sender = with_header(lab, family)
        assert simple.send_to(sender, bytes(head / Raw(bytes(20))), to(far))[0] == expected


@families
@pytest.mark.parametrize("is_restricted", [False, True])
def test_udp_from_elsewhere_goes_out_where_it_is_not_restricted(family: int, is_restricted: bool) -> None:
    near, far, _ = WHERE[family]
    other = "198.51.100.9" if family == AF_INET else "2001:db8:9::9"
    with wsk_lab.lab(RESTRICTED if is_restricted else WINDOWS) as lab:
        Socket = with_header(lab, family)
        for source in (other, near):
            head = IP(src=source, dst=far) if family == AF_INET else IPv6(src=source, dst=far)
            ok(simple.send_to(Socket, bytes(head / UDP(dport=9)), to(far)))
        lab.run(0.1)
        assert [packet.src for packet in sent(lab)] == ([near] if is_restricted else [other, near])
        assert lab.near.stack.trace.drops[DropReason.RAW_SPOOFED_SOURCE] == int(is_restricted)
