"""The states of a DHCP client and their legal changes: RFC 2131 4.4, figure 5.

As for TCP, this table is the machine: a cause without an entry for a state cannot happen there.  Beyond the figure
there is a state for the check of 4.4.1 that nobody else uses the address, and one for a client that does not ask.
"""

from __future__ import annotations

from enum import Enum


class DhcpState(Enum):
    OFF = "not asking"
    INIT = "waiting before asking"
    SELECTING = "looking for a server"
    REQUESTING = "requesting what was offered"
    CHECKING = "checking that nobody else uses the address"
    BOUND = "bound"
    RENEWING = "asking the server to extend the lease"
    REBINDING = "asking any server to extend the lease"
    REBOOTING = "asking whether the lease of before is still good"


class Cause(Enum):
    SEARCH = "nothing to go on with: no lease, or it was refused, lost or has expired"
    REMEMBER = "the link is back, and there is a lease"
    DISCOVER = "waited long enough"
    OFFER = "an offer that can be used"
    GRANT = "acknowledged, or remembered and not denied"
    ASSIGNED = "the address is ours"
    T1 = "half the lease is over"
    T2 = "seven eighths of the lease are over"
    STOP = "the link is down, or the lease was given back"


_STOPPABLE = {Cause.STOP: DhcpState.OFF, Cause.SEARCH: DhcpState.INIT}

TRANSITIONS: dict[DhcpState, dict[Cause, DhcpState]] = {
    DhcpState.OFF: {**_STOPPABLE, Cause.REMEMBER: DhcpState.REBOOTING},
    DhcpState.INIT: {**_STOPPABLE, Cause.DISCOVER: DhcpState.SELECTING},
    DhcpState.SELECTING: {**_STOPPABLE, Cause.OFFER: DhcpState.REQUESTING},
    DhcpState.REQUESTING: {**_STOPPABLE, Cause.GRANT: DhcpState.CHECKING},
    DhcpState.CHECKING: {**_STOPPABLE, Cause.ASSIGNED: DhcpState.BOUND},
    DhcpState.BOUND: {**_STOPPABLE, Cause.T1: DhcpState.RENEWING},
    DhcpState.RENEWING: {**_STOPPABLE, Cause.GRANT: DhcpState.CHECKING, Cause.T2: DhcpState.REBINDING},
    DhcpState.REBINDING: {**_STOPPABLE, Cause.GRANT: DhcpState.CHECKING},
    DhcpState.REBOOTING: {**_STOPPABLE, Cause.GRANT: DhcpState.CHECKING},
}
