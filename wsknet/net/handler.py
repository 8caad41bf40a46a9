"""What IP asks of the protocols above it.  `net` knows no transport: `stack.py` fills the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wsknet.net.messages import IcmpErrorKind
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Instant


class ProtocolHandler(Protocol):
    def input(self, packet: Packet, now: Instant) -> None:
        """A packet for us.  May send; looped answers are delivered after it has returned."""

    def icmp_error(
        self,
        kind: IcmpErrorKind,
        source: Address,
        destination: Address,
        quoted: bytes,
        zone: int,
        mtu: int,
        now: Instant,
    ) -> None:
        """A packet of ours, from `source` to `destination`, did not arrive.

        `quoted` is the beginning of its transport header, at least 8 bytes.  `mtu` is that of PACKET_TOO_BIG, else 0.
        HOST_UNREACHABLE may come from our own link: the neighbour did not answer.
        """
