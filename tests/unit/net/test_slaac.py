"""Addresses made from advertised prefixes: lifetimes, duplicates, identifiers."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6

from tests.unit.net.lab import IF1, IF2, OTHER_MAC, A, Lab
from tests.unit.net.router_frames import (
    ALL_NODES,
    ALL_NODES_MAC,
    FAR,
    FOLLOW,
    FOREVER,
    LINK_LOCAL,
    ROUTER,
    STABLE,
    TEMPORARY,
    advertise,
    following_lab,
    prefix,
)
from wsknet.config import AutoConfig, SlaacConfig, StackConfig
from wsknet.net import changes
from wsknet.net.autoconf.identifiers import Identifiers
from wsknet.net.changes import AddressOrigin
from wsknet.net.interface import AddressState, InterfaceAddress
from wsknet.text import format_address
from wsknet.trace import Decision, DropReason
from wsknet.types import SECOND, IfIndex

P1, P2 = "2001:db8:1::", "2001:db8:2::"
EUI_64 = "2001:db8:1::ff:fe00:2"
HOUR, DAY = 3600, 86400
PREFERRED, DEPRECATED, DUPLICATE = AddressState.PREFERRED, AddressState.DEPRECATED, AddressState.DUPLICATE


def entries(lab: Lab, of: str = P1, index: IfIndex = IF1) -> list[InterfaceAddress]:
    """Of one prefix, those that are not assigned included."""
    interface = lab.ip.interfaces[index]
    found = [*interface.addresses.values(), *interface.unassigned.values()]
    return [entry for entry in found if entry.address[:8] == A(of)[:8]]


def states(lab: Lab, of: str = P1) -> list[AddressState]:
    return [entry.state for entry in entries(lab, of)]


def temporary(lab: Lab, of: str = P1) -> list[InterfaceAddress]:
    return [entry for entry in entries(lab, of) if entry.is_temporary]


def made(*options: Any, auto: AutoConfig = FOLLOW) -> Lab:
    """A host that has made its addresses from these prefixes."""
    lab = following_lab(auto=auto)
    advertise(lab, *options)
    lab.pass_time(3)
    lab.take()
    return lab


def claims(lab: Lab, address: str) -> None:
    """Another host says that it has the address."""
    option = ICMPv6NDOptDstLLAddr(type=2, len=1, lladdr=OTHER_MAC)
    message = IPv6(src=address, dst=ALL_NODES, hlim=255) / ICMPv6ND_NA(tgt=address, R=0, S=0, O=1) / option
    lab.arrive(IF1, message, mac=ALL_NODES_MAC, peer=OTHER_MAC)


@pytest.mark.rule("RFC4862-5.5.3", "RFC4862-5.4")
def test_an_address_is_made_checked_and_used() -> None:
    lab = following_lab()
    advertise(lab, prefix(P1))
    assert states(lab) == [AddressState.TENTATIVE]

    lab.pass_time(3)
    [question] = [frame for _, frame in lab.take() if ICMPv6ND_NS in frame]
    assert (question[IPv6].src, question[ICMPv6ND_NS].tgt) == ("::", EUI_64)
    [entry] = entries(lab)
    assert (format_address(entry.address), entry.prefix_length) == (EUI_64, 64)
    assert (entry.state, entry.origin, entry.is_temporary) == (PREFERRED, AddressOrigin.ROUTER, False)
    assert lab.where(FAR) == ("if1", ROUTER, EUI_64)


@pytest.mark.rule("RFC4862-5.5.3")
@pytest.mark.parametrize(
    "option",
    [
        prefix(P1, A=0),
        prefix(P1, valid=0, preferred=0),
        prefix(P1, valid=100, preferred=101),
        prefix(P1, length=48),
        prefix(P1, length=65),
        prefix("fe80::"),
        prefix("ff05::"),
    ],
)
def test_prefixes_that_nobody_should_make_addresses_from(option: Any) -> None:
    lab = following_lab()
    before = dict(lab.ip.interfaces[IF1].addresses)
    advertise(lab, option)
    lab.pass_time(3)
    assert lab.ip.interfaces[IF1].addresses == before
    assert not lab.ip.interfaces[IF1].unassigned


@pytest.mark.rule("RFC4862-5.5.4")
def test_preferred_then_deprecated_then_gone() -> None:
    lab = made(prefix(P1, valid=7200, preferred=3600))
    lab.pass_time(3590)
    assert states(lab) == [PREFERRED]
    lab.pass_time(10)
    assert states(lab) == [DEPRECATED]
    lab.pass_time(3590)
    assert states(lab) == [DEPRECATED]
    lab.pass_time(10)
    assert states(lab) == []


def test_a_deprecated_address_gives_way_and_still_answers() -> None:
    lab = made(prefix(P1, preferred=10), prefix(P2, preferred=1000))
    lab.pass_time(10)
    assert lab.where("2001:db8:1::77")[2].startswith("2001:db8:2:")
    assert lab.ip.is_local(A(EUI_64))


def test_an_infinite_lifetime_never_ends() -> None:
    lab = made(prefix(P1, valid=FOREVER, preferred=FOREVER))
    lab.pass_time(150 * 365 * DAY)  # 2^32 seconds are 136 years
    assert states(lab) == [PREFERRED]


def test_a_prefix_that_was_never_preferred_gives_a_deprecated_address() -> None:
    lab = made(prefix(P1, preferred=0))
    assert states(lab) == [DEPRECATED]
    advertise(lab, prefix(P1, preferred=100))
    assert states(lab) == [PREFERRED]


@pytest.mark.rule("RFC4862-5.5.3")
@pytest.mark.parametrize(
    ("left", "told", "expected"),
    [
        (10 * HOUR, 20 * HOUR, 20 * HOUR),  # longer than what is left
        (10 * HOUR, 3 * HOUR, 3 * HOUR),  # more than two hours
        (10 * HOUR, HOUR, 2 * HOUR),  # nobody may end it within two hours
        (10 * HOUR, 0, 2 * HOUR),
        (HOUR, 0, HOUR),  # within the last two hours nobody may shorten it
        (HOUR, HOUR // 2, HOUR),
        (HOUR, 90 * 60, 90 * 60),
        (2 * HOUR, 2 * HOUR - 1, 2 * HOUR),
        (FOREVER, 0, 2 * HOUR),
        (FOREVER, HOUR, 2 * HOUR),
        (HOUR, FOREVER, None),
    ],
)
def test_the_two_hour_rule(left: int, told: int, expected: int | None) -> None:
    lab = following_lab()
    advertise(lab, prefix(P1, valid=left, preferred=0))
    advertise(lab, prefix(P1, valid=told, preferred=0))
    if expected is None:
        lab.pass_time(1000 * DAY)
        assert states(lab) == [DEPRECATED]
        return
    lab.pass_time(expected - 1)
    assert states(lab) == [DEPRECATED]
    lab.pass_time(1)
    assert states(lab) == []


@pytest.mark.rule("RFC4862-5.5.3")
def test_the_preferred_lifetime_follows_every_advertisement() -> None:
    lab = made(prefix(P1, valid=10 * HOUR, preferred=10 * HOUR))
    advertise(lab, prefix(P1, valid=10 * HOUR, preferred=0))
    assert states(lab) == [DEPRECATED]
    advertise(lab, prefix(P1, valid=10 * HOUR, preferred=HOUR))
    assert states(lab) == [PREFERRED]
    lab.pass_time(HOUR)
    assert states(lab) == [DEPRECATED]


@pytest.mark.rule("RFC4862-5.5.3", "RFC5942-4")
def test_an_address_does_not_make_its_prefix_on_link() -> None:
    lab = made(prefix(P1, L=0))
    assert lab.where("2001:db8:1::9") == ("if1", ROUTER, EUI_64)


def test_an_address_given_by_hand_is_left_alone() -> None:
    lab = following_lab(None, IF1, f"{EUI_64}/64")
    advertise(lab, prefix(P1, valid=10, preferred=5))
    lab.pass_time(60)
    [entry] = entries(lab)
    assert (entry.origin, entry.state) == (AddressOrigin.MANUAL, PREFERRED)


def test_an_address_taken_away_by_hand_comes_back_with_the_next_advertisement() -> None:
    lab = made(prefix(P1))
    lab.apply(changes.AddressRemoved(IF1, A(EUI_64)))
    lab.pass_time(10)
    assert states(lab) == []
    advertise(lab, prefix(P1))
    lab.pass_time(3)
    assert states(lab) == [PREFERRED]


# Duplicates


@pytest.mark.rule("RFC4862-5.4.5")
def test_the_only_eui64_is_given_up_when_another_host_has_it() -> None:
    lab = following_lab()
    advertise(lab, prefix(P1))
    claims(lab, EUI_64)
    for _ in range(3):
        lab.pass_time(10)
        advertise(lab, prefix(P1))
    [entry] = entries(lab)
    assert (entry.state, entry.holder) == (DUPLICATE, bytes.fromhex(OTHER_MAC.replace(":", "")))

    lab.pass_time(2 * HOUR + 1)
    assert states(lab) == []


@pytest.mark.rule("RFC7217-6")
def test_stable_identifiers_have_three_more_tries() -> None:
    lab = following_lab(auto=STABLE)
    advertise(lab, prefix(P1))
    tried = []
    for _ in range(4):
        [entry] = entries(lab)
        assert entry.state is AddressState.TENTATIVE
        tried.append(format_address(entry.address))
        claims(lab, tried[-1])
    assert len(set(tried)) == 4
    assert EUI_64 not in tried
    assert [(entry.state, format_address(entry.address)) for entry in entries(lab)] == [(DUPLICATE, tried[-1])]


@pytest.mark.rule("RFC7217-5")
def test_a_stable_address_is_the_same_after_the_link_was_away() -> None:
    lab = made(prefix(P1), auto=STABLE)
    [before] = entries(lab)
    lab.apply(changes.LinkDown(IF1))
    assert entries(lab) == []
    lab.apply(changes.LinkUp(IF1))
    advertise(lab, prefix(P1))
    lab.pass_time(3)
    assert entries(lab) == [before]


@pytest.mark.rule("RFC4862-5.3")
def test_an_interface_without_a_link_local_address_makes_one() -> None:
    lab = following_lab()
    [entry] = entries(lab, LINK_LOCAL)
    assert (format_address(entry.address), entry.origin) == (LINK_LOCAL, AddressOrigin.LINK_LOCAL)

    other = following_lab(auto=STABLE)
    [entry] = entries(other, LINK_LOCAL)
    assert entry.address != A(LINK_LOCAL)


def test_a_stable_link_local_address_is_chosen_anew_after_a_duplicate() -> None:
    lab = Lab()
    lab.interface(IF1, auto=STABLE)
    [first] = entries(lab, LINK_LOCAL)
    claims(lab, format_address(first.address))
    lab.pass_time(3)
    [second] = entries(lab, LINK_LOCAL)
    assert second.state is PREFERRED
    assert second.address != first.address


@pytest.mark.rule("RFC7217-6")
def test_a_stable_link_local_address_has_three_more_tries() -> None:
    lab = Lab()
    lab.interface(IF1, auto=STABLE)
    tried = []
    for _ in range(4):
        [entry] = entries(lab, LINK_LOCAL)
        assert entry.state is AddressState.TENTATIVE
        tried.append(entry.address)
        claims(lab, format_address(entry.address))
    lab.pass_time(60)
    assert len(set(tried)) == 4
    assert [(entry.state, entry.address) for entry in entries(lab, LINK_LOCAL)] == [(DUPLICATE, tried[-1])]


def test_who_follows_no_routers_makes_no_address() -> None:
    lab = Lab()
    lab.interface(IF1)
    lab.pass_time(10)
    assert entries(lab, LINK_LOCAL) == []


# Temporary addresses


@pytest.mark.rule("RFC8981-3.4", "RFC6724-5")
def test_a_temporary_address_is_preferred_for_sending() -> None:
    lab = made(prefix(P1, valid=FOREVER, preferred=FOREVER), auto=TEMPORARY)
    [entry] = temporary(lab)
    assert entry.state is PREFERRED
    assert len(entries(lab)) == 2
    assert lab.where(FAR)[2] == format_address(entry.address)

    why = Decision("")
    lab.path(FAR, why=why)
    assert why.parts[1].rule == "7: prefer temporary addresses"


@pytest.mark.rule("RFC8981-3.4", "RFC8981-3.8")
def test_a_successor_comes_before_the_day_is_over_and_both_end() -> None:
    lab = made(prefix(P1, valid=FOREVER, preferred=FOREVER), auto=TEMPORARY)
    [first] = temporary(lab)
    lab.pass_time(DAY - 0.4 * DAY - 10)
    assert [entry.address for entry in temporary(lab)] == [first.address]

    lab.pass_time(0.4 * DAY)
    assert [entry.state for entry in temporary(lab)] == [DEPRECATED, PREFERRED]
    assert lab.where("2001:db8:1::9")[2] == format_address(temporary(lab)[1].address)

    lab.pass_time(DAY + 10)
    assert first.address not in [entry.address for entry in temporary(lab)]
    lab.pass_time(30 * DAY)
    assert len(temporary(lab)) <= 4
    assert PREFERRED in [entry.state for entry in temporary(lab)]


@pytest.mark.rule("RFC8981-3.4")
def test_the_successor_is_ready_when_its_predecessor_is_deprecated() -> None:
    lab = made(prefix(P1, valid=FOREVER, preferred=FOREVER), auto=TEMPORARY)
    for _ in range(200):
        lab.pass_time(600)
        assert PREFERRED in [entry.state for entry in temporary(lab)]


@pytest.mark.rule("RFC8981-3.4")
def test_advertisements_never_prolong_a_temporary_address() -> None:
    lab = made(prefix(P1, valid=10 * DAY, preferred=10 * DAY), auto=TEMPORARY)
    [first] = temporary(lab)
    for _ in range(48):
        lab.pass_time(HOUR)
        advertise(lab, prefix(P1, valid=10 * DAY, preferred=10 * DAY))
    assert first.address not in [entry.address for entry in temporary(lab)]


@pytest.mark.rule("RFC8981-3.4")
def test_a_temporary_address_ends_with_its_prefix() -> None:
    lab = made(prefix(P1, valid=HOUR, preferred=HOUR // 2), auto=TEMPORARY)
    lab.pass_time(HOUR // 2)
    assert states(lab) == [DEPRECATED, DEPRECATED]
    lab.pass_time(HOUR // 2)
    assert states(lab) == []


@pytest.mark.rule("RFC8981-3.4")
def test_no_temporary_address_for_a_prefix_that_is_about_to_end() -> None:
    lab = made(prefix(P1, valid=HOUR, preferred=5), auto=TEMPORARY)
    assert temporary(lab) == []


def test_chance_makes_no_temporary_address_of_one_that_is_here_already(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = following_lab(auto=TEMPORARY)
    lab.address(IF1, "2001:db8:1::1234:1/64")
    monkeypatch.setattr(Identifiers, "temporary", lambda _: bytes((0, 0, 0, 0, 0x12, 0x34, 0, 1)))

    advertise(lab, prefix(P1))
    lab.pass_time(3)

    assert temporary(lab) == []
    assert [entry.origin for entry in entries(lab)] == [AddressOrigin.MANUAL, AddressOrigin.ROUTER]


@pytest.mark.rule("RFC8981-3.4")
def test_temporary_duplicates_are_retried_three_times() -> None:
    lab = following_lab(auto=TEMPORARY)
    advertise(lab, prefix(P1))
    tried = []
    for _ in range(4):
        [entry] = temporary(lab)
        tried.append(entry.address)
        claims(lab, format_address(entry.address))
    advertise(lab, prefix(P1))
    lab.pass_time(60)
    assert len(set(tried)) == 4
    assert [(entry.state, entry.address) for entry in temporary(lab)] == [(DUPLICATE, tried[-1])]


def test_numbers_may_be_set() -> None:
    seconds = 1_000_000_000
    slaac = SlaacConfig(temporary_valid=200 * seconds, temporary_preferred=100 * seconds, temporary_desync=0)
    lab = following_lab(Lab(config=StackConfig(slaac=slaac)), auto=TEMPORARY)
    advertise(lab, prefix(P1))
    lab.pass_time(99)
    assert [entry.state for entry in temporary(lab)] == [PREFERRED, PREFERRED]
    lab.pass_time(1)
    assert [entry.state for entry in temporary(lab)] == [DEPRECATED, PREFERRED]
    with pytest.raises(ValueError, match="preferred longer"):
        SlaacConfig(temporary_preferred=10 * seconds)


# Bounds


def test_sixteen_addresses_are_enough_for_anybody() -> None:
    lab = made(prefix(P1), auto=TEMPORARY)
    for number in range(100):
        advertise(lab, prefix(f"2001:db8:bad:{number:x}::", L=0))
    lab.pass_time(3)
    made_here = [e for e in lab.ip.interfaces[IF1].addresses.values() if e.origin is AddressOrigin.ROUTER]
    assert len(made_here) == 16
    assert lab.drops[DropReason.ROUTER_NEWS_FULL] >= 84
    assert states(lab) == [PREFERRED, PREFERRED]


def test_two_interfaces_have_addresses_of_their_own() -> None:
    lab = following_lab(following_lab(), IF2)
    advertise(lab, prefix(P1))
    advertise(lab, prefix(P1), index=IF2)
    lab.pass_time(3)
    assert [len(entries(lab, P1, index)) for index in (IF1, IF2)] == [1, 1]
    lab.apply(changes.LinkDown(IF1))
    assert [len(entries(lab, P1, index)) for index in (IF1, IF2)] == [0, 1]


def test_an_address_given_anew_by_hand_outlives_its_prefix() -> None:
    lab = made(prefix(P1, valid=100, preferred=50))
    lab.address(IF1, f"{EUI_64}/64")
    lab.pass_time(200)
    [entry] = entries(lab)
    assert (entry.origin, entry.state) == (AddressOrigin.MANUAL, PREFERRED)


@pytest.mark.rule("RFC8981-3.4")
def test_a_lasting_address_that_nobody_has_gives_a_temporary_one_no_more_tries() -> None:
    lab = following_lab(auto=TEMPORARY)
    advertise(lab, prefix(P1))
    for moment in (0.9, 0.9, 0.3):  # before the latest is assigned, which takes a second; the lasting one is at 2.0
        lab.pass_time(moment)
        [entry] = temporary(lab)
        claims(lab, format_address(entry.address))
    assert [entry.state for entry in entries(lab) if not entry.is_temporary] == [PREFERRED]
    [last] = temporary(lab)
    claims(lab, format_address(last.address))

    lab.pass_time(60)
    assert [(entry.state, entry.address) for entry in temporary(lab)] == [(DUPLICATE, last.address)]


@pytest.mark.rule("RFC8981-3.4")
def test_a_temporary_address_that_nobody_has_gives_its_successor_all_tries_again() -> None:
    day = SlaacConfig(temporary_valid=200 * SECOND, temporary_preferred=100 * SECOND, temporary_desync=0)
    lab = following_lab(Lab(config=StackConfig(slaac=day)), auto=TEMPORARY)
    advertise(lab, prefix(P1))
    for _ in range(2):
        for _ in range(3):
            claims(lab, format_address(temporary(lab)[-1].address))
        lab.pass_time(90)
        assert temporary(lab)[-1].state is PREFERRED
        lab.pass_time(9)
        while temporary(lab)[-1].state is PREFERRED:
            lab.pass_time(0.5)
