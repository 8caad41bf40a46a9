"""Does the test of each cell of the sharing tables watch its cell?  Run: python -m tools.flip_cells

Every printed word is replaced by each other one, and the test of that cell has to fail for it; with the word that is
printed it has to pass.  What does not is listed, and the exit status is then 1.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.conformance.binding.sharing_tables import TABLES, WORDS, PrintedTable
from tests.conformance.binding.test_sharing_tables import test_a_cell_is_as_printed as run_test
from wsknet.behaviour import SharingTable


def passes(table: PrintedTable, first: str, second: str) -> bool:
    """Whether the test of one cell holds, for both families and everybody who may take part."""
    try:
        for case in table.cases_of(first, second):
            run_test(case)
    except AssertionError:
        return False
    return True


def other_words(table: PrintedTable, word: str) -> list[str]:
    """What might have been printed instead: CHECK is a word of WSK alone."""
    has_check = table.sharing is SharingTable.WSK
    return [other for other in WORDS if other != word and (other != "CHECK" or has_check)]


def complaints(table: PrintedTable, cells: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each flip that nobody notices, and for each cell whose test fails as printed."""
    lines = []
    for first, second in cells:
        number, word = f"BIND-M/{table.number}/{first}/{second}", table.words[first, second]
        if not passes(table, first, second):
            lines.append(f"{number}: fails with {word}, which is printed")
        lines += [
            f"{number}: passes with {other} instead of {word}"
            for other in other_words(table, word)
            if passes(table.with_cell(first, second, other), first, second)
        ]
    return lines


def main(tables: Iterable[PrintedTable] = TABLES) -> int:
    found = []
    for table in tables:
        lines = complaints(table, table.words)
        flips = sum(len(other_words(table, word)) for word in table.words.values())
        print(f"{table.number:18} {len(table.words)} cells, {flips} flips, {len(lines)} complaints")
        found += lines
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
