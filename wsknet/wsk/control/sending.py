"""What the options of IPPROTO_IP, IPPROTO_IPV6 and IPPROTO_UDP make of how a socket sends."""

from __future__ import annotations

from typing import Any

from wsknet.net.terms import USUAL, Terms
from wsknet.transport.manner import PLAIN, Manner
from wsknet.types import Family
from wsknet.wsk.constants import PROTECTION_LEVEL_DEFAULT, PROTECTION_LEVEL_RESTRICTED


class Sending:
    __slots__ = ("dont_fragment", "has_checksum", "message_size", "protection_level", "terms", "tos")

    def __init__(self) -> None:
        self.terms = {4: USUAL, 16: USUAL}
        """By address length, as all below that come in two."""
        self.tos = 0
        """IP_TOS as it was set, which need not count (`Behaviour.ignores_tos`)."""
        self.dont_fragment: dict[int, bool | None] = {4: None, 16: None}
        """As it was set; `None`: it was not."""
        self.has_checksum = True
        self.message_size = 0
        self.protection_level = PROTECTION_LEVEL_DEFAULT

    def alter(self, length: int, **fields: Any) -> None:
        """Put `fields` into the terms of one family."""
        self.terms[length] = self.terms[length]._replace(**fields)

    def copy(self) -> Sending:
        """What an accepted connection begins with."""
        own = Sending()
        own.terms, own.dont_fragment = dict(self.terms), dict(self.dont_fragment)
        own.tos, own.protection_level = self.tos, self.protection_level
        return own

    @property
    def is_restricted(self) -> bool:
        return self.protection_level == PROTECTION_LEVEL_RESTRICTED

    @property
    def manner(self) -> Manner | None:
        """As endpoints for datagrams take it."""
        manner = Manner(self.terms, self.has_checksum, self.message_size)
        return None if manner == PLAIN else manner._replace(terms=dict(self.terms))

    @property
    def stream_terms(self) -> dict[int, Terms] | None:
        """As endpoints of TCP take it."""
        terms = {4: self.terms[4].of_stream(Family.IPV4), 16: self.terms[16].of_stream(Family.IPV6)}
        return None if terms == PLAIN.terms else terms
