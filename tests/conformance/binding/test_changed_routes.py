"""Routes, metrics and automatic addresses change under a live socket: BIND-5, cases 19, 57 and 64.

The peers of `two_links` answer; what goes on the links is looked at frame by frame.
"""

from __future__ import annotations

import pytest

from tests.conformance.binding.live_connections import lives
from tests.conformance.binding.two_links import PORT, V4, A, Names, families, h1, sets, text
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Network
from wsknet.net import changes
from wsknet.text import parse_network
from wsknet.trace import DropReason
from wsknet.transport.tcp.state import State
from wsknet.types import Cover, Endpoint, LocalName


@pytest.mark.rule("BIND-5.4")
@pytest.mark.parametrize(("behaviour", "link"), [(LINUX, 1), (BSD, 1)], ids=["linux", "bsd"])
@families
def test_a_connection_keeps_its_addresses_when_its_path_changes(names: Names, behaviour: Behaviour, link: int) -> None:
    with h1(names, behaviour) as lab:
        lab.add_default(1)
        for peer in lab.peers:
            peer.stack.tcp.initial_sequence = lambda local, remote, now: 1  # type: ignore[assignment,return-value]
        ours, _ = lab.connected(names.remote)
        assert lab.segments() == [(0, names.ours[0])]
        lab.remove_default(0)
        lab.call(ours.send, b"data")
        lab.run(0.01)
        assert lab.segments() == [(link, names.ours[0])]
        assert text(ours.local_endpoint) == names.ours[0]


@pytest.mark.rule("BIND-5.4")
@families
def test_a_strong_host_sends_on_a_connection_by_its_own_interface_only(names: Names) -> None:
    with h1(names) as lab:
        lab.add_default(1)
        ours, theirs = lab.connected(names.remote)
        prefix = parse_network(f"{names.remote}/{32 if names is V4 else 128}")
        lab.apply(changes.RouteAdded(*prefix, lab.cards[1].index, A(names.gateways[1])))
        assert lives(lab, ours, theirs)
        assert lab.segments() == [(0, names.ours[0])]
        assert lab.host.stack.ip.path(A(names.remote)).source == A(names.ours[1])


@pytest.mark.rule("BIND-5.4", "BIND-5.7")
@families
def test_a_better_source_changes_no_connection(names: Names) -> None:
    with h1(names) as lab:
        lab.add_default(1)
        ours, theirs = lab.connected(names.remote)
        lab.apply(changes.InterfaceChanged(lab.cards[0].index, metric=500))
        assert lives(lab, ours, theirs)
        assert lab.segments() == [(0, names.ours[0])]


@pytest.mark.rule("BIND-5.7", "BIND-19")
@sets
@families
def test_a_new_metric_counts_from_the_next_datagram_on(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        lab.add_default(1)
        wildcard, bound = lab.udp(), lab.udp(names.ours[0])
        lab.send(wildcard, names.remote)
        lab.apply(changes.InterfaceChanged(lab.cards[0].index, metric=500))
        lab.send(wildcard, names.remote)
        assert lab.sent() == [(0, names.ours[0]), (1, names.ours[1])]
        lab.send(bound, names.remote)
        assert lab.sent() == [(0 if behaviour is WINDOWS else 1, names.ours[0])]


@pytest.mark.rule("BIND-57")
@families
def test_a_socket_without_its_local_route_sends_but_hears_no_answer(names: Names) -> None:
    with h1(names) as lab:
        index, bits = lab.cards[0].index, 32 if names is V4 else 128
        server, wildcard = lab.udp(names.peers[0], PORT, lab.peers[0]), lab.udp(port=5000)
        bound, listener = lab.udp(names.ours[0], 5001), lab.listener(names.ours[0])
        lab.send(bound, names.peers[0])  # neighbour discovery needs the route as well
        lab.call(server.send, (b"known",), Endpoint(A(names.ours[0]), 5001), host=lab.peers[0])
        lab.run()
        assert None not in (bound.receive(), server.receive())
        lab.sent()
        lab.apply(changes.RouteRemoved(A(names.ours[0]), bits, index))
        for endpoint in (wildcard, bound):
            lab.send(endpoint, names.peers[0])
        assert lab.sent() == [(0, names.ours[0])] * 2
        while (request := server.receive()) is not None:
            lab.call(server.send, (b"answer",), request.source, host=lab.peers[0])
        lab.run()
        assert (wildcard.readable, bound.readable) == (0, 0)
        assert lab.dial(names.ours[0]).state is State.SYN_SENT
        assert lab.host.stack.trace.drops == {DropReason.IP_NOT_LOCAL: 3}

        lab.add_address()
        lab.run(5)
        assert lab.call(listener.accept) is not None
        lab.call(server.close, host=lab.peers[0])
        for port in (5000, 5001):
            lab.reach(names.ours[0], port)
        assert (wildcard.readable, bound.readable) == (1, 1)


@pytest.mark.rule("BIND-64")
def test_a_wildcard_socket_that_was_there_before_any_address_uses_the_first_one() -> None:
    with Network(seed=3) as network:
        host, peer = network.host("host"), network.host("peer")
        host.apply(changes.AutoconfigurationChanged(False))
        card = host.interface("eth0", auto=AutoConfig(dhcp=True))
        network.link(card, peer.interface("eth0", "169.254.50.50/16"))
        to = Endpoint(A("169.254.50.50"), PORT)
        server, client = peer.stack.udp.open(Cover.IPV4), host.stack.udp.open(Cover.IPV4)
        stream = host.stack.tcp.open(Cover.IPV4)
        with peer.pump as now:
            server.bind(LocalName(Cover.IPV4, None, PORT), now)
        with host.pump as now:
            client.bind(LocalName(Cover.IPV4, None, 5000), now)
            stream.bind(LocalName(Cover.IPV4, None, 5000), now)
        network.run_for(60)
        with host.pump as now, pytest.raises(NetError) as caught:
            client.send((b"data",), to, now)
        assert caught.value.kind is ErrorKind.NO_ROUTE
        with host.pump as now, pytest.raises(NetError) as caught:
            stream.connect(to, now)
        assert caught.value.kind is ErrorKind.NO_ROUTE

        host.apply(changes.AutoconfigurationChanged(True))
        network.run_for(60)
        [own] = [address for address in host.addresses() if address[:2] == b"\xa9\xfe"]
        with host.pump as now:
            client.send((b"data",), to, now)
        network.run_for(1)
        assert client.local == LocalName(Cover.IPV4, None, 5000)
        assert [datagram.source for datagram in server.peek()] == [Endpoint(own, 5000, 2)]

        host.apply(changes.AutoconfigurationChanged(False))
        with host.pump as now, pytest.raises(NetError) as caught:
            client.send((b"data",), to, now)
        assert caught.value.kind is ErrorKind.NO_ROUTE
