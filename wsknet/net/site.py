"""Who belongs to our site: IPV6_PROTECTION_LEVEL of Winsock, RFC 4291 2.5.6 and 2.5.7 (local addresses)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.interface import is_in_prefix
from wsknet.types import Family, is_link_local, is_loopback

if TYPE_CHECKING:
    from wsknet.net.packet import Packet

_SITE_LOCAL = b"\xfe\xc0" + bytes(14)
_SITE_LOCAL_LENGTH = 10


def is_same_site(packet: Packet) -> bool:
    """Whether the sender is on our link, has a site-local address, or one of a prefix of the interface.

    That is the "Same site" of the page; a table of site prefixes beyond those of the interface there is not.  IPv4 has
    no protection levels.
    """
    source = packet.source
    if packet.family is Family.IPV4 or is_link_local(source) or is_loopback(source):
        return True
    if is_in_prefix(source, _SITE_LOCAL, _SITE_LOCAL_LENGTH):
        return True
    entries = packet.interface.addresses_of(Family.IPV6)
    return any(is_in_prefix(source, entry.address, entry.prefix_length) for entry in entries)
