"""Interface identifiers, the last 64 bits of an address: RFC 4291 appendix A, RFC 7217, RFC 8981 3.3.1, RFC 5453."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from wsknet.net.interface import Interface
    from wsknet.types import Address, Mac

LENGTH = 8
"""Bytes."""
PREFIX_LENGTH = 128 - 8 * LENGTH
"""Bits: of prefixes that leave room for an identifier, and no more."""

_RESERVED = (
    (0, 0),  # the subnet-router anycast address, RFC 4291 2.6.1
    (0x02005EFFFE000000, 0x02005EFFFEFFFFFF),  # IANA's block of MAC addresses, RFC 6543 among them
    (0xFDFFFFFFFFFFFF80, 0xFDFFFFFFFFFFFFFF),  # subnet anycast addresses, RFC 2526
)
"""First and last of each range that no host may choose (RFC 5453 and its registry)."""


class Identifiers:
    """Of one host, whose secret key makes its stable identifiers differ from all others'."""

    def __init__(self, rng: Random, secret: bytes = b"") -> None:
        self._rng = rng
        self._secret = secret

    def lasting(self, interface: Interface, prefix: Address, duplicates: int) -> bytes:
        """What `interface` keeps for `prefix`; `duplicates`: how many before it were found to be another host's."""
        if interface.auto.stable_identifiers:
            return self.stable(prefix, interface.name, duplicates)
        return modified_eui64(interface.mac)

    def stable(self, prefix: Address, interface: str, counter: int) -> bytes:
        """RFC 7217 5: the same whenever the host meets this prefix, and of no use to recognise it elsewhere.

        `counter` is DAD_Counter.  Network_ID is left out, as RFC 7217 allows: an Ethernet has none.  Without a secret
        one is drawn when it is first needed.
        """
        if not self._secret:
            self._secret = self._rng.randbytes(16)
        while True:
            seed = prefix[:-LENGTH] + interface.encode() + b"\0" + counter.to_bytes(4, "big") + self._secret
            identifier = sha256(seed).digest()[-LENGTH:]
            if not is_reserved(identifier):
                return identifier
            counter += 1

    def temporary(self) -> bytes:
        while True:
            identifier = self._rng.randbytes(LENGTH)
            if not is_reserved(identifier):
                return identifier


def modified_eui64(mac: Mac) -> bytes:
    """RFC 4291 appendix A, RFC 2464 4."""
    return bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]


def is_reserved(identifier: bytes) -> bool:
    number = int.from_bytes(identifier, "big")
    return any(first <= number <= last for first, last in _RESERVED)
