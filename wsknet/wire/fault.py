"""Why an IP header lets nobody go on, and what its sender is to be told: RFC 792, RFC 1122 3.2.2.5, RFC 4443 3.4."""

from __future__ import annotations

from typing import NamedTuple

from wsknet.trace import DropReason

ERRONEOUS_FIELD = 0
UNRECOGNIZED_NEXT_HEADER = 1
UNRECOGNIZED_OPTION = 2
INCOMPLETE_CHAIN = 3
"""RFC 7112 5.  The codes of an ICMPv6 parameter problem; ICMPv4 has the first."""


class Fault(NamedTuple):
    reason: DropReason
    code: int | None = None
    """Of the parameter problem that the sender hears; `None` is silence."""
    pointer: int = 0
    """The offending byte, counted from the beginning of the packet."""
    is_told_to_groups: bool = True
    """Whether the error is due if the packet went to a multicast group, as far as the IP header says."""
