"""Memberships on an interface: what they let in, and what becomes of them when the link or the interface goes."""

from __future__ import annotations

import pytest

from tests.unit.net.group_lab import (
    ALLOW,
    TO_EX,
    V4,
    Side,
    all_but,
    families,
    hear,
    link,
    listen,
    only,
    query,
    records,
    said,
)
from tests.unit.net.lab import IF1, IF2, LO, A, datagram
from wsknet.net import changes
from wsknet.trace import DropReason

# The data path


@families
@pytest.mark.rule("RFC1112-7.2")
def test_a_group_is_let_in_while_somebody_listens(side: Side) -> None:
    lab = link(side)
    other = "01:00:5e:01:02:03" if not side.is_ipv6 else "33:33:00:00:00:01"

    def arrives() -> bool:
        lab.udp.packets.clear()
        lab.arrive(IF1, datagram(side.router, side.group), mac=other)
        return bool(lab.udp.packets)

    assert not arrives()
    listen(lab, side.group)
    assert arrives()
    listen(lab, side.group, None)
    assert not arrives()
    assert set(lab.drops) <= {DropReason.FRAME_OTHER_GROUP, DropReason.IP_NOT_LOCAL}


@families
def test_a_group_is_joined_on_one_interface_alone(side: Side) -> None:
    lab = link(side)
    lab.interface(IF2)
    listen(lab, side.group, index=IF2)
    assert A(side.group) in lab.ip.interfaces[IF2].accepts
    assert A(side.group) not in lab.ip.interfaces[IF1].accepts


@families
def test_groups_of_every_host_admit_everybody_whatever_a_socket_wants_of_them(side: Side) -> None:
    lab = link(side)
    interface = lab.ip.interfaces[IF1]
    for group in (side.everybody, "ff02::1:ff00:a") if side.is_ipv6 else (side.everybody,):
        listen(lab, group, only(side.sources[0]))
        assert lab.ip.groups.admits(interface, A(group), A(side.router))
        listen(lab, group, None)
        assert A(group) in interface.accepts
    assert lab.ip.groups.admits(interface, A(side.group), A(side.router))


def test_paths_known_before_a_join_are_still_good() -> None:
    lab = link(V4)
    path = lab.send("239.1.2.3")
    listen(lab, "239.1.2.3")
    lab.udp.packets.clear()
    lab.ip.send(path, 17, bytes(8), (b"data",), lab.now)
    lab.ip.deliver_looped(lab.now)
    assert len(lab.udp.packets) == 1
    assert lab.path("239.1.2.3").generation == lab.ip.generation


@families
def test_the_filter_of_a_group_that_was_left_keeps_nobody_out(side: Side) -> None:
    lab = link(side)
    interface, group, other = lab.ip.interfaces[IF1], A(side.group), A(side.sources[1])
    listen(lab, side.group, only(side.sources[0]))
    assert not lab.ip.groups.admits(interface, group, other)
    listen(lab, side.group, None)
    assert lab.ip.groups.admits(interface, group, other)


# Life of the interface


@families
@pytest.mark.rule("RFC3376-5.1")
def test_memberships_are_told_again_when_the_link_is_back(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    listen(lab, side.group2, only(side.sources[0]))
    said(lab)
    lab.apply(changes.LinkDown(IF1))
    lab.pass_time(100)
    listen(lab, side.group, all_but(side.sources[1]))
    assert said(lab) == []
    lab.apply(changes.LinkUp(IF1))
    assert records(lab) == [
        ((TO_EX, side.group, (side.sources[1],)),),
        ((ALLOW, side.group2, (side.sources[0],)),),
    ]


@families
def test_a_group_left_while_the_link_is_down_is_forgotten_in_silence(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group)
    lab.apply(changes.LinkDown(IF1))
    listen(lab, side.group, None)
    said(lab)
    lab.apply(changes.LinkUp(IF1))
    lab.pass_time(10)
    assert said(lab) == []


@families
def test_an_interface_that_is_removed_takes_its_memberships_along(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group, only(side.sources[0]))
    hear(lab, side, query(side))
    said(lab)
    lab.apply(changes.InterfaceRemoved(IF1))
    lab.pass_time(100)
    lab.interface(IF1, side.cidr)
    lab.pass_time(100)
    hear(lab, side, query(side, side.group))
    lab.pass_time(20)
    assert said(lab) == []
    assert lab.ip.groups.admits(lab.ip.interfaces[IF1], A(side.group), A(side.router))
    listen(lab, side.group)
    assert records(lab) == [((TO_EX, side.group, ()),)]


@families
def test_nothing_is_told_to_the_loopback_interface(side: Side) -> None:
    lab = link(side)
    listen(lab, side.group, index=LO)
    listen(lab, side.group, None, index=LO)
    lab.pass_time(5)
    assert lab.take() == []
