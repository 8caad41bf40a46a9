"""Multicast of UDP sockets: who hears what, how it is sent, and what is refused."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, LoopSide
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.host import Host, HostInterface, Network
from wsknet.net.changes import InterfaceAdded, InterfaceRemoved
from wsknet.net.multicast.groups import SourceFilter
from wsknet.net.packet import Cast
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.transport.multicast import MAX_MEMBERSHIPS, MAX_SOURCES, SocketGroups
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, IfIndex, Instant, LocalName

A = parse_address
PORT = 7000

V4 = {"group": "239.1.2.3", "here": "192.0.2.1", "there": "192.0.2.2", "everybody": "224.0.0.1", "source": "10.9.9.9"}
V6 = {
    "group": "ff15::1:7",
    "here": "2001:db8::1",
    "there": "2001:db8::2",
    "everybody": "ff02::1",
    "source": "2001:db8:9::9",
}
families = pytest.mark.parametrize("names", [V4, V6], ids=["IPv4", "IPv6"])


class Pair:
    """Two hosts on one cable; `here` sends and `there` listens unless a test says otherwise."""

    def __init__(self, network: Network, behaviour: Behaviour) -> None:
        self.network = network
        self.here, self.there = network.host("here", behaviour), network.host("there", behaviour)
        self.near = self.here.interface("eth0", "192.0.2.1/24", "2001:db8::1/64", "fe80::1/64")
        self.far = self.there.interface("eth0", "192.0.2.2/24", "2001:db8::2/64", "fe80::2/64")
        network.link(self.near, self.far)
        if not behaviour.ipv4_group_routes:
            for host in (self.here, self.there):
                host.route("224.0.0.0/4", interface="eth0")

    def settle(self) -> None:
        self.network.run_for(0.1)


@pytest.fixture
def make() -> Iterator[Callable[[Behaviour], Pair]]:
    with Network(seed=1) as network:
        yield lambda behaviour: Pair(network, behaviour)


@pytest.fixture
def pair(make: Callable[[Behaviour], Pair]) -> Pair:
    return make(WINDOWS)


def bound(host: Host, address: str | None = None, port: int = PORT, cover: Cover = Cover.DUAL) -> UdpEndpoint:
    if address is not None:
        cover = Cover.IPV6 if ":" in address else Cover.IPV4
    endpoint = host.stack.udp.open(cover)
    with host.pump as now:
        endpoint.bind(LocalName(cover, A(address) if address else None, port), now)
    return endpoint


def perform(host: Host, operation: Callable[..., None], *arguments: object, **options: object) -> None:
    with host.pump as now:
        operation(*arguments, now=now, **options)


def join(host: Host, endpoint: UdpEndpoint, group: str, index: int | None = None, source: str | None = None) -> None:
    perform(host, endpoint.multicast.join, A(group), index, source=A(source) if source else None)


def send(host: Host, endpoint: UdpEndpoint, group: str, data: bytes = b"data", zone: int = 0) -> None:
    perform(host, endpoint.send, (data,), Endpoint(A(group), PORT, zone))


def refused(host: Host, operation: Callable[..., None], *arguments: object, **options: object) -> ErrorKind:
    with pytest.raises(NetError) as caught:
        perform(host, operation, *arguments, **options)
    return caught.value.kind


def frames_of(network: Network, card: HostInterface) -> list[bytes]:
    """Everything that this interface sends from now on."""
    assert card.device is not None
    seen: list[bytes] = []
    transmit = card.device.transmit

    def watch(frame: tuple[bytes, ...], now: Instant, comment: str | None = None) -> None:
        seen.append(b"".join(frame))
        transmit(frame, now, comment)

    card.device.transmit = watch  # type: ignore[method-assign, assignment]
    return seen


# Hearing


@families
@pytest.mark.rule("RFC1112-7.1", "RFC3493-5.2")
def test_a_socket_hears_the_groups_that_it_joined(pair: Pair, names: dict[str, str]) -> None:
    member, other = bound(pair.there), bound(pair.there, port=PORT + 1)
    join(pair.there, member, names["group"])
    join(pair.there, other, names["group"])
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    datagram = member.receive()
    assert datagram is not None
    assert (datagram.data, datagram.destination, datagram.cast) == (b"data", A(names["group"]), Cast.MULTICAST)
    assert (datagram.hop_limit, datagram.if_index) == (1, pair.far.index)
    assert other.readable == 0


@families
def test_a_socket_that_left_hears_no_more(pair: Pair, names: dict[str, str]) -> None:
    member, sender = bound(pair.there), bound(pair.here)
    join(pair.there, member, names["group"])
    perform(pair.there, member.multicast.leave, A(names["group"]), None)
    send(pair.here, sender, names["group"])
    pair.settle()
    assert member.readable == 0
    assert pair.there.stack.trace.drops[DropReason.FRAME_OTHER_GROUP] == 1


@families
@pytest.mark.parametrize(("behaviour", "hears"), [(WINDOWS, False), (LINUX, True), (BSD, False)])
def test_whether_other_sockets_hear_it_too_is_a_policy(
    make: Callable[[Behaviour], Pair], behaviour: Behaviour, hears: bool, names: dict[str, str]
) -> None:
    pair = make(behaviour)
    stranger = bound(pair.there)
    member = bound(pair.there, port=PORT + 1)
    join(pair.there, member, names["group"])
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    assert stranger.readable == (1 if hears else 0)
    assert pair.there.stack.trace.drops[DropReason.GROUP_FILTERED] == (0 if hears else 1)


@families
def test_what_everybody_is_in_needs_no_joining(pair: Pair, names: dict[str, str]) -> None:
    socket = bound(pair.there)
    send(pair.here, bound(pair.here), names["everybody"])
    pair.settle()
    assert socket.readable == 1


@families
@pytest.mark.parametrize(("behaviour", "hears"), [(WINDOWS, True), (LINUX, False), (BSD, False)])
def test_whether_a_socket_with_an_address_hears_groups_is_a_policy(
    make: Callable[[Behaviour], Pair], behaviour: Behaviour, hears: bool, names: dict[str, str]
) -> None:
    pair = make(behaviour)
    member, other = bound(pair.there, names["there"]), bound(pair.there, names["there"], PORT + 1)
    for each in (member, other):
        join(pair.there, each, names["group"])
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    assert (member.readable, other.readable) == (1 if hears else 0, 0)


@families
def test_a_socket_with_an_address_and_a_peer_hears_that_peer_alone(pair: Pair, names: dict[str, str]) -> None:
    friend, stranger = bound(pair.here), bound(pair.here, port=PORT + 1)
    member = bound(pair.there, names["there"])
    join(pair.there, member, names["group"])
    perform(pair.there, member.connect, Endpoint(A(names["here"]), PORT))
    send(pair.here, stranger, names["group"], b"no")
    send(pair.here, friend, names["group"], b"yes")
    pair.settle()
    assert [datagram.data for datagram in member.peek()] == [b"yes"]


@families
@pytest.mark.rule("RFC3376-3.1")
def test_each_socket_has_its_own_filter(pair: Pair, names: dict[str, str]) -> None:
    only, but, everybody = (bound(pair.there, port=PORT + number) for number in range(3))
    join(pair.there, only, names["group"], source=names["here"])
    join(pair.there, everybody, names["group"])
    join(pair.there, but, names["group"])
    perform(pair.there, but.multicast.block, A(names["group"]), A(names["here"]), None)
    sender = bound(pair.here)
    for number in range(3):
        perform(pair.here, sender.send, (b"x",), Endpoint(A(names["group"]), PORT + number))
    pair.settle()
    assert [socket.readable for socket in (only, but, everybody)] == [1, 0, 1]
    assert pair.there.stack.trace.drops[DropReason.GROUP_FILTERED] == 1


@families
@pytest.mark.rule("RFC3376-2")
def test_a_sender_whom_no_socket_wants_is_stopped_early(pair: Pair, names: dict[str, str]) -> None:
    member = bound(pair.there)
    join(pair.there, member, names["group"], source=names["source"])
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    assert member.readable == 0
    assert pair.there.stack.trace.drops == {DropReason.GROUP_FILTERED: 1}
    assert pair.there.stack.trace.drops[DropReason.UDP_NO_ENDPOINT] == 0


@families
@pytest.mark.rule("RFC1122-3.2.2", "RFC4443-2.4")
def test_a_group_on_a_closed_port_is_dropped_without_an_error(pair: Pair, names: dict[str, str]) -> None:
    member = bound(pair.there, port=PORT + 1)
    join(pair.there, member, names["group"])
    sent = frames_of(pair.network, pair.far)
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    assert pair.there.stack.trace.drops[DropReason.UDP_NO_ENDPOINT] == 1
    assert not [frame for frame in sent if ICMP in Ether(frame) or b"data" in frame]


def two_cards(network: Network, behaviour: Behaviour = WINDOWS) -> tuple[Host, list[HostInterface], list[UdpEndpoint]]:
    """A host with two interfaces, and a sender on the link of each."""
    host = network.host("multi", behaviour)
    cards, senders = [], []
    for number in (1, 2):
        card = host.interface(f"eth{number}", f"10.{number}.0.1/24", f"2001:db8:{number}::1/64", f"fe80::{number}/64")
        other = network.host(f"peer{number}")
        far = other.interface("eth0", f"10.{number}.0.2/24", f"2001:db8:{number}::2/64", "fe80::99/64")
        network.link(card, far)
        cards.append(card)
        senders.append(bound(other))
    return host, cards, senders


@families
@pytest.mark.rule("RFC1112-7.1")
def test_a_group_is_heard_on_the_interface_where_it_was_joined(names: dict[str, str]) -> None:
    with Network(seed=1) as network:
        host, cards, senders = two_cards(network)
        first, second = bound(host), bound(host, port=PORT + 1)
        join(host, first, names["group"], cards[0].index)
        join(host, second, names["group"], cards[1].index)
        for number, sender in enumerate(senders, 1):
            send(network.hosts[f"peer{number}"], sender, names["group"], b"%d" % number)
        network.run_for(0.1)
        assert [datagram.data for datagram in first.peek()] == [b"1"]
        assert second.readable == 0


@families
def test_joining_without_an_interface_takes_that_of_the_route(names: dict[str, str]) -> None:
    with Network(seed=1) as network:
        host, cards, _ = two_cards(network)
        socket = bound(host)
        join(host, socket, names["group"])
        interfaces = host.stack.ip.interfaces
        route = host.stack.ip.path(A(names["group"])).interface.index
        assert [index for index in interfaces if A(names["group"]) in interfaces[index].groups] == [route]
        assert route in [card.index for card in cards]


# Sending


@families
@pytest.mark.rule("RFC1112-6.1", "RFC3493-5.2")
@pytest.mark.parametrize("hops", [1, 32, 255])
def test_groups_have_a_hop_limit_of_their_own(pair: Pair, names: dict[str, str], hops: int) -> None:
    sender, sent = bound(pair.here), frames_of(pair.network, pair.near)
    assert sender.multicast.hop_limit == 1
    sender.multicast.hop_limit = hops
    send(pair.here, sender, names["group"])
    pair.settle()
    [packet] = [frame[IP] if IP in frame else frame[IPv6] for frame in map(Ether, sent)]
    assert (packet.ttl if IP in packet else packet.hlim) == hops


@families
@pytest.mark.rule("RFC1112-6.1")
def test_a_hop_limit_of_zero_keeps_it_on_the_host(pair: Pair, names: dict[str, str]) -> None:
    sender, member = bound(pair.here, port=PORT + 1), bound(pair.here)
    join(pair.here, member, names["group"])
    sent = frames_of(pair.network, pair.near)
    sender.multicast.hop_limit = 0
    send(pair.here, sender, names["group"])
    pair.settle()
    assert member.readable == 1
    assert not [frame for frame in sent if b"data" in frame]


@families
@pytest.mark.rule("RFC1112-6.1", "BIND-4.3")
def test_the_interface_for_groups_is_used_unless_the_destination_tells_one(names: dict[str, str]) -> None:
    with Network(seed=1) as network:
        host, cards, _ = two_cards(network)
        sender = bound(host)
        sent = [frames_of(network, card) for card in cards]
        for chosen, zone, expected in ((None, 0, 0), (cards[1].index, 0, 1), (cards[1].index, cards[0].index, 0)):
            sender.multicast.if_index = chosen
            send(host, sender, names["group"], b"data", zone)
            network.run_for(0.1)
            assert [len([frame for frame in frames if b"data" in frame]) for frames in sent] == [
                int(expected == number) for number in (0, 1)
            ]
            [frame] = [Ether(frame) for frame in sent[expected]]
            source = frame[IP].src if IP in frame else frame[IPv6].src
            assert A(source) in host.stack.ip.interfaces[cards[expected].index].addresses
            for frames in sent:
                frames.clear()
        sender.multicast.if_index = IfIndex(99)
        with pytest.raises(NetError) as caught:
            send(host, sender, names["group"])
        assert caught.value.kind is ErrorKind.NO_ROUTE


@families
@pytest.mark.rule("RFC1112-6.1", "BIND-4.4")
@pytest.mark.parametrize("side", LoopSide)
@pytest.mark.parametrize(("sender_loops", "member_loops"), [(True, True), (False, True), (True, False)])
def test_whose_word_decides_what_the_sending_host_hears_is_a_policy(
    make: Callable[[Behaviour], Pair], side: LoopSide, sender_loops: bool, member_loops: bool, names: dict[str, str]
) -> None:
    pair = make(replace(WINDOWS, multicast_loop_at=side))
    sender, member, far = bound(pair.here, port=PORT + 1), bound(pair.here), bound(pair.there)
    join(pair.here, member, names["group"])
    join(pair.there, far, names["group"])
    sender.multicast.loops, member.multicast.loops = sender_loops, member_loops
    far.multicast.loops = False
    send(pair.here, sender, names["group"])
    pair.settle()
    assert member.readable == (sender_loops if side is LoopSide.SENDER else member_loops)
    assert far.readable == 1


@pytest.mark.rule("BIND-4.4")
def test_the_sets_agree_with_their_systems_about_loops() -> None:
    sides = [behaviour.multicast_loop_at for behaviour in (WINDOWS, LINUX, BSD)]
    assert sides == [LoopSide.RECEIVER, LoopSide.SENDER, LoopSide.SENDER]


# Refusals


@families
@pytest.mark.rule("RFC3678-4.1.3")
def test_what_cannot_be_is_refused(pair: Pair, names: dict[str, str]) -> None:
    socket = bound(pair.here)
    of: SocketGroups = socket.multicast
    group, source, other = A(names["group"]), A(names["source"]), A(names["there"])
    host = pair.here
    assert refused(host, of.join, A(names["there"]), None) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.join, group, 99) is ErrorKind.NOT_LOCAL
    assert refused(host, of.join, group, None, source=group) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.join, group, None, source=bytes(len(group))) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.leave, group, None) is ErrorKind.NOT_LOCAL
    assert refused(host, of.block, group, source, None) is ErrorKind.NOT_LOCAL

    perform(host, of.join, group, None)
    assert refused(host, of.join, group, None) is ErrorKind.IN_USE
    assert refused(host, of.join, group, None, source=source) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.leave, group, None, source=source) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.unblock, group, source, None) is ErrorKind.NOT_LOCAL
    perform(host, of.block, group, source, None)
    assert refused(host, of.block, group, source, None) is ErrorKind.NOT_LOCAL
    assert of.filter_of(group, None) == SourceFilter(True, frozenset((source,)))
    perform(host, of.unblock, group, source, None)
    perform(host, of.leave, group, None)

    perform(host, of.join, group, None, source=source)
    assert refused(host, of.join, group, None) is ErrorKind.IN_USE
    assert refused(host, of.join, group, None, source=source) is ErrorKind.NOT_LOCAL
    assert refused(host, of.block, group, other, None) is ErrorKind.INVALID_ARGUMENT
    assert refused(host, of.leave, group, None, source=other) is ErrorKind.NOT_LOCAL
    perform(host, of.join, group, None, source=other)
    perform(host, of.leave, group, None, source=source)
    assert of.filter_of(group, None) == SourceFilter(False, frozenset((other,)))
    perform(host, of.leave, group, None, source=other)
    assert refused(host, of.leave, group, None) is ErrorKind.NOT_LOCAL


@families
def test_a_group_of_a_family_that_the_socket_does_not_cover_is_refused(pair: Pair, names: dict[str, str]) -> None:
    socket = bound(pair.here, cover=Cover.IPV4 if names is V6 else Cover.IPV6)
    with pytest.raises(LocalError) as caught:
        join(pair.here, socket, names["group"])
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.rule("RFC3376-2")
def test_a_whole_filter_may_be_set_at_a_stroke(pair: Pair) -> None:
    of, group, source = bound(pair.here).multicast, A("239.1.2.3"), A("10.9.9.9")
    host = pair.here
    nobody = SourceFilter(False)
    assert refused(host, of.set_filter, group, None, nobody) is ErrorKind.NOT_LOCAL
    for wanted in (SourceFilter(False, frozenset((source,))), SourceFilter(True, frozenset((source,))), SourceFilter()):
        perform(host, of.set_filter, group, None, wanted)
        assert of.filter_of(group, None) == wanted
    bad = SourceFilter(True, frozenset((group,)))
    assert refused(host, of.set_filter, group, None, bad) is ErrorKind.INVALID_ARGUMENT
    perform(host, of.set_filter, group, None, nobody)
    assert refused(host, of.leave, group, None) is ErrorKind.NOT_LOCAL


def test_memberships_and_sources_of_a_socket_are_bounded(pair: Pair) -> None:
    of, host = bound(pair.here).multicast, pair.here
    for number in range(MAX_MEMBERSHIPS):
        perform(host, of.join, bytes((239, 1, number >> 8, number & 0xFF)), None)
    assert refused(host, of.join, A("239.9.9.9"), None) is ErrorKind.NO_BUFFERS
    for number in range(1, MAX_SOURCES + 1):
        perform(host, of.block, bytes((239, 1, 0, 0)), bytes((10, 9, 0, number)), None)
    assert refused(host, of.block, bytes((239, 1, 0, 0)), A("10.9.1.1"), None) is ErrorKind.NO_BUFFERS
    perform(host, of.leave, bytes((239, 1, 0, 0)), None)
    perform(host, of.join, A("239.9.9.9"), None)


# The end


@families
@pytest.mark.rule("RFC3376-3.1")
def test_closing_a_socket_leaves_its_groups(pair: Pair, names: dict[str, str]) -> None:
    socket, other = bound(pair.there), bound(pair.there, port=PORT + 1)
    interface = pair.there.stack.ip.interfaces[pair.far.index]
    for each in (socket, other):
        join(pair.there, each, names["group"])
    perform(pair.there, socket.close)
    assert A(names["group"]) in interface.groups
    perform(pair.there, other.close)
    perform(pair.there, other.close)
    assert interface.groups == {}


@families
def test_a_socket_may_join_before_it_is_bound(pair: Pair, names: dict[str, str]) -> None:
    socket = pair.there.stack.udp.open(Cover.DUAL)
    join(pair.there, socket, names["group"])
    send(pair.here, bound(pair.here), names["group"])
    pair.settle()
    perform(pair.there, socket.bind, LocalName(Cover.DUAL, None, PORT))
    send(pair.here, bound(pair.here, port=PORT + 1), names["group"], b"later")
    pair.settle()
    assert [datagram.data for datagram in socket.peek()] == [b"later"]
    unbound = pair.there.stack.udp.open(Cover.DUAL)
    join(pair.there, unbound, names["group"])
    perform(pair.there, unbound.close)


@families
def test_an_interface_that_goes_takes_its_memberships_along(pair: Pair, names: dict[str, str]) -> None:
    socket = bound(pair.there)
    join(pair.there, socket, names["group"], pair.far.index)
    perform(pair.there, pair.there.stack.apply, InterfaceRemoved(pair.far.index))
    assert refused(pair.there, socket.multicast.join, A(names["group"]), None) is ErrorKind.HOST_UNREACHABLE
    perform(pair.there, socket.multicast.leave, A(names["group"]), None)
    perform(pair.there, socket.close)


@families
def test_a_number_that_another_interface_has_got_means_that_one(pair: Pair, names: dict[str, str]) -> None:
    socket, index = bound(pair.there), pair.far.index
    join(pair.there, socket, names["group"], index)
    perform(pair.there, pair.there.stack.apply, InterfaceRemoved(index))
    perform(pair.there, pair.there.stack.apply, InterfaceAdded(index, pair.far.config))
    join(pair.there, socket, names["group"], index)
    perform(pair.there, socket.multicast.leave, A(names["group"]), index)
    assert A(names["group"]) not in pair.there.stack.ip.interfaces[index].groups


def test_sockets_that_were_members_are_freed_when_they_are_closed(pair: Pair) -> None:
    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, UdpEndpoint) for each in gc.get_objects())

    before = alive()
    for port in range(PORT, PORT + 10):
        socket = bound(pair.there, port=port)
        join(pair.there, socket, V4["group"])
        perform(pair.there, socket.close)
    del socket
    assert alive() == before
