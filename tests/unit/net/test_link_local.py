"""IPv4 link-local addresses: when there is one, which, and when it goes.  `IPAutoconfigurationEnabled` in all forms."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.dhcp_server import BROADCAST_MAC, OFFERED, STEADY, DhcpLab, DhcpServer, Host, arp_answer
from tests.unit.net.lab import IF1, IF2, OTHER_MAC, A, Lab, datagram
from wsknet.behaviour import LINUX
from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind, NetError
from wsknet.net.autoconf.link_local_ipv4 import candidate
from wsknet.net.changes import (
    AddressOrigin,
    AddressRemoved,
    AutoconfigurationChanged,
    InterfaceRemoved,
    LinkDown,
    LinkUp,
)
from wsknet.net.interface import AddressState
from wsknet.text import format_address
from wsknet.types import SECOND, IfIndex

PATIENCE = 6
"""Seconds that DHCP has before there is a link-local address (KB 931550)."""
CHECKED = 7
"""Seconds in which an address is certainly checked."""

SETTINGS = list(product((False, True), (None, False, True), (False, True)))
"""Of the machine, of the interface, and whether DHCP is on."""


def silent_lab(*hosts: Host, machine: bool = True, **auto: Any) -> DhcpLab:
    lab = DhcpLab(STEADY, machine, hosts)
    lab.interface(IF1, auto=AutoConfig(**auto))
    return lab


def link_local(lab: DhcpLab, index: IfIndex = IF1) -> str | None:
    """The only IPv4 address of an interface."""
    addresses = lab.addresses(index)
    assert len(addresses) <= 1
    return addresses[0].removesuffix("/16") if addresses else None


def probed(lab: DhcpLab) -> list[tuple[float, str]]:
    """First probe of each address that was tried."""
    found: dict[str, float] = {}
    for sent in lab.sent:
        if ARP in sent.frame and sent.frame[ARP].psrc == "0.0.0.0":
            found.setdefault(sent.frame[ARP].pdst, sent.at)
    return [(at, address) for address, at in found.items()]


class Envious:
    """Answers for every address that is probed, up to a number of them."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __call__(self, frame: Any) -> list[Any]:
        if ARP not in frame or frame[ARP].psrc != "0.0.0.0" or not self.left:
            return []
        self.left -= 1
        return [arp_answer(frame, OTHER_MAC)]


# When.


@pytest.mark.rule("RFC3927-1.9", "RFC3927-2.1", "SAN-4.3.2")
def test_without_a_server_there_is_an_address_after_six_seconds_and_its_check() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(PATIENCE)
    assert probed(lab) == []
    lab.pass_time(CHECKED)

    [(at, address)] = probed(lab)
    assert PATIENCE <= at <= PATIENCE + 1
    assert link_local(lab) == address
    assert A("169.254.1.0") <= A(address) <= A("169.254.254.255")
    entry = lab.ip.interfaces[IF1].addresses[A(address)]
    assert (entry.prefix_length, entry.state, entry.origin) == (16, AddressState.PREFERRED, AddressOrigin.LINK_LOCAL)
    assert lab.where("169.254.50.50", zone=IF1) == ("if1", "169.254.50.50", address)


@pytest.mark.rule("RFC3927-2.11")
def test_dhcp_goes_on_and_its_lease_replaces_the_address() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(300)
    assert lab.times("discover") == [0, 4, 12, 28]
    assert link_local(lab) is not None

    lab.hosts.append(DhcpServer())
    lab.pass_time(70)

    assert lab.times("discover") == [0, 4, 12, 28, 360]
    assert lab.addresses() == [f"{OFFERED}/24"]


@pytest.mark.rule("RFC3927-2.11")
def test_the_address_stays_until_the_leased_one_has_been_checked() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(300)
    lab.hosts.append(DhcpServer())
    lab.pass_time(61)

    assert lab.messages("request") != []
    assert link_local(lab) is not None


