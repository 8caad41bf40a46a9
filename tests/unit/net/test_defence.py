"""An address that is ours already: another host takes it, or the link comes and goes (RFC 5227 2.4)."""

from __future__ import annotations

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    IPv6,
)
from scapy.layers.l2 import ARP

from tests.unit.net.claimant import BROADCAST, LONG_ENOUGH, Host
from tests.unit.net.lab import IF1, OTHER_MAC, PEER_MAC, A, mac_of
from wsknet.config import AutoConfig
from wsknet.net.changes import (
    AddressAdded,
    AddressOrigin,
    AddressRemoved,
    InterfaceChanged,
    LinkDown,
    LinkUp,
)
from wsknet.net.interface import AddressState
from wsknet.trace import DropReason

# Somebody takes it later.


@pytest.mark.rule("RFC5227-2.4")
def test_an_automatic_ipv4_address_is_defended_once_then_given_up(host4: Host) -> None:
    owner = host4.claim()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.take()

    host4.use()
    defence = host4.take_one()
    assert (defence.dst, defence[ARP].op, defence[ARP].psrc, defence[ARP].pdst) == (BROADCAST, 1, host4.us, host4.us)
    assert owner.heard == ["assigned"]
    assert host4.lab.where(host4.peer)[2] == host4.us
    host4.lab.pass_time(9)
    host4.use(OTHER_MAC)

    assert owner.heard == ["assigned", f"lost to {OTHER_MAC}"]
    assert host4.state is AddressState.DUPLICATE
    host4.assert_not_used()


@pytest.mark.rule("RFC5227-2.4")
def test_conflicts_ten_seconds_apart_are_each_defended(host4: Host) -> None:
    host4.claim()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.take()

    for _ in range(3):
        host4.use()
        assert host4.take_one()[ARP].psrc == host4.us
        host4.lab.pass_time(10)

    assert host4.state is AddressState.PREFERRED


@pytest.mark.rule("RFC5227-2.4")
@pytest.mark.parametrize("is_checked", [True, False], ids=["checked", "unchecked"])
def test_an_ipv4_address_given_by_hand_is_defended_and_kept(host4: Host, is_checked: bool) -> None:
    if not is_checked:
        host4.lab.apply(InterfaceChanged(IF1, auto=AutoConfig()))
    host4.configure()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.take()

    for _ in range(1000):
        host4.use()
        host4.lab.pass_time(0.025)

    assert len(host4.take()) == 3  # 25 s, one defence in ten
    assert host4.entry is not None
    assert host4.entry.state is AddressState.PREFERRED
    assert host4.entry.holder == bytes.fromhex(PEER_MAC.replace(":", ""))


def test_a_new_address_does_not_inherit_the_defence_of_an_old_one(host4: Host) -> None:
    host4.lab.apply(InterfaceChanged(IF1, auto=AutoConfig()))
    for _ in range(2):
        host4.configure()
        host4.use()
        assert host4.take_one()[ARP].psrc == host4.us
        host4.lab.apply(AddressRemoved(IF1, A(host4.us)))


def test_a_conflict_on_one_link_does_not_count_on_the_next(host4: Host) -> None:
    host4.claim()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.use()
    host4.lab.apply(LinkDown(IF1))
    host4.lab.apply(LinkUp(IF1))
    host4.lab.pass_time(8)
    host4.take()

    host4.use()
    assert host4.take_one()[ARP].psrc == host4.us
    assert host4.state is AddressState.PREFERRED


def test_an_ipv6_address_that_is_ours_stays_and_the_rival_is_noted(host6: Host) -> None:
    host6.configure()
    host6.lab.pass_time(LONG_ENOUGH)
    host6.take()

    host6.use()

    assert host6.take() == []
    assert host6.entry is not None
    assert host6.entry.state is AddressState.PREFERRED
    assert host6.entry.holder == bytes.fromhex(PEER_MAC.replace(":", ""))
    assert host6.lab.drops == {DropReason.ADDRESS_CONFLICT: 1}


