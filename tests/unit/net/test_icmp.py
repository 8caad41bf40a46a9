"""Echo, errors sent and errors received, in both families."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    PadN,
)

from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab, Recorder, datagram, ping
from wsknet.net.handler import Undelivered
from wsknet.net.messages.icmp import EchoMessage, IcmpErrorKind
from wsknet.net.packet import Packet
from wsknet.net.rate_limit import TokenBucket
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.types import MILLISECOND, SECOND, Instant

US4, PEER4, US6, PEER6 = "10.1.0.2", "10.1.0.50", "2001:db8:1::2", "2001:db8:1::50"
SIZES = (0, 1, 56, 1472)


class Refuser(Recorder):
    """A protocol that answers everything with port unreachable."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab

    def input(self, packet: Packet, now: Instant) -> None:
        super().input(packet, now)
        self.lab.ip.icmp.send_error(IcmpErrorKind.PORT_UNREACHABLE, packet, now)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "10.1.0.9/24", "fe80::a/64", "2001:db8:1::2/64", "2001:db8:1::9/64")
    lab.interface(IF2, "10.2.0.2/24", "fe80::b/64")
    for peer in (PEER4, PEER6, "fe80::50"):
        lab.know(IF1, peer)
    return lab


@pytest.fixture
def refuser(lab: Lab) -> Refuser:
    refuser = Refuser(lab)
    lab.ip.protocols[17] = refuser
    return refuser


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", [US4, "10.1.0.9"])
def test_an_ipv4_echo_comes_back_whole_from_the_address_asked(lab: Lab, size: int, asked: str) -> None:
    data = bytes(range(256)) * 6
    request = IP(src=PEER4, dst=asked, ttl=3) / ICMP(type=8, id=0xFFFE, seq=0xFFFF) / data[:size]
    lab.arrive(IF1, request)

    reply = lab.take_one()
    assert (reply.dst, reply[IP].src, reply[IP].dst, reply[IP].ttl) == (PEER_MAC, asked, PEER4, 128)
    assert (reply[ICMP].type, reply[ICMP].id, reply[ICMP].seq) == (0, 0xFFFE, 0xFFFF)
    assert bytes(reply[ICMP].payload) == data[:size]


@pytest.mark.parametrize("size", SIZES[:3])
@pytest.mark.parametrize(
    ("peer", "asked"), [(PEER6, US6), (PEER6, "2001:db8:1::9"), ("fe80::50", "fe80::a")], ids=["", "second", "link"]
)
def test_an_ipv6_echo_comes_back_whole_from_the_address_asked(lab: Lab, size: int, peer: str, asked: str) -> None:
    data = bytes(range(56))[:size]
    lab.arrive(IF1, IPv6(src=peer, dst=asked) / ICMPv6EchoRequest(id=0xFFFE, seq=0xFFFF, data=data))

    reply = lab.take_one()
    assert (reply[IPv6].src, reply[IPv6].dst) == (asked, peer)
    echo = reply[ICMPv6EchoReply]
    assert (echo.id, echo.seq, echo.data) == (0xFFFE, 0xFFFF, data)


def test_our_own_echo_is_answered_inside(lab: Lab) -> None:
    heard: list[bytes] = []
    lab.trace.on_drop = lambda reason, what: heard.append(what)
    path = lab.path("127.0.0.1")
    lab.ip.send(path, 1, bytes(ping("127.0.0.1", "127.0.0.1")[ICMP]), (), lab.now)
    lab.ip.deliver_looped(lab.now)

    assert lab.take() == []
    assert lab.drops == {DropReason.ICMP_NO_ENDPOINT: 1}
    assert IP(heard[0])[ICMP].type == 0


@pytest.mark.rule("RFC1122-3.2.2.6")
@pytest.mark.parametrize("destination", ["10.1.0.255", "255.255.255.255", "224.0.0.1"])
def test_an_echo_request_to_everybody_is_not_answered(lab: Lab, destination: str) -> None:
    mac = "01:00:5e:00:00:01" if destination == "224.0.0.1" else "ff:ff:ff:ff:ff:ff"
    lab.arrive(IF1, ping(PEER4, destination), mac=mac)

    assert lab.take() == []
    assert lab.drops == {DropReason.ICMP_BROADCAST_ECHO: 1}


