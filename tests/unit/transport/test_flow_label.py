"""IPv6 flow labels on the wire (RFC 6437)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import IPv6

from tests.unit.transport.bench import FAR, US, Bench
from wsknet.behaviour import WINDOWS
from wsknet.text import parse_address
from wsknet.transport.flow_label import MAX_FLOWS, FlowLabels
from wsknet.types import Endpoint, Family, Proto

addresses = st.binary(min_size=16, max_size=16)
ports = st.integers(0, 0xFFFF)


@given(addresses, ports, addresses, ports)
@pytest.mark.rule("RFC6437-3")
def test_a_label_is_the_same_for_the_whole_flow_has_20_bits_and_is_never_0(
    source: bytes, source_port: int, destination: bytes, destination_port: int
) -> None:
    flow = source, source_port, destination, destination_port
    labels = FlowLabels(Proto.UDP, Random(1), True)
    assert labels[flow] == labels[flow] == FlowLabels(Proto.UDP, Random(1), True)[flow]
    assert 1 <= labels[flow] <= 0xFFFFF


def test_a_flow_whose_hash_is_0_has_a_label_all_the_same() -> None:
    ours = parse_address(US[Family.IPV6])
    assert FlowLabels(Proto.UDP, Random(1), True)[ours, 3, ours, 46457] == 1


@pytest.mark.rule("RFC6437-2", "RFC6437-6.1")
def test_labels_depend_on_each_part_of_the_flow_and_on_the_secret_and_are_spread() -> None:
    a, b = parse_address(US[Family.IPV6]), parse_address(FAR[Family.IPV6])
    flows = [(a, 1, b, 2), (b, 1, a, 2), (a, 2, b, 1), (a, 12, b, 2), (a, 1, b, 22), (a, 1, a, 2)]
    tables = [FlowLabels(p, Random(s), True) for p, s in ((Proto.UDP, 1), (Proto.TCP, 1), (Proto.UDP, 2))]
    assert len({labels[flow] for labels in tables for flow in flows}) == len(flows) * len(tables)
    many = Counter(tables[0][a, port, b, 53] >> 16 for port in range(4000))
    assert len(many) == 16
    assert all(180 < count < 320 for count in many.values())


def test_ever_new_flows_do_not_fill_the_memory() -> None:
    labels = FlowLabels(Proto.UDP, Random(1), True)
    a = parse_address(US[Family.IPV6])
    first = labels[a, 0, a, 0]
    for port in range(1, MAX_FLOWS + 10):
        assert labels[a, port, a, 0]
    assert len(labels) == MAX_FLOWS
    assert labels[a, 0, a, 0] == first


def test_none_is_made_over_ipv4_or_where_labels_are_off() -> None:
    a, b = parse_address("192.0.2.1"), parse_address(US[Family.IPV6])
    assert FlowLabels(Proto.UDP, Random(1), True)[a, 1, a, 2] == 0
    assert FlowLabels(Proto.UDP, Random(1), False)[b, 1, b, 2] == 0
    secret_free, untouched = Random(1), Random(1)
    assert FlowLabels(Proto.UDP, secret_free, True)[a, 1, a, 2] == 0
    assert secret_free.random() == untouched.random()


def answer(bench: Bench, to: Any, **fields: Any) -> None:
    """A segment of the peer to the sender of `to`."""
    bench.arrive(bench.from_far(TCP(sport=80, dport=to[TCP].sport, **fields)))
    bench.settle()


@pytest.mark.rule("RFC6437-3")
def test_every_segment_of_a_connection_carries_one_label_even_after_its_end() -> None:
    bench = Bench(Family.IPV6)
    endpoint, segment = bench.connected()
    label = segment.fl
    assert label
    after = segment[TCP].seq + 8
    bench.pass_time(0.4)  # a retransmission
    endpoint.finish(bench.now)
    bench.settle()
    answer(bench, segment, flags="FA", seq=10, ack=after + 1)
    assert [connection.state for connection in bench.stack.view().connections] == ["TIME_WAIT"]
    bench.pass_time(1)
    answer(bench, segment, flags="FA", seq=10, ack=after + 1)
    assert len(bench.sent) == 4  # data again, FIN, and two acknowledgements, the last in TIME-WAIT
    bench.pass_time(200)
    answer(bench, segment, flags="A", seq=10, ack=after + 1)
    assert bench.sent[-1][TCP].flags == "R"  # of no connection
    assert {packet.fl for packet in bench.sent} == {label}


def test_the_syn_carries_the_label_and_another_connection_has_another() -> None:
    bench = Bench(Family.IPV6)
    endpoint, syn = bench.connecting()
    endpoint.close(bench.now)
    bench.arrive(bench.from_far(TCP(sport=81, dport=5000, flags="S", seq=1)))
    reset = bench.take()
    assert reset[TCP].flags == "RA"
    assert 0 not in (syn.fl, reset.fl)
    assert syn.fl != reset.fl


@pytest.mark.rule("RFC6437-3")
def test_datagrams_to_one_peer_carry_one_label_and_those_to_another_a_different_one() -> None:
    bench = Bench(Family.IPV6)
    endpoint = bench.udp()
    first, again = bench.sent_by(endpoint), bench.sent_by(endpoint)
    endpoint.send((b"?",), Endpoint(bench.far, 54), bench.now)
    other = bench.take()
    assert first.fl == again.fl
    assert len({0, first.fl, other.fl}) == 3


def test_fragments_carry_the_label_of_their_packet() -> None:
    bench = Bench(Family.IPV6)
    endpoint = bench.udp()
    label = bench.sent_by(endpoint).fl
    endpoint.send((bytes(4000),), Endpoint(bench.far, 53), bench.now)
    bench.settle()
    assert len(bench.sent) == 3
    assert {packet.fl for packet in bench.sent} == {label}


def test_echo_requests_have_a_label_for_each_destination() -> None:
    bench = Bench(Family.IPV6)
    packets = []
    for destination in (FAR[Family.IPV6], FAR[Family.IPV6], "2001:db8:1::8"):
        bench.stack.echo.open().send(parse_address(destination), 1, b"", bench.now)
        packets.append(bench.take())
    first, again, other = (packet.fl for packet in packets)
    assert first == again
    assert len({0, first, other}) == 3


def test_the_policy_turns_labels_off() -> None:
    bench = Bench(Family.IPV6, replace(WINDOWS, flow_labels=False))
    bench.stack.echo.open().send(bench.far, 1, b"", bench.now)
    packets = [bench.take(), bench.sent_by(bench.udp()), bench.connecting()[1]]
    assert [packet[IPv6].fl for packet in packets] == [0, 0, 0]
    assert UDP in packets[1]
