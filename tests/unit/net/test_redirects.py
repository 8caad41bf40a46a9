"""Redirects of both families: who may send one, what it changes, when that ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptRedirectedHdr,
    IPv6,
)
from scapy.packet import Raw

from tests.unit.net.lab import IF1, IF2, OTHER_MAC, PEER_MAC, A, Lab
from tests.unit.net.router_frames import LOW, advertise
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import RedirectConfig, StackConfig
from wsknet.net import changes
from wsknet.trace import Decision, DropReason
from wsknet.types import SECOND


class Net(NamedTuple):
    """One family's addresses."""

    us: str
    router: str
    better: str
    destination: str
    default: str
    third: str


V4 = Net("10.0.0.9", "10.0.0.1", "10.0.0.2", "192.0.2.7", "0.0.0.0/0", "10.0.0.3")
V6 = Net("2001:db8::9", "fe80::1", "fe80::2", "2001:db8:7::7", "::/0", "fe80::3")
both = pytest.mark.parametrize("net", [V4, V6], ids=["IPv4", "IPv6"])


def new_lab(config: StackConfig | None = None) -> Lab:
    lab = Lab(config=config)
    lab.interface(IF1, f"{V4.us}/24", "fe80::9/64", f"{V6.us}/64")
    for net in (V4, V6):
        lab.route(net.default, IF1, net.router)
    return lab


@pytest.fixture
def lab() -> Lab:
    return new_lab()


def quoted(net: Net, destination: str, source: str | None = None) -> bytes:
    layer = IP if net is V4 else IPv6
    return bytes(layer(src=source or net.us, dst=destination) / UDP(sport=1000, dport=2000) / b"question")


def redirect(net: Net, gateway: str | None = None, destination: str | None = None, **change: Any) -> Any:
    """From the router in use, unless `source` says otherwise: go by `gateway`."""
    gateway, destination = gateway or net.better, destination or net.destination
    source = change.get("source", net.router)
    quote = quoted(net, destination, change.get("quoted_source"))
    if net is V4:
        return IP(src=source, dst=net.us) / ICMP(type=5, code=change.get("code", 1), gw=gateway) / Raw(quote)
    message = IPv6(src=source, dst=net.us, hlim=change.get("hlim", 255)) / ICMPv6ND_Redirect(
        tgt=gateway, dst=destination
    )
    if "mac" in change:
        message /= ICMPv6NDOptDstLLAddr(type=2, len=1, lladdr=change["mac"])
    return message / ICMPv6NDOptRedirectedHdr(type=4, len=1 + len(quote) // 8, res=bytes(6), pkt=IPv6(quote))


def next_hop(lab: Lab, net: Net, destination: str | None = None) -> str:
    return lab.where(destination or net.destination)[1]


@pytest.mark.rule("RFC1122-3.2.2.2", "RFC4861-8.3")
@both
def test_the_router_in_use_may_name_a_better_one_for_one_destination(lab: Lab, net: Net) -> None:
    lab.arrive(IF1, redirect(net))
    assert lab.where(net.destination) == ("if1", net.better, net.us)
    neighbour_of_destination = net.destination[:-1] + "8"
    assert next_hop(lab, net, neighbour_of_destination) == net.router
    assert lab.drops == {}


@both
def test_the_packet_itself_goes_the_other_way(lab: Lab, net: Net) -> None:
    path = lab.path(net.destination)
    lab.know(IF1, net.router)
    lab.know(IF1, net.better, OTHER_MAC)
    lab.send(net.destination)
    assert lab.take_one().dst == PEER_MAC
    lab.arrive(IF1, redirect(net))
    lab.ip.send(path, 17, b"12345678", (b"data",), lab.now)  # a path from before
    assert lab.take_one().dst == OTHER_MAC


@pytest.mark.rule("RFC1122-3.2.2.2")
@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_a_redirect_for_a_network_counts_for_the_host(lab: Lab, code: int) -> None:
    lab.arrive(IF1, redirect(V4, code=code))
    assert next_hop(lab, V4) == V4.better
    assert next_hop(lab, V4, "192.0.2.8") == V4.router


@pytest.mark.rule("RFC3021-2.1")
@pytest.mark.parametrize(("length", "is_believed"), [(30, False), (31, True)])
def test_the_lower_address_of_a_link_of_two_is_a_neighbour_and_that_of_a_subnet_is_none(
    length: int, is_believed: bool
) -> None:
    lab = Lab()
    lab.interface(IF1, f"{V4.us}/{length}", f"{V4.us[:-1]}21/24")
    lab.route(V4.default, IF1, V4.router)
    lab.arrive(IF1, redirect(V4, gateway="10.0.0.8"))
    assert (next_hop(lab, V4) == "10.0.0.8") is is_believed


@both
def test_the_new_router_may_redirect_again(lab: Lab, net: Net) -> None:
    lab.arrive(IF1, redirect(net))
    lab.arrive(IF1, redirect(net, gateway=net.third))
    assert next_hop(lab, net) == net.better
    lab.arrive(IF1, redirect(net, gateway=net.third, source=net.better))
    assert next_hop(lab, net) == net.third
    assert lab.drops == {DropReason.REDIRECT_REFUSED: 1}


REFUSED: list[tuple[Net, dict[str, Any]]] = [
    (V4, {"source": "10.0.0.77"}),  # not the router in use
    (V4, {"source": "198.51.100.1"}),
    (V4, {"gateway": "198.51.100.1"}),  # not on the link
    (V4, {"gateway": "10.0.0.9"}),  # ourselves
    (V4, {"gateway": "10.0.0.1"}),  # the router itself
    (V4, {"gateway": "10.0.0.0"}),
    (V4, {"gateway": "10.0.0.255"}),
    (V4, {"gateway": "255.255.255.255"}),
    (V4, {"gateway": "224.0.0.1"}),
    (V4, {"gateway": "0.0.0.0"}),
    (V4, {"gateway": "127.0.0.1"}),
    (V4, {"gateway": "192.0.2.7"}),  # the destination itself, beyond the subnet
    (V4, {"destination": "10.0.0.50"}),  # a neighbour already
    (V4, {"source": "10.0.0.50", "destination": "10.0.0.50"}),
    (V4, {"destination": "10.0.0.9"}),
    (V4, {"destination": "224.0.0.5"}),
    (V4, {"destination": "255.255.255.255"}),
    (V4, {"destination": "127.0.0.1"}),
    (V4, {"destination": "0.0.0.0"}),
    (V4, {"quoted_source": "10.0.0.8"}),  # we did not send that
    (V6, {"source": "fe80::77"}),
    (V6, {"gateway": "fe80::9"}),
    (V6, {"gateway": "fe80::1"}),
    (V6, {"destination": "2001:db8::50"}),
    (V6, {"destination": "2001:db8::9"}),
    (V6, {"destination": "fe80::50", "gateway": "fe80::50"}),
    (V6, {"destination": "::1"}),
    (V6, {"destination": "::"}),
]


@pytest.mark.rule("RFC1122-3.2.2.2", "RFC4861-8.1")
@pytest.mark.parametrize(("net", "change"), REFUSED, ids=lambda value: str(value) if isinstance(value, dict) else None)
def test_redirects_that_are_refused(lab: Lab, net: Net, change: dict[str, Any]) -> None:
    routes = list(lab.ip.routes)
    lab.arrive(IF1, redirect(net, **change))
    assert list(lab.ip.routes) == routes
    assert lab.drops == {DropReason.REDIRECT_REFUSED: 1}


@pytest.mark.rule("RFC4861-8.1")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hlim": 254}, DropReason.ND_BAD_HOP_LIMIT),
        ({"source": "2001:db8::1"}, DropReason.ND_MALFORMED),
        ({"gateway": "2001:db8::2"}, DropReason.ND_MALFORMED),  # neither link-local nor the destination
        ({"destination": "ff05::5"}, DropReason.ND_MALFORMED),
    ],
)
def test_redirects_that_are_malformed(lab: Lab, change: dict[str, Any], reason: DropReason) -> None:
    lab.arrive(IF1, redirect(V6, **change))
    assert next_hop(lab, V6) == V6.router
    assert lab.drops == {reason: 1}


