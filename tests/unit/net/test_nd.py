"""Neighbour discovery as frames: asking, answering, and what must not be believed."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, OTHER_MAC, PEER_MAC, A, Lab, mac_of
from wsknet.config import AutoConfig
from wsknet.net.changes import AddressRemoved, InterfaceChanged
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.trace import DropReason

US, PEER = "2001:db8::1:2", "2001:db8::1:50"
LINK_LOCAL = "fe80::a"
SOLICITED_US, SOLICITED_PEER = "ff02::1:ff01:2", "ff02::1:ff01:50"


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, f"{LINK_LOCAL}/64", f"{US}/64")
    return lab


def question(source: str = PEER, target: str = US, to: str = SOLICITED_US, hop_limit: int = 255) -> Any:
    message = IPv6(src=source, dst=to, hlim=hop_limit) / ICMPv6ND_NS(tgt=target)
    return message if source == "::" else message / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC)


def answer(
    target: str = PEER, to: str = US, hop_limit: int = 255, mac: str = PEER_MAC, s: int = 1, o: int = 1, r: int = 0
) -> Any:
    message = IPv6(src=PEER, dst=to, hlim=hop_limit) / ICMPv6ND_NA(tgt=target, S=s, O=o, R=r)
    return message / ICMPv6NDOptDstLLAddr(lladdr=mac)


def group_mac(group: str) -> str:
    tail = IPv6(dst=group, src="::").dst.split(":")[-2:]
    numbers = "".join(part.zfill(4) for part in tail)
    return "33:33:" + ":".join(numbers[i : i + 2] for i in range(0, 8, 2))


@pytest.mark.rule("RFC4861-7.2.2")
def test_the_first_packet_asks_the_solicited_node_group(lab: Lab) -> None:
    lab.send(PEER, b"hello")

    asked = lab.take_one()
    assert (asked.dst, asked.src) == (group_mac(SOLICITED_PEER), mac_of(IF1))
    assert (asked[IPv6].src, asked[IPv6].dst, asked[IPv6].hlim) == (US, SOLICITED_PEER, 255)
    assert asked[ICMPv6ND_NS].tgt == PEER
    assert asked[ICMPv6NDOptSrcLLAddr].lladdr == mac_of(IF1)

    lab.arrive(IF1, answer())

    packet = lab.take_one()
    assert (packet.dst, packet[IPv6].src, packet[IPv6].dst) == (PEER_MAC, US, PEER)
    assert bytes(packet[UDP].payload) == b"hello"
    assert lab.state(IF1, PEER) == "REACHABLE"


def test_three_questions_a_second_apart_then_the_sender_is_told(lab: Lab) -> None:
    lab.send(PEER, b"lost")
    lab.pass_time(2.9)
    assert [frame[ICMPv6ND_NS].tgt for _, frame in lab.take()] == [PEER] * 3
    assert lab.udp.errors == []

    lab.pass_time(0.1)

    [error] = lab.udp.errors
    assert (error.kind, error.source, error.destination) == (IcmpErrorKind.HOST_UNREACHABLE, US, PEER)
    assert error.quoted[8:] == b"lost"
    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 1}


@pytest.mark.rule("RFC4861-7.2.4")
@pytest.mark.parametrize(
    ("target", "group"), [(US, SOLICITED_US), (LINK_LOCAL, "ff02::1:ff00:a")], ids=["global", "link-local"]
)
def test_our_addresses_are_answered_for(lab: Lab, target: str, group: str) -> None:
    lab.arrive(IF1, question(target=target, to=group), mac=group_mac(group))

    reply = lab.take_one()
    assert (reply.dst, reply[IPv6].src, reply[IPv6].dst, reply[IPv6].hlim) == (PEER_MAC, target, PEER, 255)
    advertised = reply[ICMPv6ND_NA]
    assert (advertised.tgt, advertised.R, advertised.S, advertised.O) == (target, 0, 1, 1)
    assert reply[ICMPv6NDOptDstLLAddr].lladdr == mac_of(IF1)
    assert lab.state(IF1, PEER) == "STALE"


def test_a_question_to_our_own_address_is_answered_too(lab: Lab) -> None:
    lab.arrive(IF1, question(to=US))

    assert lab.take_one()[ICMPv6ND_NA].tgt == US


def test_an_asker_without_a_mac_is_resolved_first(lab: Lab) -> None:
    lab.arrive(IF1, IPv6(src=PEER, dst=US, hlim=255) / ICMPv6ND_NS(tgt=US))
    assert lab.take_one()[ICMPv6ND_NS].tgt == PEER

    lab.arrive(IF1, answer())

    reply = lab.take_one()
    assert (reply.dst, reply[IPv6].dst, reply[IPv6].hlim, reply[ICMPv6ND_NA].tgt) == (PEER_MAC, PEER, 255, US)


@pytest.mark.rule("RFC4862-5.4.3", "RFC4861-7.2.4")
def test_a_question_from_nowhere_is_answered_to_all_nodes(lab: Lab) -> None:
    lab.arrive(IF1, question(source="::"), mac=group_mac(SOLICITED_US))

    reply = lab.take_one()
    assert (reply.dst, reply[IPv6].dst) == ("33:33:00:00:00:01", "ff02::1")
    assert (reply[ICMPv6ND_NA].S, reply[ICMPv6ND_NA].O, reply[ICMPv6ND_NA].tgt) == (0, 1, US)
    assert list(lab.ip.interfaces[IF1].neighbours) == []


@pytest.mark.parametrize("message", [question(hop_limit=254), answer(hop_limit=254)], ids=["question", "answer"])
@pytest.mark.rule("RFC4861-7.1.1", "RFC4861-7.1.2")
def test_what_a_router_may_have_forwarded_is_refused(lab: Lab, message: Any) -> None:
    lab.send(PEER)
    lab.take()

    lab.arrive(IF1, message, mac=group_mac(SOLICITED_US) if message.dst == SOLICITED_US else None)

    assert lab.take() == []
    assert lab.drops == {DropReason.ND_BAD_HOP_LIMIT: 1}
    assert lab.state(IF1, PEER) == "INCOMPLETE"


def test_other_addresses_are_not_answered_for(lab: Lab) -> None:
    lab.interface(IF2, "2001:db8:2::1:2/64")  # the same solicited-node group as ours
    lab.arrive(IF1, question(target="2001:db8:2::1:2"), mac=group_mac(SOLICITED_US))

    assert lab.take() == []
    assert lab.drops == {DropReason.ND_NOT_FOR_US: 1}


def test_groups_of_other_hosts_do_not_pass_the_mac_filter(lab: Lab) -> None:
    lab.arrive(IF1, question(target=PEER, to=SOLICITED_PEER), mac=group_mac(SOLICITED_PEER))

    assert lab.drops == {DropReason.FRAME_OTHER_GROUP: 1}


def test_an_answer_nobody_asked_for_is_not_believed(lab: Lab) -> None:
    lab.arrive(IF1, answer())

    assert lab.state(IF1, PEER) is None
    assert lab.drops == {DropReason.ND_UNSOLICITED: 1}


def test_nobody_else_may_claim_our_address(lab: Lab) -> None:
    lab.arrive(IF1, answer(target=US))

    assert lab.drops == {DropReason.ADDRESS_CONFLICT: 1}


@pytest.mark.rule("RFC4861-7.2.5")
def test_without_override_another_mac_is_not_taken_over(lab: Lab) -> None:
    lab.send(PEER)
    lab.arrive(IF1, answer())
    lab.take()

    lab.arrive(IF1, answer(mac=OTHER_MAC, o=0))

    assert lab.state(IF1, PEER) == "STALE"
    lab.send(PEER)
    assert lab.take_one().dst == PEER_MAC


@pytest.mark.rule("RFC4861-7.2.5")
def test_with_override_it_is_and_the_router_flag_follows(lab: Lab) -> None:
    lab.send(PEER)
    lab.arrive(IF1, answer())
    lab.take()

    lab.arrive(IF1, answer(mac=OTHER_MAC, o=1, s=0, r=1))

    assert lab.state(IF1, PEER) == "STALE"
    known = next(iter(lab.ip.interfaces[IF1].neighbours))
    assert known.is_router
    lab.send(PEER)
    assert lab.take_one().dst == OTHER_MAC


def test_link_local_neighbours_are_told_apart_by_interface(lab: Lab) -> None:
    lab.interface(IF2, "fe80::b/64")

    lab.send("fe80::99", zone=IF1)
    lab.send("fe80::99", zone=IF2)

    assert [(index, frame[IPv6].src) for index, frame in lab.take()] == [(IF1, "fe80::a"), (IF2, "fe80::b")]
    lab.arrive(IF2, answer(target="fe80::99", to="fe80::b"))
    assert [index for index, _ in lab.take()] == [IF2]
    assert lab.state(IF1, "fe80::99") == "INCOMPLETE"


def test_an_idle_neighbour_in_use_is_asked_alone(lab: Lab) -> None:
    lab.know(IF1, PEER)
    lab.send(PEER)
    lab.take()

    lab.pass_time(5)

    probe: Ether = lab.take_one()
    assert (probe.dst, probe[IPv6].dst, probe[ICMPv6ND_NS].tgt) == (PEER_MAC, PEER, PEER)


@pytest.mark.rule("RFC4861-7.2.5")
def test_an_advertisement_without_a_mac_does_not_resolve(lab: Lab) -> None:
    lab.send(PEER)
    lab.take()

    lab.arrive(IF1, IPv6(src=PEER, dst=US, hlim=255) / ICMPv6ND_NA(tgt=PEER, S=1, O=1))

    assert lab.state(IF1, PEER) == "INCOMPLETE"
    assert lab.take() == []


@pytest.mark.rule("RFC4861-7.2.5")
def test_an_unsolicited_advertisement_resolves_without_confirming(lab: Lab) -> None:
    lab.send(PEER, b"hello")
    lab.take()

    lab.arrive(IF1, answer(to="ff02::1", s=0), mac="33:33:00:00:00:01")

    assert lab.state(IF1, PEER) == "STALE"
    assert bytes(lab.take_one()[UDP].payload) == b"hello"


def test_without_an_address_to_ask_from_a_neighbour_is_given_up(lab: Lab) -> None:
    lab.send(PEER)
    lab.take()
    for address in (US, LINK_LOCAL):
        lab.apply(AddressRemoved(IF1, A(address)))

    lab.pass_time(3)

    assert lab.take() == []
    assert [error.kind for error in lab.udp.errors] == [IcmpErrorKind.HOST_UNREACHABLE]


@pytest.mark.parametrize(
    ("message", "mac"),
    [(question(), group_mac(SOLICITED_US)), (answer(), None)],
    ids=["question", "answer"],
)
def test_our_own_messages_from_the_link_mean_nothing(lab: Lab, message: Any, mac: str | None) -> None:
    lab.send(PEER)
    lab.take()

    lab.arrive(IF1, message, mac=mac, peer=mac_of(IF1))

    assert lab.take() == []
    assert lab.drops == {DropReason.OWN_MESSAGE: 1}
    assert lab.state(IF1, PEER) == "INCOMPLETE"


@pytest.mark.rule("RFC4861-7.2.4")
@pytest.mark.parametrize("source", [PEER, "::"])
def test_a_router_says_that_it_is_one(lab: Lab, source: str) -> None:
    lab.apply(InterfaceChanged(IF1, forwarding=True))

    lab.arrive(IF1, question(source=source), mac=group_mac(SOLICITED_US))

    assert lab.take_one()[ICMPv6ND_NA].R == 1


def test_an_advertisement_from_our_address_teaches_nothing(lab: Lab) -> None:
    lab.send(PEER)
    lab.take()
    message = IPv6(src=US, dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=US) / ICMPv6NDOptDstLLAddr(lladdr=OTHER_MAC)

    lab.arrive(IF1, message, mac="33:33:00:00:00:01")

    assert lab.drops == {DropReason.ADDRESS_CONFLICT: 1}
    assert [entry.address for entry in lab.ip.interfaces[IF1].neighbours] == [A(PEER)]


@pytest.mark.rule("RFC4861-6.3.5", "RFC4861-7.3.3")
def test_a_router_that_says_it_is_none_is_used_no_more() -> None:
    lab = Lab()
    lab.interface(IF1, f"{US}/64", auto=AutoConfig(router_discovery=True))
    advertised = ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC)
    lab.arrive(IF1, IPv6(src="fe80::99", dst="ff02::1", hlim=255) / advertised, mac="33:33:00:00:00:01")
    assert lab.where("2600::1") == ("if1", "fe80::99", US)

    for is_router in (1, 0):
        lab.arrive(IF1, answer(target="fe80::99", r=is_router))
        assert bool(list(lab.ip.routes.matching(A("2600::1")))) is bool(is_router)


@pytest.mark.rule("RFC6437-2")
def test_questions_about_neighbours_belong_to_no_flow(lab: Lab) -> None:
    lab.send(PEER)

    assert lab.take_one()[IPv6].fl == 0
