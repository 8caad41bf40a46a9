"""What each socket option is read from and written to.  All with the driver lock held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.base.datagram_socket import DatagramSocket
from wsknet.san.base.settings import SEND_BUFFER
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import ERRORS, WSAEINVAL
from wsknet.transport.sharing import Sharing
from wsknet.transport.udp.endpoint import MAX_DATA
from wsknet.types import SECOND

if TYPE_CHECKING:
    from wsknet.san.base.sockets import Socket
    from wsknet.types import Instant

NOT_CONNECTED = 0xFFFF_FFFF
"""SO_CONNECT_TIME of a socket without a connection."""
MAX_BUFFER = 1 << 30
"""What RFC 7323 2.3 lets a window be; SO_RCVBUF beyond it counts as this."""


def get_debug(socket: Socket, now: Instant) -> int:
    return socket.settings.is_debug


def set_debug(socket: Socket, value: int) -> None:
    socket.settings.is_debug = bool(value)


def get_unrouted(socket: Socket, now: Instant) -> int:
    return socket.settings.is_unrouted


def set_unrouted(socket: Socket, value: int) -> None:
    socket.settings.is_unrouted = bool(value)


def get_reuse(socket: Socket, now: Instant) -> int:
    return socket.settings.sharing is Sharing.REUSE


def set_reuse(socket: Socket, value: int) -> None:
    _share(socket, Sharing.REUSE, bool(value))


def get_exclusive(socket: Socket, now: Instant) -> int:
    return socket.settings.sharing is Sharing.EXCLUSIVE


def set_exclusive(socket: Socket, value: int) -> None:
    _share(socket, Sharing.EXCLUSIVE, bool(value))


def _share(socket: Socket, wanted: Sharing, is_on: bool) -> None:
    """One of the two at a time (BIND-1.1).  Counts for the next bind."""
    sharing = socket.settings.sharing
    if is_on and sharing not in (Sharing.DEFAULT, wanted):
        raise WinsockError(WSAEINVAL)
    if is_on or sharing is wanted:
        socket.settings.sharing = wanted if is_on else Sharing.DEFAULT


def take_error(socket: Socket, now: Instant) -> int:
    """SO_ERROR: reading clears it."""
    if isinstance(socket, DatagramSocket):
        error = socket.endpoint.take_error()
        return 0 if error is None else ERRORS[error]
    assert isinstance(socket, StreamSocket)
    found, socket.error = socket.error, 0
    return found


def get_send_buffer(socket: Socket, now: Instant) -> int:
    return SEND_BUFFER if socket.settings.send_buffer is None else socket.settings.send_buffer


def set_send_buffer(socket: Socket, value: int) -> None:
    socket.settings.send_buffer = value


def get_receive_buffer(socket: Socket, now: Instant) -> int:
    return socket.endpoint.receive_buffer


def set_receive_buffer(socket: Socket, value: int) -> None:
    """A window of nothing would never open: 0 is 1."""
    socket.settings.receive_buffer = socket.endpoint.receive_buffer = min(max(value, 1), MAX_BUFFER)


def get_send_timeout(socket: Socket, now: Instant) -> int:
    return socket.settings.send_timeout


def set_send_timeout(socket: Socket, value: int) -> None:
    socket.settings.send_timeout = value


def get_receive_timeout(socket: Socket, now: Instant) -> int:
    return socket.settings.receive_timeout


def set_receive_timeout(socket: Socket, value: int) -> None:
    socket.settings.receive_timeout = value


def get_listening(socket: StreamSocket, now: Instant) -> int:
    return socket.arrivals is not None


def get_keep_alive(socket: StreamSocket, now: Instant) -> int:
    return socket.endpoint.keep_alive


def set_keep_alive(socket: StreamSocket, value: int) -> None:
    socket.endpoint.keep_alive = bool(value)


def get_linger(socket: StreamSocket, now: Instant) -> int:
    """l_onoff in the lower half, l_linger in the upper."""
    linger = socket.settings.linger
    return 0 if linger is None else 1 | linger << 16


def set_linger(socket: StreamSocket, value: int) -> None:
    socket.settings.linger = value >> 16 if value & 0xFFFF else None


def get_no_linger(socket: StreamSocket, now: Instant) -> int:
    return socket.settings.linger is None


def set_no_linger(socket: StreamSocket, value: int) -> None:
    """Off is as SO_LINGER with 0 seconds would be, were it on: nobody says more, so it changes nothing."""
    if value:
        socket.settings.linger = None


def get_inline(socket: StreamSocket, now: Instant) -> int:
    return socket.settings.is_oob_inline


def set_inline(socket: StreamSocket, value: int) -> None:
    socket.settings.is_oob_inline = bool(value)


def get_conditional(socket: StreamSocket, now: Instant) -> int:
    return socket.settings.is_accept_conditional


def set_conditional(socket: StreamSocket, value: int) -> None:
    """Before listen only (SO_CONDITIONAL_ACCEPT)."""
    if socket.arrivals is not None:
        raise WinsockError(WSAEINVAL)
    socket.settings.is_accept_conditional = bool(value)


def get_connect_time(socket: StreamSocket, now: Instant) -> int:
    """Seconds."""
    return NOT_CONNECTED if socket.stream is None else int((now - socket.connected_at) // SECOND)


def get_broadcast(socket: DatagramSocket, now: Instant) -> int:
    return socket.endpoint.may_broadcast


def set_broadcast(socket: DatagramSocket, value: int) -> None:
    socket.endpoint.may_broadcast = bool(value)


def get_max_message(socket: DatagramSocket, now: Instant) -> int:
    return MAX_DATA[4]


def get_no_delay(socket: StreamSocket, now: Instant) -> int:
    return socket.endpoint.no_delay


def set_no_delay(socket: StreamSocket, value: int) -> None:
    socket.endpoint.no_delay = bool(value)
