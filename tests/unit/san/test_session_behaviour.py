"""What an application sees of a session: sizes, limits, urgent data, shutdown and errors."""

from __future__ import annotations

import pytest

from tests.support.san_session_wire import Wire
from wsknet.san.numbers import (
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAENOBUFS,
)  # fmt: skip
from wsknet.san.switch.session import Flushed, Readable, Settings, Writable
from wsknet.san.switch.session.messages import Kind

MUCH = 1 << 24
"""Bytes that may wait: more than any test writes at once."""
SMALL = Settings(message_size=1024, threshold=1000, send_limit=MUCH)
NO_READ = Settings(message_size=1024, threshold=1000, can_read=False, send_limit=MUCH)


def connected(settings: Settings = SMALL, other: Settings | None = None) -> Wire:
    wire = Wire(settings, other)
    wire.run()
    for side in wire.sides:
        side.sent.clear()
    return wire


def said(wire: Wire) -> tuple[list[Kind], ...]:
    """What both have sent, but for CREDIT."""
    return tuple([Kind(kind) for kind in side.sent if kind != Kind.CREDIT] for side in wire.sides)


@pytest.mark.rule("SAN-6.6.2")
def test_small_data_travels_in_control_messages_and_large_data_by_rdma_read() -> None:
    wire = connected()
    wire.a.session.write(bytes(1000))
    wire.a.session.write(bytes(1025))
    wire.a.settle()
    wire.exchange()

    assert said(wire) == ([Kind.DATA, Kind.LARGE], [Kind.DONE])
    assert wire.a.exposures == 1
    assert wire.a.exposed == {}
    assert len(wire.b.received) == 2025


@pytest.mark.rule("SAN-6.6.2", "SAN-8.WSPRdmaRead")
def test_a_peer_that_cannot_read_is_written_to() -> None:
    wire = connected(SMALL, NO_READ)
    wire.a.session.write(b"x" * 3000)
    wire.a.settle()
    wire.exchange()

    assert said(wire) == ([Kind.LARGE, Kind.DONE], [Kind.TARGET])
    assert (wire.a.exposures, wire.b.exposures) == (0, 1)
    assert wire.b.exposed == {}
    assert bytes(wire.b.received) == b"x" * 3000


def test_a_huge_threshold_of_either_side_means_messages_only() -> None:
    wire = connected(SMALL, Settings(message_size=1024, threshold=1 << 31, send_limit=MUCH))
    for side in wire.sides:
        side.session.write(bytes(5000))
        side.settle()
    wire.exchange()

    assert {Kind.LARGE} & {*wire.a.sent, *wire.b.sent} == set()
    assert len(wire.a.received) == len(wire.b.received) == 5000


@pytest.mark.rule("SAN-6.6.4")
def test_urgent_data_comes_in_its_place_and_is_marked() -> None:
    wire = connected()
    wire.a.session.write(b"before")
    wire.a.session.write(b"u" * 2000, is_urgent=True)
    wire.a.session.write(b"after")
    wire.a.settle()
    wire.run()

    stream = wire.b.session.stream
    assert stream.urgent_to == 2006
    assert Kind.LARGE not in wire.a.sent
    wire.b.read(2005)
    assert stream.urgent_to == 2006
    wire.b.read(1)
    assert stream.urgent_to is None
    wire.b.read(100)
    assert bytes(wire.b.received) == b"before" + b"u" * 2000 + b"after"


def test_the_urgent_mark_is_where_it_is_whatever_has_been_read_before() -> None:
    wire = connected()
    wire.a.session.write(bytes(100))
    wire.a.settle()
    wire.exchange()
    wire.a.session.write(b"ab!", is_urgent=True)
    wire.a.settle()
    wire.run()

    assert wire.b.session.stream.urgent_to == 103


def test_writes_that_wait_are_sent_together() -> None:
    wire = connected()
    for _ in range(500):
        wire.a.session.write(b"x")
    wire.a.settle()
    wire.exchange()

    assert len(wire.b.received) == 500
    assert wire.a.sent.count(Kind.DATA) < 10


@pytest.mark.rule("SAN-6.6.2")
def test_an_application_that_does_not_read_holds_the_peer_back_but_not_its_own_data() -> None:
    wire = connected(Settings(message_size=1024, threshold=1000, receive_limit=4000, send_limit=MUCH))
    for _ in range(200):
        wire.a.session.write(bytes(900))
    wire.a.session.write(bytes(500_000))
    for _ in range(200):
        wire.step()
    for _ in range(10):
        wire.b.session.write(b"y" * 5000)
    for side in wire.sides:
        side.settle()
    for _ in range(2000):
        wire.step()
        wire.a.read(100_000)

    assert wire.b.session.stream.readable <= 4000 + 8 * 1024
    assert wire.a.session.unsent > 500_000 + 180 * 900
    assert bytes(wire.a.received) == b"y" * 50_000
    wire.exchange()
    assert len(wire.b.received) == 500_000 + 200 * 900
    assert wire.a.session.unsent == 0


