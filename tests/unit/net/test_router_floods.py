"""Advertisements in any number and of any content: what is kept, and that everything ends."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    IPv6,
)
from scapy.packet import Raw

from tests.unit.net.lab import IF1, A
from tests.unit.net.router_frames import (
    FAR,
    FOLLOW,
    HIGH,
    OTHER_ROUTER,
    ROUTER,
    TEMPORARY,
    advertise,
    following_lab,
    is_reachable,
    mac_option,
    prefix,
    route,
)
from wsknet.net.messages.neighbours import Preference, PrefixInformation, RouteInformation, RouterAdvertisement
from wsknet.net.packet import Cast, Packet
from wsknet.net.routes import network_of
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.types import Family, Instant, Proto


def flood_message(number: int) -> RouterAdvertisement:
    bits = (0x20010DB9 << 32 | number).to_bytes(8, "big").ljust(16, b"\0")
    return RouterAdvertisement(
        64, False, False, Preference.HIGH, 1800, 0, 0, number.to_bytes(6, "big"), 0,
        (PrefixInformation(bits, 64, True, True, 7200, 3600),),
        (RouteInformation(bits, 64, Preference.HIGH, 7200),),
    )  # fmt: skip


def test_fifty_thousand_routers_prefixes_and_routes_do_not_push_out_the_good_ones() -> None:
    lab = following_lab(auto=TEMPORARY)
    good = (prefix("2001:db8:1::", valid=86400, preferred=86400), route("2001:db8:5::", 48, lifetime=86400))
    advertise(lab, mac_option(), *good, prf=HIGH)
    lab.pass_time(3)
    source = lab.where(FAR)[2]
    interface = lab.ip.interfaces[IF1]
    for number in range(50_000):
        router = A("fe80::bad:0:0")[:12] + number.to_bytes(4, "big")
        packet = Packet(interface, Family.IPV6, router, A("ff02::1"), Proto.ICMPV6, b"", b"", Cast.MULTICAST, 255)
        lab.ip.routers.received(packet, flood_message(number), Instant(lab.now))
    lab.pass_time(3)

    assert lab.drops[DropReason.ROUTER_NEWS_FULL] > 49_000
    assert len(list(lab.ip.routes)) < 200
    assert len(interface.addresses) + len(interface.unassigned) <= 17
    assert len(interface.neighbours) <= lab.ip.config.neighbours.max_entries
    assert lab.where(FAR) == ("if1", ROUTER, source)
    assert lab.where("2001:db8:5::1")[1] == ROUTER
    assert lab.where("2001:db8:1::9")[1] == "2001:db8:1::9"

    advertise(lab, mac_option(), *good, prf=HIGH)
    lab.pass_time(7300)
    assert not is_reachable(lab)
    advertise(lab, mac_option(), *good, source=OTHER_ROUTER)
    assert lab.where(FAR)[1] == OTHER_ROUTER  # what ends makes room


def test_a_flood_on_the_wire_is_refused_by_name() -> None:
    lab = following_lab()
    for number in range(40):
        advertise(
            lab, prefix(f"2001:db8:{number:x}::"), route(f"2001:db8:{number:x}::", 48), source=f"fe80::{number:x}:1"
        )
    assert lab.drops[DropReason.ROUTER_NEWS_FULL] == 32
    assert set(lab.drops) == {DropReason.ROUTER_NEWS_FULL}


ADDRESS = st.sampled_from(
    ["::", "::1", "2001:db8::", "fe80::", "ff02::1", "2001:db8:1::ff:fe00:2", "::ffff:10.0.0.1"]
).map(A)
NUMBER = st.sampled_from([0, 1, 5, 60, 0xFFFF])
PREFIXES = st.builds(
    lambda prefix, length, *rest: PrefixInformation(network_of(prefix, length), length, *rest),
    ADDRESS, st.sampled_from([0, 1, 64, 127, 128]), st.booleans(), st.booleans(), NUMBER, NUMBER,
)  # fmt: skip
ROUTES = st.builds(
    lambda prefix, length, *rest: RouteInformation(network_of(prefix, length), length, *rest),
    ADDRESS, st.sampled_from([0, 1, 48, 64, 128]), st.sampled_from(Preference), NUMBER,
)  # fmt: skip
NEWS = st.builds(
    RouterAdvertisement, NUMBER.map(lambda n: n & 255), st.booleans(), st.booleans(), st.sampled_from(Preference),
    NUMBER, NUMBER, NUMBER, st.none() | st.just(bytes.fromhex("02000000aa01")), NUMBER,
    st.lists(PREFIXES, max_size=3).map(tuple), st.lists(ROUTES, max_size=3).map(tuple),
)  # fmt: skip
STEPS = st.lists(st.tuples(NEWS, st.integers(1, 10), st.sampled_from([0, 1, 10, 7200])), min_size=1, max_size=6)


@settings(max_examples=60)
@given(STEPS, st.booleans())
def test_whatever_routers_say_nothing_fails_and_everything_ends(steps: Any, is_temporary: bool) -> None:
    lab = following_lab(auto=TEMPORARY if is_temporary else FOLLOW)
    before = list(lab.ip.routes), dict(lab.ip.interfaces[IF1].addresses)
    for news, router, seconds in steps:
        source = A(f"fe80::{router:x}:1")
        payload = lab.ip.codec.encode_icmp(Family.IPV6, source, A("ff02::1"), news)
        header = IPv6(src=format_address(source), dst="ff02::1", hlim=255, nh=58)
        lab.arrive(IF1, header / Raw(payload), mac="33:33:00:00:00:01")
        lab.pass_time(seconds)
    lab.pass_time(70_000)
    assert (list(lab.ip.routes), lab.ip.interfaces[IF1].addresses) == before
