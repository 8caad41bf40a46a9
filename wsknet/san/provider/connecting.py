"""WSPConnect: ask the provider on the peer's host for a connection (SAN-6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.san.arguments import read_destination
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    ERRORS,
    SOCKET_ERROR,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEALREADY,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from wsknet.san.provider.attempt import Attempt
from wsknet.san.provider.channel import Channel
from wsknet.san.provider.native import Request
from wsknet.san.provider.states import Cause, SocketState
from wsknet.san.sockaddr import ANY
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


@answers(SOCKET_ERROR)
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
        remote = read_destination(name, namelen)
        if lpSQOS is not None or lpGQOS is not None:
            raise WinsockError(WSAEOPNOTSUPP)
        if socket.state in _REFUSALS:
            raise WinsockError(_REFUSALS[socket.state])
        _start(socket, _nic_for(socket, remote), remote, now)
    raise WinsockError(WSAEWOULDBLOCK)


def _nic_for(socket: SanSocket, remote: Endpoint) -> NicAddress:
    proxy, name = socket.process.proxy, socket.name
    if name is None or name.address == ANY:
        raise WinsockError(WSAEINVAL)
    if proxy.is_down:
        raise WinsockError(WSAENETDOWN)
    is_peer = remote.port and remote.address not in (ANY, BROADCAST) and not is_multicast(remote.address)
    if not is_peer or proxy.nic_with(name.address) is None:
        raise WinsockError(WSAEADDRNOTAVAIL)
    nic = proxy.nic_towards(name.address, remote.address)
    if nic is None:
        raise WinsockError(WSAENETUNREACH)
    return nic


def _start(socket: SanSocket, nic: NicAddress, remote: Endpoint, now: Instant) -> None:
    process, name = socket.process, socket.name
    assert name is not None
    names = process.proxy.names
    if not names.connect(name, remote, socket):
        raise WinsockError(WSAEADDRINUSE)
    endpoint = process.host.stack.tcp.open(Cover.IPV4)
    try:
        local = LocalName(Cover.IPV4, nic.address, 0, nic.zone)
        endpoint.bind(local, now, choice=PortChoice.AT_CONNECT)
        endpoint.connect(Endpoint(remote.address, process.policy.native_port, nic.zone), now)
    except NetError as error:
        names.disconnect(name, remote, socket)
        endpoint.close(now)
        raise WinsockError(ERRORS[error.kind]) from None
    socket.change(Cause.CONNECT)
    socket.remote = remote
    socket.channel = Channel(process.host, endpoint, socket)
    socket.attempt = Attempt(socket, nic.nic, remote, now)
    socket.channel.send(Request(name, remote), now)
