"""Which code of Windows' bug check reference stands in the report of each kind of misuse."""

from __future__ import annotations

from itertools import groupby, islice
from operator import attrgetter

import pytest

from tests.support.wsk_lab import lab as laboratory
from tests.support.wsk_misuse import TABLE, Misuse, World
from wsknet.wsk import BugCheck, verify

VIOLATION = 0xC4
"""DRIVER_VERIFIER_DETECTED_VIOLATION: whatever has no code of its own."""

CODES = {
    0x0A: ["R-007", "R-016", "R-071", "WSK-1.1", "WSK-2.6", "WSK-6"],  # IRQL_NOT_LESS_OR_EQUAL
    0x35: ["R-044"],  # NO_MORE_IRP_STACK_LOCATIONS
    0x44: ["R-049", "R-050", "R-060", "R-065"],  # MULTIPLE_IRP_COMPLETE_REQUESTS
    0x50: ["R-348", "R-352", "WSK-7"],  # PAGE_FAULT_IN_NONPAGED_AREA
    0xC2: ["R-342", "WSK-2.1", "WSK-5.7"],  # BAD_POOL_CALLER
}
CODE_OF_RULE = {rule: code for code, rules in CODES.items() for rule in rules}
CODE_OF_NAME = {
    "the-level-is-raised-to-a-lower-one": 0x09,  # IRQL_NOT_GREATER_OR_EQUAL
    "a-spin-lock-is-taken-at-passive-level-as-at-dispatch-level": 0x09,
    "a-spin-lock-is-taken-twice": 0x0F,  # SPIN_LOCK_ALREADY_OWNED
    "a-spin-lock-is-released-that-is-not-held": 0x10,  # SPIN_LOCK_NOT_OWNED
    "pool-is-freed-twice": 0xC2,
    "pool-is-freed-with-another-tag": 0xC2,
    "a-work-item-is-freed-twice": 0xE4,  # WORKER_INVALID
    "send-with-a-Length-beyond-the-chain": 0x50,
    "receive-into-memory-that-cannot-be-written": 0xBE,  # ATTEMPTED_WRITE_TO_READONLY_MEMORY
}


def some() -> list[Misuse]:
    """Three of each rule, and all of D-19, whose codes go by the name."""
    by_rule = groupby(sorted(TABLE, key=attrgetter("rule")), attrgetter("rule"))
    few = [misuse for rule, group in by_rule if rule != "D-19" for misuse in islice(group, 3)]
    return few + [
        misuse for misuse in TABLE if misuse.rule == "D-19" or (misuse.name in CODE_OF_NAME and misuse not in few)
    ]


@pytest.mark.rule("D-19")
@pytest.mark.parametrize("misuse", some(), ids=attrgetter("name"))
def test_the_report_has_the_code_of_windows(misuse: Misuse) -> None:
    with laboratory() as lab:
        for host in (lab.near, lab.far):
            verify(host, is_strict=misuse.is_strict)
        world = World(lab)
        with pytest.raises(BugCheck) as stop:
            misuse.perform(world)

        assert stop.value.rule == misuse.rule
        if misuse.rule != "D-19" or misuse.name in CODE_OF_NAME:
            assert stop.value.code == CODE_OF_NAME.get(misuse.name, CODE_OF_RULE.get(misuse.rule, VIOLATION))
        assert f"0x{stop.value.code:08X}" in str(stop.value)
        world.finish()


def test_every_name_here_is_one_of_the_table() -> None:
    assert CODE_OF_NAME.keys() <= {misuse.name for misuse in TABLE}
    assert CODE_OF_RULE.keys() <= {misuse.rule for misuse in TABLE}