@both
def test_a_router_does_not_follow_redirects(lab: Lab, net: Net) -> None:
    lab.apply(changes.InterfaceChanged(IF1, forwarding=True))
    lab.arrive(IF1, redirect(net))
    assert next_hop(lab, net) == net.router
    assert lab.drops == {DropReason.REDIRECT_REFUSED: 1}


def test_a_policy_turns_them_off_for_ipv4() -> None:
    lab = new_lab(StackConfig(behaviour=replace(WINDOWS, accepts_ipv4_redirects=False)))
    for net in (V4, V6):
        lab.arrive(IF1, redirect(net))
    assert (next_hop(lab, V4), next_hop(lab, V6)) == (V4.router, V6.better)


@both
def test_a_route_for_this_very_host_given_by_hand_is_meant(lab: Lab, net: Net) -> None:
    lab.route(f"{net.destination}/{32 if net is V4 else 128}", IF1, net.router, metric=10)
    lab.arrive(IF1, redirect(net))
    assert next_hop(lab, net) == net.router


@both
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX], ids=["strong", "weak"])
def test_a_redirect_on_another_interface_is_refused(net: Net, behaviour: Behaviour) -> None:
    lab = new_lab(StackConfig(behaviour=behaviour))
    lab.interface(IF2, "10.0.0.99/24", "fe80::99/64")
    lab.arrive(IF2, redirect(net))
    assert next_hop(lab, net) == net.router


@pytest.mark.rule("RFC4861-8.3")
def test_the_destination_itself_may_be_on_the_link(lab: Lab) -> None:
    lab.arrive(IF1, redirect(V6, gateway=V6.destination, mac=OTHER_MAC))
    assert lab.where(V6.destination) == ("if1", V6.destination, V6.us)
    lab.send(V6.destination)
    assert lab.take_one().dst == OTHER_MAC


