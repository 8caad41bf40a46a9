"""The packaged scenarios, by name."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path

from wsknet.errors import UsageError
from wsknet.scenario.load import LIBRARY, STANDARD_HOSTS, load
from wsknet.scenario.schema import Scenario


@cache
def packaged() -> dict[str, Path]:
    """Files by the name of their scenario, in the order of the catalogue: folder by folder."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*/*.yaml")) if path != STANDARD_HOSTS}


def find(named: str) -> list[tuple[str, Scenario]]:
    """A packaged scenario by its name, all that have the number of a case, or any file by its path.

    `UsageError` if there is none of these, or if the file is unusable.
    """
    if named in packaged():
        return [(named, _packaged(named))]
    if named.upper().startswith(("BIND-", "SAN-")):
        found = [(name, scenario) for name, scenario in everything() if named.upper() in map(str.upper, scenario.cases)]
        if found:
            return found
    path = Path(named)
    if path.suffix in (".yaml", ".yml") or (named and path.exists()):
        return [(path.stem, load(path))]
    near = get_close_matches(named, packaged(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`wsknet list WORD` finds their names; a file ends in .yaml"
    raise UsageError(f"there is no scenario {named!r}: {hint}")


@cache
def _packaged(name: str) -> Scenario:
    return load(packaged()[name])


def everything() -> list[tuple[str, Scenario]]:
    return [(name, _packaged(name)) for name in packaged()]
