"""A router between two links: what it passes on, what it changes, and what it tells the sender instead."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.lab import IF1, IF2, IF3, OTHER_MAC, PEER_MAC, A, Lab, datagram, mac_of, ping
from tests.unit.net.router_lab import (
    FAR4,
    FAR6,
    PEER4,
    PEER6,
    REMOTE4,
    REMOTE6,
    assert_sound,
    error_numbers,
    families,
    hop_limit,
    router,
    with_hop_limit,
)
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.net import changes
from wsknet.net.transit import aged
from wsknet.trace import DropReason
from wsknet.types import Family
from wsknet.wire import ipv4
from wsknet.wire.checksum import internet_checksum


@pytest.fixture
def lab() -> Lab:
    return router()


# --- what is passed on ---


@pytest.mark.rule("RFC1812-5.3.1", "RFC8200-3")
@families
def test_a_packet_for_others_leaves_with_a_lower_hop_limit_and_nothing_else_changed(
    lab: Lab, near: str, far: str
) -> None:
    packet = with_hop_limit(datagram(near, far, b"x" * 33), 9)
    if IPv6 in packet:
        packet[IPv6].tc, packet[IPv6].fl = 0xB9, 0x12345
    else:
        packet[IP].tos, packet[IP].id = 0xB9, 0x4711
    packet = type(packet)(bytes(packet))
    lab.arrive(IF1, packet)

    frame = lab.take_one(IF2)
    assert (frame[Ether].dst, frame[Ether].src) == (OTHER_MAC, mac_of(IF2))
    assert hop_limit(frame) == 8
    assert_sound(frame)
    sent, received = bytes(frame.payload), bytes(packet)
    assert [i for i in range(len(sent)) if sent[i] != received[i]] == ([8, 10] if IP in packet else [7])
    assert lab.drops == {}


@families
def test_what_a_link_pads_is_not_passed_on(lab: Lab, near: str, far: str) -> None:
    packet = bytes(datagram(near, far, b"x"))
    lab.receive(IF1, Ether(dst=mac_of(IF1), src=PEER_MAC) / (type(datagram(near, far))(packet)) / bytes(17))

    assert len(bytes(lab.take_one(IF2).payload)) == len(packet)


@pytest.mark.rule("RFC1624-3")
@pytest.mark.parametrize("lifetime", [2, 255])
def test_the_checksum_of_an_aged_header_is_right(lifetime: int) -> None:
    """Identifications in steps of less than a byte's worth, so that the carry between the bytes is among the cases."""
    for identification in range(0, 0x10000, 199):
        header = ipv4.build(A(PEER4), A(FAR4), 17, 8, lifetime, identification)
        expected = ipv4.build(A(PEER4), A(FAR4), 17, 8, lifetime - 1, identification)
        assert aged(Family.IPV4, header + bytes(8)) == expected + bytes(8)


@pytest.mark.parametrize(("near", "far"), [(PEER4, REMOTE4), (PEER6, REMOTE6)])
def test_the_next_hop_is_the_router_of_the_route(lab: Lab, near: str, far: str) -> None:
    lab.arrive(IF1, datagram(near, far))

    assert lab.take_one(IF2)[Ether].dst == OTHER_MAC


@families
def test_a_host_that_is_no_router_passes_nothing_on(lab: Lab, near: str, far: str) -> None:
    lab.apply(changes.InterfaceChanged(IF1, forwarding=False))
    lab.arrive(IF1, datagram(near, far))

    assert lab.take() == []
    assert lab.drops == {DropReason.IP_NOT_LOCAL: 1}


@families
def test_the_incoming_interface_decides_whether_a_packet_is_passed_on(lab: Lab, near: str, far: str) -> None:
    lab.apply(changes.InterfaceChanged(IF2, forwarding=False))
    lab.arrive(IF1, datagram(near, far))

    assert len(lab.take()) == 1


@families
def test_a_packet_in_a_broadcast_frame_is_not_passed_on(lab: Lab, near: str, far: str) -> None:
    lab.arrive(IF1, datagram(near, far), mac="ff:ff:ff:ff:ff:ff")

    assert lab.take() == []


def test_a_longer_prefix_a_lower_metric_and_a_link_that_is_up_decide_as_for_our_own_packets(lab: Lab) -> None:
    lab.know(IF3, "10.3.0.254", "02:00:00:00:00:33")
    lab.route("198.51.100.0/25", IF3, "10.3.0.254", metric=900)
    lab.arrive(IF1, datagram(PEER4, REMOTE4))
    assert lab.take_one(IF3)[Ether].dst == "02:00:00:00:00:33"

    lab.apply(changes.LinkDown(IF3))
    lab.arrive(IF1, datagram(PEER4, REMOTE4))
    assert lab.take_one(IF2)[Ether].dst == OTHER_MAC


