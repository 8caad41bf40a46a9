"""Settings, validated when made.  There are no module-level settings anywhere.

Every `Duration` is in nanoseconds: ``5 * SECOND``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.policy_table import RFC_6724, PolicyTable
from wsknet.types import SECOND, Duration, Family, Mac, Proto

ETHERNET_MTU = 1500
"""RFC 894, RFC 2464."""
MIN_INTERFACE_MTU = 576
"""What every IPv4 host can receive (RFC 1122 3.3.2)."""
MAX_MTU = 65535
GIGABIT = 1_000_000_000


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class AutoConfig:
    """What an interface finds out by itself.  Nothing, unless told: a lab's addresses are there from the beginning.

    A host with `dhcp` that no server answers takes an address of 169.254/16 after a few seconds, or none if
    `link_local_ipv4` is False.  What came of it all is in `Stack.view`.
    """

    duplicate_detection: bool = False
    """Check addresses given by hand before use (RFC 4862 5.4, RFC 5227); those found automatically always are."""
    optimistic: bool = False
    """Use IPv6 addresses while they are being checked (RFC 4429)."""
    router_discovery: bool = False
    """Solicit routers and follow their advertisements: addresses, routes, MTU, hop limit (RFC 4861, RFC 4862)."""
    stable_identifiers: bool = False
    """Addresses made from prefixes as in RFC 7217 instead of the modified EUI-64 of RFC 4291 appendix A."""
    temporary_addresses: bool = False
    """One more address per prefix that changes every day and is preferred for sending (RFC 8981)."""
    dhcp: bool = False
    """Ask for an IPv4 address (RFC 2131)."""
    link_local_ipv4: bool | None = None
    """`IPAutoconfigurationEnabled` of this interface: an address of 169.254/16 when DHCP has none (RFC 3927), or at
    once where DHCP is off.  `None`: the machine-wide value decides, and DHCP must be on."""


@dataclass(frozen=True)
class AdvertisingConfig:
    """What a router says of itself and of its link (RFC 4861 6.2.1, whose defaults these are).

    The prefixes are those of the interface's own addresses.
    """

    interval: Duration = 600 * SECOND
    """MaxRtrAdvInterval; advertisements are a third of it to the whole apart."""
    lifetime: Duration = 1800 * SECOND
    """As a default router; 0: not one."""
    preference: int = 0
    """1 high, 0 medium, -1 low (RFC 4191 2.2)."""
    valid: Duration = 2_592_000 * SECOND
    """Of addresses made from the prefixes: 30 days."""
    preferred: Duration = 604_800 * SECOND
    """7 days."""
    hop_limit: int = 64
    announces_mtu: bool = True

    def __post_init__(self) -> None:
        _require(4 * SECOND <= self.interval <= 1800 * SECOND, "interval must be 4 to 1800 seconds (RFC 4861 6.2.1)")
        _require(0 <= self.lifetime <= 65535 * SECOND, "lifetime must be 0 to 65535 seconds (RFC 8319 4)")
        _require(self.preference in (-1, 0, 1), "preference must be -1, 0 or 1")
        _require(0 <= self.preferred <= self.valid, "preferred must not be longer than valid")
        _require(self.valid <= 0xFFFFFFFF * SECOND, "valid must be at most 4294967295 seconds, which is for ever")
        _require(0 <= self.hop_limit <= 255, "hop_limit must be 0 to 255")


@dataclass(frozen=True)
class InterfaceConfig:
    name: str
    """As shown in tables and captures; unique within its host."""
    mac: Mac
    mtu: int = ETHERNET_MTU
    """Largest IP packet in bytes."""
    metric: int = 0
    """Added to the route metric; 0: automatic, from `speed` (KB 299540)."""
    auto: AutoConfig = AutoConfig()
    forwarding: bool = False
    """Packets for others that arrive here are passed on (RFC 1812; Set-NetIPInterface -Forwarding)."""
    proxy_arp: bool = False
    """Answer for IPv4 addresses that are reached through another interface (RFC 1027)."""
    advertising: AdvertisingConfig | None = None
    """Tell hosts about prefixes and the way out, if `forwarding`; `None`: keep silent."""
    speed: int = GIGABIT
    """Bits per second."""

    def __post_init__(self) -> None:
        _require(len(self.mac) == 6, "mac must have 6 bytes")
        _require(not self.mac[0] & 1, "mac must be a unicast address (lowest bit of the first byte clear)")
        _require(MIN_INTERFACE_MTU <= self.mtu <= MAX_MTU, f"mtu must be {MIN_INTERFACE_MTU} to {MAX_MTU}")
        _require(0 <= self.metric <= 0xFFFFFFFF, "metric must be 0 to 4294967295")
        _require(self.speed > 0, "speed must be positive, in bits per second")


@dataclass(frozen=True)
class NeighbourConfig:
    """RFC 4861 section 10; ARP uses the same numbers."""

    retransmit: Duration = 1 * SECOND
    max_solicitations: int = 3
    reachable: Duration = 30 * SECOND
    delay_first_probe: Duration = 5 * SECOND
    queue_packets: int = 8
    """Packets kept per unresolved neighbour; RFC 1122 2.3.2.2 asks for at least one."""
    queue_bytes: int = 212_992
    """Bytes kept per unresolved neighbour, but always the newest packet; unres_qlen_bytes of Linux."""
    queue_bytes_of_all: int = 1 << 22
    """Bytes kept for all neighbours of an interface: some 2,000 full frames, where a scan of a subnet makes 1,000."""
    max_entries: int = 1024
    """Per interface; beyond it the entry unused for longest goes."""


@dataclass(frozen=True)
class DuplicateConfig:
    """Duplicate address detection: RFC 4862 5.1 (IPv6), RFC 5227 1.1 (IPv4; section 2.1.1 uses these names).

    Between two questions of IPv6 lies `NeighbourConfig.retransmit`, or what a router said instead.
    """

    solicitations: int = 1
    """IPv6: DupAddrDetectTransmits, and DadTransmits of Windows.  0: no check."""
    max_delay: Duration = 1 * SECOND
    """IPv6: MAX_RTR_SOLICITATION_DELAY; the first question is sent within it."""
    probes: int = 3
    """IPv4: PROBE_NUM, and DadTransmits of Windows.  0: no check."""
    probe_wait: Duration = 1 * SECOND
    """IPv4: PROBE_WAIT; the first probe is sent within it."""
    probe_min: Duration = 1 * SECOND
    probe_max: Duration = 2 * SECOND
    """IPv4: PROBE_MIN and PROBE_MAX, between two probes."""
    announce_wait: Duration = 2 * SECOND
    """IPv4: ANNOUNCE_WAIT, from the last probe to the first announcement, when the address is ours."""
    announcements: int = 2
    announce_interval: Duration = 2 * SECOND
    max_conflicts: int = 10
    """IPv4: MAX_CONFLICTS; after so many, one claim per `rate_limit`."""
    rate_limit: Duration = 60 * SECOND
    """IPv4: RATE_LIMIT_INTERVAL."""
    defend_interval: Duration = 10 * SECOND
    """IPv4: DEFEND_INTERVAL, the least time between two defences of an address."""


@dataclass(frozen=True)
class RouterConfig:
    """Looking for routers and believing them: RFC 4861 section 10.  The bounds are per interface; once one is reached
    what is known stays until its lifetime is over, and what is new is refused."""

    max_solicitations: int = 3
    solicitation_interval: Duration = 4 * SECOND
    max_solicitation_delay: Duration = 1 * SECOND
    max_solicitation_interval: Duration = 3600 * SECOND
    """Without an answer to the solicitations above the interval doubles up to this (RFC 7559 2)."""
    max_routers: int = 8
    """Default routers; RFC 4861 6.3.4 asks for at least two.  A link has few, a forger has any number."""
    max_routes: int = 64
    """Advertised routes; RFC 4191 4 lets one router advertise 17."""
    max_prefixes: int = 32
    """Prefixes on the link; twice net.inet6.ip6.maxifprefixes of NetBSD."""
    min_hop_limit: int = 1
    """Smaller ones in an advertisement are not believed: with 1 a host reaches its link alone (CVE-2015-2922).  Linux
    believes all of them too unless told (accept_ra_min_hop_limit)."""
    suspect_interval: Duration = 60 * SECOND
    """Between two attempts to reach a router that did not answer (RFC 4191 3.5: at most once a minute)."""


@dataclass(frozen=True)
class SlaacConfig:
    """Addresses made from advertised prefixes: RFC 4862, RFC 7217, RFC 8981 3.8."""

    max_addresses: int = 16
    """Per interface (Linux: net.ipv6.conf.max_addresses); beyond it no more are made until one expires."""
    identifier_retries: int = 3
    """Other stable identifiers tried after a duplicate (RFC 7217 section 7, IDGEN_RETRIES)."""
    temporary_retries: int = 3
    """The same for temporary ones (TEMP_IDGEN_RETRIES)."""
    temporary_valid: Duration = 2 * 86400 * SECOND
    """TEMP_VALID_LIFETIME."""
    temporary_preferred: Duration = 86400 * SECOND
    """TEMP_PREFERRED_LIFETIME."""
    temporary_desync: Duration = 34560 * SECOND
    """MAX_DESYNC_FACTOR, 0.4 times TEMP_PREFERRED_LIFETIME: up to this is taken off that at random."""
    regenerate_advance: Duration = 5 * SECOND
    """REGEN_ADVANCE: a temporary address gets its successor this long before it is deprecated."""
    secret: bytes = b""
    """Key of stable identifiers (RFC 7217 5); to be kept from run to run for addresses that last.  Empty: drawn."""

    def __post_init__(self) -> None:
        _require(
            self.temporary_desync + self.regenerate_advance < self.temporary_preferred <= self.temporary_valid,
            "temporary addresses must be preferred longer than desync and advance together, and valid at least as long",
        )


@dataclass(frozen=True)
class DhcpConfig:
    """The DHCP client: RFC 2131 unless another source is named."""

    startup_delay: Duration = 0
    """Most to wait, at random, before the first message.  Section 4.4.1 would wait 1 to 10 s, for a building whose
    power comes back; dhclient (initial-delay) does not wait either."""
    retransmit: Duration = 4 * SECOND
    """To the first repetition (4.1); doubled for each further one."""
    max_retransmit: Duration = 64 * SECOND
    jitter: Duration = 1 * SECOND
    """Taken from or added to each of these intervals."""
    attempts: int = 4
    """Messages of one kind without an answer, with the intervals above one minute (3.1 (5))."""
    pause: Duration = 300 * SECOND
    """Then, until the next attempt: five minutes, like Windows ("Automatic Client Configuration", cc940035)."""
    restart_delay: Duration = 10 * SECOND
    """After an address was declined, or an offer was refused when requested (3.1 (5))."""
    min_renewal_interval: Duration = 60 * SECOND
    """Least time between two attempts to extend a lease (4.4.5)."""
    link_local_after: Duration = 6 * SECOND
    """From the first message to a link-local address if there is no lease by then: Windows since Vista (KB 931550);
    three minutes before.  DHCP goes on meanwhile."""
    broadcast_replies: bool = False
    """Ask servers to broadcast their answers: not needed, we hear what is sent to an address that is not ours yet."""
    host_name: str = ""
    """Told to servers, unless empty."""

    def __post_init__(self) -> None:
        _require(self.attempts > 0, "attempts must be at least 1")
        _require(0 <= self.jitter < self.retransmit, "jitter must be less than retransmit")
        _require(self.restart_delay > 0, "restart_delay must be positive")
        _require(self.min_renewal_interval > 0, "min_renewal_interval must be positive")
        _require(self.host_name.isascii(), "host_name must be ASCII")


@dataclass(frozen=True)
class RedirectConfig:
    max_routes: int = 256
    """Host routes from redirects; beyond it the oldest goes.  A gateway decides how many there are."""
    lifetime: Duration = 600 * SECOND
    """What Windows and BSD (net.inet.icmp.redirtimeout) give them; RFC 1122 3.3.1.2 wants them to end some time."""


@dataclass(frozen=True)
class ReassemblyConfig:
    """How long and how many fragments wait for the rest of their packets."""

    timeout: Duration = 60 * SECOND
    """From the first of them that came: RFC 8200 4.5, and what Windows has for both families since Vista; RFC 1122
    3.3.2 wants 60 to 120 s for IPv4."""
    max_packets: int = 1024
    """Incomplete packets of the host; beyond it the oldest goes.  Windows had 100 (MaximumReassemblyHeaders)."""
    max_bytes: int = 4 << 20
    """Data and bookkeeping of the host; beyond it the oldest packet goes.  ipfrag_high_thresh of Linux."""
    max_fragments: int = 2048
    """Of one packet.  The longest takes 1366 over the smallest link of IPv4 (68 bytes, RFC 791 3.2)."""

    def __post_init__(self) -> None:
        _require(self.timeout > 0, "timeout must be positive")
        _require(self.max_packets > 0, "max_packets must be at least 1")
        _require(self.max_fragments > 1, "max_fragments must be at least 2")


@dataclass(frozen=True)
class TcpConfig:
    receive_buffer: int = 1 << 20
    """Bytes, the largest window ever offered; enough for 80 Mbit/s over 100 ms, our own choice."""
    accept_backlog: int = 200
    """Connections that wait for accept, and as many half open, unless listen says otherwise (D-25); the most that the
    listen of Windows NT Server 4.0 and later takes (Microsoft KB 113576)."""
    max_time_wait: int = 32768
    """Connections in TIME-WAIT; beyond it the oldest ends early, as whoever makes us close first decides how many there
    are.  MaxFreeTWTcbs of Windows, net.ipv4.tcp_max_tw_buckets of Linux, both with other numbers."""
    max_fast_opens: int = 128
    """Connections opened by data in a SYN whose handshake is not done (RFC 7413 5.1, PendingFastOpenRequests); beyond
    it such data is not used.  Our own choice."""
    window_scaling: bool = True
    initial_window_segments: int = 10
    """RFC 6928."""

    def __post_init__(self) -> None:
        _require(1 <= self.receive_buffer <= 1 << 30, "receive_buffer must be 1 byte to 1 GiB (RFC 7323 2.3)")


@dataclass(frozen=True)
class UdpConfig:
    receive_buffer: int = 1 << 18
    """Bytes of payload and bookkeeping queued per socket; beyond it datagrams are dropped and counted."""


@dataclass(frozen=True)
class PortRange:
    """The ports `first` to `last`, both included, of TCP or UDP over one family.

    Windows sets no dynamic range below 255 ports or port 1025 (KB 929851); smaller ones are fine here.
    """

    protocol: Proto
    family: Family
    first: int
    last: int

    def __post_init__(self) -> None:
        _require(self.protocol in (Proto.TCP, Proto.UDP), "only TCP and UDP have ports")
        _require(1 <= self.first <= self.last <= 65535, "ports must be 1 to 65535, the first not above the last")


@dataclass(frozen=True)
class PortConfig:
    dynamic: tuple[PortRange, ...] = ()
    """Where port 0 is chosen from, "netsh interface ipv4 set dynamicport"; one per protocol and family at most.
    Where there is none `Behaviour.ephemeral_ports` counts."""
    excluded: tuple[PortRange, ...] = ()
    """Given to nobody who binds, "netsh interface ipv4 add excludedportrange ... store=persistent"."""

    def __post_init__(self) -> None:
        kinds = {(dynamic.protocol, dynamic.family) for dynamic in self.dynamic}
        _require(len(kinds) == len(self.dynamic), "only one dynamic range per protocol and family")


@dataclass(frozen=True)
class StackConfig:
    behaviour: Behaviour = WINDOWS
    neighbours: NeighbourConfig = field(default_factory=NeighbourConfig)
    duplicates: DuplicateConfig = field(default_factory=DuplicateConfig)
    reassembly: ReassemblyConfig = field(default_factory=ReassemblyConfig)
    tcp: TcpConfig = field(default_factory=TcpConfig)
    udp: UdpConfig = field(default_factory=UdpConfig)
    ports: PortConfig = field(default_factory=PortConfig)
    routers: RouterConfig = field(default_factory=RouterConfig)
    slaac: SlaacConfig = field(default_factory=SlaacConfig)
    redirects: RedirectConfig = field(default_factory=RedirectConfig)
    dhcp: DhcpConfig = field(default_factory=DhcpConfig)
    policy_table: PolicyTable = RFC_6724
    """Labels and precedences of prefixes, for the choice of addresses (RFC 6724 2.1)."""
    autoconfiguration: bool = True
    """`IPAutoconfigurationEnabled` of the machine: see `AutoConfig.link_local_ipv4`."""
    icmp_errors_per_second: int = 1000
    """Most ICMP errors sent per second by the host in the long run; icmp_msgs_per_sec of Linux."""
    icmp_errors_burst: int = 50
    """Most sent at once after a rest; icmp_msgs_burst of Linux."""

    def __post_init__(self) -> None:
        _require(self.icmp_errors_per_second > 0, "icmp_errors_per_second must be at least 1")
        _require(self.icmp_errors_burst > 0, "icmp_errors_burst must be at least 1")
