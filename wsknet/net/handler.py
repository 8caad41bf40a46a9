"""What IP asks of the protocols above it.  `net` knows no transport: `stack.py` fills the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from wsknet.net.messages.icmp import EchoMessage, IcmpErrorKind
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Instant


class Undelivered(NamedTuple):
    """A packet of ours, from `source` to `destination`, did not arrive."""

    kind: IcmpErrorKind
    """HOST_UNREACHABLE may come from our own link: the neighbour did not answer."""
    source: Address
    destination: Address
    quoted: bytes
    """The beginning of its transport header, at least 8 bytes."""
    zone: int
    mtu: int = 0
    """That of PACKET_TOO_BIG, for an IPv4 router older than RFC 1191 the one it must have meant; else 0."""
    reporter: Address | None = None
    """Who said so; `None` for our own link."""
    code: int = 0
    """As in `messages.icmp.IcmpError`."""


class ProtocolHandler(Protocol):
    def input(self, packet: Packet, now: Instant) -> None:
        """A packet for us.  May send; looped answers are delivered after it has returned."""

    def icmp_error(self, error: Undelivered, now: Instant) -> bool:
        """A router, the peer or our own link could not deliver a packet of this protocol.

        False: no endpoint can have sent what is quoted, so nothing in the error is believed (RFC 5927 4).
        """


class EchoReceiver(Protocol):
    """Who sends echo requests: what becomes of them."""

    def reply(self, packet: Packet, message: EchoMessage, now: Instant) -> bool:
        """An echo reply arrived; False: nobody waits for it."""

    def error(self, undelivered: Undelivered, now: Instant) -> bool:
        """A request did not arrive; `quoted` starts with its ICMP header.  False: nobody has sent it."""
