"""What a socket asks of IP for all that it sends, where that is not the usual (IPPROTO_IP and IPPROTO_IPV6 options)."""

from __future__ import annotations

from copy import copy
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from wsknet.types import Family
from wsknet.wire import ipv4, ipv6

if TYPE_CHECKING:
    from wsknet.net.packet import Path

UNLIMITED = 0xFFFFFFFF
"""IP_UNSPECIFIED_USER_MTU."""


class Discovery(IntEnum):
    """PMTUD_STATE of ws2ipdef.h, for datagrams.  A stream discovers the MTU with the first two, not with the others."""

    NOT_SET = 0
    """What is larger than the path takes is cut, unless IP_DONTFRAGMENT forbids it."""
    DO = 1
    """It is an error."""
    DONT = 2
    """What is larger than the interface takes is cut, and routers may cut the rest: no DF."""
    PROBE = 3
    """What is larger than the interface takes is an error; what routers have told does not count."""


_WITHOUT_DISCOVERY = (Discovery.DONT, Discovery.PROBE)


class Terms(NamedTuple):
    hop_limit: int | None = None
    """Of unicast packets; `None`: that of the path."""
    traffic_class: int = 0
    dont_fragment: bool = False
    """IP_DONTFRAGMENT, IPV6_DONTFRAG.  A discovery that is set outdoes it."""
    discovery: Discovery = Discovery.NOT_SET
    mtu: int = UNLIMITED
    """IP_USER_MTU: no packet is larger, whatever the path takes."""
    options: bytes = b""
    """IP_OPTIONS: those of every IPv4 header, at most 40 bytes."""

    @property
    def may_fragment(self) -> bool:
        if self.discovery is Discovery.NOT_SET:
            return not self.dont_fragment
        return self.discovery is Discovery.DONT

    def of_stream(self, family: Family) -> Terms:
        """The same as far as it is for streams: they cut their data themselves, and never have options.

        Without discovery routers may cut IPv4 packets, and IPv6 packets are no larger than what every link carries
        (RFC 8200 5).
        """
        plain = self._replace(dont_fragment=False, discovery=Discovery.NOT_SET, options=b"")
        if self.discovery not in _WITHOUT_DISCOVERY:
            return plain
        if family is Family.IPV4:
            return plain._replace(discovery=Discovery.DONT)
        return plain._replace(mtu=min(self.mtu, ipv6.MIN_MTU))

    def adapt(self, path: Path) -> Path:
        """`path` as these terms make it: a copy of its own, unless nothing differs."""
        ignores_routers = self.discovery in _WITHOUT_DISCOVERY and not path.is_local
        known = path.interface.mtu_for(path.family) if ignores_routers else path.mtu
        mtu = min(known, self.mtu)
        is_ipv4 = path.family is Family.IPV4
        options = self.options if is_ipv4 else b""
        may_fragment = self.may_fragment
        room = mtu - (ipv4.HEADER_LENGTH if is_ipv4 else ipv6.HEADER_LENGTH) - len(options)
        if may_fragment and (path.room == 0 or (is_ipv4 and self.discovery is Discovery.DONT)):
            room = 0  # routers may cut whatever leaves
        if (mtu, room, options) == (path.mtu, path.room, b""):
            return path
        own = copy(path)
        path.comment = None  # it comes once
        own.mtu, own.room, own.options = mtu, room, options
        own.neighbour = None
        return own


USUAL = Terms()
