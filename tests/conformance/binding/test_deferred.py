"""When a wildcard of a datagram socket gets its address, and is the wildcard again: BIND-2, cases 3, 7 to 9."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.binding.multi_homed import IF1, IF2, PEER_MAC, MultiHomed
from tests.conformance.binding.two_links import PORT, V4, V6, A, Names, families, h1, sets, text
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.types import Cover, Endpoint, IfIndex, LocalName

NOT_COMMITTED = replace(WINDOWS, udp_connect_commits_address=False)


@pytest.mark.rule("BIND-2.1.8", "BIND-2.1.9", "BIND-6")
@sets
@families
def test_a_datagram_socket_without_a_peer_keeps_the_wildcard(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        endpoint = lab.udp(port=PORT)
        for peer in names.peers:
            lab.send(endpoint, peer)
            assert endpoint.local == LocalName(names.cover, None, PORT)
        assert lab.sent() == [(0, names.ours[0]), (1, names.ours[1])]


@pytest.mark.rule("BIND-2.1.10", "BIND-2.1.11", "BIND-9")
@pytest.mark.parametrize("link", [0, 1])
@sets
@families
def test_fixing_a_peer_commits_the_address_and_taking_it_back_frees_it(
    names: Names, behaviour: Behaviour, link: int
) -> None:
    with h1(names, behaviour) as lab:
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(A(names.peers[link]), PORT))
        assert endpoint.local == LocalName(names.cover, A(names.ours[link]), PORT)
        assert lab.sent() == []
        lab.send(endpoint, None)
        assert lab.sent() == [(link, names.ours[link])]

        lab.call(endpoint.connect, None)
        assert endpoint.local == LocalName(names.cover, None, PORT)
        lab.send(endpoint, names.peers[1 - link])
        assert lab.sent() == [(1 - link, names.ours[1 - link])]


@pytest.mark.rule("BIND-2.1.11")
@families
def test_taking_a_peer_back_leaves_an_address_that_was_bound(names: Names) -> None:
    with h1(names) as lab:
        endpoint = lab.udp(names.ours[0], PORT)
        for remote in (Endpoint(A(names.peers[0]), PORT), None):
            lab.call(endpoint.connect, remote)
            assert endpoint.local == LocalName(names.cover, A(names.ours[0]), PORT)


@pytest.mark.rule("BIND-1.7.8", "BIND-2.1.10")
@families
def test_a_committed_address_is_the_only_one_that_hears_the_peer(names: Names) -> None:
    with h1(names) as lab:
        lab.cards[0].add_address(f"{names.gateways[1]}/{names.length}")
        endpoint = lab.udp(port=5000)
        lab.call(endpoint.connect, Endpoint(A(names.peers[0]), PORT))

        lab.peers[0].route(names.default, via=names.ours[0])
        lab.reach(names.gateways[1], 5000)
        assert endpoint.readable == 0
        assert lab.host.stack.trace.drops[DropReason.UDP_OTHER_PEER] == 1
        lab.reach(names.ours[0], 5000)
        assert endpoint.readable == 1


@pytest.mark.rule("BIND-1.7.8")
@families
def test_what_waited_before_a_peer_was_fixed_stays_readable(names: Names) -> None:
    with h1(names) as lab:
        endpoint = lab.udp(port=5000)
        lab.reach(names.ours[1], 5000, link=1, data=b"before")
        lab.call(endpoint.connect, Endpoint(A(names.peers[0]), PORT))
        lab.reach(names.ours[1], 5000, link=1, data=b"a stranger")
        lab.reach(names.ours[0], 5000, data=b"the peer")
        assert [datagram.data for datagram in endpoint.peek()] == [b"before", b"the peer"]


@pytest.mark.rule("BIND-7")
@sets
@families
def test_without_a_peer_the_next_datagram_follows_a_new_route_with_a_new_source(
    names: Names, behaviour: Behaviour
) -> None:
    with h1(names, behaviour) as lab:
        lab.add_default(1)
        endpoint = lab.udp(port=PORT)
        lab.send(endpoint, names.remote)
        lab.remove_default(0)
        lab.send(endpoint, names.remote)
        assert lab.sent() == [(0, names.ours[0]), (1, names.ours[1])]


@pytest.mark.rule("BIND-8", "BIND-5.4")
@families
def test_with_a_peer_the_source_stays_and_a_strong_host_finds_no_route_for_it(names: Names) -> None:
    with h1(names) as lab:
        lab.add_default(1)
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(A(names.remote), PORT))
        lab.remove_default(0)
        assert lab.kind_of_failure(endpoint.send, (b"data",), None) is ErrorKind.NO_ROUTE
        assert text(endpoint.local) == names.ours[0]

        lab.call(endpoint.connect, None)
        lab.call(endpoint.connect, Endpoint(A(names.remote), PORT))
        lab.send(endpoint, None)
        assert lab.sent() == [(1, names.ours[1])]


@pytest.mark.rule("BIND-8", "BIND-5.4")
@families
def test_with_a_peer_a_weak_host_sends_from_the_old_source_by_the_new_route(names: Names) -> None:
    with h1(names, LINUX) as lab:
        lab.add_default(1)
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(A(names.remote), PORT))
        lab.remove_default(0)
        lab.send(endpoint, None)
        assert lab.sent() == [(1, names.ours[0])]


@pytest.mark.rule("BIND-3")
def test_the_source_is_chosen_by_the_route_and_not_by_what_the_peer_dialled() -> None:
    with h1(V4) as lab:
        lab.cards[0].add_address("10.1.0.127/24")
        endpoint = lab.udp(port=5000)
        lab.reach("10.1.0.127", 5000)
        request = endpoint.receive()
        assert request is not None
        lab.call(endpoint.connect, request.source)
        lab.send(endpoint, None)
        assert lab.sent() == [(0, "10.1.0.2")]


@pytest.mark.rule("BIND-2.3.4")
@families
def test_a_peer_that_cannot_be_reached_leaves_all_as_it_was(names: Names) -> None:
    with h1(names) as lab:
        lab.remove_default(0)
        endpoint = lab.udp(port=PORT)
        beyond = Endpoint(A(names.remote), PORT)
        assert lab.kind_of_failure(endpoint.connect, beyond) is ErrorKind.NO_ROUTE
        assert (endpoint.local, endpoint.remote) == (LocalName(names.cover, None, PORT), None)

        peer = Endpoint(A(names.peers[0]), PORT)
        lab.call(endpoint.connect, peer)
        assert lab.kind_of_failure(endpoint.connect, beyond) is ErrorKind.NO_ROUTE
        assert (text(endpoint.local), endpoint.remote) == (names.ours[0], peer)
        lab.reach(names.ours[0], PORT)
        assert endpoint.readable == 1


@pytest.mark.rule("BIND-2.1.10")
@pytest.mark.parametrize(("behaviour", "link"), [(WINDOWS, 1), (BSD, 1), (LINUX, 0)], ids=["windows", "bsd", "linux"])
@families
def test_another_peer_gets_an_address_of_its_own_or_that_of_the_first(
    names: Names, behaviour: Behaviour, link: int
) -> None:
    """On Linux the address is kept: `getsockname` of a kernel 6.18 says so."""
    with h1(names, behaviour) as lab:
        endpoint = lab.udp(port=PORT)
        for peer in names.peers:
            lab.call(endpoint.connect, Endpoint(A(peer), PORT))
        assert text(endpoint.local) == names.ours[link]
        lab.send(endpoint, None)
        assert lab.sent() == [(1, names.ours[link])]
        lab.call(endpoint.connect, None)
        assert text(endpoint.local) is None


@pytest.mark.rule("BIND-2.1.10")
@families
def test_as_a_policy_the_name_stays_the_wildcard_whatever_the_peer(names: Names) -> None:
    with h1(names, NOT_COMMITTED) as lab:
        lab.add_default(1)
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(A(names.remote), PORT))
        assert text(endpoint.local) is None
        lab.send(endpoint, None)
        lab.remove_default(0)
        lab.send(endpoint, None)
        assert lab.sent() == [(0, names.ours[0]), (1, names.ours[1])]


@pytest.mark.rule("BIND-2.1.10")
@families
def test_as_a_policy_a_peer_is_fixed_before_there_is_a_way_to_it(names: Names) -> None:
    with h1(names, NOT_COMMITTED) as lab:
        lab.remove_default(0)
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(A(names.remote), PORT))
        assert lab.kind_of_failure(endpoint.send, (b"data",), None) is ErrorKind.NO_ROUTE
        lab.add_default(1)
        lab.send(endpoint, None)
        assert lab.sent() == [(1, names.ours[1])]


@pytest.mark.rule("BIND-2.1.10", "BIND-58")
def test_as_a_policy_too_a_link_local_peer_is_heard_on_its_link_alone() -> None:
    lab = MultiHomed(NOT_COMMITTED)
    endpoint = lab.udp_on(cover=Cover.IPV6)
    lab.connect(endpoint, "fe80::99")
    lab.datagram(IF1, "fe80::99", "fe80::a")
    lab.datagram(IF2, "fe80::99", "fe80::b")
    datagram = endpoint.receive()
    assert datagram is not None
    assert datagram.if_index == IF1
    assert not endpoint.readable


@pytest.mark.rule("BIND-70")
def test_a_dual_stack_socket_is_of_the_family_of_its_peer_as_long_as_it_has_one() -> None:
    with h1(V4) as lab:
        lab.cards[0].add_address("2001:db8:1::2/64")
        endpoint = lab.host.stack.udp.open(Cover.DUAL)
        lab.call(endpoint.bind, LocalName(Cover.DUAL, None, PORT))
        lab.call(endpoint.connect, Endpoint(A(V4.peers[0]), PORT))
        assert endpoint.local == LocalName(Cover.IPV4, A(V4.ours[0]), PORT)
        there = Endpoint(A(V6.peers[0]), PORT)
        assert lab.kind_of_failure(endpoint.send, (b"data",), there) is ErrorKind.INVALID_ARGUMENT

        lab.call(endpoint.connect, there)
        assert endpoint.local == LocalName(Cover.IPV6, A(V6.ours[0]), PORT)
        lab.call(endpoint.connect, None)
        assert endpoint.local == LocalName(Cover.DUAL, None, PORT)


@pytest.mark.rule("BIND-2.1.10")
def test_a_link_local_address_is_committed_with_its_zone() -> None:
    with h1(V6) as lab:
        [theirs] = [each for each in lab.peers[1].addresses() if each[0] == 0xFE]
        endpoint = lab.udp(port=PORT)
        lab.call(endpoint.connect, Endpoint(theirs, PORT, 3))
        assert endpoint.local is not None
        assert (endpoint.local.address or b"")[:2] == b"\xfe\x80"
        assert (endpoint.local.zone, endpoint.remote) == (3, Endpoint(theirs, PORT, 3))


@pytest.mark.rule("BIND-2.1.10")
@pytest.mark.parametrize(("index", "peer"), [(IF1, "2001:db8:1::50"), (IF2, "fd00:2::50")])
def test_a_link_local_address_that_stays_for_another_peer_stays_on_its_link(index: IfIndex, peer: str) -> None:
    lab = MultiHomed(LINUX)
    for each, old in ((IF1, "fe80::a"), (IF2, "fe80::b")):
        lab.address(each, "fe80::77/64")
        lab.apply(changes.AddressRemoved(each, A(old)))
    endpoint = lab.udp_on(cover=Cover.IPV6)
    lab.connect(endpoint, "fe80::99", zone=index)
    lab.connect(endpoint, peer)

    assert endpoint.local == LocalName(Cover.IPV6, A("fe80::77"), PORT, index)
    lab.take()
    endpoint.send((b"data",), None, lab.now)
    assert lab.sent() == (index, PEER_MAC, "fe80::77", peer)


@pytest.mark.rule("BIND-4.10")
def test_a_broadcast_address_is_a_peer_only_for_who_may_broadcast() -> None:
    with h1(V4) as lab:
        endpoint = lab.udp(port=PORT)
        everybody = Endpoint(A("10.2.0.255"), PORT)
        assert lab.kind_of_failure(endpoint.connect, everybody) is ErrorKind.BROADCAST_DENIED
        assert (text(endpoint.local), endpoint.remote) == (None, None)
        endpoint.may_broadcast = True
        lab.call(endpoint.connect, everybody)
        lab.send(endpoint, None)
        assert lab.sent() == [(1, "10.2.0.2")]


@pytest.mark.rule("BIND-2.1.10", "BIND-35")
@families
def test_an_own_address_as_the_peer_is_the_source_as_well(names: Names) -> None:
    with h1(names) as lab:
        server = lab.udp(names.ours[1], PORT)
        endpoint = lab.udp(port=5000)
        lab.call(endpoint.connect, Endpoint(A(names.ours[1]), PORT))
        lab.send(endpoint, None)
        assert [text(datagram.source) for datagram in server.peek()] == [names.ours[1]]
        assert lab.sent() == []
