"""One host with UDP sockets, and the hand that writes and reads datagrams on its link."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from wsknet.config import InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpError, IcmpErrorKind
from wsknet.stack import Stack
from wsknet.transport.endpoint import PacketInfo
from wsknet.transport.sharing import Sharing
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import SECOND, Address, Cover, Endpoint, Family, IfIndex, Instant, LocalName, Proto
from wsknet.wire import ipv4, ipv6, udp
from wsknet.wire.checksum import pseudo_sum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

IF_INDEX = IfIndex(2)
OUR_MAC, PEER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
OURS = {Family.IPV4: bytes((192, 0, 2, 1)), Family.IPV6: bytes.fromhex("20010db8000000000000000000000001")}
PEER = {Family.IPV4: bytes((192, 0, 2, 2)), Family.IPV6: bytes.fromhex("20010db8000000000000000000000002")}
GROUP = {Family.IPV4: bytes((239, 1, 2, 3)), Family.IPV6: bytes.fromhex("ff15000000000000000000000001f203")}
BROADCASTS = (bytes((192, 0, 2, 255)), b"\xff" * 4)


class Sent(NamedTuple):
    """A packet that the host sent."""

    source: Address
    destination: Address
    protocol: int
    body: bytes


class UdpLab:
    def __init__(self, family: Family) -> None:
        self.family = family
        self.now = Instant(10 * SECOND)
        self.codec = ScapyCodec()
        self.stack = Stack(StackConfig(), self.codec, Random(1))
        self.stack.apply(changes.InterfaceAdded(IF_INDEX, InterfaceConfig("eth0", OUR_MAC)), self.now)
        self.stack.apply(changes.AddressAdded(IF_INDEX, OURS[Family.IPV4], 24), self.now)
        self.stack.apply(changes.AddressAdded(IF_INDEX, OURS[Family.IPV6], 64), self.now)
        self._meet()

    def _meet(self) -> None:
        """Make the peer's hardware address known: by a question of its own."""
        zero, peer, ours = bytes(6), PEER[Family.IPV4], OURS[Family.IPV4]
        question = bytes.fromhex("0001080006040001") + PEER_MAC + peer + zero + ours
        self.receive(b"\xff" * 6 + PEER_MAC + b"\x08\x06" + question)
        solicitation = b"\x87\0\0\0\0\0\0\0" + OURS[Family.IPV6] + b"\1\1" + PEER_MAC
        checksum = udp_like_checksum(PEER[Family.IPV6], OURS[Family.IPV6], solicitation)
        solicitation = solicitation[:2] + checksum + solicitation[4:]
        packet = ipv6.build(PEER[Family.IPV6], OURS[Family.IPV6], Proto.ICMPV6, len(solicitation), 255)
        self.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV6) + packet + solicitation)
        self.sent()

    def receive(self, frame: bytes) -> None:
        self.stack.receive(IF_INDEX, frame, self.now)

    def bound(self, port: int, address: Address | None = None, *, is_shared: bool = False) -> UdpEndpoint:
        cover = Cover(self.family.value)
        endpoint = self.stack.udp.open(cover)
        endpoint.bind(LocalName(cover, address, port), self.now, Sharing.REUSE if is_shared else Sharing.DEFAULT)
        return endpoint

    def send(self, endpoint: UdpEndpoint, data: bytes, port: int, info: PacketInfo | None = None) -> None:
        endpoint.send((data,), Endpoint(PEER[self.family], port), self.now, info)

    def datagram(
        self,
        data: bytes = b"data",
        port: int = 7,
        source_port: int = 9000,
        checksum: int | None = None,
        length: int | None = None,
        behind: bytes = b"",
        source: Address | None = None,
        destination: Address | None = None,
    ) -> None:
        """One from the peer.  `checksum` and `length` replace the right ones, `behind` follows the datagram."""
        source, destination = source or PEER[self.family], destination or OURS[self.family]
        if checksum is None:
            checksum = udp.checksum(pseudo_sum(source, destination, Proto.UDP), source_port, port, (data,))
        told = udp.HEADER_LENGTH + len(data) if length is None else length
        head = b"".join(number.to_bytes(2, "big") for number in (source_port, port, told, checksum))
        self.packet(head + data + behind, source, destination)

    def packet(self, body: bytes, source: Address, destination: Address, protocol: Proto = Proto.UDP) -> None:
        is_group = destination in (GROUP[self.family], *BROADCASTS)
        mac = group_mac(destination) if is_group else OUR_MAC
        if self.family is Family.IPV4:
            head = ipv4.build(source, destination, protocol, len(body), 64)
            self.receive(header(mac, PEER_MAC, ETHERTYPE_IPV4) + head + body)
        else:
            head = ipv6.build(source, destination, protocol, len(body), 64)
            self.receive(header(mac, PEER_MAC, ETHERTYPE_IPV6) + head + body)

    def icmp_error(self, kind: IcmpErrorKind, our_port: int, port: int, *, about: Address | None = None) -> None:
        """About a datagram from `our_port` to `port` of the peer, or of `about`."""
        ours, theirs = OURS[self.family], about or PEER[self.family]
        quoted = udp.build(our_port, port, 4, 0x1234) + b"data"
        build = ipv4.build if self.family is Family.IPV4 else ipv6.build
        whole = build(ours, theirs, Proto.UDP, len(quoted), 64) + quoted
        router = PEER[self.family]
        body = self.codec.encode_icmp(self.family, router, ours, IcmpError(kind, whole))
        self.packet(body, router, ours, Proto.ICMP if self.family is Family.IPV4 else Proto.ICMPV6)

    def sent(self) -> list[Sent]:
        """Packets that have left since the last call."""
        while self.stack.next_event() is not None:
            continue
        found = []
        for _, buffers, _ in self.stack.take_frames():
            frame = b"".join(buffers)
            if frame[12:14] == b"\x08\x00":
                found.append(Sent(frame[26:30], frame[30:34], frame[23], frame[34:]))
            elif frame[12:14] == b"\x86\xdd":
                found.append(Sent(frame[22:38], frame[38:54], frame[20], frame[54:]))
        return found

    def refusals(self) -> list[bytes]:
        """What the port unreachable errors quote that have left since the last call, from its transport header on."""
        kind, skip = ((3, 3), 20) if self.family is Family.IPV4 else ((1, 4), 40)
        protocol = Proto.ICMP if self.family is Family.IPV4 else Proto.ICMPV6
        found = [packet.body for packet in self.sent() if packet.protocol == protocol]
        return [body[8 + skip :] for body in found if (body[0], body[1]) == kind]


def group_mac(destination: Address) -> bytes:
    if destination in BROADCASTS:
        return b"\xff" * 6
    if len(destination) == 4:
        return bytes((1, 0, 0x5E, destination[1] & 0x7F, *destination[2:]))
    return b"\x33\x33" + destination[12:]


def udp_like_checksum(source: Address, destination: Address, message: bytes) -> bytes:
    """Of an ICMPv6 message whose own field is still zero."""
    total = pseudo_sum(source, destination, Proto.ICMPV6) + len(message)
    total += sum(int.from_bytes(message[at : at + 2], "big") for at in range(0, len(message), 2))
    return (-total % 0xFFFF).to_bytes(2, "big")