@pytest.mark.rule("RFC4862-5.4.3", "RFC5227-2.1.1")
def test_who_wishes_for_our_address_is_told_that_it_is_taken(host: Host) -> None:
    host.configure()
    host.lab.pass_time(LONG_ENOUGH)
    host.take()

    host.probe()

    answer = host.take_one()
    if host.is_ipv4:
        assert (answer[ARP].op, answer[ARP].psrc, answer[ARP].hwsrc) == (2, host.us, mac_of(IF1))
    else:
        assert (answer[ICMPv6ND_NA].tgt, answer[IPv6].dst, answer[ICMPv6ND_NA].O) == (host.us, "ff02::1", 1)
    assert host.state is AddressState.PREFERRED


def test_icmp_of_the_rival_reaches_nobody(host4: Host) -> None:
    host4.claim()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.take()

    host4.lab.arrive(IF1, IP(src=host4.us, dst=host4.us) / ICMP(type=8))

    assert host4.take() == []
    assert host4.lab.drops == {DropReason.IP_MARTIAN_SOURCE: 1}


# The link comes and goes.


def test_an_address_given_while_the_link_is_down_is_checked_when_it_comes_up(host: Host) -> None:
    host.lab.apply(LinkDown(IF1))
    host.configure()
    host.lab.pass_time(60)
    assert host.take() == []
    assert "once if1 is up" in host.objection_to_bind()

    host.lab.apply(LinkUp(IF1))
    host.pass_time_until_probing()
    host.lab.pass_time(LONG_ENOUGH)

    assert host.state is AddressState.PREFERRED


@pytest.mark.rule("RFC5227-2.1")
def test_everything_is_checked_again_when_the_link_was_down(host: Host) -> None:
    owner = host.claim()
    host.lab.pass_time(LONG_ENOUGH)
    host.lab.apply(LinkDown(IF1))
    host.lab.pass_time(1)
    host.lab.apply(LinkUp(IF1))
    host.take()

    host.assert_not_used()
    host.use()

    assert owner.heard == ["assigned", f"lost to {PEER_MAC}"]


def test_deprecation_survives_the_check_after_a_new_link(host: Host) -> None:
    host.claim()
    host.lab.pass_time(LONG_ENOUGH)
    origin = AddressOrigin.DHCP if host.is_ipv4 else AddressOrigin.ROUTER
    change = AddressAdded(IF1, A(host.us), host.length, is_deprecated=True, origin=origin)
    host.lab.ip.change(change, host.lab.now)

    host.lab.apply(LinkDown(IF1))
    host.lab.apply(LinkUp(IF1))
    host.lab.pass_time(LONG_ENOUGH)

    assert host.state is AddressState.DEPRECATED


def test_a_link_lost_while_checking_starts_the_check_over(host: Host) -> None:
    host.configure()
    host.pass_time_until_probing()
    host.lab.apply(LinkDown(IF1))
    host.lab.pass_time(60)
    assert host.state is AddressState.TENTATIVE
    host.lab.apply(LinkUp(IF1))
    host.pass_time_until_probing()


def test_on_a_new_link_a_duplicate_given_by_hand_is_tried_again(host: Host) -> None:
    host.configure()
    host.use()
    host.lab.apply(LinkDown(IF1))
    host.lab.apply(LinkUp(IF1))
    host.lab.pass_time(LONG_ENOUGH)

    assert host.state is AddressState.PREFERRED


def test_on_a_new_link_a_duplicate_of_an_owner_is_left_to_its_owner(host: Host) -> None:
    owner = host.claim()
    host.use()
    host.lab.apply(LinkDown(IF1))
    host.lab.apply(LinkUp(IF1))
    host.lab.pass_time(LONG_ENOUGH)

    assert host.entry is None
    assert owner.heard == [f"lost to {PEER_MAC}"]
    assert host.take() == []


@pytest.mark.rule("RFC5227-2.4")
def test_an_address_that_was_given_up_and_claimed_anew_is_defended_anew(host4: Host) -> None:
    host4.claim()
    host4.lab.pass_time(LONG_ENOUGH)
    host4.use()
    host4.use()
    states = [host4.state]
    host4.claim()
    host4.lab.pass_time(8)
    states.append(host4.state)
    host4.use()
    states.append(host4.state)

    assert states == [AddressState.DUPLICATE, AddressState.PREFERRED, AddressState.PREFERRED]
