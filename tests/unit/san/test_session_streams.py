"""Two sessions, any sizes, any order of events: bytes arrive whole and in order, and nothing gets stuck (SAN-6.6)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.san_session_wire import Side, Wire
from wsknet.san.switch.session import Settings

SIZES = (0, 1, 7, 200, 241, 1000, 1025, 4000, 20_000)


def settings_of(rng: Random) -> Settings:
    """Small sizes, so that every limit is met."""
    return Settings(
        can_read=rng.random() < 0.5,
        message_size=rng.choice((256, 300, 1024)),
        max_rdma=rng.choice((100, 1000, 1 << 20)),
        threshold=rng.choice((0, 500, 1000, 1 << 31)),
        receive_buffers=rng.choice((1, 6, 7, 8, 20)),
        send_buffers=rng.choice((1, 2, 8)),
        send_limit=rng.choice((0, 200, 1000, 30_000)),
        receive_limit=rng.choice((1, 500, 5000, 100_000)),
    )


@dataclass
class Application:
    """Writes its plan, reads now and then, and shuts down sending at the end."""

    side: Side
    rng: Random
    plan: list[bytes]
    has_finished: bool = False

    def write(self) -> bool:
        session = self.side.session
        if not self.plan:
            if self.has_finished:
                return False
            self.has_finished = True
            session.finish()
        else:
            data = self.plan.pop(0)
            count = session.write(data, is_urgent=self.rng.random() < 0.1)
            if count < len(data):
                self.plan.insert(0, data[count:])
        self.side.settle()
        return True


def plans(rng: Random) -> list[bytes]:
    return [rng.randbytes(rng.choice(SIZES)) for _ in range(rng.randrange(8))]


def run(wire: Wire, applications: list[Application], rng: Random) -> None:
    """One step after the other, in any order; at the end both read, and write what is left."""
    for _ in range(rng.randrange(400)):
        application = rng.choice(applications)
        side = application.side
        rng.choice((side.deliver, side.deliver, side.complete, side.complete, application.write))()
        if rng.random() < 0.2:
            side.read(rng.choice((1, 100, 5000)))
    for _ in range(1000):
        moved = [application.write() for application in applications]
        wire.exchange()
        if not any(moved):
            return
    raise AssertionError("they never come to an end")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32))
@pytest.mark.rule("SAN-6.6.2")
def test_bytes_arrive_whole_and_in_order_whatever_happens_when(seed: int) -> None:
    rng = Random(seed)
    wire = Wire(settings_of(rng), settings_of(rng))
    applications = [Application(side, rng, plans(rng)) for side in wire.sides]
    expected = [b"".join(application.plan) for application in applications]

    run(wire, applications, rng)

    assert wire.violations == []
    assert [bytes(wire.b.received), bytes(wire.a.received)] == expected
    for application in applications:
        side = application.side
        assert side.has_eof
        assert side.errors == []
        assert side.session.unsent == 0
        assert side.exposed == {}
        assert not side.unfinished


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 32))
def test_whoever_leaves_at_any_moment_leaves_nothing_behind(seed: int) -> None:
    rng = Random(seed)
    wire = Wire(settings_of(rng), settings_of(rng))
    applications = [Application(side, rng, plans(rng)) for side in wire.sides]
    expected = [b"".join(application.plan) for application in applications]
    for _ in range(rng.randrange(200)):
        application = rng.choice(applications)
        rng.choice((application.side.deliver, application.side.complete, application.write))()
        if rng.random() < 0.1:
            application.side.read(rng.choice((1, 100, 5000)))

    leaver = rng.choice(wire.sides)
    rng.choice((leaver.session.close, leaver.session.abort, leaver.session.stop))()
    leaver.settle()
    wire.exchange()
    for side in wire.sides:
        side.session.close()
        side.settle()
    wire.exchange()
    for side in wire.sides:
        side.session.broken(10054)
        side.settle()

    assert wire.violations == []
    assert expected[0].startswith(bytes(wire.b.received))
    assert expected[1].startswith(bytes(wire.a.received))
    for application in applications:
        assert application.side.session.is_drained
        assert application.side.exposed == {}


@pytest.mark.rule("SAN-6.6.2")
@pytest.mark.parametrize("can_read", [True, False])
def test_ten_megabytes_both_ways_at_once_go_by_rdma(can_read: bool) -> None:
    data = [Random(side).randbytes(10_000_000) for side in range(2)]
    wire = Wire(Settings(can_read=can_read, send_limit=1 << 24))
    for side, mine in zip(wire.sides, data, strict=True):
        side.session.write(mine)
        side.settle()

    wire.exchange()

    assert bytes(wire.a.received) == data[1]
    assert bytes(wire.b.received) == data[0]
    assert wire.violations == []
    assert all(side.session.unsent == 0 and side.exposed == {} for side in wire.sides)
    assert len(wire.a.sent) < 150


def test_two_silent_switches_stay_silent() -> None:
    wire = Wire(Settings())
    wire.a.session.write(b"hello")
    wire.a.settle()
    wire.exchange()
    said = len(wire.a.sent) + len(wire.b.sent)

    wire.exchange()

    assert len(wire.a.sent) + len(wire.b.sent) == said <= 5
