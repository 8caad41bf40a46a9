"""The sharing tables as they are printed, cell by cell, and who takes part in each.

Sources: "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE" (Winsock; two tables since Windows Server 2003, one for what came
before), "Sharing transport addresses" (WSK).  Nothing here knows the rule that `transport.sharing` makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from wsknet.behaviour import SharingTable
from wsknet.errors import ErrorKind
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Cover, LocalName

PORT = 80
OPTIONS = {"D": Sharing.DEFAULT, "R": Sharing.REUSE, "E": Sharing.EXCLUSIVE}
SPECIFIC = {Cover.IPV4: b"\xc0\0\2\1", Cover.IPV6: b"\x20\1\x0d\xb8" + bytes(11) + b"\1"}
FAMILIES = (Cover.IPV4, Cover.IPV6)
WORDS = ("ok", "USE", "ACC", "CHECK")

# Winsock prints the first bind at the left and the second one on top.
WINSOCK_2003_SAME_USER = """
     D,w  D,s  R,w  R,s  E,w  E,s
D,w  USE  ok   ACC  ok   USE  ok
D,s  ok   USE  ok   ACC  USE  USE
R,w  USE  ok   ok   ok   USE  ok
R,s  ok   USE  ok   ok   USE  USE
E,w  USE  ACC  ACC  ACC  USE  ACC
E,s  ok   USE  ok   ACC  USE  USE
"""
WINSOCK_2003_OTHER_USER = """
     D,w  D,s  R,w  R,s  E,w  E,s
D,w  USE  ACC  ACC  ACC  USE  ACC
D,s  ok   USE  ok   ACC  USE  USE
R,w  USE  ACC  ok   ok   USE  ACC
R,s  ok   USE  ok   ok   USE  USE
E,w  USE  ACC  ACC  ACC  USE  ACC
E,s  ok   USE  ok   ACC  USE  USE
"""
BEFORE_2003 = """
     D,w  D,s  R,w  R,s  E,w  E,s
D,w  USE  USE  ok   ok   USE  USE
D,s  USE  USE  ok   ok   USE  USE
R,w  USE  USE  ok   ok   USE  USE
R,s  USE  USE  ok   ok   USE  USE
E,w  USE  USE  ACC  ACC  USE  USE
E,s  USE  USE  ACC  ACC  USE  USE
"""
# WSK prints the second bind at the left and the first one on top.
WSK = """
     D,w    D,s    R,w    R,s    E,w    E,s
D,w  USE    ok     USE    ok     USE    ok
D,s  CHECK  USE    CHECK  ACC    ACC    USE
R,w  ACC    ok     ok     ok     ACC    ok
R,s  CHECK  ACC    ok     ok     ACC    ACC
E,w  USE    USE    USE    USE    USE    USE
E,s  CHECK  USE    CHECK  USE    ACC    USE
"""


def parse(printed: str, first_on_top: bool = False) -> dict[tuple[str, str], str]:
    """Words by first and second bind."""
    top, *rows = (line.split() for line in printed.strip().splitlines())
    words = {(left, above): word for left, *row in rows for above, word in zip(top, row, strict=True)}
    return {(above, left): word for (left, above), word in words.items()} if first_on_top else words


class Parties(NamedTuple):
    """Who binds first and second, and whether that passes the access check of a CHECK cell."""

    label: str
    first: Security
    second: Security
    passes_check: bool


SAME = Parties("same user", Security("alice"), Security("alice"), True)
OTHER = Parties("other user", Security("alice"), Security("bob"), False)
PERMITTED = Parties("permitted", Security("alice", frozenset({"bob"})), Security("bob"), True)
DENIED = Parties("not permitted", Security("alice", frozenset({"carol"})), Security("bob"), False)


@dataclass(frozen=True)
class PrintedTable:
    """One printed table; `number` is how its cells are called: BIND-M/<number>/<first>/<second>."""

    number: str
    sharing: SharingTable
    words: Mapping[tuple[str, str], str]
    parties: tuple[Parties, ...]
    """Each cell holds for all of them."""

    def with_cell(self, first: str, second: str, word: str) -> PrintedTable:
        return replace(self, words={**self.words, (first, second): word})

    def cases(self) -> Iterator[Case]:
        for first, second in self.words:
            yield from self.cases_of(first, second)

    def cases_of(self, first: str, second: str) -> Iterator[Case]:
        for parties in self.parties:
            for family in FAMILIES:
                yield Case(self, first, second, parties, family)


class Case(NamedTuple):
    """One cell for two parties and one family."""

    table: PrintedTable
    first: str
    second: str
    parties: Parties
    family: Cover

    @property
    def number(self) -> str:
        return f"BIND-M/{self.table.number}/{self.first}/{self.second}"

    @property
    def expected(self) -> ErrorKind | None:
        word = self.table.words[self.first, self.second]
        if word == "CHECK":
            word = "ok" if self.parties.passes_check else "ACC"
        return {"ok": None, "USE": ErrorKind.IN_USE, "ACC": ErrorKind.DENIED}[word]


def name_of(side: str, family: Cover) -> LocalName:
    """The name that ``D,w`` and the like bind: the wildcard or the one specific address."""
    return LocalName(family, None if side.endswith("w") else SPECIFIC[family], PORT)


def option_of(side: str) -> Sharing:
    return OPTIONS[side[0]]


TABLES = (
    PrintedTable("winsock2003", SharingTable.WINSOCK_2003, parse(WINSOCK_2003_SAME_USER), (SAME,)),
    PrintedTable("winsock2003-other", SharingTable.WINSOCK_2003, parse(WINSOCK_2003_OTHER_USER), (OTHER,)),
    PrintedTable("wsk", SharingTable.WSK, parse(WSK, first_on_top=True), (PERMITTED, DENIED)),
    PrintedTable("xp", SharingTable.XP, parse(BEFORE_2003), (SAME, OTHER)),
)

# Windows with two families on one port (Wine: dlls/ws2_32/tests/sock.c, test_reuseaddr and test_ipv6only).  Numbers are
# those of the lines of BIND-1.2, bullets and table rows counted through; every AF_INET6 socket but that of 1.2.2 has
# IPV6_V6ONLY cleared, and a mapped address is the IPv4 address.
DUAL_STACK_ROWS = (
    ("BIND-1.2.4", ":: D", "0.0.0.0 D", "ok"),
    ("BIND-1.2.5", ":: D", "0.0.0.0 E", "ok"),
    ("BIND-1.2.6", ":: E", "0.0.0.0 D", "ACC"),
    ("BIND-1.2.7", ":: E", "127.0.0.1 D", "ACC"),
    ("BIND-1.2.8", "127.0.0.1 D", ":: E", "USE"),
    ("BIND-1.2.9", "::1 D", "0.0.0.0 E", "ok"),
    ("BIND-1.2.10", "::1 E", "127.0.0.1 E", "ok"),
    ("BIND-1.2.11", "::ffff:0.0.0.0 D", "0.0.0.0 D", "USE"),
    ("BIND-1.2.12", "::ffff:127.0.0.1 D", "127.0.0.1 D", "USE"),
    ("BIND-1.2.12", "127.0.0.1 D", "::ffff:127.0.0.1 D", "USE"),
    ("BIND-1.2.13", "::ffff:127.0.0.1 D", "0.0.0.0 E", "USE"),
)
