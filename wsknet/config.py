"""Settings, validated when made.  There are no module-level settings anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.types import SECOND, Duration, Mac


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class InterfaceConfig:
    name: str
    """As shown in tables and captures; unique within its host."""
    mac: Mac
    mtu: int = 1500
    """Largest IP packet in bytes."""
    metric: int = 25
    """Added to the route metric (Windows: 25 is the automatic metric of gigabit Ethernet, KB 299540)."""

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
    icmp_errors_per_second: int = 1000
    """Most ICMP errors sent per second by the host; icmp_msgs_per_sec of Linux."""
