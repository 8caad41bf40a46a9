"""IPv4 link-local addresses: when there is one, when it goes, and what it is good for."""

from __future__ import annotations

import pytest
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.dhcp_server import BROADCAST_MAC, OFFERED, DhcpServer
from tests.unit.net.lab import IF1, IF2, OTHER_MAC, A
from tests.unit.net.link_local_lab import CHECKED, PATIENCE, Envious, link_local, probed, silent_lab
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
from wsknet.types import SECOND

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