@pytest.mark.rule("RFC4861-8.3")
def test_the_mac_in_a_redirect_is_learnt(lab: Lab) -> None:
    lab.arrive(IF1, redirect(V6, mac=OTHER_MAC))
    assert lab.state(IF1, V6.better) == "STALE"
    lab.send(V6.destination)
    assert lab.take_one().dst == OTHER_MAC


@both
def test_a_redirect_ends_after_ten_minutes(lab: Lab, net: Net) -> None:
    lab.arrive(IF1, redirect(net))
    lab.pass_time(400)
    lab.arrive(IF1, redirect(net, gateway=net.third, source=net.better))
    lab.pass_time(599)
    assert next_hop(lab, net) == net.third
    lab.pass_time(1)
    assert next_hop(lab, net) == net.router


@pytest.mark.rule("RFC1122-3.3.1.5", "RFC4861-7.3.3")
@both
def test_a_redirect_to_who_does_not_answer_ends_at_once(lab: Lab, net: Net) -> None:
    lab.arrive(IF1, redirect(net))
    lab.send(net.destination)
    lab.pass_time(4)
    assert next_hop(lab, net) == net.router


@pytest.mark.rule("RFC4861-8.3")
def test_a_destination_said_to_be_on_the_link_that_does_not_answer_is_sought_by_the_router_again(lab: Lab) -> None:
    lab.arrive(IF1, redirect(V6, gateway=V6.destination))
    lab.send(V6.destination)
    lab.pass_time(4)
    assert next_hop(lab, V6) == V6.router


def test_a_redirect_to_a_group_is_refused(lab: Lab) -> None:
    for net, group, mac in ((V4, "10.0.0.255", "ff:ff:ff:ff:ff:ff"), (V6, "ff02::1", "33:33:00:00:00:01")):
        packet = redirect(net, quoted_source=group)
        packet.dst = group
        lab.arrive(IF1, packet, mac=mac)
        assert next_hop(lab, net) == net.router
    assert lab.drops == {DropReason.REDIRECT_REFUSED: 2}


def test_a_redirect_to_who_is_no_router_any_more_ends_at_once() -> None:
    lab = new_lab()
    lab.apply(changes.InterfaceChanged(IF1, auto=replace(lab.ip.interfaces[IF1].auto, router_discovery=True)))
    lab.arrive(IF1, redirect(V6, mac=OTHER_MAC))
    lab.arrive(IF1, IPv6(src=V6.better, dst=V6.us, hlim=255) / ICMPv6ND_NA(tgt=V6.better, R=0, S=0, O=1))
    assert next_hop(lab, V6) == V6.router


@pytest.mark.rule("RFC4861-6.3.5")
@pytest.mark.parametrize("is_default", [False, True])
def test_a_redirect_ends_with_the_time_of_its_router_but_not_if_that_never_was_a_default_router(
    is_default: bool,
) -> None:
    lab = new_lab()
    lab.apply(changes.InterfaceChanged(IF1, auto=replace(lab.ip.interfaces[IF1].auto, router_discovery=True)))
    advertise(lab, source=V6.better, lifetime=60 if is_default else 0, prf=LOW)
    lab.arrive(IF1, redirect(V6))
    assert next_hop(lab, V6) == V6.better
    if not is_default:
        advertise(lab, source=V6.better, lifetime=0)

    lab.pass_time(61)
    assert next_hop(lab, V6) == (V6.router if is_default else V6.better)


@both
@pytest.mark.parametrize("is_removed", [False, True])
def test_what_happens_to_the_link_ends_redirects(lab: Lab, net: Net, is_removed: bool) -> None:
    lab.arrive(IF1, redirect(net))
    if is_removed:
        lab.apply(changes.InterfaceRemoved(IF1))
        lab.pass_time(1000)
        return
    lab.apply(changes.LinkDown(IF1))
    lab.apply(changes.LinkUp(IF1))
    assert next_hop(lab, net) == net.router


def test_the_oldest_of_too_many_goes() -> None:
    lab = new_lab(StackConfig(redirects=RedirectConfig(max_routes=3, lifetime=600 * SECOND)))
    before = len(list(lab.ip.routes))
    for number in range(1, 6):
        lab.arrive(IF1, redirect(V4, destination=f"192.0.2.{number}"))
    assert [next_hop(lab, V4, f"192.0.2.{n}") for n in range(1, 6)] == [V4.router] * 2 + [V4.better] * 3
    assert len(list(lab.ip.routes)) == before + 3


@both
def test_an_explanation_names_the_redirect(lab: Lab, net: Net) -> None:
    lab.arrive(IF1, redirect(net))
    why = Decision("")
    lab.path(net.destination, why=why)
    assert why.parts[0].answer.endswith(f"via {net.better} on if1, metric 0+25, given by a redirect")
    assert A(net.better) == lab.path(net.destination).next_hop
