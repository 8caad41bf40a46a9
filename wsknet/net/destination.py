"""In which order the addresses of a peer are tried.

Read RFC 6724 section 6 before editing.  Where a packet would go and from which source is `path`'s answer.  Rules 4
(home addresses) and 7 (native transport) never decide: no host here is mobile and no interface is a tunnel.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import NetError
from wsknet.net.path import resolve
from wsknet.net.source import common_bits, scope
from wsknet.net.wording import address_text
from wsknet.policy_table import unmapped
from wsknet.trace import Decision
from wsknet.types import Address, Family, family_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.net.tables import Tables

_SECTION = "RFC 6724 6"


class Target(NamedTuple):
    """A destination and what the rules ask about it."""

    asked: Address
    """As it was given; an IPv4-mapped address is treated like the IPv4 address."""
    family: Family
    scope: int
    precedence: int
    is_usable: bool
    """There is a route and a source; without them the next three are what they would be for the worst source."""
    is_scope_of_source: bool = False
    is_source_preferred: bool = False
    is_label_of_source: bool = False
    match: int = 0
    """Bits that source and destination share, at most the source's own prefix (section 2.2)."""


class Rule(NamedTuple):
    name: str
    score: Callable[[Target], int]
    """The higher the better."""


_RULES = (
    Rule("1: avoid unusable destinations", lambda target: target.is_usable),
    Rule("2: prefer matching scope", lambda target: target.is_scope_of_source),
    Rule("3: avoid deprecated addresses", lambda target: target.is_source_preferred),
    Rule("5: prefer matching label", lambda target: target.is_label_of_source),
    Rule("6: prefer higher precedence", lambda target: target.precedence),
    Rule("8: prefer smaller scope", lambda target: -target.scope),
)
_MATCH = "9: use longest matching prefix"
_KEPT = "10: leave the order unchanged"


def order_destinations(
    tables: Tables, destinations: Sequence[Address], zone: int = 0, why: Decision | None = None
) -> list[Address]:
    """Best first; the families may be mixed.  Nothing is left out, not even what cannot be reached.

    `zone` tells the interface of those for which `path.needs_zone`.
    """
    targets = [_target(tables, destination, zone, why) for destination in destinations]
    targets.sort(key=_rank, reverse=True)  # stable in this direction too
    ordered = [target for _, equals in groupby(targets, key=_rank) for target in _by_match(list(equals))]
    if why is not None:
        _explain(ordered, why)
    return [target.asked for target in ordered]


def _target(tables: Tables, asked: Address, zone: int, why: Decision | None) -> Target:
    destination = unmapped(asked)
    policy = tables.policy_table.find(destination)
    part = None
    if why is not None:
        part = Decision(f"path to {address_text(destination)}")
        why.parts.append(part)
    own_scope = scope(destination)
    target = Target(asked, family_of(destination), own_scope, policy.precedence, is_usable=False)
    try:
        path = resolve(tables, destination, zone=zone, why=part)
    except NetError:
        return target
    holders = (path.interface, *tables.interfaces.values())  # a weak host lends another interface's address
    entry = next(holder.addresses[path.source] for holder in holders if path.source in holder.addresses)
    return target._replace(
        is_usable=True,
        is_scope_of_source=scope(path.source) == own_scope,
        is_source_preferred=not entry.is_deprecated,
        is_label_of_source=tables.policy_table.find(path.source).label == policy.label,
        match=min(common_bits(path.source, destination), entry.prefix_length),
    )


def _rank(target: Target) -> tuple[int, ...]:
    return tuple(rule.score(target) for rule in _RULES)


def _by_match(equals: list[Target]) -> list[Target]:
    """Rule 9 compares within one family only; pair by pair that can go round in a circle, with rule 10 beside it.

    So each family keeps the places that it has, and is ordered among them.
    """
    best_first = sorted(equals, key=lambda target: target.match, reverse=True)
    in_turn = {family: iter([target for target in best_first if target.family is family]) for family in Family}
    return [next(in_turn[target.family]) for target in equals]


def _rule_between(better: Target, worse: Target) -> str:
    for rule in _RULES:
        if rule.score(better) != rule.score(worse):
            return rule.name
    return _MATCH if better.family is worse.family and better.match != worse.match else _KEPT


def _explain(ordered: list[Target], why: Decision) -> None:
    texts = [address_text(target.asked) for target in ordered]
    if not ordered:
        why.conclude("none", "no destination", _SECTION)
        return
    decided = _rule_between(ordered[0], ordered[1]) if len(ordered) > 1 else "only destination"
    why.consider(texts[0], f"first: {decided}", is_winner=True)
    for position in range(1, len(ordered)):
        rule = _rule_between(ordered[position - 1], ordered[position])
        why.consider(texts[position], f"after {texts[position - 1]} by the rule: {rule}")
    why.conclude(", ".join(texts), decided, _SECTION)
