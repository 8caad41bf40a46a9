"""An address goes from under a live socket, and comes back: BIND-5, cases 45 and 46.

The peers of `two_links` answer; what goes on the links is looked at frame by frame.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import TCP
from scapy.layers.l2 import ARP, Ether

from tests.conformance.binding.live_connections import KEPT, failure, lives
from tests.conformance.binding.two_links import PORT, V4, V6, A, Names, families, h1, sets, text
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, LostSource
from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind
from wsknet.host import Network
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, Family, LocalName

# An address goes: connections


@pytest.mark.rule("BIND-5.2")
@pytest.mark.parametrize("is_bound", [False, True], ids=["wildcard", "bound"])
@families
def test_windows_aborts_a_connection_with_its_address_and_sends_nothing(names: Names, is_bound: bool) -> None:
    with h1(names) as lab:
        ours, _ = lab.connected(address=names.ours[0] if is_bound else None)
        other, theirs = lab.connected(names.peers[1])
        lab.sent()
        lab.remove_address()
        assert failure(lab, ours) is ErrorKind.ABORTED
        assert lab.kind_of_failure(ours.send, b"data") is ErrorKind.ABORTED
        lab.run(200)
        assert lab.sent(TCP) == []
        assert failure(lab, other) is None
        assert lives(lab, other, theirs, 1)


@pytest.mark.rule("BIND-5.2")
@families
def test_what_was_received_before_the_abort_stays_readable(names: Names) -> None:
    with h1(names) as lab:
        ours, theirs = lab.connected()
        lab.call(theirs.send, b"last words", host=lab.peers[0])
        lab.run()
        lab.remove_address()
        assert lab.call(ours.receive, 100) == b"last words"


@pytest.mark.rule("BIND-5.2", "BIND-2.3.4")
@families
def test_an_attempt_to_connect_ends_with_its_address_and_the_wildcard_tries_elsewhere(names: Names) -> None:
    with h1(names) as lab:
        lab.listener(host=lab.peers[1])
        endpoint = lab.tcp(port=5000)
        lab.peers[0].interfaces["eth0"].set_up(False)
        assert lab.connect(endpoint, names.peers[0]) is State.SYN_SENT
        lab.remove_address()
        assert failure(lab, endpoint) is ErrorKind.ABORTED
        assert endpoint.local == LocalName(names.cover, None, 5000)
        assert lab.connect(endpoint, names.peers[1]) is State.ESTABLISHED


@pytest.mark.rule("BIND-5.2", "BIND-45")
@families
def test_connections_that_wait_for_accept_go_with_the_address_they_dialled(names: Names) -> None:
    with h1(names) as lab:
        listener = lab.listener()
        lab.dial(names.ours[0])
        kept = lab.dial(names.ours[1], 1)
        lab.remove_address()
        accepted = lab.call(listener.accept)
        assert accepted is not None
        assert accepted.remote == kept.local_endpoint
        assert lab.call(listener.accept) is None


@pytest.mark.rule("BIND-5.2", "BIND-5.3")
@families
def test_a_connection_that_is_not_aborted_is_silent_and_goes_on_when_the_address_is_back(names: Names) -> None:
    with h1(names, KEPT) as lab:
        ours, theirs = lab.connected()
        lab.sent()
        lab.remove_address()
        lab.call(ours.send, b"meanwhile ")
        lab.run(3)
        assert lab.sent(TCP) == []
        assert lab.host.stack.trace.drops[DropReason.NO_ROUTE] > 1
        lab.add_address()
        assert lives(lab, ours, theirs, seconds=10)
        assert lab.segments() == [(0, names.ours[0])]


@pytest.mark.rule("BIND-5.3")
def test_linux_takes_a_connection_up_again_when_the_address_is_back() -> None:
    with h1(V4, LINUX) as lab:
        ours, theirs = lab.connected()
        lab.remove_address()
        lab.call(ours.send, b"meanwhile ")
        lab.run(30)
        lab.add_address()
        assert lives(lab, ours, theirs, seconds=60)


@pytest.mark.rule("BIND-5.2")
def test_linux_goes_on_sending_from_an_ipv6_address_that_is_gone() -> None:
    """A kernel 6.18 does so: no look-up of an IPv6 route asks whose the source is."""
    with h1(V6, LINUX) as lab:
        ours, _ = lab.connected()
        lab.sent()
        lab.remove_address()
        lab.apply_on_link_route(0)
        lab.call(ours.send, b"data")
        lab.run(1)
        assert lab.segments() == [(0, V6.ours[0])]
        assert lab.host.stack.trace.drops[DropReason.IP_NOT_LOCAL]


@pytest.mark.rule("BIND-5.2")
@pytest.mark.parametrize("is_interface", [False, True], ids=["address", "interface"])
@pytest.mark.parametrize(("behaviour", "names"), [(KEPT, V4), (KEPT, V6), (LINUX, V4), (BSD, V4)])
def test_a_connection_whose_address_stays_away_times_out(
    behaviour: Behaviour, names: Names, is_interface: bool
) -> None:
    with h1(names, behaviour) as lab:
        ours, _ = lab.connected()
        lab.sent()
        if is_interface:
            lab.remove_interface()
        else:
            lab.remove_address()
        lab.call(ours.send, b"data")
        lab.run(10)
        assert failure(lab, ours) is None
        lab.run(2000)
        assert failure(lab, ours) is ErrorKind.TIMED_OUT
        if is_interface:
            assert lab.wires[0].frames == []
        assert lab.sent(TCP) == []


@pytest.mark.rule("BIND-5.2")
def test_a_connection_is_aborted_when_its_address_is_lost_to_another_host() -> None:
    """RFC 5227 2.4 (b): the first conflict is answered, the next one in ten seconds costs the address."""
    with Network(seed=3) as network:
        host, peer = network.host("host"), network.host("peer")
        card = host.interface("eth0", auto=AutoConfig(link_local_ipv4=True))
        network.link(card, peer.interface("eth0", "169.254.50.50/16"))
        network.run_for(20)
        own = host.addresses(Family.IPV4)[0]
        server = peer.stack.tcp.open(Cover.IPV4)
        client = host.stack.tcp.open(Cover.IPV4)
        with peer.pump as now:
            server.bind(LocalName(Cover.IPV4, None, PORT), now)
            server.listen(now)
        with host.pump as now:
            client.bind(LocalName(Cover.IPV4, None, 0), now)
            client.connect(Endpoint(A("169.254.50.50"), PORT), now)
        network.run_for(1)
        assert client.state is State.ESTABLISHED
        rival = ARP(op=1, hwsrc="02:00:00:00:00:66", psrc=format_address(own), pdst=format_address(own))
        for state in (State.ESTABLISHED, State.CLOSED):
            with host.pump as now:
                frame = Ether(src="02:00:00:00:00:66", dst="ff:ff:ff:ff:ff:ff") / rival
                host.stack.receive(card.index, bytes(frame), now)
            assert (client.state, client.error) == (state, ErrorKind.ABORTED if state is State.CLOSED else None)


# An address goes: datagram sockets and listeners


@pytest.mark.rule("BIND-5.2", "BIND-5.3")
@pytest.mark.parametrize(
    ("behaviour", "names", "kind"),
    [
        (WINDOWS, V4, ErrorKind.NOT_LOCAL),
        (WINDOWS, V6, ErrorKind.NOT_LOCAL),
        (LINUX, V4, ErrorKind.NO_ROUTE),
        (replace(WINDOWS, lost_ipv6_source=LostSource.NO_ROUTE), V6, ErrorKind.NO_ROUTE),
    ],
)
@pytest.mark.parametrize("is_connected", [False, True], ids=["bound", "connected"])
def test_a_datagram_socket_whose_address_is_gone_is_cut_off_until_it_is_back(
    behaviour: Behaviour, names: Names, kind: ErrorKind, is_connected: bool
) -> None:
    with h1(names, behaviour) as lab:
        endpoint = lab.udp(None if is_connected else names.ours[0], 5000)
        peer = Endpoint(A(names.peers[0]), PORT)
        if is_connected:
            lab.call(endpoint.connect, peer)
        wildcard = lab.udp(port=5001)
        lab.reach(names.ours[0], 5000, data=b"before")
        lab.remove_address()
        lab.apply_on_link_route(0)
        lab.sent()
        assert lab.kind_of_failure(endpoint.send, (b"data",), peer) is kind
        new = lab.host.stack.udp.open(names.cover)
        assert lab.kind_of_failure(new.bind, lab.name(names.ours[0])) is ErrorKind.NOT_LOCAL
        lab.reach(names.ours[0], 5000, data=b"meanwhile")
        assert lab.sent() == []
        assert lab.host.stack.trace.drops[DropReason.IP_NOT_LOCAL]
        lab.send(wildcard, names.peers[1])
        assert lab.sent() == [(1, names.ours[1])]

        lab.add_address()
        lab.reach(names.ours[0], 5000, data=b"after")
        assert [datagram.data for datagram in endpoint.peek()] == [b"before", b"after"]
        lab.send(endpoint, names.peers[0])
        assert lab.sent() == [(0, names.ours[0])]


@pytest.mark.rule("BIND-5.2")
def test_a_linux_datagram_socket_goes_on_sending_from_an_ipv6_address_that_is_gone() -> None:
    with h1(V6, LINUX) as lab:
        endpoint = lab.udp(V6.ours[0], 5000)
        lab.remove_address()
        lab.apply_on_link_route(0)
        lab.send(endpoint, V6.peers[0])
        assert lab.sent() == [(0, V6.ours[0])]


@pytest.mark.rule("BIND-45", "BIND-5.2", "BIND-5.3")
@sets
@families
def test_a_listener_is_deaf_without_its_address_and_serves_again_when_it_is_back(
    names: Names, behaviour: Behaviour
) -> None:
    with h1(names, behaviour) as lab:
        listener = lab.listener(names.ours[0])
        lab.reach(names.ours[0], 9)  # the peer knows our MAC from here on
        lab.remove_address()
        assert listener.state is State.LISTEN
        assert lab.dial(names.ours[0]).state is State.SYN_SENT
        assert lab.sent(TCP) == []
        lab.add_address()
        assert lab.dial(names.ours[0]).state is State.ESTABLISHED
        assert lab.segments() == [(0, names.ours[0])]


@pytest.mark.rule("BIND-45", "BIND-46", "BIND-5.1")
@sets
@families
def test_a_wildcard_listener_covers_what_comes_and_does_not_miss_what_goes(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        listener = lab.listener()
        new = "10.1.0.99" if names is V4 else "2001:db8:1::99"
        lab.cards[0].add_address(f"{new}/{names.length}")
        dialling = lab.dial(new)
        accepted = lab.call(listener.accept)
        assert dialling.state is State.ESTABLISHED
        assert text(accepted.local_endpoint) == new
        lab.remove_address()
        assert lab.dial(new).state is State.ESTABLISHED
        assert lab.dial(names.ours[1], 1).state is State.ESTABLISHED
        assert listener.local == LocalName(names.cover, None, PORT)


@pytest.mark.rule("BIND-46")
@families
def test_a_listener_for_a_new_address_may_stand_beside_the_wildcard(names: Names) -> None:
    with h1(names, replace(WINDOWS, sharing=type(WINDOWS.sharing)("winsock2003"))) as lab:
        wildcard = lab.listener()
        new = "10.1.0.99" if names is V4 else "2001:db8:1::99"
        lab.cards[0].add_address(f"{new}/{names.length}")
        specific = lab.listener(new)
        lab.dial(new)
        assert lab.call(wildcard.accept) is None
        assert text(lab.call(specific.accept).local_endpoint) == new
