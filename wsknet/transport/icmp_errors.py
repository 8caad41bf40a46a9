"""What an ICMP error tells a socket: RFC 1122 3.2.2, 4.1.3.3 and 4.2.3.9, RFC 4443 2.4 (a) and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.net.messages.icmp import IN_REASSEMBLY, IcmpError, IcmpErrorKind
from wsknet.net.packet import Cast
from wsknet.transport.datagram import Datagram, ErrorReport
from wsknet.types import ICMP, Endpoint, IfIndex, family_of

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.codec import Codec

ERROR_KINDS = {
    IcmpErrorKind.NETWORK_UNREACHABLE: ErrorKind.NO_ROUTE,
    IcmpErrorKind.HOST_UNREACHABLE: ErrorKind.HOST_UNREACHABLE,
    IcmpErrorKind.PROTOCOL_UNREACHABLE: ErrorKind.PROTOCOL_UNREACHABLE,
    IcmpErrorKind.PORT_UNREACHABLE: ErrorKind.PORT_UNREACHABLE,
    IcmpErrorKind.PACKET_TOO_BIG: ErrorKind.MESSAGE_TOO_LONG,
    # Winsock has a code of its own for it (WSAENETRESET, "the time to live has expired"), BSD sockets EHOSTUNREACH.
    IcmpErrorKind.TIME_EXCEEDED: ErrorKind.HOP_LIMIT_EXCEEDED,
    # Linux answers both with EPROTO (icmp_err, icmpv6_err_convert).
    IcmpErrorKind.PARAMETER_PROBLEM: ErrorKind.PROTOCOL_ERROR,
    IcmpErrorKind.OTHER: ErrorKind.PROTOCOL_ERROR,
    IcmpErrorKind.ADMIN_PROHIBITED: ErrorKind.HOST_UNREACHABLE,
}
"""Complete: a test holds it to every `IcmpErrorKind`."""


def error_kind(error: Undelivered) -> ErrorKind:
    if error.kind is IcmpErrorKind.TIME_EXCEEDED and error.code == IN_REASSEMBLY:
        return ErrorKind.TIMED_OUT  # a fragment was missing until the peer gave up waiting
    return ERROR_KINDS[error.kind]


def is_silent_neighbour(error: Undelivered) -> bool:
    """Not a router or the peer speaks, but our own link: the next hop never answered (D-29)."""
    return error.reporter is None and error.kind is IcmpErrorKind.HOST_UNREACHABLE


def reported(ip: IpLayer, error: Undelivered, port: int) -> Datagram:
    """The error as it is received among datagrams; `port` is that of the peer."""
    owner = ip.tables.owner(error.source, error.zone)
    return Datagram(
        b"",
        Endpoint(error.destination, port, error.zone),
        error.source,
        IfIndex(error.zone or (0 if owner is None else owner.index)),
        Cast.UNICAST,
        0,
        0,
        report=_error_report(ip.codec, error),
    )


def _error_report(codec: Codec, error: Undelivered) -> ErrorReport:
    """Type and code are those with which we would tell the same; 0 for an error that nobody knows."""
    family = family_of(error.source)
    kind, code = 0, 0
    if error.kind is not IcmpErrorKind.OTHER:
        message = IcmpError(error.kind, b"", error.mtu, 0, error.code)
        kind, code = codec.encode_icmp(family, error.destination, error.source, message)[:2]
    return ErrorReport(ICMP[family], kind, code, error.mtu)