def test_a_server_in_time_leaves_no_trace_of_it() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(3)
    lab.hosts.append(DhcpServer())
    lab.pass_time(100)

    assert lab.addresses() == [f"{OFFERED}/24"]
    assert [address for _, address in probed(lab)] == [OFFERED]


def test_an_address_that_is_still_being_checked_gives_way_to_an_answer_of_dhcp() -> None:
    server = DhcpServer()
    lab = silent_lab(dhcp=True)
    lab.pass_time(PATIENCE + 2)
    assert len(probed(lab)) == 1
    lab.hosts.append(server)
    lab.receive(IF1, server.reply("offer", lab.messages()[0].frame))
    lab.settle()
    lab.pass_time(100)

    assert lab.addresses() == [f"{OFFERED}/24"]
    assert {sent.frame[ARP].psrc for sent in lab.sent if ARP in sent.frame} == {"0.0.0.0", OFFERED}
    assert len([sent for sent in lab.sent if ARP in sent.frame and sent.frame[ARP].pdst == probed(lab)[0][1]]) <= 2


def test_an_expired_lease_is_followed_by_the_address() -> None:
    server = DhcpServer(lease=600)
    lab = silent_lab(server, dhcp=True)
    lab.pass_time(100)
    server.is_silent = True
    lab.pass_time(500 + PATIENCE + CHECKED)

    assert A(str(link_local(lab)))[:2] == A("169.254.0.0")[:2]


def test_after_a_lease_dhcp_has_its_time_again() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(20)
    lab.hosts.append(server := DhcpServer(lease=600))
    lab.pass_time(20)
    assert lab.addresses() == [f"{OFFERED}/24"]
    lease = lab.ip.dhcp.lease(IF1)
    assert lease is not None
    expiry = (lease.expiry - lab.start) // SECOND if lease.expiry is not None else 0
    server.is_silent = True
    lab.sent.clear()
    lab.pass_time(1000)

    assert link_local(lab) is not None
    [(at, _)] = probed(lab)
    assert expiry + PATIENCE <= at <= expiry + PATIENCE + 1


@pytest.mark.rule("SAN-4.3.1")
def test_without_dhcp_an_interface_that_is_told_to_has_an_address_at_once() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.pass_time(CHECKED)

    assert link_local(lab) is not None
    assert lab.messages() == []


@pytest.mark.rule("RFC3927-1.9")
def test_there_is_none_beside_an_address_given_by_hand() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.address(IF1, "192.0.2.7/24")
    lab.pass_time(CHECKED)
    assert lab.addresses() == ["192.0.2.7/24"]

    lab.apply(AddressRemoved(IF1, A("192.0.2.7")))
    lab.pass_time(CHECKED)
    assert link_local(lab) == format_address(candidate(lab.ip.interfaces[IF1].mac, 0))

    lab.address(IF1, "192.0.2.7/24")
    assert lab.addresses() == ["192.0.2.7/24"]


def test_the_same_address_given_by_hand_outlives_it() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.pass_time(CHECKED)
    address = f"{link_local(lab)}/16"
    lab.address(IF1, address)
    lab.auto(link_local_ipv4=False)
    assert lab.addresses() == [address]


@pytest.mark.parametrize("is_duplicate", [False, True], ids=["being checked", "a duplicate"])
def test_the_same_address_given_by_hand_before_it_was_ours_is_not_taken_away(is_duplicate: bool) -> None:
    lab = silent_lab(*([Envious(1)] if is_duplicate else []), link_local_ipv4=True)
    lab.pass_time(2)
    address = format_address(candidate(lab.ip.interfaces[IF1].mac, 0))
    lab.address(IF1, f"{address}/16")
    lab.receive(IF1, Ether(dst=BROADCAST_MAC, src=OTHER_MAC, type=0x0806) / ARP(op=1, hwsrc=OTHER_MAC, psrc=address))
    lab.apply(LinkDown(IF1))
    lab.apply(LinkUp(IF1))
    lab.pass_time(CHECKED)

    assert f"{address}/16" in lab.addresses()