@pytest.mark.rule("RFC4443-4.2")
def test_all_nodes_answer_an_ipv6_echo_request_from_a_unicast_address(lab: Lab) -> None:
    for peer in (PEER6, "fe80::50"):
        lab.arrive(IF1, IPv6(src=peer, dst="ff02::1") / ICMPv6EchoRequest(), mac="33:33:00:00:00:01")

    assert [frame[IPv6].src for _, frame in lab.take()] == [US6, "fe80::a"]


def test_an_echo_from_where_there_is_no_route_is_counted(lab: Lab) -> None:
    lab.arrive(IF1, ping("192.0.2.1", US4))

    assert lab.take() == []
    assert lab.drops == {DropReason.NO_ROUTE: 1}


@pytest.mark.rule("RFC1122-3.2.2.1")
def test_an_ipv4_error_quotes_the_packet_and_comes_from_its_destination(lab: Lab, refuser: Refuser) -> None:
    question = datagram(PEER4, "10.1.0.9", b"x" * 1000)
    lab.arrive(IF1, question)

    error = lab.take_one()
    assert (error[IP].src, error[IP].dst) == ("10.1.0.9", PEER4)
    assert (error[ICMP].type, error[ICMP].code) == (3, 3)
    quoted = bytes(error[ICMP].payload)
    assert len(error[IP]) == 576
    assert quoted == bytes(question)[: len(quoted)]


@pytest.mark.rule("RFC4443-2.4", "RFC4443-3.1")
def test_an_ipv6_error_quotes_as_much_as_every_link_carries(lab: Lab, refuser: Refuser) -> None:
    question = datagram(PEER6, US6, b"x" * 1400)
    lab.arrive(IF1, question)

    error = lab.take_one()
    assert (error[IPv6].src, error[IPv6].dst) == (US6, PEER6)
    assert error[ICMPv6DestUnreach].code == 4
    quoted = bytes(error[ICMPv6DestUnreach])[8:]
    assert len(error[IPv6]) == 1280
    assert quoted == bytes(question)[: len(quoted)]


def test_a_protocol_that_nobody_speaks_is_refused_over_ipv4(lab: Lab) -> None:
    lab.arrive(IF1, IP(src=PEER4, dst=US4, proto=132) / b"12345678")

    error = lab.take_one()
    assert (error[ICMP].type, error[ICMP].code) == (3, 2)
    assert lab.drops == {DropReason.IP_UNKNOWN_PROTOCOL: 1}


@pytest.mark.rule("RFC4443-3.4")
@pytest.mark.parametrize(("extensions", "pointer"), [(0, 6), (1, 40), (2, 48)])
def test_a_next_header_that_nobody_knows_is_pointed_at(lab: Lab, extensions: int, pointer: int) -> None:
    packet = IPv6(src=PEER6, dst=US6)
    for _ in range(extensions):
        packet /= IPv6ExtHdrDestOpt()
    packet.lastlayer().nh = 132
    lab.arrive(IF1, packet / b"12345678")

    error = lab.take_one()[ICMPv6ParamProblem]
    assert (error.code, error.ptr) == (1, pointer)


@pytest.mark.parametrize(
    "packet", [IP(src=PEER4, dst=US4, proto=58) / bytes(8), IPv6(src=PEER6, dst=US6, nh=1) / bytes(8)]
)
def test_the_other_familys_icmp_is_no_protocol_here(lab: Lab, packet: Any) -> None:
    lab.arrive(IF1, packet)

    assert lab.drops == {DropReason.IP_UNKNOWN_PROTOCOL: 1}
    assert len(lab.take()) == 1


