"""mutmut's own files in the tree that it works in: what it has still to run, and which tests run which function."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tools.mutations.results import NO_TEST, Accepted, Change, ModuleResult

KINDS = {0: "survived", 1: "killed", 2: "killed", 3: "killed", -11: "killed", 5: NO_TEST, 33: NO_TEST, None: "not run"}
TIMED_OUT = frozenset({24, -24, 36, 152, 255, -9})
SURVIVED, KILLED, NOT_RUN = 0, 1, None

ExitCodes: TypeAlias = dict[str, int | None]
"""By mutant."""


def kind_of(exit_code: int | None) -> str:
    """What mutmut's exit code of one change means: 2 and 3 are tests that could not be loaded any more."""
    return "timed out" if exit_code in TIMED_OUT else KINDS.get(exit_code, "unclear")


def _read(tree: Path, path: Path) -> dict[str, Any]:
    meta = tree / "mutants" / f"{path}.meta"
    told: dict[str, Any] = json.loads(meta.read_text()) if meta.exists() else {"exit_code_by_key": {}}
    return told


def exit_codes(tree: Path, path: Path) -> ExitCodes:
    """Empty without functions to change."""
    codes: ExitCodes = _read(tree, path)["exit_code_by_key"]
    return codes


def set_exit_codes(tree: Path, path: Path, codes: ExitCodes) -> None:
    """mutmut runs those that are NOT_RUN and lets the others stand."""
    if codes:
        told = _read(tree, path) | {"exit_code_by_key": codes}
        (tree / "mutants" / f"{path}.meta").write_text(json.dumps(told))


def known_before(
    changes: dict[str, Change], codes: ExitCodes, earlier: ModuleResult | None, accepted: Accepted
) -> ExitCodes:
    """`codes` with what needs no run: a change with a reason, and what `earlier`, of the same text, has seen killed."""
    survived = set(earlier.survivors) if earlier else set()
    unseen = {change.function for change in survived if change.new == NO_TEST}
    is_complete = earlier is not None and not earlier.counts.get("not run")

    def code_of(mutant: str) -> int | None:
        change = changes[mutant]
        if accepted.has_reason(change):
            return SURVIVED
        if is_complete and change not in survived and change.function not in unseen:
            return KILLED
        return NOT_RUN

    return {mutant: code_of(mutant) for mutant in codes}


class TestChoice:
    """Which tests mutmut runs for each function: all that came by, or few of them."""

    __test__ = False

    def __init__(self, tree: Path) -> None:
        self._path = tree / "mutants" / "mutmut-stats.json"
        if not self._path.exists():
            raise SystemExit("mutmut gave up before it knew the tests: what it printed says why")
        self._text = self._path.read_text()

    def all(self) -> None:
        self._path.write_text(self._text)

    def few(self, number: int) -> None:
        """Of each function the `number` tests that run the fewest functions: they look at it closest, and are quick."""
        told = json.loads(self._text)
        tests: dict[str, list[str]] = told["tests_by_mangled_function_name"]
        functions: dict[str, int] = {}
        for test in (test for names in tests.values() for test in names):
            functions[test] = functions.get(test, 0) + 1
        told["tests_by_mangled_function_name"] = {
            name: sorted(names, key=lambda test: (functions[test], test))[:number] for name, names in tests.items()
        }
        self._path.write_text(json.dumps(told))


def survivors_of(tree: Path, paths: Iterable[Path], changes: dict[str, Change], accepted: Accepted) -> dict[str, Path]:
    """Those without a reason, with the path of their module."""
    return {
        mutant: path
        for path in paths
        for mutant, code in exit_codes(tree, path).items()
        if kind_of(code) in {"survived", "unclear"} and not accepted.has_reason(changes[mutant])
    }


def set_some(tree: Path, told: Mapping[str, tuple[Path, int | None]]) -> None:
    """Path of the module and new exit code of each mutant."""
    for path in {path: None for path, _ in told.values()}:
        codes = {mutant: code for mutant, (where, code) in told.items() if where == path}
        set_exit_codes(tree, path, exit_codes(tree, path) | codes)
