"""For whom a scenario is run: a face, and the behaviour set under it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from enum import Enum
from typing import Any, NamedTuple

from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour, SharingTable
from wsknet.scenario.schema import Expected, Flip, Scenario, Step


class Column(NamedTuple):
    """`face` is what people call it, `behaviour` what the hosts do that have no set of their own."""

    face: str
    behaviour: Behaviour
    flip: Flip | None = None

    @property
    def name(self) -> str:
        return f"{self.face} with {self.flip.key}" if self.flip else self.face

    def expected(self, told: Expected) -> str:
        """What `told` says for this column; empty if it says nothing."""
        return told if isinstance(told, str) else told.get(self.key(told), "")

    def runs(self, step: Step) -> bool:
        return not step.faces or bool(self.key(step.faces))

    def key(self, told: Collection[str]) -> str:
        """The one of `told` that counts: for the flip, the face, its group, in this order.  Empty if none does."""
        keys = [self.face, *(group for group, members in GROUPS.items() if self.face in members)]
        if self.flip is not None:
            keys = [f"{self.face} {self.flip.key}", self.flip.key, *keys]
        if self.face == "kernel":
            keys.append("linux")
        return next((key for key in keys if key in told), "")


NAMES: dict[str, Behaviour] = {
    "wsk": WINDOWS,
    "winsock": replace(WINDOWS, sharing=SharingTable.WINSOCK_2003),
    "linux": LINUX,
    "bsd": BSD,
}
GROUPS = {"windows": ("wsk", "winsock"), "posix": ("linux", "bsd", "kernel")}


def column(face: str, policies: dict[str, str], flip: Flip | None = None) -> Column:
    """`policies` are set on top of the face's behaviour set, `flip` on top of these."""
    behaviour = NAMES[face]
    for name, value in policies.items():
        behaviour = with_policy(behaviour, name, value)
    if flip is not None:
        behaviour = with_policy(behaviour, flip.policy, flip.value)
    return Column(face, behaviour, flip)


def with_policy(behaviour: Behaviour, name: str, value: str) -> Behaviour:
    """`ValueError` for a policy that there is not, or a value that it has not."""
    known = {each.name for each in fields(behaviour)} - {"name", "tcp"}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(sorted(known))}"
        raise ValueError(f"there is no policy {name!r}: {hint}")
    return replace(behaviour, **{name: _parse(getattr(behaviour, name), name, value)})


def check_policy(name: str, value: str) -> None:
    with_policy(WINDOWS, name, value)


def _parse(present: object, name: str, value: str) -> Any:
    if isinstance(present, bool):
        if value not in ("yes", "no"):
            raise ValueError(f"{name} is yes or no, not {value!r}")
        return value == "yes"
    if isinstance(present, Enum):
        choices = {member.name.lower().replace("_", "-"): member for member in type(present)}
        if value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")
        return choices[value]
    if isinstance(present, int) and value.isdecimal():
        return int(value)
    if isinstance(present, tuple) and value.replace("-", "").isdecimal():
        return tuple(int(part) for part in value.split("-"))
    raise ValueError(f"{name} cannot be set in a scenario" if not isinstance(present, int) else f"{name} is a number")


def columns_of(scenario: Scenario, faces: Sequence[str] = ()) -> list[Column]:
    """What to run `scenario` for: each of its faces, and the Windows faces once more for each flip."""
    found = []
    for face in faces or scenario.faces:
        if face in scenario.faces:
            found.append(column(face, scenario.policies))
            if face in GROUPS["windows"]:
                found += [column(face, scenario.policies, flip) for flip in scenario.flips]
    return found
