"""What can go wrong, by kind.

Each face has one table from these kinds to its own numbers (`wsk/status.py`: NTSTATUS).  Frames from the wire
never raise: they are dropped with a `trace.DropReason`.
"""

from __future__ import annotations

from enum import Enum


class ErrorKind(Enum):
    IN_USE = "address in use"
    DENIED = "access denied"
    NOT_LOCAL = "address not local"
    NO_PORTS = "no free port"
    NO_ROUTE = "network unreachable"
    HOST_UNREACHABLE = "host unreachable"
    PROTOCOL_UNREACHABLE = "protocol unreachable"
    PORT_UNREACHABLE = "port unreachable"
    HOP_LIMIT_EXCEEDED = "hop limit exceeded"
    PROTOCOL_ERROR = "protocol error"
    REFUSED = "connection refused"
    RESET = "connection reset by peer"
    TIMED_OUT = "timed out"
    ABORTED = "connection aborted"
    INTERFACE_REMOVED = "the interface with the socket's address was removed"
    CANCELLED = "cancelled"
    INVALID_STATE = "not allowed in this state"
    INVALID_ARGUMENT = "invalid argument"
    NOT_SUPPORTED = "not supported"
    MESSAGE_TOO_LONG = "message too long"
    NO_BUFFERS = "no buffer space"
    BROADCAST_DENIED = "broadcast not enabled"


class NetError(Exception):
    """An operation failed.  `kind` is for programs, `detail` one sentence for people."""

    def __init__(self, kind: ErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail


class LocalError(NetError):
    """The caller broke the contract (wrong state, wrong argument); nothing has changed."""


class UsageError(Exception):
    """Unusable input by a person: one line of what is wrong and how to mend it.  The command line exits 2.

    What cannot be printed, as words of the input that it quotes may hold, is escaped.
    """

    def __init__(self, line: str) -> None:
        super().__init__(
            "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
        )
