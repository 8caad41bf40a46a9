"""How an operation ended, by kind, and what each face calls that.

Numbers: winerror.h for Winsock; ntstatus.h by way of `wsknet.wsk.status`; errno(3).
"""

from __future__ import annotations

import errno
from typing import NamedTuple

from wsknet.errors import ErrorKind
from wsknet.san import numbers as wsa
from wsknet.wsk.status import STATUS_OF_KIND

OK = "ok"
PENDING = "pending"
"""Begun and not ended within the time given."""
NOTHING = "nothing"
"""Nothing to receive or to accept within the time given."""
BUG_CHECK = "bug-check"
"""Misuse that the verifier has found (`Host.verified`)."""
SAN, TCPIP = "SAN", "TCP/IP"
"""The ways that a connection may go."""
CLOSED = "closed"
"""The peer has finished, and everything before that was read."""


class Rendering(NamedTuple):
    winsock: str
    posix: str


OUTCOME_OF_KIND = {
    ErrorKind.IN_USE: "in-use",
    ErrorKind.DENIED: "denied",
    ErrorKind.NOT_LOCAL: "not-local",
    ErrorKind.NO_PORTS: "no-ports",
    ErrorKind.NO_ROUTE: "no-route",
    ErrorKind.HOST_UNREACHABLE: "host-unreachable",
    ErrorKind.PROTOCOL_UNREACHABLE: "protocol-unreachable",
    ErrorKind.PORT_UNREACHABLE: "port-unreachable",
    ErrorKind.HOP_LIMIT_EXCEEDED: "hop-limit-exceeded",
    ErrorKind.PROTOCOL_ERROR: "protocol-error",
    ErrorKind.REFUSED: "refused",
    ErrorKind.RESET: "reset",
    ErrorKind.TIMED_OUT: "timed-out",
    ErrorKind.ABORTED: "aborted",
    ErrorKind.INTERFACE_REMOVED: "interface-removed",
    ErrorKind.CANCELLED: "cancelled",
    ErrorKind.INVALID_STATE: "invalid-state",
    ErrorKind.INVALID_ARGUMENT: "invalid",
    ErrorKind.NOT_SUPPORTED: "not-supported",
    ErrorKind.MESSAGE_TOO_LONG: "message-too-long",
    ErrorKind.NO_BUFFERS: "no-buffers",
    ErrorKind.BROADCAST_DENIED: "broadcast-denied",
}
KIND_OF_OUTCOME = {outcome: kind for kind, outcome in OUTCOME_OF_KIND.items()}

RENDERINGS = {
    "in-use": Rendering("10048 WSAEADDRINUSE", "EADDRINUSE"),
    "denied": Rendering("10013 WSAEACCES", "EACCES"),
    "not-local": Rendering("10049 WSAEADDRNOTAVAIL", "EADDRNOTAVAIL"),
    "no-ports": Rendering("10055 WSAENOBUFS", "EADDRINUSE"),
    "no-route": Rendering("10051 WSAENETUNREACH", "ENETUNREACH"),
    "host-unreachable": Rendering("10065 WSAEHOSTUNREACH", "EHOSTUNREACH"),
    "protocol-unreachable": Rendering("10042 WSAENOPROTOOPT", "ENOPROTOOPT"),
    "port-unreachable": Rendering("10054 WSAECONNRESET", "ECONNREFUSED"),
    "hop-limit-exceeded": Rendering("10052 WSAENETRESET", "EHOSTUNREACH"),
    "protocol-error": Rendering("10043 WSAEPROTONOSUPPORT", "EPROTO"),
    "refused": Rendering("10061 WSAECONNREFUSED", "ECONNREFUSED"),
    "reset": Rendering("10054 WSAECONNRESET", "ECONNRESET"),
    "timed-out": Rendering("10060 WSAETIMEDOUT", "ETIMEDOUT"),
    "aborted": Rendering("10053 WSAECONNABORTED", "ECONNABORTED"),
    "interface-removed": Rendering("10050 WSAENETDOWN", "ENETDOWN"),
    "cancelled": Rendering("995 WSA_OPERATION_ABORTED", "ECANCELED"),
    "invalid-state": Rendering("10022 WSAEINVAL", "EINVAL"),
    "invalid": Rendering("10022 WSAEINVAL", "EINVAL"),
    "not-supported": Rendering("10045 WSAEOPNOTSUPP", "EOPNOTSUPP"),
    "no-such-option": Rendering("10042 WSAENOPROTOOPT", "ENOPROTOOPT"),
    "message-too-long": Rendering("10040 WSAEMSGSIZE", "EMSGSIZE"),
    "no-buffers": Rendering("10055 WSAENOBUFS", "ENOBUFS"),
    "broadcast-denied": Rendering("10013 WSAEACCES", "EACCES"),
    "wrong-family": Rendering("10047 WSAEAFNOSUPPORT", "EAFNOSUPPORT"),
    "fault": Rendering("10014 WSAEFAULT", "EFAULT"),
    "already": Rendering("10037 WSAEALREADY", "EALREADY"),
    "not-connected": Rendering("10057 WSAENOTCONN", "ENOTCONN"),
    "is-connected": Rendering("10056 WSAEISCONN", "EISCONN"),
    "no-destination": Rendering("10039 WSAEDESTADDRREQ", "EDESTADDRREQ"),
}

