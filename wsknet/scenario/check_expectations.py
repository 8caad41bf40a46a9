"""Expectations that nobody would check are refused: for a face that does not run the step, or of what cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wsknet.scenario.columns import GROUPS, NAMES
from wsknet.scenario.patterns import can_fit

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Expected, Scenario, Step
    from wsknet.scenario.yaml_tree import Document, Place


class CheckExpectations:
    """`check` raises `UsageError` for the first thing that is wrong.  `cards` are interfaces as frames name them."""

    def __init__(self, document: Document, scenario: Scenario, cards: list[str]) -> None:
        self._document = document
        self._scenario = scenario
        self._cards = cards

    def check(self, step: Step, place: Place, columns: list[Column], compared: list[Column]) -> None:
        for field in ("expect", "rule", "frames", "no_frames"):
            here = (*place, field)
            told = getattr(step, field)
            if not told:
                if self._document.has(here):
                    raise self._document.fail(here, "says nothing: leave it out")
                continue
            asked = columns if field == "rule" else [*columns, *compared]  # the kernel tells no rules
            if isinstance(told, dict):
                self._mapping(told, asked, here)
            if field in ("frames", "no_frames"):
                self._frames(told, here)
            else:
                self._texts(told, here)
            if field == "expect":
                self._complete(told, columns, here)

    def _mapping(self, told: Mapping[str, Any], columns: list[Column], place: Place) -> None:
        """Of which every entry counts for somebody."""
        for key in told:
            self.known_key(key, (*place, key))
        counting = {column.key(told) for column in columns}
        for key, each in told.items():
            if key not in counting:
                raise self._document.fail(
                    (*place, key), f"never counts: the step is not run for {key}, or others go before it"
                )
            if each == "":
                raise self._document.fail((*place, key), "says nothing: leave it out")
        if not any(told.values()):
            raise self._document.fail(place, "says nothing: leave it out")

    def known_key(self, key: str, place: Place) -> None:
        flips = [flip.key for flip in self._scenario.flips]
        flips += [f"{face} {flip}" for face in self._scenario.faces for flip in flips]
        if key not in (*NAMES, *GROUPS, "kernel", *flips):
            raise self._document.fail(place, f"no face and no flip is called {key!r}")

    def _texts(self, told: Expected, place: Place) -> None:
        texts = [told] if isinstance(told, str) else told.values()
        if all(set(each) == {"*"} for each in texts):
            raise self._document.fail(place, "fits whatever comes: say what is expected, or leave it out")

    def _complete(self, told: Expected, columns: list[Column], place: Place) -> None:
        for column in columns:
            if not column.expected(told):
                raise self._document.fail(place, f"says nothing for {column.face}")

    def _frames(self, told: tuple[str, ...] | dict[str, tuple[str, ...]], place: Place) -> None:
        lists: Iterable[tuple[Place, tuple[str, ...]]] = (
            [((*place, key), each) for key, each in told.items()] if isinstance(told, dict) else [(place, told)]
        )
        for here, patterns in lists:
            for index, pattern in enumerate(patterns):
                if not can_fit(pattern, self._cards):
                    problem = f"fits no frame: expected one like {self._cards[0] if self._cards else 'host.eth0'}: "
                    raise self._document.fail((*here, index), f"{problem}udp 10.1.0.2:5000 > 10.1.0.50:7")
