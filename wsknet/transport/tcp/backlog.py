"""The ideal send backlog: how many bytes a sender should keep lent to TCP so that the path is never idle.

Windows documents it as a function of the bandwidth-delay product, the receiver's window and "partly" the congestion
(SIO_IDEAL_SEND_BACKLOG_QUERY, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG), and gives no formula.  Here it is twice what may be in
flight, as one window is acknowledged while the next is sent, in steps of powers of two.
"""

from __future__ import annotations

LEAST_BACKLOG = 1 << 16
"""Of a new connection, and of a slow one.  Our own choice: well above twice the initial window of ten segments."""
_SHRINKS_AT = 4
"""The value falls when no more than this part of it is of use: a window that goes up and down around a step, as that of
every congestion control does, is no news.  Our own choice."""


class SendBacklog:
    """The value of one connection, which moves only when it is looked at."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = LEAST_BACKLOG

    def look(self, in_flight: int) -> int:
        """The value now that `in_flight` bytes may be on their way, by the congestion window and the peer's."""
        needed = max(2 * in_flight, LEAST_BACKLOG)
        if needed > self.value or needed * _SHRINKS_AT <= self.value:
            self.value = 1 << (needed - 1).bit_length()
        return self.value
