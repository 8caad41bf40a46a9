"""Whether `tools.mutate_wsk` and `tools.bite_wsk` read, keep and judge what stayed unnoticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.mutate_wsk import changed_lines, kind_of, modules, plain_name, survivors_of, without_decorators
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
from tools.mutations.tables import changes_of

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

    assert list(survivors_of(MUTATED, {f"{prefix}1": 0, f"{prefix}2": 1})) == [Change("irp.f", "if a:", "if not a:")]
    assert list(survivors_of(MUTATED, {f"{prefix}2": 33})) == [Change("irp.f", "all of it", NO_TEST)]
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
    names = [change.name for group in ("constants", "status", "dispatch") for change in changes_of(group)]

    assert {"constants.SO_DEBUG", "constants.WskIoctl", "status.STATUS_PENDING", "status.STATUS_OF_KIND.RESET"} <= set(
        names
    )
    assert "dispatch.WSK_PROVIDER_LISTEN_DISPATCH.WskBind" in names


def test_a_row_is_removed_and_its_flags_are_turned() -> None:
    changes = [change for change in changes_of("ioctls") if change.name == "ioctls.SIO_UDP_CONNRESET"]

    assert [change.what for change in changes] == [
        "removed", "takes_address=True", "is_without_irp=True", "is_passive=True", "categories=0x5", "categories=0x6",
        "categories=0x0", "categories=0xc",
    ]  # fmt: skip
    assert all("SIO_UDP_CONNRESET" in change.names for change in changes)
