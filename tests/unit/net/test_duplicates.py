"""An address that another host has, found before we take it, in both families."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6ND_NS,
    IPv6,
)
from scapy.layers.l2 import ARP

from tests.unit.net.claimant import BROADCAST, LONG_ENOUGH, Host
from tests.unit.net.lab import IF1, PEER_MAC, A, arp, datagram, mac_of
from wsknet.config import AutoConfig
from wsknet.errors import NetError
from wsknet.net.changes import (
    AddressOrigin,
    AddressRemoved,
    InterfaceChanged,
    InterfaceRemoved,
    LinkDown,
    LinkUp,
)
from wsknet.net.interface import AddressState
from wsknet.net.packet import Cast
from wsknet.trace import Decision, DropReason

# Nobody has it.


@pytest.mark.rule("RFC4862-5.4", "RFC5227-2.1")
def test_an_address_that_is_being_checked_is_not_used(host: Host) -> None:
    host.configure()

    host.assert_not_used()
    assert host.state is AddressState.TENTATIVE


@pytest.mark.rule("RFC4862-5.4.2")
def test_its_solicited_node_group_is_listened_to_from_the_start(host6: Host) -> None:
    host6.configure()

    assert host6.interface.accepts[A(host6.group)] is Cast.MULTICAST


@pytest.mark.rule("RFC5227-2.1.1")
def test_three_arp_probes_one_to_two_seconds_apart(host4: Host) -> None:
    host4.configure()
    sent_at, now = [], 0.0
    while host4.state is AddressState.TENTATIVE:
        now += host4.step_until_sent()
        if host4.state is AddressState.TENTATIVE:
            host4.check_probe(host4.take_one())
            sent_at.append(now)

    assert len(sent_at) == 3
    assert 0 <= sent_at[0] <= 1
    assert all(1 <= later - earlier <= 2 for earlier, later in pairwise(sent_at))
    assert now - sent_at[-1] == pytest.approx(2)


@pytest.mark.rule("RFC5227-2.3")
def test_then_two_announcements_two_seconds_apart(host4: Host) -> None:
    host4.configure()
    while host4.state is AddressState.TENTATIVE:
        host4.take()
        host4.lab.pass_time(0.001)

    for pause in (1.9, 60):
        announcement = host4.take_one()
        assert (announcement.dst, announcement[ARP].op) == (BROADCAST, 1)
        assert (announcement[ARP].psrc, announcement[ARP].pdst) == (host4.us, host4.us)
        assert announcement[ARP].hwsrc == mac_of(IF1)
        host4.lab.pass_time(pause)
        if pause < 2:
            assert host4.take() == []
            host4.lab.pass_time(0.1)
    assert host4.take() == []


@pytest.mark.rule("RFC4862-5.4.2")
def test_one_solicitation_from_nowhere_within_a_second_then_one_second_of_silence(host6: Host) -> None:
    host6.configure()
    waited = host6.step_until_sent()
    assert waited <= 1
    host6.check_probe(host6.take_one())

    states = []
    for pause in (0.99, 0.01):
        host6.lab.pass_time(pause)
        states.append(host6.state)

    assert states == [AddressState.TENTATIVE, AddressState.PREFERRED]
    assert host6.take() == []


def test_an_address_nobody_has_is_used_in_the_end(host: Host) -> None:
    host.configure()
    host.lab.pass_time(LONG_ENOUGH)
    host.take()

    host.ask()
    host.ping()

    assert host.state is AddressState.PREFERRED
    assert len(host.take()) == 2
    assert host.lab.where(host.peer)[2] == host.us
    assert host.lab.ip.bindable(A(host.us)) == 0


def test_the_owner_hears_once_and_the_attributes_are_those_claimed_last(host: Host) -> None:
    owner = host.claim()
    host.claim(owner, is_deprecated=True)
    assert owner.heard == []
    host.lab.pass_time(LONG_ENOUGH)

    assert owner.heard == ["assigned"]
    assert host.state is AddressState.DEPRECATED


def test_an_address_given_by_hand_while_it_is_checked_is_shown_as_such_at_once(host: Host) -> None:
    host.claim()

    host.configure()

    assert host.entry is not None
    assert (host.entry.state, host.entry.origin) == (AddressState.TENTATIVE, AddressOrigin.MANUAL)


def test_without_detection_an_address_given_by_hand_is_ours_at_once(host: Host) -> None:
    host.lab.apply(InterfaceChanged(IF1, auto=AutoConfig()))
    host.configure()

    assert host.state is AddressState.PREFERRED
    host.lab.pass_time(LONG_ENOUGH)
    assert host.take() == []


def test_new_attributes_of_an_address_that_is_ours_start_no_check(host: Host) -> None:
    host.configure()
    host.lab.pass_time(LONG_ENOUGH)
    host.take()

    host.lab.address(IF1, f"{host.us}/{host.length}", is_deprecated=True)

    assert host.state is AddressState.DEPRECATED
    host.lab.pass_time(LONG_ENOUGH)
    assert host.take() == []


def test_a_duplicate_that_a_person_took_all_the_same_is_checked_and_not_lost_when_the_link_was_away(host: Host) -> None:
    host.claim()
    host.use()
    host.lab.apply(InterfaceChanged(IF1, auto=AutoConfig()))
    host.configure()
    assert A(host.us) in host.interface.addresses

    owner = host.claim()
    assert owner.heard == ["assigned"]
    host.lab.apply(LinkDown(IF1))
    host.lab.apply(LinkUp(IF1))

    assert host.state is AddressState.TENTATIVE
    host.lab.pass_time(LONG_ENOUGH)
    assert owner.heard == ["assigned", "assigned"]


def test_an_impossible_address_is_refused_before_anything_begins(host: Host) -> None:
    with pytest.raises(ValueError, match="give a unicast address"):
        host.lab.address(IF1, "224.0.0.5/24" if host.is_ipv4 else "ff02::5/64")

    assert host.interface.unassigned == {}
    assert host.lab.timers.next_deadline() is None


@pytest.mark.parametrize("moment", ["being checked", "ours", "another's"])
def test_an_address_taken_away_is_forgotten_altogether(host: Host, moment: str) -> None:
    host.configure()
    host.pass_time_until_probing()
    if moment == "ours":
        host.lab.pass_time(LONG_ENOUGH)
    elif moment == "another's":
        host.use()

    host.lab.apply(AddressRemoved(IF1, A(host.us)))
    host.take()
    host.lab.pass_time(LONG_ENOUGH)

    assert host.entry is None
    assert host.take() == []
    assert host.lab.timers.next_deadline() is None


def test_a_removed_interface_checks_nothing_any_more(host: Host) -> None:
    owner = host.claim()
    host.lab.apply(InterfaceRemoved(IF1))
    host.lab.pass_time(LONG_ENOUGH)

    assert owner.heard == []
    assert host.take() == []
    assert host.lab.timers.next_deadline() is None


# Somebody has it.


@pytest.mark.rule("RFC4862-5.4.4", "RFC5227-2.1.1")
@pytest.mark.parametrize("when", ["before the first probe", "between the probes"])
def test_an_address_another_host_uses_is_never_ours(host: Host, when: str) -> None:
    host.configure()
    if when == "between the probes":
        host.pass_time_until_probing()

    host.use()

    assert host.entry is not None
    assert host.entry.state is AddressState.DUPLICATE
    assert host.entry.holder == bytes.fromhex(PEER_MAC.replace(":", ""))
    assert host.lab.drops == {DropReason.ADDRESS_CONFLICT: 1}
    host.assert_not_used()
    host.lab.pass_time(60)
    assert host.take() == []
    assert host.state is AddressState.DUPLICATE


@pytest.mark.rule("RFC4862-5.4.3", "RFC5227-2.1.1")
def test_two_hosts_that_wish_for_one_address_both_go_without(host: Host) -> None:
    owner = host.claim()
    host.pass_time_until_probing()

    host.probe()

    assert host.state is AddressState.DUPLICATE
    assert owner.heard == [f"lost to {PEER_MAC}"]
    host.assert_not_used()


def test_another_hosts_probe_for_what_we_check_is_counted_as_a_conflict(host: Host) -> None:
    host.claim()
    host.pass_time_until_probing()

    host.probe()

    assert host.lab.drops == {DropReason.ADDRESS_CONFLICT: 1}


def test_the_holders_answer_to_our_probe_is_understood(host: Host) -> None:
    host.configure()
    host.pass_time_until_probing()

    if host.is_ipv4:
        host.lab.receive(IF1, arp("is-at", host.us, "0.0.0.0", to=mac_of(IF1)))
    else:
        host.use()

    assert host.state is AddressState.DUPLICATE


def test_our_own_probes_that_the_link_returns_are_no_conflict(host: Host) -> None:
    host.configure()
    host.lab.pass_time(1)

    host.probe(mac=mac_of(IF1))

    assert host.state is AddressState.TENTATIVE
    assert host.lab.drops == {DropReason.OWN_MESSAGE: 1}


def test_a_question_about_a_tentative_address_is_no_conflict(host: Host) -> None:
    host.configure()
    host.pass_time_until_probing()

    host.ask()

    assert host.take() == []
    assert host.state is AddressState.TENTATIVE


def test_a_packet_to_a_tentative_address_is_not_for_us(host: Host) -> None:
    host.configure()

    host.lab.arrive(IF1, datagram(host.peer, host.us))

    assert host.lab.drops == {DropReason.IP_NOT_LOCAL: 1}


@pytest.mark.rule("RFC4862-5.4.3")
def test_only_the_hop_limit_of_the_link_proves_a_conflict(host6: Host) -> None:
    host6.configure()
    host6.lab.pass_time(0.9)
    host6.lab.arrive(
        IF1, IPv6(src="::", dst=host6.group, hlim=254) / ICMPv6ND_NS(tgt=host6.us), mac=host6.group_mac
    )  # fmt: skip

    assert host6.state is AddressState.TENTATIVE


def test_a_duplicate_is_checked_again_when_a_person_says_so(host: Host) -> None:
    host.configure()
    host.use()
    host.configure()
    host.lab.pass_time(LONG_ENOUGH)

    assert host.state is AddressState.PREFERRED


@pytest.mark.rule("RFC5227-2.1.1")
def test_after_ten_conflicts_one_claim_a_minute(host4: Host) -> None:
    for _ in range(10):
        host4.claim()
        host4.lab.pass_time(1)
        host4.use()
    host4.take()

    owner = host4.claim()
    host4.lab.pass_time(55)
    assert host4.take() == []
    host4.lab.pass_time(30)

    assert owner.heard == ["assigned"]


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_duplicates_of_automatic_owners_are_kept_to_a_bound(family: str) -> None:
    host = Host(family == "IPv4")
    for number in range(40):
        host.us = f"10.1.0.{number + 100}" if host.is_ipv4 else f"2001:db8::1:{number + 1:x}"
        host.claim()
        host.lab.pass_time(1)
        host.use()

    assert len(host.interface.unassigned) == 16
    assert host.state is AddressState.DUPLICATE


# What people are told.


def test_a_person_is_told_what_is_being_checked(host: Host) -> None:
    host.configure()
    reference = "RFC 5227 2.1" if host.is_ipv4 else "RFC 4862 5.4"
    why, path_why = Decision("bind?"), Decision("path?")
    with pytest.raises(NetError):
        host.lab.ip.bindable(A(host.us), 0, why)
    with pytest.raises(NetError):
        host.lab.path(host.peer, source=host.us, why=path_why)

    expected = f"{host.us} is still being checked for duplicates on if1"
    assert host.objection_to_bind() == expected
    assert [(each.rule, each.reference) for each in (why, path_why)] == [(expected, reference)] * 2


def test_a_person_is_told_who_has_it(host: Host) -> None:
    host.configure()
    host.use()

    assert host.objection_to_bind() == f"{host.us} is in use by {PEER_MAC} on if1: not ours to use"


def test_link_local_addresses_are_told_apart_by_zone(host6: Host) -> None:
    host6.us = "fe80::1:2"
    host6.configure()
    with pytest.raises(NetError) as elsewhere:
        host6.lab.ip.bindable(A(host6.us), 7)
    with pytest.raises(NetError) as here:
        host6.lab.ip.bindable(A(host6.us), IF1)

    assert "not an address of this host" in elsewhere.value.detail
    assert "still being checked" in here.value.detail


# Whatever comes, in whatever order.

STEPS = st.sampled_from(["claim", "configure", "use", "probe", "ask", "ping", "down", "up", "remove", "wait", "long"])


@settings(max_examples=60)
@given(is_ipv4=st.booleans(), optimistic=st.booleans(), steps=st.lists(STEPS, max_size=12))
def test_an_address_is_in_one_state_and_nothing_is_left_running(
    is_ipv4: bool, optimistic: bool, steps: list[str]
) -> None:
    host = Host(is_ipv4, optimistic)
    for step in steps:
        if step in ("claim", "configure", "use", "probe", "ask", "ping"):
            getattr(host, step)()
        elif step in ("down", "up"):
            host.lab.apply(LinkDown(IF1) if step == "down" else LinkUp(IF1))
        elif step == "remove" and host.entry is not None:
            host.lab.apply(AddressRemoved(IF1, A(host.us)))
        else:
            host.lab.pass_time(0.4 if step == "wait" else 7)
        assert not set(host.interface.addresses) & set(host.interface.unassigned)
        if A(host.us) in host.interface.unassigned:
            assert host.state in (AddressState.TENTATIVE, AddressState.DUPLICATE)
            assert not host.lab.ip.is_local(A(host.us))

    host.lab.pass_time(700)
    assert host.lab.timers.next_deadline() is None
    unfinished = () if host.interface.is_up else (AddressState.TENTATIVE, AddressState.OPTIMISTIC)
    assert host.state in (None, AddressState.PREFERRED, AddressState.DUPLICATE, *unfinished)
