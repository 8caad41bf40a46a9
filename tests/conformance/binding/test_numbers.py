"""No number is without a test, and no test names a number that there is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
import yaml

from tests.support import rule_marks

HERE = Path(__file__).parent
LIST = HERE / "numbers.yaml"


def numbers() -> Iterator[str]:
    listed = yaml.safe_load(LIST.read_text())
    yield from (f"BIND-{case}" for case in listed["cases"])
    for section, facts in listed["sections"].items():
        yield from (f"BIND-{section}.{number}" for number in range(1, len(facts) + 1))
    yield from (f"BIND-{section}" for section in listed["texts"])
    cells = [f"{option},{kind}" for option, kind in product("DRE", "ws")]
    for table, first, second in product(listed["tables"], cells, cells):
        yield f"BIND-M/{table}/{first}/{second}"


@pytest.fixture(scope="module")
def marked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return rule_marks.of_all_tests(request, tmp_path_factory, "BIND-")


def test_every_number_has_a_test(marked: set[str]) -> None:
    assert [number for number in numbers() if number not in marked] == []


def test_every_mark_is_a_number(marked: set[str]) -> None:
    assert sorted(marked - set(numbers())) == []


def test_the_list_is_complete() -> None:
    """64 cases, the lettered and the unnumbered ones, four tables of 36 cells, and the facts of the sections."""
    listed = list(numbers())
    assert len(listed) == len(set(listed))
    assert sum(number.startswith("BIND-M/") for number in listed) == 4 * 36
    assert sum(number.count(".") == 0 and "/" not in number for number in listed) == 64 + 3 + 6
