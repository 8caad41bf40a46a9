"""What a router of ours tells its link, and that hosts of ours configure themselves by it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)

from tests.unit.net.lab import IF1, Lab, mac_of
from wsknet.apps.ping import ping
from wsknet.config import AdvertisingConfig, AutoConfig, InterfaceConfig
from wsknet.host import Network
from wsknet.net.changes import AddressOrigin, InterfaceAdded, InterfaceChanged, LinkDown, LinkUp
from wsknet.text import format_address, parse_address
from wsknet.trace import DropReason
from wsknet.types import SECOND

LINK_LOCAL, OURS, HOST = "fe80::1", "2001:db8:5::1", "fe80::50"
SETTINGS = AdvertisingConfig(
    interval=30 * SECOND, lifetime=90 * SECOND, preference=1, valid=7200 * SECOND, preferred=3600 * SECOND, hop_limit=55
)


def router(settings: AdvertisingConfig | None = SETTINGS, forwarding: bool = True) -> Lab:
    lab = Lab()
    config = InterfaceConfig("if1", bytes((2, 0, 0, 0, 0, IF1)), mtu=1400, forwarding=forwarding, advertising=settings)
    lab.apply(InterfaceAdded(IF1, config))
    lab.address(IF1, f"{LINK_LOCAL}/64")
    lab.address(IF1, f"{OURS}/64")
    lab.address(IF1, "2001:db8:6::1/112")
    return lab


def advertisements(lab: Lab) -> list[Any]:
    return [frame for _, frame in lab.take() if ICMPv6ND_RA in frame]


def solicit(lab: Lab, hlim: int = 255) -> None:
    lab.arrive(IF1, IPv6(src=HOST, dst="ff02::2", hlim=hlim) / ICMPv6ND_RS(), mac="33:33:00:00:00:02")


@pytest.mark.rule("RFC4861-6.2.3", "RFC4861-4.2", "RFC4191-2.2")
def test_an_advertisement_tells_what_was_set_and_the_prefixes_of_the_interface() -> None:
    lab = router()
    lab.pass_time(1)

    [frame] = advertisements(lab)
    assert (frame.dst, frame.src) == ("33:33:00:00:00:01", mac_of(IF1))
    assert (frame[IPv6].src, frame[IPv6].dst, frame[IPv6].hlim) == (LINK_LOCAL, "ff02::1", 255)
    message = frame[ICMPv6ND_RA]
    assert (message.chlim, message.prf, message.routerlifetime, message.M, message.O) == (55, 1, 90, 0, 0)
    assert frame[ICMPv6NDOptSrcLLAddr].lladdr == mac_of(IF1)
    assert frame[ICMPv6NDOptMTU].mtu == 1400
    first = frame[ICMPv6NDOptPrefixInfo]
    assert (first.prefix, first.prefixlen, first.L, first.A) == ("2001:db8:5::", 64, 1, 1)
    assert (first.validlifetime, first.preferredlifetime) == (7200, 3600)
    second = first.payload[ICMPv6NDOptPrefixInfo]
    assert (second.prefix, second.prefixlen, second.L, second.A) == ("2001:db8:6::", 112, 1, 0)


@pytest.mark.rule("RFC4861-6.2.4")
def test_the_first_advertisements_come_quickly_and_then_a_third_of_the_interval_apart_at_least() -> None:
    lab = router(AdvertisingConfig(interval=600 * SECOND))
    times = []
    for second in range(3000):
        lab.pass_time(1)
        times += [second for _ in advertisements(lab)]
    assert times[2] <= 34
    apart = [later - earlier for earlier, later in pairwise(times[2:])]
    assert apart
    assert all(199 <= gap <= 601 for gap in apart)


@pytest.mark.rule("RFC4861-6.2.3")
def test_prefixes_that_do_not_fit_into_the_mtu_go_into_further_advertisements() -> None:
    lab = router()
    for number in range(0x10, 0x50):
        lab.address(IF1, f"2001:db8:{number:x}::1/64")
    lab.pass_time(1)

    frames = advertisements(lab)
    assert len(frames) == 2
    assert max(len(frame) - 14 for frame in frames) <= 1400
    told = [frame.getlayer(ICMPv6NDOptPrefixInfo, n).prefix for frame in frames for n in range(1, 60)
            if frame.getlayer(ICMPv6NDOptPrefixInfo, n)]  # fmt: skip
    assert len(told) == len(set(told)) == 66


@pytest.mark.rule("RFC4861-6.2.4")
def test_a_router_that_checks_its_addresses_speaks_as_soon_as_it_has_one() -> None:
    lab = Lab()
    auto = AutoConfig(duplicate_detection=True)
    config = InterfaceConfig("if1", bytes((2, 0, 0, 0, 0, IF1)), forwarding=True, advertising=SETTINGS, auto=auto)
    lab.apply(InterfaceAdded(IF1, config))
    lab.address(IF1, f"{LINK_LOCAL}/64")
    lab.pass_time(5)
    assert advertisements(lab)


@pytest.mark.rule("RFC4861-4.2")
def test_an_advertisement_comes_from_the_link_local_address_wherever_it_stands_among_the_others() -> None:
    lab = Lab()
    config = InterfaceConfig("if1", bytes((2, 0, 0, 0, 0, IF1)), forwarding=True, advertising=SETTINGS)
    lab.apply(InterfaceAdded(IF1, config))
    for address in ("169.254.7.7/16", f"{OURS}/64", f"{LINK_LOCAL}/64", "2001:db8:6::1/64"):
        lab.address(IF1, address)
    lab.pass_time(5)
    assert {frame[IPv6].src for frame in advertisements(lab)} == {LINK_LOCAL}


@pytest.mark.rule("RFC4861-6.2.6")
def test_hosts_that_ask_at_once_share_one_answer() -> None:
    lab = router(AdvertisingConfig())
    lab.pass_time(100)
    advertisements(lab)
    for _ in range(20):
        solicit(lab)
    lab.pass_time(0.5)
    assert len(advertisements(lab)) == 1


@pytest.mark.rule("RFC4861-6.2.6")
def test_a_flood_of_questions_gets_an_answer_every_three_seconds() -> None:
    lab = router(AdvertisingConfig())
    lab.pass_time(100)
    advertisements(lab)
    for _ in range(300):
        solicit(lab)
        lab.pass_time(0.1)
    assert 8 <= len(advertisements(lab)) <= 11


@pytest.mark.rule("RFC4861-6.2.6", "RFC4861-10")
def test_an_answer_comes_three_to_three_and_a_half_seconds_after_the_one_before() -> None:
    lab = router(AdvertisingConfig())
    lab.pass_time(100)
    advertisements(lab)
    times = []
    for tick in range(1000):
        solicit(lab)
        lab.pass_time(0.1)
        times += [tick for _ in advertisements(lab)]

    gaps = {later - earlier for earlier, later in pairwise(times)}
    assert gaps <= {30, 31, 32, 33, 34, 35}
    assert len(gaps) > 1


@pytest.mark.rule("RFC4861-6.1.1")
def test_a_question_from_beyond_the_link_is_not_answered() -> None:
    lab = router(AdvertisingConfig())
    lab.pass_time(100)
    advertisements(lab)
    solicit(lab, hlim=254)
    lab.pass_time(2)
    assert not advertisements(lab)
    assert lab.drops[DropReason.ND_BAD_HOP_LIMIT] == 1


@pytest.mark.rule("RFC4861-6.2.5", "RFC4191-2.2")
def test_a_router_that_stops_says_so() -> None:
    lab = router()
    lab.pass_time(1)
    advertisements(lab)
    lab.apply(InterfaceChanged(IF1, forwarding=False))
    [last] = advertisements(lab)
    assert (last[ICMPv6ND_RA].routerlifetime, last[ICMPv6ND_RA].prf) == (0, 0)
    lab.pass_time(2000)
    assert not advertisements(lab)


def test_nothing_is_said_while_the_link_is_down() -> None:
    lab = router()
    lab.apply(LinkDown(IF1))
    lab.pass_time(1000)
    assert not lab.take()
    lab.apply(LinkUp(IF1))
    lab.pass_time(1)
    assert len(advertisements(lab)) == 1


@pytest.mark.parametrize(("settings", "forwarding"), [(None, True), (SETTINGS, False)])
def test_only_a_router_that_is_told_to_advertises(settings: AdvertisingConfig | None, forwarding: bool) -> None:
    lab = router(settings, forwarding)
    lab.pass_time(1000)
    solicit(lab)
    lab.pass_time(5)
    assert not advertisements(lab)
    assert lab.drops[DropReason.ROUTERS_NOT_ASKED if forwarding else DropReason.FRAME_OTHER_GROUP]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"interval": 1 * SECOND}, "4 to 1800"),
        ({"lifetime": 70000 * SECOND}, "0 to 65535"),
        ({"preference": 2}, "-1, 0 or 1"),
        ({"preferred": 9 * SECOND, "valid": 8 * SECOND}, "longer"),
        ({"valid": (1 << 32) * SECOND}, "for ever"),
        ({"hop_limit": 256}, "0 to 255"),
    ],
)
def test_settings_that_no_advertisement_can_carry_are_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AdvertisingConfig(**wrong)  # type: ignore[arg-type]


def test_two_hosts_configure_themselves_and_reach_each_other_through_the_router() -> None:
    with Network(seed=1) as network:
        way = network.router("router")
        cards = []
        for number in (1, 2):
            host = network.host(f"host{number}")
            near = way.interface(f"eth{number}", f"2001:db8:{number}::1/64", advertising=AdvertisingConfig())
            card = host.interface("eth0", auto=AutoConfig(router_discovery=True))
            network.link(near, card)
            cards.append(card)
        network.run_for(20)

        made = [
            next(e.address for e in card.host.stack.ip.interfaces[card.index].addresses.values()
                 if e.origin is AddressOrigin.ROUTER)
            for card in cards
        ]  # fmt: skip
        assert [format_address(address).startswith(f"2001:db8:{n}:") for n, address in enumerate(made, 1)] == [True] * 2
        path = cards[0].host.stack.ip.path(made[1])
        assert (path.source, path.next_hop[:8]) == (made[0], parse_address("fe80::")[:8])
        assert ping(cards[0].host, format_address(made[1]), count=2).received == 2
