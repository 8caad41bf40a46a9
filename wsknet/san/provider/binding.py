"""WSPBind: the local name of a companion socket (SAN-3).  Read creating-and-binding-san-sockets before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.arguments import read_name
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    AF_INET,
    NO_ERROR,
    SOCKET_ERROR,
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENOBUFS,
)
from wsknet.san.policy import Wildcard
from wsknet.san.provider.states import Cause, SocketState

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.san.sockaddr import SOCKADDR_IN, Name


@answers(SOCKET_ERROR)
def WSPBind(process: Process, s: int, name: Name, namelen: int) -> int:
    """Give an unbound socket its name.  Zero, or SOCKET_ERROR with the first of these that holds (SAN-3.3):

    - WSAENOTSOCK: `s` is no socket of this process, also with a bad pointer;
    - WSAEFAULT: `name` or `namelen` is no sockaddr_in, then: its family is not that of the socket;
    - WSAEINVAL: the socket has a name already;
    - WSAENETDOWN: no NIC of the provider is up;
    - WSAEADDRNOTAVAIL: the address is not one of a NIC of the provider that is up; 0.0.0.0 under the policy `vista`;
      port 0, which the switch never passes and for which no code is documented;
    - WSAENOBUFS: the provider has as many names as it can have.

    Never WSAEADDRINUSE, however many sockets have the name: sharing is the TCP/IP provider's question, and answered.
    """
    with process.host.pump:
        socket = process.socket(s)
        address = read_name(name, namelen)
        if address.sin_family != AF_INET:
            raise WinsockError(WSAEFAULT)
        if socket.state is not SocketState.UNBOUND:
            raise WinsockError(WSAEINVAL)
        proxy = process.proxy
        if proxy.is_down:
            raise WinsockError(WSAENETDOWN)
        if not _is_available(process, address):
            raise WinsockError(WSAEADDRNOTAVAIL)
        if proxy.names.count >= process.policy.names_limit:
            raise WinsockError(WSAENOBUFS)
        socket.change(Cause.BIND)
        socket.name = address.endpoint
        proxy.names.bind(socket.name, socket)
    return NO_ERROR


def _is_available(process: Process, address: SOCKADDR_IN) -> bool:
    if not address.port:
        return False
    if address.is_wildcard:
        return process.policy.wildcard is Wildcard.PRE_VISTA
    return process.proxy.nic_with(address.sin_addr) is not None
