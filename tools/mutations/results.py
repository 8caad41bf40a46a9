"""What changes of the code stayed unnoticed: the file that keeps it, and the reasons why a change may."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
OPEN = "OPEN"
NO_TEST = "no test runs it"

_HEAD = re.compile(r"(?P<module>\S+): text (?P<text>\w+), (?P<state>.*)")
_COUNTS = re.compile(r"    (?:\d+ [a-z ]+(?:, )?)+$")


@dataclass(frozen=True, order=True)
class Change:
    """One change of one function that no test notices: the lines that go and those that come, joined by ` | `."""

    function: str
    """With its module, below `wsknet.wsk`."""
    old: str
    new: str


@dataclass(frozen=True)
class Rule:
    """A reason for every change whose two lines `like` matches, in functions whose whole name `within` matches."""

    like: re.Pattern[str]
    within: re.Pattern[str]
    reason: str


@dataclass
class Accepted:
    """The reasons of a YAML file: `rules`, and for each function a list of `old`, `new` (absent: any) and `reason`."""

    rules: list[Rule]
    single: dict[tuple[str, str, str | None], str]
    used: set[tuple[str, str, str | None]] = field(default_factory=set)

    def reason(self, change: Change) -> str:
        """Or OPEN."""
        for key in ((change.function, change.old, change.new), (change.function, change.old, None)):
            if key in self.single:
                self.used.add(key)
                return self.single[key]
        text = f"- {change.old}\n+ {change.new}"
        for rule in self.rules:
            if rule.within.fullmatch(change.function) and rule.like.search(text):
                return rule.reason
        return OPEN

    def has_reason(self, change: Change) -> bool:
        return self.reason(change) != OPEN

    def stale(self, functions: Iterable[str]) -> list[str]:
        """Single reasons below `functions` that nothing has asked for."""
        asked = set(functions)
        return [f"{key[0]}: - {key[1]}" for key in self.single if key[0] in asked and key not in self.used]


def load_accepted(path: Path) -> Accepted:
    told: Mapping[str, Any] = yaml.safe_load(path.read_text()) or {}
    rules = [
        Rule(re.compile(rule["like"]), re.compile(rule.get("within", ".*")), rule["reason"])
        for rule in told.get("rules") or []
    ]
    single = {
        (function, entry["old"], entry.get("new")): entry["reason"]
        for function, entries in (told.get("functions") or {}).items()
        for entry in entries
    }
    return Accepted(rules, single)


@dataclass
class ModuleResult:
    """Of one module."""

    module: str
    text: str
    """The first digits of the SHA-256 of its source: a result of another text is out of date."""
    state: str
    """Of the tree it was run in, and the day."""
    counts: dict[str, int]
    survivors: list[Change]

    def render(self, accepted: Accepted) -> Iterable[str]:
        yield f"{self.module}: text {self.text}, {self.state}"
        yield "    " + ", ".join(f"{number} {what}" for what, number in self.counts.items())
        for change in sorted(set(self.survivors)):
            yield f"    {change.function}"
            yield f"        - {change.old}"
            yield f"        + {change.new}"
            yield f"        {accepted.reason(change)}"


def parse_results(text: str) -> dict[str, ModuleResult]:
    """By module; the reasons are left behind, they are looked up anew."""
    results: dict[str, ModuleResult] = {}
    current: ModuleResult | None = None
    function = old = ""
    for line in text.splitlines():
        if head := _HEAD.fullmatch(line):
            current = ModuleResult(head["module"], head["text"], head["state"], {}, [])
            results[current.module] = current
        elif current is None:
            continue
        elif _COUNTS.match(line):
            pairs = (each.partition(" ") for each in line.strip().split(", "))
            current.counts = {what: int(number) for number, _, what in pairs}
        elif line.startswith("        - "):
            old = line[10:]
        elif line.startswith("        + "):
            current.survivors.append(Change(function, old, line[10:]))
        elif line.startswith("    ") and not line.startswith("     "):
            function = line[4:]
    return results


def open_changes(results: Mapping[str, ModuleResult], accepted: Accepted) -> list[Change]:
    return sorted(
        {change for result in results.values() for change in result.survivors if accepted.reason(change) == OPEN}
    )


def render_results(title: str, results: Mapping[str, ModuleResult], modules: Iterable[str], accepted: Accepted) -> str:
    """The whole file: the sums, `modules` that have no result, and each one that has."""
    sums: dict[str, int] = {}
    for result in results.values():
        for what, number in result.counts.items():
            sums[what] = sums.get(what, 0) + number
    missing = [module for module in modules if module not in results]
    lines = [
        title,
        "together: " + ", ".join(f"{number} {what}" for what, number in sums.items()),
        f"open: {len(open_changes(results, accepted))}",
        "not run: " + (", ".join(missing) or "none"),
    ]
    for _, result in sorted(results.items()):
        lines += ["", *result.render(accepted)]
    return "\n".join(lines) + "\n"
