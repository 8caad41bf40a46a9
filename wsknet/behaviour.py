"""Behaviour sets: what Windows, Linux and BSD do differently, as data.

Every policy stands alone, so that a scenario can flip one of them.  Code asks for a policy, never for the name of a
set.  Numbers of Windows are those of the Internet template of `Get-NetTCPSetting` unless another source is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from wsknet.types import MILLISECOND, SECOND, Duration


class SharingTable(Enum):
    """Which table decides whether two sockets may hold one port (BIND-1.1, WSK-5.6)."""

    WSK = "wsk"
    WINSOCK_2003 = "winsock2003"
    XP = "xp"
    LINUX = "linux"


class HostModel(Enum):
    """RFC 1122 3.3.4.2: whether an address belongs to its interface (strong) or to the host (weak)."""

    STRONG = "strong"
    WEAK = "weak"


class SourceRule(Enum):
    """How an IPv4 source is chosen when the program gave none (BIND-3.1, 3.6)."""

    LONGEST_MATCH_WITH_NEXT_HOP = "longest match with the next hop"
    PRIMARY_ADDRESS = "first address of the interface"


class DemuxTie(Enum):
    """Who gets a unicast packet when several sockets share one name (BIND-1.7)."""

    FIRST = "first"
    LAST = "last"
    RANDOM = "random"


class LoopSide(Enum):
    """Whose IP_MULTICAST_LOOP decides whether a multicast is heard on the host that sent it."""

    RECEIVER = "each receiving socket's"
    SENDER = "the sending socket's"


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


@dataclass(frozen=True)
class Behaviour:
    """One set of independent policies; `dataclasses.replace` flips one."""

    name: str
    sharing: SharingTable = SharingTable.WSK
    host_send: HostModel = HostModel.STRONG
    host_receive: HostModel = HostModel.STRONG
    ipv4_source: SourceRule = SourceRule.LONGEST_MATCH_WITH_NEXT_HOP
    demux_tie: DemuxTie = DemuxTie.FIRST
    v6only: bool = True
    """Default of IPV6_V6ONLY."""
    hop_limit: int = 128
    connected_metric: int = 256
    """Of the routes that come with an address; what Get-NetRoute shows for them on Windows."""
    binds_down_addresses: bool = False
    """An address of an interface that is down may be bound (BIND-1.4)."""
    loopback_block: bool = True
    """The whole of 127/8 is local, not just 127.0.0.1 (BIND-1.4)."""
    ephemeral_ports: tuple[int, int] = (49152, 65535)
    """First and last dynamic port."""
    advertised_metrics: tuple[int, int, int] = (64, 256, 1024)
    """Of routes that a router advertises with high, medium and low preference (RFC 4191 2.1), in its order.  256 is
    what Get-NetRoute shows for a default route of Windows."""
    detects_dead_gateways: bool = True
    """An IPv4 gateway whose MAC nobody tells any more is avoided while there is another (RFC 1122 3.3.1.4,
    EnableDeadGWDetect); IPv6 always does so (RFC 4861 6.3.6)."""
    accepts_ipv4_redirects: bool = True
    """EnableICMPRedirect; net.ipv4.conf.all.accept_redirects; net.inet.icmp.drop_redirect turned round."""
    multicast_loop_at: LoopSide = LoopSide.RECEIVER
    """IPPROTO_IP Socket Options: Windows acts on the receiver, POSIX systems on the sender."""
    multicast_to_all: bool = False
    """A socket hears the groups that any socket of the host has joined (IP_MULTICAST_ALL of Linux, on by default)."""
    unicast_name_hears_groups: bool = True
    """A socket bound to one of our addresses hears the groups that it joined; else only a wildcard does (BIND-1.4)."""
    neighbour_failure_is_final: bool = False
    """A neighbour that never answers fails a connect at once, and a datagram is reported to its socket (D-29)."""
    flow_labels: bool = True
    """TCP, UDP and echo requests carry an IPv6 flow label (RFC 6437 3).  All three do unless told not to: "netsh
    interface ipv6 set global flowlabel", net.ipv6.auto_flowlabels, net.inet6.ip6.auto_flowlabel."""
    prefers_prefix_of_next_hop: bool = True
    """An IPv6 source comes from a prefix that the router in use advertised, if there is one (RFC 6724 5, rule 5.5)."""
    tcp: TcpPolicy = field(default_factory=TcpPolicy)


WINDOWS = Behaviour("windows")

LINUX = Behaviour(
    "linux",
    sharing=SharingTable.LINUX,
    host_send=HostModel.WEAK,
    host_receive=HostModel.WEAK,
    ipv4_source=SourceRule.PRIMARY_ADDRESS,
    demux_tie=DemuxTie.LAST,
    v6only=False,
    hop_limit=64,
    connected_metric=0,
    binds_down_addresses=True,
    multicast_loop_at=LoopSide.SENDER,
    multicast_to_all=True,
    unicast_name_hears_groups=False,
    ephemeral_ports=(32768, 60999),
    advertised_metrics=(1023, 1024, 1025),  # IP6_RT_PRIO_USER; Linux keeps the preference apart from the metric
    detects_dead_gateways=False,  # net.ipv4.fib_multipath_use_neigh is 0
    neighbour_failure_is_final=True,
    prefers_prefix_of_next_hop=False,  # ipv6_get_saddr_eval of net/ipv6/addrconf.c has no such rule
    # include/net/tcp.h: TCP_TIMEOUT_INIT, TCP_RTO_MIN, TCP_DELACK_MIN, TCP_TIMEWAIT_LEN; tcp_syn_retries, tcp_retries2
    tcp=TcpPolicy(
        min_rto=200 * MILLISECOND,
        max_rto=120 * SECOND,
        syn_retries=6,
        data_retries=15,
        connect_fails_on_soft_error=True,  # tcp_v4_err and tcp_v6_err in SYN-SENT
        time_wait=60 * SECOND,
    ),
)

BSD = Behaviour(
    "bsd",
    sharing=SharingTable.XP,
    host_send=HostModel.WEAK,
    host_receive=HostModel.WEAK,
    ipv4_source=SourceRule.PRIMARY_ADDRESS,
    v6only=True,
    hop_limit=64,
    connected_metric=0,
    binds_down_addresses=True,
    multicast_loop_at=LoopSide.SENDER,
    unicast_name_hears_groups=False,
    loopback_block=False,
    advertised_metrics=(0, 1, 2),  # its routes have no metric; nd6_rtr.c sorts the default routers by preference
    detects_dead_gateways=False,
    prefers_prefix_of_next_hop=False,  # nor has in6_selectsrc of netinet6/in6_src.c
    tcp=TcpPolicy(min_rto=230 * MILLISECOND, max_rto=64 * SECOND, time_wait=60 * SECOND, data_retries=12),
)

SETS = {behaviour.name: behaviour for behaviour in (WINDOWS, LINUX, BSD)}
