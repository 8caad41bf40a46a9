"""Explaining is deciding: over random hosts the bare answer, the explained one and what then happens are the same."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.config import InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.net.packet import Cast
from wsknet.net.routes import network_of
from wsknet.stack import Stack
from wsknet.text import parse_address
from wsknet.transport.queries import Answer, ArrivalQuery, BindQuery, OrderQuery, PathQuery, Query
from wsknet.transport.sharing import Security, Sharing
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import Address, Cover, Endpoint, IfIndex, Instant, LocalName, Proto, family_of, is_multicast
from wsknet.wire import ethernet, ipv4, ipv6, udp
from wsknet.wire.checksum import pseudo_sum

NOW = Instant(0)
SETS = {"windows": WINDOWS, "linux": LINUX, "bsd": BSD}
PEER_MAC = b"\x02\0\0\0\0\x77"
LENGTHS = {4: (8, 16, 24, 31), 16: (16, 48, 64, 127)}

# Few distinct bits and lengths, so that prefixes overlap, tie and nest.
ipv4_hosts = st.builds(lambda a, b: bytes((10, a, 0, b)), st.integers(0, 2), st.integers(1, 3))
ipv6_hosts = st.builds(
    lambda a, b: b"\x20\x01\x0d\xb8\0" + bytes((a,)) + bytes(9) + bytes((b,)), st.integers(0, 2), st.integers(1, 3)
)
own = st.one_of(
    ipv4_hosts, ipv6_hosts, st.sampled_from([parse_address(a) for a in ("fe80::1", "fe80::2", "169.254.1.1")])
)
special = st.sampled_from(
    [
        parse_address(address)
        for address in (
            "127.0.0.1", "127.0.0.9", "::1", "0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "ff02::5",
            "239.1.1.1", "10.1.0.255", "8.8.8.8", "2001:4860::8", "fe80::9", "240.0.0.1", "::ffff:10.0.0.1",
        )
    ]
)  # fmt: skip
anywhere = st.one_of(own, special)
indices = st.integers(2, 4).map(IfIndex)
ports = st.sampled_from([7, 53])
sharings = st.sampled_from(list(Sharing))
accounts = st.builds(
    lambda account, admitted: Security(account, frozenset(admitted)),
    st.sampled_from(["alice", "bob"]),
    st.sets(st.sampled_from(["alice", "bob"])),
)


@dataclass
class Socket:
    protocol: Proto
    name: LocalName
    sharing: Sharing
    security: Security
    peer: Endpoint | None


def name_of(address: Address | None, cover: Cover, port: int, zone: int) -> LocalName:
    return LocalName(Cover(family_of(address).value) if address else cover, address, port, zone)


names = st.builds(name_of, st.none() | own, st.sampled_from(list(Cover)), ports, st.sampled_from([0, 0, 0, 2, 3])).map(
    lambda name: name if name.address is not None and name.address[:2] == b"\xfe\x80" else name._replace(zone=0)
)
ends = st.builds(Endpoint, anywhere, st.sampled_from([7, 53, 4000]), st.sampled_from([0, 0, 2]))
sockets = st.builds(Socket, st.sampled_from([Proto.UDP, Proto.TCP]), names, sharings, accounts, st.none() | ends)


@dataclass
class Machine:
    behaviour: str
    cards: list[tuple[int, bool, bool, bool]]
    addresses: list[tuple[IfIndex, Address, int, bool, bool]]
    routes: list[tuple[Address, int, IfIndex, Address | None, int]]
    sockets: list[Socket]

    def build(self) -> Stack:
        behaviour: Behaviour = SETS[self.behaviour]
        stack = Stack(StackConfig(behaviour=behaviour), ScapyCodec(), Random(1))
        for number, (metric, is_up, weak_send, weak_receive) in enumerate(self.cards):
            index = IfIndex(number + 2)
            card = InterfaceConfig(f"if{number + 1}", b"\x02\0\0\0\0" + bytes((index,)), metric=metric)
            stack.apply(changes.InterfaceAdded(index, card, is_up), NOW)
            weak = changes.InterfaceChanged(index, weak_send=weak_send or None, weak_receive=weak_receive or None)
            stack.apply(weak, NOW)
        for index, address, length, skip, deprecated in self.addresses:
            bits = LENGTHS[len(address)][length]
            stack.apply(changes.AddressAdded(index, address, bits, skip, deprecated), NOW)
        for prefix, length, index, next_hop, metric in self.routes:
            bits = (0, *LENGTHS[len(prefix)])[length]
            via = next_hop if next_hop is not None and len(next_hop) == len(prefix) else None
            stack.apply(changes.RouteAdded(network_of(prefix, bits), bits, index, via, metric), NOW)
        for socket in self.sockets:
            _open(stack, socket)
        stack.take_frames()
        return stack


def _open(stack: Stack, socket: Socket) -> None:
    """If it is not allowed there is one socket fewer."""
    try:
        if socket.protocol is Proto.TCP:
            listener = stack.tcp.open(socket.name.cover)
            listener.bind(socket.name, NOW, socket.sharing, socket.security)
            listener.listen(NOW)
        else:
            endpoint = stack.udp.open(socket.name.cover)
            endpoint.bind(socket.name, NOW, socket.sharing, socket.security)
            if socket.peer is not None:
                endpoint.connect(socket.peer, NOW)
    except NetError:
        pass


seldom = st.sampled_from([False, False, False, True])
machines = st.builds(
    Machine,
    st.sampled_from(sorted(SETS)),
    st.lists(
        st.tuples(st.integers(1, 2), seldom.map(lambda is_down: not is_down), seldom, seldom), min_size=3, max_size=3
    ),
    st.lists(st.tuples(indices, own, st.integers(0, 3), seldom, seldom), min_size=3, max_size=8),
    st.lists(st.tuples(own, st.integers(0, 4), indices, st.none() | own, st.integers(0, 1)), max_size=6),
    st.lists(sockets, max_size=6),
)
arrivals = st.tuples(anywhere, anywhere).filter(lambda pair: len(pair[0]) == len(pair[1])).flatmap(
    lambda pair: st.builds(
        ArrivalQuery,
        st.sampled_from([Proto.UDP, Proto.TCP]),
        st.builds(Endpoint, st.just(pair[0]), ports),
        st.builds(Endpoint, st.just(pair[1]), st.sampled_from([7, 53, 4000])),
        st.sampled_from([0, 2, 2, 3, 4, 9]),
    )
)  # fmt: skip
paths = st.builds(
    PathQuery, anywhere, st.none() | anywhere, st.sampled_from([0, 0, 2, 3]), st.sampled_from([0, 0, 0, 2, 9])
).filter(lambda query: query.source is None or len(query.source) == len(query.destination))
binds = st.builds(
    BindQuery,
    st.sampled_from([Proto.UDP, Proto.TCP]),
    names.flatmap(lambda name: st.sampled_from([name, name._replace(port=0)])),
    sharings,
    accounts,
)
orders = st.builds(OrderQuery, st.lists(anywhere, max_size=5).map(tuple), st.sampled_from([0, 0, 2]))
queries = st.one_of(paths, binds, arrivals, orders)


def outcome(answer: Answer) -> tuple[object, ...]:
    error, path = answer.error, answer.path
    how = None
    if path is not None:
        how = (path.interface.index, path.source, path.next_hop, path.mtu, path.is_local, path.is_broadcast, path.zone)
    failed = None if error is None else (error.kind, error.detail)
    return (failed, how, answer.name, answer.receivers, answer.drop, answer.is_passed_on, answer.order)


@pytest.mark.rule("BIND-1.7.10", "BIND-3.3")
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(machines, st.lists(queries, min_size=4, max_size=12))
def test_the_explained_answer_is_the_bare_one_and_asking_has_no_effect(machine: Machine, asked: list[Query]) -> None:
    stack = machine.build()
    before = stack.view()
    for query in asked:
        answer, why = stack.explain(query)

        assert outcome(answer) == outcome(stack.resolve(query))
        assert (bool(why.question), bool(why.answer), bool(why.rule)) == (True, True, True)
        assert "\n" not in why.answer + why.rule
    assert stack.view() == before
    assert stack.take_frames() == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(machines, st.lists(binds, min_size=1, max_size=4))
def test_a_bind_does_what_was_answered(machine: Machine, asked: list[BindQuery]) -> None:
    for query in asked:
        stack = machine.build()
        expected = stack.resolve(query).error
        protocol = stack.tcp if query.protocol is Proto.TCP else stack.udp
        failed = None
        try:
            protocol.open(query.name.cover).bind(query.name, NOW, query.sharing, query.security)
        except NetError as error:
            failed = error
        assert str(failed) == str(expected)


@pytest.mark.rule("BIND-1.7.10", "BIND-31")
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(machines, st.lists(arrivals, min_size=1, max_size=6))
def test_a_datagram_goes_where_was_answered_or_is_dropped_for_that_reason(
    machine: Machine, asked: list[ArrivalQuery]
) -> None:
    stack = machine.build()
    for query in asked:
        index = IfIndex(query.if_index)
        if query.protocol is not Proto.UDP or index not in stack.ip.interfaces:
            continue
        expected = stack.resolve(query)
        drops = stack.trace.drops.copy()
        before = {endpoint: endpoint.readable for endpoint in stack.udp.bound}

        stack.receive(index, frame(stack, query), NOW)

        heard = {endpoint for endpoint, count in before.items() if endpoint.readable > count}
        assert heard == {each for each in expected.receivers if isinstance(each, UdpEndpoint)}
        new = set((stack.trace.drops - drops).keys())
        assert expected.drop is None or expected.drop in new


def frame(stack: Stack, query: ArrivalQuery) -> bytes:
    """The datagram as its sender puts it on the link."""
    destination, source = query.local.address, query.remote.address
    interface = stack.ip.interfaces[IfIndex(query.if_index)]
    mac = interface.mac
    if interface.accepts.get(destination) is Cast.BROADCAST:
        mac = ethernet.BROADCAST_MAC
    elif is_multicast(destination):
        mac = ethernet.multicast_mac(destination)
    checksum = udp.checksum(pseudo_sum(source, destination, Proto.UDP), query.remote.port, query.local.port, (b"x",))
    datagram = udp.build(query.remote.port, query.local.port, 1, checksum) + b"x"
    build, ethertype = (
        (ipv4.build, ethernet.ETHERTYPE_IPV4) if len(source) == 4 else (ipv6.build, ethernet.ETHERTYPE_IPV6)
    )
    header = build(source, destination, Proto.UDP, len(datagram), 64)
    return mac + PEER_MAC + ethertype.to_bytes(2, "big") + header + datagram
