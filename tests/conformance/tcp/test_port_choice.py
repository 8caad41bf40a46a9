"""Which port a connection leaves from: RFC 6056 3.3.1, simple port randomization, for connects that name none."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from tests.support.tcp_lab import Recorder, TcpLab
from tests.support.tcp_peer import IF_INDEX, OUR_MAC
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.errors import ErrorKind, NetError
from wsknet.net import changes
from wsknet.stack import Stack
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Cover, Family, Instant, LocalName

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize(
    ("behaviour", "first", "last"),
    [(WINDOWS, 49152, 65535), (LINUX, 32768, 60999)],
    ids=["windows", "linux"],
)
"""KB 929851 and `netsh interface ipv4 show dynamicport tcp`; net.ipv4.ip_local_port_range."""


def connecting(lab: TcpLab) -> TcpEndpoint:
    """A connection from a port that was left to the stack."""
    endpoint = lab.bound(port=0)
    endpoint.connect(lab.peer.endpoint, lab.now)
    lab.settle()
    return endpoint


def ports(lab: TcpLab, count: int) -> list[int]:
    """As they stand in the SYNs."""
    for _ in range(count):
        connecting(lab)
    syns = lab.peer.drain()
    assert [syn.flags for syn in syns] == ["S"] * count
    return [syn.source_port for syn in syns]


@FAMILIES
@SETS
@pytest.mark.rule("RFC6056-3.2", "RFC6056-3.3.1")
def test_ports_come_from_the_whole_dynamic_range(behaviour: Behaviour, first: int, last: int, family: Family) -> None:
    found = ports(TcpLab(family, behaviour), 400)

    assert len(set(found)) == 400
    assert first <= min(found) < first + (last - first) // 20
    assert last - (last - first) // 20 < max(found) <= last


@FAMILIES
@SETS
@pytest.mark.rule("RFC6056-3.3.1", "RFC6056-2.2")
def test_one_port_tells_nothing_about_the_next(behaviour: Behaviour, first: int, last: int, family: Family) -> None:
    found = ports(TcpLab(family, behaviour), 400)
    size = last - first + 1
    steps = [(later - earlier) % size for earlier, later in pairwise(found)]

    assert len(set(steps)) > 390
    for quarter in range(4):  # 100 each, give or take four standard deviations
        inside = sum(quarter * size <= 4 * step < (quarter + 1) * size for step in steps)
        assert 65 < inside < 135


@FAMILIES
@pytest.mark.rule("RFC6056-3.1", "RFC6056-3.3.1")
def test_a_port_in_use_is_not_given_out_and_none_being_left_is_told(family: Family) -> None:
    lab = TcpLab(family, replace(WINDOWS, ephemeral_ports=(50000, 50003)))
    lab.listening(port=50001)

    assert set(ports(lab, 3)) == {50000, 50002, 50003}
    with pytest.raises(NetError) as failure:
        connecting(lab)
    assert failure.value.kind is ErrorKind.NO_PORTS
    lab.peer.expect_nothing()


@FAMILIES
@pytest.mark.rule("RFC6056-3.3.1")
def test_another_seed_chooses_other_ports_and_the_same_one_the_same(family: Family) -> None:
    def chosen(seed: int) -> list[int]:
        stack = Stack(StackConfig(), ScapyCodec(), Random(seed))
        stack.apply(changes.InterfaceAdded(IF_INDEX, InterfaceConfig("eth0", OUR_MAC)), Instant(0))
        found = []
        for _ in range(5):
            endpoint = stack.tcp.open(Cover(family.value), Recorder())
            endpoint.bind(LocalName(Cover(family.value), None, 0), Instant(0))
            assert endpoint.local is not None
            found.append(endpoint.local.port)
        return found

    assert chosen(1) == chosen(1)
    assert not set(chosen(1)) & set(chosen(2))