# IPAutoconfigurationEnabled.


def is_enabled(machine: bool, interface: bool | None, dhcp: bool) -> bool:
    """The value of the interface wins; without DHCP only that counts."""
    if interface is not None:
        return interface
    return machine and dhcp


@pytest.mark.rule("SAN-4.3.1", "SAN-4.3.6", "BIND-64")
@pytest.mark.parametrize(("machine", "interface", "dhcp"), SETTINGS)
def test_both_values_decide(machine: bool, interface: bool | None, dhcp: bool) -> None:
    lab = silent_lab(machine=machine, dhcp=dhcp, link_local_ipv4=interface)
    lab.pass_time(1000)

    assert (link_local(lab) is not None) == is_enabled(machine, interface, dhcp)


@pytest.mark.rule("SAN-4.3.6", "BIND-64")
@pytest.mark.parametrize(("machine", "interface", "dhcp"), SETTINGS)
def test_both_values_may_change(machine: bool, interface: bool | None, dhcp: bool) -> None:
    for was_machine, was_interface, was_dhcp in SETTINGS:
        lab = silent_lab(machine=was_machine, dhcp=was_dhcp, link_local_ipv4=was_interface)
        lab.pass_time(20)
        lab.apply(AutoconfigurationChanged(machine))
        lab.auto(dhcp=dhcp, link_local_ipv4=interface)
        if not is_enabled(machine, interface, dhcp):
            assert link_local(lab) is None
        lab.pass_time(20)

        assert (link_local(lab) is not None) == is_enabled(machine, interface, dhcp)


@pytest.mark.rule("BIND-64", "SAN-4.3.0")
def test_the_machines_value_takes_the_address_away_and_gives_it_back() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(20)
    address = str(link_local(lab))
    assert lab.ip.bindable(A(address)) == IF1

    lab.apply(AutoconfigurationChanged(False))
    assert lab.addresses() == []
    assert [route for route in lab.ip.routes if route.if_index == IF1] == []
    with pytest.raises(NetError) as error:
        lab.ip.bindable(A(address))
    assert error.value.kind is ErrorKind.NOT_LOCAL
    with pytest.raises(NetError) as error:
        lab.path("192.0.2.1")
    assert error.value.kind is ErrorKind.NO_ROUTE

    lab.apply(AutoconfigurationChanged(True))
    lab.pass_time(CHECKED)
    assert link_local(lab) == address
    assert lab.ip.bindable(A(address)) == IF1
    lab.arrive(IF1, datagram("169.254.50.50", address))
    assert [packet.zone for packet in lab.udp.packets] == [IF1]


# Which.


@given(st.binary(min_size=6, max_size=6), st.integers(0, 1000))
@pytest.mark.rule("RFC3927-2.1")
def test_the_first_and_last_256_addresses_are_never_chosen(mac: bytes, attempt: int) -> None:
    address = candidate(mac, attempt)

    assert address[:2] == bytes((169, 254))
    assert 1 <= address[2] <= 254
    assert address == candidate(mac, attempt)


