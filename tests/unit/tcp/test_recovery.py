from __future__ import annotations

import pytest

from wsknet.transport.tcp.congestion.reno import Reno
from wsknet.transport.tcp.recovery import Recovery
from wsknet.types import Instant

MSS = 1000
NOW = Instant(0)
START = 1


def recovery() -> tuple[Recovery, Reno]:
    congestion = Reno(MSS, 10)
    return Recovery(congestion, START), congestion


def duplicates(what: Recovery, una: int, sent: int, count: int) -> list[bool]:
    return [what.duplicate(una, sent, NOW) for _ in range(count)]


@pytest.mark.rule("RFC5681-3.2", "RFC3042-2")
def test_the_third_duplicate_repeats_once_and_each_of_them_lets_one_more_segment_out() -> None:
    what, congestion = recovery()
    sent = START + 10 * MSS

    assert duplicates(what, START, sent, 2) == [False, False]
    assert what.inflation == 2 * MSS
    assert congestion.window == 10 * MSS
    assert duplicates(what, START, sent, 3) == [True, False, False]
    assert congestion.window == 5 * MSS
    assert what.inflation == 5 * MSS


@pytest.mark.rule("RFC6582-3.2")
def test_a_partial_acknowledgement_repeats_the_next_hole_and_deflates_by_what_it_took() -> None:
    what, _ = recovery()
    sent = START + 10 * MSS
    duplicates(what, START, sent, 6)
    assert what.inflation == 6 * MSS

    assert what.acknowledged(START + 4 * MSS, 4 * MSS, sent, NOW, None)
    assert what.is_active
    assert what.inflation == 6 * MSS - 4 * MSS + MSS
    assert what.acknowledged(START + 5 * MSS - 500, 500, sent, NOW, None)
    assert what.inflation == 2500


@pytest.mark.rule("RFC6582-3.2")
def test_a_full_acknowledgement_ends_recovery() -> None:
    what, congestion = recovery()
    sent = START + 10 * MSS
    duplicates(what, START, sent, 3)

    assert not what.acknowledged(sent, 10 * MSS, sent + 5 * MSS, NOW, None)
    assert not what.is_active
    assert what.inflation == 0
    assert congestion.window == 5 * MSS


@pytest.mark.rule("RFC6582-4")
def test_duplicates_from_before_a_timeout_start_no_second_recovery() -> None:
    what, congestion = recovery()
    sent = START + 10 * MSS
    what.timed_out(START, sent, NOW)
    assert congestion.window == MSS

    what.acknowledged(START + MSS, MSS, sent, NOW, None)
    assert not any(duplicates(what, START + MSS, sent, 5))
    what.acknowledged(sent, 9 * MSS, sent, NOW, None)
    assert any(duplicates(what, sent, sent + 5 * MSS, 3))


def test_progress_forgets_duplicates_and_retries() -> None:
    what, _ = recovery()
    sent = START + 10 * MSS
    duplicates(what, START, sent, 2)
    what.acknowledged(START + MSS, MSS, sent, NOW, None)
    assert what.inflation == 0
    assert duplicates(what, START + MSS, sent, 2) == [False, False]

    what.timed_out(START + MSS, sent, NOW)
    assert what.retries == 1
    what.acknowledged(START + 2 * MSS, MSS, sent, NOW, None)
    assert what.retries == 0
