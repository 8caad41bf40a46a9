"""Does a test notice each small change of the functions of `wsknet.wsk`?

Run: python -m tools.mutate_wsk [--jobs N] [--limit SECONDS] [--date DAY] [--afresh] [--tests PATTERN]... [PATTERN...]

mutmut changes them one at a time, in a copy of the tree below the temporary directory, and runs the tests of WSK that
come by: a few of them first, all of them for what those let through.  What has a reason is not run, nor what an earlier
run of the same text has seen killed.  PATTERN picks modules by name, such as `requests` or `sockets.*`; without one
all are run, which takes hours.  The result is kept in `tools/mutations/wsk.txt`, where only the modules that were run
change.  What survives has its reason in `tools/mutations/wsk-accepted.yaml`, or is OPEN, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import fnmatch
import hashlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tools.mutations.apart import functions_of_loading, nearest_tests, run_apart
from tools.mutations.results import (
    FOLDER,
    NO_TEST,
    Accepted,
    Change,
    ModuleResult,
    load_accepted,
    open_changes,
    parse_results,
    render_results,
)
from tools.mutations.workplace import (
    KILLED,
    NOT_RUN,
    ExitCodes,
    TestChoice,
    exit_codes,
    kind_of,
    known_before,
    set_exit_codes,
    set_some,
    survivors_of,
)

ROOT = FOLDER.parent.parent
SOURCE = Path("wsknet/wsk")
RESULT = FOLDER / "wsk.txt"
ACCEPTED = FOLDER / "wsk-accepted.yaml"
TITLE = "Changes by mutmut of the functions of wsknet/wsk (python -m tools.mutate_wsk)"

COPIED = ("wsknet", "tests", "tools", "docs", "examples", "pyproject.toml", "README.md")
TESTS = ("tests/conformance/wsk", "tests/unit/wsk")
LEFT_OUT = ("test_rules.py", "test_*machine*.py", "test_*sequence*.py", "test_examples*.py")
"""The list of the rules, and the long runs, which would find much, but slowly."""

TIMES = {"timeout_multiplier": 3, "timeout_constant": 5}
"""A change is timed out after (seconds that its tests took at first + constant) * multiplier."""

FEW = 40
"""Tests for each function in the first round."""

TEXT_ALONE = r"^\s+f?\"[^\"]* [^\"]*\"[,)]*$"
"""A line with nothing but text for people: mutmut leaves it as it is."""

SETUP = """\
[mutmut]
source_paths=wsknet/
use_git_change_detection=false
{times}
only_mutate=
    {only}
do_not_mutate_patterns=
    {patterns}
also_copy=
    {also}
pytest_add_cli_args=
    -p
    no:cacheprovider
    -m
    not tap and not long
    --timeout=60
    {ignored}
pytest_add_cli_args_test_selection=
    {tests}
