"""A read-only snapshot of every table, for people, tests and comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet.net.packet import Cast
from wsknet.trace import DropReason
from wsknet.types import Address, Endpoint, IfIndex, LocalName, Mac

if TYPE_CHECKING:
    from wsknet.net.interface import Interface, InterfaceAddress
    from wsknet.net.layer import IpLayer
    from wsknet.net.routes import Route
    from wsknet.trace import Trace
    from wsknet.transport.raw.protocol import RawProtocols
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.udp.protocol import UdpProtocol


@dataclass(frozen=True, slots=True)
class InterfaceView:
    index: IfIndex
    name: str
    mac: Mac
    mtu: int
    metric: int
    is_up: bool
    addresses: tuple[tuple[Address, int], ...]
    """Address and prefix length of those that are ours to use, in the order in which they were added."""
    address_states: tuple[InterfaceAddress, ...]
    """The same, with all that is known of them."""
    unassigned: tuple[InterfaceAddress, ...]
    """Those that are being checked, and those that another host, the `holder`, has."""
    groups: tuple[Address, ...]
    """Multicast groups that are received, those that every host belongs to included; none while it is down."""
    is_forwarding: bool
    dhcp: str
    """What its DHCP client is at, for people; empty if it has none."""
    neighbours: tuple[tuple[Address, Mac | None, str], ...]
    """Address, MAC if known, state."""


@dataclass(frozen=True, slots=True)
class ConnectionView:
    local: Endpoint
    remote: Endpoint
    state: str


@dataclass(frozen=True, slots=True)
class View:
    interfaces: tuple[InterfaceView, ...]
    routes: tuple[Route, ...]
    path_mtus: tuple[tuple[Address, int, int], ...]
    """Destination, zone and MTU, where a packet was too big on the way."""
    suspects: tuple[tuple[IfIndex, Address], ...]
    """Next hops that did not answer when last asked: others are preferred."""
    tcp_ports: tuple[LocalName, ...]
    udp_ports: tuple[LocalName, ...]
    raw_names: tuple[tuple[int, LocalName], ...]
    """Protocol number and name of every raw socket."""
    connections: tuple[ConnectionView, ...]
    drops: dict[DropReason, int]


def snapshot(ip: IpLayer, tcp: TcpProtocol, udp: UdpProtocol, raw: RawProtocols, trace: Trace) -> View:
    return View(
        interfaces=tuple(_interface(interface, ip.dhcp.describe(index)) for index, interface in ip.interfaces.items()),
        routes=tuple(ip.routes),
        path_mtus=tuple((*of, mtu) for of, mtu in ip.tables.path_mtus.items()),
        suspects=tuple(ip.tables.suspects),
        tcp_ports=tuple(reservation.name for reservation in tcp.ports),
        udp_ports=tuple(reservation.name for reservation in udp.ports),
        raw_names=tuple(raw.names()),
        connections=tuple(
            ConnectionView(connection.local, connection.remote, connection.state.name)
            for connection in tcp.connections()
        ),
        drops=dict(trace.drops),
    )


def _interface(interface: Interface, dhcp: str) -> InterfaceView:
    return InterfaceView(
        index=interface.index,
        name=interface.name,
        mac=interface.mac,
        mtu=interface.mtu,
        metric=interface.metric,
        is_up=interface.is_up,
        addresses=tuple((address, entry.prefix_length) for address, entry in interface.addresses.items()),
        address_states=tuple(interface.addresses.values()),
        unassigned=tuple(interface.unassigned.values()),
        groups=tuple(group for group, cast in interface.accepts.items() if cast is Cast.MULTICAST),
        is_forwarding=interface.forwarding,
        dhcp=dhcp,
        neighbours=tuple((n.address, n.mac, n.state.name) for n in interface.neighbours),
    )