@pytest.mark.rule("RFC1122-3.2.2", "RFC4443-2.4")
@pytest.mark.parametrize(
    ("packet", "mac"),
    [
        (datagram(PEER4, "10.1.0.255"), "ff:ff:ff:ff:ff:ff"),
        (datagram(PEER4, "255.255.255.255"), "ff:ff:ff:ff:ff:ff"),
        (datagram(PEER4, "224.0.0.1"), "01:00:5e:00:00:01"),
        (datagram(PEER6, "ff02::1"), "33:33:00:00:00:01"),
        (IP(src=PEER4, dst="224.0.0.1", proto=2) / bytes(8), "01:00:5e:00:00:01"),
    ],
)
def test_no_error_answers_what_everybody_got(lab: Lab, refuser: Refuser, packet: Any, mac: str) -> None:
    lab.arrive(IF1, packet, mac=mac)

    assert lab.take() == []


@pytest.mark.rule("RFC1122-3.2.2")
def test_no_error_answers_an_error(lab: Lab) -> None:
    about_nothing = IP(src=US4, dst=PEER4, proto=132) / bytes(8)
    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / about_nothing)
    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=77) / about_nothing)

    assert lab.take() == []
    assert lab.drops == {DropReason.ICMP_NO_ENDPOINT: 1, DropReason.ICMP_UNKNOWN_TYPE: 1}


@pytest.mark.rule("RFC4443-2.4")
def test_errors_are_rationed_by_a_bucket_of_50_that_fills_1000_times_a_second(lab: Lab, refuser: Refuser) -> None:
    def flood(milliseconds: int) -> int:
        lab.now = Instant(lab.now + milliseconds * MILLISECOND)
        for _ in range(200):
            lab.arrive(IF1, datagram(PEER4, US4))
        return len(lab.take())

    assert [flood(0), flood(0), flood(1), flood(10), flood(999), flood(1000)] == [50, 0, 1, 10, 50, 50]
    assert lab.drops == {DropReason.ICMP_RATE_LIMITED: 6 * 200 - 161}


@given(st.lists(st.integers(0, 300 * MILLISECOND), max_size=60))
def test_no_interval_sees_more_than_the_burst_and_its_share(pauses: list[int]) -> None:
    bucket, now, taken = TokenBucket(10, 4), Instant(77), []
    for pause in pauses:
        now = Instant(now + pause)
        if bucket.take(now):
            taken.append(now)

    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:]):
            assert last + 1 <= 4 + (end - start) * 10 / SECOND


class Complainer(Recorder):
    """A protocol that answers everything with one error."""

    def __init__(self, lab: Lab, kind: IcmpErrorKind, **numbers: int) -> None:
        super().__init__()
        self.lab, self.kind, self.numbers = lab, kind, numbers

    def input(self, packet: Packet, now: Instant) -> None:
        self.lab.ip.icmp.send_error(self.kind, packet, now, **self.numbers)


@pytest.mark.parametrize(
    ("kind", "numbers", "v4", "v6"),
    [
        (IcmpErrorKind.NETWORK_UNREACHABLE, {}, (3, 0, 0), (1, 0, 0)),
        (IcmpErrorKind.HOST_UNREACHABLE, {}, (3, 1, 0), (1, 3, 0)),
        (IcmpErrorKind.ADMIN_PROHIBITED, {}, (3, 13, 0), (1, 1, 0)),
        (IcmpErrorKind.TIME_EXCEEDED, {"code": 1}, (11, 1, 0), (3, 1, 0)),
        (IcmpErrorKind.PACKET_TOO_BIG, {"mtu": 1400}, (3, 4, 1400), (2, 0, 1400)),
        (IcmpErrorKind.PARAMETER_PROBLEM, {"code": 0, "pointer": 22}, (12, 0, 22 << 24), (4, 0, 22)),
    ],
)
def test_every_error_has_its_numbers_in_both_families(
    lab: Lab, kind: IcmpErrorKind, numbers: dict[str, int], v4: tuple[int, ...], v6: tuple[int, ...]
) -> None:
    lab.ip.protocols[17] = Complainer(lab, kind, **numbers)
    for question, expected in ((datagram(PEER4, US4), v4), (datagram(PEER6, US6), v6)):
        lab.arrive(IF1, question)
        message = bytes(lab.take_one()[type(question)].payload)
        assert (message[0], message[1], int.from_bytes(message[4:8], "big")) == expected
        assert message[8:] == bytes(question)


