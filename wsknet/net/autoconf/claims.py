"""One claimed address: how far it has come, and when its next probe is due.

Read RFC 4862 5.1 and 5.4.2, RFC 5227 1.1 and 2.1.1.  The two families differ in numbers and messages, not in kind.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from wsknet.net.changes import AddressAdded, AddressOrigin
from wsknet.net.interface import AddressState, InterfaceAddress
from wsknet.types import Duration, IfIndex, Instant

if TYPE_CHECKING:
    from random import Random

    from wsknet.config import DuplicateConfig
    from wsknet.net.interface import Interface
    from wsknet.timers import Timer
    from wsknet.types import Address, Mac


class AddressOwner(Protocol):
    """Who claimed an address.  Both may be heard again for the same address: it is checked anew when a link is back."""

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        """Nobody else has it; it is ours from now on."""

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """Another host has it: found before it was ours, or could not be defended later.

        It has been taken away and stays as DUPLICATE until it is removed, claimed again, or the link comes back.
        """


class Stage(Enum):
    WAITING = "for the link"
    PROBING = "asking whether anybody has it"
    HELD = "ours"
    LOST = "another host has it"


class Claim:
    """An address from the wish for it until it is removed."""

    __slots__ = ("change", "interface", "owner", "sent", "stage", "timer")

    def __init__(self, interface: Interface, change: AddressAdded, owner: AddressOwner | None, timer: Timer) -> None:
        self.interface = interface
        self.change = change
        """What to apply if nobody has it."""
        self.owner = owner
        self.stage = Stage.WAITING
        self.sent = 0
        """Probes while PROBING, announcements while HELD."""
        self.timer = timer

    @property
    def address(self) -> Address:
        return self.change.address

    @property
    def is_ipv4(self) -> bool:
        return len(self.change.address) == 4

    @property
    def is_optimistic(self) -> bool:
        """Used while it is checked: IPv6 alone, and never what a person may have mistyped (RFC 4429 3.1)."""
        return (
            self.interface.auto.optimistic and not self.is_ipv4 and self.change.origin is not AddressOrigin.MANUAL
        )  # fmt: skip


class Schedule:
    """When probes are due."""

    def __init__(self, config: DuplicateConfig, rng: Random) -> None:
        self._config = config
        self._rng = rng

    def probes(self, claim: Claim) -> int:
        return self._config.probes if claim.is_ipv4 else self._config.solicitations

    def first_delay(self, claim: Claim) -> Duration:
        """Spread, so that hosts that start together do not ask together (RFC 4862 5.4.2, RFC 5227 2.1.1)."""
        if claim.is_ipv4:
            return self._random(0, self._config.probe_wait)
        # RFC 4429 3.3: an optimistic node need not wait, its packets leave anyway.
        return 0 if claim.is_optimistic else self._random(0, self._config.max_delay)

    def next_delay(self, claim: Claim) -> Duration:
        """From the probe just sent to the next one, or to the end."""
        if not claim.is_ipv4:
            return claim.interface.neighbours.retransmit
        if claim.sent < self._config.probes:
            return self._random(self._config.probe_min, self._config.probe_max)
        return self._config.announce_wait

    def _random(self, low: Duration, high: Duration) -> Duration:
        return low + int(self._rng.random() * (high - low))


def change_of(interface: Interface, entry: InterfaceAddress) -> AddressAdded:
    """The change that would bring `entry`."""
    return AddressAdded(
        interface.index,
        entry.address,
        entry.prefix_length,
        entry.skip_as_source,
        entry.state is AddressState.DEPRECATED,
        entry.origin,
        entry.is_temporary,
    )


class ConflictLimit:
    """A host that has met too many conflicts claims IPv4 addresses no more one after the other (RFC 5227 2.1.1)."""

    def __init__(self, config: DuplicateConfig) -> None:
        self._config = config
        self._conflicts: dict[IfIndex, int] = {}
        """Claims lost since the last one that succeeded or the link came up."""
        self._latest_start: dict[IfIndex, Instant] = {}

    def start(self, if_index: IfIndex, now: Instant) -> Instant:
        """When a claim that is wished for now may begin; it counts as begun then."""
        start = now
        if self._conflicts.get(if_index, 0) >= self._config.max_conflicts and if_index in self._latest_start:
            start = Instant(max(now, self._latest_start[if_index] + self._config.rate_limit))
        self._latest_start[if_index] = start
        return start

    def lost(self, if_index: IfIndex) -> None:
        self._conflicts[if_index] = self._conflicts.get(if_index, 0) + 1

    def succeeded(self, if_index: IfIndex) -> None:
        self._conflicts.pop(if_index, None)

    def forget(self, if_index: IfIndex) -> None:
        """Another link is another network."""
        self._conflicts.pop(if_index, None)
        self._latest_start.pop(if_index, None)
