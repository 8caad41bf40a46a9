"""Two hosts with a LAN and a SAN between them, and the ways on which a connection between their programs may go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from pathlib import Path

from wsknet import Network
from wsknet.behaviour import WINDOWS, HostModel
from wsknet.host import Host
from wsknet.san.base.provider import TcpipProvider
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.dll import SanProvider
from wsknet.san.registry import registry_of
from wsknet.san.switch.dll import Switch
from wsknet.san.ws2_32 import Winsock
from wsknet.text import parse_address

CLIENT, SERVER, ABSENT = (parse_address(f"10.9.0.{number}") for number in (1, 2, 77))
"""On the SAN."""
LAN_CLIENT = parse_address("192.0.2.1")
POLICY = SanPolicy()

WEAK = replace(WINDOWS, name="windows with weak hosts", host_send=HostModel.WEAK, host_receive=HostModel.WEAK)
"""As Windows of the time of Winsock Direct: "Strong and Weak Host Models", The Cable Guy, September 2007."""


class Way(Enum):
    SAN = "over the SAN"
    TCPIP = "over TCP/IP: no SAN provider is installed"
    FALLBACK = "back to TCP/IP: the server has no Winsock Direct"
    TCPIP_ONLY = "back to TCP/IP: the server's program listens through TCP/IP alone"
    CUT = "over TCP/IP and the LAN: the client's link to the SAN is cut"
    """The server's name on the SAN is reached all the same: a route of the client leads there through the LAN, and a
    weak host takes and sends packets of all its addresses on every interface."""


class World:
    def __init__(self, network: Network, way: Way, policy: SanPolicy, capture: Path | None) -> None:
        self.network = network
        if capture is not None:
            network.capture(capture)
        self.hosts = [network.host(name, WEAK) for name in ("client", "server")]
        for number, host in enumerate(self.hosts, 1):
            host.interface("lan", f"192.0.2.{number}/24")
            host.interface("san0", f"10.9.0.{number}/24")
        for name in ("lan", "san0"):
            network.link(*(host.interfaces[name] for host in self.hosts))
        client, server = self.hosts
        if way is not Way.TCPIP:
            self._install(client, policy)
        if way in (Way.SAN, Way.TCPIP_ONLY, Way.CUT):
            self._install(server, policy)
        if way is Way.TCPIP_ONLY:
            Switch(server)  # of another program: it has the provider loaded
        if way is Way.CUT:
            client.route("10.9.0.0/24", via="192.0.2.2")
            client.interfaces["san0"].set_up(False)
        self.client = Winsock(client)
        """Not started, and so the other."""
        self.server = Winsock(server, TcpipProvider if way is Way.TCPIP_ONLY else Switch)

    def _install(self, host: Host, policy: SanPolicy) -> None:
        registry_of(host).install(SanProvider(host, ("san0",), policy))


@contextmanager
def san_world(way: Way, policy: SanPolicy = POLICY, capture: Path | None = None) -> Iterator[World]:
    with Network(seed=7) as network:
        yield World(network, way, policy, capture)