"""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """The modules of `wsknet.wsk` that have functions by their name in it, with their path below `root`."""
    paths = sorted((root / SOURCE).rglob("*.py"))
    return {
        ".".join(path.relative_to(root / SOURCE).with_suffix("").parts): path.relative_to(root)
        for path in paths
        if path.name != "__init__.py" and re.search(r"\b(def|lambda)\b", path.read_text())
    }


def copy_tree(target: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif source.exists():
            shutil.copy2(source, target / name)


def without_decorators(source: str) -> str:
    """The same, with each decorator called below its function: mutmut leaves decorated functions as they are."""
    lines = source.splitlines()
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef) and node.decorator_list]
    for node in sorted(nodes, key=lambda node: -node.lineno):
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if {"staticmethod", "classmethod", "overload"}.intersection(decorators) or decorators[0].endswith(".setter"):
            continue
        call = node.name
        for decorator in reversed(decorators):
            call = f"{decorator}({call})"
        lines.insert(node.end_lineno or node.lineno, " " * node.col_offset + f"{node.name} = {call}")
        del lines[node.decorator_list[0].lineno - 1 : node.lineno - 1]
    return "\n".join(lines) + "\n"


def prepare(tree: Path, picked: Iterable[Path]) -> None:
    """Of the copy in `tree`: all functions open to mutmut, and its frames no callers of the package."""
    for path in picked:
        (tree / path).write_text(without_decorators((tree / path).read_text()))
    path = tree / SOURCE / "bugcheck.py"
    path.write_text(path.read_text().replace('_OURS = ("wsknet.", ', '_OURS = ("wsknet.", "mutmut.", '))


def write_setup(tree: Path, picked: Iterable[Path], tests: Iterable[str], without: Iterable[str]) -> None:
    ignored = [f"--ignore-glob=*/{pattern}" for pattern in LEFT_OUT] + [f"--deselect={test}" for test in without]
    text = SETUP.format(
        only="\n    ".join(map(str, picked)),
        patterns=TEXT_ALONE,
        also="\n    ".join(name for name in COPIED if name != "wsknet" and (tree / name).exists()),
        ignored="\n    ".join(ignored),
        tests="\n    ".join(tests),
        times="\n".join(f"{name}={value}" for name, value in TIMES.items()),
    )
    (tree / "setup.cfg").write_text(text)


def test_files(tree: Path, patterns: list[str]) -> list[str]:
    """What fails with a few tests fails with all of them: a narrow choice is quick and finds at most too much."""
    if not patterns:
        return list(TESTS)
    return [
        str(path.relative_to(tree))
        for folder in TESTS
        for path in sorted((tree / folder).glob("test_*.py"))
        if any(fnmatch.fnmatch(path.stem.removeprefix("test_"), pattern) for pattern in patterns)
    ]


def run_mutmut(tree: Path, jobs: int, limit: float, *names: str) -> None:
    """What is not reached after `limit` seconds stays as it is."""
    command = Path(sys.executable).with_name("mutmut")
    if not command.exists():
        raise SystemExit("mutmut is not there: pip install -e '.[test,mutation]'")
    with subprocess.Popen([command, "run", "--max-children", str(jobs), *names], cwd=tree) as process:
        try:
            process.wait(max(limit, 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait()


def functions_of(source: str) -> dict[str, list[str]]:
    """The lines of each function of a file, by its mangled name, which mutmut makes unique."""
    lines = source.splitlines()
    return {
        node.name: [line.replace(node.name, "NAME") for line in lines[node.lineno - 1 : node.end_lineno]]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def plain_name(mutant: str) -> str:
    """`wsknet.wsk.irp.xǁIRPǁfree__mutmut_3` is `irp.IRP.free`."""
    module, _, mangled = mutant.partition("__mutmut_")[0].rpartition(".")
    name = mangled[2:] if mangled.startswith("x_") else mangled[1:].strip("ǁ").replace("ǁ", ".")
    return f"{module.removeprefix('wsknet.wsk.')}.{name}"


def changed_lines(old: list[str], new: list[str]) -> tuple[str, str]:
    """The lines that go and those that come, without their indentation."""
    difference = [line for line in difflib.ndiff(old, new) if line[:2] in {"- ", "+ "}]
    gone, come = ([line[2:].strip() for line in difference if line[0] == sign] for sign in "-+")
    return " | ".join(gone), " | ".join(come)


def changes_of(source: str, mutants: Iterable[str]) -> Iterator[tuple[str, Change]]:
    """Each mutant with what it changes; `source` is the file with all variants in it."""
    functions = functions_of(source)
    for mutant in mutants:
        mangled = mutant.rpartition(".")[2]
        original = functions[mangled.partition("__mutmut_")[0] + "__mutmut_orig"]
        yield mutant, Change(plain_name(mutant), *changed_lines(original, functions[mangled]))


def text_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def result_of(module: str, codes: ExitCodes, changes: dict[str, Change], state: str, text: str) -> ModuleResult:
    kinds = [kind_of(code) for code in codes.values()]
    counts = {"mutants": len(kinds)}
    for kind in ("killed", "timed out", "survived", NO_TEST, "not run", "unclear"):
        if kind in kinds or kind in {"killed", "survived"}:
            counts[kind] = kinds.count(kind)
    survivors = {changes[mutant] for mutant, code in codes.items() if kind_of(code) in {"survived", "unclear"}}
    unseen = {
        Change(changes[mutant].function, "all of it", NO_TEST)
        for mutant, code in codes.items()
        if kind_of(code) == NO_TEST
    }
    return ModuleResult(module, text, state, counts, sorted(survivors | unseen))


def state_of_tree(date: str) -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return f"commit {told or 'unknown'}" + (f", {date}" if date else "")


def save(found: dict[str, ModuleResult]) -> int:
    """Beside what other runs have written; how many are open."""
    results = earlier_results() | found
    accepted = load_accepted(ACCEPTED)
    RESULT.write_text(render_results(TITLE, results, modules(), accepted))
    still_open = open_changes(results, accepted)
    for change in still_open:
        print(f"{change.function}\n    - {change.old}\n    + {change.new}")
    functions = {function for function, _, _ in accepted.single if function.rpartition(".")[0]}
    print(*(f"no longer needed: {line}" for line in accepted.stale(functions)), sep="\n")
    print(f"{len(still_open)} open")
    return len(still_open)


def earlier_results() -> dict[str, ModuleResult]:
    return parse_results(RESULT.read_text()) if RESULT.exists() else {}


def plan(
    tree: Path, picked: dict[str, Path], earlier: dict[str, ModuleResult], accepted: Accepted
) -> dict[str, Change]:
    """Leave to mutmut what has to be run; what each mutant changes."""
    changes: dict[str, Change] = {}
    for module, path in picked.items():
        codes = exit_codes(tree, path)
        if codes:
            changes |= changes_of((tree / "mutants" / path).read_text(), codes)
            set_exit_codes(tree, path, known_before(changes, codes, earlier.get(module), accepted))
    return changes


def run_rounds(tree: Path, told: argparse.Namespace, end: float, survivors: Callable[[], dict[str, Path]]) -> None:
    """Each change with a few tests first; then what they let through: apart if mutmut cannot turn it on, else with all.

    `survivors` are those without a reason, with the path of their module.
    """
    choice = TestChoice(tree)
    choice.few(FEW)
    run_mutmut(tree, told.jobs, end - time.monotonic())
    loading = functions_of_loading(tree)
    apart = {mutant: path for mutant, path in survivors().items() if plain_name(mutant) in loading}
    noticed = run_apart(tree, apart, lambda path: nearest_tests(tree, path, TESTS, LEFT_OUT), told.jobs)
    set_some(tree, {mutant: (apart[mutant], KILLED) for mutant, is_noticed in noticed.items() if is_noticed})
    through = {mutant: path for mutant, path in survivors().items() if mutant not in apart}
    if through and time.monotonic() < end:
        set_some(tree, {mutant: (path, NOT_RUN) for mutant, path in through.items()})
        choice.all()
        run_mutmut(tree, told.jobs, end - time.monotonic())


def run_modules(tree: Path, picked: dict[str, Path], told: argparse.Namespace) -> dict[str, ModuleResult]:
    end = time.monotonic() + told.limit
    texts = {module: text_of(tree / path) for module, path in picked.items()}
    earlier = {} if told.afresh else earlier_results()
    accepted = load_accepted(ACCEPTED)
    prepare(tree, picked.values())
    write_setup(tree, picked.values(), test_files(tree, told.tests), told.without)
    # mutmut makes the changes and learns which test runs what before it finds that there is none of this name.
    run_mutmut(tree, told.jobs, told.limit, "no-such-change")
    same_text = {module: result for module, result in earlier.items() if texts.get(module) == result.text}
    changes = plan(tree, picked, same_text, accepted)
    run_rounds(tree, told, end, lambda: survivors_of(tree, picked.values(), changes, accepted))
    state = state_of_tree(told.date) + (f", tests {' '.join(told.tests)}" if told.tests else "")
    codes = {module: exit_codes(tree, path) for module, path in picked.items()}
    return {
        module: result_of(module, codes[module], changes, state, texts[module]) for module in picked if codes[module]
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.mutate_wsk", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=24 * 3600.0, help="seconds")
    parser.add_argument("--date", default="", help="of this run, for the file")
    parser.add_argument("--tests", action="append", default=[], metavar="PATTERN", help="only test files named so")
    parser.add_argument("--without", action="append", default=[], metavar="TEST", help="which fails as it stands")
    parser.add_argument(
        "--afresh", action="store_true", help="also what an earlier run of the same text has seen killed"
    )
    parser.add_argument("--render", action="store_true", help="run nothing: look up the reasons anew")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    told = parser.parse_args(arguments)
    patterns = told.patterns or ["*"]
    picked = {
        module: path
        for module, path in modules().items()
        if any(fnmatch.fnmatch(module, pattern) for pattern in patterns)
    }
    found: dict[str, ModuleResult] = {}
    if not told.render:
        if not picked:
            parser.error("no module has such a name")
        with tempfile.TemporaryDirectory(prefix="mutate-wsk-") as name:
            tree = Path(name)
            copy_tree(tree)
            found = run_modules(tree, picked, told)
    return 1 if save(found) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
