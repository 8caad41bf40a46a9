"""What TCP may do in more than one way: RFCs leave these open, and systems differ.

Numbers of Windows are those of the Internet template of `Get-NetTCPSetting` unless another source is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

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


class OptionOrder(Enum):
    """Of the options in SYN and SYN-ACK, after the MSS.  Read from the lines OPS and ECN of nmap-os-db (nmap 7.93)."""

    SCALE_FIRST = "window scale, SACK permitted, timestamps"
    """Windows 10, Windows 11 and Server 2016: MNWST, MNWNNT, MNWNNS."""
    SCALE_LAST = "SACK permitted, timestamps, window scale"
    """Linux (tcp_options_write): MSTNW, MNNTNW, MNNSNW."""
    END_PADS = "as SCALE_FIRST, but SACK permitted without timestamps is padded by the end of the list"
    """FreeBSD (tcp_addoptions): MNWST, MNWNNT, MNWSLL."""


class OddOpening(Enum):
    """What a listener does with a segment that has SYN and FIN."""

    RESET = "answers as if nobody listened"
    """Windows: T3 of nmap-os-db."""
    DROPPED = "drops it"
    """Linux: tcp_rcv_state_process."""
    ACCEPTED = "starts a connection"
    """FreeBSD with net.inet.tcp.drop_synfin 0: T3 of nmap-os-db."""


class KeepAlive(NamedTuple):
    """How an idle connection is probed while keep-alive is on."""

    idle: Duration = 7200 * SECOND
    """RFC 1122 4.2.3.6: at least two hours by default."""
    interval: Duration = 1 * SECOND
    """Between probes that nobody answers; KeepAliveInterval of Windows."""
    probes: int = 10
    """After so many the connection is given up; fixed at 10 since Windows Vista."""


@dataclass(frozen=True)
class TcpPolicy:
    initial_rto: Duration = 1 * SECOND
    """Before the first round-trip sample (RFC 6298 2.1); InitialRto, 1000 in `netsh interface tcp show global` since
    Windows 10; TCP_TIMEOUT_INIT of Linux."""
    min_rto: Duration = 300 * MILLISECOND
    """MinRto; TCP_RTO_MIN; net.inet.tcp.rexmit_min and rexmit_slop together."""
    min_rto_variation: Duration = 0
    """What a timeout exceeds the round trip by, at least, however steady that is.  `__tcp_set_rto` of Linux has
    TCP_RTO_MIN here; nothing is known of Windows."""
    max_rto: Duration = 60 * SECOND
    """RFC 6298 2.5 allows any bound of at least 60 s; TCP_RTO_MAX; TCPTV_REXMTMAX.  Windows documents none."""
    syn_retries: int = 4
    """SYNs repeated before connect fails; MaxSynRetransmissions; net.ipv4.tcp_syn_retries."""
    syn_ack_retries: int = 2
    """SYN-ACKs repeated before a half-open connection is forgotten; TcpMaxConnectResponseRetransmissions, net.ipv4.
    tcp_synack_retries, net.inet.tcp.syncache.rexmtlimit.  The value of Windows is documented up to Server 2003."""
    syn_cookies: bool = True
    """RFC 4987 3.6: a SYN that finds the SYN queue full is answered all the same, and nothing is kept of it; else it is
    dropped.  net.ipv4.tcp_syncookies, net.inet.tcp.syncookies.  Windows, of which no cookies are documented, drops
    (SynAttackProtect), but only beyond a bound that grows with the machine: with a fixed one a few hundred forged SYNs
    would shut everybody out."""
    refuses_beyond_backlog: bool = True
    """A SYN that finds the accept queue full is answered with a reset (Microsoft KB 113576 and 295079), and not just
    dropped.  Linux drops it: tcp_conn_request, whatever net.ipv4.tcp_abort_on_overflow says."""
    ignores_reset_in_time_wait: bool = False
    """Fix F1 of RFC 1337 3; net.ipv4.tcp_rfc1337.  Not so in RFC 9293 3.10.7.4; what Windows does is not documented."""
    data_retries: int = 5
    """Repeats of one segment before the connection is given up; TcpMaxDataRetransmissions, documented up to Server
    2003; net.ipv4.tcp_retries2; TCP_MAXRXTSHIFT."""
    black_hole_detection: bool = True
    """Segments that time out again and again are made shorter, and longer ones tried later (RFC 4821).  On since
    Windows Vista (The Cable Guy, November 2005); net.ipv4.tcp_mtu_probing and net.inet.tcp.pmtud_blackhole_detection
    are 0."""
    connect_fails_on_soft_error: bool = False
    """An ICMP error that tells of an unreachable host, network or the like ends a connect at once (RFC 5461 4.1) and is
    not only remembered; TCP_FAIL_CONNECT_ON_ICMP_ERROR, off by default."""
    delayed_ack: Duration = 40 * MILLISECOND
    """DelayedAckTimeout; TCP_DELACK_MIN of Linux, which waits longer where it may; net.inet.tcp.delacktime."""
    time_wait: Duration = 120 * SECOND
    """TcpTimedWaitDelay, as of Server 2003; TCP_TIMEWAIT_LEN; twice net.inet.tcp.msl."""
    congestion: CongestionAlgorithm = CongestionAlgorithm.CUBIC
    """CongestionProvider; net.ipv4.tcp_congestion_control."""
    sack: bool = True
    """RFC 2018, asked for and granted; net.ipv4.tcp_sack."""
    timestamps: OptionUse = OptionUse.ANSWER
    """RFC 7323 3; Tcp1323Opts, "allowed" in `netsh interface tcp show global`; net.ipv4.tcp_timestamps."""
    timestamps_per_connection: bool = False
    """Each pair of ports has a clock of its own (RFC 7323 7.1); else each pair of addresses.  nmap-os-db sees one clock
    across the connections of nearly every Windows 10 and 11 (TS=A), and none for Linux and FreeBSD."""
    ecn: OptionUse = OptionUse.ANSWER
    """RFC 3168 6.1; EcnCapability; net.ipv4.tcp_ecn, where 2 stands for ANSWER.  Servers of Microsoft grant it (CC=Y of
    2012 to 2016 in nmap-os-db), Windows 10 and 11 do not."""
    keep_alive: KeepAlive = field(default_factory=KeepAlive)
    """Of sockets that are not told otherwise."""
    keep_alive_has_byte: bool = True
    """A probe repeats the last byte, for peers that would not answer without (RFC 1122 4.2.3.6); of Windows this is
    known from captures alone."""
    window_scale: int | None = 8
    """Offered, unless the buffer needs more: NW8 in 35 of 42 fingerprints of Windows 10 and Server 2016 in nmap-os-db.
    `None`: what the buffer needs."""
    option_order: OptionOrder = OptionOrder.SCALE_FIRST
    syn_fin: OddOpening = OddOpening.RESET
    listener_resets_without_flags: bool = True
    """A listener answers a segment without SYN, ACK and RST as if nobody listened: Windows does so (T2 of nmap-os-db;
    nmap(1) on FIN, NULL and Xmas scans); others drop it, as RFC 9293 3.10.7.2 allows."""
    reset_repeats_ack: bool = True
    """A reset without ACK has the number of the acknowledgement that it refuses in its own field, too.  Of Windows it
    is known that the field is not 0 (T4 and T6 of nmap-os-db); that it is this number is an assumption."""
    rack: bool = True
    """RFC 8985, with peers that grant SACK; without it RFC 6675 and RFC 5827.  Rack; net.ipv4.tcp_recovery."""
