"""What a message or a packet does to a neighbour in each state: the table of RFC 4861 appendix C, line by line."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)

from tests.unit.net.lab import IF1, OTHER_MAC, PEER_MAC, A, Lab
from wsknet.config import AutoConfig
from wsknet.types import SECOND

US, PEER, GROUP, GROUP_MAC = "2001:db8::2", "fe80::50", "ff02::1:ff00:2", "33:33:ff:00:00:02"
STATES = ("INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE")
RESOLVED = STATES[1:]


class After(NamedTuple):
    state: str
    mac: str | None
    is_router: bool


def in_state(state: str) -> Lab:
    """A host that knows `PEER` as a default router in `state`, at `PEER_MAC` if it knows a MAC."""
    lab = Lab()
    lab.interface(IF1, f"{US}/64", "fe80::2/64", auto=AutoConfig(router_discovery=True))
    lab.pass_time(10)
    advertisement = ICMPv6ND_RA(routerlifetime=9000)
    lab.arrive(IF1, IPv6(src=PEER, dst="ff02::1", hlim=255) / advertisement, mac="33:33:00:00:00:01")
    if state != "INCOMPLETE":
        lab.know(IF1, PEER)
        entry = lab.ip.interfaces[IF1].neighbours.get(A(PEER))
        assert entry is not None
        entry.is_router = True
    if state == "REACHABLE":
        answer(lab, PEER_MAC, s=1, o=1, r=1)
    if state in ("INCOMPLETE", "DELAY", "PROBE"):
        lab.send(PEER, zone=IF1)
    if state == "PROBE":
        lab.pass_time(5)
    lab.take()
    assert lab.state(IF1, PEER) == state
    return lab


def answer(lab: Lab, mac: str | None, s: int, o: int, r: int) -> None:
    message: Any = IPv6(src=PEER, dst="fe80::2", hlim=255) / ICMPv6ND_NA(tgt=PEER, S=s, O=o, R=r)
    lab.arrive(IF1, message / ICMPv6NDOptDstLLAddr(lladdr=mac) if mac else message, peer=mac or PEER_MAC)


def after(lab: Lab) -> After:
    entry = lab.ip.interfaces[IF1].neighbours.get(A(PEER))
    assert entry is not None
    return After(entry.state_at(lab.now).name, entry.mac.hex(":") if entry.mac else None, entry.is_router)


def is_default_router(lab: Lab) -> bool:
    return any(route.next_hop == A(PEER) for route in lab.ip.routes)


def expected(state: str, mac: str | None, s: int, o: int) -> tuple[str, str | None, bool]:
    """State, MAC and whether the advertisement is believed, as the appendix has them."""
    if state == "INCOMPLETE":
        return ("REACHABLE" if s else "STALE", mac, True) if mac else (state, None, False)
    if mac in (None, PEER_MAC):
        return "REACHABLE" if s else state, PEER_MAC, True
    if not o:
        return "STALE" if state == "REACHABLE" else state, PEER_MAC, False
    return "REACHABLE" if s else "STALE", OTHER_MAC, True


@pytest.mark.rule("RFC4861-C", "RFC4861-7.2.5")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mac", [None, PEER_MAC, OTHER_MAC], ids=["no MAC", "the same MAC", "another MAC"])
@pytest.mark.parametrize("s", [0, 1], ids=["unsolicited", "solicited"])
@pytest.mark.parametrize("o", [0, 1], ids=["no override", "override"])
def test_an_advertisement(state: str, mac: str | None, s: int, o: int) -> None:
    new_state, new_mac, is_believed = expected(state, mac, s, o)
    for r in (0, 1):
        lab = in_state(state)
        was_router = after(lab).is_router
        answer(lab, mac, s, o, r)

        assert after(lab) == (new_state, new_mac, bool(r) if is_believed else was_router)
        assert is_default_router(lab) is not (is_believed and not r)
        assert_timer_of(new_state, lab)


@pytest.mark.rule("RFC4861-C", "RFC4861-7.2.3", "RFC4861-6.3.4")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("mac", [PEER_MAC, OTHER_MAC], ids=["the same MAC", "another MAC"])
@pytest.mark.parametrize("kind", ["solicitation", "router advertisement"])
def test_a_message_that_tells_a_mac_by_the_way(state: str, mac: str, kind: str) -> None:
    lab = in_state(state)
    was_router = after(lab).is_router
    option = ICMPv6NDOptSrcLLAddr(lladdr=mac)
    if kind == "solicitation":
        message, to, to_mac = ICMPv6ND_NS(tgt=US) / option, GROUP, GROUP_MAC
    else:
        message, to, to_mac = ICMPv6ND_RA(routerlifetime=9000) / option, "ff02::1", "33:33:00:00:00:01"
    lab.arrive(IF1, IPv6(src=PEER, dst=to, hlim=255) / message, mac=to_mac, peer=mac)

    is_news = state == "INCOMPLETE" or mac != PEER_MAC
    is_router = was_router or kind == "router advertisement"
    assert after(lab) == ("STALE" if is_news else state, mac, is_router)
    assert_timer_of(after(lab).state, lab)


@pytest.mark.rule("RFC4861-C", "RFC4861-7.3.3")
@pytest.mark.parametrize("state", STATES)
def test_a_packet_to_it(state: str) -> None:
    lab = in_state(state)
    lab.send(PEER, zone=IF1)

    assert len(lab.take()) == (state != "INCOMPLETE")
    assert after(lab).state == ("DELAY" if state == "STALE" else state)
    assert_timer_of(after(lab).state, lab)


@pytest.mark.rule("RFC4861-C", "RFC4861-7.3.1")
@pytest.mark.parametrize("state", STATES)
def test_progress_of_a_connection(state: str) -> None:
    lab = in_state(state)
    path = lab.path(PEER, zone=IF1)
    lab.ip.send(path, 17, b"12345678", (b"data",), lab.now)
    lab.ip.confirm(path, lab.now)

    assert after(lab).state == (state if state == "INCOMPLETE" else "REACHABLE")
    assert_timer_of(after(lab).state, lab)


def assert_timer_of(state: str, lab: Lab) -> None:
    """A question is asked as long as one is awaited: every second, or five seconds after DELAY began; else never."""
    lab.take()
    began = lab.now
    while lab.now < began + 5 * SECOND:
        lab.pass_time(1)
        if any(ICMPv6ND_NS in frame for _, frame in lab.take()):
            break
    seconds = (lab.now - began) // SECOND
    assert seconds == (5 if state in ("DELAY", "REACHABLE", "STALE") else 1)
    assert (after(lab).state == "PROBE") == (state in ("DELAY", "PROBE"))
