"""A read-only snapshot of every table, for people, tests and comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsknet.trace import DropReason
from wsknet.types import Address, Endpoint, IfIndex, LocalName, Mac

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.routes import Route
    from wsknet.trace import Trace
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.udp import UdpProtocol


@dataclass(frozen=True, slots=True)
class InterfaceView:
    index: IfIndex
    name: str
    mac: Mac
    mtu: int
    metric: int
    is_up: bool
    addresses: tuple[tuple[Address, int], ...]
    """Address and prefix length, in the order in which they were added."""
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
    tcp_ports: tuple[LocalName, ...]
    udp_ports: tuple[LocalName, ...]
    connections: tuple[ConnectionView, ...]
    drops: dict[DropReason, int]


def snapshot(ip: IpLayer, tcp: TcpProtocol, udp: UdpProtocol, trace: Trace) -> View:
    return View(
        interfaces=tuple(
            InterfaceView(
                interface.index,
                interface.name,
                interface.mac,
                interface.mtu,
                interface.metric,
                interface.is_up,
                tuple((address, entry.prefix_length) for address, entry in interface.addresses.items()),
                tuple((n.address, n.mac, n.state.name) for n in interface.neighbours),
            )
            for interface in ip.interfaces.values()
        ),
        routes=tuple(ip.routes),
        tcp_ports=tuple(reservation.name for reservation in tcp.ports),
        udp_ports=tuple(reservation.name for reservation in udp.ports),
        connections=tuple(
            ConnectionView(connection.local, connection.remote, connection.state.name)
            for connection in tcp.connections()
        ),
        drops=dict(trace.drops),
    )
