"""Options of IPPROTO_UDP, of datagram sockets (IPPROTO_UDP Socket Options)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    AF_INET6,
    IPPROTO_UDP,
    SOCK_DGRAM,
    UDP_CHECKSUM_COVERAGE,
    UDP_COALESCED_INFO,
    UDP_NOCHECKSUM,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
)
from wsknet.wsk.control.option import DATAGRAM, apply_to_endpoint, number, stands_for

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.sockets.transport import TransportSocket


def _is_udp(socket: Any) -> bool:
    return stands_for(socket) == DATAGRAM and bool(socket.socket_type == SOCK_DGRAM)


def _set_checksum(socket: TransportSocket, is_on: bool) -> None:
    """NOT_SUPPORTED to do without it on sockets for IPv6, dual-stack ones included: so says the page."""
    if socket.family == AF_INET6 and not is_on:
        raise LocalError(ErrorKind.NOT_SUPPORTED, "no UDP without a checksum over IPv6")
    socket.options.sending.has_checksum = is_on
    socket.steer()


def _set_no_checksum(socket: TransportSocket, value: int, now: Instant) -> None:
    _set_checksum(socket, value == 0)


def _set_coverage(socket: TransportSocket, value: int, now: Instant) -> None:
    """The same said the other way round: "when TRUE, UDP datagrams are sent with a checksum"."""
    _set_checksum(socket, value != 0)


def _set_message_size(socket: TransportSocket, value: int, now: Instant) -> None:
    """Any number: whether it fits the path is seen at each send."""
    socket.options.sending.message_size = value
    socket.steer()


def _set_coalesced_size(socket: TransportSocket, value: int, now: Instant) -> None:
    receiving = socket.options.receiving
    receiving.coalesced_size = value
    wanted = (IPPROTO_UDP, UDP_COALESCED_INFO)
    receiving.control_info = receiving.control_info | {wanted} if value else receiving.control_info - {wanted}
    apply_to_endpoint(socket)


TABLE = {
    (IPPROTO_UDP, UDP_NOCHECKSUM): number(
        _is_udp, _set_no_checksum, lambda socket: int(not socket.options.sending.has_checksum)
    ),
    (IPPROTO_UDP, UDP_CHECKSUM_COVERAGE): number(
        _is_udp, _set_coverage, lambda socket: int(socket.options.sending.has_checksum)
    ),
    (IPPROTO_UDP, UDP_SEND_MSG_SIZE): number(
        _is_udp, _set_message_size, lambda socket: int(socket.options.sending.message_size)
    ),
    (IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE): number(
        _is_udp, _set_coalesced_size, lambda socket: int(socket.options.receiving.coalesced_size)
    ),
}
