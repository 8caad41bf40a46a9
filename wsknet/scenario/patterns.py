"""Whether a frame can be what an expectation says: a pattern that fits none would never be noticed in `no_frames`."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import combinations

from wsknet.inspect.summary import ICMP_NAMES, TCP_FLAGS
from wsknet.scenario.glob import matches

_COMMON_FLAGS = ("SYN", "SYN,ACK", "ACK", "PSH,ACK", "FIN,ACK", "RST", "RST,ACK", "none")
_FLAGS = dict.fromkeys(
    (
        *_COMMON_FLAGS,
        *(",".join(some) for count in range(1, 9) for some in combinations(dict(TCP_FLAGS).values(), count)),
    )
)
"""All there can be, what is frequent first: it mostly ends the search."""
_ENDS = ("# > #", "[#]# > [#]#")
_FORMS = (
    *(f"udp {ends}{to_all}" for ends in _ENDS for to_all in ("", " (broadcast)")),
    *(f"icmp {name} # > #" for name in (*ICMP_NAMES, "type #")),
    "arp who-has # tell #",
    "arp # is-at #",
    "nd who-has # tell #",
    "nd # is-at #",
    "fragment # > #",
    "protocol # # > #",
    "ethertype #",
    *(f"tcp {flags} {ends}" for flags in _FLAGS for ends in _ENDS),
)
"""Lines of `inspect.summary`, with # for addresses and numbers."""
_NUMBERS = re.compile(r"[0-9a-f]*[:.][0-9a-f:.*]*|\b(?:0x)?[0-9]+\b\*?")


def can_fit(pattern: str, cards: Collection[str]) -> bool:
    """Whether a line ``card: udp ...`` may fit `pattern`, whatever the numbers in it are."""
    sender, colon, rest = pattern.partition(": ")
    if colon and "*" not in sender and sender not in cards:
        return False
    if colon and any(matches(sender, card) for card in cards):
        return any(matches(_without_numbers(rest), form) for form in _FORMS)
    head, star, tail = pattern.partition("*")
    if not star or not any(f"{card}: ".startswith(head) for card in cards):
        return False
    return any(matches(f"*{_without_numbers(tail)}", f": {form}") for form in _FORMS)


def _without_numbers(pattern: str) -> str:
    return _NUMBERS.sub(lambda found: "#*" if "*" in found[0] else "#", pattern)
