"""Whether `tools.mutate_wsk` and `tools.bite_wsk` read, keep and judge what stayed unnoticed."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tools.mutate_wsk import ROOT, changed_lines, changes_of, modules, plain_name, result_of, without_decorators
from tools.mutations.apart import functions_of_loading, run_apart, with_variant
from tools.mutations.results import (
    NO_TEST,
    OPEN,
    Accepted,
    Change,
    ModuleResult,
    load_accepted,
    open_changes,
    parse_results,
    render_results,
)
from tools.mutations.tables import changes_of as table_changes_of
from tools.mutations.workplace import (
    KILLED,
    NOT_RUN,
    SURVIVED,
    TestChoice,
    exit_codes,
    kind_of,
    known_before,
    set_exit_codes,
    set_some,
    survivors_of,
)

DECORATED = """\
class Thing:
    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        self.value = value

    @staticmethod
    def plain():
        return 2


def twice(function):
    return lambda: 2 * function()


@twice
@twice
def number():
    return 3
"""

MUTATED = """\
def x_f__mutmut_orig(a):
    if a:
        return 1

def x_f__mutmut_1(a):
    if not a:
        return 1

def x_f__mutmut_2(a):
    if a:
        return 2
"""


def test_functions_lose_their_decorators_and_nothing_else() -> None:
    text = without_decorators(DECORATED)
    names: dict[str, object] = {}
    exec(text, names)

    assert "number = twice(twice(number))" in text
    assert "@twice" not in text
    assert "@staticmethod" in text
    assert names["number"]() == 12  # type: ignore[operator]


def test_every_module_can_do_without_decorators() -> None:
    found = modules()
    assert {"irp", "sockets.base", "control.options"} <= found.keys()
    for path in found.values():
        ast.parse(without_decorators(path.read_text()))


def test_survivors_are_named_by_their_lines() -> None:
    prefix = "wsknet.wsk.irp.x_f__mutmut_"

    changes = dict(changes_of(MUTATED, [f"{prefix}1", f"{prefix}2"]))
    first, second = Change("irp.f", "if a:", "if not a:"), Change("irp.f", "return 1", "return 2")

    assert changes == {f"{prefix}1": first, f"{prefix}2": second}
    result = result_of("irp", {f"{prefix}1": 0, f"{prefix}2": 1}, changes, "now", "0")
    assert result.survivors == [first]
    assert result.counts == {"mutants": 2, "killed": 1, "survived": 1}
    assert result_of("irp", {f"{prefix}2": 33}, changes, "now", "0").survivors == [
        Change("irp.f", "all of it", NO_TEST)
    ]
    assert plain_name("wsknet.wsk.sockets.base.xǁSocketǁ_close__mutmut_12") == "sockets.base.Socket._close"
    assert changed_lines(["  one", "  two,", "  three"], ["  one", "  three"]) == ("two,", "")


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, "killed"), (0, "survived"), (36, "timed out"), (None, "not run"), (33, NO_TEST), (99, "unclear")],
)
def test_exit_codes_of_mutmut(code: int | None, kind: str) -> None:
    assert kind_of(code) == kind


@pytest.fixture
def accepted(tmp_path: Path) -> Accepted:
    path = tmp_path / "accepted.yaml"
    path.write_text(
        "rules:\n"
        "  - {like: '^- say', within: 'irp\\..*', reason: text}\n"
        "functions:\n"
        "  irp.f:\n"
        "    - {old: a, new: b, reason: the same}\n"
        "    - {old: c, reason: any}\n"
    )
    return load_accepted(path)


def test_reasons_are_for_a_line_or_for_all_that_look_so(accepted: Accepted) -> None:
    assert accepted.reason(Change("irp.f", "a", "b")) == "the same"
    assert accepted.reason(Change("irp.f", "a", "c")) == OPEN
    assert accepted.reason(Change("irp.g", "say x", "say y")) == "text"
    assert accepted.reason(Change("mdl.g", "say x", "say y")) == OPEN
    assert accepted.stale(["irp.f"]) == ["irp.f: - c"]


CHANGES = {name: Change("irp.f", name, "b") for name in "acde"}
UNKNOWN = dict.fromkeys(CHANGES, NOT_RUN)


def test_what_has_a_reason_or_was_killed_is_not_run_again(accepted: Accepted) -> None:
    earlier = ModuleResult("irp", "0", "then", {"mutants": 4, "killed": 3}, [CHANGES["d"]])

    assert known_before(CHANGES, UNKNOWN, earlier, accepted) == {
        "a": SURVIVED, "c": SURVIVED, "d": NOT_RUN, "e": KILLED,
    }  # fmt: skip
    earlier.counts["not run"] = 1
    assert known_before(CHANGES, UNKNOWN, earlier, accepted)["e"] is NOT_RUN
    assert known_before(CHANGES, UNKNOWN, None, accepted)["e"] is NOT_RUN


def test_what_survives_a_few_tests_meets_all_of_them(accepted: Accepted, tmp_path: Path) -> None:
    stats = tmp_path / "mutants" / "mutmut-stats.json"
    stats.parent.mkdir()
    stats.write_text('{"tests_by_mangled_function_name": {"f": ["wide", "near"], "g": ["wide"]}}')
    choice = TestChoice(tmp_path)
    choice.few(1)
    assert '"f": ["near"], "g": ["wide"]' in stats.read_text()
    choice.all()
    assert '"f": ["wide", "near"]' in stats.read_text()

    path = Path("irp.py")
    (tmp_path / "mutants" / "irp.py.meta").write_text('{"exit_code_by_key": {}, "other": 1}')
    set_exit_codes(tmp_path, path, {"a": SURVIVED, "d": SURVIVED, "e": KILLED})
    assert survivors_of(tmp_path, [path], CHANGES, accepted) == {"d": path}
    set_some(tmp_path, {"d": (path, NOT_RUN)})
    assert exit_codes(tmp_path, path) == {"a": SURVIVED, "d": NOT_RUN, "e": KILLED}


SOURCE = """\
LIST = []


