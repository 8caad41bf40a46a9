"""May two sockets hold one port?  The sharing tables as one short rule each.

Sources: "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE" (Winsock), "Sharing transport addresses" (WSK).  Both tables, 36
cells each, follow the same three sentences and differ in who is trusted and in one cell.  A dual-stack ``::`` is one
level more general than 0.0.0.0: read "wildcard" as the more general and "specific" as the less general of two names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from wsknet.behaviour import SharingTable
from wsknet.errors import ErrorKind
from wsknet.types import Cover, LocalName

SOURCES = {
    SharingTable.WSK: "WSK, Sharing Transport Addresses",
    SharingTable.WINSOCK_2003: "Winsock, Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE: Windows Server 2003 and later",
    SharingTable.XP: "Winsock, Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE: Windows XP and earlier",
    SharingTable.LINUX: "socket(7) and ipv6(7) of Linux",
}
"""Where each table is written."""

CONNECTION_SOURCE = "RFC 9293 3.6.1; inet_csk_bind_conflict in net/ipv4/inet_connection_sock.c of Linux"
"""Where it is written what a connection keeps others from."""


class Sharing(Enum):
    """What the socket asked for before it was bound."""

    DEFAULT = "default"
    REUSE = "SO_REUSEADDR"
    EXCLUSIVE = "SO_EXCLUSIVEADDRUSE"


@dataclass(frozen=True)
class Security:
    """Who binds, and whom the security descriptor of the socket lets share its address."""

    account: str = "SYSTEM"
    shares_with: frozenset[str] = field(default_factory=frozenset)
    """Accounts that pass the access check.  The default descriptor lets nobody share."""


class Verdict(NamedTuple):
    """`error` is `None` if the second bind may succeed beside the first; `rule` says why in either case."""

    error: ErrorKind | None
    rule: str


ALLOWED_DIFFERENT = Verdict(None, "different addresses never conflict")
ALLOWED_FAMILIES = Verdict(None, "one is for IPv4 alone, the other for IPv6 alone")
ALLOWED_DEVICES = Verdict(None, "sockets of different devices never conflict")


def generality(name: LocalName) -> int:
    """0 for an address, 1 for the wildcard of one family, 2 for a dual-stack ``::``."""
    if name.address is not None:
        return 0
    return 2 if name.cover is Cover.DUAL else 1


def share_a_family(first: LocalName, second: LocalName) -> bool:
    return any(second.cover.includes(family) for family in first.cover.families)


def overlaps(first: LocalName, second: LocalName) -> bool:
    """Whether one packet could be meant for both names.  Ports are taken to be equal."""
    if not share_a_family(first, second):
        return False
    if first.address is None or second.address is None:
        return True
    return first.address == second.address and first.zone == second.zone


class Holder(NamedTuple):
    """One side of a comparison."""

    name: LocalName
    sharing: Sharing
    security: Security
    device: int = 0
    """The one interface that the socket is for (SO_BINDTODEVICE), 0 if it is for all."""


def set_apart(first: Holder, second: Holder) -> Verdict | None:
    """Why no packet could be meant for both, if so.  Ports are taken to be equal."""
    if not overlaps(first.name, second.name):
        return ALLOWED_DIFFERENT if share_a_family(first.name, second.name) else ALLOWED_FAMILIES
    return ALLOWED_DEVICES if first.device and second.device and first.device != second.device else None


def compare(table: SharingTable, first: Holder, second: Holder) -> Verdict:
    """May `second` bind while `first` is bound to the same port?"""
    apart = set_apart(first, second)
    if apart is not None:
        return apart
    match table:
        case SharingTable.XP:
            return _compare_xp(first, second)
        case SharingTable.LINUX:
            return _compare_linux(first, second)
        case _:
            return _compare_2003(table, first, second)


def compare_with_connection(first: Holder, second: Holder) -> Verdict:
    """May `second` bind while a connection, or TIME-WAIT, of a socket with the options of `first` has its name?"""
    apart = set_apart(first, second)
    if apart is not None:
        return apart
    if first.sharing is Sharing.REUSE and second.sharing is Sharing.REUSE:
        return Verdict(None, "both allow reuse")
    return Verdict(ErrorKind.IN_USE, "a connection or TIME-WAIT has the name, and not both sockets allow reuse")


def _compare_2003(table: SharingTable, first: Holder, second: Holder) -> Verdict:
    ahead = generality(second.name) - generality(first.name)
    if ahead == 0:
        return _compare_same_name(table, first, second)
    if ahead < 0:
        return _compare_under_wildcard(table, first, second)
    if second.sharing is Sharing.EXCLUSIVE:
        return Verdict(ErrorKind.IN_USE, "an exclusive wildcard needs the whole port")
    return Verdict(None, "a wildcard covers every address but the one already taken")


def _compare_under_wildcard(table: SharingTable, first: Holder, second: Holder) -> Verdict:
    if first.sharing is Sharing.EXCLUSIVE:
        return Verdict(ErrorKind.DENIED, "the wildcard is held exclusively")
    if first.sharing is Sharing.REUSE and second.sharing is Sharing.REUSE:
        return Verdict(None, "both allow reuse")
    if _is_granted(table, first.security, second.security):
        return Verdict(None, "the holder of the wildcard lets this account share")
    return Verdict(ErrorKind.DENIED, "the holder of the wildcard does not let this account share")


def _compare_same_name(table: SharingTable, first: Holder, second: Holder) -> Verdict:
    if second.sharing is Sharing.REUSE:
        if first.sharing is Sharing.REUSE:
            return Verdict(None, "both allow reuse")
        return Verdict(ErrorKind.DENIED, "reuse asked for, but the holder does not allow it")
    is_takeover = first.sharing is Sharing.REUSE and second.sharing is Sharing.DEFAULT
    if table is SharingTable.WSK and is_takeover and first.name.address is not None:
        # The one cell where the WSK page and the Winsock page differ (C-21).
        return Verdict(ErrorKind.DENIED, "the address is held for reuse and this socket does not ask for reuse")
    return Verdict(ErrorKind.IN_USE, "the same name is taken")


def _is_granted(table: SharingTable, first: Security, second: Security) -> bool:
    """The CHECK cells: Winsock compares accounts, WSK asks the first socket's descriptor."""
    if table is SharingTable.WSK:
        return second.account in first.shares_with
    return first.account == second.account


