"""The attacks that the stack is held to: what is sent, what becomes of it, and the bound that holds.

Each row is a function that plays the attack on the virtual clock and asserts its outcome and its bound; the modules
beside this one hold them by kind.  What a stranger on the link can do to neighbours, routers and groups is in
`tests/scenarios/test_floods.py`.  Fragments are in `tests/unit/net`: malformed ones in `test_reassembly_refusals.py`
and `test_first_fragments.py`, too many of them in `test_reassembly_bounds.py`.  What `serve http` does about clients
that trickle, never read or come in crowds is in `tests/unit/apps/test_http_service.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wsknet.types import Family

Play = Callable[[Family], None]


@dataclass(frozen=True)
class Attack:
    name: str
    outcome: str
    bound: str
    rules: tuple[str, ...]
    play: Play
    is_long: bool = False


TABLE: list[Attack] = []


def attack(name: str, outcome: str, bound: str, *rules: str, is_long: bool = False) -> Callable[[Play], Play]:
    """Enter the decorated function into the table."""

    def enter(play: Play) -> Play:
        TABLE.append(Attack(name, outcome, bound, rules, play, is_long))
        return play

    return enter
