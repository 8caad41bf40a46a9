"""A host with two routers, of which the one in use dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.test_routers import FAR, families, tcp_pair, udp_socket
from wsknet.behaviour import BSD, WINDOWS, Behaviour
from wsknet.host import Host, Network, link_local_address
from wsknet.text import format_address, parse_address
from wsknet.types import Endpoint, Family


class Pair:
    """`here` has two ways to `there`, by the first router as long as that answers; the way back is by the second."""

    def __init__(self, network: Network, behaviour: Behaviour = WINDOWS) -> None:
        self.here, self.there = network.host("here", behaviour), network.host("there")
        near, far = [self.here.interface("a", "10.0.0.1/24", "2001:db8:0::1/64")], []
        for end in (11, 12):
            router = network.router(f"router{end}")
            near.append(router.interface("a", f"10.0.0.{end}/24", f"2001:db8:0::{end}/64"))
            far.append(router.interface("b", f"10.0.3.{end}/24", f"2001:db8:3::{end}/64"))
            self.here.route("0.0.0.0/0", f"10.0.0.{end}", metric=end)
            self.here.route("::/0", format_address(link_local_address(near[-1].mac)), "a", metric=end)
        network.link(*near)
        network.link(*far, self.there.interface("b", "10.0.3.2/24", "2001:db8:3::2/64"))
        self.there.route("10.0.0.0/24", "10.0.3.12")
        self.there.route("2001:db8:0::/64", "2001:db8:3::12")
        self.first = near[1]


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=1) as network:
        yield network


def says(host: Host, endpoint: object, to: Endpoint | None = None) -> None:
    with host.pump as now:
        if to is None:
            endpoint.send(b"hello", now)  # type: ignore[attr-defined]
        else:
            endpoint.send((b"hello",), to, now)  # type: ignore[attr-defined]


@pytest.mark.rule("RFC1122-4.2.3.5", "RFC1122-3.3.1.4", "RFC4861-7.3.1")
@families
def test_a_connection_moves_to_the_other_router_before_it_is_given_up(network: Network, family: Family) -> None:
    pair = Pair(network)
    near, far = tcp_pair(network, pair.here, pair.there, FAR[family])
    pair.first.set_up(False)
    says(pair.here, near)
    network.run_for(19)

    assert far.readable == 5
    assert near.error is None


@pytest.mark.rule("RFC4861-7.3.3", "RFC1122-3.3.1.4")
@pytest.mark.parametrize("behaviour", [WINDOWS, BSD], ids=lambda behaviour: behaviour.name)
@families
def test_datagrams_move_to_the_other_router_and_back(network: Network, family: Family, behaviour: Behaviour) -> None:
    pair = Pair(network, behaviour)
    sender, receiver = udp_socket(pair.here, family), udp_socket(pair.there, family, 7)
    ip, destination = pair.here.stack.ip, parse_address(FAR[family])
    first = ip.path(destination).next_hop
    has_moved = []
    for is_up in (True, False, True):
        pair.first.set_up(is_up)
        for _ in range(120):  # reachable for up to 45 s, then 5 + 3 s; tried again each minute
            says(pair.here, sender, Endpoint(destination, 7))
            network.run_for(1)
        has_moved.append(ip.path(destination).next_hop != first)
        while receiver.receive() is not None:
            pass

    is_detected = family is Family.IPV6 or behaviour.detects_dead_gateways
    assert has_moved == [False, is_detected, False]
