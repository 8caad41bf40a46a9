"""Host H1 of the binding catalogue with its transports: two interfaces, neighbours known, time by hand."""

from __future__ import annotations

from random import Random
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from tests.unit.net.lab import IF1, IF2, PEER_MAC, A, Lab
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.stack import Stack
from wsknet.text import format_address
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Cover, Endpoint, IfIndex, LocalName, family_of

PORT = 7000
PEER_PORT = 9000
NEIGHBOURS = {
    IF1: ("10.1.0.50", "10.1.0.1", "2001:db8:1::50", "fe80::99", "fe80::1"),
    IF2: ("10.2.0.50", "10.2.0.1", "fd00:2::50", "fe80::99"),
}


class MultiHomed(Lab):
    """With `is_bare` there is no default route, and nothing but the addresses."""

    def __init__(self, behaviour: Behaviour = WINDOWS, is_bare: bool = False) -> None:
        super().__init__(behaviour)
        self.stack = Stack(StackConfig(behaviour=behaviour), ScapyCodec(), Random(7))
        self.ip, self.timers, self.trace = self.stack.ip, self.stack.timers, self.stack.trace
        self.interface(IF1, "10.1.0.2/24", "2001:db8:1::2/64", "fe80::a/64", metric=25)
        self.interface(IF2, "10.2.0.2/24", "fd00:2::2/64", "fe80::b/64", metric=35)
        if not is_bare:
            self.route("0.0.0.0/0", IF1, "10.1.0.1")
            self.route("::/0", IF1, "fe80::1")
        for index, addresses in NEIGHBOURS.items():
            for address in addresses:
                self.know(index, address)
        self.take()

    def udp_on(
        self,
        address: str | None = None,
        port: int = PORT,
        zone: int = 0,
        cover: Cover | None = None,
        sharing: Sharing = Sharing.DEFAULT,
    ) -> UdpEndpoint:
        endpoint = self.stack.udp.open(_cover(address, cover))
        endpoint.bind(_name(address, port, zone, cover), self.now, sharing)
        endpoint.may_broadcast = True
        return endpoint

    def tcp_on(
        self, address: str | None = None, port: int = PORT, zone: int = 0, cover: Cover | None = None
    ) -> TcpEndpoint:
        endpoint = self.stack.tcp.open(_cover(address, cover))
        endpoint.bind(_name(address, port, zone, cover), self.now)
        return endpoint

    def listening(self, address: str | None = None, port: int = PORT, cover: Cover | None = None) -> TcpEndpoint:
        endpoint = self.tcp_on(address, port, cover=cover)
        endpoint.listen(self.now)
        return endpoint

    def send_to(self, endpoint: UdpEndpoint, to: str, port: int = PEER_PORT, zone: int = 0) -> None:
        endpoint.send((b"data",), Endpoint(A(to), port, zone), self.now)
        self.settle()

    def connect(self, endpoint: TcpEndpoint | UdpEndpoint, to: str, port: int = PEER_PORT, zone: int = 0) -> None:
        endpoint.connect(Endpoint(A(to), port, zone), self.now)
        self.settle()

    def settle(self) -> None:
        """Hand round what stays inside the host."""
        self.ip.deliver_looped(self.now)
        while self.stack.next_event() is not None:
            pass

    def datagram(self, index: IfIndex, source: str, destination: str, port: int = PORT, mac: str | None = None) -> None:
        layer = IPv6 if ":" in source else IP
        self.arrive(index, layer(src=source, dst=destination) / UDP(sport=PEER_PORT, dport=port) / b"data", mac)

    def segment(self, index: IfIndex, source: str, destination: str, flags: str = "S", **fields: Any) -> None:
        layer = IPv6 if ":" in source else IP
        tcp = TCP(sport=PEER_PORT, dport=PORT, flags=flags, **fields)
        self.arrive(index, layer(src=source, dst=destination) / tcp)

    def shake_hands(self, index: IfIndex, source: str, destination: str, listener: TcpEndpoint) -> TcpEndpoint | None:
        """What `listener` accepts of a peer that dials `destination`; `None` if it did not answer."""
        self.take()
        self.segment(index, source, destination, seq=100)
        answers = [frame[TCP] for _, frame in self.take() if TCP in frame and frame[TCP].flags == "SA"]
        for answer in answers:
            self.segment(index, source, destination, "A", seq=101, ack=answer.seq + 1 & 0xFFFFFFFF)
        return listener.accept(self.now)

    def sent(self) -> tuple[IfIndex, str, str, str]:
        """Interface, MAC address, source and destination of the one packet that left."""
        [(index, frame)] = self.take()
        ip = frame[IP if IP in frame else IPv6]
        return index, frame[Ether].dst, ip.src, ip.dst


def mac_of_group(group: str) -> str:
    """Of a broadcast address too; neighbours have `PEER_MAC`."""
    address = A(group)
    if len(address) == 16:
        return "33:33:" + address[-4:].hex(":")
    if 224 <= address[0] <= 239:
        return "01:00:5e:" + bytes((address[1] & 0x7F, *address[2:])).hex(":")
    return "ff:ff:ff:ff:ff:ff"


def local_text(endpoint: TcpEndpoint | UdpEndpoint) -> str:
    """The address that the endpoint is bound to, with its zone."""
    assert endpoint.local is not None
    _, address, _, zone = endpoint.local
    return "wildcard" if address is None else format_address(address) + (f"%{zone}" if zone else "")


def _cover(address: str | None, cover: Cover | None) -> Cover:
    return cover or (Cover(family_of(A(address)).value) if address else Cover.IPV4)


def _name(address: str | None, port: int, zone: int, cover: Cover | None) -> LocalName:
    return LocalName(_cover(address, cover), A(address) if address else None, port, zone)


__all__ = ["IF1", "IF2", "PEER_MAC", "PEER_PORT", "PORT", "A", "MultiHomed", "local_text", "mac_of_group"]
