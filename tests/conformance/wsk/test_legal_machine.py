"""Random legal programs over all of WSK: every request completes once, every byte arrives, nothing is left over."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.wsk_machine.machine import Programs

STEPS = 30


def run(count: int, number: int) -> None:
    """`count` sequences; those of a `number` are always the same."""

    @seed(number)
    class Numbered(Programs):
        """Hypothesis keeps the seed with the class."""

    length = settings(max_examples=count, stateful_step_count=STEPS, database=None, print_blob=True,
                      suppress_health_check=list(HealthCheck), report_multiple_bugs=False)  # fmt: skip
    run_state_machine_as_test(Numbered, settings=length)


@pytest.mark.parametrize("number", range(4))
def test_random_legal_programs(number: int) -> None:
    run(125, number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(100, 120))
def test_many_random_legal_programs(number: int) -> None:
    run(475, number)
