"""Small terms of scenario files: times, addresses with what is said of them, ranges of ports."""

from __future__ import annotations

import re

from wsknet import text

SWITCHES = ("reuse", "exclusive", "v6only", "broadcast", "packet-info", "multicast-loop", "receive-broadcast",
            "connection-reset", "randomize-port", "port-scalability", "reuse-unicastport", "dont-route")  # fmt: skip
"""Socket options that are on or off.  Not every face has all of them."""
INTERFACE_OPTIONS = ("unicast-if", "multicast-if", "bind-to-device", "interface-list")
"""Those that name an interface."""
TABLES = ("ports", "routes", "addresses", "connections", "neighbours", "groups", "drops")

_WITH_COUNT = re.compile(r"(?P<count>[0-9]+(?:\.[0-9]+)?)(?P<unit>us|ms|s|min)")
_MAX_SECONDS = 86_400
_PORT = re.compile(r"[0-9]{1,5}")
_UNITS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}


def nanoseconds(duration: str) -> int:
    """``50us``, ``20 ms``, ``2s`` or ``1min``, a day at most.  `ValueError` for anything else."""
    found = _WITH_COUNT.fullmatch(duration.replace(" ", ""))
    if found is None:
        raise ValueError(f"{duration!r} is no time: expected a number with us, ms, s or min, like 50ms")
    count = float(found["count"]) * _UNITS[found["unit"]]
    if count > _MAX_SECONDS * 1_000_000_000:
        raise ValueError(f"{duration!r} is too long: a day, 1440min, is the most")
    return round(count)


def split_address(words: str) -> tuple[str, tuple[str, ...]]:
    """The address with its prefix length, and what is said of it.  `ValueError` for anything unknown."""
    cidr, *attributes = words.split() or [""]
    text.parse_cidr(cidr)
    for attribute in attributes:
        if attribute not in ("skip-as-source", "deprecated", "temporary"):
            raise ValueError(f"{attribute!r} is nothing that can be said of an address")
    return cidr, tuple(attributes)


def port_range(words: str) -> tuple[int, int]:
    """``50000-50003``.  `ValueError` for anything else."""
    first, _, last = words.partition("-")
    if not (_PORT.fullmatch(first) and _PORT.fullmatch(last) and 1 <= int(first) <= int(last) <= 65535):
        raise ValueError(f"{words!r} is no range of ports: expected one like 50000-50003")
    return int(first), int(last)
