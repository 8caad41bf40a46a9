"""What the neighbour tables make the host do; `neighbours.LinkActions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.neighbours import Pending
    from wsknet.trace import DropReason
    from wsknet.types import Address, Instant, Mac


class Links:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def solicit(
        self, interface: Interface, target: Address, mac: Mac | None, preferred: Address | None, now: Instant
    ) -> None:
        if len(target) == 4:
            self._ip.arp.request(interface, target, mac, preferred)
        else:
            self._ip.discovery.solicit(interface, target, mac, preferred)

    def release(self, interface: Interface, link_header: bytes, pending: Pending) -> None:
        self._ip.output.release(interface, link_header, pending)

    def discard(self, interface: Interface, pending: Pending, reason: DropReason, now: Instant) -> None:
        self._ip.output.discard(pending, reason, now)

    def failed(self, interface: Interface, address: Address, now: Instant) -> None:
        self._ip.redirects.drop_via(interface, address, now)
        self._ip.suspects.failed(interface, address, now)

    def answered(self, interface: Interface, address: Address, now: Instant) -> None:
        if (interface.index, address) in self._ip.tables.suspects:
            self._ip.suspects.answered(interface.index, address)
