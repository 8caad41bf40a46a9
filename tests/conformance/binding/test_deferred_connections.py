"""When a wildcard gets its address at connect, and when it does not: BIND-2, cases 44, 47 and 53."""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP

from tests.conformance.binding.two_links import PORT, V4, A, Names, families, h1, sets, text
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind, LocalError
from wsknet.host import link_local_address
from wsknet.text import format_address
from wsknet.transport.tcp.state import State
from wsknet.types import Endpoint, LocalName


@pytest.mark.rule("BIND-2.1.2", "BIND-2.1.3", "BIND-53")
@sets
@families
def test_while_connecting_the_name_has_the_address_of_the_syn(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        endpoint = lab.tcp(port=5000)
        assert endpoint.local_endpoint is None
        lab.send(lab.udp(), names.remote)  # the gateway is known from here on, and silent
        lab.peers[0].interfaces["eth0"].set_up(False)
        lab.sent()

        assert lab.connect(endpoint, names.remote) is State.SYN_SENT
        assert lab.sent(TCP) == [(0, names.ours[0])]
        with pytest.raises(LocalError) as caught:
            lab.call(endpoint.connect, Endpoint(A(names.peers[1]), PORT))
        assert caught.value.kind is ErrorKind.INVALID_STATE
        assert endpoint.local_endpoint == Endpoint(A(names.ours[0]), 5000)


@pytest.mark.rule("BIND-2.1.4", "BIND-2.1.5", "BIND-2.1.6")
@sets
@families
def test_both_ends_of_a_connection_have_addresses_and_the_listener_never(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        listener = lab.listener()
        for link, address in enumerate(names.ours):
            dialling = lab.dial(address, link)
            accepted = lab.call(listener.accept)
            assert dialling.local_endpoint == accepted.remote
            assert (text(accepted.local), text(accepted.local_endpoint)) == (address, address)
            assert dialling.local is not None
            assert dialling.local.address is None
            assert text(dialling.local_endpoint) in (names.peers[link], names.gateways[link])
        assert listener.local == LocalName(names.cover, None, PORT)
        assert listener.local_endpoint is None


@pytest.mark.rule("BIND-47", "BIND-2.3.4")
@sets
@families
def test_a_connect_without_a_route_sends_nothing_and_can_be_tried_again_from_the_same_port(
    names: Names, behaviour: Behaviour
) -> None:
    with h1(names, behaviour) as lab:
        lab.remove_default(0)
        lab.listener(names.remote, lab.peers[0])
        endpoint = lab.tcp(port=5000)
        lab.run()
        lab.sent()
        assert lab.kind_of_failure(endpoint.connect, Endpoint(A(names.remote), PORT)) is ErrorKind.NO_ROUTE
        assert lab.sent(TCP) == []
        assert (endpoint.state, endpoint.local) == (State.CLOSED, LocalName(names.cover, None, 5000))

        lab.add_default(0)
        assert lab.connect(endpoint, names.remote) is State.ESTABLISHED
        assert endpoint.local_endpoint == Endpoint(A(names.ours[0]), 5000)


@pytest.mark.rule("BIND-47")
@families
def test_a_connect_without_a_source_leaves_the_wildcard(names: Names) -> None:
    with h1(names) as lab:
        lab.listener(host=lab.peers[1])
        lab.remove_address(1)
        lab.cards[1].remove_address(format_address(link_local_address(lab.cards[1].mac)))
        lab.apply_on_link_route(1)
        endpoint = lab.tcp(port=5000)
        beyond = Endpoint(A(names.peers[1]), PORT)
        assert lab.kind_of_failure(endpoint.connect, beyond) is ErrorKind.NO_ROUTE
        assert (endpoint.state, endpoint.local) == (State.CLOSED, LocalName(names.cover, None, 5000))
        lab.add_address(1)
        assert lab.connect(endpoint, names.peers[1]) is State.ESTABLISHED


@pytest.mark.rule("BIND-44")
@pytest.mark.parametrize(
    ("behaviour", "kind"), [(WINDOWS, ErrorKind.NOT_LOCAL), (LINUX, ErrorKind.NO_ROUTE)], ids=["windows", "linux"]
)
def test_an_address_that_goes_between_bind_and_connect(behaviour: Behaviour, kind: ErrorKind) -> None:
    with h1(V4, behaviour) as lab:
        lab.listener(host=lab.peers[0])
        bound, wildcard = lab.tcp(V4.ours[0], 5000), lab.tcp(port=5001)
        lab.remove_address()
        lab.apply_on_link_route(0)
        to = Endpoint(A(V4.peers[0]), PORT)
        assert lab.kind_of_failure(bound.connect, to) is kind
        assert (bound.state, bound.local) == (State.CLOSED, LocalName(V4.cover, A(V4.ours[0]), 5000))
        lab.add_address()
        assert lab.connect(bound, V4.peers[0]) is State.ESTABLISHED
        assert lab.connect(wildcard, V4.peers[0]) is State.ESTABLISHED