@pytest.mark.rule("RFC4443-2.4")
@pytest.mark.parametrize(
    ("kind", "code", "is_sent"),
    [
        (IcmpErrorKind.PACKET_TOO_BIG, 0, True),
        (IcmpErrorKind.PARAMETER_PROBLEM, 2, True),
        (IcmpErrorKind.PARAMETER_PROBLEM, 0, False),
        (IcmpErrorKind.TIME_EXCEEDED, 1, False),
    ],
)
def test_only_two_errors_are_about_what_an_ipv6_group_got(
    lab: Lab, kind: IcmpErrorKind, code: int, is_sent: bool
) -> None:
    lab.ip.protocols[17] = Complainer(lab, kind, code=code, mtu=1280)
    lab.arrive(IF1, datagram(PEER6, "ff02::1"), mac="33:33:00:00:00:01")
    lab.arrive(IF1, datagram(PEER4, "224.0.0.1"), mac="01:00:5e:00:00:01")

    assert [(frame[IPv6].src, frame[IPv6].dst) for _, frame in lab.take()] == [(US6, PEER6)] * is_sent


@pytest.mark.rule("RFC1122-3.2.2")
def test_errors_of_a_host_ask_for_normal_service(lab: Lab, refuser: Refuser) -> None:
    lab.arrive(IF1, datagram(PEER4, US4, tos=0xB8))
    lab.arrive(IF1, datagram(PEER6, US6, tc=0xB8))

    four, six = (frame for _, frame in lab.take())
    assert (four[IP].tos, six[IPv6].tc) == (0, 0)


@pytest.mark.rule("RFC1122-3.2.2")
def test_an_echo_reply_has_the_service_of_the_request_but_not_its_congestion_mark(lab: Lab) -> None:
    lab.arrive(IF1, ping(PEER4, US4, tos=0xBB))
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6, tc=0xBB) / ICMPv6EchoRequest())

    four, six = (frame for _, frame in lab.take())
    assert (four[IP].tos, six[IPv6].tc) == (0xB8, 0xB8)


@pytest.mark.rule("RFC1122-3.2.2.8")
def test_a_timestamp_request_is_not_answered(lab: Lab) -> None:
    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=13))

    assert lab.take() == []
    assert lab.drops == {DropReason.ICMP_UNKNOWN_TYPE: 1}


ours4 = IP(src=US4, dst=PEER4, id=0, flags="DF") / UDP(sport=1000, dport=2000) / b"hello"
ours6 = IPv6(src=US6, dst=PEER6) / UDP(sport=1000, dport=2000) / b"hello"
ours_link = IPv6(src="fe80::a", dst="fe80::50") / UDP(sport=1000, dport=2000) / b"hello"


@pytest.mark.parametrize(
    ("packet", "kind", "mtu"),
    [
        (IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / ours4, IcmpErrorKind.PORT_UNREACHABLE, 0),
        (IP(src="10.1.0.1", dst=US4) / ICMP(type=3, code=1) / ours4, IcmpErrorKind.HOST_UNREACHABLE, 0),
        (IP(src="10.1.0.1", dst=US4) / ICMP(type=3, code=0) / ours4, IcmpErrorKind.NETWORK_UNREACHABLE, 0),
        (IP(src=PEER4, dst=US4) / ICMP(type=3, code=2) / ours4, IcmpErrorKind.PROTOCOL_UNREACHABLE, 0),
        (IP(src="10.1.0.1", dst=US4) / ICMP(type=3, code=4, nexthopmtu=1280) / ours4,
         IcmpErrorKind.PACKET_TOO_BIG, 1280),
        (IP(src=PEER4, dst=US4) / ICMP(type=11, code=0) / ours4, IcmpErrorKind.TIME_EXCEEDED, 0),
        (IPv6(src=PEER6, dst=US6) / ICMPv6DestUnreach(code=4) / ours6, IcmpErrorKind.PORT_UNREACHABLE, 0),
        (IPv6(src=PEER6, dst=US6) / ICMPv6ParamProblem(code=1, ptr=6) / ours6, IcmpErrorKind.PROTOCOL_UNREACHABLE, 0),
        (IPv6(src=PEER6, dst=US6) / ICMPv6PacketTooBig(mtu=1280) / ours6, IcmpErrorKind.PACKET_TOO_BIG, 1280),
    ],
)  # fmt: skip
def test_an_error_reaches_the_protocol_it_is_about(lab: Lab, packet: Any, kind: IcmpErrorKind, mtu: int) -> None:
    lab.arrive(IF1, packet)

    [error] = lab.udp.errors
    us, peer = (US6, PEER6) if isinstance(packet, IPv6) else (US4, PEER4)
    assert error[:3] == (kind, us, peer)
    assert (error.quoted, error.zone, error.mtu) == (bytes((ours6 if us == US6 else ours4)[UDP]), 0, mtu)
    assert lab.take() == []
    assert lab.drops == {}


