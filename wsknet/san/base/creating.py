"""WSPSocket and WSPDuplicateSocket, and the two rows of the Winsock catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.arguments import asked_protocol, number
from wsknet.san.base.datagram_socket import DatagramSocket
from wsknet.san.base.descriptors import Duplicates
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.guids import TCPIP_PROVIDER
from wsknet.san.numbers import (
    AF_INET,
    FROM_PROTOCOL_INFO,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PFL_MATCHES_PROTOCOL_ZERO,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOCKET_ERROR,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESOCKTNOSUPPORT,
    XP1_CONNECTIONLESS,
    XP1_EXPEDITED_DATA,
    XP1_GRACEFUL_CLOSE,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
    XP1_IFS_HANDLES,
    XP1_MESSAGE_ORIENTED,
    XP1_SUPPORT_BROADCAST,
)
from wsknet.san.structures import WSAPROTOCOL_INFOW
from wsknet.transport.udp.endpoint import MAX_DATA

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.sockets import Socket

_FLAGS = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT
_PROTOCOLS = {SOCK_STREAM: IPPROTO_TCP, SOCK_DGRAM: IPPROTO_UDP}


def _row(name: str, entry: int, kind: int, services: int, message: int) -> WSAPROTOCOL_INFOW:
    row = WSAPROTOCOL_INFOW(name, TCPIP_PROVIDER)
    row.dwCatalogEntryId = entry
    row.iSocketType = kind
    row.iProtocol = _PROTOCOLS[kind]
    row.dwServiceFlags1 = services | XP1_IFS_HANDLES
    row.dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO
    row.dwMessageSize = message
    return row


_STREAM = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA
_DATAGRAM = XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST
TCP = _row("MSAFD Tcpip [TCP/IP]", 1001, SOCK_STREAM, _STREAM, 0)
"""As ``netsh winsock show catalog`` lists it."""
UDP = _row("MSAFD Tcpip [UDP/IP]", 1002, SOCK_DGRAM, _DATAGRAM, MAX_DATA[4])


class CreateFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(INVALID_SOCKET)
    def WSPSocket(self, af: Any, type_: Any, protocol: Any, lpProtocolInfo: Any, g: Any, dwFlags: Any) -> int:
        """FROM_PROTOCOL_INFO takes a value from lpProtocolInfo; the structure that WSPDuplicateSocket has filled gives
        another descriptor of that socket, whatever else is asked for."""
        self._sockets.check_open()
        if lpProtocolInfo is not None and not isinstance(lpProtocolInfo, WSAPROTOCOL_INFOW):
            raise WinsockError(WSAEFAULT)
        host = self._provider.host
        if lpProtocolInfo is not None and lpProtocolInfo.dwServiceFlags2:
            with host.pump:
                found = Duplicates.of(host).find(lpProtocolInfo.dwServiceFlags2)
                if found is None:
                    raise WinsockError(WSAEINVAL)
                return self._sockets.add(found)
        flags = number(dwFlags)
        if flags & ~_FLAGS:
            raise WinsockError(WSAEINVAL)
        kind = _kind(*_asked(af, type_, protocol, lpProtocolInfo))
        with host.pump:
            make: Any = StreamSocket if kind == SOCK_STREAM else DatagramSocket
            socket: Socket = make(host, self._provider.account, bool(flags & WSA_FLAG_OVERLAPPED))
            return self._sockets.add(socket)

    @answers(SOCKET_ERROR)
    def WSPDuplicateSocket(self, s: Any, dwProcessId: Any, lpProtocolInfo: Any) -> int:
        """What the other process gives to its WSPSocket.  The socket is one: options, mode and events are shared."""
        socket = self._sockets.find(s)
        if not isinstance(dwProcessId, int):
            raise WinsockError(WSAEINVAL)
        if not isinstance(lpProtocolInfo, WSAPROTOCOL_INFOW):
            raise WinsockError(WSAEFAULT)
        row = TCP if socket.type == SOCK_STREAM else UDP
        lpProtocolInfo.assign(row)
        with self._provider.host.pump:
            lpProtocolInfo.dwServiceFlags2 = Duplicates.of(self._provider.host).number_of(socket)
        return 0


def _asked(af: Any, kind: Any, protocol: Any, info: WSAPROTOCOL_INFOW | None) -> tuple[Any, Any, Any]:
    """What the caller leaves to `info` is taken from there.  WSAEINVAL without one."""
    if info is None:
        if FROM_PROTOCOL_INFO in (af, kind, protocol):
            raise WinsockError(WSAEINVAL)
        return af, kind, protocol
    return asked_protocol(af, kind, protocol, info)


def _kind(af: Any, wanted: Any, protocol: Any) -> int:
    """SOCK_STREAM or SOCK_DGRAM; of type and protocol either may be 0.  WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT,
    WSAEPROTONOSUPPORT, WSAEPROTOTYPE."""
    if af != AF_INET:
        raise WinsockError(WSAEAFNOSUPPORT)
    for kind, own in _PROTOCOLS.items():
        if wanted in (0, kind) and protocol in (own, 0) and (wanted or protocol):
            return kind
    if wanted not in (0, SOCK_STREAM, SOCK_DGRAM):
        raise WinsockError(WSAESOCKTNOSUPPORT)
    raise WinsockError(WSAEPROTOTYPE if protocol in (IPPROTO_TCP, IPPROTO_UDP) else WSAEPROTONOSUPPORT)
