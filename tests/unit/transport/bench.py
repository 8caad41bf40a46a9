"""One stack on one link with a router that answers ARP and neighbour solicitations, and otherwise only by script."""

from __future__ import annotations

from random import Random
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.text import parse_address, parse_cidr, parse_network
from wsknet.transport.endpoint import TransportEndpoint
from wsknet.transport.sharing import Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import SECOND, Address, Cover, Endpoint, Family, IfIndex, Instant, LocalName

IF1 = IfIndex(2)
OUR_MAC = "02:00:00:00:00:01"
ROUTER_MAC = "02:00:00:00:00:fe"
US = {Family.IPV4: "192.0.2.1", Family.IPV6: "2001:db8::1"}
ROUTER = {Family.IPV4: "192.0.2.254", Family.IPV6: "2001:db8::fe"}
FAR = {Family.IPV4: "198.51.100.7", Family.IPV6: "2001:db8:1::7"}
"""Beyond the router."""


class Bench:
    """Everything between `US` and `FAR` over `family`; `sent` are the IP packets that left."""

    def __init__(self, family: Family, behaviour: Behaviour = WINDOWS, mtu: int = 1500) -> None:
        self.family = family
        self.now = Instant(1000 * SECOND)
        self.stack = Stack(StackConfig(behaviour=behaviour), ScapyCodec(), Random(1))
        self.is_router_silent = False
        self.sent: list[Any] = []
        mac = bytes.fromhex(OUR_MAC.replace(":", ""))
        self.apply(changes.InterfaceAdded(IF1, InterfaceConfig("eth0", mac, mtu)))
        for cidr in ("192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"):
            self.apply(changes.AddressAdded(IF1, *parse_cidr(cidr)))
        for prefix, router in (("0.0.0.0/0", ROUTER[Family.IPV4]), ("::/0", ROUTER[Family.IPV6])):
            self.apply(changes.RouteAdded(*parse_network(prefix), IF1, parse_address(router)))

    @property
    def us(self) -> Address:
        return parse_address(US[self.family])

    @property
    def far(self) -> Address:
        return parse_address(FAR[self.family])

    def apply(self, change: changes.Change) -> None:
        self.stack.apply(change, self.now)

    def settle(self) -> dict[TransportEndpoint, int]:
        """What a pump does; what each endpoint's owner would have heard."""
        told: dict[TransportEndpoint, int] = {}
        while True:
            while (event := self.stack.next_event()) is not None:
                told[event.endpoint] = told.get(event.endpoint, 0) | event.readiness
            if self.stack.ip.deliver_looped(self.now):
                continue
            frames = self.stack.take_frames()
            if not frames:
                return told
            for _, buffers, _ in frames:
                self._hear(Ether(b"".join(buffers)))

    def _hear(self, frame: Any) -> None:
        if ARP in frame:
            if not self.is_router_silent:
                answer = ARP(op=2, hwsrc=ROUTER_MAC, psrc=frame[ARP].pdst, hwdst=OUR_MAC, pdst=frame[ARP].psrc)
                self._receive(Ether(dst=OUR_MAC, src=ROUTER_MAC) / answer)
        elif ICMPv6ND_NS in frame:
            if not self.is_router_silent:
                target = frame[ICMPv6ND_NS].tgt
                answer = ICMPv6ND_NA(tgt=target, R=1, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=ROUTER_MAC)
                self.arrive(IPv6(src=target, dst=frame[IPv6].src, hlim=255) / answer)
        else:
            self.sent.append(frame.payload)

    def _receive(self, frame: Any) -> None:
        self.stack.receive(IF1, bytes(frame), self.now)

    def arrive(self, packet: Any) -> None:
        """An IP packet through the router."""
        self._receive(Ether(dst=OUR_MAC, src=ROUTER_MAC) / packet)

    def error(self, icmp: Any, about: Any) -> dict[TransportEndpoint, int]:
        """An ICMP error of the router that quotes the beginning of a packet."""
        quoted = bytes(about)[:500]
        if self.family is Family.IPV4:
            self.arrive(IP(src=ROUTER[self.family], dst=US[self.family]) / icmp / quoted)
        else:
            self.arrive(IPv6(src=ROUTER[self.family], dst=US[self.family]) / icmp / quoted)
        return self.settle()

    def take(self) -> Any:
        """The one packet that left."""
        self.settle()
        [packet] = self.sent
        self.sent.clear()
        return packet

    def pass_time(self, seconds: float) -> dict[TransportEndpoint, int]:
        told: dict[TransportEndpoint, int] = self.settle()
        end = Instant(self.now + int(seconds * SECOND))
        while (deadline := self.stack.next_deadline()) is not None and deadline <= end:
            self.now = Instant(max(self.now, deadline))
            self.stack.poll(self.now)
            for endpoint, readiness in self.settle().items():
                told[endpoint] = told.get(endpoint, 0) | readiness
        self.now = end
        return told

    def udp(self, port: int = 5000, is_connected: bool = False, sharing: Sharing = Sharing.DEFAULT) -> UdpEndpoint:
        endpoint = self.stack.udp.open(Cover(self.family.value))
        endpoint.bind(LocalName(Cover(self.family.value), None, port), self.now, sharing)
        if is_connected:
            endpoint.connect(Endpoint(self.far, 53), self.now)
        return endpoint

    def sent_by(self, endpoint: UdpEndpoint, data: bytes = b"question") -> Any:
        endpoint.send((data,), Endpoint(self.far, 53), self.now)
        return self.take()

    def connecting(self) -> tuple[TcpEndpoint, Any]:
        """SYN-SENT, and the SYN."""
        endpoint = self.stack.tcp.open(Cover(self.family.value))
        endpoint.bind(LocalName(Cover(self.family.value), None, 5000), self.now)
        endpoint.connect(Endpoint(self.far, 80), self.now)
        return endpoint, self.take()

    def connected(self, data: bytes = b"question") -> tuple[TcpEndpoint, Any]:
        """ESTABLISHED, and the segment with `data`, unacknowledged."""
        endpoint, syn = self.connecting()
        answer = TCP(
            sport=80, dport=5000, flags="SA", seq=9, ack=syn[TCP].seq + 1 & 0xFFFFFFFF, options=[("MSS", 1400)]
        )
        self.arrive(self.from_far(answer))
        self.settle()
        self.sent.clear()
        endpoint.send(data, self.now, False)
        return endpoint, self.take()

    def from_far(self, payload: Any) -> Any:
        layer = IP if self.family is Family.IPV4 else IPv6
        return layer(src=FAR[self.family], dst=US[self.family]) / payload

    def echo_reply(self, identifier: int, sequence: int, data: bytes, **fields: int) -> None:
        if self.family is Family.IPV4:
            reply = IP(src=FAR[self.family], dst=US[self.family], **fields) / ICMP(type=0, id=identifier, seq=sequence)
        else:
            reply = IPv6(src=FAR[self.family], dst=US[self.family], **fields) / ICMPv6EchoReply(
                id=identifier, seq=sequence
            )
        self.arrive(reply / data)