@pytest.mark.rule("RFC3927-2.1")
def test_hosts_choose_different_addresses_evenly() -> None:
    chosen = [candidate(number.to_bytes(6, "big"), 0) for number in range(5000)]

    assert len(set(chosen)) > 4700
    quarters = [sum(address[2] // 64 == quarter for address in chosen) for quarter in range(4)]
    assert all(1000 < quarter < 1500 for quarter in quarters)


@pytest.mark.rule("RFC3927-2.2.1", "RFC3927-9")
def test_another_address_after_each_conflict_but_soon_one_a_minute() -> None:
    lab = silent_lab(Envious(12), link_local_ipv4=True)
    lab.pass_time(1000)

    tried = probed(lab)
    mac = lab.ip.interfaces[IF1].mac
    assert [address for _, address in tried] == [format_address(candidate(mac, attempt)) for attempt in range(13)]
    times = [at for at, _ in tried]
    assert times[9] < 15
    assert all(later - earlier >= 59 for earlier, later in pairwise(times[10:]))
    assert link_local(lab) == tried[-1][1]


@pytest.mark.rule("RFC3927-2.1")
def test_the_last_good_address_is_the_first_choice_later() -> None:
    lab = silent_lab(Envious(2), link_local_ipv4=True)
    lab.pass_time(30)
    address = link_local(lab)
    assert address == format_address(candidate(lab.ip.interfaces[IF1].mac, 2))

    lab.auto(link_local_ipv4=False)
    assert lab.addresses() == []
    lab.sent.clear()
    lab.auto(link_local_ipv4=True)
    lab.pass_time(CHECKED)

    assert [address for _, address in probed(lab)] == [address]


@pytest.mark.rule("RFC3927-2.5")
def test_an_address_that_cannot_be_defended_is_replaced() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.pass_time(CHECKED)
    first = str(link_local(lab))
    claim = Ether(dst=BROADCAST_MAC, src=OTHER_MAC, type=0x0806) / ARP(op=1, hwsrc=OTHER_MAC, psrc=first, pdst=first)
    lab.receive(IF1, claim)
    assert link_local(lab) == first
    lab.receive(IF1, claim)
    assert lab.addresses() == []
    lab.pass_time(CHECKED)

    assert link_local(lab) not in (None, first)


@pytest.mark.rule("RFC3927-2.2.1")
def test_an_address_that_another_host_on_the_wire_has_stays_there() -> None:
    lab, neighbour = silent_lab(), Lab()
    wish = format_address(candidate(lab.ip.interfaces[IF1].mac, 0))
    neighbour.interface(IF2, f"{wish}/16")

    def wire(frame: Any) -> list[Any]:
        neighbour.receive(IF2, frame)
        return [answer for _, answer in neighbour.take()]

    lab.hosts.append(wire)
    lab.auto(link_local_ipv4=True)
    lab.pass_time(2 * CHECKED)

    assert [address for _, address in probed(lab)] == [wish, link_local(lab)]
    assert lab.ip.interfaces[IF1].unassigned[A(wish)].state is AddressState.DUPLICATE
    lab.send(wish, zone=IF1)
    lab.settle()
    assert [packet.payload[8:] for packet in neighbour.udp.packets] == [b"data"]


# The link, the interface.


def test_the_address_is_checked_again_when_the_link_is_back() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(20)
    address = link_local(lab)
    lab.apply(LinkDown(IF1))
    lab.pass_time(100)
    assert link_local(lab) == address
    lab.sent.clear()
    lab.apply(LinkUp(IF1))
    assert lab.addresses() == []
    lab.pass_time(CHECKED)

    assert link_local(lab) == address
    assert [tried for _, tried in probed(lab)] == [address]


@pytest.mark.parametrize("seconds", [0.5, 6.5, 9.0])
def test_a_link_that_goes_and_comes_at_any_moment_ends_with_the_address(seconds: float) -> None:
    lab = silent_lab(dhcp=True)
    for _ in range(4):
        lab.pass_time(seconds)
        lab.apply(LinkDown(IF1))
        lab.pass_time(seconds)
        lab.apply(LinkUp(IF1))
    lab.pass_time(PATIENCE + CHECKED)

    assert link_local(lab) == format_address(candidate(lab.ip.interfaces[IF1].mac, 0))


def test_settings_that_change_while_the_link_is_down() -> None:
    lab = silent_lab(dhcp=True)
    lab.pass_time(20)
    lab.apply(LinkDown(IF1))
    lab.apply(AutoconfigurationChanged(False))
    assert lab.addresses() == []

    lab.apply(AutoconfigurationChanged(True))
    lab.pass_time(100)
    assert lab.addresses() == []

    lab.apply(LinkUp(IF1))
    lab.pass_time(CHECKED)
    assert link_local(lab) is not None


def test_a_removed_interface_leaves_nothing_behind() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.pass_time(1)
    lab.apply(InterfaceRemoved(IF1))
    lab.pass_time(100)

    assert lab.timers.next_deadline() is None
    lab.interface(IF1, auto=AutoConfig(link_local_ipv4=True))
    lab.pass_time(CHECKED)
    assert link_local(lab) is not None


def test_releasing_a_lease_brings_no_address_until_dhcp_is_told_to_ask() -> None:
    server = DhcpServer()
    lab = silent_lab(server, dhcp=True)
    lab.pass_time(20)
    server.is_silent = True
    lab.ip.dhcp.release(IF1, lab.now)
    lab.pass_time(100)
    assert lab.addresses() == []

    lab.ip.dhcp.renew(IF1, lab.now)
    lab.pass_time(PATIENCE + CHECKED)
    assert link_local(lab) is not None

    lab.ip.dhcp.release(IF1, lab.now)
    assert lab.addresses() == []


# What it is good for.


@pytest.mark.rule("BIND-62", "RFC3927-2.6.2")
def test_two_interfaces_with_one_each_share_the_block_and_no_router_is_asked() -> None:
    lab = silent_lab(link_local_ipv4=True)
    lab.interface(IF2, auto=AutoConfig(link_local_ipv4=True))
    lab.pass_time(CHECKED)
    first, second = str(link_local(lab, IF1)), str(link_local(lab, IF2))
    assert first != second
    lab.route("0.0.0.0/0", IF1, via="192.0.2.254")

    assert lab.where("169.254.50.50") == ("if1", "169.254.50.50", first)
    assert lab.where("169.254.50.50", source=second, zone=IF2) == ("if2", "169.254.50.50", second)


@pytest.mark.rule("BIND-63", "RFC3927-2.7")
def test_beside_a_routable_interface_it_is_not_used_for_the_rest_of_the_world() -> None:
    lab = silent_lab()
    lab.address(IF1, "10.1.0.2/24")
    lab.route("0.0.0.0/0", IF1, via="10.1.0.1")
    lab.interface(IF2, auto=AutoConfig(link_local_ipv4=True))
    lab.pass_time(CHECKED)
    address = str(link_local(lab, IF2))

    assert lab.where("8.8.8.8") == ("if1", "10.1.0.1", "10.1.0.2")
    with pytest.raises(NetError) as error:
        lab.path("8.8.8.8", source=address, zone=IF2)
    assert error.value.kind is ErrorKind.NO_ROUTE


def test_interfaces_without_these_settings_stay_as_they_are() -> None:
    for behaviour in (None, LINUX):
        lab = Lab(behaviour) if behaviour else Lab()
        lab.interface(IF1)
        lab.pass_time(1000)
        assert lab.take() == []
        assert lab.ip.interfaces[IF1].addresses == {}


def test_the_conflicts_of_a_removed_interface_are_not_those_of_its_successor() -> None:
    lab = silent_lab(Envious(2), link_local_ipv4=True)
    lab.pass_time(30)
    lab.apply(InterfaceRemoved(IF1))
    lab.interface(IF1, auto=AutoConfig(link_local_ipv4=True))
    lab.pass_time(CHECKED)

    assert link_local(lab) == format_address(candidate(lab.ip.interfaces[IF1].mac, 0))


@pytest.mark.rule("RFC3927-2.2.1", "RFC5227-2.1.1")
def test_conflicts_of_another_link_do_not_slow_down_the_search_on_this_one() -> None:
    lab = silent_lab(Envious(12), link_local_ipv4=True)
    lab.pass_time(30)
    lab.apply(LinkDown(IF1))
    lab.sent.clear()
    lab.apply(LinkUp(IF1))
    lab.pass_time(20)

    assert len(probed(lab)) == 3
    assert link_local(lab) == probed(lab)[-1][1]
