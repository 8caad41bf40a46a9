"""Whose packets are wanted: RFC 3376 2 and 3, RFC 3810 3 and 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsknet.types import Address


class SourceFilter(NamedTuple):
    """Whose packets are wanted (RFC 3376 2): those of `sources` only, or everybody's but theirs."""

    is_exclude: bool = True
    sources: frozenset[Address] = frozenset()

    def admits(self, source: Address) -> bool:
        return (source in self.sources) is not self.is_exclude


EVERYBODY = SourceFilter()
"""What joining a group without naming sources means."""
NOBODY = SourceFilter(is_exclude=False)
"""What not to have joined means (RFC 3376 3.1)."""


def merged(filters: Iterable[SourceFilter]) -> SourceFilter:
    """What an interface must let in so that each member gets what it wants (RFC 3376 3.2); NOBODY without members."""
    included: frozenset[Address] = frozenset()
    excluded: frozenset[Address] | None = None
    for wanted in filters:
        if not wanted.is_exclude:
            included |= wanted.sources
        elif excluded is None:
            excluded = wanted.sources
        else:
            excluded &= wanted.sources
    if excluded is None:
        return SourceFilter(False, included)
    return SourceFilter(True, excluded - included)
