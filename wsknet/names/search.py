"""Searches for the addresses of a name and for the name of an address, through everything that a host may ask.

In this order (learn.microsoft.com, "Host name resolution"; the hosts file is part of the cache of its DNS client): a
literal, the hosts file, the host's own names, the DNS servers.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from wsknet.names.messages import Question, RecordType
from wsknet.names.results import Failure, Found, Records, Target
from wsknet.names.spelling import labels, parse_literal, reverse_name
from wsknet.types import Address, Family, family_of, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wsknet.names.names import Names
    from wsknet.types import Instant

_KINDS = {Family.IPV4: RecordType.A, Family.IPV6: RecordType.AAAA}

_BY_WEIGHT = (
    Failure.NO_ANSWER,
    Failure.UNREACHABLE,
    Failure.SERVER_FAILED,
    Failure.NO_DATA,
    Failure.NO_NAME,
)
"""Which of the failures of several questions is that of the whole: the first, as it leaves most open."""


class AddressSearch:
    """`done(outcome, now)` is called once, with the driver lock held, perhaps before `start` returns.

    IPv4 and IPv6 are asked for at the same time.  Of `families` nothing is found in, nothing is told: one address of
    either is enough.
    """

    def __init__(
        self,
        names: Names,
        name: str,
        families: Sequence[Family],
        done: Callable[[Found | Failure, Instant], None],
        *,
        is_literal: bool = False,
        asks_servers: bool = True,
        is_encoded: bool = True,
    ) -> None:
        self._names = names
        self._name = name
        self._families = tuple(families)
        self._done = done
        self._is_literal = is_literal
        """Nothing but a literal address will do."""
        self._asks_servers = asks_servers
        self._is_encoded = is_encoded
        """Letters beyond ASCII are encoded for DNS."""
        self._candidates: deque[str] = deque()
        self._asking = ""
        self._answers: dict[Family, Records] = {}
        self._take_back: list[Callable[[Instant], None]] = []
        self._is_over = False

    def start(self, now: Instant) -> None:
        name, names = self._name, self._names
        literal = parse_literal(name, names.zone_of)
        if literal is not None:
            self._found([Target(*literal)], name, name, now)
        elif self._is_literal:
            self._end(Failure.NO_NAME, now)
        elif addresses := names.hosts.addresses(name):
            self._found([Target(address) for address in addresses], names.hosts.canonical(name), name, now)
        elif targets := names.own.targets(name):
            own = names.own.qualified(name)
            self._found(targets, own, own, now)
        elif not self._asks_servers or not self._families:
            self._end(Failure.NO_NAME, now)
        else:
            self._candidates.extend(names.candidates(name))
            self._ask_next(now)

    def cancel(self, now: Instant) -> None:
        """`done` is not called any more."""
        self._is_over = True
        take_back, self._take_back = self._take_back, []
        for each in take_back:
            each(now)

    def _ask_next(self, now: Instant) -> None:
        while self._candidates:
            self._asking = self._candidates.popleft()
            octets = labels(self._asking, is_encoded=self._is_encoded)
            if octets is not None:
                break
        else:
            self._end(Failure.NO_NAME, now)
            return
        self._answers.clear()
        self._take_back.clear()
        for family in self._families:
            question = Question(octets, _KINDS[family])
            self._take_back.append(self._names.ask(question, now, self._answer_to(family)))

    def _answer_to(self, family: Family) -> Callable[[Records, Instant], None]:
        def answered(records: Records, now: Instant) -> None:
            self._answers[family] = records
            if len(self._answers) == len(self._families) and not self._is_over:
                self._answered(now)

        return answered

    def _answered(self, now: Instant) -> None:
        answers = [self._answers[family] for family in self._families]
        targets = [Target(value) for records in answers for value in records.values if isinstance(value, bytes)]
        if targets:
            canonical = next(records.canonical for records in answers if records.values)
            self._found(targets, canonical, self._asking, now)
            return
        failures = [records.failure for records in answers]
        failure = next(each for each in _BY_WEIGHT if each in failures)
        if failure is Failure.NO_NAME and self._candidates:
            self._ask_next(now)
        else:
            self._end(failure, now)

    def _found(self, targets: list[Target], canonical: str, qualified: str, now: Instant) -> None:
        wanted = [target for target in targets if family_of(target.address) in self._families]
        if not wanted:
            self._end(Failure.NO_DATA, now)
            return
        self._end(Found(self._names.ordered(wanted), canonical, qualified.removesuffix(".")), now)

    def _end(self, outcome: Found | Failure, now: Instant) -> None:
        if not self._is_over:
            self._is_over = True
            self._done(outcome, now)


class NameSearch:
    """The same for the name of an address."""

    def __init__(
        self, names: Names, address: Address, zone: int, done: Callable[[str | Failure, Instant], None]
    ) -> None:
        self._names = names
        self._address = address
        self._zone = zone
        self._done = done
        self._take_back: Callable[[Instant], None] | None = None
        self._is_over = False

    def start(self, now: Instant) -> None:
        names = self._names
        if is_unspecified(self._address):
            self._end(Failure.NO_NAME, now)  # everybody's, and nobody's
            return
        name = names.hosts.name_of(self._address) or names.own.name_of(self._address, self._zone)
        if name is not None:
            self._end(name, now)
            return
        octets = labels(reverse_name(self._address))
        assert octets is not None
        self._take_back = names.ask(Question(octets, RecordType.PTR), now, self._answered)

    def cancel(self, now: Instant) -> None:
        """`done` is not called any more."""
        self._is_over = True
        if self._take_back is not None:
            self._take_back(now)

    def _answered(self, records: Records, now: Instant) -> None:
        name = next((value for value in records.values if isinstance(value, str)), None)
        self._end(name or records.failure or Failure.NO_DATA, now)

    def _end(self, outcome: str | Failure, now: Instant) -> None:
        if not self._is_over:
            self._is_over = True
            self._done(outcome, now)
