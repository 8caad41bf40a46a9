"""Settings, validated when made.  There are no module-level settings anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.types import SECOND, Duration, Mac


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class AutoConfig:
    """What an interface finds out by itself.  Nothing, unless told: a lab's addresses are there from the beginning."""

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
class InterfaceConfig:
    name: str
    """As shown in tables and captures; unique within its host."""
    mac: Mac
    mtu: int = 1500
    """Largest IP packet in bytes."""
    metric: int = 25
    """Added to the route metric (Windows: 25 is the automatic metric of gigabit Ethernet, KB 299540)."""
    auto: AutoConfig = AutoConfig()
    forwarding: bool = False
    """Packets for others that arrive here are passed on (RFC 1812; Set-NetIPInterface -Forwarding)."""
    proxy_arp: bool = False
    """Answer for IPv4 addresses that are reached through another interface (RFC 1027)."""

    def __post_init__(self) -> None:
        _require(len(self.mac) == 6, "mac must have 6 bytes")
        _require(not self.mac[0] & 1, "mac must be a unicast address (lowest bit of the first byte clear)")
        _require(576 <= self.mtu <= 65535, "mtu must be 576 to 65535")
        _require(0 <= self.metric <= 0xFFFFFFFF, "metric must be 0 to 4294967295")


@dataclass(frozen=True)
class NeighbourConfig:
    """RFC 4861 section 10; ARP uses the same numbers."""

    retransmit: Duration = 1 * SECOND
    max_solicitations: int = 3
    reachable: Duration = 30 * SECOND
    delay_first_probe: Duration = 5 * SECOND
    queue_packets: int = 8
    """Packets kept per unresolved neighbour; RFC 1122 2.3.2.2 asks for at least one."""
    max_entries: int = 1024
    """Per interface; beyond it the entry unused for longest goes."""


@dataclass(frozen=True)
class TcpConfig:
    receive_buffer: int = 1 << 20
    """Bytes, the largest window ever offered."""
    accept_backlog: int = 200
    """Connections fully or half open and not yet accepted (D-25)."""
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
class StackConfig:
    behaviour: Behaviour = WINDOWS
    neighbours: NeighbourConfig = field(default_factory=NeighbourConfig)
    tcp: TcpConfig = field(default_factory=TcpConfig)
    udp: UdpConfig = field(default_factory=UdpConfig)
    autoconfiguration: bool = True
    """`IPAutoconfigurationEnabled` of the machine: see `AutoConfig.link_local_ipv4`."""
    icmp_errors_per_second: int = 1000
    """Most ICMP errors sent per second by the host; icmp_msgs_per_sec of Linux."""
