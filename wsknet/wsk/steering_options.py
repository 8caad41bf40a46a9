"""IP_UNICAST_IF and IPV6_UNICAST_IF, and which local address would be used (BIND-4; ws2ipdef.h, ws2def.h).

A dual-stack socket has a value for each family, and sets that for IPv4 by the option of IPPROTO_IP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.types import IfIndex, is_link_local
from wsknet.wsk.constants import AF_INET, AF_INET6, IP_UNICAST_IF, IPPROTO_IP, IPPROTO_IPV6, IPV6_UNICAST_IF
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockaddr import remote_endpoint, sockaddr_octets, store_sockaddr
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW

if TYPE_CHECKING:
    from wsknet.wsk.sockets.transport import TransportSocket

ATTRIBUTES = {
    (IPPROTO_IP, IP_UNICAST_IF): "unicast_if",
    (IPPROTO_IPV6, IPV6_UNICAST_IF): "unicast_if6",
}


def find_value(socket: Any, Level: int, ControlCode: int) -> str | None:
    """The attribute of `Options` behind an option; `None` for what is none of these.

    It holds the number of the interface, which is what both are read back as: in the order of the host.
    """
    attribute = ATTRIBUTES.get((Level, ControlCode))
    if attribute is not None:
        if not socket.CATEGORY:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        has_level = socket.family == AF_INET6 if Level == IPPROTO_IPV6 else socket.family == AF_INET or socket.is_dual
        if not has_level:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return attribute


def set_value(socket: TransportSocket, attribute: str, value: int) -> None:
    """`value` is the ULONG as C reads it: for IPv4 0.x.x.x in the order of the network, of which 24 bits are a number.

    Raises `NetError` NOT_LOCAL for what is no interface, as a number in the wrong order mostly is (BIND-32).
    """
    if attribute == "unicast_if":
        value = int.from_bytes(value.to_bytes(4, "little"), "big")
    if value and IfIndex(value) not in socket.host.stack.ip.interfaces:
        raise NetError(ErrorKind.NOT_LOCAL, f"no interface {value}")
    setattr(socket.options, attribute, value)
    socket.steer()


def routing_interface(socket: TransportSocket, destination: Any, OutputSize: int, OutputBuffer: Any) -> int:
    """SIO_ROUTING_INTERFACE_QUERY: the address, ready to be bound with port 0, from which `destination` is reached now.

    What the socket is bound to does not count, what it sends through does.  Returns the bytes written.  Raises
    `NetError` NO_ROUTE or NOT_LOCAL, `LocalError` INVALID_ARGUMENT, `Refusal` STATUS_BUFFER_OVERFLOW.
    """
    address, _, zone = remote_endpoint(destination, socket.family, socket.is_dual)
    through = socket.options.unicast_interfaces[len(address)]
    path = socket.host.stack.ip.path(address, None, zone, None, through)
    octets = sockaddr_octets(socket.family, path.source, 0, path.zone if is_link_local(path.source) else 0)
    if OutputBuffer is None or min(OutputSize, len(bytes(OutputBuffer))) < len(octets):
        raise Refusal(STATUS_BUFFER_OVERFLOW)
    store_sockaddr(OutputBuffer, octets)
    return len(octets)
