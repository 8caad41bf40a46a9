"""IPv4 link-local addresses: RFC 3927, `IPAutoconfigurationEnabled`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Instant


class LinkLocal:
    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
