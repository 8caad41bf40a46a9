"""Router discovery: RFC 4861 6.3, RFC 4862 5.5, RFC 4191."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages import RouterAdvertisement, RouterSolicitation
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Instant


class RouterDiscovery:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def received(self, packet: Packet, message: RouterAdvertisement | RouterSolicitation, now: Instant) -> None:
        """`message` has passed the codec; hop limit and source are checked here."""

    def neighbour_failed(self, interface: Interface, address: Address, now: Instant) -> None:
        """A neighbour did not answer; it may be a router."""

    def neighbour_answered(self, interface: Interface, address: Address, now: Instant) -> None:
        """It is there again."""

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
