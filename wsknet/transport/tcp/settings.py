"""What few sockets ask for: one value for all of it, so that the others need no room."""

from __future__ import annotations

from typing import NamedTuple

from wsknet.tcp_policy import OptionUse
from wsknet.types import Duration

NEVER: Duration = 1 << 62
"""A user timeout that does not end: data is repeated for ever."""

USUAL_ACK_FREQUENCY = 2
"""RFC 9293 3.8.6.3: at least every second segment; TcpAckFrequency of Windows."""


class TcpSettings(NamedTuple):
    """`None` leaves it to the policy.  What the handshake settles counts for the next one."""

    timestamps: OptionUse | None = None
    """TCP_TIMESTAMPS."""
    initial_rto: Duration | None = None
    """Before the first SYN or SYN-ACK is repeated (SIO_TCP_INITIAL_RTO)."""
    syn_retries: int | None = None
    """How often either is repeated (SIO_TCP_INITIAL_RTO)."""
    ack_frequency: int = USUAL_ACK_FREQUENCY
    """An acknowledgement is delayed no further than to the segment with this number, at least 1
    (SIO_TCP_SET_ACK_FREQUENCY).  Counts for a connection that stands, too."""
    fails_on_icmp_error: bool = False
    """Any ICMP error about the SYN ends a connect with HOST_UNREACHABLE (TCP_FAIL_CONNECT_ON_ICMP_ERROR)."""


DEFAULT_SETTINGS = TcpSettings()
