"""Who gets the packet: four levels, ties, zones, copies."""

from __future__ import annotations

from random import Random

import pytest

from wsknet.behaviour import DemuxTie
from wsknet.trace import Decision
from wsknet.transport.demux import Demux
from wsknet.types import Cover, Endpoint, LocalName

HERE, THERE, ELSEWHERE = b"\xc0\0\2\1", b"\xc0\0\2\2", b"\xc0\0\2\3"
LINK_LOCAL = b"\xfe\x80" + bytes(13) + b"\1"


def demux(tie: DemuxTie = DemuxTie.FIRST) -> Demux[str]:
    return Demux(tie, Random(1))


@pytest.mark.rule("BIND-1.7.1", "BIND-1.7.2", "BIND-1.7.3")
def test_the_most_precise_registration_wins() -> None:
    table = demux()
    wildcard, specific = LocalName(Cover.IPV4, None, 80), LocalName(Cover.IPV4, HERE, 80)
    peer = Endpoint(THERE, 5000)
    registrations = [(wildcard, None, "d"), (specific, None, "c"), (wildcard, peer, "b"), (specific, peer, "a")]
    for name, remote, who in registrations:
        table.insert(name, remote, who)
    for name, remote, who in reversed(registrations):
        assert table.find(HERE, 80, THERE, 5000, 0) == who
        table.remove(name, remote, who)
    assert table.find(HERE, 80, THERE, 5000, 0) is None


def test_a_peer_of_another_port_or_address_falls_through_to_the_wildcard() -> None:
    table = demux()
    table.insert(LocalName(Cover.IPV4, HERE, 80), Endpoint(THERE, 5000), "connected")
    table.insert(LocalName(Cover.IPV4, None, 80), None, "wildcard")
    assert table.find(HERE, 80, THERE, 5001, 0) == "wildcard"
    assert table.find(HERE, 80, ELSEWHERE, 5000, 0) == "wildcard"
    assert table.find(HERE, 81, THERE, 5000, 0) is None


@pytest.mark.rule("BIND-1.7.5", "BIND-1.7.6")
@pytest.mark.parametrize(("tie", "winner"), [(DemuxTie.FIRST, "a"), (DemuxTie.LAST, "c")])
def test_sharers_of_one_name_are_told_apart_by_policy(tie: DemuxTie, winner: str) -> None:
    table = demux(tie)
    for who in "abc":
        table.insert(LocalName(Cover.IPV4, None, 80), None, who)
    assert table.find(HERE, 80, THERE, 5000, 0) == winner


@pytest.mark.rule("BIND-1.7.5")
def test_the_random_policy_reaches_every_sharer() -> None:
    table = demux(DemuxTie.RANDOM)
    for who in "abc":
        table.insert(LocalName(Cover.IPV4, None, 80), None, who)
    assert {table.find(HERE, 80, THERE, port, 0) for port in range(100)} == {"a", "b", "c"}


def test_a_dual_stack_wildcard_answers_for_both_families_and_a_v6_only_one_does_not() -> None:
    table = demux()
    table.insert(LocalName(Cover.IPV6, None, 80), None, "v6 only")
    assert table.find(HERE, 80, THERE, 5000, 0) is None
    assert table.find(bytes(15) + b"\1", 80, bytes(15) + b"\1", 5000, 0) == "v6 only"
    table.insert(LocalName(Cover.DUAL, None, 81), None, "dual")
    assert table.find(HERE, 81, THERE, 5000, 0) == "dual"


def test_link_local_names_are_told_apart_by_their_zone() -> None:
    table = demux()
    for zone, who in ((2, "eth0"), (3, "eth1")):
        table.insert(LocalName(Cover.IPV6, LINK_LOCAL, 80, zone), None, who)
    peer = b"\xfe\x80" + bytes(13) + b"\2"
    assert table.find(LINK_LOCAL, 80, peer, 5000, 2) == "eth0"
    assert table.find(LINK_LOCAL, 80, peer, 5000, 3) == "eth1"
    assert table.find(LINK_LOCAL, 80, peer, 5000, 4) is None


def test_a_global_address_is_reached_from_a_link_local_peer() -> None:
    table = demux()
    here = b"\x20\1\x0d\xb8" + bytes(11) + b"\1"
    table.insert(LocalName(Cover.IPV6, here, 80), None, "listener")
    assert table.find(here, 80, LINK_LOCAL, 5000, 2) == "listener"


def test_a_fixed_global_peer_reaches_the_wildcard_at_a_link_local_address() -> None:
    table = demux()
    there = b"\x20\1\x0d\xb8" + bytes(11) + b"\2"
    table.insert(LocalName(Cover.IPV6, None, 80), Endpoint(there, 5000), "connected")
    assert table.find(LINK_LOCAL, 80, there, 5000, 2) == "connected"


def test_a_copy_for_everyone_who_matches() -> None:
    table = demux()
    group = b"\xe0\0\0\1"
    table.insert(LocalName(Cover.IPV4, None, 80), None, "wildcard")
    table.insert(LocalName(Cover.IPV4, group, 80), None, "group")
    table.insert(LocalName(Cover.IPV4, HERE, 80), None, "other address")
    assert table.find_all(group, 80, THERE, 5000, 0) == ["group", "wildcard"]


def test_explaining_gives_the_same_answer_and_every_level_asked() -> None:
    table = demux()
    table.insert(LocalName(Cover.IPV4, None, 80), None, "wildcard")
    why = Decision("arrival")
    assert table.find(HERE, 80, THERE, 5000, 0, why) == table.find(HERE, 80, THERE, 5000, 0) == "wildcard"
    assert len(why.candidates) == 4
    assert why.answer == "wildcard"


@pytest.mark.rule("BIND-4.17")
def test_a_socket_of_a_device_comes_first_there_and_hears_no_other_device() -> None:
    table = demux(DemuxTie.LAST)
    name, precise = LocalName(Cover.IPV4, None, 80), LocalName(Cover.IPV4, HERE, 80)
    table.insert(name, None, "of device 2", 2)
    table.insert(name, None, "of all")

    def found(device: int) -> str | None:
        return table.find(HERE, 80, THERE, 5000, 0, device=device)

    assert [found(device) for device in (2, 3)] == ["of device 2", "of all"]
    assert set(table.find_all(HERE, 80, THERE, 5000, 0, device=2)) == {"of device 2", "of all"}
    assert table.find_all(HERE, 80, THERE, 5000, 0, device=3) == ["of all"]
    table.insert(precise, None, "precise")
    assert found(2) == "precise"
    for where, who in ((precise, "precise"), (name, "of all")):
        table.remove(where, None, who)
    assert [found(device) for device in (2, 3)] == ["of device 2", None]
    table.remove(name, None, "of device 2")
    assert found(2) is None
