"""Changes of functions that run while the package is loaded, where mutmut cannot turn them on: each is written into the
source, and tests are run in a process of their own."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

NEAREST = 10
"""Test files that are run for a module: those with its name in theirs, then those that have most of its names in
capitals, which are options and codes."""

_SECONDS = 300
_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
_WATCH = """\
import json, sys
found = set()
def watch(frame, event, argument):
    module = frame.f_globals.get("__name__", "")
    if event == "call" and module.startswith("wsknet.wsk."):
        found.add(module.removeprefix("wsknet.wsk.") + "." + frame.f_code.co_qualname.partition(".")[0])
sys.setprofile(watch)
import wsknet.wsk
sys.setprofile(None)
print(json.dumps(sorted(found)))
"""


def functions_of_loading(tree: Path) -> frozenset[str]:
    """`control.groups._value`: functions, not methods, that are called while `wsknet.wsk` is imported."""
    done = subprocess.run([sys.executable, "-c", _WATCH], cwd=tree, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def nearest_tests(tree: Path, path: Path, folders: Iterable[str], left_out: Iterable[str]) -> list[str]:
    names = set(_NAME.findall((tree / path).read_text()))
    ranked = sorted(
        (
            (
                path.stem not in test.stem,
                -len(names & set(_NAME.findall(test.read_text()))),
                str(test.relative_to(tree)),
            )
            for folder in folders
            for test in (tree / folder).glob("test_*.py")
            if not any(test.match(pattern) for pattern in left_out)
        ),
    )
    return [test for _, _, test in ranked[:NEAREST]]


def with_variant(source: str, variants: str, mutant: str) -> str:
    """`source` with the function that `mutant` changes as it is in `variants`, the file that mutmut has made."""
    mangled = mutant.rpartition(".")[2]
    name = mangled.partition("__mutmut_")[0].removeprefix("x_")
    new = _lines_of(variants, mangled)
    old = _lines_of(source, name)
    text = "\n".join(old)
    assert source.count(text) == 1
    return source.replace(text, "\n".join(new).replace(mangled, name, 1))


def _lines_of(source: str, name: str) -> list[str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return source.splitlines()[node.lineno - 1 : node.end_lineno]
    raise LookupError(name)


def run_apart(
    tree: Path, mutants: Mapping[str, Path], tests_of: Callable[[Path], list[str]], jobs: int
) -> dict[str, bool]:
    """Which of the mutants, given with the path of their module, were noticed.  In copies of `tree`."""
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(jobs):
        copy = tree / f"apart-{number}"
        shutil.copytree(tree, copy, ignore=shutil.ignore_patterns("mutants", "apart-*", "setup.cfg"))
        copies.put(copy)

    def is_noticed(mutant: str) -> bool:
        path, copy = mutants[mutant], copies.get()
        source = (copy / path).read_text()
        try:
            (copy / path).write_text(with_variant(source, (tree / "mutants" / path).read_text(), mutant))
            return _fails(copy, tests_of(path))
        finally:
            (copy / path).write_text(source)
            copies.put(copy)

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(mutants, pool.map(is_noticed, mutants), strict=True))


def _fails(copy: Path, tests: list[str]) -> bool:
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not tap and not long", "--timeout=60"]
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", *options, *tests],
            cwd=copy, capture_output=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