@pytest.mark.rule("RFC1122-3.3.4.2")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX])
@pytest.mark.parametrize("to_far_side", [True, False])
@pytest.mark.parametrize("family", [4, 6])
def test_a_router_answers_for_its_addresses_on_all_its_links(
    behaviour: Behaviour, to_far_side: bool, family: int
) -> None:
    lab = router(behaviour)
    link = 2 if to_far_side else 1
    if family == 4:
        lab.arrive(IF1, ping(PEER4, f"10.{link}.0.1"))
    else:
        lab.arrive(IF1, IPv6(src=PEER6, dst=f"2001:db8:{link}::1") / ICMPv6EchoRequest())

    [(index, frame)] = lab.take()
    assert (index, error_numbers(frame)[0]) == (IF1, 0 if family == 4 else 129)


@pytest.mark.rule("RFC4443-2.2")
@pytest.mark.parametrize("source", [PEER6, "fe80::50"])
def test_an_error_about_what_an_address_got_comes_from_that_address(lab: Lab, source: str) -> None:
    lab.arrive(IF1, IPv6(src=source, dst="2001:db8:2::1", nh=200) / bytes(8))

    assert lab.take_one(IF1)[IPv6].src == "2001:db8:2::1"


# --- what is refused ---


@pytest.mark.rule("RFC1812-5.3.1", "RFC4443-3.3")
@pytest.mark.parametrize("lifetime", [0, 1])
@families
def test_a_packet_with_its_hop_limit_used_up_ends_here(lab: Lab, near: str, far: str, lifetime: int) -> None:
    packet = with_hop_limit(datagram(near, far), lifetime)
    lab.arrive(IF1, packet)

    frame = lab.take_one(IF1)
    assert error_numbers(frame) == ((11, 0) if IP in frame else (3, 0))
    header = frame[IP] if IP in frame else frame[IPv6]
    assert (header.src, header.dst) == (("10.1.0.1", PEER4) if IP in frame else ("2001:db8:1::1", PEER6))
    quoted = bytes(frame[ICMP].payload if IP in frame else frame[ICMPv6TimeExceeded].payload)
    assert quoted == bytes(packet)
    assert_sound(frame)
    assert lab.drops == {DropReason.IP_HOP_LIMIT: 1}


@pytest.mark.rule("RFC1812-4.3.2.5")
def test_errors_of_a_router_have_the_precedence_of_internetwork_control(lab: Lab) -> None:
    lab.arrive(IF1, with_hop_limit(datagram(PEER4, FAR4, tos=0x20), 1))

    assert lab.take_one(IF1)[IP].tos == 0xC0


@pytest.mark.rule("RFC1812-5.2.7.1", "RFC4443-3.1")
@pytest.mark.parametrize(("near", "far"), [(PEER4, "203.0.113.9"), (PEER6, "2001:db9::9")], ids=["IPv4", "IPv6"])
def test_without_a_route_the_sender_hears_that_the_network_is_unreachable(lab: Lab, near: str, far: str) -> None:
    lab.arrive(IF1, datagram(near, far))

    frame = lab.take_one(IF1)
    assert error_numbers(frame) == ((3, 0) if IP in frame else (1, 0))
    assert lab.drops == {DropReason.FORWARD_NO_ROUTE: 1}


@pytest.mark.rule("RFC1812-5.2.7.1", "RFC4443-3.1")
@pytest.mark.parametrize(("near", "far"), [(PEER4, "10.2.0.99"), (PEER6, "2001:db8:2::99")], ids=["IPv4", "IPv6"])
def test_a_neighbour_that_does_not_answer_is_reported_to_the_sender(lab: Lab, near: str, far: str) -> None:
    lab.arrive(IF1, datagram(near, far))
    lab.arrive(IF1, datagram(near, far, b"second"))
    lab.pass_time(4)

    sent = lab.take()
    questions = [frame for index, frame in sent if index == IF2]
    assert len(questions) == 3
    assert all(ARP in frame or ICMPv6ND_NS in frame for frame in questions)
    errors = [frame for index, frame in sent if index == IF1]
    assert [error_numbers(frame) for frame in errors] == [(3, 1) if IP in errors[0] else (1, 3)] * 2
    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 2}
    assert lab.udp.errors == []


@families
def test_a_packet_waits_for_the_mac_of_its_next_hop(lab: Lab, near: str, far: str) -> None:
    unknown = far[:-2] + "99"
    lab.arrive(IF1, datagram(near, unknown, b"waiting"))
    lab.take()
    lab.know(IF2, unknown, "02:00:00:00:00:55")

    frame = lab.take_one(IF2)
    assert frame[Ether].dst == "02:00:00:00:00:55"
    assert bytes(frame[UDP].payload) == b"waiting"


@pytest.mark.rule("RFC1812-5.3.7", "RFC3927-7", "RFC2644-2")
@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("169.254.7.7", FAR4),
        (PEER4, "169.254.7.7"),
        (PEER4, "240.0.0.9"),
        (PEER4, "0.1.2.3"),
        (PEER4, "10.2.0.255"),
        (PEER6, "fe80::77"),
        ("fe80::50", "fe80::77"),
    ],
)
def test_what_must_stay_on_its_link_is_dropped_silently(lab: Lab, source: str, destination: str) -> None:
    lab.route("0.0.0.0/0", IF2, "10.2.0.254")
    lab.route("::/0", IF2, "fe80::fe")
    lab.arrive(IF1, datagram(source, destination))

    assert lab.take() == []
    assert lab.drops == {DropReason.FORWARD_NOT_ALLOWED: 1}


