"""Options that are a number kept in `Options`, most of SOL_SOCKET (WSK-5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    AF_INET6,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_V6ONLY,
    SO_BROADCAST,
    SO_DONTROUTE,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SOL_SOCKET,
    TCP_FASTOPEN,
    TCP_NODELAY,
)
from wsknet.wsk.control.option import (
    CONNECTION,
    DATAGRAM,
    LISTEN,
    TRANSPORT,
    Belongs,
    Option,
    apply_to_endpoint,
    number,
    of_categories,
    of_transport,
)

if TYPE_CHECKING:
    from wsknet.types import Instant

RIVALS = {"reuse": "exclusive", "exclusive": "reuse", "random_port": "reuse_unicast_port"}
"""Options, and those that keep them from being set."""

SMALLEST_RECEIVE_BUFFER = 1


def _boolean(attribute: str, belongs: Belongs, is_before_bind: bool = False) -> Option:
    rival = RIVALS.get(attribute)

    def set_value(socket: Any, value: int, now: Instant) -> None:
        if rival is not None and value and getattr(socket.options, rival):
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        setattr(socket.options, attribute, int(value != 0))
        apply_to_endpoint(socket)

    def get_value(socket: Any) -> int:
        value: int = getattr(socket.options, attribute)
        return value

    return number(belongs, set_value, get_value, is_before_bind)


def _set_receive_buffer(socket: Any, value: int, now: Instant) -> None:
    if value < SMALLEST_RECEIVE_BUFFER:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.options.receive_buffer = value
    apply_to_endpoint(socket)


def _receive_buffer(socket: Any) -> int:
    value: int = socket.options.receive_buffer
    return value


def _is_ipv6(socket: Any) -> bool:
    return bool(socket.family == AF_INET6)


_ANY = of_categories(TRANSPORT)
_STREAM = of_categories(LISTEN | CONNECTION)

TABLE = {
    (SOL_SOCKET, SO_REUSEADDR): _boolean("reuse", _ANY, is_before_bind=True),
    (SOL_SOCKET, SO_EXCLUSIVEADDRUSE): _boolean("exclusive", _ANY, is_before_bind=True),
    (SOL_SOCKET, SO_RANDOMIZE_PORT): _boolean("random_port", _ANY, is_before_bind=True),
    (SOL_SOCKET, SO_PORT_SCALABILITY): _boolean("port_scalability", _ANY, is_before_bind=True),
    (SOL_SOCKET, SO_REUSE_UNICASTPORT): _boolean("reuse_unicast_port", _ANY, is_before_bind=True),
    (SOL_SOCKET, SO_KEEPALIVE): _boolean("keep_alive", _STREAM),
    (SOL_SOCKET, SO_BROADCAST): _boolean("broadcast", of_categories(DATAGRAM)),
    (SOL_SOCKET, SO_DONTROUTE): _boolean("dont_route", _ANY),
    (SOL_SOCKET, SO_RCVBUF): number(_ANY, _set_receive_buffer, _receive_buffer),
    (IPPROTO_IPV6, IPV6_V6ONLY): _boolean("v6only", _is_ipv6, is_before_bind=True),
    (IPPROTO_TCP, TCP_NODELAY): _boolean("no_delay", of_transport(LISTEN | CONNECTION)),
    (IPPROTO_TCP, TCP_FASTOPEN): _boolean("fast_open", of_transport(LISTEN | CONNECTION)),
}
"""Of SOL_SOCKET there are those that pages about WSK know, and those about ports (BIND-4).  What else Winsock has
belongs to its own layer: buffering, blocking and lingering (SO_SNDBUF, SO_SNDTIMEO, SO_LINGER), out-of-band data
(SO_OOBINLINE), and what a kernel program knows of its socket without asking (SO_TYPE, SO_ACCEPTCONN, SO_ERROR)."""
