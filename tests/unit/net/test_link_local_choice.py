"""Which IPv4 link-local address a host takes, and what a conflict leads to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP, Ether

from tests.unit.net.dhcp_server import BROADCAST_MAC
from tests.unit.net.lab import IF1, IF2, OTHER_MAC, A, Lab
from tests.unit.net.link_local_lab import CHECKED, Envious, link_local, probed, silent_lab
from wsknet.config import AutoConfig
from wsknet.net.autoconf.link_local_ipv4 import candidate
from wsknet.net.changes import InterfaceRemoved, LinkDown, LinkUp
from wsknet.net.interface import AddressState
from wsknet.text import format_address


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
