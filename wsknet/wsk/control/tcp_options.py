"""Options of IPPROTO_TCP (WSK-5.5; "IPPROTO_TCP socket options" of Winsock), but for the two in `socket_options`.

Of some nothing is documented but a number, so they answer STATUS_NOT_SUPPORTED: TCP_STDURG, TCP_NOURG, TCP_ATMARK,
TCP_NOSYNRETRIES (SIO_TCP_INITIAL_RTO does what the name promises), TCP_CONGESTION_ALGORITHM (its values are unknown),
TCP_DELAY_FIN_ACK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.tcp_policy import KeepAlive, OptionUse
from wsknet.transport.tcp.settings import DEFAULT_SETTINGS, NEVER, TcpSettings
from wsknet.types import MILLISECOND, SECOND, Duration, is_link_local
from wsknet.wsk.constants import (
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    TCP_BSDURGENT,
    TCP_EXPEDITED_1122,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_ICMP_ERROR_INFO,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    TCP_MAXSEG,
    TCP_OFFLOAD_PREFERENCE,
    TCP_TIMESTAMPS,
)
from wsknet.wsk.control.memory import write_structure
from wsknet.wsk.control.option import CONNECTION, LISTEN, Option, apply_to_endpoint, number, of_transport
from wsknet.wsk.sockaddr import sockaddr_octets
from wsknet.wsk.sockets.states import BOUND, CREATED, LISTENING
from wsknet.wsk.structures_tcp import ICMP_ERROR_INFO, TCP_OFFLOAD_PREFERRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Instant
    from wsknet.wsk.sockets.connection import ConnectionSocket
    from wsknet.wsk.sockets.transport import TransportSocket

FOR_EVER = 0xFFFFFFFF
"""-1 of TCP_MAXRT."""
MOST_KEEP_ALIVE_PROBES = 255
"""Illegal is what lies above (TCP_KEEPCNT)."""


class Redirection(NamedTuple):
    """What a Windows filter leaves for a connection that it has redirected, see `redirect`."""

    records: bytes
    context: bytes | None


class TcpValues(NamedTuple):
    """What a socket was told of TCP, beyond what `Options` has of its own.  Accepted sockets begin with those of their
    listener."""

    settings: TcpSettings = DEFAULT_SETTINGS
    keep_alive: KeepAlive | None = None
    """`None`: as the policy has it."""
    user_timeout: Duration | None = None
    """As `TcpEndpoint.user_timeout`."""
    is_expedited: bool | None = None
    """TCP_EXPEDITED_1122 and, inverted, TCP_BSDURGENT.  `None`: not chosen yet, so BSD."""
    offload_preference: int = 0
    redirection: Redirection | None = None
    redirect_records: bytes = b""
    """SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS."""


NOTHING_TOLD = TcpValues()


def apply_values(endpoint: TcpEndpoint, values: TcpValues) -> None:
    """Let the endpoint know of those that it has to do with."""
    if values is not NOTHING_TOLD:
        endpoint.settings = values.settings
        endpoint.user_timeout = values.user_timeout
        if values.keep_alive is not None:
            endpoint.keep_alive_settings = values.keep_alive


def tell(socket: TransportSocket, **values: Any) -> None:
    """Change some of the `TcpValues`."""
    socket.options.tcp = socket.options.tcp._replace(**values)
    apply_to_endpoint(socket)


def tell_settings(socket: TransportSocket, **settings: Any) -> None:
    """Change some of the `TcpSettings`."""
    tell(socket, settings=socket.options.tcp.settings._replace(**settings))


def require_no_handshake(socket: TransportSocket) -> None:
    """For what the handshake settles: too late (D-17) on a socket that has begun it."""
    if socket.state not in (CREATED, BOUND, LISTENING):
        raise LocalError(ErrorKind.INVALID_STATE)


# Keep-alive


def keep_alive_of(socket: TransportSocket) -> KeepAlive:
    told = socket.options.tcp.keep_alive
    return socket.host.stack.config.behaviour.tcp.keep_alive if told is None else told


def _keep_alive(attribute: str, unit: Duration, most: int) -> Option:
    """A number from 1 to `most`: with 0 there would be no end to the probes of one moment, or none at all."""

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        if not 1 <= value <= most:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        tell(socket, keep_alive=keep_alive_of(socket)._replace(**{attribute: value * unit}))

    def get_value(socket: TransportSocket) -> int:
        value: int = getattr(keep_alive_of(socket), attribute)
        return value // unit

    return number(_TCP, set_value, get_value)


# User timeout


def _user_timeout(unit: Duration) -> Option:
    """0 stands for as many repeats as the system makes, and is told where nothing was set: an assumption, from how
    cygwin maps TCP_USER_TIMEOUT to these options."""

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        tell(socket, user_timeout=NEVER if value == FOR_EVER else value * unit or None)

    def get_value(socket: TransportSocket) -> int:
        duration = socket.options.tcp.user_timeout or 0
        return FOR_EVER if duration == NEVER else min(duration // unit, FOR_EVER - 1)

    return number(_TCP, set_value, get_value)


# Segments


def _segment_size(socket: ConnectionSocket) -> int:
    size: int | None = None if socket.endpoint is None else socket.endpoint.segment_size
    if size is None:
        raise LocalError(ErrorKind.INVALID_STATE, "there is no connection")
    return size


def _set_timestamps(socket: TransportSocket, value: int, now: Instant) -> None:
    require_no_handshake(socket)
    tell_settings(socket, timestamps=OptionUse.ASK if value else OptionUse.OFF)


def _timestamps(socket: TransportSocket) -> int:
    told = socket.options.tcp.settings.timestamps
    use = socket.host.stack.config.behaviour.tcp.timestamps if told is None else told
    return int(use is OptionUse.ASK)


def _set_preference(socket: TransportSocket, value: int, now: Instant) -> None:
    if value > TCP_OFFLOAD_PREFERRED:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    tell(socket, offload_preference=value)  # a wish, to which no hardware listens here


def _urgent(is_expedited: Callable[[int], bool]) -> Option:
    """Once chosen it stays (documented of both).  WSK can neither send nor tell urgent data (R-202), so no segment
    depends on it."""

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        chosen = socket.options.tcp.is_expedited
        if chosen is not None and chosen != is_expedited(value):
            raise LocalError(ErrorKind.INVALID_STATE)
        tell(socket, is_expedited=is_expedited(value))

    def get_value(socket: TransportSocket) -> int:
        return int(is_expedited(1) == bool(socket.options.tcp.is_expedited))

    return number(_TCP, set_value, get_value)


# ICMP errors

_UNREACHABLE = {
    4: {
        IcmpErrorKind.NETWORK_UNREACHABLE: 0,
        IcmpErrorKind.HOST_UNREACHABLE: 1,
        IcmpErrorKind.PROTOCOL_UNREACHABLE: 2,
        IcmpErrorKind.PORT_UNREACHABLE: 3,
        IcmpErrorKind.ADMIN_PROHIBITED: 13,
    },
    16: {
        IcmpErrorKind.NETWORK_UNREACHABLE: 0,
        IcmpErrorKind.ADMIN_PROHIBITED: 1,
        IcmpErrorKind.HOST_UNREACHABLE: 3,
        IcmpErrorKind.PORT_UNREACHABLE: 4,
    },
}
"""Codes of "destination unreachable" (RFC 792, RFC 1812 5.2.7.1; RFC 4443 3.1), by address length.  Of those that mean
the same to a sender the most usual one."""
_UNREACHABLE_TYPE = {4: 3, 16: 1}
_TIME_EXCEEDED_TYPE = {4: 11, 16: 3}
_PARAMETER_PROBLEM_TYPE = {4: 12, 16: 4}
_UNRECOGNIZED_NEXT_HEADER = 1
"""RFC 4443 3.4: over IPv6 the code of a parameter problem tells that there is no such protocol."""


def _set_fails(socket: TransportSocket, value: int, now: Instant) -> None:
    tell_settings(socket, fails_on_icmp_error=value != 0)


def _fails(socket: TransportSocket) -> int:
    return int(socket.options.tcp.settings.fails_on_icmp_error)


def _icmp_error(socket: ConnectionSocket, OutputSize: int, OutputBuffer: Any, now: Instant) -> int:
    """Nothing is written if no error has come since the latest connect."""
    if not socket.options.tcp.settings.fails_on_icmp_error:
        raise LocalError(ErrorKind.INVALID_STATE)
    error = None if socket.endpoint is None else socket.endpoint.icmp_error
    if error is None:
        return 0
    length = len(error.reporter)
    unreachable = _UNREACHABLE[length]
    if error.kind in unreachable:
        kind, code = _UNREACHABLE_TYPE[length], unreachable[error.kind]
    elif error.kind is IcmpErrorKind.TIME_EXCEEDED:
        kind, code = _TIME_EXCEEDED_TYPE[length], error.code
    elif error.kind is IcmpErrorKind.PROTOCOL_UNREACHABLE:
        kind, code = _PARAMETER_PROBLEM_TYPE[length], _UNRECOGNIZED_NEXT_HEADER
    else:
        kind, code = _PARAMETER_PROBLEM_TYPE[length], error.code
    zone = error.zone if is_link_local(error.reporter) else 0
    source = bytearray(sockaddr_octets(socket.family, error.reporter, 0, zone))
    protocol = IPPROTO_ICMP if length == 4 else IPPROTO_ICMPV6
    return write_structure(ICMP_ERROR_INFO(source, protocol, kind, code), OutputSize, OutputBuffer)


_TCP = of_transport(LISTEN | CONNECTION)
_CONNECTION = of_transport(CONNECTION)

TABLE = {
    (IPPROTO_TCP, TCP_KEEPIDLE): _keep_alive("idle", SECOND, FOR_EVER),
    (IPPROTO_TCP, TCP_KEEPINTVL): _keep_alive("interval", SECOND, FOR_EVER),
    (IPPROTO_TCP, TCP_KEEPCNT): _keep_alive("probes", 1, MOST_KEEP_ALIVE_PROBES),
    (IPPROTO_TCP, TCP_MAXRT): _user_timeout(SECOND),
    (IPPROTO_TCP, TCP_MAXRTMS): _user_timeout(MILLISECOND),
    (IPPROTO_TCP, TCP_MAXSEG): number(_CONNECTION, None, _segment_size),
    (IPPROTO_TCP, TCP_TIMESTAMPS): number(_TCP, _set_timestamps, _timestamps),
    (IPPROTO_TCP, TCP_OFFLOAD_PREFERENCE): number(
        _TCP, _set_preference, lambda socket: socket.options.tcp.offload_preference
    ),
    (IPPROTO_TCP, TCP_EXPEDITED_1122): _urgent(lambda value: value != 0),
    (IPPROTO_TCP, TCP_BSDURGENT): _urgent(lambda value: value == 0),
    (IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR): number(_CONNECTION, _set_fails, _fails),
    (IPPROTO_TCP, TCP_ICMP_ERROR_INFO): Option(_CONNECTION, None, _icmp_error),
}