def test_small_messages_that_nobody_reads_are_bounded_as_well() -> None:
    wire = connected(Settings(message_size=1024, threshold=1000, receive_limit=4000, send_limit=MUCH))
    for _ in range(100):
        wire.a.session.write(bytes(1000))
    wire.a.settle()
    wire.run()

    assert 4000 <= wire.b.session.stream.readable <= 4000 + 8 * 1024
    wire.exchange()
    assert len(wire.b.received) == 100_000


def test_what_waits_is_bounded_for_one_who_reads_a_little_as_well() -> None:
    wire = connected(Settings(message_size=1024, threshold=1000, receive_limit=4000, send_limit=MUCH))
    for _ in range(200):
        wire.a.session.write(bytes(1000))
    wire.a.settle()
    for _ in range(300):
        wire.step()
        wire.b.read(1)

    assert wire.b.session.stream.readable <= 4000 + 8 * 1024


def test_copied_data_is_bounded_and_room_is_told_once() -> None:
    wire = Wire(Settings(send_limit=1000))

    assert wire.a.session.write(bytes(600)) == 600
    assert wire.a.session.write(bytes(600)) == 400
    assert wire.a.session.write(b"!") == 0
    wire.exchange()
    assert wire.a.session.write(bytes(2000)) == 1000
    wire.a.settle()
    wire.exchange()
    assert [event for event in wire.a.events if isinstance(event, Writable)] == [Writable()] * 2


def test_without_a_send_buffer_one_write_is_taken_at_a_time() -> None:
    wire = Wire(Settings(send_limit=0))

    assert wire.a.session.write(bytes(100_000)) == 100_000
    assert wire.a.session.write(b"!") == 0
    wire.exchange()
    assert len(wire.b.received) == 100_000
    assert [event for event in wire.a.events if isinstance(event, Writable)] == [Writable()]
    assert wire.a.session.write(b"!") == 1


@pytest.mark.rule("SAN-6.6.2")
def test_data_in_memory_that_cannot_be_registered_goes_in_control_messages() -> None:
    wire = connected()
    wire.a.refused_exposures = 1
    wire.a.session.write(bytes(5000))
    wire.a.session.write(b"z" * 5000)
    wire.a.settle()
    wire.exchange()

    assert bytes(wire.b.received) == bytes(5000) + b"z" * 5000
    assert (wire.a.exposures, wire.a.sent.count(Kind.LARGE)) == (1, 1)
    assert wire.a.errors == []


def test_a_receiver_without_memory_ends_the_session() -> None:
    wire = connected(SMALL, NO_READ)
    wire.b.refused_exposures = 1
    wire.a.session.write(bytes(5000))
    wire.a.settle()
    wire.run()

    assert wire.b.errors == [WSAENOBUFS]
    assert wire.a.errors == [WSAECONNRESET]


@pytest.mark.rule("SAN-6.7.1")
def test_shutting_down_sending_leaves_the_other_direction_open() -> None:
    wire = connected()
    wire.a.session.write(b"last")
    wire.a.session.finish()
    wire.a.settle()
    assert wire.a.session.write(b"more") == 0
    wire.exchange()
    wire.b.session.write(b"answer")
    wire.b.settle()
    wire.exchange()

    assert bytes(wire.b.received) == b"last"
    assert wire.b.session.is_peer_finished
    assert wire.b.has_eof
    assert bytes(wire.a.received) == b"answer"


@pytest.mark.rule("SAN-6.7.1")
def test_data_for_one_who_has_shut_down_receiving_resets_the_connection() -> None:
    wire = connected()
    wire.a.session.stop()
    wire.a.settle()
    wire.run()
    assert wire.b.sent == []

    assert wire.b.session.write(b"nobody reads this") == 17
    wire.b.session.write(b"nor this")
    wire.b.settle()
    assert wire.b.errors == []
    wire.run()

    assert wire.a.errors == [WSAECONNABORTED]
    assert wire.b.errors == [WSAECONNRESET]
    assert wire.b.session.write(b"again") == 0
    assert wire.a.session.stream.readable == 0


def test_data_that_crosses_the_shutdown_resets_both() -> None:
    wire = connected()
    wire.b.session.write(b"on its way")
    wire.b.settle()
    wire.a.session.stop()
    wire.a.settle()
    wire.run()

    assert wire.a.errors == [WSAECONNABORTED]
    assert wire.b.errors == [WSAECONNRESET]


