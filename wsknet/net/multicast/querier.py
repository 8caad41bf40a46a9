"""What the queries on a link tell of the routers there, and which version of IGMP or MLD is spoken with them.

Read RFC 3376 4.1.6, 4.1.7, 7.2.1 and 8, RFC 3810 8.2.1 and 9 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.timers import Timer
from wsknet.types import MILLISECOND, SECOND, Duration, Instant, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.net.messages.groups import GroupQuery
    from wsknet.timers import Timers

ROBUSTNESS = 2
"""How often a report is sent against loss, until a querier says otherwise (RFC 3376 8.1, RFC 3810 9.1)."""
QUERY_INTERVAL = 125 * SECOND
"""Between general queries, until a querier says otherwise (RFC 3376 8.2, RFC 3810 9.2)."""


class Querier:
    """Of one interface and family."""

    def __init__(self, timers: Timers, version_changed: Callable[[], None]) -> None:
        self.robustness = ROBUSTNESS
        self._interval: Duration = QUERY_INTERVAL
        self._version_changed = version_changed
        # By version; armed: a querier that speaks it has been heard lately.
        self._old = {version: Timer(timers, self._gone) for version in (1, 2)}

    @property
    def version(self) -> int:
        """1 to 3 as in `GroupQuery`: what the oldest querier around understands."""
        return next((version for version, timer in self._old.items() if timer.is_armed), 3)

    def hear(self, query: GroupQuery, now: Instant) -> None:
        if query.version == 3:
            self.robustness = query.robustness or ROBUSTNESS
            self._interval = query.interval * SECOND or QUERY_INTERVAL
            return
        if query.version == 2 and not is_unspecified(query.group):
            return  # only a general query shows which version its querier speaks
        before = self.version
        # RFC 3376 8.12 with erratum 4375, RFC 3810 9.12: as long as the next query may take, lost ones included.
        lasts = self.robustness * self._interval + query.max_response * MILLISECOND
        self._old[query.version].arm(Instant(now + lasts))
        if self.version != before:
            self._version_changed()

    def forget(self) -> None:
        """The link is gone."""
        self.robustness, self._interval = ROBUSTNESS, QUERY_INTERVAL
        for timer in self._old.values():
            timer.cancel()

    def _gone(self, now: Instant) -> None:
        self._version_changed()
