"""The carrier over the WSP functions of a provider: SAN-6.6, SAN-6.7 as the switch has to keep them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.san_carried import Application
from tests.support.san_fake_provider import HANDLE, FakeProvider, connected_providers
from wsknet.san.numbers import WSAECONNABORTED, WSAECONNRESET, WSAENETRESET, WSAENOBUFS
from wsknet.san.policy import SanPolicy

SMALL = SanPolicy(max_message_size=1024, rdma_threshold=1000, max_rdma_size=3000)
NO_READ = SanPolicy(max_message_size=1024, rdma_threshold=1000, max_rdma_size=3000, supports_rdma_read=False)


def started(provider: FakeProvider, policy: SanPolicy, *, is_initiator: bool) -> Application:
    application = Application(provider.host, provider, HANDLE, policy, is_initiator=is_initiator)
    provider.upcall = application.carrier.completed
    application.start()
    return application


class Pair:
    def __init__(self, policy: SanPolicy = SMALL, other: SanPolicy | None = None) -> None:
        self.providers = connected_providers(policy, other)
        self.a = started(self.providers[0], policy, is_initiator=True)
        self.b = started(self.providers[1], other or policy, is_initiator=False)

    def run(self) -> None:
        for _ in range(50_000):
            moved = [provider.step() for provider in self.providers]
            self.drain()
            if not any(moved) and not any(provider.pending for provider in self.providers):
                return
        raise AssertionError("they never stop")

    def drain(self) -> None:
        for provider in self.providers:
            with provider.host.pump:
                """Completions run on the way out."""

    @property
    def violations(self) -> list[str]:
        return self.providers[0].violations + self.providers[1].violations


def open_pair(policy: SanPolicy = SMALL, other: SanPolicy | None = None) -> Pair:
    pair = Pair(policy, other)
    pair.run()
    return pair


@pytest.mark.rule("SAN-6.6.2", "SAN-8.WSPRegisterMemory", "SAN-7.WSPSend")
@pytest.mark.parametrize("policies", [(SMALL, SMALL), (SMALL, NO_READ), (NO_READ, SMALL), (NO_READ, NO_READ)])
def test_data_goes_both_ways_through_registered_memory(policies: tuple[SanPolicy, SanPolicy]) -> None:
    pair = open_pair(*policies)
    data = [Random(side).randbytes(300_000) for side in range(2)]
    for application, mine in zip((pair.a, pair.b), data, strict=True):
        with application.host.pump:
            application.carrier.write(mine)
            assert application.carrier.write(b"and a little") == 12
            application.carrier.finish()
    pair.run()

    assert pair.violations == []
    assert bytes(pair.b.received) == data[0] + b"and a little"
    assert bytes(pair.a.received) == data[1] + b"and a little"
    for application in (pair.a, pair.b):
        assert sorted(map(str, application.news)) == ["finished", "flushed"]
        with application.host.pump:
            application.carrier.close()
    pair.run()
    assert pair.violations == []
    assert [provider.left for provider in pair.providers] == [[], []]
    assert pair.a.carrier.is_closed
    assert pair.b.carrier.is_closed


@pytest.mark.rule("SAN-6.6.2")
def test_receives_are_posted_before_anything_is_said() -> None:
    pair = Pair()

    assert [provider.calls for provider in pair.providers] == [
        ["WSPRegisterMemory"] * 2 + ["WSPRecv"] * 8 + ["WSPSend"],
        ["WSPRegisterMemory"] * 2 + ["WSPRecv"] * 8,
    ]


@pytest.mark.rule("SAN-6.6.1")
def test_sends_are_polled_while_there_are_buffers_and_the_last_one_is_notified() -> None:
    pair = open_pair()
    provider = pair.providers[0]
    before = len(provider.notified)
    with pair.a.host.pump:
        for _ in range(4):
            pair.a.carrier.write(bytes(1000))
        pair.a.carrier.finish()

    assert provider.notified[before:] == [False] * 4 + [True], "FIN: nobody may come by later"


@pytest.mark.rule("SAN-6.6.1")
def test_the_send_that_takes_the_last_buffer_is_notified() -> None:
    few = replace(SMALL, message_buffers=3)
    pair = open_pair(few, replace(SMALL, message_buffers=20))
    provider = pair.providers[0]
    before = len(provider.notified)
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(900) * 10, is_urgent=True)

    assert provider.notified[before] is False
    assert provider.notified[-1] is True
    assert len(provider.pending) == 3
    pair.run()
    assert len(pair.b.received) == 9_000


def test_urgent_data_is_told_by_its_distance() -> None:
    pair = open_pair()
    pair.b.reads = False
    with pair.a.host.pump:
        pair.a.carrier.write(b"abc")
        pair.a.carrier.write(b"!", is_urgent=True)
        pair.a.carrier.write(b"def")
    pair.run()

    def distance() -> int | None:
        return pair.b.carrier.urgent

    with pair.b.host.pump:
        assert pair.b.carrier.readable == 7
        assert distance() == 4
        peeked = bytearray(2)
        assert pair.b.carrier.peek_into(memoryview(peeked)) == 2
        assert bytes(peeked) == b"ab"
        pair.b.carrier.consume(3)
        assert distance() == 1
        pair.b.carrier.consume(1)
        assert pair.b.carrier.readable == 3
        assert distance() is None


def test_an_application_that_reads_later_gets_all_and_the_writer_is_held_back() -> None:
    pair = open_pair()
    pair.b.reads = False
    with pair.a.host.pump:
        for _ in range(20):
            pair.a.carrier.write(bytes(20_000))
    pair.run()
    assert pair.b.carrier.readable < 65_536 + 8 * 1024
    assert pair.a.carrier.unsent > 200_000

    pair.b.reads = True
    with pair.b.host.pump:
        pair.b.read(1 << 20)
    pair.run()

    assert len(pair.b.received) == 400_000
    assert (pair.a.news, pair.a.carrier.unsent) == ([], 0)


def test_room_is_told_when_copied_data_has_gone() -> None:
    pair = Pair()
    with pair.a.host.pump:
        pair.a.carrier.resize(65_536, None)
        assert pair.a.carrier.write(bytes(100_000)) == 65_536
        assert pair.a.carrier.write(b"!") == 0
        assert pair.a.carrier.unsent == 65_536
    pair.run()

    assert pair.a.news == ["writable"]
    assert pair.a.carrier.unsent == 0
    with pair.a.host.pump:
        assert pair.a.carrier.write(bytes(100_000)) == 65_536


@pytest.mark.rule("SAN-6.7.2")
def test_a_connection_that_breaks_is_told_once_and_leaves_nothing() -> None:
    pair = open_pair()
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(100_000))
    for provider in pair.providers:
        provider.fail(WSAECONNRESET)
    pair.drain()

    assert pair.a.news == [WSAECONNRESET]
    assert pair.b.news == [WSAECONNRESET]
    for application in (pair.a, pair.b):
        with application.host.pump:
            application.carrier.close()
    assert [provider.left for provider in pair.providers] == [[], []]
    assert pair.violations == []


@pytest.mark.rule("SAN-6.7.2")
def test_an_abort_closes_at_once_and_the_peer_is_reset() -> None:
    pair = open_pair()
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(100_000))
        pair.a.carrier.abort()
    assert pair.a.carrier.is_closed
    pair.run()

    assert pair.a.news == ["closed"]
    assert pair.b.news == [WSAECONNRESET]
    assert pair.violations == []


def test_close_sends_everything_before_it_closes_the_companion() -> None:
    pair = open_pair(NO_READ)
    data = Random(1).randbytes(50_000)
    with pair.a.host.pump:
        pair.a.carrier.write(data)
        pair.a.carrier.close()
    pair.run()

    assert pair.a.carrier.is_closed
    assert bytes(pair.b.received) == data
    assert pair.b.news == ["finished"]
    with pair.b.host.pump:
        assert pair.b.carrier.write(b"x") == 1
    pair.run()
    assert pair.b.news == ["finished", WSAECONNRESET]


@pytest.mark.parametrize("refused", [1, 2])
def test_message_buffers_that_cannot_be_registered_fail_the_connection(refused: int) -> None:
    provider, _ = connected_providers(SMALL)
    provider.refused_registrations = refused

    application = started(provider, SMALL, is_initiator=True)

    assert application.news == [WSAENOBUFS]
    with provider.host.pump:
        application.carrier.close()
    assert provider.is_closed
    assert (provider.left, provider.violations) == ([], [])


def test_local_memory_that_cannot_be_registered_for_rdma_breaks_the_connection() -> None:
    pair = open_pair()
    pair.providers[1].refused_registrations = 1
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(5000))
    pair.run()

    assert pair.b.news == [WSAENOBUFS]
    assert pair.violations == []


@pytest.mark.parametrize("function", ["WSPSend", "WSPRdmaRead"])
def test_a_function_that_fails_at_once_breaks_the_connection_and_leaves_nothing(function: str) -> None:
    pair = open_pair()
    pair.providers[1].errors[function] = WSAENETRESET
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(5000))
    with pair.b.host.pump:
        pair.b.carrier.write(b"x")
    pair.run()

    assert pair.b.news == [WSAENETRESET]
    with pair.b.host.pump:
        pair.b.carrier.close()
    assert pair.providers[1].left == []
    assert pair.violations == []


@pytest.mark.rule("SAN-8.WSPDeregisterRdmaMemory")
def test_exposed_memory_that_the_provider_still_works_with_is_released_later() -> None:
    pair = open_pair()
    provider = pair.providers[0]
    provider.busy_exposures = 1
    with pair.a.host.pump:
        pair.a.carrier.write(bytes(5000))
        pair.a.carrier.write(b"more")
    pair.run()
    assert pair.a.carrier.unsent == 0
    with pair.a.host.pump:
        pair.a.carrier.close()
    pair.run()

    assert provider.calls.count("WSPDeregisterRdmaMemory") == 2
    assert (provider.left, pair.violations) == ([], [])


def test_garbage_from_the_peer_ends_the_connection_and_raises_nothing() -> None:
    pair = open_pair()
    receive = pair.providers[0].receives.popleft()
    receive.buffer.view[:3] = b"\xff\xff\xff"
    pair.a.carrier.completed(receive.overlapped, 0, 3)
    pair.run()

    assert pair.a.news == [WSAECONNABORTED]
    assert pair.b.news == [WSAECONNRESET]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32))
def test_whatever_is_called_when_the_rules_of_the_provider_are_kept(seed: int) -> None:
    rng = Random(seed)
    pair = Pair(rng.choice((SMALL, NO_READ)), rng.choice((SMALL, NO_READ)))
    expected = [bytearray(), bytearray()]
    for _ in range(rng.randrange(100)):
        side = rng.randrange(2)
        application = (pair.a, pair.b)[side]
        application.reads = rng.random() < 0.7
        data = rng.randbytes(rng.choice((1, 500, 1009, 20_000)))
        with application.host.pump:
            what = rng.randrange(3)
            if what == 0:
                expected[side] += data[: application.carrier.write(data)]
            elif what == 1:
                application.read(rng.choice((10, 10_000)))
        if rng.random() < 0.7:
            rng.choice(pair.providers).step()
            pair.drain()
    is_abrupt = rng.random() < 0.3
    for application in (pair.a, pair.b):
        application.reads = True
        with application.host.pump:
            application.read(1 << 20)
            (application.carrier.abort if is_abrupt else application.carrier.finish)()
    pair.run()
    for application in (pair.a, pair.b):
        with application.host.pump:
            application.carrier.close()
    pair.run()

    assert pair.violations == []
    assert [provider.left for provider in pair.providers] == [[], []]
    for received, sent in ((pair.b.received, expected[0]), (pair.a.received, expected[1])):
        assert sent.startswith(received) if is_abrupt else received == sent
