"""Options of IPPROTO_IP and IPPROTO_IPV6 about the packets that a socket sends, and its IPV6_PROTECTION_LEVEL.

From IPPROTO_IP Socket Options, IPPROTO_IPV6 Socket Options and ws2ipdef.h.  A dual-stack socket has values for each
family, and sets those for IPv4 by the options of IPPROTO_IP.  Not there, and therefore STATUS_NOT_SUPPORTED, is what no
page describes: IPV6_HOPOPTS, IPV6_RTHDR, IPV6_RECVRTHDR (type 0 of which RFC 5095 has withdrawn) and
IPV6_NRT_INTERFACE, of which ws2ipdef.h has the number alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.net.interface import MIN_MTU
from wsknet.net.terms import UNLIMITED, Discovery
from wsknet.transport.endpoint import zone_towards
from wsknet.types import Family, LocalName
from wsknet.wire.ipv4_options import judge
from wsknet.wsk.constants import (
    IP_DONTFRAGMENT,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_OPTIONS,
    IP_TOS,
    IP_TTL,
    IP_UNSPECIFIED_HOP_LIMIT,
    IP_USER_MTU,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_DONTFRAG,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_PROTECTION_LEVEL,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_USER_MTU,
    PROTECTION_LEVEL_EDGERESTRICTED,
    PROTECTION_LEVEL_RESTRICTED,
    PROTECTION_LEVEL_UNRESTRICTED,
)
from wsknet.wsk.control.option import DATAGRAM, Option, number, of_level, stands_for
from wsknet.wsk.control.steering import LENGTHS
from wsknet.wsk.requests import Refusal
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.sockets.transport import TransportSocket

MAX_HOPS = 255
MAX_OPTIONS = 40
"""Bytes (RFC 791 3.1: a header has at most fifteen words)."""
FAMILIES = {4: Family.IPV4, 16: Family.IPV6}
PROTECTION_LEVELS = (PROTECTION_LEVEL_UNRESTRICTED, PROTECTION_LEVEL_EDGERESTRICTED, PROTECTION_LEVEL_RESTRICTED)


def _require(is_valid: bool, detail: str) -> None:
    if not is_valid:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, detail)


def _hops(Level: int) -> Option:
    """0 must not be sent (RFC 1122 3.2.1.7), and what goes to groups has options of its own."""
    length = LENGTHS[Level]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        _require(0 < value <= MAX_HOPS or value == IP_UNSPECIFIED_HOP_LIMIT, f"hops are 1 to {MAX_HOPS}")
        socket.options.sending.alter(length, hop_limit=None if value == IP_UNSPECIFIED_HOP_LIMIT else value)
        socket.steer()

    def get_value(socket: TransportSocket) -> int:
        hops = socket.options.sending.terms[length].hop_limit
        return socket.host.stack.config.behaviour.hop_limit if hops is None else hops

    return number(of_level(Level), set_value, get_value)


def _set_tos(socket: TransportSocket, value: int, now: Instant) -> None:
    _require(value <= 0xFF, "a type of service has eight bits")
    sending = socket.options.sending
    sending.tos = value
    sending.alter(4, traffic_class=0 if socket.host.stack.config.behaviour.ignores_tos else value)
    socket.steer()


def _set_traffic_class(socket: TransportSocket, value: int, now: Instant) -> None:
    _require(value <= 0xFF, "a traffic class has eight bits")
    socket.options.sending.alter(16, traffic_class=value)
    socket.steer()


def _dont_fragment(Level: int) -> Option:
    """A stream has it without being asked (WSK-5.5), and keeps to it whatever is said: the page has it for
    message-oriented protocols alone."""
    length = LENGTHS[Level]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        sending = socket.options.sending
        sending.dont_fragment[length] = value != 0
        sending.alter(length, dont_fragment=value != 0)
        socket.steer()

    def get_value(socket: TransportSocket) -> int:
        value = socket.options.sending.dont_fragment[length]
        return int(stands_for(socket) != DATAGRAM if value is None else value)

    return number(of_level(Level), set_value, get_value)


def _discovery(Level: int) -> Option:
    length = LENGTHS[Level]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        _require(value <= max(Discovery), f"there is no PMTUD_STATE {value}")
        socket.options.sending.alter(length, discovery=Discovery(value))
        socket.steer()

    def get_value(socket: TransportSocket) -> int:
        return socket.options.sending.terms[length].discovery

    return number(of_level(Level), set_value, get_value)


def _user_mtu(Level: int) -> Option:
    """Below what every link carries (RFC 791 3.2, RFC 8200 5) it is invalid; the page names no least value."""
    length = LENGTHS[Level]
    least = MIN_MTU[FAMILIES[length]]

    def set_value(socket: TransportSocket, value: int, now: Instant) -> None:
        _require(least <= value <= UNLIMITED, f"an MTU below {least}")
        socket.options.sending.alter(length, mtu=value)
        socket.steer()

    def get_value(socket: TransportSocket) -> int:
        return socket.options.sending.terms[length].mtu

    return number(of_level(Level), set_value, get_value)


def _mtu(Level: int) -> Option:
    """INVALID_STATE unless there is a peer of the family, that of a datagram socket by SIO_WSK_SET_REMOTE_ADDRESS."""
    length = LENGTHS[Level]

    def get_value(socket: TransportSocket) -> int:
        endpoint = socket.endpoint
        remote = None if endpoint is None else endpoint.remote
        if remote is None or len(remote.address) != length:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        local: LocalName = endpoint.local
        source = local.address if socket.CATEGORY == DATAGRAM else endpoint.local_endpoint.address
        through = endpoint.unicast_interfaces[length]
        mtu: int = socket.host.stack.ip.path(remote.address, source, zone_towards(local, remote), None, through).mtu
        return mtu

    return number(of_level(Level), None, get_value)


def _set_options(socket: TransportSocket, InputSize: int, InputBuffer: Any, now: Instant) -> None:
    """Whole words, as they are to stand in the header; nothing takes them back.  Source routes are refused: who gets
    the packet first would not be who was asked for, and routers drop them (RFC 7126 4.3.5)."""
    octets = b"" if InputBuffer is None else bytes(InputBuffer)[:InputSize]
    _require(len(octets) == InputSize <= MAX_OPTIONS, f"at most {MAX_OPTIONS} bytes of options")
    octets += bytes(-len(octets) % 4)
    _require(judge(octets) is None, "options that lie, or a source route")
    socket.options.sending.alter(4, options=octets)
    socket.steer()


def _get_options(socket: TransportSocket, OutputSize: int, OutputBuffer: Any, now: Instant) -> int:
    octets = socket.options.sending.terms[4].options
    if OutputSize < len(octets):
        raise Refusal(STATUS_BUFFER_OVERFLOW)
    if octets:
        _require(OutputBuffer is not None and len(OutputBuffer) >= len(octets), "no memory for the options")
        OutputBuffer[: len(octets)] = octets
    return len(octets)


def _set_protection(socket: TransportSocket, value: int, now: Instant) -> None:
    _require(value in PROTECTION_LEVELS, f"there is no protection level {value}")
    socket.options.sending.protection_level = value
    socket.steer()


TABLE = {
    (IPPROTO_IP, IP_TTL): _hops(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_UNICAST_HOPS): _hops(IPPROTO_IPV6),
    (IPPROTO_IP, IP_TOS): number(of_level(IPPROTO_IP), _set_tos, lambda socket: int(socket.options.sending.tos)),
    (IPPROTO_IPV6, IPV6_TCLASS): number(
        of_level(IPPROTO_IPV6), _set_traffic_class, lambda socket: int(socket.options.sending.terms[16].traffic_class)
    ),
    (IPPROTO_IP, IP_DONTFRAGMENT): _dont_fragment(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_DONTFRAG): _dont_fragment(IPPROTO_IPV6),
    (IPPROTO_IP, IP_MTU_DISCOVER): _discovery(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_MTU_DISCOVER): _discovery(IPPROTO_IPV6),
    (IPPROTO_IP, IP_USER_MTU): _user_mtu(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_USER_MTU): _user_mtu(IPPROTO_IPV6),
    (IPPROTO_IP, IP_MTU): _mtu(IPPROTO_IP),
    (IPPROTO_IPV6, IPV6_MTU): _mtu(IPPROTO_IPV6),
    (IPPROTO_IP, IP_OPTIONS): Option(of_level(IPPROTO_IP, DATAGRAM), _set_options, _get_options),
    (IPPROTO_IPV6, IPV6_PROTECTION_LEVEL): number(
        of_level(IPPROTO_IPV6), _set_protection, lambda socket: int(socket.options.sending.protection_level)
    ),
}
