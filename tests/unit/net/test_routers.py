"""Router discovery: solicitations, default routers, routes and prefixes, what is believed and when it ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)

from tests.unit.net.lab import IF1, IF2, A, Lab, mac_of
from tests.unit.net.router_frames import (
    FAR,
    FOLLOW,
    FOREVER,
    HIGH,
    LINK_LOCAL,
    LOW,
    MEDIUM,
    OTHER_ROUTER,
    ROUTER,
    ROUTER_MAC,
    advertise,
    advertisement,
    following_lab,
    is_reachable,
    mac_option,
    mtu_option,
    prefix,
    route,
)
from wsknet.behaviour import BSD, LINUX, WINDOWS
from wsknet.config import AutoConfig
from wsknet.net import changes
from wsknet.trace import Decision, DropReason
from wsknet.types import SECOND


def solicitations(lab: Lab) -> list[Any]:
    return [frame for _, frame in lab.take() if ICMPv6ND_RS in frame]


# Solicitations


@pytest.mark.rule("RFC4861-4.1", "RFC4861-6.3.7")
def test_a_solicitation_leaves_within_a_second_and_names_our_mac() -> None:
    lab = Lab()
    lab.interface(IF1, "fe80::a/64", auto=FOLLOW)
    lab.pass_time(1)

    asked = next(frame for frame in solicitations(lab) if frame[IPv6].src == "fe80::a")
    assert (asked.dst, asked.src) == ("33:33:00:00:00:02", mac_of(IF1))
    assert (asked[IPv6].dst, asked[IPv6].hlim, asked[ICMPv6ND_RS].code) == ("ff02::2", 255, 0)
    assert asked[ICMPv6NDOptSrcLLAddr].lladdr == mac_of(IF1)


@pytest.mark.rule("RFC4861-4.1")
def test_without_an_address_the_solicitation_comes_from_nowhere_and_names_no_mac() -> None:
    lab = Lab()
    lab.interface(IF1, auto=FOLLOW)
    lab.pass_time(1)

    [asked] = solicitations(lab)
    assert asked[IPv6].src == "::"
    assert ICMPv6NDOptSrcLLAddr not in asked


@pytest.mark.rule("RFC4429-3.2")
def test_with_an_optimistic_address_no_mac_is_named() -> None:
    lab = Lab()
    lab.interface(IF1, auto=replace(FOLLOW, optimistic=True))
    lab.pass_time(1)

    [asked] = solicitations(lab)
    assert asked[IPv6].src == LINK_LOCAL
    assert ICMPv6NDOptSrcLLAddr not in asked


@pytest.mark.rule("RFC4861-6.3.7", "RFC7559-2")
def test_three_solicitations_four_seconds_apart_then_ever_fewer() -> None:
    lab = Lab()
    lab.interface(IF1, auto=FOLLOW)
    times = []
    for second in range(64 * 10):
        lab.pass_time(0.1)
        times += [second / 10] * len(solicitations(lab))

    gaps = [round(later - earlier) for earlier, later in pairwise(times)]
    assert gaps == [4, 4, 8, 16]

    lab.pass_time(86400)
    lab.take()
    lab.pass_time(3600)
    assert len(solicitations(lab)) == 1


@pytest.mark.rule("RFC4861-6.3.7")
def test_solicitations_end_when_a_default_router_answers() -> None:
    lab = following_lab()
    advertise(lab)
    lab.pass_time(600)
    assert solicitations(lab) == []


@pytest.mark.rule("RFC4861-6.3.7")
def test_who_is_no_default_router_does_not_end_them() -> None:
    lab = following_lab()
    advertise(lab, lifetime=0)
    lab.pass_time(6)
    assert solicitations(lab) != []


def test_one_question_is_asked_even_if_a_router_spoke_first() -> None:
    lab = Lab()
    lab.interface(IF1, auto=FOLLOW)
    advertise(lab)
    lab.pass_time(600)
    assert len(solicitations(lab)) == 1


@pytest.mark.parametrize("auto", [AutoConfig(), AutoConfig(duplicate_detection=True), AutoConfig(dhcp=True)])
def test_nobody_solicits_unless_told(auto: AutoConfig) -> None:
    lab = Lab()
    lab.interface(IF1, auto=auto)
    lab.pass_time(60)
    assert solicitations(lab) == []


def test_a_router_does_not_solicit() -> None:
    lab = Lab()
    lab.interface(IF1, auto=FOLLOW)
    lab.apply(changes.InterfaceChanged(IF1, forwarding=True))
    lab.pass_time(60)
    assert solicitations(lab) == []


def test_solicitations_begin_again_when_the_link_comes_back() -> None:
    lab = following_lab()
    advertise(lab)
    lab.apply(changes.LinkDown(IF1))
    lab.pass_time(60)
    assert solicitations(lab) == []

    lab.apply(changes.LinkUp(IF1))
    lab.pass_time(1)
    assert len(solicitations(lab)) == 1


# What is believed


@pytest.mark.rule("RFC4861-6.3.4")
def test_a_default_router_is_used_until_its_lifetime_is_over() -> None:
    lab = following_lab()
    advertise(lab, lifetime=1800)
    assert lab.where(FAR) == ("if1", ROUTER, LINK_LOCAL)

    lab.pass_time(1799)
    assert lab.where(FAR)[1] == ROUTER
    lab.pass_time(1.1)
    assert not is_reachable(lab)


@pytest.mark.rule("RFC4861-6.3.4", "RFC4861-6.3.5")
def test_every_advertisement_starts_the_lifetime_anew_and_zero_ends_it() -> None:
    lab = following_lab()
    advertise(lab, lifetime=1800)
    lab.pass_time(1000)
    advertise(lab, lifetime=1800)
    lab.pass_time(1700)
    assert is_reachable(lab)

    advertise(lab, lifetime=0)
    assert not is_reachable(lab)


@pytest.mark.rule("RFC4861-4.6.2", "RFC4191-2.3")
def test_what_is_made_to_last_for_ever_does_not_end_when_it_was_to_end_before() -> None:
    lab = following_lab()
    for lifetime in (600, FOREVER):
        news = (prefix("2001:db8:1::", valid=lifetime, preferred=300), route("2001:db8:ffff::", 48, lifetime))
        advertise(lab, *news, lifetime=0)
    lab.pass_time(100_000)
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"
    assert lab.where(FAR)[1] == ROUTER


@pytest.mark.rule("RFC4861-6.1.2")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hlim": 254}, DropReason.ND_BAD_HOP_LIMIT),
        ({"source": "2001:db8::1"}, DropReason.ND_MALFORMED),
        ({"code": 1}, DropReason.ND_MALFORMED),
    ],
)
def test_advertisements_from_beyond_the_link_are_not_believed(fields: dict[str, Any], reason: DropReason) -> None:
    lab = following_lab()
    message = advertisement(prefix("2001:db8:1::"), **{k: v for k, v in fields.items() if k != "code"})
    message[ICMPv6ND_RA].code = fields.get("code", 0)
    lab.arrive(IF1, message, mac="33:33:00:00:00:01")
    assert not is_reachable(lab)
    assert lab.drops == {reason: 1}


def test_who_does_not_follow_routers_drops_what_they_say() -> None:
    lab = Lab()
    lab.interface(IF1, "fe80::a/64")
    lab.interface(IF2, "fe80::b/64", auto=FOLLOW)
    lab.apply(changes.InterfaceChanged(IF2, forwarding=True))
    advertise(lab)
    advertise(lab, index=IF2)
    assert not is_reachable(lab)
    assert lab.drops == {DropReason.ROUTERS_NOT_ASKED: 2}


@pytest.mark.rule("RFC4861-6.2.6")
def test_a_host_does_not_answer_solicitations() -> None:
    lab = following_lab()
    lab.arrive(IF1, IPv6(src="fe80::9", dst=LINK_LOCAL, hlim=255) / ICMPv6ND_RS())
    assert lab.take() == []
    assert lab.state(IF1, "fe80::9") is None
    assert lab.drops == {DropReason.ROUTERS_NOT_ASKED: 1}


@pytest.mark.rule("RFC4861-6.3.4")
def test_the_routers_mac_is_learnt_so_the_first_packet_asks_nobody() -> None:
    lab = following_lab()
    advertise(lab, mac_option())
    lab.send(FAR)
    assert lab.take_one().dst == ROUTER_MAC


# Preference and routes


@pytest.mark.rule("RFC4191-3.2")
@pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda behaviour: behaviour.name)
@pytest.mark.parametrize(("first", "second"), [(MEDIUM, HIGH), (LOW, MEDIUM), (LOW, HIGH)])
def test_the_preferred_router_wins_whoever_speaks_first(behaviour: Any, first: int, second: int) -> None:
    lab = following_lab(Lab(behaviour))
    advertise(lab, prf=first)
    advertise(lab, prf=second, source=OTHER_ROUTER)
    assert lab.where(FAR)[1] == OTHER_ROUTER

    advertise(lab, lifetime=0, source=OTHER_ROUTER)
    assert lab.where(FAR)[1] == ROUTER


@pytest.mark.rule("RFC4191-2.2")
def test_a_router_may_change_its_preference() -> None:
    lab = following_lab()
    advertise(lab, prf=HIGH)
    advertise(lab, source=OTHER_ROUTER)
    advertise(lab, prf=LOW)
    assert lab.where(FAR)[1] == OTHER_ROUTER


@pytest.mark.rule("RFC4191-3.1")
def test_an_advertised_route_leads_its_prefix_only_and_ends() -> None:
    lab = following_lab()
    advertise(lab)
    advertise(lab, route("2001:db8:5::", 48, lifetime=600), source=OTHER_ROUTER, lifetime=0)
    assert lab.where("2001:db8:5::1")[1] == OTHER_ROUTER
    assert lab.where("2001:db8:6::1")[1] == ROUTER

    lab.pass_time(601)
    assert lab.where("2001:db8:5::1")[1] == ROUTER


@pytest.mark.rule("RFC4191-2.3")
def test_a_route_to_everywhere_counts_for_more_than_the_header() -> None:
    lab = following_lab()
    advertise(lab)
    advertise(lab, route("::", 0, prf=HIGH), source=OTHER_ROUTER, lifetime=0)
    assert lab.where(FAR)[1] == OTHER_ROUTER

    advertise(lab, route("::", 0, lifetime=0), source=OTHER_ROUTER, lifetime=1800)
    assert lab.where(FAR)[1] == ROUTER


def test_a_static_route_in_the_same_place_is_left_alone() -> None:
    lab = following_lab()
    lab.route("::/0", IF1, ROUTER, metric=7)
    advertise(lab, lifetime=0)
    advertise(lab, lifetime=5)
    lab.pass_time(10)
    assert lab.where(FAR)[1] == ROUTER


def test_an_explanation_tells_who_gave_a_route() -> None:
    lab = following_lab()
    advertise(lab)
    why = Decision("")
    lab.path(FAR, why=why)
    assert (
        why.parts[0].candidates[0].what == f"::/0 via {ROUTER} on if1, metric 256+25, given by a router advertisement"
    )


# Prefixes on the link


@pytest.mark.rule("RFC4861-6.3.4", "RFC5942-4")
def test_only_a_prefix_said_to_be_on_the_link_is() -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:1::", L=1, A=0, valid=100), prefix("2001:db8:2::", L=0, A=1))
    lab.pass_time(3)
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"
    assert lab.where("2001:db8:2::9")[1] == ROUTER

    lab.pass_time(98)
    assert lab.where("2001:db8:1::9")[1] == ROUTER


@pytest.mark.rule("RFC4861-6.3.4")
def test_a_prefix_ends_at_once_when_its_lifetime_is_zero_and_not_when_it_is_infinite() -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:1::", A=0, valid=FOREVER), lifetime=0)
    lab.pass_time(10_000_000)
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"

    advertise(lab, prefix("2001:db8:1::", A=0, valid=0, preferred=0), lifetime=0)
    assert not is_reachable(lab, "2001:db8:1::9")


def test_the_subnet_of_an_address_given_by_hand_outlives_the_advertised_prefix() -> None:
    lab = following_lab(None, IF1, "2001:db8:1::5/64")
    advertise(lab, prefix("2001:db8:1::", A=0, valid=10))
    lab.pass_time(20)
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"


def test_the_subnet_of_an_address_added_later_outlives_the_advertised_prefix() -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:1::", A=0, valid=10))
    lab.address(IF1, "2001:db8:1::5/64")
    lab.pass_time(20)
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"


# Parameters


@pytest.mark.rule("RFC4861-6.3.4")
@pytest.mark.parametrize(("told", "mtu"), [(1400, 1400), (1280, 1280), (1500, 1500), (1279, 1500), (1501, 1500)])
def test_the_advertised_mtu_holds_if_the_link_carries_it(told: int, mtu: int) -> None:
    lab = following_lab()
    advertise(lab)
    assert lab.path(FAR).mtu == 1500
    advertise(lab, mtu_option(told))
    assert lab.path(FAR).mtu == mtu
    advertise(lab)
    assert lab.path(FAR).mtu == mtu  # who says nothing changes nothing
    for impossible in (1279, 1501):
        advertise(lab, mtu_option(impossible))
        assert lab.path(FAR).mtu == mtu


@pytest.mark.rule("RFC4861-6.3.4")
def test_the_advertised_hop_limit_is_in_the_packets() -> None:
    lab = following_lab()
    advertise(lab, mac_option())
    lab.send(FAR)
    assert lab.take_one()[IPv6].hlim == 128
    advertise(lab, chlim=33)
    lab.send(FAR)
    assert lab.take_one()[IPv6].hlim == 33
    advertise(lab, chlim=0)
    assert lab.path(FAR).hop_limit == 33


@pytest.mark.rule("RFC4861-6.3.4")
def test_the_retransmission_time_sets_the_pace_of_questions() -> None:
    lab = following_lab()
    advertise(lab, retranstimer=5000)
    lab.send(FAR)
    lab.pass_time(11)
    assert len([frame for _, frame in lab.take() if ICMPv6ND_NS in frame]) == 3
    lab.pass_time(5)
    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 1}


@pytest.mark.rule("RFC4861-6.3.4", "RFC4861-6.3.2")
def test_the_reachable_time_says_how_long_a_confirmation_lasts() -> None:
    lab = following_lab()
    advertise(lab, mac_option(), reachabletime=1_000_000)
    lab.ip.confirm(lab.send(FAR), lab.now)
    lab.pass_time(499)
    assert lab.state(IF1, ROUTER) == "REACHABLE"
    lab.pass_time(1002)
    assert lab.state(IF1, ROUTER) == "STALE"


def test_times_that_nobody_could_mean_are_not_taken_literally() -> None:
    lab = following_lab()
    advertise(lab, retranstimer=1, reachabletime=3_600_001)
    lab.send(FAR)
    lab.pass_time(0.0101)
    assert len(lab.take()) == 2


@pytest.mark.rule("RFC4861-4.2", "RFC4861-6.2.1")
@pytest.mark.parametrize(("told", "is_taken"), [(3_600_000, True), (3_600_001, False)])
def test_a_reachable_time_of_an_hour_is_the_longest_that_is_taken(told: int, is_taken: bool) -> None:
    lab = following_lab()
    advertise(lab, reachabletime=told)
    reachable = lab.ip.interfaces[IF1].neighbours.reachable
    assert (reachable >= 1800 * SECOND) is is_taken


# The end


def _switch_off(lab: Lab) -> None:
    lab.apply(changes.InterfaceChanged(IF1, auto=AutoConfig()))


def _become_router(lab: Lab) -> None:
    lab.apply(changes.InterfaceChanged(IF1, forwarding=True))


def _lose_link(lab: Lab) -> None:
    lab.apply(changes.LinkDown(IF1))
    lab.apply(changes.LinkUp(IF1))


@pytest.mark.parametrize("end", [_switch_off, _become_router, _lose_link])
def test_everything_learnt_goes_with_what_it_was_learnt_for(end: Any) -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:1::"), route("2001:db8:5::", 48), mtu_option(1400), chlim=33, retranstimer=2000)
    lab.pass_time(5)
    assert lab.where("2001:db8:1::9") == ("if1", "2001:db8:1::9", "2001:db8:1::ff:fe00:2")

    end(lab)
    lab.pass_time(3)
    for destination in (FAR, "2001:db8:1::9", "2001:db8:5::9"):
        assert not is_reachable(lab, destination)
    path = lab.path("fe80::9", zone=IF1)
    assert (path.mtu, path.hop_limit) == (1500, 128)
    assert A("2001:db8:1::ff:fe00:2") not in lab.ip.interfaces[IF1].addresses
    lab.take()
    lab.send("fe80::9", zone=IF1)
    lab.pass_time(2.5)
    assert len([frame for _, frame in lab.take() if ICMPv6ND_NS in frame]) == 3  # a second apart again


def test_a_removed_interface_leaves_nothing_that_could_fire_later() -> None:
    lab = following_lab()
    advertise(lab, prefix("2001:db8:1::"), route("2001:db8:5::", 48))
    lab.pass_time(3)
    lab.apply(changes.InterfaceRemoved(IF1))
    lab.take()
    lab.pass_time(100_000)
    assert lab.take() == []


@pytest.mark.rule("RFC4861-7.2.5")
def test_a_router_that_becomes_a_host_is_used_no_more() -> None:
    lab = following_lab()
    advertise(lab, mac_option(), route("2001:db8:5::", 48))
    advertise(lab, source=OTHER_ROUTER, prf=LOW)
    option = ICMPv6NDOptDstLLAddr(type=2, len=1, lladdr=ROUTER_MAC)
    for flag, next_hop in ((1, ROUTER), (0, OTHER_ROUTER)):
        lab.arrive(IF1, IPv6(src=ROUTER, dst=LINK_LOCAL, hlim=255) / ICMPv6ND_NA(tgt=ROUTER, R=flag, S=0, O=1) / option)
        assert lab.where(FAR)[1] == next_hop
        assert lab.where("2001:db8:5::1")[1] == next_hop


@pytest.mark.rule("RFC4861-6.3.4", "RFC4861-6.3.5")
def test_a_router_that_came_back_stays_beyond_the_end_that_it_had_before() -> None:
    lab = following_lab()
    for lifetime in (600, 0, 1800):
        advertise(lab, lifetime=lifetime)
    lab.pass_time(1700)

    assert is_reachable(lab)


@pytest.mark.rule("RFC4861-6.3.4")
def test_paths_found_by_who_hears_of_the_end_do_not_keep_the_mtu_of_the_routers() -> None:
    lab = following_lab(Lab(), IF1, "2001:db8:9::9/64")
    advertise(lab, mtu_option(1400))
    found = [lab.path("2001:db8:9::1").mtu]
    lab.ip.watchers.append(lambda news, now: found.append(lab.path("2001:db8:9::1").mtu))
    lab.apply(changes.InterfaceChanged(IF1, auto=AutoConfig()))

    assert len(found) > 1
    assert (found[0], lab.path("2001:db8:9::1").mtu) == (1400, 1500)
