"""The ideal send backlog of one connection (transport/tcp/backlog.py)."""

from __future__ import annotations

from wsknet.transport.tcp.backlog import LEAST_BACKLOG, SendBacklog


def test_it_is_never_less_than_for_a_new_connection() -> None:
    backlog = SendBacklog()

    assert [backlog.look(in_flight) for in_flight in (0, 1460, LEAST_BACKLOG // 2)] == [LEAST_BACKLOG] * 3


def test_it_is_twice_what_may_be_in_flight_in_powers_of_two() -> None:
    backlog = SendBacklog()

    assert [backlog.look(in_flight) for in_flight in (32_769, 65_536, 65_537, 500_000)] == [
        131_072, 131_072, 262_144, 1_048_576,
    ]  # fmt: skip


def test_a_window_that_swings_around_a_step_is_no_news() -> None:
    """CUBIC takes the window to 70 per cent at a loss, Reno to half."""
    backlog = SendBacklog()
    backlog.look(200_000)
    seen = {backlog.look(int(200_000 * part)) for part in (0.7, 1, 0.5, 0.8, 1, 0.35, 1.3)}

    assert seen == {524_288}


def test_it_falls_with_a_window_that_has_fallen_far() -> None:
    backlog = SendBacklog()
    backlog.look(200_000)

    assert backlog.look(65_537) == 524_288
    assert backlog.look(65_536) == 131_072
    assert backlog.look(1460) == 131_072
    backlog.look(131_073)
    assert backlog.look(1460) == LEAST_BACKLOG
