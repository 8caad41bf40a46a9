"""The states of a SAN socket and their legal changes (SAN-6).

This table is the machine: a cause without an entry cannot happen in that state.  Each function decides *whether* a
cause has occurred, and with which error it refuses.
"""

from __future__ import annotations

from enum import Enum


class SocketState(Enum):
    UNBOUND = "no name yet"
    BOUND = "has its name"
    LISTENING = "takes connection requests"
    CONNECTING = "its request is not answered yet"
    CONNECTED = "data may flow"
    BROKEN = "was connected"
    HANDED_OVER = "another process controls what it was"
    CLOSED = "the descriptor is no more"


class Cause(Enum):
    BIND = "WSPBind"
    LISTEN = "WSPListen"
    CONNECT = "WSPConnect"
    ACCEPTED = "the peer accepts, or WSPAccept made the socket"
    FAILED = "the request was rejected, or nobody answered"
    ENDED = "the peer has closed, or the connection is lost"
    HAND_OVER = "WSPDuplicateSocket"
    CLOSE = "WSPCloseSocket"


TRANSITIONS: dict[SocketState, dict[Cause, SocketState]] = {
    SocketState.UNBOUND: {
        Cause.BIND: SocketState.BOUND,
        Cause.ACCEPTED: SocketState.CONNECTED,
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.BOUND: {
        Cause.LISTEN: SocketState.LISTENING,
        Cause.CONNECT: SocketState.CONNECTING,
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.LISTENING: {
        Cause.HAND_OVER: SocketState.HANDED_OVER,
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.CONNECTING: {
        Cause.ACCEPTED: SocketState.CONNECTED,
        Cause.FAILED: SocketState.BOUND,
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.CONNECTED: {
        Cause.ENDED: SocketState.BROKEN,
        Cause.HAND_OVER: SocketState.HANDED_OVER,
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.BROKEN: {
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.HANDED_OVER: {
        Cause.CLOSE: SocketState.CLOSED,
    },
    SocketState.CLOSED: {},
}