def test_shutting_down_receiving_with_unread_data_resets_both() -> None:
    wire = connected()
    wire.b.session.write(b"unread")
    wire.b.settle()
    wire.run()
    wire.a.session.stop()
    wire.a.settle()
    wire.run()

    assert wire.a.errors == [WSAECONNABORTED]
    assert wire.b.errors == [WSAECONNRESET]
    assert wire.a.session.stream.readable == 0


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_close_delivers_everything_first(size: int) -> None:
    wire = connected()
    wire.a.session.write(bytes(size))
    wire.a.session.close()
    wire.a.settle()
    assert not wire.a.session.is_drained
    wire.exchange()

    assert wire.a.session.is_drained
    wire.b.session.broken(WSAECONNRESET)
    wire.b.settle()
    assert len(wire.b.received) == size
    assert (wire.b.has_eof, wire.b.errors) == (True, [])
    assert wire.b.session.write(b"too late") == 8
    wire.b.settle()
    assert wire.b.errors == [WSAECONNRESET]
    assert wire.b.session.write(b"once more") == 0


def test_what_is_written_after_the_peer_has_closed_is_taken_and_then_there_is_a_reset() -> None:
    wire = connected()
    wire.a.session.close()
    wire.a.settle()
    wire.exchange()
    wire.b.session.broken(WSAECONNRESET)
    assert [wire.b.session.write(data) for data in (b"", b"too late", b"once more")] == [0, 8, 0]
    wire.b.settle()

    assert wire.b.errors == [WSAECONNRESET]


@pytest.mark.parametrize("is_finished_before", [True, False])
def test_our_end_is_with_a_peer_that_has_closed(is_finished_before: bool) -> None:
    wire = connected()
    wire.a.session.close()
    wire.a.settle()
    wire.exchange()
    if is_finished_before:
        wire.b.session.finish()
    wire.b.session.broken(WSAECONNRESET)
    wire.b.session.finish()
    wire.b.settle()

    assert [type(event) for event in wire.b.events].count(Flushed) == 1
    assert wire.b.errors == []


@pytest.mark.parametrize("is_finished", [True, False])
def test_close_with_unread_data_is_a_reset(is_finished: bool) -> None:
    wire = connected()
    wire.b.session.write(b"unread")
    if is_finished:
        wire.b.session.finish()
    wire.b.settle()
    wire.run()
    wire.a.session.close()
    wire.a.settle()
    wire.run()

    assert wire.a.session.is_drained
    assert wire.b.errors == [WSAECONNRESET]


@pytest.mark.parametrize("settings", [SMALL, NO_READ])
def test_an_abort_leaves_no_memory_exposed(settings: Settings) -> None:
    wire = connected(settings)
    for _ in range(3):
        wire.a.session.write(bytes(50_000))
    wire.a.settle()
    wire.step()
    wire.a.session.abort()
    wire.a.settle()
    wire.run()

    assert (wire.a.errors, wire.b.errors) == ([], [WSAECONNRESET])
    assert (wire.a.exposed, wire.b.exposed) == ({}, {})


@pytest.mark.rule("SAN-6.7.2")
def test_a_connection_that_breaks_fails_the_session_once() -> None:
    wire = connected()
    wire.a.session.write(bytes(50_000))
    wire.a.settle()

    wire.a.session.broken(WSAECONNRESET)
    wire.a.session.broken(WSAECONNABORTED)
    wire.a.settle()

    assert wire.a.errors == [WSAECONNRESET]
    assert wire.a.exposed == {}


@pytest.mark.rule("SAN-6.7.1")
def test_data_that_waits_when_the_peer_stops_is_lost() -> None:
    wire = connected(Settings(message_size=1024, threshold=1000, receive_limit=100, send_limit=MUCH))
    wire.a.session.write(bytes(900) * 100, is_urgent=True)
    wire.a.settle()
    wire.b.session.stop()
    wire.b.settle()
    wire.run()

    assert wire.b.errors == [WSAECONNABORTED]
    assert wire.a.errors == [WSAECONNRESET]


@pytest.mark.rule("SAN-6.7.2")
def test_a_peer_that_has_only_shut_down_sending_and_then_goes_is_an_error() -> None:
    wire = connected()
    wire.a.session.finish()
    wire.a.settle()
    wire.run()
    wire.b.session.broken(WSAECONNRESET)
    wire.b.settle()

    assert wire.b.has_eof
    assert wire.b.errors == [WSAECONNRESET]


def test_limits_can_change_while_data_waits() -> None:
    wire = connected(Settings(message_size=1024, threshold=1000, receive_limit=1000, send_limit=100_000))
    wire.a.session.write(bytes(50_000))
    wire.a.settle()
    wire.run()
    assert wire.b.session.stream.readable < 5000

    wire.b.session.resize(None, 100_000)
    wire.b.settle()
    wire.a.session.resize(200, None)
    wire.run()

    assert wire.b.session.stream.readable == 50_000
    assert wire.a.session.write(bytes(1000)) == 200
    assert wire.b.was_told(Readable)
