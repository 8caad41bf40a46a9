"""ICMP that somebody forged: RFC 5927."""

from __future__ import annotations

import pytest

from tests.conformance.attacks.common import assert_alive
from tests.conformance.attacks.table import attack
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, PEER_ADDRESS, Received, sec
from wsknet.errors import ErrorKind, NetError
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.net.pmtu import MIN_PATH_MTU
from wsknet.trace import DropReason
from wsknet.transport.tcp.state import State
from wsknet.types import Family

HARD = (IcmpErrorKind.PORT_UNREACHABLE, IcmpErrorKind.PROTOCOL_UNREACHABLE, IcmpErrorKind.ADMIN_PROHIBITED)
_INITIAL_WINDOW = 10
_HEADERS = {Family.IPV4: 40, Family.IPV6: 60}


def _elsewhere(about: Received, distance: int) -> Received:
    """The same segment with another number."""
    return about._replace(seq=(about.seq + distance) & 0xFFFFFFFF)


@attack(
    "spoofed hard errors about an established connection",
    "it stays, even if the number is right; the error is at most remembered",
    "no answer, nothing sent again",
    "RFC5927-5.2",
    "RFC5461-4.1",
)
def _hard_errors(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.send(endpoint, b"in flight")
    sent = lab.peer.next()
    for kind in HARD:
        for distance in (0, 3, 100, -100, 1 << 31):
            lab.peer.send_icmp_error(kind, _elsewhere(sent, distance))
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=10)
    assert_alive(lab, endpoint, ours=10)
    assert endpoint.error is None


@attack(
    "spoofed hard errors while connecting",
    "only one about the very SYN ends the attempt",
    "one guess in 2^32",
    "RFC5927-4.1",
)
def _while_connecting(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    syn = lab.peer.next()
    for distance in (1, -1, 1000, 1 << 31):
        lab.peer.send_icmp_error(HARD[0], _elsewhere(syn, distance))
    assert lab.state(endpoint) is State.SYN_SENT
    lab.peer.send_icmp_error(HARD[0], syn)
    assert lab.state(endpoint) is State.CLOSED
    assert endpoint.error is ErrorKind.PORT_UNREACHABLE


@attack(
    "spoofed packet too big with a tiny MTU",
    "segments become no smaller than the least path MTU, and everything still arrives",
    "552 bytes over IPv4, 1280 over IPv6; ten minutes",
    "RFC5927-7",
    "RFC8201-4",
    "RFC1191-6.3",
)
def _tiny_mtu(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=60_000)
    lab.send(endpoint, bytes(30_000))
    about = lab.peer.next()
    least = MIN_PATH_MTU[family] - _HEADERS[family]
    for mtu in (68, 0, 296, 552, 576, 1279, 1280):
        lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, about, mtu)
    arrived, ack, sizes = about.data, 1 + len(about.data), []
    for _ in range(500):
        for segment in lab.peer.drain():
            sizes.append(len(segment.data))
            if segment.seq <= ack < segment.seq + len(segment.data):
                arrived += segment.data[ack - segment.seq :]
                ack = segment.seq + len(segment.data)
        lab.peer.send(seq=1, ack=ack, window=60_000)
        if ack == 30_001:
            break
        lab.clock.advance(sec(1))
    assert arrived == bytes(30_000)
    # Of each segment that was in flight, and was cut, an end is left over; and of the whole.
    assert len([size for size in sizes if size < least]) <= _INITIAL_WINDOW + 1


@attack(
    "packet too big about a number that is not in flight",
    "it is not believed",
    "none sent again, none made smaller",
    "RFC5927-4.1",
    "RFC5927-7.2",
)
def _wrong_number(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=60_000)
    lab.send(endpoint, bytes(4380), no_delay=True)
    flight = lab.peer.drain()
    for distance in (-1, -5000, 4380, 100_000, 1 << 31):
        lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, _elsewhere(flight[0], distance), 1280)
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT] == 5
    lab.peer.send(seq=1, ack=4381)
    lab.send(endpoint, bytes(1460))
    assert len(lab.peer.next().data) == len(flight[0].data)


@attack(
    "ICMP errors by the thousand about paths that nobody uses",
    "none is believed, none kept",
    "no entry in the path MTU table",
    "RFC5927-4",
)
def _unused_paths(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.send(endpoint, b"in flight")
    sent = lab.peer.next()
    for number in range(1000):
        about = sent._replace(destination_port=1024 + number)
        lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, about, 1280)
    path = lab.stack.ip.path(PEER_ADDRESS[family], OUR_ADDRESS[family])
    assert path.mtu == 1500
    with pytest.raises(NetError):
        lab.stack.ip.path(PEER_ADDRESS[family], PEER_ADDRESS[family])


@attack(
    "a storm of packet too big on a path that swallows what is long without a word",
    "segments are never shorter than the least path MTU, nor longer than what was told; everything arrives",
    "what is in flight once more for each message that makes segments shorter, nothing for any other",
    "RFC5927-7.2",
    "RFC4821-7.7",
)
def _storm_in_a_black_hole(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=60_000)
    lab.send(endpoint, bytes(30_000))
    lab.peer.drain()
    lab.clock.advance(sec(2.5))
    flight = [segment for segment in lab.peer.drain() if segment.seq == 1]
    about = flight[-1]
    assert len(about.data) + _HEADERS[family] in (1024, 1280), "three repetitions were swallowed"
    least = MIN_PATH_MTU[family]
    told = len(about.data) + _HEADERS[family]
    for mtu in (9000, 65535, told + 1, told, least, least - 1, 68, 0, 9000, least, least + 1):
        before = told
        told = min(told, max(mtu, least) if mtu else told)
        lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, about, mtu)
        answers = lab.peer.drain()
        assert sum(len(segment.data) for segment in answers) <= (30_000 if told < before else 0)
        assert all(len(segment.data) + _HEADERS[family] <= told for segment in answers)
    ack = 1
    for _ in range(300):
        lab.peer.send(seq=1, ack=ack, window=60_000)
        for segment in lab.peer.drain():
            fits = len(segment.data) + _HEADERS[family] <= least
            if fits and segment.seq <= ack < segment.seq + len(segment.data):
                ack = segment.seq + len(segment.data)
        if ack == 30_001:
            break
        lab.clock.advance(sec(1))
    assert ack == 30_001
    lab.peer.send(seq=1, ack=ack)
    lab.peer.drain()
    assert_alive(lab, endpoint, ours=ack)
