"""How a datagram socket sends where it does not do so as usual: options of IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.net.terms import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.net.terms import Terms


class Manner(NamedTuple):
    terms: Mapping[int, Terms]
    """By address length."""
    has_checksum: bool = True
    """UDP over IPv4; IPv6 does not know it otherwise (RFC 8200 8.1)."""
    message_size: int = 0
    """UDP_SEND_MSG_SIZE: data is cut into datagrams of so many bytes, the last perhaps shorter; 0: it is one."""


PLAIN = Manner({4: USUAL, 16: USUAL})
