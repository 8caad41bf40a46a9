"""One flow over one link: what of it a congestion control makes use of."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from wsknet.behaviour import LINUX
from wsknet.config import StackConfig, TcpConfig
from wsknet.devices.impair import Impairment
from wsknet.host import Host, Network
from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import MILLISECOND, Cover, Endpoint, Family, LocalName

RATE = 50_000_000
ONE_WAY = 10 * MILLISECOND
SECONDS = 4
TURN = 0.005
"""Seconds after which the applications look again."""
LENT = 1_000_000
"""Bytes: several times what the link holds."""
ADDRESSES = {Family.IPV4: ("192.0.2.1", "192.0.2.2", 24), Family.IPV6: ("2001:db8::1", "2001:db8::2", 64)}


def connected(network: Network, hosts: list[Host], family: Family) -> tuple[TcpEndpoint, TcpEndpoint]:
    cover = Cover(family.value)
    one, other = hosts
    listener, client = other.stack.tcp.open(cover), one.stack.tcp.open(cover)
    with other.pump as now:
        listener.bind(LocalName(cover, None, 7), now)
        listener.listen(now)
    with one.pump as now:
        client.bind(LocalName(cover, None, 0), now)
        client.connect(Endpoint(parse_address(ADDRESSES[family][1]), 7), now)
    network.run_for(1)
    with other.pump as now:
        server = listener.accept(now)
    assert server is not None
    return client, server


@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
@pytest.mark.parametrize("queue", [64_000, 128_000])
@pytest.mark.parametrize("algorithm", list(CongestionAlgorithm), ids=lambda algorithm: algorithm.value)
@pytest.mark.rule("RFC9438-5.1", "RFC5681-3.1")
def test_a_flow_alone_uses_four_fifths_of_the_link(algorithm: CongestionAlgorithm, queue: int, family: Family) -> None:
    network = Network(1)
    config = StackConfig(tcp=TcpConfig(receive_buffer=1 << 21))
    hosts = [network.host(name, with_tcp(LINUX, congestion=algorithm), config) for name in ("a", "b")]
    length = ADDRESSES[family][2]
    ends = [host.interface("eth0", f"{ADDRESSES[family][side]}/{length}") for side, host in enumerate(hosts)]
    network.link(*ends, impairment=Impairment(delay=ONE_WAY, rate=RATE, queue=queue))
    sending, receiving = connected(network, hosts, family)
    received = 0
    for _ in range(int(SECONDS / TURN)):
        with hosts[0].pump as now:
            while sending.unacknowledged < LENT:
                sending.send(bytes(65536), now)
        with hosts[1].pump as now:
            received += len(receiving.receive(1 << 20, now))
        network.run_for(TURN)
    assert received * 8 >= 0.8 * RATE * SECONDS