@pytest.mark.rule("RFC4291-2.5.6", "RFC4443-3.1")
def test_a_link_local_sender_hears_that_its_scope_ends_here(lab: Lab) -> None:
    lab.arrive(IF1, datagram("fe80::50", FAR6))

    frame = lab.take_one(IF1)
    assert (frame[IPv6].src, frame[IPv6].dst) == ("fe80::1", "fe80::50")
    assert frame[ICMPv6DestUnreach].code == 2
    assert lab.drops == {DropReason.FORWARD_NOT_ALLOWED: 1}


@pytest.mark.rule("RFC1122-3.2.2", "RFC4443-2.4")
@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_an_ipv4_error_on_its_way_is_answered_by_none(lab: Lab, kind: int) -> None:
    lab.arrive(IF1, IP(src=PEER4, dst=FAR4, ttl=1) / ICMP(type=kind) / bytes(28))

    assert lab.take() == []
    assert lab.drops == {DropReason.IP_HOP_LIMIT: 1}


@pytest.mark.rule("RFC4443-2.4")
@pytest.mark.parametrize(("kind", "is_answered"), [(1, False), (4, False), (127, False), (137, False), (128, True)])
def test_an_ipv6_error_or_redirect_on_its_way_is_answered_by_none(lab: Lab, kind: int, is_answered: bool) -> None:
    lab.arrive(IF1, IPv6(src=PEER6, dst=FAR6, hlim=1, nh=58) / bytes((kind, *bytes(47))))
    lab.arrive(IF1, IPv6(src=PEER6, dst=FAR6, hlim=1) / IPv6ExtHdrDestOpt(nh=58) / bytes((kind, *bytes(47))))

    assert len(lab.take()) == 2 * is_answered


@pytest.mark.rule("RFC1812-4.3.2.7", "RFC1812-5.3.7")
@pytest.mark.parametrize("source", ["10.2.0.255", "255.255.255.255", "224.0.0.9", "240.0.0.1", "127.0.0.1", "0.0.0.0"])
def test_a_source_that_is_no_host_is_answered_by_none(lab: Lab, source: str) -> None:
    lab.arrive(IF1, datagram(source, FAR4, ttl=1))

    assert lab.take() == []


# --- whatever arrives ---

_BASES = [
    bytes(datagram(PEER4, FAR4, bytes(60))),
    bytes(IP(src=PEER4, dst="10.3.0.60", id=7, options=[IPOption_Router_Alert()]) / UDP() / bytes(1400)),
    bytes(IP(src=PEER4, dst=FAR4, ttl=1) / ICMP(type=8) / bytes(60)),
    bytes(datagram(PEER6, FAR6, bytes(60))),
    bytes(IPv6(src=PEER6, dst=FAR6, hlim=1) / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=1) / UDP() / bytes(60)),
]


@settings(max_examples=300)
@given(
    st.sampled_from(_BASES),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 255)), max_size=4),
    st.integers(20, 1500),
)
def test_no_packet_raises_and_none_leaves_with_the_hop_limit_it_came_with(
    base: bytes, changed: list[tuple[int, int]], length: int
) -> None:
    packet = bytearray(base)
    for position, value in changed:
        packet[position] = value
    if packet[0] >> 4 == 4:
        packet[10:12] = bytes(2)
        header = bytes(packet[: (packet[0] & 15) * 4])
        packet[10:12] = internet_checksum(header).to_bytes(2, "big")
    lab = router()
    ethertype = 0x0800 if base[0] >> 4 == 4 else 0x86DD
    lab.receive(IF1, Ether(dst=mac_of(IF1), src=PEER_MAC, type=ethertype) / bytes(packet[:length]))

    for buffers in lab.ip.frames:
        sent = b"".join(buffers[1])[14:]
        is_it = sent[12:20] == packet[12:20] if base[0] >> 4 == 4 else sent[8:40] == packet[8:40]
        if is_it:
            position = 8 if base[0] >> 4 == 4 else 7
            assert sent[position] == packet[position] - 1 > 0


def test_of_the_destinations_explained_in_a_capture_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wsknet.net.forwarding.MAX_TOLD", 2)
    lab = router()
    lab.ip.annotate = True
    for destination in (FAR4, "10.3.0.60", FAR4, FAR6, "10.3.0.60", FAR4, FAR6):
        lab.arrive(IF1, datagram(PEER6 if ":" in destination else PEER4, destination))

    comments = [comment for _, _, comment in lab.ip.frames]
    assert [comment is not None for comment in comments] == [True, True, False, True, True, True, True]


@pytest.mark.rule("RFC4443-2.4")
def test_a_packet_that_ends_where_its_icmp_message_should_begin_is_answered_by_none(lab: Lab) -> None:
    lab.arrive(IF1, IPv6(src=PEER6, dst=FAR6, hlim=1) / IPv6ExtHdrDestOpt(nh=58))

    assert lab.take() == []
