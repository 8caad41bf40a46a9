"""An address of either family, and the tests that ws2ipdef.h and mstcpip.h have for IPv6 addresses."""

from __future__ import annotations

from typing import ClassVar

from wsknet.types import is_link_local, is_multicast
from wsknet.wsk.sockaddr import IN6_ADDR, IN_ADDR, MAPPED, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6

__all__ = [
    "IN4_ADDR_EQUAL", "IN6ADDR_ANY_INIT", "IN6ADDR_LOOPBACK_INIT", "IN6_ADDR_EQUAL", "IN6_IS_ADDR_LINKLOCAL",
    "IN6_IS_ADDR_LOOPBACK", "IN6_IS_ADDR_MULTICAST", "IN6_IS_ADDR_UNSPECIFIED", "IN6_IS_ADDR_V4MAPPED",
    "SOCKADDR_INET", "in6addr_any", "in6addr_loopback",
]  # fmt: skip

IN6ADDR_ANY_INIT = bytes(16)
IN6ADDR_LOOPBACK_INIT = bytes(15) + b"\x01"
in6addr_any = IN6ADDR_ANY_INIT
in6addr_loopback = IN6ADDR_LOOPBACK_INIT

In6Addr = IN6_ADDR | bytes
InAddr = IN_ADDR | bytes


class SOCKADDR_INET(SOCKADDR):
    """A union (ws2ipdef.h): `Ipv4` and `Ipv6` are the same memory, `si_family` says which of them counts.

    Assigning to one of them copies, as in C.  A SOCKADDR_IN may be cast to it, but then has no `Ipv6`.
    """

    __slots__ = ()
    SIZE: ClassVar[int] = 28

    def __init__(self, si_family: int = 0) -> None:
        super().__init__()
        self.si_family = si_family

    @classmethod
    def cast(cls, other: SOCKADDR | bytearray) -> SOCKADDR_INET:
        return cls.over(SOCKADDR_IN.cast(other)._raw)

    @property
    def si_family(self) -> int:
        return self.sa_family

    @si_family.setter
    def si_family(self, value: int) -> None:
        self.sa_family = value

    @property
    def Ipv4(self) -> SOCKADDR_IN:
        return SOCKADDR_IN.over(self._raw)

    @Ipv4.setter
    def Ipv4(self, value: SOCKADDR) -> None:
        self._raw[: SOCKADDR_IN.SIZE] = bytes(value)[: SOCKADDR_IN.SIZE]

    @property
    def Ipv6(self) -> SOCKADDR_IN6:
        return SOCKADDR_IN6.cast(self)

    @Ipv6.setter
    def Ipv6(self, value: SOCKADDR) -> None:
        SOCKADDR_IN6.cast(self)._raw[: SOCKADDR_IN6.SIZE] = bytes(value)[: SOCKADDR_IN6.SIZE]


def IN4_ADDR_EQUAL(a: InAddr, b: InAddr) -> bool:
    return bytes(a) == bytes(b)


def IN6_ADDR_EQUAL(a: In6Addr, b: In6Addr) -> bool:
    return bytes(a) == bytes(b)


def IN6_IS_ADDR_UNSPECIFIED(a: In6Addr) -> bool:
    return bytes(a) == in6addr_any


def IN6_IS_ADDR_LOOPBACK(a: In6Addr) -> bool:
    return bytes(a) == in6addr_loopback


def IN6_IS_ADDR_LINKLOCAL(a: In6Addr) -> bool:
    return is_link_local(bytes(a))


def IN6_IS_ADDR_MULTICAST(a: In6Addr) -> bool:
    return is_multicast(bytes(a))


def IN6_IS_ADDR_V4MAPPED(a: In6Addr) -> bool:
    return bytes(a).startswith(MAPPED)
