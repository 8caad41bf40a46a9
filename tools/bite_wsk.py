"""Does a test notice each change of the tables of `wsknet.wsk`?

Run: python -m tools.bite_wsk [--jobs N] [--near] [--group GROUP] [--date DAY] [PATTERN...]

Changed are, one at a time: each number of `constants.py`; each NTSTATUS and each row of STATUS_OF_KIND; the order of
the members of each dispatch structure; each function of each dispatch table, for its neighbour's and for NULL; each row
and each flag of the options and the IOCTLs.  First run the tests for all of a kind, then those that name what is
changed, then (not with `--near`) all of WSK.  PATTERN picks changes by name, such as `constants.SO_*`.  The result is
kept in `tools/mutations/wsk-tables.txt`, once a whole group has been run.  What stays green has its reason in
`tools/mutations/wsk-accepted.yaml`, or is OPEN, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

import pytest

from tools.mutate_wsk import ACCEPTED, LEFT_OUT, ROOT, SOURCE, TESTS, state_of_tree
from tools.mutations.results import (
    FOLDER,
    Accepted,
    Change,
    ModuleResult,
    load_accepted,
    open_changes,
    parse_results,
    render_results,
)
from tools.mutations.tables import GROUPS, TableChange, changes_of

RESULT = FOLDER / "wsk-tables.txt"
TITLE = "Changes of the tables of wsknet/wsk (python -m tools.bite_wsk)"
BROKEN = 99
SECONDS = 600.0
"""After that a change counts as noticed: the tests hang."""


class BrokenRunError(Exception):
    """Nothing can be told: tests fail without any change."""


def preload() -> None:
    """What every child would import, but nothing of what is to be changed."""
    for name in ("hypothesis", "xdist.plugin", "pytest_timeout", "scapy.all", "wsknet.host"):
        importlib.import_module(name)


def stages(change: TableChange, is_near: bool) -> list[list[str]]:
    """The tests to run, one list after the other: for all of its kind, those that name it, all of WSK."""
    named = [
        str(path)
        for folder in TESTS
        for path in sorted((ROOT / folder).glob("test_*.py"))
        if not any(path.match(pattern) for pattern in LEFT_OUT)
        and any(name in path.read_text() for name in change.names)
    ]
    everything = [] if is_near else [str(ROOT / folder) for folder in TESTS]
    return [tests for tests in ([str(ROOT / name) for name in change.first], named, everything) if tests]


def is_green(tests: list[str]) -> bool:
    common = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not tap and not long", "--tb=no"]
    ignored = [f"--ignore-glob=*/{pattern}" for pattern in LEFT_OUT]
    try:
        return pytest.main([*common, *ignored, *tests]) == pytest.ExitCode.OK
    except BaseException:  # what is changed broke the loading
        return False


def fork(work: Callable[[], int]) -> int:
    """The process that does `work` without a word and exits with its number."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os._exit(work())
        finally:
            os._exit(BROKEN)
    return pid


def first_red(change: TableChange, is_near: bool) -> int:
    """Which stage, counted from 1, notices the change that is made; 0: none."""
    change.apply()
    for number, tests in enumerate(stages(change, is_near), 1):
        if not is_green(tests):
            return number
    return 0


@cache
def is_green_unchanged(tests: tuple[str, ...]) -> bool:
    _, status = os.waitpid(fork(lambda: 0 if is_green(list(tests)) else 1), 0)
    return status == 0


def judged(change: TableChange, status: int, is_near: bool) -> bool:
    """Whether the change stayed green, from the status of its process; those tests must be green without it."""
    if os.WIFSIGNALED(status):
        return False
    stage = os.WEXITSTATUS(status)
    if stage == BROKEN:
        raise BrokenRunError(f"{change.name}, {change.what}: cannot be made")
    if stage and not is_green_unchanged(tuple(stages(change, is_near)[stage - 1])):
        raise BrokenRunError(f"{change.name}: tests fail without it: {' '.join(stages(change, is_near)[stage - 1])}")
    return stage == 0


def run(changes: Iterable[TableChange], jobs: int, is_near: bool) -> Iterator[tuple[TableChange, bool]]:
    """Each change, and whether all tests stayed green."""
    running: dict[int, tuple[TableChange, float]] = {}
    waiting = iter(changes)
    left = True
    while left or running:
        while left and len(running) < jobs:
            change = next(waiting, None)
            if change is None:
                left = False
                break
            pid = fork(partial(first_red, change, is_near))
            running[pid] = change, time.monotonic() + SECONDS
        for pid, (change, deadline) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                yield change, judged(change, status, is_near)
            elif time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def text_of(group: str) -> str:
    """The first digits of the SHA-256 of the sources of a group."""
    paths = [path for pattern in GROUPS[group] for path in sorted((ROOT / SOURCE).glob(pattern))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def judge(group: str, changes: list[TableChange], told: argparse.Namespace) -> ModuleResult:
    green: list[Change] = []
    for change, stayed_green in run(changes, told.jobs, told.near):
        if stayed_green:
            print(f"green: {change.name}, {change.what}", flush=True)
            green.append(Change(change.name, change.was, change.what))
    state = state_of_tree(told.date) + (", tests that name it" if told.near else "")
    counts = {"changes": len(changes), "noticed": len(changes) - len(green), "green": len(green)}
    return ModuleResult(group, text_of(group), state, counts, sorted(green))


def save(accepted: Accepted, group: str = "", result: ModuleResult | None = None) -> dict[str, ModuleResult]:
    """With what another run may have written meanwhile."""
    results = parse_results(RESULT.read_text()) if RESULT.exists() else {}
    if result is not None:
        results[group] = result
    RESULT.write_text(render_results(TITLE, results, GROUPS, accepted))
    return results


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.bite_wsk", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--near", action="store_true", help="only the tests that name what is changed")
    parser.add_argument("--date", default="", help="of this run, for the file")
    parser.add_argument("--group", action="append", default=[], dest="groups", choices=list(GROUPS))
    parser.add_argument("--render", action="store_true", help="run nothing: look up the reasons anew")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    told = parser.parse_args(arguments)
    os.chdir(ROOT)
    accepted = load_accepted(ACCEPTED)
    if not told.render:
        preload()
    for group in () if told.render else GROUPS:
        every = list(changes_of(group)) if group in told.groups or not told.groups else []
        picked = [
            change
            for change in every
            if not told.patterns or any(fnmatch.fnmatch(change.name, pattern) for pattern in told.patterns)
        ]
        if picked:
            result = judge(group, picked, told)
            print(f"{group}: {result.counts}", flush=True)
            if len(picked) == len(every):
                save(accepted, group, result)
    results = save(accepted)
    still_open = open_changes(results, accepted)
    print(*still_open, f"{len(still_open)} open", sep="\n")
    return 1 if still_open else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
