"""Datagram sockets while something about them or below them changes."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, ok
from tests.support.wsk_tcp import control
from wsknet.inspect.tables import interface_lines
from wsknet.net.changes import InterfaceRemoved
from wsknet.wsk import (
    IP_ADD_IFLIST,
    IP_ADD_MEMBERSHIP,
    IP_IFLIST,
    IPPROTO_IP,
    SO_BROADCAST,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    WskSetOption,
    ip_mreq,
    simple,
)


@pytest.mark.rule("D-20", "BIND-65")
def test_an_unreachable_port_is_still_told_after_an_option_was_set(lab: Lab) -> None:
    near = lab.datagram(lab.near)
    ok(simple.send_to(near, b"nobody there", simple.address(FAR, PORT)))
    lab.run()
    ok(simple.set_option(near, SOL_SOCKET, SO_RCVBUF, 20_000))
    assert simple.receive_from(near, seconds=0.5)[0] == STATUS_PORT_UNREACHABLE


def test_a_list_of_interfaces_keeps_no_broadcast_away_that_comes_from_one_of_them(lab: Lab) -> None:
    near, far = lab.datagram(lab.near, PORT), lab.datagram(lab.far)
    for code, value in ((IP_IFLIST, 1), (IP_ADD_IFLIST, lab.near_interface.index)):
        assert control(near, WskSetOption, code, IPPROTO_IP, 4, [value], 0, None, None).status == STATUS_SUCCESS
    ok(simple.set_option(far, SOL_SOCKET, SO_BROADCAST, 1))
    ok(simple.send_to(far, b"to all", simple.address("255.255.255.255", PORT)))
    assert ok(simple.receive_from(near, seconds=0.5))[0] == b"to all"


def groups_on(lab: Lab, name: str) -> str:
    lines = (interface_lines(each) for each in lab.near.stack.view().interfaces if each.name == name)
    return "\n".join(line for found in lines for line in found)


def test_a_socket_whose_interface_is_removed_leaves_its_groups_on_the_others(lab: Lab) -> None:
    other = lab.near.interface("eth1", "198.51.100.1/24")
    lab.network.link(other, lab.far.interface("eth1", "198.51.100.2/24"))
    lab.run(2)
    Socket = lab.datagram(lab.near, PORT, "192.0.2.1")
    request = bytes(ip_mreq(bytes((239, 1, 2, 3)), bytes((198, 51, 100, 1))))
    assert control(Socket, WskSetOption, IP_ADD_MEMBERSHIP, IPPROTO_IP, 8, request, 0, None, None).status == 0
    assert "239.1.2.3" in groups_on(lab, "eth1")
    lab.near.apply(InterfaceRemoved(lab.near_interface.index))
    lab.run(2)
    assert simple.receive_from(Socket)[0] == STATUS_FILE_FORCED_CLOSED
    assert "239.1.2.3" not in groups_on(lab, "eth1")
