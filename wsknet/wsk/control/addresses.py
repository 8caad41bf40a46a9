"""The addresses a socket could bind (SIO_ADDRESS_LIST_QUERY), and the one it would use (SIO_ROUTING_INTERFACE_QUERY).

Beside them, what the requests for notification compare (see `notifications`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import NetError
from wsknet.net.interface import AddressState
from wsknet.types import Endpoint, Family, is_link_local, is_loopback, is_unspecified
from wsknet.wsk.constants import AF_INET
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockaddr import remote_endpoint, sockaddr_octets, store_sockaddr
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW
from wsknet.wsk.structures import SOCKET_ADDRESS_LIST

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.sockets.transport import TransportSocket


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


def local_addresses(socket: Socket) -> list[bytes]:
    """A SOCKADDR for each address of the socket's family that can be bound: preferred, on an interface in use.

    Of the loopback interface those are left out that mean nothing outside it (SIO_ADDRESS_LIST_QUERY of Winsock).
    """
    family = Family.IPV4 if socket.family == AF_INET else Family.IPV6
    ip = socket.host.stack.ip
    may_be_down = ip.config.behaviour.binds_down_addresses
    found = []
    for interface in ip.interfaces.values():
        if not interface.is_up and not may_be_down:
            continue
        for entry in interface.addresses_of(family):
            address = entry.address
            is_for_itself = interface.is_loopback and (is_loopback(address) or is_link_local(address))
            if entry.state is AddressState.PREFERRED and not is_for_itself:
                zone = interface.index if is_link_local(address) else 0
                found.append(sockaddr_octets(socket.family, address, 0, zone))
    return found


def store_address_list(socket: Socket, OutputSize: int, OutputBuffer: Any, OutputSizeReturned: Any) -> int:
    """SIO_ADDRESS_LIST_QUERY.  Bytes written or, in OutputSizeReturned alone, needed.

    Raises `Refusal` STATUS_BUFFER_OVERFLOW.
    """
    octets = SOCKET_ADDRESS_LIST.of(local_addresses(socket))
    if OutputSizeReturned is not None:
        OutputSizeReturned[:] = [len(octets)]
    if OutputBuffer is None or min(OutputSize, len(OutputBuffer)) < len(octets):
        raise Refusal(STATUS_BUFFER_OVERFLOW)
    OutputBuffer[: len(octets)] = octets
    return len(octets)


def route_probe(socket: TransportSocket, destination: Any) -> Callable[[], Any]:
    """What SIO_ROUTING_INTERFACE_CHANGE watches: the way to `destination`, or for the wildcard all routes.

    Raises `LocalError` INVALID_ARGUMENT, `NetError` NOT_LOCAL (an IPv4-mapped address and IPV6_V6ONLY).
    """
    ip = socket.host.stack.ip
    to = remote_endpoint(destination, socket.family, socket.is_dual)
    if is_unspecified(to.address):
        lengths = (4, 16) if socket.is_dual and len(to.address) == 16 else (len(to.address),)
        return lambda: [
            (route, ip.interfaces[route.if_index].is_up, ip.interfaces[route.if_index].metric)
            for route in ip.routes
            if len(route.prefix) in lengths
        ]
    return lambda: _way(socket, to)


def _way(socket: TransportSocket, to: Endpoint) -> Any:
    through = socket.options.unicast_interfaces[len(to.address)]
    try:
        path = socket.host.stack.ip.path(to.address, None, to.zone, None, through)
    except NetError as error:
        return error.kind
    return path.interface.index, path.next_hop, path.source
