"""Two stacks, a bad link, and byte streams that arrive whole: RFC 9293 2.2 ("reliable, in-order")."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_pair import Conversation, LossyPair
from wsknet.behaviour import LINUX
from wsknet.transport.tcp.state import State
from wsknet.types import MILLISECOND, SECOND, Family

PATIENT = with_tcp(LINUX, time_wait=1000 * SECOND)
"""TIME-WAIT outlasts every pause between two FINs: else the second of them may find nobody, and be reset."""


def converse(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> LossyPair:
    rng = Random(seed)
    pair = LossyPair(rng, family, loss, duplication, 5 * MILLISECOND, jitter_ms * MILLISECOND, buffer, PATIENT)
    ends = pair.connect()
    data = [rng.randbytes(size) for size in sizes]
    conversation = Conversation(pair, rng, ends, data)
    conversation.run(3600 * SECOND)
    assert bytes(conversation.received[0]) == data[1]
    assert bytes(conversation.received[1]) == data[0]
    while any(stack.view().connections for stack in pair.stacks):
        assert pair.step()
    assert all(endpoint.state is State.CLOSED and endpoint.error is None for endpoint in ends)
    assert all(endpoint.unacknowledged == 0 for endpoint in ends)
    return pair


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    family=st.sampled_from(list(Family)),
    loss=st.sampled_from([0.0, 0.01, 0.05, 0.15]),
    duplication=st.sampled_from([0.0, 0.1]),
    jitter_ms=st.sampled_from([0, 2, 30]),
    buffer=st.sampled_from([700, 4000, 65535, 1 << 20]),
    sizes=st.tuples(st.integers(0, 20_000), st.integers(0, 20_000)),
)
def test_streams_arrive_intact_both_ways_whatever_the_link_does(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> None:
    converse(seed, family, loss, duplication, jitter_ms, buffer, sizes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_a_megabyte_over_a_bad_link(seed: int, family: Family) -> None:
    pair = converse(seed, family, 0.03, 0.02, 10, 1 << 18, (1_000_000, 300_000))
    assert pair.lost > 20


@pytest.mark.long
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 32),
    family=st.sampled_from(list(Family)),
    loss=st.floats(0.0, 0.2),
    duplication=st.floats(0.0, 0.3),
    jitter_ms=st.integers(0, 100),
    buffer=st.integers(64, 1 << 20),
    sizes=st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)),
)
def test_streams_arrive_intact_over_a_thousand_links(
    seed: int, family: Family, loss: float, duplication: float, jitter_ms: int, buffer: int, sizes: tuple[int, int]
) -> None:
    converse(seed, family, loss, duplication, jitter_ms, buffer, sizes)


def test_without_loss_nothing_is_sent_twice() -> None:
    pair = LossyPair(Random(1), Family.IPV4, delay=5 * MILLISECOND)
    ends = pair.connect()
    data = Random(2).randbytes(500_000)
    Conversation(pair, Random(3), ends, [data, data]).run(60 * SECOND)
    assert pair.lost == 0
    for stack in pair.stacks:
        assert not stack.trace.drops
