"""Behaviour sets: what Windows, Linux and BSD do differently, as data.

Every policy stands alone, so that a scenario can flip one of them.  Code asks for a policy, never for the name of a
set.  Numbers of Windows are those of the Internet template of `Get-NetTCPSetting` unless another source is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from wsknet.errors import ErrorKind
from wsknet.tcp_policy import KeepAlive, OddOpening, OptionOrder, OptionUse, TcpPolicy
from wsknet.types import MILLISECOND, SECOND, Family


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


class LostSource(Enum):
    """What becomes of a packet whose sender is bound to an address that is no longer ours (BIND-5)."""

    NOT_LOCAL = "refused: the address is not local"
    NO_ROUTE = "refused: no route"
    SENT = "sent all the same"


class Identification(Enum):
    """How the identification of IPv4 packets that are no fragments is chosen."""

    PER_PAIR = "one counter per pair of addresses"
    """Windows since 8, for every packet: the "PathSet" in arXiv:2406.06483 2.3; TI, CI, II and SS in nmap-os-db."""
    PER_CONNECTION = "one counter per connection; else 0 where DF is set, and one per pair of addresses where not"
    """Linux, __ip_select_ident and ip_select_ident_segs."""
    ATOMIC_ZERO = "0 where DF is set, one counter per pair of addresses where not"
    """FreeBSD, ip_fillid with net.inet.ip.rfc6864; RFC 6864 4.1."""


class LoopSide(Enum):
    """Whose IP_MULTICAST_LOOP decides whether a multicast is heard on the host that sent it."""

    RECEIVER = "each receiving socket's"
    SENDER = "the sending socket's"


@dataclass(frozen=True)
class Behaviour:
    """One set of independent policies; `dataclasses.replace` flips one."""

    name: str

    # Names and ports

    sharing: SharingTable = SharingTable.WSK
    v6only: bool = True
    """Default of IPV6_V6ONLY (Winsock, Dual-Stack Sockets; net.ipv6.bindv6only; net.inet6.ip6.v6only)."""
    binds_down_addresses: bool = False
    """An address of an interface that is down may be bound (BIND-1.4; Windows: giampaolo/psutil PR 895)."""
    loopback_block: bool = True
    """The whole of 127/8 is local, not just 127.0.0.1 (BIND-1.4)."""
    binds_group_addresses: bool = False
    """A multicast group may be bound, as a filter of what is heard; what is sent gets a source as from a wildcard
    (inet_bind of Linux, in_pcbbind of FreeBSD)."""
    binds_broadcast_addresses: bool = False
    """The same for broadcast addresses (BIND-56)."""
    binds_foreign_addresses: bool = False
    """Addresses that nobody here has may be bound (net.ipv4.ip_nonlocal_bind, IP_FREEBIND of ip(7)); a packet gets such
    a source only once the address is ours."""
    link_local_needs_zone: bool = False
    """At bind and connect an address of fe80::/10, or a group of ff02::/16, tells its interface, or it is an invalid
    argument (ipv6(7)).  Windows takes zone 0 for "whichever has it"."""
    ephemeral_ports: tuple[int, int] = (49152, 65535)
    """First and last dynamic port (RFC 6335 6, KB 929851; net.ipv4.ip_local_port_range)."""
    excluded_ports_are_denied: bool = True
    """Nobody may bind a port of an excluded range by its number (microsoft/WSL #5514); else such ports are only never
    chosen (net.ipv4.ip_local_reserved_ports)."""
    demux_tie: DemuxTie = DemuxTie.FIRST
    """Officially indeterminate on Windows (Winsock, Using SO_REUSEADDR); its test in Wine sees the first."""

    # Routes and sources

    host_send: HostModel = HostModel.STRONG
    """Of interfaces that are not told otherwise (MSFT_NetIPInterface.WeakHostSend; net.inet.ip.rfc1122_strong_es)."""
    host_receive: HostModel = HostModel.STRONG
    route_reference: str = "The Cable Guy, September 2007"
    """Where it is written how this system chooses among routes."""
    connected_metric: int = 256
    """Of the routes that come with an address; what Get-NetRoute shows for them on Windows."""
    ipv4_group_routes: bool = True
    """An IPv4 address brings routes for 224/4 and 255.255.255.255, as "route print" shows them.  Without them both go
    where the source belongs, else by the route to everywhere (ip_route_output_key_hash_rcu of Linux)."""
    detects_dead_gateways: bool = True
    """An IPv4 gateway whose MAC nobody tells any more is avoided while there is another (RFC 1122 3.3.1.4,
    EnableDeadGWDetect); IPv6 always does so (RFC 4861 6.3.6)."""
    ipv4_source: SourceRule = SourceRule.LONGEST_MATCH_WITH_NEXT_HOP
    prefers_prefix_of_next_hop: bool = True
    """An IPv6 source comes from a prefix that the router in use advertised, if there is one (RFC 6724 5, rule 5.5)."""
    confines_ipv4_link_local: bool = True
    """Packets with a source of 169.254/16 leave through its own interface only, on weak hosts too (RFC 3927 2.7), and
    those to 169.254/16 go to no router (2.6.2).  Without it both are addresses like all others."""
    unspecified_means_this_host: bool = False
    """0.0.0.0 and ``::`` as a destination are this host (BIND-39, 40); else they are no destination."""
    loopback_source_error: ErrorKind = ErrorKind.NO_ROUTE
    """Of a packet with a source of 127/8 to another host (BIND-37)."""
    loopback_takes_any_source: bool = False
    """Loopback addresses can be reached from any address of the host (BIND-38); of Windows nothing is known."""
    lost_ipv4_source: LostSource = LostSource.NOT_LOCAL
    """BIND-44; winsock2 `send`: WSAEADDRNOTAVAIL."""
    lost_ipv6_source: LostSource = LostSource.NOT_LOCAL
    """The same over IPv6."""
    neighbour_failure_is_final: bool = False
    """A neighbour that never answers fails a connect at once, and a datagram is reported to its socket (D-29)."""
    hop_limit: int = 128
    """DefaultTTL; net.ipv4.ip_default_ttl; net.inet.ip.ttl."""
    identification: Identification = Identification.PER_PAIR
    icmp_quoted_payload: int | None = None
    """Bytes after the IP header that an ICMP error over IPv4 quotes; `None`: what fits into 576 (RFC 1812 4.3.2.3), as
    in __icmp_send of Linux.  Windows 10 quotes 308 at least (IPL of U1 in nmap-os-db)."""
    icmp_error_class: int = 0
    """Traffic class of a host's ICMP errors over IPv4; 0 is what RFC 1122 3.2.2 asks for.  That of Windows is not
    known."""
    echo_repeats_code: tuple[Family, ...] = ()
    """Families over which an echo reply has the code of the request.  Windows answers 0 over IPv4 (CD of IE in
    nmap-os-db); nothing is known of IPv6."""
    datagrams_have_df: bool = False
    """IPv4 datagrams that fit the path have DF without being asked for it, those of UDP, DHCP and raw sockets (raw TCP
    in any case, raw ICMP never).  Linux discovers the path MTU so (ip_dont_fragment, net.ipv4.ip_no_pmtu_disc 0).
    Windows has IP_DONTFRAGMENT off (WSK-5.5; DatagramSocketControl.DontFragment of WinRT; captures of its DHCP and DNS
    clients), FreeBSD IP_DONTFRAG (udp_output, rip_output)."""
    ignores_tos: bool = True
    """IP_TOS changes nothing that is sent, although it is read back: "Do not use" of IPPROTO_IP Socket Options, and
    DisableUserTOSSetting of KB 248611, whose default it is.  The control message IP_TOS of one datagram counts."""
    flow_labels: bool = True
    """TCP, UDP and echo requests carry an IPv6 flow label (RFC 6437 3).  All three do unless told not to: "netsh
    interface ipv6 set global flowlabel", net.ipv6.auto_flowlabels, net.inet6.ip6.auto_flowlabel."""

    # Addresses and interfaces that go

    removed_address_aborts: bool = True
    """Connections end with their local address (BIND-5, RFC 3927 2.5); else they go on once it is back in time."""
    removed_interface_closes_sockets: bool = True
    """A socket whose address goes with its whole interface is of no use any more (WSK D-23); else this is like an
    address that was removed."""

    unknown_name_is_no_match: bool = False
    """WskGetAddressInfo and WskGetNameInfo answer an unknown name with STATUS_NO_MATCH, as Windows 7 did and the
    documentation has it, not with STATUS_NOT_FOUND (WSK C-02, D-21)."""

    # UDP

    port_zero_error: ErrorKind = ErrorKind.NOT_LOCAL
    """Of a datagram to port 0 (BIND-66)."""
    udp_errors_need_peer: bool = False
    """ICMP errors are told to datagram sockets with a fixed peer alone (__udp4_lib_err of Linux without IP_RECVERR,
    udp_common_ctlinput of FreeBSD), against RFC 1122 4.1.3.3."""
    udp_refuses_other_peers: bool = False
    """The sender of a datagram that only a UDP socket with another fixed peer could take is told so by ICMP, as where
    there is no socket (__udp4_lib_rcv of Linux, udp_input of FreeBSD).  Nobody says what Windows does."""
    udp_connect_commits_address: bool = True
    """A datagram socket on the wildcard gets the address that routing chooses when its peer is fixed, until the peer is
    taken back (BIND-2.1); else it goes on choosing one per datagram."""
    udp_reconnect_keeps_address: bool = False
    """That address stays when another peer is fixed at once; else it is chosen anew."""
    udp_disconnect_releases_port: bool = False
    """A UDP socket whose peer is taken back gives a port back that was chosen for it (`__udp_disconnect` of Linux)."""
    packet_info_beats_name: bool = True
    """The source given with one datagram counts on a socket bound to another of our addresses, too.  Winsock does not
    say; ip_cmsg_send of Linux does so, and IP_SENDSRCADDR of FreeBSD is refused on a socket with an address."""
    unicast_name_hears_broadcast: bool = True
    """A socket bound to an address of an interface hears the broadcasts of its subnet (BIND-55)."""

    # Raw sockets

    raw_sends_are_restricted: bool = False
    """Raw sockets neither send TCP nor can be bound for it, and UDP from a source that is not ours is dropped: Windows
    XP SP2 to 7, not the servers ("TCP/IP Raw Sockets", Limitations; it is silent on later clients)."""

    # TCP

    listeners_share_port: bool = True
    """Who shares a port by SO_REUSEADDR may do so while somebody listens on it; `inet_csk_bind_conflict` of Linux
    refuses."""
    connections_hold_port: bool = False
    """An accepted connection keeps its name from being bound when the listener has gone, unless both allow reuse
    (inet_csk_bind_conflict of Linux).  On Windows only listeners conflict (joyent/libuv PR 1360, python-trio #928)."""
    exclusive_waits_for_connections: bool = True
    """With SO_EXCLUSIVEADDRUSE they do all the same, while active: what the pages of Winsock say.  An experiment of
    python-trio (time-wait-windows-exclusiveaddruse.py) found that they do not."""
    time_wait_blocks_bind: bool = False
    """A name in TIME-WAIT cannot be bound unless both sockets allow reuse; on Windows it can (dotnet/corefx #24562)."""
    connects_to_itself: bool = True
    """A TCP socket may connect to its own name: a simultaneous open with itself (RFC 9293 3.5).  Nothing is known of
    Windows that would forbid it."""
    tcp: TcpPolicy = field(default_factory=TcpPolicy)

    # Multicast

    join_without_route_error: ErrorKind = ErrorKind.HOST_UNREACHABLE
    """Of joining a group without an interface where no route leads to the group (BIND-69; ntop/n2n #65)."""
    multicast_loop_at: LoopSide = LoopSide.RECEIVER
    """IPPROTO_IP Socket Options: Windows acts on the receiver, POSIX systems on the sender."""
    multicast_to_all: bool = False
    """A socket hears the groups that any socket of the host has joined (IP_MULTICAST_ALL of Linux, on by default)."""
    unicast_name_hears_groups: bool = True
    """A socket bound to one of our addresses hears the groups that it joined; else only a wildcard does (BIND-1.4)."""

    # Autoconfiguration

    advertised_metrics: tuple[int, int, int] = (64, 256, 1024)
    """Of routes that a router advertises with high, medium and low preference (RFC 4191 2.1), in its order.  256 is
    what Get-NetRoute shows for a default route of Windows."""
    accepts_ipv4_redirects: bool = True
    """EnableICMPRedirect; net.ipv4.conf.all.accept_redirects; net.inet.icmp.drop_redirect turned round."""


WINDOWS = Behaviour("windows")

LINUX = Behaviour(
    "linux",
    sharing=SharingTable.LINUX,
    v6only=False,
    binds_down_addresses=True,
    binds_group_addresses=True,
    binds_broadcast_addresses=True,
    link_local_needs_zone=True,
    ephemeral_ports=(32768, 60999),
    excluded_ports_are_denied=False,
    demux_tie=DemuxTie.LAST,
    host_send=HostModel.WEAK,
    host_receive=HostModel.WEAK,
    route_reference="ip-route(8)",
    connected_metric=0,
    ipv4_group_routes=False,
    detects_dead_gateways=False,  # net.ipv4.fib_multipath_use_neigh is 0
    ipv4_source=SourceRule.PRIMARY_ADDRESS,
    prefers_prefix_of_next_hop=False,  # ipv6_get_saddr_eval of net/ipv6/addrconf.c has no such rule
    confines_ipv4_link_local=False,
    unspecified_means_this_host=True,
    loopback_source_error=ErrorKind.INVALID_ARGUMENT,
    loopback_takes_any_source=True,
    lost_ipv4_source=LostSource.NO_ROUTE,  # ip_route_output_key_hash_rcu; ENETUNREACH of Linux 6.18
    lost_ipv6_source=LostSource.SENT,  # ip6_route_output checks no source; so does Linux 6.18
    neighbour_failure_is_final=True,
    hop_limit=64,
    identification=Identification.PER_CONNECTION,
    datagrams_have_df=True,
    ignores_tos=False,
    icmp_error_class=0xC0,  # __icmp_send: IPTOS_PREC_INTERNETCONTROL
    echo_repeats_code=(Family.IPV4, Family.IPV6),  # icmp_echo and icmpv6_echo_reply alter the type alone
    removed_address_aborts=False,
    removed_interface_closes_sockets=False,
    port_zero_error=ErrorKind.INVALID_ARGUMENT,
    udp_errors_need_peer=True,
    udp_refuses_other_peers=True,  # __udp4_lib_rcv and __udp6_lib_rcv find no socket
    udp_reconnect_keeps_address=True,  # __ip4_datagram_connect asks for a route from inet_saddr; Linux 6.18 does so
    udp_disconnect_releases_port=True,  # unhashed if bind was not given a port
    unicast_name_hears_broadcast=False,
    listeners_share_port=False,
    connections_hold_port=True,
    time_wait_blocks_bind=True,
    # include/net/tcp.h: TCP_TIMEOUT_INIT, TCP_RTO_MIN, TCP_DELACK_MIN, TCP_TIMEWAIT_LEN; tcp_syn_retries, tcp_retries2
    tcp=TcpPolicy(
        min_rto=200 * MILLISECOND,
        min_rto_variation=200 * MILLISECOND,
        max_rto=120 * SECOND,
        syn_retries=6,
        syn_ack_retries=5,
        refuses_beyond_backlog=False,
        data_retries=15,
        black_hole_detection=False,
        connect_fails_on_soft_error=True,  # tcp_v4_err and tcp_v6_err in SYN-SENT
        time_wait=60 * SECOND,
        timestamps=OptionUse.ASK,
        timestamps_per_connection=True,
        keep_alive=KeepAlive(interval=75 * SECOND, probes=9),  # net.ipv4.tcp_keepalive_time, _intvl, _probes
        keep_alive_has_byte=False,  # tcp_xmit_probe_skb
        window_scale=None,  # tcp_select_initial_window
        option_order=OptionOrder.SCALE_LAST,
        syn_fin=OddOpening.DROPPED,
        listener_resets_without_flags=False,
        reset_repeats_ack=False,  # tcp_v4_send_reset
    ),
    join_without_route_error=ErrorKind.NOT_LOCAL,  # ip_mc_find_dev finds none: ENODEV
    multicast_loop_at=LoopSide.SENDER,
    multicast_to_all=True,
    unicast_name_hears_groups=False,
    advertised_metrics=(1023, 1024, 1025),  # IP6_RT_PRIO_USER; Linux keeps the preference apart from the metric
)

BSD = Behaviour(
    "bsd",
    sharing=SharingTable.XP,  # in_pcbbind: what overlaps conflicts unless SO_REUSEADDR is set
    v6only=True,
    binds_down_addresses=True,
    loopback_block=False,
    binds_group_addresses=True,
    binds_broadcast_addresses=True,
    excluded_ports_are_denied=False,
    host_send=HostModel.WEAK,
    host_receive=HostModel.WEAK,
    route_reference="route(4)",
    connected_metric=0,
    detects_dead_gateways=False,
    ipv4_source=SourceRule.PRIMARY_ADDRESS,
    prefers_prefix_of_next_hop=False,  # nor has in6_selectsrc of netinet6/in6_src.c
    unspecified_means_this_host=True,
    loopback_source_error=ErrorKind.NOT_LOCAL,  # ip_output: "127/8 must not appear on wire"
    loopback_takes_any_source=True,
    hop_limit=64,
    identification=Identification.ATOMIC_ZERO,
    ignores_tos=False,
    icmp_quoted_payload=8,  # net.inet.icmp.quotelen
    echo_repeats_code=(Family.IPV4,),  # icmp_input alters the type alone, icmp6_input clears the code
    removed_address_aborts=False,
    removed_interface_closes_sockets=False,
    udp_errors_need_peer=True,
    udp_refuses_other_peers=True,  # udp_input of netinet/udp_usrreq.c
    packet_info_beats_name=False,
    unicast_name_hears_broadcast=False,
    connections_hold_port=True,  # in_pcbbind of netinet/in_pcb.c sees every control block
    time_wait_blocks_bind=True,
    tcp=TcpPolicy(
        min_rto=230 * MILLISECOND,
        max_rto=64 * SECOND,
        syn_ack_retries=3,
        refuses_beyond_backlog=False,  # sonewconn
        time_wait=60 * SECOND,
        data_retries=12,
        black_hole_detection=False,
        timestamps=OptionUse.ASK,  # net.inet.tcp.rfc1323
        timestamps_per_connection=True,
        keep_alive=KeepAlive(interval=75 * SECOND, probes=8),  # net.inet.tcp.keepidle, keepintvl, keepcnt
        keep_alive_has_byte=False,  # tcp_timer_keep
        window_scale=None,
        option_order=OptionOrder.END_PADS,
        syn_fin=OddOpening.ACCEPTED,
        listener_resets_without_flags=False,
        reset_repeats_ack=False,  # tcp_respond
    ),
    join_without_route_error=ErrorKind.NOT_LOCAL,  # inp_join_group: EADDRNOTAVAIL
    multicast_loop_at=LoopSide.SENDER,
    unicast_name_hears_groups=False,
    advertised_metrics=(0, 1, 2),  # its routes have no metric; nd6_rtr.c sorts the default routers by preference
)

SETS = {behaviour.name: behaviour for behaviour in (WINDOWS, LINUX, BSD)}
