"""`sockaddr_in`, the one address structure between switch and providers (SAN-2, SAN-3.1).

Fields read as C reads them on a little-endian machine: `sin_port` and `s_addr` are in network order.
"""

from __future__ import annotations

from typing import TypeAlias

from wsknet.san.numbers import AF_INET, INADDR_ANY
from wsknet.types import Address, Buffer, Endpoint

SIZE = 16
ADDRESS_SIZE = 4
ANY = INADDR_ANY.to_bytes(ADDRESS_SIZE, "big")
"""The wildcard as an address: 0.0.0.0."""


def htons(hostshort: int) -> int:
    return (hostshort & 0xFF) << 8 | hostshort >> 8 & 0xFF


ntohs = htons


class SOCKADDR_IN:
    """`sin_addr` is the four bytes of the address, in network order as in memory."""

    __slots__ = ("sin_addr", "sin_family", "sin_port")

    def __init__(self, address: Address = bytes(4), port: int = 0) -> None:
        """`port` as people write it.  `ValueError` for an address that is not four bytes: see `text.parse_address`."""
        if not isinstance(address, bytes | bytearray | memoryview) or len(address) != ADDRESS_SIZE:
            raise ValueError("an IPv4 address is four bytes: text.parse_address makes them of 192.0.2.1")
        self.sin_family = AF_INET
        self.sin_port = htons(port)
        self.sin_addr = bytes(address)

    @classmethod
    def of(cls, endpoint: Endpoint) -> SOCKADDR_IN:
        """Of IPv4; there is no place for a zone."""
        return cls(endpoint.address, endpoint.port)

    @property
    def port(self) -> int:
        return ntohs(self.sin_port)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.sin_addr, self.port)

    @property
    def is_wildcard(self) -> bool:
        return self.sin_addr == ANY

    def __bytes__(self) -> bytes:
        return self.sin_family.to_bytes(2, "little") + self.sin_port.to_bytes(2, "little") + self.sin_addr + bytes(8)

    @classmethod
    def parse(cls, raw: Buffer) -> SOCKADDR_IN:
        """Of 16 bytes or more, whatever family they name."""
        octets = bytes(raw[:SIZE])
        found = cls(octets[4:8])
        found.sin_family = int.from_bytes(octets[:2], "little")
        found.sin_port = int.from_bytes(octets[2:4], "little")
        return found

    def assign(self, other: SOCKADDR_IN) -> None:
        """Take over the fields: how a function fills an address that it was given."""
        self.sin_family, self.sin_port, self.sin_addr = other.sin_family, other.sin_port, other.sin_addr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SOCKADDR_IN) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]  # its fields change

    def __repr__(self) -> str:
        return f"SOCKADDR_IN({'.'.join(map(str, self.sin_addr))}:{self.port})"


Name: TypeAlias = SOCKADDR_IN | Buffer | None
"""What C declares as `const struct sockaddr *`: the structure, its bytes, or NULL."""
