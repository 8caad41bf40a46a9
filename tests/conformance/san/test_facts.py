"""No fact of the sheet of Winsock Direct is without a test, and no test names a fact that there is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support import rule_marks

FACTS = [
    f"SAN-{section}.{fact}"
    for section, facts in yaml.safe_load((Path(__file__).parent / "facts.yaml").read_text()).items()
    for fact in facts
]


@pytest.fixture(scope="module")
def marked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return rule_marks.of_all_tests(request, tmp_path_factory, "SAN-")


def test_every_fact_has_a_test(marked: set[str]) -> None:
    assert [fact for fact in FACTS if fact not in marked] == []


def test_every_mark_is_a_fact(marked: set[str]) -> None:
    assert sorted(marked - set(FACTS)) == []


def test_the_list_names_each_fact_once() -> None:
    assert len(set(FACTS)) == len(FACTS) == 107
