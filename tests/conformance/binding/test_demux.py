"""Who gets the packet (BIND-1.7), by packets that arrive: every level, ties, copies, and what nobody gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6DestUnreach

from tests.conformance.binding.multi_homed import (
    IF1,
    IF2,
    PEER_PORT,
    PORT,
    A,
    MultiHomed,
    local_text,
    mac_of_group,
)
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, DemuxTie, SharingTable
from wsknet.errors import ErrorKind, LocalError
from wsknet.net.changes import InterfaceChanged
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, LocalName

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)
FAMILIES = pytest.mark.parametrize(
    ("us", "peer"), [("10.1.0.2", "10.1.0.50"), ("2001:db8:1::2", "2001:db8:1::50")], ids=["IPv4", "IPv6"]
)
BROADCAST = "ff:ff:ff:ff:ff:ff"


def cover_of(address: str) -> Cover:
    return Cover.IPV6 if ":" in address else Cover.IPV4


def shared(lab: MultiHomed, address: str | None, cover: Cover | None = None) -> UdpEndpoint:
    return lab.udp_on(address, cover=cover, sharing=Sharing.REUSE)


def counts(endpoints: list[UdpEndpoint]) -> list[int]:
    """Datagrams that each received since the last call."""
    told = [endpoint.readable for endpoint in endpoints]
    for endpoint in endpoints:
        while endpoint.receive() is not None:
            pass
    return told


@SETS
@FAMILIES
@pytest.mark.rule("BIND-1.7.1", "BIND-1.7.3", "BIND-1.7.4")
def test_a_datagram_goes_to_the_most_precise_name(behaviour: Behaviour, us: str, peer: str) -> None:
    """Each socket that closes leaves the datagram to the next one."""
    lab = MultiHomed(behaviour)
    wildcard, specific, connected = (shared(lab, name, cover_of(us)) for name in (None, us, us))
    lab.connect(connected, peer)
    everyone = [connected, specific, wildcard]

    for turn, endpoint in enumerate(everyone):
        lab.datagram(IF1, peer, us)
        assert counts(everyone) == [int(place == turn) for place in range(3)]
        endpoint.close(lab.now)


@FAMILIES
@pytest.mark.rule("BIND-1.7.2")
def test_a_wildcard_with_a_peer_comes_before_an_address_without_one(us: str, peer: str) -> None:
    lab = MultiHomed(replace(WINDOWS, udp_connect_commits_address=False))
    specific, fixed = shared(lab, us, cover_of(us)), shared(lab, None, cover_of(us))
    lab.connect(fixed, peer)

    lab.datagram(IF1, peer, us)

    assert counts([fixed, specific]) == [1, 0]


@FAMILIES
@pytest.mark.rule("BIND-1.7.3", "BIND-11", "BIND-13")
@pytest.mark.parametrize("is_specific_first", [True, False])
def test_a_syn_goes_to_the_specific_listener_in_both_orders_and_to_the_wildcard_after_it(
    is_specific_first: bool, us: str, peer: str
) -> None:
    lab = MultiHomed(replace(WINDOWS, sharing=SharingTable.WINSOCK_2003))
    names = [us, None] if is_specific_first else [None, us]
    listeners = {name: lab.listening(name, cover=cover_of(us)) for name in names}

    accepted = lab.shake_hands(IF1, peer, us, listeners[us])
    assert accepted is not None
    other, neighbour = ("10.2.0.2", "10.2.0.50") if ":" not in us else ("fd00:2::2", "fd00:2::50")
    assert lab.shake_hands(IF2, neighbour, other, listeners[None]) is not None
    listeners[us].close(lab.now)
    accepted.close(lab.now)
    assert lab.shake_hands(IF1, peer, us, listeners[None]) is not None


@SETS
@FAMILIES
@pytest.mark.rule("BIND-1.7.1")
def test_a_connection_outlives_its_listener(behaviour: Behaviour, us: str, peer: str) -> None:
    lab = MultiHomed(behaviour)
    listener = lab.listening(us)
    accepted = lab.shake_hands(IF1, peer, us, listener)
    assert accepted is not None
    listener.close(lab.now)

    assert accepted.connection is not None
    ack = accepted.connection.sender.nxt & 0xFFFFFFFF
    lab.segment(IF1, peer, us, "PA", seq=101, ack=ack)
    assert accepted.state is State.ESTABLISHED


@FAMILIES
@pytest.mark.rule("BIND-1.7.5")
@pytest.mark.parametrize(("tie", "winner"), [(DemuxTie.FIRST, 0), (DemuxTie.LAST, 2)])
def test_of_sharers_of_a_name_policy_chooses_one(tie: DemuxTie, winner: int, us: str, peer: str) -> None:
    lab = MultiHomed(replace(WINDOWS, demux_tie=tie))
    sharers = [shared(lab, us) for _ in range(3)]

    lab.datagram(IF1, peer, us)

    assert counts(sharers) == [int(place == winner) for place in range(3)]


@FAMILIES
@pytest.mark.rule("BIND-1.7.5", "BIND-1.7.6")
def test_the_random_policy_reaches_every_sharer_with_time(us: str, peer: str) -> None:
    lab = MultiHomed(replace(WINDOWS, demux_tie=DemuxTie.RANDOM))
    sharers = [shared(lab, us) for _ in range(3)]
    for _ in range(60):
        lab.datagram(IF1, peer, us)

    told = counts(sharers)
    assert sum(told) == 60
    assert min(told) > 5


@pytest.mark.rule("BIND-1.7.6")
def test_on_linux_the_latest_binder_hears_and_on_windows_the_first() -> None:
    told = {}
    for behaviour in (WINDOWS, LINUX):
        lab = MultiHomed(behaviour)
        sharers = [shared(lab, None) for _ in range(2)]
        lab.datagram(IF1, "10.1.0.50", "10.1.0.2")
        told[behaviour.name] = counts(sharers)

    assert told == {"windows": [1, 0], "linux": [0, 1]}


@FAMILIES
@pytest.mark.rule("BIND-1.7.5", "BIND-17")
def test_connections_go_to_the_first_listener_then_to_the_next_and_never_to_who_does_not_listen(
    us: str, peer: str
) -> None:
    lab = MultiHomed()
    deaf, first, second = (_sharing_tcp(lab, us) for _ in range(3))
    for listener in (first, second):
        listener.listen(lab.now)

    one = lab.shake_hands(IF1, peer, us, first)
    assert one is not None
    one.close(lab.now)
    first.close(lab.now)
    two = lab.shake_hands(IF1, peer, us, second)
    assert two is not None
    two.close(lab.now)
    second.close(lab.now)
    lab.take()

    lab.segment(IF1, peer, us)
    assert lab.take()[0][1][TCP].flags == "RA"
    assert deaf.state is State.CLOSED


def _sharing_tcp(lab: MultiHomed, us: str) -> TcpEndpoint:
    endpoint = lab.stack.tcp.open(cover_of(us))
    endpoint.bind(LocalName(cover_of(us), A(us), PORT), lab.now, Sharing.REUSE)
    return endpoint


@SETS
@pytest.mark.rule("BIND-1.7.7", "BIND-55")
@pytest.mark.parametrize("destination", ["10.1.0.255", "255.255.255.255"])
def test_every_wildcard_gets_a_copy_of_a_broadcast(behaviour: Behaviour, destination: str) -> None:
    lab = MultiHomed(behaviour)
    sharers = [shared(lab, None) for _ in range(3)]

    lab.datagram(IF1, "10.1.0.50", destination, mac=BROADCAST)

    assert counts(sharers) == [1, 1, 1]


@pytest.mark.rule("BIND-55")
@pytest.mark.parametrize("destination", ["10.1.0.255", "255.255.255.255"])
@pytest.mark.parametrize(
    ("behaviour", "hears"),
    [(WINDOWS, 1), (LINUX, 0), (BSD, 0), (replace(WINDOWS, unicast_name_hears_broadcast=False), 0)],
)
def test_a_socket_with_an_address_of_the_subnet_hears_its_broadcasts_by_policy(
    behaviour: Behaviour, hears: int, destination: str
) -> None:
    lab = MultiHomed(behaviour)
    there, elsewhere = lab.udp_on("10.1.0.2"), lab.udp_on("10.2.0.2")

    lab.datagram(IF1, "10.1.0.50", destination, mac=BROADCAST)

    assert counts([there, elsewhere]) == [hears, 0]


@pytest.mark.rule("BIND-55", "BIND-1.7.8")
def test_such_a_socket_with_a_fixed_peer_hears_that_peers_broadcasts_alone() -> None:
    lab = MultiHomed()
    endpoint = lab.udp_on("10.1.0.2")
    lab.connect(endpoint, "10.1.0.50")

    for peer in ("10.1.0.50", "10.1.0.51"):
        lab.datagram(IF1, peer, "10.1.0.255", mac=BROADCAST)

    assert [format_address(datagram.source.address) for datagram in endpoint.peek()] == ["10.1.0.50"]


@pytest.mark.rule("BIND-55")
def test_a_directed_broadcast_is_that_of_one_subnet_on_its_interface() -> None:
    lab = MultiHomed()
    lab.address(IF1, "10.3.0.2/24")
    first, second = lab.udp_on("10.1.0.2"), lab.udp_on("10.3.0.2")

    lab.datagram(IF1, "10.1.0.50", "10.3.0.255", mac=BROADCAST)
    assert counts([first, second]) == [0, 1]
    lab.datagram(IF1, "10.1.0.50", "255.255.255.255", mac=BROADCAST)
    assert counts([first, second]) == [1, 1]


@pytest.mark.rule("BIND-55")
def test_a_broadcast_of_our_own_is_heard_by_a_socket_with_an_address_too() -> None:
    lab = MultiHomed()
    receiver, sender = lab.udp_on("10.2.0.2"), lab.udp_on(None, PEER_PORT)

    lab.send_to(sender, "10.2.0.255", PORT)

    assert counts([receiver]) == [1]


@SETS
@pytest.mark.rule("BIND-1.7.7")
@pytest.mark.parametrize(("group", "peer"), [("239.1.2.3", "10.1.0.50"), ("ff0e::3", "2001:db8:1::50")])
def test_every_member_gets_a_copy_of_a_multicast(behaviour: Behaviour, group: str, peer: str) -> None:
    lab = MultiHomed(behaviour)
    members = [shared(lab, None, cover_of(group)) for _ in range(3)]
    for member in members:
        member.multicast.join(A(group), IF1, lab.now)

    lab.datagram(IF1, peer, group, mac=mac_of_group(group))

    assert counts(members) == [1, 1, 1]


@SETS
@FAMILIES
@pytest.mark.rule("BIND-1.7.8")
def test_a_fixed_peer_is_heard_alone_and_what_came_before_stays_readable(
    behaviour: Behaviour, us: str, peer: str
) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on(None, cover=cover_of(us))
    stranger = peer[:-2] + "51"
    lab.datagram(IF1, stranger, us)
    lab.connect(endpoint, peer)

    for source in (stranger, peer):
        lab.datagram(IF1, source, us)

    assert [format_address(datagram.source.address) for datagram in endpoint.peek()] == [stranger, peer]
    assert lab.drops[DropReason.UDP_OTHER_PEER] == 1


@SETS
@FAMILIES
@pytest.mark.rule("BIND-1.7.9")
def test_what_nobody_wants_is_answered(behaviour: Behaviour, us: str, peer: str) -> None:
    lab = MultiHomed(behaviour)

    lab.segment(IF1, peer, us, seq=100)
    [(_, reset)] = lab.take()
    lab.datagram(IF1, peer, us)
    [(_, error)] = lab.take()

    assert (reset[TCP].flags, reset[TCP].ack) == ("RA", 101)
    is_refused = error[ICMP].code == 3 if ICMP in error else error[ICMPv6DestUnreach].code == 4
    assert is_refused
    assert lab.drops == {DropReason.TCP_NO_ENDPOINT: 1, DropReason.UDP_NO_ENDPOINT: 1}


@pytest.mark.rule("BIND-1.7.10", "BIND-31")
@pytest.mark.parametrize(("us", "peer"), [("10.2.0.2", "10.2.0.50"), ("fd00:2::2", "fd00:2::50")], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("is_specific", [True, False])
def test_first_of_all_the_destination_must_belong_to_the_interface(is_specific: bool, us: str, peer: str) -> None:
    """For an address of if2 on if1: silence, and a counter; then weak receive, and the answer leaves by if2."""
    lab = MultiHomed()
    name = us if is_specific else None
    listener, endpoint = lab.listening(name, cover=cover_of(us)), lab.udp_on(name, cover=cover_of(us))
    lab.segment(IF1, peer, us)
    lab.datagram(IF1, peer, us)
    assert lab.take() == []
    assert lab.drops == {DropReason.IP_NOT_LOCAL: 2}

    lab.apply(InterfaceChanged(IF1, weak_receive=True))
    lab.datagram(IF1, peer, us)
    assert endpoint.readable == 1
    lab.segment(IF1, peer, us)
    assert lab.sent()[::2] == (IF2, us)
    assert lab.shake_hands(IF1, peer, us, listener) is None or listener.state is State.LISTEN


@pytest.mark.rule("BIND-31")
@pytest.mark.parametrize("way", ["no route", "default route on if2", "weak send on if2"])
def test_the_answer_to_a_syn_uses_the_routes_of_the_address_that_was_dialled(way: str) -> None:
    lab = MultiHomed()
    lab.listening()
    lab.apply(InterfaceChanged(IF1, weak_receive=True))
    if way == "default route on if2":
        lab.route("0.0.0.0/0", IF2, "10.2.0.1")
    elif way == "weak send on if2":
        lab.apply(InterfaceChanged(IF2, weak_send=True))

    lab.segment(IF1, "198.51.100.7", "10.2.0.2")

    answers = [(index, frame[IP].src, frame[TCP].flags) for index, frame in lab.take()]
    expected = {
        "no route": [],
        "default route on if2": [(IF2, "10.2.0.2", "SA")],
        "weak send on if2": [(IF1, "10.2.0.2", "SA")],
    }
    assert answers == expected[way]
    assert lab.drops == ({DropReason.NO_ROUTE: 1} if way == "no route" else {})


@pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=lambda each: each.name)
@pytest.mark.rule("BIND-31")
def test_weak_hosts_accept_it_and_answer_by_the_best_route(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    lab.listening()

    lab.segment(IF1, "198.51.100.7", "10.2.0.2")

    assert lab.sent()[::2] == (IF1, "10.2.0.2")


@SETS
@pytest.mark.rule("BIND-67")
@pytest.mark.parametrize(
    ("dialled", "preferred", "peer"),
    [("10.1.0.9", "10.1.0.2", "10.1.0.50"), ("2001:db8:1::9", "2001:db8:1::50:1", "2001:db8:1::50")],
    ids=["IPv4", "IPv6"],
)
def test_an_accepted_connection_has_the_address_that_was_dialled(
    behaviour: Behaviour, dialled: str, preferred: str, peer: str
) -> None:
    """Even where routing would choose another one."""
    lab = MultiHomed(behaviour)
    for address in (dialled, preferred):
        lab.address(IF1, address + ("/64" if ":" in address else "/24"))
    lab.know(IF1, peer)
    listener = lab.listening(cover=cover_of(dialled))
    lab.take()
    lab.segment(IF1, peer, dialled, seq=100)
    [(_, answer)] = lab.take()
    lab.segment(IF1, peer, dialled, "A", seq=101, ack=answer[TCP].seq + 1 & 0xFFFFFFFF)
    accepted = listener.accept(lab.now)

    assert accepted is not None
    assert accepted.local_endpoint == Endpoint(A(dialled), PORT)
    assert local_text(listener) == "wildcard"


@pytest.mark.rule("BIND-61")
@pytest.mark.parametrize(("behaviour", "serves"), [(WINDOWS, False), (LINUX, True), (BSD, False)])
def test_an_ipv6_wildcard_serves_ipv4_by_its_default(behaviour: Behaviour, serves: bool) -> None:
    lab = MultiHomed(behaviour)
    listener = lab.listening(cover=Cover.IPV6 if behaviour.v6only else Cover.DUAL)

    lab.segment(IF1, "10.1.0.50", "10.1.0.2", seq=100)
    [(_, answer)] = lab.take()

    assert answer[TCP].flags == ("SA" if serves else "RA")
    lab.segment(IF1, "10.1.0.50", "10.1.0.2", "A", seq=101, ack=answer[TCP].seq + 1 & 0xFFFFFFFF)
    accepted = listener.accept(lab.now)
    if serves:
        assert accepted is not None
        assert accepted.remote == Endpoint(A("10.1.0.50"), PEER_PORT)  # faces show it as ::ffff:10.1.0.50


@pytest.mark.rule("BIND-70")
def test_a_dual_stack_socket_with_an_ipv4_address_reaches_no_ipv6_peer() -> None:
    """Bound to it or given it by connect; without either it reaches both."""
    lab = MultiHomed()

    def bound() -> UdpEndpoint:
        endpoint = lab.stack.udp.open(Cover.DUAL)
        endpoint.bind(LocalName(Cover.IPV4, A("10.1.0.2"), PORT), lab.now)
        return endpoint

    def connected() -> UdpEndpoint:
        endpoint = lab.udp_on(None, PORT + 1, cover=Cover.DUAL)
        lab.connect(endpoint, "10.1.0.50")
        return endpoint

    make: Callable[[], UdpEndpoint]
    for make in (bound, connected):
        with pytest.raises(LocalError) as caught:
            lab.send_to(make(), "2001:db8:1::50")
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert lab.take() == []
    lab.send_to(lab.udp_on(None, PORT + 2, cover=Cover.DUAL), "2001:db8:1::50")
    assert lab.sent()[2] == "2001:db8:1::2"
