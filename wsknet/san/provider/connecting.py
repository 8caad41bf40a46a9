"""WSPConnect: ask the provider on the peer's host for a connection (SAN-6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.san.numbers import (
    AF_INET,
    ERRORS,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from wsknet.san.provider.answers import Failed, answers
from wsknet.san.provider.arguments import read_name
from wsknet.san.provider.attempt import Attempt
from wsknet.san.provider.channel import Channel
from wsknet.san.provider.names import WILDCARD
from wsknet.san.provider.native import Request
from wsknet.san.provider.states import Cause, SocketState
from wsknet.transport.ports import PortChoice
from wsknet.types import Cover, Endpoint, LocalName, is_multicast

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.proxy import NicAddress
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.san.sockaddr import Name
    from wsknet.types import Instant

_REFUSALS = {
    SocketState.UNBOUND: WSAEINVAL,
    SocketState.LISTENING: WSAEINVAL,
    SocketState.HANDED_OVER: WSAEINVAL,
    SocketState.CONNECTING: WSAEALREADY,
    SocketState.CONNECTED: WSAEISCONN,
    SocketState.BROKEN: WSAEISCONN,
}
BROADCAST = b"\xff" * 4


@answers()
def WSPConnect(
    process: Process,
    s: int,
    name: Name,
    namelen: int,
    lpCallerData: object,
    lpCalleeData: object,
    lpSQOS: object,
    lpGQOS: object,
) -> int:
    """Begin to connect a socket with a full name.  It never blocks: SOCKET_ERROR with WSAEWOULDBLOCK, and FD_CONNECT
    later, with WSPEnumNetworkEvents for its error.

    At once: WSAEFAULT, WSAEAFNOSUPPORT, WSAEOPNOTSUPP (quality of service is wanted), WSAEALREADY, WSAEISCONN,
    WSAEINVAL (no name, or a wildcard, for the provider picks no address), WSAENETDOWN, WSAEADDRNOTAVAIL (no address
    of a peer, or our own is gone), WSAENETUNREACH (not on the subnet of the NIC), WSAEADDRINUSE (a connection between
    these two names exists).  Later: see `Attempt`.  TCP carries no connect data, so none is taken.
    """
    with process.host.pump as now:
        socket = process.socket(s)
        address = read_name(name, namelen)
        if address is None:
            raise Failed(WSAEFAULT)
        if address.sin_family != AF_INET:
            raise Failed(WSAEAFNOSUPPORT)
        if lpSQOS is not None or lpGQOS is not None:
            raise Failed(WSAEOPNOTSUPP)
        if socket.state in _REFUSALS:
            raise Failed(_REFUSALS[socket.state])
        nic = _nic_for(socket, address.endpoint)
        _start(socket, nic, address.endpoint, now)
    raise Failed(WSAEWOULDBLOCK)


def _nic_for(socket: SanSocket, remote: Endpoint) -> NicAddress:
    proxy, name = socket.process.proxy, socket.name
    if name is None or name.address == WILDCARD:
        raise Failed(WSAEINVAL)
    if proxy.is_down:
        raise Failed(WSAENETDOWN)
    is_peer = remote.port and remote.address not in (WILDCARD, BROADCAST) and not is_multicast(remote.address)
    if not is_peer or proxy.nic_with(name.address) is None:
        raise Failed(WSAEADDRNOTAVAIL)
    nic = proxy.nic_towards(name.address, remote.address)
    if nic is None:
        raise Failed(WSAENETUNREACH)
    return nic


def _start(socket: SanSocket, nic: NicAddress, remote: Endpoint, now: Instant) -> None:
    process, name = socket.process, socket.name
    assert name is not None
    names = process.proxy.names
    if not names.connect(name, remote, socket):
        raise Failed(WSAEADDRINUSE)
    endpoint = process.host.stack.tcp.open(Cover.IPV4)
    try:
        local = LocalName(Cover.IPV4, nic.address, 0, nic.zone)
        endpoint.bind(local, now, choice=PortChoice.AT_CONNECT)
        endpoint.connect(Endpoint(remote.address, process.policy.native_port, nic.zone), now)
    except NetError as error:
        names.disconnect(name, remote, socket)
        endpoint.close(now)
        raise Failed(ERRORS[error.kind]) from None
    socket.change(Cause.CONNECT)
    socket.remote = remote
    socket.channel = Channel(process.host, endpoint, socket)
    socket.attempt = Attempt(socket, nic.nic, remote, now)
    socket.channel.send(Request(name, remote), now)