def _compare_xp(first: Holder, second: Holder) -> Verdict:
    if second.sharing is not Sharing.REUSE:
        return Verdict(ErrorKind.IN_USE, "any overlap is a conflict")
    if first.sharing is Sharing.EXCLUSIVE:
        return Verdict(ErrorKind.DENIED, "the holder is exclusive")
    return Verdict(None, "reuse takes over whatever is not exclusive")


def _compare_linux(first: Holder, second: Holder) -> Verdict:
    """socket(7): a port is shared if both sockets set SO_REUSEADDR, else not.

    There is no exclusive option: one is taken for none.
    """
    if first.sharing is Sharing.REUSE and second.sharing is Sharing.REUSE:
        return Verdict(None, "both set SO_REUSEADDR")
    if Sharing.REUSE in (first.sharing, second.sharing):
        return Verdict(ErrorKind.IN_USE, "SO_REUSEADDR shares only if both sockets set it")
    if {first.name.cover, second.name.cover} == {Cover.DUAL, Cover.IPV4}:
        # ipv6(7): IPv4 and IPv6 share the port space unless IPV6_V6ONLY is set.
        return Verdict(ErrorKind.IN_USE, "a dual-stack wildcard takes the port of both families")
    if generality(first.name) != generality(second.name):
        return Verdict(ErrorKind.IN_USE, "a wildcard takes the port of every address")
    return Verdict(ErrorKind.IN_USE, "the same name is taken")