def test_an_error_about_a_link_local_packet_tells_the_zone(lab: Lab) -> None:
    lab.arrive(IF1, IPv6(src="fe80::50", dst="fe80::a") / ICMPv6DestUnreach(code=4) / ours_link)

    assert [error.zone for error in lab.udp.errors] == [IF1]


@pytest.mark.rule("RFC4007-6")
@pytest.mark.parametrize(("source", "destination"), [("fe80::a", "fd00:2::2"), ("fd00:2::2", "fe80::a")])
def test_an_error_from_ourselves_tells_the_zone_of_the_link_local_end(
    lab: Lab, refuser: Refuser, source: str, destination: str
) -> None:
    lab.address(IF2, "fd00:2::2/64")
    lab.send(destination, source=source, zone=IF1)
    lab.ip.deliver_looped(lab.now)

    assert [error[1:3] for error in refuser.errors] == [(source, destination)]
    assert [error.zone for error in refuser.errors] == [IF1]


def test_an_error_about_the_first_fragment_is_understood(lab: Lab) -> None:
    first4 = IP(src=US4, dst=PEER4, id=7, flags="MF") / UDP(sport=1000, dport=2000) / b"hello"
    first6 = IPv6(src=US6, dst=PEER6) / IPv6ExtHdrFragment(m=1, id=7) / ours6[UDP]
    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / first4)
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / ICMPv6DestUnreach(code=4) / first6)

    assert [error.quoted[:4] for error in lab.udp.errors] == [bytes.fromhex("03e807d0")] * 2


@pytest.mark.parametrize(
    "packet",
    [
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / (IP(src="10.1.0.9", dst=PEER4) / UDP() / b"hello"),
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / (IP(src="192.0.2.1", dst=PEER4) / UDP() / b"hello"),
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / (IP(src=US4, dst=PEER4, frag=1, proto=17) / bytes(16)),
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / (IP(src=US4, dst=PEER4, ihl=15, proto=17) / bytes(16)),
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / (IP(src=US4, dst=PEER4, ihl=1, proto=17) / bytes(16)),
        IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / bytes(ours6),
        IPv6(src=PEER6, dst=US6) / ICMPv6DestUnreach(code=4) / (bytes(ours4) + bytes(60)),
        IPv6(src=PEER6, dst=US6) / ICMPv6DestUnreach(code=4) / bytes(IPv6(src=US6, dst=PEER6, nh=44) / bytes(10)),
    ],
)
def test_an_error_about_what_we_never_sent_is_dropped(lab: Lab, packet: Any) -> None:
    lab.arrive(IF1, packet)

    assert lab.udp.errors == []
    assert lab.drops == {DropReason.ICMP_BAD_QUOTE: 1}


def test_an_echo_reply_that_cannot_be_delivered_bothers_nobody(lab: Lab) -> None:
    lab.arrive(IF1, ping("10.1.0.77", US4))
    lab.pass_time(10)

    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 1}
    assert lab.ip.is_local(A(US4))


