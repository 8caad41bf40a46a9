"""What comes of a search for a name, and of one question to the servers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from wsknet.types import Address


class Failure(Enum):
    """Why nothing was found; the value is for people."""

    NO_NAME = "no such name"
    NO_DATA = "the name has nothing of the kind that was asked for"
    NO_ANSWER = "no server has answered"
    SERVER_FAILED = "every server has failed to answer"
    UNREACHABLE = "no server can be reached"


class Target(NamedTuple):
    """An address of a host; `zone` is the interface of a link-local one, else 0."""

    address: Address
    zone: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of a host, best first."""

    targets: tuple[Target, ...]
    canonical: str
    """The name behind all aliases."""
    qualified: str
    """What was asked for, with the suffix that made it a full name."""


@dataclass(frozen=True, slots=True)
class Records:
    """What the servers say to one question."""

    values: tuple[Address | str, ...] = ()
    """Addresses, or names for PTR; never empty without a `failure`."""
    canonical: str = ""
    failure: Failure | None = None
    ttl: int = 0
    """Seconds for which this may be kept; 0: not at all."""
