"""States of a socket.  Plain integers: they are compared on every call."""

CREATED = 0
BOUND = 1
LISTENING = 2
CONNECTING = 3
CONNECTED = 4
"""Also while one or both directions are finished."""
DEAD = 5
"""The connection was reset, aborted or given up; `failure` is what requests get to hear."""
FORCED_CLOSED = 6
SILENT = 7
"""SIO_WSK_SET_TCP_SILENT_MODE: nothing but WskCloseSocket is valid any more."""

STATES = ("is not bound", "is bound", "listens", "is connecting", "is connected", "has lost its connection", "is dead",
          "is silent")  # fmt: skip
"""What people read of each."""
