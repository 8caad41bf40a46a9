"""The connection states and their legal changes: RFC 9293 3.3.2, figure 5.

This table is the machine: a cause that has no entry for a state cannot happen there, and asking for it raises.  The
code that handles segments decides *whether* a cause has occurred, never what state follows.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Cause(Enum):
    LISTEN = "passive open"
    CONNECT = "active open, SYN sent"
    SYN = "SYN received"
    SYN_ACK = "SYN received that acknowledges ours"
    ACK_OF_SYN = "our SYN acknowledged"
    FINISH = "the application has no more to send"
    FIN = "FIN received, and all data before it"
    ACK_OF_FIN = "our FIN acknowledged"
    DELETE = "reset, aborted, given up, or waited long enough"


TRANSITIONS: dict[State, dict[Cause, State]] = {
    State.CLOSED: {
        Cause.LISTEN: State.LISTEN,
        Cause.CONNECT: State.SYN_SENT,
        # A listener stays in LISTEN (RFC 1122 4.2.2.18): its SYN starts a connection of its own.
        Cause.SYN: State.SYN_RECEIVED,
    },
    State.LISTEN: {
        Cause.DELETE: State.CLOSED,
    },
    State.SYN_SENT: {
        Cause.SYN_ACK: State.ESTABLISHED,
        Cause.SYN: State.SYN_RECEIVED,
        Cause.DELETE: State.CLOSED,
    },
    State.SYN_RECEIVED: {
        Cause.ACK_OF_SYN: State.ESTABLISHED,
        Cause.DELETE: State.CLOSED,
    },
    State.ESTABLISHED: {
        Cause.FINISH: State.FIN_WAIT_1,
        Cause.FIN: State.CLOSE_WAIT,
        Cause.DELETE: State.CLOSED,
    },
    State.FIN_WAIT_1: {
        Cause.ACK_OF_FIN: State.FIN_WAIT_2,
        Cause.FIN: State.CLOSING,
        Cause.DELETE: State.CLOSED,
    },
    State.FIN_WAIT_2: {
        Cause.FIN: State.TIME_WAIT,
        Cause.DELETE: State.CLOSED,
    },
    State.CLOSE_WAIT: {
        Cause.FINISH: State.LAST_ACK,
        Cause.DELETE: State.CLOSED,
    },
    State.CLOSING: {
        Cause.ACK_OF_FIN: State.TIME_WAIT,
        Cause.DELETE: State.CLOSED,
    },
    State.LAST_ACK: {
        Cause.ACK_OF_FIN: State.CLOSED,
        Cause.DELETE: State.CLOSED,
    },
    State.TIME_WAIT: {
        Cause.DELETE: State.CLOSED,
    },
}


class IllegalChangeError(Exception):
    """A fault of the stack itself: neither a segment nor a caller can bring it about."""


def following(state: State, cause: Cause) -> State:
    """The state after `cause`; raises `IllegalChangeError` if that cannot happen in `state`."""
    try:
        return TRANSITIONS[state][cause]
    except KeyError:
        raise IllegalChangeError(f"{cause.value} in {state.value}") from None


RECEIVING = frozenset({State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2})
"""The peer may still send data."""

CONNECTING = frozenset({State.SYN_SENT, State.SYN_RECEIVED})
