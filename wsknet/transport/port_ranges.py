"""Which ports port 0 may become: dynamic ranges, excluded ranges, and what is left of them.

Read BIND-1.5 before editing.  Ranges belong to one protocol and family, so that a dual-stack name gets a port that both
families may have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wsknet.config import PortRange
from wsknet.types import Cover, Family, Proto

if TYPE_CHECKING:
    from wsknet.config import PortConfig


class PortRanges:
    """The dynamic and the excluded ranges of one protocol; only the latter change."""

    def __init__(self, protocol: Proto, default: tuple[int, int], config: PortConfig) -> None:
        self._dynamic = dict.fromkeys(Family, default)
        self._dynamic |= {r.family: (r.first, r.last) for r in config.dynamic if r.protocol is protocol}
        self.excluded = [r for r in config.excluded if r.protocol is protocol]

    def excluding(self, port: int, cover: Cover, but: PortRange | None = None) -> PortRange | None:
        """The first range, `but` aside, that keeps a name of `cover` from having `port`."""
        for block in self.excluded:
            if block.first <= port <= block.last and cover.includes(block.family) and block != but:
                return block
        return None

    def policy(self, cover: Cover) -> frozenset[object]:
        """Equal for covers whose ports are the same."""
        return frozenset((self._dynamic[family], self._blocks(family)) for family in cover.families)

    def _blocks(self, family: Family) -> frozenset[tuple[int, int]]:
        return frozenset((block.first, block.last) for block in self.excluded if block.family is family)

    def dynamic(self, cover: Cover) -> range:
        """What the dynamic ranges of all families of `cover` have in common, perhaps nothing."""
        limits = [self._dynamic[family] for family in cover.families]
        return range(max(first for first, _ in limits), min(last for _, last in limits) + 1)

    def usable(self, cover: Cover) -> list[int]:
        """The dynamic ports that are not excluded, from the lowest."""
        blocks = {limits for family in cover.families for limits in self._blocks(family)}
        excluded = {port for first, last in blocks for port in range(first, last + 1)}
        if not excluded:
            return list(self.dynamic(cover))
        return [port for port in self.dynamic(cover) if port not in excluded]

    def find_run(self, cover: Cover, count: int, is_free: Callable[[int], bool]) -> int | None:
        """The first of the lowest `count` usable ports in a row that are free."""
        length, previous = 0, 0
        for port in filter(is_free, self.usable(cover)):
            length = length + 1 if port == previous + 1 else 1
            if length == count:
                return port - count + 1
            previous = port
        return None

    def wording(self, cover: Cover) -> str:
        """The dynamic range of `cover` for people."""
        limits = {family: "{}-{}".format(*self._dynamic[family]) for family in cover.families}
        if len(set(limits.values())) == 1:
            return f"the dynamic range {limits[cover.families[0]]}"
        return "the dynamic ranges, " + " and ".join(f"{limits[f]} of {family_text(f)}" for f in limits)


def family_text(family: Family) -> str:
    return "IPv4" if family is Family.IPV4 else "IPv6"
