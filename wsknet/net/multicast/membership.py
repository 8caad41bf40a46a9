"""One group on one interface: who listens, and what the routers have yet to be told of it.

Read RFC 3376 5.1 and 5.2, RFC 3810 6.1 to 6.3 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages.groups import GroupRecord, RecordKind
from wsknet.net.multicast.filters import NOBODY, SourceFilter, merged
from wsknet.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsknet.timers import Expired, Timers
    from wsknet.types import Address

MAX_ASKED = 128
"""Sources remembered from queries about one group; beyond it the answer is about all.  RFC 3376 9.1 wants a bound
against queries with long lists and late answers."""


class Membership:
    """Exists while somebody listens, and after that until the routers have been told."""

    __slots__ = ("answer", "asked", "group", "is_last_reporter", "members", "mode_reports", "old_reports", "repeat",
                 "source_reports", "told", "wanted")  # fmt: skip

    def __init__(self, group: Address, timers: Timers, repeat: Expired, answer: Expired) -> None:
        self.group = group
        self.members: dict[object, SourceFilter] = {}
        self.wanted = NOBODY
        """What the members want together."""
        self.told = NOBODY
        """The same as last told to the routers, or being told."""
        self.mode_reports = 0
        """How many reports have yet to tell whether sources are included or excluded."""
        self.source_reports: dict[Address, int] = {}
        """How many reports have yet to tell of these sources."""
        self.old_reports = 0
        """The same for the whole group, in the older versions."""
        self.repeat = Timer(timers, repeat)
        """The next report that nobody asked for."""
        self.answer = Timer(timers, answer)
        """To a query about this group, or in the older versions about all."""
        self.asked: dict[Address, None] = {}
        """Sources that the query was about; empty: about all."""
        self.is_last_reporter = False
        """In the older versions: no other host has reported the group since we did (RFC 2236 3)."""

    def set_member(self, member: object, wanted: SourceFilter | None) -> None:
        if wanted is None:
            self.members.pop(member, None)
        else:
            self.members[member] = wanted
        self.wanted = merged(self.members.values())

    def silence(self) -> None:
        """Nothing of what was to be reported is."""
        self.repeat.cancel()
        self.mode_reports = self.old_reports = 0
        self.source_reports.clear()
        self.drop_questions()

    def drop_questions(self) -> None:
        self.answer.cancel()
        self.asked.clear()

    def ask(self, sources: tuple[Address, ...]) -> None:
        """Another query is to be answered, together with one that may be waiting (RFC 3376 5.2 rules 3 to 5)."""
        if self.answer.is_armed and not self.asked:
            return
        self.asked.update(dict.fromkeys(sources))
        if not sources or len(self.asked) > MAX_ASKED:
            self.asked.clear()

    def change(self, before: SourceFilter, robustness: int) -> bool:
        """`told` was `before`: the difference goes into the next reports.  False if there is none."""
        after = self.told
        if before.is_exclude is not after.is_exclude:
            self.mode_reports = robustness  # each of these tells all sources
        else:
            self.source_reports.update(dict.fromkeys(sorted(before.sources ^ after.sources), robustness))
        return before != after

    def take_change(self) -> list[GroupRecord]:
        """What the next state-change report says (RFC 3376 5.1, the table)."""
        told = self.told
        if self.mode_reports:
            kind = RecordKind.TO_EXCLUDE if told.is_exclude else RecordKind.TO_INCLUDE
            records = [_record(kind, self.group, told.sources)]
            self.mode_reports -= 1
        else:
            allowed = [source for source in self.source_reports if told.admits(source)]
            blocked = [source for source in self.source_reports if not told.admits(source)]
            kinds = ((RecordKind.ALLOW_NEW, allowed), (RecordKind.BLOCK_OLD, blocked))
            records = [_record(kind, self.group, sources) for kind, sources in kinds if sources]
        self.source_reports = {source: left - 1 for source, left in self.source_reports.items() if left > 1}
        return records

    @property
    def has_changes(self) -> bool:
        return bool(self.mode_reports or self.source_reports)

    def state(self) -> GroupRecord:
        kind = RecordKind.IS_EXCLUDE if self.wanted.is_exclude else RecordKind.IS_INCLUDE
        return _record(kind, self.group, self.wanted.sources)

    def take_answer(self) -> list[GroupRecord]:
        """To the queries about this group so far; nothing if none of the sources asked for is wanted (RFC 3376 5.2)."""
        asked = list(self.asked)
        self.asked.clear()
        if not asked:
            return [self.state()]
        sources = [source for source in asked if self.wanted.admits(source)]
        return [_record(RecordKind.IS_INCLUDE, self.group, sources)] if sources else []


def _record(kind: RecordKind, group: Address, sources: Iterable[Address]) -> GroupRecord:
    return GroupRecord(kind, group, tuple(sorted(sources)))
