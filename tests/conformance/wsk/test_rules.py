"""No rule is without a test but those that say why, and no test names a rule that there is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support import rule_marks

LIST = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text())
RULES = [f"R-{number:03}" for number in LIST["rules"]]
WITHOUT_TEST = {f"R-{number:03}" for number in LIST["without_test"]}


@pytest.fixture(scope="module")
def marked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    return rule_marks.of_all_tests(request, tmp_path_factory, "R-")


def test_every_rule_has_a_test_or_a_reason(marked: set[str]) -> None:
    assert [rule for rule in RULES if rule not in marked and rule not in WITHOUT_TEST] == []


def test_no_rule_has_both(marked: set[str]) -> None:
    assert sorted(marked & WITHOUT_TEST) == []


def test_every_mark_is_a_rule(marked: set[str]) -> None:
    assert sorted(marked - set(RULES)) == []


def test_the_list_is_complete() -> None:
    assert [f"R-{number:03}" for number in range(1, 353)] == RULES
    assert set(RULES) >= WITHOUT_TEST
    assert all(reason for reason in LIST["without_test"].values())
