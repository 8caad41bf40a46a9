"""What servers have said, for as long as it holds: RFC 1035 7.4, RFC 2308 5 (negative answers)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from wsknet.names.messages import Question
    from wsknet.names.results import Records

MAX_TTL = 86400
"""Seconds: MaxCacheTtl of the DNS client of Windows (KB 318803)."""
MAX_NEGATIVE_TTL = 900
"""Seconds: MaxNegativeCacheTtl, from the same page."""
MAX_ENTRIES = 1000
"""Our own bound: who asks for ever new names must not fill the memory."""


class Cache:
    def __init__(self) -> None:
        self._entries: dict[object, tuple[Records, Instant]] = {}
        """By question, with the instant from which it no longer holds; oldest first."""

    def find(self, question: Question, now: Instant) -> Records | None:
        entry = self._entries.get(question.key)
        if entry is None:
            return None
        records, expiry = entry
        if now >= expiry:
            del self._entries[question.key]
            return None
        return records

    def store(self, question: Question, records: Records, now: Instant) -> None:
        ttl = min(records.ttl, MAX_TTL if records.failure is None else MAX_NEGATIVE_TTL)
        if ttl <= 0:
            return
        self._entries.pop(question.key, None)
        if len(self._entries) >= MAX_ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[question.key] = records, Instant(now + ttl * SECOND)

    def clear(self) -> None:
        """``ipconfig /flushdns``"""
        self._entries.clear()
