"""Whether `tools.flip_cells` sees a cell that its test does not watch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.binding.sharing_tables import DENIED, PERMITTED, TABLES
from tools.flip_cells import complaints, main

BY_NUMBER = {table.number: table for table in TABLES}


@pytest.mark.parametrize("number", BY_NUMBER)
def test_every_flip_of_a_row_is_noticed(number: str) -> None:
    table = BY_NUMBER[number]

    assert complaints(table, [cell for cell in table.words if cell[0] == "D,w"]) == []


def test_a_flip_that_stays_green_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the descriptor that permits nobody would see a CHECK that is always refused."""
    blind = replace(BY_NUMBER["wsk"], parties=(DENIED,))

    assert main([blind]) == 1
    assert "BIND-M/wsk/D,w/D,s: passes with ACC instead of CHECK" in capsys.readouterr().out
    assert main([replace(blind, parties=(PERMITTED, DENIED))]) == 0


def test_a_wrong_word_is_told() -> None:
    wrong = BY_NUMBER["xp"].with_cell("D,w", "D,w", "ok")

    assert complaints(wrong, [("D,w", "D,w")])[0] == "BIND-M/xp/D,w/D,w: fails with ok, which is printed"
