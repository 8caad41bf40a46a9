"""What TCP may do in more than one way: RFCs leave these open, and systems differ.

Numbers of Windows are those of the Internet template of `Get-NetTCPSetting` unless another source is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wsknet.types import MILLISECOND, SECOND, Duration


class OptionUse(Enum):
    """Of something that both ends of a connection must want."""

    OFF = "neither asked for nor granted"
    ANSWER = "granted to a peer that asks for it"
    ASK = "asked for, and granted"


class CongestionAlgorithm(Enum):
    NEW_RENO = "newreno"
    """RFC 5681, RFC 6582."""
    CUBIC = "cubic"
    """RFC 9438."""


@dataclass(frozen=True)
class TcpPolicy:
    initial_rto: Duration = 1 * SECOND
    """Before the first round-trip sample (RFC 6298 2.1)."""
    min_rto: Duration = 300 * MILLISECOND
    max_rto: Duration = 60 * SECOND
    """RFC 6298 2.5 allows any bound of at least 60 s."""
    syn_retries: int = 4
    """SYNs repeated before connect fails; MaxSynRetransmissions."""
    data_retries: int = 5
    """Repeats of one segment before the connection is given up; TcpMaxDataRetransmissions."""
    connect_fails_on_soft_error: bool = False
    """An ICMP error that tells of an unreachable host, network or the like ends a connect at once (RFC 5461 4.1) and is
    not only remembered; TCP_FAIL_CONNECT_ON_ICMP_ERROR, off by default."""
    delayed_ack: Duration = 40 * MILLISECOND
    time_wait: Duration = 120 * SECOND
    """TcpTimedWaitDelay."""
    congestion: CongestionAlgorithm = CongestionAlgorithm.CUBIC
    """CongestionProvider; net.ipv4.tcp_congestion_control."""
    sack: bool = True
    """RFC 2018, asked for and granted; net.ipv4.tcp_sack."""
    timestamps: OptionUse = OptionUse.ANSWER
    """RFC 7323 3; Tcp1323Opts, "allowed" in `netsh interface tcp show global`; net.ipv4.tcp_timestamps."""
    ecn: OptionUse = OptionUse.ANSWER
    """RFC 3168 6.1; EcnCapability; net.ipv4.tcp_ecn, where 2 stands for ANSWER."""
    rack: bool = True
    """RFC 8985, with peers that grant SACK; without it RFC 6675 and RFC 5827.  Rack; net.ipv4.tcp_recovery."""
