"""Addresses used while they are checked: RFC 4429.  IPv6, and found automatically."""

from __future__ import annotations

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    IPv6,
)

from tests.unit.net.claimant import Host
from tests.unit.net.lab import IF1, PEER_MAC, A
from wsknet.net.changes import (
    AddressAdded,
)
from wsknet.net.interface import AddressState


@pytest.mark.rule("RFC4429-3.3")
def test_an_optimistic_address_is_used_at_once_and_preferred_after_the_check() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    owner = host.claim()
    states = [host.state]
    host.ping()
    host.lab.udp.packets.clear()
    host.lab.pass_time(0)
    assert any(frame.haslayer(ICMPv6ND_NS) for frame in host.take())
    host.lab.pass_time(1)
    states.append(host.state)

    assert states == [AddressState.OPTIMISTIC, AddressState.PREFERRED]
    assert owner.heard == ["assigned"]


@pytest.mark.rule("RFC4429-3.3")
def test_an_optimistic_address_overrides_nobodys_knowledge() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    host.claim()
    host.ask()
    first = host.take_one()[ICMPv6ND_NA]
    host.lab.pass_time(2)
    host.take()
    host.ask()
    second = host.take_one()[ICMPv6ND_NA]

    assert [(reply.tgt, reply.S, reply.O) for reply in (first, second)] == [(host.us, 1, 0), (host.us, 1, 1)]


@pytest.mark.rule("RFC4429-3.2")
def test_an_optimistic_address_asks_for_nobody() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    host.claim()
    host.lab.send(host.peer, b"early")
    assert host.take() == []
    host.lab.pass_time(0)
    assert host.sent_probes() == 1
    host.lab.pass_time(1)

    question = host.take_one()
    assert (question[IPv6].src, question[ICMPv6ND_NS].tgt) == (host.us, host.peer)


@pytest.mark.rule("RFC4429-3.2")
def test_another_address_asks_in_its_place() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    host.lab.ip.change(AddressAdded(IF1, A("fe80::a"), 64), host.lab.now)
    host.claim()

    host.lab.send(host.peer, source=host.us)

    assert host.take_one()[IPv6].src == "fe80::a"


@pytest.mark.rule("RFC4429-3.3")
@pytest.mark.parametrize("how", ["used", "wished for"])
def test_an_optimistic_address_that_another_host_has_is_given_up(how: str) -> None:
    host = Host(is_ipv4=False, optimistic=True)
    owner = host.claim()
    host.lab.pass_time(0.5)

    host.use() if how == "used" else host.probe()

    assert host.state is AddressState.DUPLICATE
    assert owner.heard == [f"lost to {PEER_MAC}"]
    host.assert_not_used()


@pytest.mark.rule("RFC4429-3.1")
def test_ipv4_and_what_people_type_are_never_optimistic() -> None:
    for host in (Host(is_ipv4=True, optimistic=True), Host(is_ipv4=False, optimistic=True)):
        if host.is_ipv4:
            host.claim()
        else:
            host.configure()
        assert host.state is AddressState.TENTATIVE


@pytest.mark.rule("RFC4429-3.2", "RFC6724-5")
def test_paths_found_during_the_check_take_the_address_after_it() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    host.lab.ip.change(AddressAdded(IF1, A("2001:db8:7::9"), 64), host.lab.now)
    host.claim()
    during = host.lab.where(host.peer)
    host.lab.pass_time(2)

    assert (during, host.lab.where(host.peer)) == (("if1", host.peer, "2001:db8:7::9"), ("if1", host.peer, host.us))


@pytest.mark.rule("RFC4429-3.2", "RFC6724-5")
def test_paths_found_by_who_hears_of_the_address_know_that_it_is_being_checked() -> None:
    host = Host(is_ipv4=False, optimistic=True)
    host.lab.ip.change(AddressAdded(IF1, A("2001:db8:7::9"), 64), host.lab.now)
    found: list[tuple[str, str, str]] = []
    host.lab.ip.watchers.append(lambda news, now: found.append(host.lab.where(host.peer)))
    host.claim()

    assert found
    assert host.lab.where(host.peer)[2] == "2001:db8:7::9"
