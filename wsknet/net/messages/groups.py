"""IGMP and MLD alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from wsknet.types import Address


class RecordKind(IntEnum):
    """What a group record says of the sources of a group (RFC 3376 4.2.12, RFC 3810 5.2.12)."""

    IS_INCLUDE = 1
    IS_EXCLUDE = 2
    TO_INCLUDE = 3
    TO_EXCLUDE = 4
    ALLOW_NEW = 5
    BLOCK_OLD = 6


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """IGMP and MLD.  `version` is that of IGMP (1 to 3); MLDv1 counts as 2, MLDv2 as 3."""

    version: int
    group: Address
    """Unspecified in a general query."""
    max_response: int
    """Milliseconds."""
    sources: tuple[Address, ...] = ()
    suppresses: bool = False
    robustness: int = 0
    """0 here and below: the querier does not say."""
    interval: int = 0
    """Seconds between general queries."""


@dataclass(frozen=True, slots=True)
class GroupRecord:
    kind: RecordKind
    group: Address
    sources: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupReport:
    """IGMPv3 and MLDv2."""

    records: tuple[GroupRecord, ...]


@dataclass(frozen=True, slots=True)
class OldGroupReport:
    """IGMPv1 and v2, MLDv1; `version` as in `GroupQuery`."""

    version: int
    group: Address


@dataclass(frozen=True, slots=True)
class GroupLeave:
    """IGMPv2's leave, MLDv1's done."""

    group: Address


GroupMessage: TypeAlias = GroupQuery | GroupReport | OldGroupReport | GroupLeave
