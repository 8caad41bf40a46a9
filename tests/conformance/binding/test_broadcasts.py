"""Broadcasts, and an address without its local route: cases 54, 55 and 57 of the binding catalogue."""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP

from tests.conformance.binding.multi_homed import (
    IF1,
    IF2,
    PEER_PORT,
    MultiHomed,
)
from tests.conformance.binding.outcomes import error_of, outcomes
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.errors import ErrorKind
from wsknet.net.changes import InterfaceChanged, LinkDown
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.types import IfIndex

SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda each: each.name)
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.mark.rule("BIND-54")
@pytest.mark.parametrize("behaviour", [WINDOWS, BSD], ids=lambda each: each.name)
@pytest.mark.parametrize("is_bare", [False, True])
def test_the_limited_broadcast_leaves_by_the_best_metric_without_any_default_route(
    behaviour: Behaviour, is_bare: bool
) -> None:
    lab = MultiHomed(behaviour, is_bare)
    endpoint = lab.udp_on()

    lab.send_to(endpoint, "255.255.255.255")
    assert lab.sent() == (IF1, BROADCAST, "10.1.0.2", "255.255.255.255")
    lab.apply(InterfaceChanged(IF1, metric=90))
    lab.send_to(endpoint, "255.255.255.255")
    assert lab.sent() == (IF2, BROADCAST, "10.2.0.2", "255.255.255.255")


@pytest.mark.rule("BIND-54")
def test_on_linux_it_follows_the_default_route() -> None:
    lab = MultiHomed(LINUX, is_bare=True)
    endpoint = lab.udp_on()
    assert error_of(lambda: lab.send_to(endpoint, "255.255.255.255")) is ErrorKind.NO_ROUTE

    lab.route("0.0.0.0/0", IF2, "10.2.0.1")
    lab.send_to(endpoint, "255.255.255.255")

    assert lab.sent() == (IF2, BROADCAST, "10.2.0.2", "255.255.255.255")


@SETS
@pytest.mark.rule("BIND-54")
@pytest.mark.parametrize("is_bare", [False, True])
@pytest.mark.parametrize(("bound", "index"), [("10.1.0.2", IF1), ("10.2.0.2", IF2)])
def test_a_bound_source_picks_the_interface_of_the_limited_broadcast(
    behaviour: Behaviour, bound: str, index: IfIndex, is_bare: bool
) -> None:
    lab = MultiHomed(behaviour, is_bare)

    lab.send_to(lab.udp_on(bound), "255.255.255.255")

    assert lab.sent() == (index, BROADCAST, bound, "255.255.255.255")


@SETS
@pytest.mark.rule("BIND-54")
def test_on_a_link_that_is_down_there_is_no_limited_broadcast(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    endpoint = lab.udp_on("10.2.0.2")
    lab.apply(LinkDown(IF2))

    assert error_of(lambda: lab.send_to(endpoint, "255.255.255.255")) is ErrorKind.NO_ROUTE
    assert lab.take() == []


@SETS
@pytest.mark.rule("BIND-55")
def test_a_directed_broadcast_leaves_by_its_subnet_if_it_is_permitted(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)
    sender = lab.udp_on()
    sender.may_broadcast = False
    for broadcast in ("10.2.0.255", "255.255.255.255"):
        assert error_of(lambda to=broadcast: lab.send_to(sender, to)) is ErrorKind.BROADCAST_DENIED  # type: ignore
    sender.may_broadcast = True

    lab.send_to(sender, "10.2.0.255")

    assert lab.sent() == (IF2, BROADCAST, "10.2.0.2", "10.2.0.255")


@SETS
@pytest.mark.rule("BIND-55")
@pytest.mark.parametrize("to", ["10.2.0.255", "255.255.255.255"])
def test_our_own_wildcards_hear_our_broadcasts(behaviour: Behaviour, to: str) -> None:
    lab = MultiHomed(behaviour)
    receiver, sender = lab.udp_on(None, PEER_PORT), lab.udp_on()

    lab.send_to(sender, to, PEER_PORT)

    assert [format_address(datagram.destination) for datagram in receiver.peek()] == [to]


@pytest.mark.rule("BIND-55")
@pytest.mark.parametrize("has_peer", [False, True])
def test_a_link_local_name_hears_the_limited_broadcast_of_its_link_whatever_its_source(has_peer: bool) -> None:
    lab = MultiHomed(WINDOWS)
    lab.address(IF1, "169.254.5.5/16")
    endpoint = lab.udp_on("169.254.5.5")
    if has_peer:
        lab.apply(InterfaceChanged(IF1, weak_send=True))
        lab.connect(endpoint, "10.1.0.50")

    lab.datagram(IF1, "10.1.0.50", "255.255.255.255", mac=BROADCAST)
    lab.datagram(IF2, "10.1.0.50", "255.255.255.255", mac=BROADCAST)

    assert [datagram.if_index for datagram in endpoint.peek()] == [IF1]


@SETS
def test_nobody_connects_to_many_with_tcp(behaviour: Behaviour) -> None:
    lab = MultiHomed(behaviour)

    for to in ("10.1.0.255", "255.255.255.255", "239.1.2.3", "ff0e::3"):
        assert outcomes(lab, None, to)["tcp connect"] is ErrorKind.NOT_LOCAL
    assert not any(TCP in frame for _, frame in lab.take())


@SETS
@pytest.mark.rule("BIND-57")
@pytest.mark.parametrize(
    ("us", "peer", "routes", "other"),
    [
        ("10.1.0.2", "10.1.0.50", ("10.1.0.2/32", "10.1.0.0/24", "10.1.0.255/32"), "192.0.2.0/24"),
        ("2001:db8:1::2", "2001:db8:1::50", ("2001:db8:1::2/128", "2001:db8:1::/64"), "2001:db8:9::/64"),
    ],
)
def test_an_address_whose_local_route_was_flushed_is_deaf(
    behaviour: Behaviour, us: str, peer: str, routes: tuple[str, ...], other: str
) -> None:
    lab = MultiHomed(behaviour)
    for index in (IF1, IF2):
        lab.apply(InterfaceChanged(index, weak_receive=True))
    receiver, listener = lab.udp_on(us), lab.listening(us)
    for prefix in routes:
        lab.remove_route(prefix, IF1)
    lab.route(other, IF1)

    lab.datagram(IF1, peer, us)
    assert lab.shake_hands(IF1, peer, us, listener) is None
    assert (receiver.readable, lab.drops) == (0, {DropReason.IP_NOT_LOCAL: 2})

    lab.address(IF1, us + ("/64" if ":" in us else "/24"))
    lab.datagram(IF1, peer, us)
    assert receiver.readable == 1
    assert lab.shake_hands(IF1, peer, us, listener) is not None