OUTCOME_OF_ERRNO = {
    errno.EADDRINUSE: "in-use",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EADDRNOTAVAIL: "not-local",
    errno.ENETUNREACH: "no-route",
    errno.EHOSTUNREACH: "host-unreachable",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timed-out",
    errno.ECONNABORTED: "aborted",
    errno.EINVAL: "invalid",
    errno.EMSGSIZE: "message-too-long",
    errno.ENOBUFS: "no-buffers",
    errno.EAFNOSUPPORT: "wrong-family",
    errno.EALREADY: "already",
    errno.EINPROGRESS: "pending",
    errno.ENOTCONN: "not-connected",
    errno.EISCONN: "is-connected",
    errno.EDESTADDRREQ: "no-destination",
    errno.EOPNOTSUPP: "not-supported",
    errno.ENOPROTOOPT: "no-such-option",
    errno.ENODEV: "not-local",
    errno.ENXIO: "not-local",
    errno.EFAULT: "fault",
}

OUTCOME_OF_WSA = {
    wsa.WSAEWOULDBLOCK: "would-block",
    wsa.WSAEADDRINUSE: "in-use",
    wsa.WSAEACCES: "denied",
    wsa.WSAEADDRNOTAVAIL: "not-local",
    wsa.WSAENOBUFS: "no-ports",
    wsa.WSAENETUNREACH: "no-route",
    wsa.WSAEHOSTUNREACH: "host-unreachable",
    wsa.WSAENETRESET: "interface-removed",
    wsa.WSAECONNREFUSED: "refused",
    wsa.WSAECONNRESET: "reset",
    wsa.WSAECONNABORTED: "aborted",
    wsa.WSAETIMEDOUT: "timed-out",
    wsa.WSAEINVAL: "invalid",
    wsa.WSAEFAULT: "fault",
    wsa.WSAEAFNOSUPPORT: "wrong-family",
    wsa.WSAEALREADY: "already",
    wsa.WSAENOTCONN: "not-connected",
    wsa.WSAEISCONN: "is-connected",
    wsa.WSAESHUTDOWN: "invalid",
    wsa.WSAEOPNOTSUPP: "not-supported",
    wsa.WSAENOPROTOOPT: "no-such-option",
}
"""Of the functions of a stream socket.  Where one number stands for several conditions, the one that these mean."""


def render(outcome: str, face: str) -> str:
    """What a program would see on `face`: ``STATUS_ACCESS_DENIED``, ``10013 WSAEACCES``, ``EACCES``; empty for what
    is no error."""
    if face == "wsk":
        kind = KIND_OF_OUTCOME.get(outcome)
        return "" if kind is None else STATUS_OF_KIND[kind].name
    known = RENDERINGS.get(outcome)
    if known is None:
        return ""
    return known.winsock if face == "winsock" else known.posix
