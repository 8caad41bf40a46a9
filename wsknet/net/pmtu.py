"""Path MTUs as ICMP tells them: RFC 1191, RFC 8201; RFC 5927 7 (what a forged error may do)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net.interface import MIN_MTU
from wsknet.timers import Timer
from wsknet.types import SECOND, Address, Family, Instant
from wsknet.wire import ipv6

if TYPE_CHECKING:
    from wsknet.net.handler import Undelivered
    from wsknet.net.layer import IpLayer

MIN_PATH_MTU = {Family.IPV4: 552, Family.IPV6: ipv6.MIN_MTU}
"""What we send is never cut smaller by ourselves.  IPv6: no link carries less (RFC 8200 5).  IPv4:
min_pmtu of Linux; an error may tell as little as 68 (RFC 1191 3), and a forged one would make us send 20 packets for
one.  A path that carries less still works, for then packets leave with DF clear and the router that says so cuts them.
"""
MAX_AGE = 600 * SECOND
"""Then the old MTU is tried again (RFC 1191 6.3 and RFC 8201 5.3: 10 minutes)."""
MAX_PATHS = 4096
"""The oldest goes: whoever forges errors about echo replies, which nobody remembers, can tell of any number."""

_PLATEAUS = (32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""RFC 1191 7.1: MTUs in use, to be tried one after the other with routers that tell none."""


def believable_mtu(family: Family, told: int, total_length: int) -> int | None:
    """The MTU that a packet-too-big about a packet of `total_length` bytes stands for; `None`: it makes no sense."""
    if family is Family.IPV4 and told == 0:
        return next((plateau for plateau in _PLATEAUS if plateau < total_length), MIN_MTU[family])
    return told if told >= MIN_MTU[family] else None  # RFC 8201 4


class PathMtus:
    """Writes `tables.path_mtus`, which `path.resolve` reads."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._known = ip.tables.path_mtus
        self._expiries: dict[tuple[Address, int], Instant] = {}
        """Soonest first, since all live equally long."""
        self._timer = Timer(ip.timers, self._expired)

    def learn(self, error: Undelivered, now: Instant) -> None:
        """A PACKET_TOO_BIG, its MTU `believable_mtu`, that an endpoint believes.  It never raises what we know."""
        try:
            path = self._ip.path(error.destination, error.source, error.zone)
        except NetError:
            return
        key = error.destination, path.zone
        if path.is_local or error.mtu >= min(path.mtu, self._known.get(key, path.mtu)):
            return
        self._forget(key)
        if len(self._known) >= MAX_PATHS:
            self._forget(next(iter(self._expiries)))
        self._known[key] = error.mtu
        self._expiries[key] = Instant(now + MAX_AGE)
        self._arm()
        self._ip.forget_paths()

    def _expired(self, now: Instant) -> None:
        for key in [key for key, expiry in self._expiries.items() if expiry <= now]:
            self._forget(key)
        self._arm()
        self._ip.forget_paths()

    def _forget(self, key: tuple[Address, int]) -> None:
        self._known.pop(key, None)
        self._expiries.pop(key, None)

    def _arm(self) -> None:
        if self._expiries:
            self._timer.arm(next(iter(self._expiries.values())))