def make(number):
    return number + 1


LIST.append(make(1))
"""
VARIANTS = """\
def x_make__mutmut_orig(number):
    return number + 1


def x_make__mutmut_1(number):
    return number - 1
"""


def test_what_runs_while_the_package_is_loaded_is_written_into_the_source(tmp_path: Path) -> None:
    path = Path("made.py")
    (tmp_path / path).write_text(SOURCE)
    (tmp_path / "mutants").mkdir()
    (tmp_path / "mutants" / path).write_text(VARIANTS)
    mutant = "made.x_make__mutmut_1"
    assert with_variant(SOURCE, VARIANTS, mutant) == SOURCE.replace("number + 1", "number - 1")

    for number, is_noticed in ((2, True), (0, False)):
        test = f"import made\n\ndef test_it():\n    assert made.LIST == [{number}]\n"
        (tmp_path / "test_made.py").write_text("import made\n\ndef test_it():\n    assert made.LIST\n")
        if is_noticed:
            (tmp_path / "test_made.py").write_text(test)
        assert run_apart(tmp_path, {mutant: path}, lambda _: ["test_made.py"], 1) == {mutant: is_noticed}
        shutil.rmtree(tmp_path / "apart-0")


def test_functions_of_loading_are_those_that_make_the_tables() -> None:
    found = functions_of_loading(ROOT)
    assert {"control.groups._membership", "control.option.number"} <= found
    assert "irp.IoAllocateIrp" not in found


def test_the_file_is_read_as_it_was_written(accepted: Accepted) -> None:
    survivors = [Change("irp.f", "a", "b"), Change("irp.f", "x, - y", ""), Change("irp.h", "all of it", NO_TEST)]
    result = ModuleResult("irp", "0123456789ab", "commit 1, day", {"mutants": 5, "killed": 2, NO_TEST: 1}, survivors)
    text = render_results("title", {"irp": result}, ["irp", "mdl"], accepted)

    assert parse_results(text) == {"irp": result}
    assert "not run: mdl" in text
    assert "open: 2" in text
    assert open_changes({"irp": result}, accepted) == survivors[1:]
    assert render_results("title", parse_results(text), ["irp", "mdl"], accepted) == text


def test_the_tables_are_changed_one_thing_at_a_time() -> None:
    names = [change.name for group in ("constants", "status", "dispatch") for change in table_changes_of(group)]

    assert {"constants.SO_DEBUG", "constants.WskIoctl", "status.STATUS_PENDING", "status.STATUS_OF_KIND.RESET"} <= set(
        names
    )
    assert "dispatch.WSK_PROVIDER_LISTEN_DISPATCH.WskBind" in names


def test_a_row_is_removed_and_its_flags_are_turned() -> None:
    changes = [change for change in table_changes_of("ioctls") if change.name == "ioctls.SIO_UDP_CONNRESET"]

    assert [change.what for change in changes] == [
        "removed", "takes_address=True", "is_without_irp=True", "is_passive=True", "categories=0x5", "categories=0x6",
        "categories=0x0", "categories=0xc",
    ]  # fmt: skip
    assert all("SIO_UDP_CONNRESET" in change.names for change in changes)
