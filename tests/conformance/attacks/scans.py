"""Who looks for open doors, or knocks with our own name."""

from __future__ import annotations

from functools import partial

from tests.conformance.attacks.common import stranger
from tests.conformance.attacks.table import attack
from tests.support.memory import growth
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_MAC, OUR_PORT, PEER_MAC
from wsknet.trace import DropReason
from wsknet.types import SECOND, Cover, Family, LocalName, Proto
from wsknet.wire import ipv4, ipv6, tcp, udp
from wsknet.wire.checksum import pseudo_sum
from wsknet.wire.ethernet import ETHERTYPE_IPV4, ETHERTYPE_IPV6, header

_SLACK = 20_000
"""Bytes, whatever the number of ports."""
_FLOW = 300
"""Bytes for the flow label of each answer over IPv6, of which the latest 4096 are kept (`flow_label.MAX_FLOWS`)."""


def _send(lab: TcpLab, source: bytes, protocol: Proto, body: bytes) -> None:
    ours = OUR_ADDRESS[lab.family]
    build, ethertype = (ipv4.build, ETHERTYPE_IPV4) if lab.family is Family.IPV4 else (ipv6.build, ETHERTYPE_IPV6)
    packet = build(source, ours, protocol, len(body), 64)
    lab.receive(header(OUR_MAC, PEER_MAC, ethertype) + packet + body)


@attack(
    "land: a packet from our own address and port",
    "dropped by IP: no packet of ours comes from the wire",
    "no answer, no connection, no talk with ourselves",
    "RFC1122-3.2.1.3",
    "RFC6890-2.2",
)
def _land(family: Family) -> None:
    lab = TcpLab(family)
    lab.listening()
    datagrams = lab.stack.udp.open(Cover(family.value))
    datagrams.bind(LocalName(Cover(family.value), None, 9), lab.now)
    pseudo_tcp = pseudo_sum(OUR_ADDRESS[family], OUR_ADDRESS[family], Proto.TCP)
    pseudo_udp = pseudo_sum(OUR_ADDRESS[family], OUR_ADDRESS[family], Proto.UDP)
    for flags in (tcp.SYN, tcp.SYN | tcp.ACK, tcp.ACK, tcp.RST):
        _send(lab, OUR_ADDRESS[family], Proto.TCP, tcp.build_checked(pseudo_tcp, OUR_PORT, OUR_PORT, 1, 1, flags, 1000))
    checksum = udp.checksum(pseudo_udp, 9, 9, (b"echo",))
    _send(lab, OUR_ADDRESS[family], Proto.UDP, udp.build(9, 9, 4, checksum) + b"echo")
    lab.peer.expect_nothing(until=SECOND)
    assert list(lab.stack.tcp.connections()) == []
    assert datagrams.readable == 0
    assert lab.stack.trace.drops == {DropReason.IP_MARTIAN_SOURCE: 5}


def _scan(lab: TcpLab, flags: str, ports: range) -> int:
    answers = 0
    for port in ports:
        lab.peer.send(flags=flags, seq=port, ack=port, to=port)
        found = lab.peer.drain()
        assert all("R" in answer.flags for answer in found)
        answers += len(found)
    return answers


@attack(
    "port scan by SYN, FIN, ACK, Xmas and empty segments",
    "each closed port answers with one RST, as RFC 9293 says",
    "one answer each, no memory but that of 4096 flow labels",
    "RFC9293-3.10.7.1",
)
def _port_scan(family: Family) -> None:
    for flags in ("S", "F", "A", "FPU", ""):
        lab = TcpLab(family)
        assert _scan(lab, flags, range(1, 300)) == 299
        room = _SLACK + (400 * _FLOW if family is Family.IPV6 else 0)
        assert growth(partial(_scan, lab, flags, range(300, 700))) < room
        assert _scan(lab, flags, range(700, 800)) == 100


@attack(
    "port scan by UDP",
    "closed ports are told, as far as the ration of ICMP errors goes",
    "a burst of 50 and 1000 a second for all together",
    "RFC4443-2.4",
    "RFC1812-4.3.2.8",
)
def _udp_scan(family: Family) -> None:
    lab = TcpLab(family)
    ours = OUR_ADDRESS[family]
    for port in range(1, 2001):
        lab.peer.address = stranger(family, port)
        checksum = udp.checksum(pseudo_sum(lab.peer.address, ours, Proto.UDP), 9, port, (b"?",))
        _send(lab, lab.peer.address, Proto.UDP, udp.build(9, port, 1, checksum) + b"?")
    drops = lab.stack.trace.drops
    assert drops[DropReason.UDP_NO_ENDPOINT] == 2000
    assert drops[DropReason.ICMP_RATE_LIMITED] == 2000 - lab.stack.config.icmp_errors_burst
