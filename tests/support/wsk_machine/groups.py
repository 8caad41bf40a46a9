"""Groups that random programs join, leave and send to: what a socket hears is what it has joined."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    MCAST_JOIN_GROUP,
    MCAST_LEAVE_GROUP,
    STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_SUCCESS,
    WskSetOption,
    group_req,
    ip_mreq,
    ipv6_mreq,
    simple,
)

if TYPE_CHECKING:
    from tests.support.wsk_machine.calls import Call
    from tests.support.wsk_machine.datagrams import Datagrams

GROUPS = {AF_INET: ("239.1.2.3", "239.1.2.4"), AF_INET6: ("ff15::1:7", "ff15::1:8")}


class Memberships:
    """Of one socket."""

    def __init__(self) -> None:
        self.joined: dict[tuple[bytes, int], None] = {}
        """Group and number of the interface, in the order of joining."""
        self.left: dict[bytes, int] = {}
        """When a group was left, by `World.tick`."""

    def hears(self, group: bytes, moment: int) -> bool:
        """Whether what was sent to the group at that time may arrive now."""
        return any(group == each for each, _ in self.joined) or moment < self.left.get(group, -1)

    def join(self, group: bytes, index: int, usual: int) -> int:
        """0 for `index` is `usual`.  The status to expect."""
        key = (group, index or usual)
        if key in self.joined:
            return STATUS_ADDRESS_ALREADY_EXISTS
        self.joined[key] = None
        return STATUS_SUCCESS

    def leave(self, group: bytes, index: int, moment: int) -> int:
        """0 for `index` is the first where it was joined."""
        found = [key for key in self.joined if key[0] == group and index in (0, key[1])]
        if not found:
            return STATUS_INVALID_ADDRESS_COMPONENT
        del self.joined[found[0]]
        self.left[group] = moment
        return STATUS_SUCCESS


def change_memberships(sock: Datagrams, dice: Random) -> None:
    for _ in range(dice.randint(1, 3)):
        _change_membership(sock, dice)


def _change_membership(sock: Datagrams, dice: Random) -> None:
    if sock.is_closing:
        return
    group = text.parse_address(dice.choice(GROUPS[sock.family]))
    card = sock.party.interface.index
    index = dice.choice((0, card, card, sock.party.loopback))
    is_join = dice.random() < 0.6
    model = sock.memberships
    joined, left = dict(model.joined), dict(model.left)
    expected = model.join(group, index, card) if is_join else model.leave(group, index, sock.world.tick())

    def then(call: Call) -> None:
        sock.require(call, expected)

    Level, Option, structure = _request(sock.family, group, index, is_join, dice.random() < 0.5)
    arguments = (WskSetOption, Option, Level, len(bytes(structure)), structure, 0, None, None)
    if sock.call("WskControlSocket", *arguments, then=then) is None:
        model.joined, model.left = joined, left


def _request(family: int, group: bytes, index: int, is_join: bool, is_general: bool) -> tuple[int, int, Any]:
    """Level, option and structure: of the family, or the one of RFC 3678 for both."""
    Level = IPPROTO_IP if family == AF_INET else IPPROTO_IPV6
    if is_general:
        code = MCAST_JOIN_GROUP if is_join else MCAST_LEAVE_GROUP
        return Level, code, group_req(index, simple.address(text.format_address(group), 0))
    if family == AF_INET:
        code = IP_ADD_MEMBERSHIP if is_join else IP_DROP_MEMBERSHIP
        return Level, code, ip_mreq(group, index.to_bytes(4, "big"))
    return Level, IPV6_ADD_MEMBERSHIP if is_join else IPV6_DROP_MEMBERSHIP, ipv6_mreq(group, index)
