"""Options of BIND-4 about interfaces: which one is sent through, and from which ones datagrams are received.

A dual-stack socket has values for each family, and sets those for IPv4 by the options of IPPROTO_IP (ws2ipdef.h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.transport.udp.endpoint import Admission
from wsknet.types import IfIndex
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_RECEIVE_BROADCAST,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_IFLIST,
    IPV6_DEL_IFLIST,
    IPV6_GET_IFLIST,
    IPV6_IFLIST,
    IPV6_UNICAST_IF,
    WSK_FLAG_DATAGRAM_SOCKET,
)

if TYPE_CHECKING:
    from wsknet.wsk.sockets.transport import TransportSocket


class Receiving:
    """What a datagram socket receives, and what it is told of it."""

    __slots__ = ("control_info", "has_list", "interfaces", "receives_broadcasts", "tells_port_unreachable")

    def __init__(self) -> None:
        self.receives_broadcasts = True
        self.tells_port_unreachable = True
        """SIO_UDP_CONNRESET."""
        self.has_list = {4: False, 16: False}
        """By address length: whether datagrams are received from `interfaces` alone."""
        self.interfaces: dict[int, dict[int, None]] = {4: {}, 16: {}}
        """Numbers in the order in which they were added; those of interfaces that are gone stay."""
        self.control_info: set[tuple[int, int]] = set()
        """The options of `control_info.ITEMS` that are on."""

    @property
    def admission(self) -> Admission | None:
        """As endpoints take it."""
        if self.receives_broadcasts and not any(self.has_list.values()):
            return None
        lists = {length: frozenset(self.interfaces[length]) for length, is_on in self.has_list.items() if is_on}
        return Admission(lists, self.receives_broadcasts)


UNICAST = {
    (IPPROTO_IP, IP_UNICAST_IF): "unicast_if",
    (IPPROTO_IPV6, IPV6_UNICAST_IF): "unicast_if6",
}
LENGTHS = {IPPROTO_IP: 4, IPPROTO_IPV6: 16}
"""Length of the addresses that a level is about."""

RECEIVING = {
    (IPPROTO_IP, IP_RECEIVE_BROADCAST),
    (IPPROTO_IP, IP_IFLIST),
    (IPPROTO_IPV6, IPV6_IFLIST),
}
LIST_CHANGES = {
    (IPPROTO_IP, IP_ADD_IFLIST): True,
    (IPPROTO_IP, IP_DEL_IFLIST): False,
    (IPPROTO_IPV6, IPV6_ADD_IFLIST): True,
    (IPPROTO_IPV6, IPV6_DEL_IFLIST): False,
}
"""Whether the option adds."""
LISTS = {(IPPROTO_IP, IP_GET_IFLIST), (IPPROTO_IPV6, IPV6_GET_IFLIST)}


def require_level(socket: Any, Level: int, is_for_datagrams: bool) -> None:
    """Raises `LocalError` INVALID_ARGUMENT for a socket that has no options of `Level`, IPPROTO_IP or IPPROTO_IPV6."""
    if not socket.CATEGORY or (is_for_datagrams and not socket.CATEGORY & WSK_FLAG_DATAGRAM_SOCKET):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    has_level = socket.family == AF_INET6 if Level == IPPROTO_IPV6 else socket.family == AF_INET or socket.is_dual
    if not has_level:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)


def is_settable(socket: Any, Level: int, ControlCode: int) -> bool:
    """False for what is none of the options that `set_value` takes."""
    key = (Level, ControlCode)
    if key in UNICAST:
        require_level(socket, Level, False)
    elif key in RECEIVING or key in LIST_CHANGES:
        require_level(socket, Level, True)
    else:
        return False
    return True


def set_value(socket: TransportSocket, Level: int, ControlCode: int, value: int) -> None:
    """`value` is the ULONG as C reads it.

    For IP_UNICAST_IF it is 0.x.x.x in the order of the network, of which 24 bits are a number.  Raises `NetError`
    NOT_LOCAL for what is no interface, as a number in the wrong order mostly is (BIND-32), and what is not listed.
    """
    key = (Level, ControlCode)
    receiving = socket.options.receiving
    if key in UNICAST:
        if Level == IPPROTO_IP:
            value = int.from_bytes(value.to_bytes(4, "little"), "big")
        if value:
            _require_interface(socket, value)
        setattr(socket.options, UNICAST[key], value)
        socket.steer()
        return
    if key in LIST_CHANGES:
        interfaces = receiving.interfaces[LENGTHS[Level]]
        if LIST_CHANGES[key]:
            _require_interface(socket, value)
            interfaces[value] = None
        elif value in interfaces:
            del interfaces[value]
        else:
            raise NetError(ErrorKind.NOT_LOCAL, f"interface {value} is not in the list")
    elif ControlCode == IP_RECEIVE_BROADCAST:
        receiving.receives_broadcasts = value != 0
    else:
        receiving.has_list[LENGTHS[Level]] = value != 0
    if socket.endpoint is not None:
        socket.apply_options()


def value_of(socket: Any, Level: int, ControlCode: int) -> int | None:
    """`None` for what is none of these.  The number of an interface is told in the order of the host."""
    key = (Level, ControlCode)
    if key in UNICAST:
        require_level(socket, Level, False)
        number: int = getattr(socket.options, UNICAST[key])
        return number
    if key not in RECEIVING:
        return None
    require_level(socket, Level, True)
    receiving: Receiving = socket.options.receiving
    is_on = receiving.receives_broadcasts if key[1] == IP_RECEIVE_BROADCAST else receiving.has_list[LENGTHS[Level]]
    return int(is_on)


def list_of(socket: Any, Level: int, ControlCode: int) -> list[int] | None:
    """IP_GET_IFLIST and IPV6_GET_IFLIST; `None` for what is neither.  `LocalError` INVALID_STATE: the list is off."""
    if (Level, ControlCode) not in LISTS:
        return None
    require_level(socket, Level, True)
    receiving: Receiving = socket.options.receiving
    if not receiving.has_list[LENGTHS[Level]]:
        raise LocalError(ErrorKind.INVALID_STATE, "IP_IFLIST is off")
    return list(receiving.interfaces[LENGTHS[Level]])


def _require_interface(socket: TransportSocket, number: int) -> None:
    if IfIndex(number) not in socket.host.stack.ip.interfaces:
        raise NetError(ErrorKind.NOT_LOCAL, f"no interface {number}")
