"""The completion queue: in order, one drainer at a time, and an inline completion never overtakes a queued one."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from wsknet.drivers.completions import Completions


@pytest.fixture
def completions() -> Completions:
    return Completions(nullcontext)


def test_what_is_queued_runs_in_order_and_what_it_queues_runs_behind_it(completions: Completions) -> None:
    ran: list[str] = []

    def first() -> None:
        completions.post(ran.append, "third")
        completions.drain()  # further up the stack somebody drains already
        ran.append("first")

    completions.post(first)
    completions.post(ran.append, "second")
    completions.drain()
    assert ran == ["first", "second", "third"]


def test_nobody_completes_inline_while_something_is_queued(completions: Completions) -> None:
    """Another thread has posted it and not come to drain it yet."""
    completions.post(lambda: None)
    assert not completions.claim()
    completions.drain()
    assert completions.claim()


def test_nobody_completes_inline_from_inside_a_completion(completions: Completions) -> None:
    claims: list[bool] = []
    completions.post(lambda: claims.append(completions.claim()))
    completions.drain()
    assert claims == [False]


def test_an_inline_completion_comes_before_what_was_queued_since(completions: Completions) -> None:
    ran: list[str] = []
    assert completions.claim()
    completions.post(ran.append, "queued")
    completions.drain_claimed(ran.append, "inline")
    assert ran == ["inline", "queued"]
    assert completions.claim()
