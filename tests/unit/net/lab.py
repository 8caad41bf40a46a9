"""One IP layer alone: frames in, frames out, time by hand, the real codec."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import AutoConfig, InterfaceConfig, NeighbourConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.net.handler import Undelivered
from wsknet.net.layer import IpLayer
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.net.packet import Packet, Path
from wsknet.text import format_address, parse_address, parse_cidr, parse_network
from wsknet.timers import Timers
from wsknet.trace import Decision, DropReason, Trace
from wsknet.types import SECOND, IfIndex, Instant, Proto

LO, IF1, IF2, IF3 = IfIndex(1), IfIndex(2), IfIndex(3), IfIndex(4)
PEER_MAC = "02:00:00:00:00:99"
OTHER_MAC = "02:00:00:00:00:77"
PEER6, US6 = "2001:db8:1::50", "2001:db8:1::2"
"""On the first of `two_links`."""
A = parse_address


class ReportedError(NamedTuple):
    kind: IcmpErrorKind
    source: str
    destination: str
    quoted: bytes
    zone: int
    mtu: int


class Recorder:
    """A protocol that only listens."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.errors: list[ReportedError] = []

    def input(self, packet: Packet, now: Instant) -> None:
        self.packets.append(packet)

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        source, destination = format_address(error.source), format_address(error.destination)
        self.errors.append(ReportedError(error.kind, source, destination, error.quoted, error.zone, error.mtu))
        return True


def mac_of(if_index: int) -> str:
    return f"02:00:00:00:00:{if_index:02x}"


class Lab:
    def __init__(
        self,
        behaviour: Behaviour = WINDOWS,
        neighbours: NeighbourConfig | None = None,
        config: StackConfig | None = None,
    ) -> None:
        """`config` instead of the other two, which it has."""
        config = config or StackConfig(behaviour=behaviour, neighbours=neighbours or NeighbourConfig())
        self.now = Instant(1_000_000 * SECOND)
        self.trace = Trace()
        self.timers = Timers()
        self.ip = IpLayer(config, ScapyCodec(), self.timers, self.trace, Random(7))
        self.udp = Recorder()
        self.ip.protocols[Proto.UDP] = self.udp

    def interface(
        self, index: IfIndex, *cidrs: str, metric: int = 25, mtu: int = 1500, auto: AutoConfig | None = None
    ) -> None:
        config = InterfaceConfig(f"if{index - 1}", bytes((2, 0, 0, 0, 0, index)), mtu, metric, auto or AutoConfig())
        self.apply(changes.InterfaceAdded(index, config))
        for cidr in cidrs:
            self.address(index, cidr)

    def address(self, index: IfIndex, cidr: str, skip_as_source: bool = False, is_deprecated: bool = False) -> None:
        self.apply(changes.AddressAdded(index, *parse_cidr(cidr), skip_as_source, is_deprecated))

    def route(self, prefix: str, index: IfIndex, via: str | None = None, metric: int = 0) -> None:
        self.apply(changes.RouteAdded(*parse_network(prefix), index, A(via) if via else None, metric))

    def remove_route(self, prefix: str, index: IfIndex, via: str | None = None) -> None:
        self.apply(changes.RouteRemoved(*parse_network(prefix), index, A(via) if via else None))

    def apply(self, change: changes.Change) -> None:
        self.ip.apply(change, self.now)

    def receive(self, index: IfIndex, frame: Any) -> None:
        self.ip.receive(index, bytes(frame), self.now)

    def arrive(self, index: IfIndex, packet: Any, mac: str | None = None, peer: str = PEER_MAC) -> None:
        """An IP packet in a frame from `peer` to interface `index`."""
        kind = 0x0800 if isinstance(packet, IP) else 0x86DD
        self.receive(index, Ether(dst=mac or mac_of(index), src=peer, type=kind) / packet)

    def send(self, destination: str, data: bytes = b"data", source: str | None = None, zone: int = 0) -> Path:
        """A UDP datagram, or what looks like one, the way a transport sends it."""
        path = self.path(destination, source, zone)
        self.ip.send(path, Proto.UDP, udp_header(len(data)), (data,) if data else (), self.now)
        return path

    def path(self, destination: str, source: str | None = None, zone: int = 0, why: Decision | None = None) -> Path:
        return self.ip.path(A(destination), A(source) if source else None, zone, why)

    def where(self, destination: str, source: str | None = None, zone: int = 0) -> tuple[str, str, str]:
        """Interface, next hop and source of the path."""
        path = self.path(destination, source, zone)
        return path.interface.name, format_address(path.next_hop), format_address(path.source)

    def take(self) -> list[tuple[IfIndex, Any]]:
        """What was sent since the last time, as interface and dissected frame."""
        frames, self.ip.frames = self.ip.frames, []
        return [(index, Ether(b"".join(buffers))) for index, buffers, _ in frames]

    def take_one(self, index: IfIndex = IF1) -> Any:
        [(sent_on, frame)] = self.take()
        assert sent_on == index
        return frame

    def pass_time(self, seconds: float) -> None:
        """Let time pass; every timer fires at its own instant."""
        end = Instant(self.now + int(seconds * SECOND))
        while (deadline := self.timers.next_deadline()) is not None and deadline <= end:
            self.now = deadline
            self.timers.fire(deadline)
        self.now = end

    def know(self, index: IfIndex, address: str, mac: str = PEER_MAC) -> None:
        """Make a neighbour known as if it had asked for us."""
        self.ip.interfaces[index].neighbours.learn(A(address), bytes.fromhex(mac.replace(":", "")), self.now)

    def state(self, index: IfIndex, address: str) -> str | None:
        neighbour = self.ip.interfaces[index].neighbours.get(A(address))
        return neighbour.state_at(self.now).name if neighbour is not None else None

    @property
    def drops(self) -> dict[DropReason, int]:
        return dict(self.trace.drops)


def two_links(config: StackConfig | None = None) -> Lab:
    """A host with addresses of both families on each."""
    lab = Lab(config=config)
    lab.interface(IF1, "10.1.0.2/24", "fe80::a/64", "2001:db8:1::2/64")
    lab.interface(IF2, "10.2.0.2/24", "fe80::b/64", "2001:db8:2::2/64")
    return lab


def udp_header(length: int, source_port: int = 1000, destination_port: int = 2000) -> bytes:
    ports = source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big")
    return ports + (length + 8 & 0xFFFF).to_bytes(2, "big") + b"\0\0"


def arp(operation: str, sender: str, target: str, sender_mac: str = PEER_MAC, **fields: Any) -> Any:
    """An ARP frame from a peer: broadcast for a question, to us for an answer unless said otherwise."""
    default = "ff:ff:ff:ff:ff:ff" if operation == "who-has" else mac_of(IF1)
    to = fields.pop("to", default)
    target_mac = "00:00:00:00:00:00" if operation == "who-has" else to
    message = ARP(op=operation, hwsrc=sender_mac, psrc=sender, hwdst=target_mac, pdst=target)
    return Ether(dst=to, src=sender_mac, type=0x0806) / message


def datagram(source: str, destination: str, data: bytes = b"hello", **fields: Any) -> Any:
    """A UDP datagram of either family."""
    layer = IPv6 if ":" in source else IP
    return layer(src=source, dst=destination, **fields) / UDP(sport=2000, dport=1000) / data


def ping(source: str, destination: str, **fields: Any) -> Any:
    return IP(src=source, dst=destination, **fields) / ICMP(type=8, id=0x1234, seq=0xFFFF) / b"payload"
