"""What WskGetAddressInfo is asked for, and the list that it hands out (WSK-6.1, 6.4).

Where the page of WSK is silent, that of GetAddrInfoExW decides, to which the subsystem hands the request.  As there,
an address stands in the list once, with the type and protocol of the hints, 0 included; only a service *name* gives it
once for each protocol that has the service, TCP first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.names.own_names import LOOPBACK
from wsknet.names.results import Found, Target
from wsknet.names.spelling import parse_literal
from wsknet.types import Family, Proto, family_of
from wsknet.wsk.addrinfo import (
    ADDRINFOEXW,
    AI_ADDRCONFIG,
    AI_ALL,
    AI_CANONNAME,
    AI_DISABLE_IDN_ENCODING,
    AI_FILESERVER,
    AI_FQDN,
    AI_NON_AUTHORITATIVE,
    AI_NUMERICHOST,
    AI_NUMERICSERV,
    AI_PASSIVE,
    AI_RETURN_PREFERRED_NAMES,
    AI_SECURE,
    AI_V4MAPPED,
)
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    IPPROTO_TCP,
    IPPROTO_UDP,
    NS_ALL,
    NS_DNS,
    NS_TCPIP_HOSTS,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
)
from wsknet.wsk.services import port_of
from wsknet.wsk.sockaddr import MAPPED, SOCKADDR_IN, SOCKADDR_IN6, sockaddr_octets
from wsknet.wsk.structures import GUID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.names.names import Names

TCPIP_PROVIDER = GUID(0x22059D40, 0x7E9E, 0x11CF, bytes.fromhex("AE5A00AA00A7112B"))
"""The namespace provider of TCP/IP, as ``netsh winsock show catalog`` lists it: the only one here."""

_FLAGS = (
    AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_NUMERICSERV | AI_ALL | AI_ADDRCONFIG | AI_V4MAPPED
    # For the namespace of e-mail, or a hint that providers may ignore: known, and without effect.
    | AI_NON_AUTHORITATIVE | AI_SECURE | AI_RETURN_PREFERRED_NAMES | AI_FILESERVER
    | AI_FQDN | AI_DISABLE_IDN_ENCODING
)  # fmt: skip
_FAMILIES = {AF_UNSPEC: (Family.IPV6, Family.IPV4), AF_INET: (Family.IPV4,), AF_INET6: (Family.IPV6,)}
_KINDS = {Proto.TCP: (SOCK_STREAM, IPPROTO_TCP), Proto.UDP: (SOCK_DGRAM, IPPROTO_UDP)}
_NAME_SPACES = (NS_ALL, NS_TCPIP_HOSTS, NS_DNS)
MAX_PORT = 65535


class Kind(NamedTuple):
    socktype: int
    protocol: int
    port: int


class AddressRequest:
    """The parameters, checked.  Raises `LocalError` INVALID_ARGUMENT or NOT_SUPPORTED."""

    def __init__(self, node: str, service: str, hints: ADDRINFOEXW | None) -> None:
        hints = hints or ADDRINFOEXW()
        self.node = node
        """Empty: none."""
        self.service = service
        self.flags = hints.ai_flags
        self.family = hints.ai_family
        self.socktype = hints.ai_socktype
        self.protocol = hints.ai_protocol
        if not (node or service):
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        if hints.ai_addrlen or hints.ai_canonname or hints.ai_addr is not None or hints.ai_next is not None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        if self.flags & ~_FLAGS:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        # Both would ask for an ADDRINFOEX2W, which wsk.h does not have.
        if self.flags & AI_CANONNAME and (not node or self.flags & AI_FQDN):
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        if self.family not in _FAMILIES or not self._is_kind():
            raise LocalError(ErrorKind.NOT_SUPPORTED)

    def _is_kind(self) -> bool:
        kind = (self.socktype, self.protocol)
        if self.socktype == SOCK_RAW:
            return True
        return any(all(asked in (0, own) for asked, own in zip(kind, each, strict=True)) for each in _KINDS.values())

    @property
    def is_mapped(self) -> bool:
        """IPv4 addresses are given in the form of IPv6."""
        return self.family == AF_INET6 and bool(self.flags & AI_V4MAPPED)

    def families(self, names: Names) -> tuple[Family, ...]:
        """Those that the search is for."""
        families = tuple(Family) if self.is_mapped else _FAMILIES[self.family]
        if self.flags & AI_ADDRCONFIG and parse_literal(self.node, names.zone_of) is None:
            configured = names.own.families()
            families = tuple(family for family in families if family in configured)
        return families

    def kinds(self) -> list[Kind]:
        """Type, protocol and port of the sockets; none if there is no such service."""
        if not self.service:
            return [Kind(self.socktype, self.protocol, 0)]
        if self.service.isascii() and self.service.isdecimal():
            digits = self.service.lstrip("0")
            port = int(digits or 0) if len(digits) <= 5 else MAX_PORT + 1  # Python takes no number of any length
            return [Kind(self.socktype, self.protocol, port)] if port <= MAX_PORT else []
        if self.flags & AI_NUMERICSERV:
            return []
        found = []
        for protocol, (socktype, number) in _KINDS.items():
            port_found = port_of(self.service, protocol)
            if port_found is not None and self.socktype in (0, socktype) and self.protocol in (0, number):
                found.append(Kind(socktype, number, port_found))
        return found

    def without_node(self) -> tuple[Target, ...]:
        """The wildcards for AI_PASSIVE, else the host itself, in the order of the system: IPv6 first."""
        families = _FAMILIES[self.family]
        if self.flags & AI_PASSIVE:
            return tuple(Target(bytes(family.address_length)) for family in families)
        return tuple(Target(LOOPBACK[family]) for family in families)

    def chosen(self, targets: Sequence[Target]) -> list[Target]:
        """Those of what was found that the caller wants, IPv4 in the form of IPv6 if asked for."""
        if not self.is_mapped:
            return list(targets)
        has_ipv6 = any(family_of(target.address) is Family.IPV6 for target in targets)
        return [
            target if len(target.address) == 16 else Target(MAPPED + target.address)
            for target in targets
            if len(target.address) == 16 or not has_ipv6 or self.flags & AI_ALL
        ]

    def canonical_name(self, found: Found) -> str | None:
        if self.flags & AI_FQDN:
            return found.qualified
        return found.canonical if self.flags & AI_CANONNAME else None


def is_known_provider(NameSpace: int, Provider: GUID | None) -> bool:
    """Whether anybody here answers for that namespace; both together must fit."""
    return NameSpace in _NAME_SPACES and Provider in (None, TCPIP_PROVIDER)


def make_list(targets: Sequence[Target], kinds: Sequence[Kind], canonical: str | None) -> ADDRINFOEXW:
    """`canonical` goes into the first element."""
    head: ADDRINFOEXW | None = None
    for target in reversed(targets):
        family = AF_INET if len(target.address) == 4 else AF_INET6
        for kind in reversed(kinds):
            entry = ADDRINFOEXW(0, family, kind.socktype, kind.protocol)
            octets = bytearray(sockaddr_octets(family, target.address, kind.port, target.zone))
            entry.ai_addr = SOCKADDR_IN.over(octets) if family == AF_INET else SOCKADDR_IN6.over(octets)
            entry.ai_addrlen = len(octets)
            entry.ai_next = head
            head = entry
    assert head is not None
    head.ai_canonname = canonical
    return head
