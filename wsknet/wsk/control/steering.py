"""Options of BIND-4 about interfaces: which one is sent through, and from which ones datagrams are received.

A dual-stack socket has values for each family, and sets those for IPv4 by the options of IPPROTO_IP (ws2ipdef.h).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.transport.datagram import Admission
from wsknet.types import IfIndex
from wsknet.wsk.constants import (
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
)
from wsknet.wsk.control.option import DATAGRAM, Option, apply_to_endpoint, number, of_level
from wsknet.wsk.control.ulong import ULONG_SIZE, write_ulongs
from wsknet.wsk.requests import Refusal
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.sockets.transport import TransportSocket


class Receiving:
    """What a datagram socket receives, and what it is told of it."""

    __slots__ = (
        "coalesced_size",
        "control_info",
        "has_list",
        "interfaces",
        "receives_broadcasts",
        "tells_port_unreachable",
    )

    def __init__(self) -> None:
        self.receives_broadcasts = True
        self.tells_port_unreachable = True
        """SIO_UDP_CONNRESET."""
        self.has_list = {4: False, 16: False}
        """By address length: whether datagrams are received from `interfaces` alone."""
        self.interfaces: dict[int, dict[int, None]] = {4: {}, 16: {}}
        """Numbers in the order in which they were added; those of interfaces that are gone stay."""
        self.control_info: frozenset[tuple[int, int]] = frozenset()
        """The options of `messages.ITEMS` that are on."""
        self.coalesced_size = 0
        """UDP_RECV_MAX_COALESCED_SIZE."""

    @property
    def admission(self) -> Admission | None:
        """As endpoints take it."""
        if self.receives_broadcasts and not any(self.has_list.values()):
            return None
        lists = {length: frozenset(self.interfaces[length]) for length, is_on in self.has_list.items() if is_on}
        return Admission(lists, self.receives_broadcasts)


LENGTHS = {IPPROTO_IP: 4, IPPROTO_IPV6: 16}
"""Length of the addresses that a level is about."""


def _unicast(Level: int, attribute: str) -> Option:
    """For IP_UNICAST_IF the ULONG is 0.x.x.x in the order of the network, of which 24 bits are a number.

    NOT_LOCAL for what is no interface, as a number in the wrong order mostly is (BIND-32).  It is told in the order of
    the host.
    """

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        if Level == IPPROTO_IP:
            value = int.from_bytes(value.to_bytes(4, "little"), "big")
        if value:
            _require_interface(socket, value)
        setattr(socket.options, attribute, value)
        socket.steer()

    def get_value(socket: TransportSocket) -> int:
        value: int = getattr(socket.options, attribute)
        return value

    return number(of_level(Level), set_value, get_value)


def _set_broadcasts(socket: TransportSocket, value: int, now: Instant) -> None:
    socket.options.receiving.receives_broadcasts = value != 0
    apply_to_endpoint(socket)


def _broadcasts(socket: TransportSocket) -> int:
    return int(socket.options.receiving.receives_broadcasts)


def _list_switch(Level: int) -> Option:
    length = LENGTHS[Level]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        socket.options.receiving.has_list[length] = value != 0
        apply_to_endpoint(socket)

    def get_value(socket: TransportSocket) -> int:
        return int(socket.options.receiving.has_list[length])

    return number(of_level(Level, DATAGRAM), set_value, get_value)


def _list_change(Level: int, is_added: bool) -> Option:
    """NOT_LOCAL for what is no interface, or is not listed."""
    length = LENGTHS[Level]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        interfaces = socket.options.receiving.interfaces[length]
        if is_added:
            _require_interface(socket, value)
            interfaces[value] = None
        elif value in interfaces:
            del interfaces[value]
        else:
            raise NetError(ErrorKind.NOT_LOCAL, f"interface {value} is not in the list")
        apply_to_endpoint(socket)

    return number(of_level(Level, DATAGRAM), set_value, None)


def _list(Level: int) -> Option:
    """INVALID_STATE while the list is off."""
    length = LENGTHS[Level]

    def get_list(socket: TransportSocket, OutputSize: int, OutputBuffer: Any, now: Instant) -> int:
        receiving = socket.options.receiving
        if not receiving.has_list[length]:
            raise LocalError(ErrorKind.INVALID_STATE, "IP_IFLIST is off")
        numbers = list(receiving.interfaces[length])
        if OutputSize < ULONG_SIZE * len(numbers):
            raise Refusal(STATUS_BUFFER_OVERFLOW)
        return write_ulongs(OutputBuffer, numbers)

    return Option(of_level(Level, DATAGRAM), None, get_list)


def _require_interface(socket: TransportSocket, number: int) -> None:
    if IfIndex(number) not in socket.host.stack.ip.interfaces:
        raise NetError(ErrorKind.NOT_LOCAL, f"no interface {number}")


TABLE = {
    (IPPROTO_IP, IP_UNICAST_IF): _unicast(IPPROTO_IP, "unicast_if"),
    (IPPROTO_IPV6, IPV6_UNICAST_IF): _unicast(IPPROTO_IPV6, "unicast_if6"),
    (IPPROTO_IP, IP_RECEIVE_BROADCAST): number(of_level(IPPROTO_IP, DATAGRAM), _set_broadcasts, _broadcasts),
    (IPPROTO_IP, IP_IFLIST): _list_switch(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_IFLIST): _list_switch(IPPROTO_IPV6),
    (IPPROTO_IP, IP_ADD_IFLIST): _list_change(IPPROTO_IP, is_added=True),
    (IPPROTO_IP, IP_DEL_IFLIST): _list_change(IPPROTO_IP, is_added=False),
    (IPPROTO_IPV6, IPV6_ADD_IFLIST): _list_change(IPPROTO_IPV6, is_added=True),
    (IPPROTO_IPV6, IPV6_DEL_IFLIST): _list_change(IPPROTO_IPV6, is_added=False),
    (IPPROTO_IP, IP_GET_IFLIST): _list(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_GET_IFLIST): _list(IPPROTO_IPV6),
}
