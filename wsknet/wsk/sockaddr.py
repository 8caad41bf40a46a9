"""Socket addresses as in ws2def.h and ws2ipdef.h, and their way to and from the core: bytes to bytes.

Fields read as C reads them on a little-endian machine: `sin_port` and `s_addr` are in network order, so they are set
with `htons` and `htonl`.  A dual-stack socket names IPv4 peers by IPv4-mapped addresses (RFC 4291 2.5.5.2).
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.types import Address, Cover, Endpoint, LocalName, is_link_local, is_multicast
from wsknet.wsk.constants import AF_INET, AF_INET6
from wsknet.wsk.pointers import require_memory

__all__ = [
    "IN6_ADDR", "IN_ADDR", "SOCKADDR", "SOCKADDR_IN", "SOCKADDR_IN6", "SOCKADDR_STORAGE", "htonl", "htons",
    "ntohl", "ntohs",
]  # fmt: skip

S = TypeVar("S", bound="SOCKADDR")
A = TypeVar("A", bound="_Octets")

MAPPED = bytes(10) + b"\xff\xff"
"""The first 12 bytes of an IPv4-mapped IPv6 address."""


def htons(hostshort: int) -> int:
    return (hostshort & 0xFF) << 8 | hostshort >> 8 & 0xFF


ntohs = htons


def htonl(hostlong: int) -> int:
    return int.from_bytes((hostlong & 0xFFFFFFFF).to_bytes(4, "big"), "little")


ntohl = htonl


class _Octets:
    """An address inside a SOCKADDR: a view, so that assigning to a field of it changes the SOCKADDR."""

    __slots__ = ("_raw",)
    SIZE: ClassVar[int]

    def __init__(self, octets: bytes | bytearray | memoryview | None = None) -> None:
        self._raw = memoryview(bytearray(octets or bytes(self.SIZE)))
        if len(self._raw) != self.SIZE:
            raise ValueError(f"{type(self).__name__} has {self.SIZE} bytes, not {len(self._raw)}")

    @classmethod
    def over(cls: type[A], raw: memoryview) -> A:
        view = cls.__new__(cls)
        view._raw = raw
        return view

    def __bytes__(self) -> bytes:
        return bytes(self._raw)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Octets):
            return self._raw == other._raw
        return self._raw == other

    __hash__ = None  # type: ignore[assignment]  # changes with the SOCKADDR

    def __repr__(self) -> str:
        return f"{type(self).__name__}({bytes(self._raw)!r})"


class IN_ADDR(_Octets):
    __slots__ = ()
    SIZE: ClassVar[int] = 4

    @property
    def s_addr(self) -> int:
        return int.from_bytes(self._raw, "little")

    @s_addr.setter
    def s_addr(self, value: int) -> None:
        self._raw[:] = value.to_bytes(4, "little")


class IN6_ADDR(_Octets):
    __slots__ = ()
    SIZE: ClassVar[int] = 16

    @property
    def s6_addr(self) -> memoryview:
        return self._raw


class _Field:
    """An unsigned number at `offset` of a structure."""

    def __init__(self, offset: int, size: int) -> None:
        self._slice = slice(offset, offset + size)
        self._size = size

    def __get__(self, instance: SOCKADDR, owner: type[SOCKADDR]) -> int:
        return int.from_bytes(instance._raw[self._slice], "little")

    def __set__(self, instance: SOCKADDR, value: int) -> None:
        instance._raw[self._slice] = value.to_bytes(self._size, "little")


class SOCKADDR:
    """Any of the structures below, seen as the family and what follows it."""

    __slots__ = ("_raw",)
    SIZE: ClassVar[int] = 16

    sa_family = _Field(0, 2)

    def __init__(self, raw: bytes | bytearray | None = None) -> None:
        self._raw = bytearray(self.SIZE) if raw is None else bytearray(raw)

    @classmethod
    def cast(cls: type[S], other: SOCKADDR | bytearray) -> S:
        """The C cast: the same memory under another type, which must not be longer than the memory."""
        raw = other._raw if isinstance(other, SOCKADDR) else other
        if len(raw) < cls.SIZE:
            raise ValueError(f"{cls.__name__} has {cls.SIZE} bytes, the memory only {len(raw)}")
        return cls.over(raw)

    @classmethod
    def over(cls: type[S], raw: bytearray) -> S:
        view = cls.__new__(cls)
        view._raw = raw
        return view

    def __bytes__(self) -> bytes:
        return bytes(self._raw)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({bytes(self._raw).hex(' ', 4)})"


class SOCKADDR_IN(SOCKADDR):
    __slots__ = ()
    SIZE: ClassVar[int] = 16

    sin_family = _Field(0, 2)
    sin_port = _Field(2, 2)

    def __init__(self, sin_family: int = AF_INET, sin_port: int = 0, sin_addr: bytes | IN_ADDR = bytes(4)) -> None:
        super().__init__()
        self.sin_family = sin_family
        self.sin_port = sin_port
        self.sin_addr = sin_addr

    @property
    def sin_addr(self) -> IN_ADDR:
        return IN_ADDR.over(memoryview(self._raw)[4:8])

    @sin_addr.setter
    def sin_addr(self, value: bytes | IN_ADDR) -> None:
        self._raw[4:8] = bytes(IN_ADDR(bytes(value)))


class SOCKADDR_IN6(SOCKADDR):
    __slots__ = ()
    SIZE: ClassVar[int] = 28

    sin6_family = _Field(0, 2)
    sin6_port = _Field(2, 2)
    sin6_flowinfo = _Field(4, 4)
    sin6_scope_id = _Field(24, 4)

    def __init__(
        self,
        sin6_family: int = AF_INET6,
        sin6_port: int = 0,
        sin6_flowinfo: int = 0,
        sin6_addr: bytes | IN6_ADDR = bytes(16),
        sin6_scope_id: int = 0,
    ) -> None:
        super().__init__()
        self.sin6_family = sin6_family
        self.sin6_port = sin6_port
        self.sin6_flowinfo = sin6_flowinfo
        self.sin6_addr = sin6_addr
        self.sin6_scope_id = sin6_scope_id

    @property
    def sin6_addr(self) -> IN6_ADDR:
        return IN6_ADDR.over(memoryview(self._raw)[8:24])

    @sin6_addr.setter
    def sin6_addr(self, value: bytes | IN6_ADDR) -> None:
        self._raw[8:24] = bytes(IN6_ADDR(bytes(value)))


class SOCKADDR_STORAGE(SOCKADDR):
    """Room for every family; `SOCKADDR_IN.cast(storage)` reads it."""

    __slots__ = ()
    SIZE: ClassVar[int] = 128

    ss_family = _Field(0, 2)

    def __init__(self, ss_family: int = 0) -> None:
        super().__init__()
        self.ss_family = ss_family


SockAddr = SOCKADDR | bytes | bytearray | memoryview
"""What an address parameter takes: a structure, or its bytes."""

ADDRESS_KINDS = (SOCKADDR, bytes, bytearray, memoryview)
"""The same for `isinstance`."""


def _octets(address: SockAddr | None, family: int) -> bytes | bytearray | memoryview:
    if address is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "the address is NULL")
    raw = address._raw if isinstance(address, SOCKADDR) else address
    if len(raw) < (16 if family == AF_INET else 28) or raw[0] | raw[1] << 8 != family:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "the address is not of the socket's family")
    return raw


def remote_endpoint(address: SockAddr, family: int, is_dual: bool) -> Endpoint:
    """The peer that `address` names, for a socket of address family `family`.

    Raises `LocalError` INVALID_ARGUMENT for another family (D-04), `NetError` NOT_LOCAL for an IPv4-mapped address
    given to a socket with IPV6_V6ONLY.
    """
    raw = _octets(address, family)
    port = raw[2] << 8 | raw[3]
    if family == AF_INET:
        return Endpoint(bytes(raw[4:8]), port)
    octets = bytes(raw[8:24])
    if octets.startswith(MAPPED):
        _require_dual(is_dual)
        return Endpoint(octets[12:], port)
    return Endpoint(octets, port, _scope(octets, raw))


def local_name(address: SockAddr, family: int, is_dual: bool) -> LocalName:
    """What WskBind asks for.  Raises as `remote_endpoint`."""
    raw = _octets(address, family)
    port = raw[2] << 8 | raw[3]
    octets = bytes(raw[4:8] if family == AF_INET else raw[8:24])
    if octets.startswith(MAPPED) and family == AF_INET6:
        _require_dual(is_dual)
        octets = octets[12:]
    if len(octets) == 4:
        return LocalName(Cover.IPV4, octets if any(octets) else None, port)
    if not any(octets):
        return LocalName(Cover.DUAL if is_dual else Cover.IPV6, None, port)
    return LocalName(Cover.IPV6, octets, port, _scope(octets, raw))


def _require_dual(is_dual: bool) -> None:
    if not is_dual:
        raise NetError(ErrorKind.NOT_LOCAL, "an IPv4-mapped address needs a socket without IPV6_V6ONLY")


def _scope(octets: Address, raw: bytes | bytearray | memoryview) -> int:
    return int.from_bytes(raw[24:28], "little") if is_link_local(octets) or is_multicast(octets) else 0


def sockaddr_octets(family: int, address: Address | None, port: int, zone: int, is_ipv4: bool = False) -> bytes:
    """The SOCKADDR_IN or SOCKADDR_IN6 for `address`; `None` is the wildcard, mapped if `is_ipv4`."""
    if family == AF_INET:
        return b"\x02\0" + port.to_bytes(2, "big") + (address or bytes(4)) + bytes(8)
    if address is None:
        address = MAPPED + bytes(4) if is_ipv4 else bytes(16)
    elif len(address) == 4:
        address = MAPPED + address
    return b"\x17\0" + port.to_bytes(2, "big") + bytes(4) + address + zone.to_bytes(4, "little")


def sockaddr_of(family: int, endpoint: Endpoint) -> SOCKADDR:
    """A new structure for `endpoint`, of the type that a socket of `family` uses."""
    octets = bytearray(sockaddr_octets(family, endpoint.address, endpoint.port, endpoint.zone))
    return SOCKADDR_IN.over(octets) if family == AF_INET else SOCKADDR_IN6.over(octets)


def require_room(target: SOCKADDR | bytearray | memoryview | None, family: int) -> None:
    """An address buffer that a call is going to fill must hold the structure of the socket's family, or be NULL."""
    if target is None:
        return
    memory = target._raw if isinstance(target, SOCKADDR) else target
    require_memory(memory, 16 if family == AF_INET else 28, "R-352", "an address buffer")


def store_sockaddr(target: SOCKADDR | bytearray | memoryview, octets: bytes) -> None:
    """Fill an out parameter that `require_room` has seen."""
    raw = target._raw if isinstance(target, SOCKADDR) else target
    raw[: len(octets)] = octets
