"""What leaves: headers, fragments, broadcasts, groups, and what never reaches a wire."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP, defragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, defragment6
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab, mac_of, udp_header
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.net.fragments import Identifications
from wsknet.net.multicast.groups import SourceFilter
from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Proto

PEER4, PEER6 = "10.1.0.50", "2001:db8:1::50"
families = pytest.mark.parametrize("peer", [PEER4, PEER6], ids=["IPv4", "IPv6"])


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24", "fe80::a/64", "2001:db8:1::2/64", metric=25)
    lab.interface(IF2, "10.2.0.2/24", "fe80::b/64", "2001:db8:2::2/64", metric=35)
    for peer in (PEER4, PEER6, "fe80::50"):
        lab.know(IF1, peer)
    return lab


def rebuilt(packet: Any) -> bytes:
    """The packet as Scapy would have made it: same fields, lengths and checksums computed again."""
    copy = packet.copy()
    for layer in (IP, IPv6):
        if copy.haslayer(layer):
            for name in ("chksum", "len", "plen"):
                if name in copy[layer].fields:
                    copy[layer].delfieldval(name)
    return bytes(copy)


@pytest.mark.parametrize("nth", [1, 2], ids=["first", "known neighbour"])
def test_an_ipv4_packet_is_correct(lab: Lab, nth: int) -> None:
    for _ in range(nth):
        path = lab.path(PEER4)
        lab.ip.send(path, Proto.UDP, udp_header(5), (b"he", memoryview(b"llo")), lab.now, 9, 0xB8)

    frame = lab.take()[-1][1]
    packet = frame[IP]
    assert (frame.dst, frame.src, frame.type) == (PEER_MAC, mac_of(IF1), 0x0800)
    assert (packet.version, packet.ihl, int(packet.flags), packet.frag) == (4, 5, 0, 0)
    assert (packet.ttl, packet.tos, packet.proto, packet.len) == (9, 0xB8, 17, 33)
    assert (packet.src, packet.dst) == ("10.1.0.2", PEER4)
    assert bytes(packet[UDP].payload) == b"hello"
    assert rebuilt(frame) == bytes(frame)


@pytest.mark.parametrize("nth", [1, 2], ids=["first", "known neighbour"])
def test_an_ipv6_packet_is_correct(lab: Lab, nth: int) -> None:
    for _ in range(nth):
        path = lab.path(PEER6)
        lab.ip.send(path, Proto.UDP, udp_header(5), (b"he", memoryview(b"llo")), lab.now, 9, 0xB8)

    frame = lab.take()[-1][1]
    packet = frame[IPv6]
    assert (frame.dst, frame.src, frame.type) == (PEER_MAC, mac_of(IF1), 0x86DD)
    assert (packet.hlim, packet.tc, packet.fl, packet.nh, packet.plen) == (9, 0xB8, 0, 17, 13)
    assert (packet.src, packet.dst) == ("2001:db8:1::2", PEER6)
    assert bytes(packet[UDP].payload) == b"hello"


@families
def test_the_hop_limit_is_the_behaviours_unless_given(lab: Lab, peer: str) -> None:
    lab.send(peer)
    lab.send(peer)

    frames = [frame for _, frame in lab.take()]
    assert [bytes(frame)[22 if peer is PEER4 else 21] for frame in frames] == [128, 128]


@families
def test_payload_buffers_are_lent_not_copied(lab: Lab, peer: str) -> None:
    lab.send(peer)
    lab.ip.frames = []
    view = memoryview(b"lent")

    lab.ip.send(lab.path(peer), Proto.UDP, udp_header(4), (view,), lab.now)

    [(_, buffers, _)] = lab.ip.frames
    assert buffers[1] is view


@pytest.mark.rule("RFC791-3.2")
def test_a_large_ipv4_datagram_leaves_in_fragments(lab: Lab) -> None:
    data = bytes(range(256)) * 20
    for _ in range(2):
        lab.send(PEER4, data)

    frames = [frame for _, frame in lab.take()]
    assert all(len(frame[IP]) <= 1500 for frame in frames)
    assert [(frame[IP].frag * 8, str(frame[IP].flags)) for frame in frames[:4]] == [
        (0, "MF"), (1480, "MF"), (2960, "MF"), (4440, ""),
    ]  # fmt: skip
    assert len({frame[IP].id for frame in frames[:4]}) == 1
    assert frames[0][IP].id != frames[4][IP].id
    assert all(rebuilt(frame) == bytes(frame) for frame in frames)
    whole = defragment([frame[IP] for frame in frames[:4]])
    assert bytes(whole[0][UDP].payload) == data


@pytest.mark.rule("RFC8200-4.5")
def test_a_large_ipv6_datagram_leaves_in_fragments(lab: Lab) -> None:
    data = bytes(range(256)) * 20
    for _ in range(2):
        lab.send(PEER6, data)

    packets = [frame[IPv6] for _, frame in lab.take()]
    assert all(len(packet) <= 1500 for packet in packets)
    assert [packet[IPv6ExtHdrFragment].m for packet in packets] == [1, 1, 1, 0] * 2
    assert len({packet[IPv6ExtHdrFragment].id for packet in packets}) == 2
    whole = defragment6(packets[:4])
    assert bytes(whole.payload)[8:] == data


@families
def test_fragments_wait_together_for_the_neighbour(lab: Lab, peer: str) -> None:
    other = peer.replace("50", "51")
    data = bytes(20_000)
    lab.send(other, data)
    lab.take()

    lab.know(IF1, other)

    assert sum(len(frame) for _, frame in lab.take()) > len(data)


@families
def test_what_no_packet_holds_is_refused(lab: Lab, peer: str) -> None:
    largest = 65535 - (28 if peer is PEER4 else 8)
    lab.send(peer, bytes(largest))
    with pytest.raises(NetError) as caught:
        lab.send(peer, bytes(largest + 1))

    assert caught.value.kind is ErrorKind.MESSAGE_TOO_LONG


@pytest.mark.rule("BIND-55")
def test_a_directed_broadcast_goes_to_all_macs_on_its_link_and_to_ourselves(lab: Lab) -> None:
    path = lab.send("10.2.0.255")

    frame = lab.take_one(IF2)
    assert path.is_broadcast
    assert (frame.dst, frame[IP].src, frame[IP].dst) == ("ff:ff:ff:ff:ff:ff", "10.2.0.2", "10.2.0.255")
    assert lab.ip.deliver_looped(lab.now)
    assert [packet.cast for packet in lab.udp.packets] == [Cast.BROADCAST]


@pytest.mark.rule("BIND-54")
def test_the_limited_broadcast_leaves_by_the_best_interface_or_the_bound_one(lab: Lab) -> None:
    assert lab.send("255.255.255.255").is_broadcast
    assert lab.take_one(IF1)[IP].src == "10.1.0.2"
    lab.send("255.255.255.255", source="10.2.0.2")
    assert lab.take_one(IF2)[IP].src == "10.2.0.2"
    lab.send("255.255.255.255", zone=IF2)
    assert lab.take_one(IF2).dst == "ff:ff:ff:ff:ff:ff"


@pytest.mark.parametrize(
    ("group", "mac"),
    [("239.129.2.3", "01:00:5e:01:02:03"), ("ff02::1:3", "33:33:00:01:00:03"), ("ff02::1", "33:33:00:00:00:01")],
)
def test_multicast_leaves_on_one_interface_without_asking(lab: Lab, group: str, mac: str) -> None:
    lab.send(group)
    assert lab.take_one(IF1).dst == mac
    lab.send(group, zone=IF2)
    assert lab.take_one(IF2).dst == mac
    lab.ip.deliver_looped(lab.now)
    assert [packet.cast for packet in lab.udp.packets] == [Cast.MULTICAST] * (2 if group == "ff02::1" else 0)


@pytest.mark.rule("BIND-35", "BIND-36")
@pytest.mark.parametrize(
    ("destination", "bound", "source", "on", "zone"),
    [
        ("127.0.0.1", None, "127.0.0.1", "loopback", 0),
        ("127.0.0.2", None, "127.0.0.1", "loopback", 0),
        ("127.0.0.1", "127.3.2.1", "127.3.2.1", "loopback", 0),
        ("::1", None, "::1", "loopback", 0),
        ("10.1.0.2", None, "10.1.0.2", "if1", 0),
        ("10.2.0.2", "10.1.0.2", "10.1.0.2", "if2", 0),
        ("2001:db8:2::2", None, "2001:db8:2::2", "if2", 0),
        ("fe80::a", None, "fe80::a", "if1", IF1),
    ],
)
def test_packets_to_ourselves_reach_no_wire(
    lab: Lab, destination: str, bound: str | None, source: str, on: str, zone: int
) -> None:
    path = lab.send(destination, b"data", bound)
    assert path.is_local
    assert lab.udp.packets == []

    assert lab.ip.deliver_looped(lab.now)

    [packet] = lab.udp.packets
    assert lab.take() == []
    assert (packet.source, packet.destination, packet.payload[8:]) == (A(source), A(destination), b"data")
    assert (packet.interface.name, packet.zone, packet.cast) == (on, zone, Cast.UNICAST)
    assert packet.checksum_trusted
    assert packet.raw[-len(packet.payload) :] == packet.payload
    assert len(packet.raw) == len(packet.payload) + (20 if "." in destination else 40)
    assert not lab.ip.deliver_looped(lab.now)


@pytest.mark.parametrize("destination", ["127.0.0.1", "::1"])
def test_a_packet_to_ourselves_has_the_header_that_a_wire_would_see(lab: Lab, destination: str) -> None:
    path = lab.path(destination)
    lab.ip.send(path, Proto.UDP, udp_header(4), (b"data",), lab.now, hop_limit=9, traffic_class=0xB8)
    lab.ip.deliver_looped(lab.now)

    [packet] = lab.udp.packets
    kind = IPv6 if ":" in destination else IP
    header = kind(packet.raw)
    if kind is IPv6:
        assert (header.version, header.tc, header.fl, header.plen) == (6, 0xB8, 0, 12)
        assert (header.hlim, header.nh) == (9, 17)
    else:
        assert (header.version, header.tos, header.len) == (4, 0xB8, 32)
        assert (header.ttl, header.proto) == (9, 17)
    assert (header.src, header.dst) == (destination, destination)


def test_an_answer_to_ourselves_does_not_recurse(lab: Lab) -> None:
    """The handler sends a shorter packet for each it gets: a thousand nested calls would end in an error."""

    class Shrinker:
        def __init__(self) -> None:
            self.depth = self.deepest = self.received = 0

        def input(self, packet: Any, now: Any) -> None:
            self.received += 1
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
            if len(packet.payload) > 1:
                path = lab.path("127.0.0.1")
                lab.ip.send(path, 99, packet.payload[1:], (), now)
            self.depth -= 1

        def icmp_error(self, *args: Any) -> bool:
            raise AssertionError

    shrinker = lab.ip.protocols[99] = Shrinker()
    lab.ip.send(lab.path("127.0.0.1"), 99, bytes(5000), (), lab.now)
    lab.ip.deliver_looped(lab.now)

    assert (shrinker.received, shrinker.deepest) == (5000, 1)


def test_what_a_handler_sends_to_ourselves_arrives_before_receive_returns(lab: Lab) -> None:
    class Forwarder:
        def input(self, packet: Any, now: Any) -> None:
            lab.ip.send(lab.path("::1"), Proto.UDP, packet.payload, (), now)

        def icmp_error(self, *args: Any) -> bool:
            raise AssertionError

    lab.ip.protocols[99] = Forwarder()
    lab.arrive(IF1, IP(src=PEER4, dst="10.1.0.2", proto=99) / b"12345678")

    assert [packet.payload for packet in lab.udp.packets] == [b"12345678"]


def test_an_unknown_protocol_is_refused_to_ourselves_too(lab: Lab) -> None:
    lab.ip.send(lab.path("10.1.0.2"), 99, b"12345678", (), lab.now)
    lab.ip.deliver_looped(lab.now)

    # The second is the refusal, which arrives where nobody speaks the protocol either.
    assert lab.drops == {DropReason.IP_UNKNOWN_PROTOCOL: 1, DropReason.ICMP_NO_ENDPOINT: 1}
    assert lab.take() == []


def test_a_packet_to_ourselves_may_be_as_long_as_ip_allows(lab: Lab) -> None:
    lab.send("10.1.0.2", bytes(65507))
    lab.ip.deliver_looped(lab.now)

    assert len(lab.udp.packets[0].payload) == 65515


@families
def test_an_old_path_is_renewed_with_its_source(lab: Lab, peer: str) -> None:
    path = lab.send(peer)
    lab.take()
    lab.address(IF1, "10.1.0.1/24")
    lab.address(IF1, "2001:db8:1::1/64")

    lab.ip.send(path, Proto.UDP, udp_header(0), (), lab.now)

    [(_, frame)] = lab.take()
    assert frame.payload.src == {PEER4: "10.1.0.2", PEER6: "2001:db8:1::2"}[peer]


@pytest.mark.parametrize(
    "change",
    [changes.LinkDown(IF1), changes.InterfaceRemoved(IF1), changes.AddressRemoved(IF1, A("10.1.0.2"))],
    ids=["down", "removed", "address removed"],
)
def test_an_old_path_without_a_successor_sends_nothing(lab: Lab, change: changes.Change) -> None:
    path = lab.send(PEER4)
    lab.take()
    lab.apply(change)

    lab.ip.send(path, Proto.UDP, udp_header(0), (), lab.now)

    assert lab.take() == []
    assert lab.drops == {DropReason.NO_ROUTE: 1}


def test_an_old_multicast_path_stays_on_its_interface(lab: Lab) -> None:
    path = lab.path("ff02::1:3", zone=IF2)
    lab.address(IF1, "10.1.0.1/24")

    lab.ip.send(path, Proto.UDP, udp_header(0), (), lab.now)

    lab.take_one(IF2)


def test_the_first_frame_of_a_path_tells_why(lab: Lab) -> None:
    lab.ip.annotate = True
    for _ in range(2):
        lab.send(PEER4)
    lab.send("10.1.0.51")
    lab.know(IF1, "10.1.0.51")
    lab.send("10.1.0.51")

    comments = [comment for _, _, comment in lab.ip.frames]
    assert [comment is not None for comment in comments] == [True, False, False, True, False]
    text = comments[0]
    assert text is not None
    assert "\n" not in text
    for part in ("10.1.0.50", "10.1.0.0/24", "if1", "10.1.0.2"):
        assert part in text


def test_nothing_is_told_unless_asked_for(lab: Lab) -> None:
    lab.send(PEER4)

    assert [comment for _, _, comment in lab.ip.frames] == [None]


def test_frames_are_plain_ethernet(lab: Lab) -> None:
    lab.send(PEER4, b"")

    assert len(Ether(bytes(lab.take_one()))) == 14 + 20 + 8


@pytest.mark.rule("RFC4291-2.7")
def test_a_group_within_the_host_is_reached_without_a_wire(lab: Lab) -> None:
    lab.ip.groups.listen(lab.ip.interfaces[IF1], A("ff01::77"), lab, SourceFilter(), lab.now)
    lab.take()
    lab.send("ff01::77", b"hello", zone=IF1)
    lab.ip.deliver_looped(lab.now)

    assert lab.take() == []
    [packet] = lab.udp.packets
    assert (packet.destination, packet.payload[8:], packet.cast) == (A("ff01::77"), b"hello", Cast.MULTICAST)


@pytest.mark.rule("RFC6864-4.3", "RFC7739-5.3")
def test_identifications_are_consecutive_for_one_peer_and_unrelated_for_others(lab: Lab) -> None:
    lab.know(IF1, "2001:db8:1::51")
    seen: dict[str, list[int]] = {PEER6: [], "2001:db8:1::51": []}
    for peer in [*seen] * 3:
        lab.send(peer, bytes(2000))
        [first, second] = [frame[IPv6ExtHdrFragment].id for _, frame in lab.take()]
        assert first == second
        seen[peer].append(first)

    for numbers in seen.values():
        assert [(number - numbers[0]) & 0xFFFFFFFF for number in numbers] == [0, 1, 2]
    one, other = (numbers[0] for numbers in seen.values())
    assert abs(one - other) > 3


def test_no_identification_returns_before_all_are_used() -> None:
    identifications = Identifications(Random(3))
    pair = A(PEER4) + A("10.1.0.2")
    numbers = {identifications.next(pair) & 0xFFFF for _ in range(0x10000)}
    assert len(numbers) == 0x10000


@pytest.mark.rule("RFC7739-5.3")
def test_the_numbers_of_one_pair_tell_nothing_of_those_of_another() -> None:
    """Not even to who knows the algorithm: what lies between them is each host's own secret."""
    one, other = A(PEER4) + A("10.1.0.2"), A(PEER4) + A("10.2.0.2")
    between = set()
    for seed in range(5):
        identifications = Identifications(Random(seed))
        between.add((identifications.next(one) - identifications.next(other)) & 0xFFFFFFFF)
    assert len(between) == 5


@families
def test_what_just_fits_goes_to_a_group_in_one_piece(lab: Lab, peer: str) -> None:
    group, headers = ("239.1.2.3", 28) if peer is PEER4 else ("ff02::1:3", 48)
    lab.send(group, bytes(1500 - headers))

    packet = lab.take_one(IF1).payload
    assert len(packet) == 1500
    assert not packet.flags.MF if peer is PEER4 else packet.nh == 17
