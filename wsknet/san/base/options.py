"""WSPGetSockOpt and WSPSetSockOpt ("SOL_SOCKET Socket Options", "IPPROTO_TCP Socket Options").

Values are as in memory: little-endian, a BOOL and a DWORD have four bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from wsknet.san.arguments import view_of
from wsknet.san.base import option_values as values
from wsknet.san.base.datagram_socket import DatagramSocket
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    IPPROTO_IP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_CONDITIONAL_ACCEPT,
    SO_CONNECT_TIME,
    SO_DEBUG,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_OOBINLINE,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDTIMEO,
    SO_TYPE,
    SOCKET_ERROR,
    SOL_SOCKET,
    TCP_NODELAY,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
)
from wsknet.san.structures import INT

if TYPE_CHECKING:
    from wsknet.san.base.provider import TcpipProvider

SIZE = 4
"""Of every value here: BOOL, DWORD, and the two unsigned shorts of a LINGER."""
_LEVELS = (SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP)

_Get: TypeAlias = Callable[[Any, Any], int]
_Set: TypeAlias = Callable[[Any, int], None]


class _Option(NamedTuple):
    """`get` takes the socket and the instant; of a socket that is not a `kind` it is WSAENOPROTOOPT."""

    get: _Get
    set: _Set | None = None
    kind: type = object


_OPTIONS: dict[tuple[int, int], _Option] = {
    (SOL_SOCKET, SO_DEBUG): _Option(values.get_debug, values.set_debug),
    (SOL_SOCKET, SO_DONTROUTE): _Option(values.get_unrouted, values.set_unrouted),
    (SOL_SOCKET, SO_REUSEADDR): _Option(values.get_reuse, values.set_reuse),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE): _Option(values.get_exclusive, values.set_exclusive),
    (SOL_SOCKET, SO_TYPE): _Option(lambda socket, now: int(socket.type)),
    (SOL_SOCKET, SO_ERROR): _Option(values.take_error),
    (SOL_SOCKET, SO_SNDBUF): _Option(values.get_send_buffer, values.set_send_buffer),
    (SOL_SOCKET, SO_RCVBUF): _Option(values.get_receive_buffer, values.set_receive_buffer),
    (SOL_SOCKET, SO_SNDTIMEO): _Option(values.get_send_timeout, values.set_send_timeout),
    (SOL_SOCKET, SO_RCVTIMEO): _Option(values.get_receive_timeout, values.set_receive_timeout),
    (SOL_SOCKET, SO_ACCEPTCONN): _Option(values.get_listening, kind=StreamSocket),
    (SOL_SOCKET, SO_KEEPALIVE): _Option(values.get_keep_alive, values.set_keep_alive, StreamSocket),
    (SOL_SOCKET, SO_LINGER): _Option(values.get_linger, values.set_linger, StreamSocket),
    (SOL_SOCKET, SO_DONTLINGER): _Option(values.get_no_linger, values.set_no_linger, StreamSocket),
    (SOL_SOCKET, SO_OOBINLINE): _Option(values.get_inline, values.set_inline, StreamSocket),
    (SOL_SOCKET, SO_CONDITIONAL_ACCEPT): _Option(values.get_conditional, values.set_conditional, StreamSocket),
    (SOL_SOCKET, SO_CONNECT_TIME): _Option(values.get_connect_time, kind=StreamSocket),
    (SOL_SOCKET, SO_BROADCAST): _Option(values.get_broadcast, values.set_broadcast, DatagramSocket),
    (SOL_SOCKET, SO_MAX_MSG_SIZE): _Option(values.get_max_message, kind=DatagramSocket),
    (IPPROTO_TCP, TCP_NODELAY): _Option(values.get_no_delay, values.set_no_delay, StreamSocket),
}


class OptionFunctions:
    """WSAEINVAL for a level that nobody knows, WSAENOPROTOOPT for an option that the socket does not have."""

    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(SOCKET_ERROR)
    def WSPGetSockOpt(self, s: Any, level: Any, optname: Any, optval: Any, optlen: Any) -> int:
        socket = self._sockets.find(s)
        option = _find(socket, level, optname)
        if not isinstance(optlen, INT):
            raise WinsockError(WSAEFAULT)
        room = view_of(optval, optlen.Value, least=SIZE, is_filled=True)
        with self._provider.host.pump as now:
            value = option.get(socket, now)
        room[:SIZE] = value.to_bytes(SIZE, "little")
        optlen.Value = SIZE
        return 0

    @answers(SOCKET_ERROR)
    def WSPSetSockOpt(self, s: Any, level: Any, optname: Any, optval: Any, optlen: Any) -> int:
        socket = self._sockets.find(s)
        option = _find(socket, level, optname)
        if option.set is None:
            raise WinsockError(WSAENOPROTOOPT)
        value = int.from_bytes(view_of(optval, optlen, least=SIZE)[:SIZE], "little")
        with self._provider.host.pump as now:
            option.set(socket, value)
            socket.settle(now)
        return 0


def _find(socket: Any, level: Any, optname: Any) -> _Option:
    if not isinstance(level, int) or level not in _LEVELS:
        raise WinsockError(WSAEINVAL)
    option = _OPTIONS.get((level, optname)) if isinstance(optname, int) else None
    if option is None or not isinstance(socket, option.kind):
        raise WinsockError(WSAENOPROTOOPT)
    return option