class Asker:
    """Whoever sends echo requests; waits for those with one identifier."""

    def __init__(self) -> None:
        self.replies: list[tuple[str, EchoMessage]] = []
        self.errors: list[Undelivered] = []

    def reply(self, packet: Packet, message: EchoMessage, now: Instant) -> bool:
        self.replies.append((format_address(packet.source), message))
        return message.identifier == 7

    def error(self, undelivered: Undelivered, now: Instant) -> bool:
        self.errors.append(undelivered)
        return True


def test_an_echo_reply_goes_to_who_asked(lab: Lab) -> None:
    asker = lab.ip.icmp.echo = Asker()
    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=0, id=7, seq=3) / b"ab")
    lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / ICMPv6EchoReply(id=7, seq=4, data=b"cd"))
    assert asker.replies == [(PEER4, EchoMessage(True, 7, 3, b"ab")), (PEER6, EchoMessage(True, 7, 4, b"cd"))]
    assert lab.drops == {}

    lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=0, id=8))
    assert lab.drops == {DropReason.ICMP_NO_ENDPOINT: 1}
    assert lab.take() == []


def test_an_error_about_an_echo_request_goes_to_who_asked(lab: Lab) -> None:
    asker = lab.ip.icmp.echo = Asker()
    request4 = IP(src=US4, dst="192.0.2.9") / ICMP(type=8, id=7, seq=3)
    request6 = IPv6(src=US6, dst="2001:db9::9") / ICMPv6EchoRequest(id=7, seq=4)
    lab.arrive(IF1, IP(src="10.1.0.1", dst=US4) / ICMP(type=11, code=0) / request4)
    lab.arrive(IF1, IPv6(src="fe80::1", dst=US6) / ICMPv6TimeExceeded(code=1) / request6)

    first, second = asker.errors
    assert first == Undelivered(
        IcmpErrorKind.TIME_EXCEEDED, A(US4), A("192.0.2.9"), bytes(request4[ICMP]), 0, 0, A("10.1.0.1"), 0
    )
    assert second == Undelivered(
        IcmpErrorKind.TIME_EXCEEDED, A(US6), A("2001:db9::9"), bytes(request6.payload), 0, 0, A("fe80::1"), 1
    )


@pytest.mark.rule("RFC8200-4.1")
@pytest.mark.parametrize(
    "sent",
    [
        IP(src=US4, dst=PEER4, options=[IPOption_Router_Alert()]) / UDP(sport=1000, dport=2000) / b"hello",
        IPv6(src=US6, dst=PEER6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(20))])
        / UDP(sport=1000, dport=2000) / b"hello",
        IPv6(src=US6, dst=PEER6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=1)
        / UDP(sport=1000, dport=2000) / b"hello",
    ],
)  # fmt: skip
def test_an_error_about_a_packet_with_more_headers_is_understood(lab: Lab, sent: Any) -> None:
    if IP in sent:
        lab.arrive(IF1, IP(src=PEER4, dst=US4) / ICMP(type=3, code=3) / sent)
    else:
        lab.arrive(IF1, IPv6(src=PEER6, dst=US6) / ICMPv6DestUnreach(code=4) / sent)

    assert [error.quoted for error in lab.udp.errors] == [bytes(sent[UDP])]


@pytest.mark.rule("RFC8201-4", "RFC1191-3")
@pytest.mark.parametrize(
    "packet",
    [
        IP(src="10.1.0.1", dst=US4) / ICMP(type=3, code=4, nexthopmtu=67) / ours4,
        IPv6(src=PEER6, dst=US6) / ICMPv6PacketTooBig(mtu=1279) / ours6,
        IPv6(src=PEER6, dst=US6) / ICMPv6PacketTooBig(mtu=0) / ours6,
    ],
)
def test_an_mtu_below_what_every_link_carries_is_not_believed(lab: Lab, packet: Any) -> None:
    lab.arrive(IF1, packet)

    assert lab.udp.errors == []
    assert lab.drops == {DropReason.ICMP_BAD_MTU: 1}


def test_an_error_that_finds_no_way_back_is_counted(lab: Lab, refuser: Refuser) -> None:
    lab.arrive(IF1, datagram("192.0.2.1", US4))

    assert lab.take() == []
    assert lab.drops == {DropReason.NO_ROUTE: 1}
