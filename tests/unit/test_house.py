"""The rules of the house that no linter knows: sizes, behaviour sets without names, and the numbers of facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsknet.trace import DropReason

ROOT = Path(__file__).parents[2]
PACKAGE = sorted((ROOT / "wsknet").rglob("*.py"))
TESTS_AND_TOOLS = sorted(path for name in ("tests", "tools") for path in (ROOT / name).rglob("*.py"))

MOST_FILE_LINES = 500
MOST_FUNCTION_LINES = 60

SET_NAMES = {"windows", "linux", "bsd"}
SET_INSTANCES = {"WINDOWS", "LINUX", "BSD"}

RULE_FORMS = re.compile(
    r"""
    R-(?!000)[0-3]\d\d                                    # testable rules of the WSK interface
  | D-\d\d                                                # decisions where its documentation is silent
  | WSK-\d+\.\d+                                          # a section of that sheet, where no rule says it
  | BIND-(M/(winsock2003(-other)?|wsk|xp|linux)/\S+ | \d+[a-e]? | [1-5](\.\d+)+[a-z]?)
                                                          # a cell of a sharing table, a case, a line of a section
  | SAN-\d+(\.\w+)*
  | RFC\d{3,5}-\w+(\.\w+)*                              # section of an RFC; the oldest have headings without numbers
  | RFC9293-(MUST|SHLD|MAY|REC)-[1-9]\d?                 # a requirement of its appendix B
    """,
    re.VERBOSE,
)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("files", [PACKAGE, TESTS_AND_TOOLS], ids=["package", "tests and tools"])
def test_no_file_is_too_long(files: list[Path]) -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in files}

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in PACKAGE
        for node in functions(parse(path))
    }

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MOST_FUNCTION_LINES} == {}


def asks_for_a_set(tree: ast.AST) -> Iterator[int]:
    """Line numbers of code that asks which behaviour set it has, instead of asking for a policy."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            if any(map(_is_set, operands)) and "sys.platform" not in map(ast.unparse, operands):
                yield node.lineno
        elif isinstance(node, ast.MatchValue) and _is_set(node.value):
            yield node.value.lineno


def _is_set(operand: ast.expr) -> bool:
    if isinstance(operand, ast.Tuple | ast.List | ast.Set):
        return any(map(_is_set, operand.elts))
    if isinstance(operand, ast.Constant):
        return operand.value in SET_NAMES
    if isinstance(operand, ast.Attribute) and operand.attr == "name":
        return ast.unparse(operand.value).endswith("behaviour")
    return isinstance(operand, ast.Name) and operand.id in SET_INSTANCES


def test_no_code_asks_for_the_name_of_a_behaviour_set() -> None:
    offences = {
        str(path.relative_to(ROOT)): lines
        for path in PACKAGE
        if path.name != "behaviour.py" and (lines := list(asks_for_a_set(parse(path))))
    }

    assert offences == {}


@pytest.mark.parametrize(
    "code",
    [
        "if config.behaviour.name == chosen: ...",
        "if behaviour.name in ('linux', 'bsd'): ...",
        "if name != 'windows': ...",
        "if self.behaviour is LINUX: ...",
        "match name:\n    case 'bsd': ...",
    ],
)
def test_asking_for_the_name_would_be_seen(code: str) -> None:
    assert list(asks_for_a_set(ast.parse(code)))


@pytest.mark.parametrize("code", ["if behaviour.v6only: ...", "if sys.platform == 'linux': ...", "SETS['linux']"])
def test_asking_for_a_policy_or_a_platform_is_no_offence(code: str) -> None:
    assert not list(asks_for_a_set(ast.parse(code)))


def test_every_drop_reason_is_given_somewhere() -> None:
    given = {
        node.attr
        for path in PACKAGE
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "DropReason"
    }

    assert {reason.name for reason in DropReason} == given


def test_rule_marks_carry_known_numbers_and_three_at_most(request: pytest.FixtureRequest) -> None:
    """Of every test collected in this run."""
    offences = {}
    for item in request.session.items:
        numbers = [str(number) for mark in item.iter_markers("rule") for number in mark.args]
        if len(numbers) > 3 or not all(map(RULE_FORMS.fullmatch, numbers)):
            offences[item.nodeid] = numbers

    assert offences == {}


@pytest.mark.parametrize(
    "number",
    ["R-150", "D-28", "BIND-17b", "BIND-1.7.1", "BIND-M/winsock2003/D,w/R,s", "SAN-3.2.WSAEFAULT", "SAN-11.a3",
     "RFC9293-3.10.7.4", "RFC6724-5", "RFC768-Fields", "RFC9293-MUST-14"],
)  # fmt: skip
def test_the_known_forms_are_accepted(number: str) -> None:
    assert RULE_FORMS.fullmatch(number)


@pytest.mark.parametrize("number", ["R-15", "R-000", "R-412", "WSK-1", "RFC 9293 3.10", "BIND-", "3.10.7.4"])
def test_other_forms_are_refused(number: str) -> None:
    assert not RULE_FORMS.fullmatch(number)
