"""Routers and gateways of both families that do not answer."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP

from tests.unit.net.lab import IF1, Lab, arp
from tests.unit.net.router_frames import (
    FAR,
    HIGH,
    LINK_LOCAL,
    OTHER_ROUTER,
    OTHER_ROUTER_MAC,
    ROUTER,
    ROUTER_MAC,
    advertise,
    following_lab,
    mac_option,
)
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import NeighbourConfig
from wsknet.net import changes


def with_dead_gateway(behaviour: Behaviour = WINDOWS) -> Lab:
    """The better one of two has just failed to answer."""
    lab = Lab(behaviour)
    lab.interface(IF1, "10.0.0.9/24")
    lab.route("0.0.0.0/0", IF1, "10.0.0.1", metric=1)
    lab.route("0.0.0.0/0", IF1, "10.0.0.2", metric=2)
    lab.send("192.0.2.1")
    lab.pass_time(5)
    return lab


@pytest.mark.rule("RFC4861-6.3.6", "RFC4191-3.2")
def test_a_router_that_does_not_answer_is_avoided_and_tried_again_each_minute() -> None:
    lab = following_lab()
    advertise(lab, prf=HIGH)
    advertise(lab, mac_option(OTHER_ROUTER_MAC), source=OTHER_ROUTER)
    lab.send(FAR)
    lab.pass_time(3)
    assert lab.where(FAR)[1] == OTHER_ROUTER
    lab.take()

    lab.pass_time(59)
    assert lab.take() == []
    lab.pass_time(1)
    assert lab.take_one()[ICMPv6ND_NS].tgt == ROUTER

    option = ICMPv6NDOptDstLLAddr(type=2, len=1, lladdr=ROUTER_MAC)
    lab.arrive(IF1, IPv6(src=ROUTER, dst=LINK_LOCAL, hlim=255) / ICMPv6ND_NA(tgt=ROUTER, R=1, S=1, O=1) / option)
    assert lab.where(FAR)[1] == ROUTER
    lab.pass_time(600)
    assert lab.take() == []


@pytest.mark.rule("RFC4191-3.5")
def test_a_dead_router_is_asked_for_once_a_minute_as_long_as_it_is_advertised() -> None:
    lab = following_lab()
    advertise(lab, lifetime=300)
    lab.send(FAR)
    lab.pass_time(250)
    asked = [frame for _, frame in lab.take() if ICMPv6ND_NS in frame]
    assert len(asked) == 3 * 4  # at once, and a minute after each of three failures
    assert lab.where(FAR)[1] == ROUTER  # there is no other

    lab.pass_time(60)
    lab.take()
    lab.pass_time(3600)
    assert lab.take() == []


@pytest.mark.rule("RFC1122-3.3.1.4")
@pytest.mark.parametrize(("behaviour", "gateway"), [(WINDOWS, "10.0.0.2"), (LINUX, "10.0.0.1"), (BSD, "10.0.0.1")])
def test_a_dead_ipv4_gateway_is_avoided_where_the_behaviour_says_so(behaviour: Any, gateway: str) -> None:
    lab = with_dead_gateway(behaviour)
    assert lab.where("192.0.2.1")[1] == gateway


@pytest.mark.rule("RFC1122-3.3.1.4")
def test_a_dead_gateway_that_answers_again_is_used_again() -> None:
    lab = with_dead_gateway()
    lab.take()
    lab.pass_time(60)
    assert {frame[ARP].pdst for _, frame in lab.take()} == {"10.0.0.1"}
    lab.receive(IF1, arp("is-at", "10.0.0.1", "10.0.0.9"))
    assert lab.where("192.0.2.1")[1] == "10.0.0.1"


@pytest.mark.rule("RFC4861-6.3.6")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda behaviour: behaviour.name)
def test_a_dead_ipv6_gateway_given_by_hand_is_always_avoided(behaviour: Any) -> None:
    lab = Lab(behaviour)
    lab.interface(IF1, "2001:db8::9/64")
    lab.route("::/0", IF1, "2001:db8::1", metric=1)
    lab.route("::/0", IF1, "2001:db8::2", metric=2)
    lab.send(FAR)
    lab.pass_time(5)
    assert lab.where(FAR)[1] == "2001:db8::2"


def test_a_dead_neighbour_that_is_no_gateway_is_not_asked_for_again() -> None:
    lab = Lab()
    lab.interface(IF1, "10.0.0.9/24")
    lab.send("10.0.0.1")
    lab.pass_time(5)
    assert lab.ip.tables.suspects == {}
    lab.take()
    lab.pass_time(600)
    assert lab.take() == []


def test_a_new_link_knows_no_dead_gateways() -> None:
    lab = with_dead_gateway()
    lab.apply(changes.LinkDown(IF1))
    lab.apply(changes.LinkUp(IF1))
    assert lab.where("192.0.2.1")[1] == "10.0.0.1"


def test_a_dead_gateway_whose_question_was_pushed_out_is_asked_for_again() -> None:
    lab = Lab(neighbours=NeighbourConfig(max_entries=4))
    lab.interface(IF1, "10.0.0.9/24")
    lab.route("0.0.0.0/0", IF1, "10.0.0.1")
    lab.send("192.0.2.1")
    lab.pass_time(5)
    lab.take()
    while not lab.ip.frames:
        lab.pass_time(0.5)
    assert lab.state(IF1, "10.0.0.1") == "INCOMPLETE"
    for number in range(10, 20):
        lab.send(f"10.0.0.{number}")
    assert lab.state(IF1, "10.0.0.1") is None
    lab.pass_time(10)
    lab.take()

    lab.pass_time(60)
    assert {frame[ARP].pdst for _, frame in lab.take()} == {"10.0.0.1"}
