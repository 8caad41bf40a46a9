"""Asking for routers: RFC 4861 6.3.7, RFC 7559."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.interface import AddressState
from wsknet.net.messages.neighbours import RouterSolicitation
from wsknet.net.well_known import IPV6_ROUTERS
from wsknet.timers import Timer
from wsknet.types import Family, Instant, is_link_local

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.types import Address, Mac

_UNSPECIFIED = bytes(16)


class Solicitor:
    """Asks on one interface, from its beginning until `heard` or `stop`.

    Three questions 4 s apart as in RFC 4861; after that less and less often as in RFC 7559, since a router that comes
    up later would else not be noticed before it advertises by itself.
    """

    def __init__(self, ip: IpLayer, interface: Interface, now: Instant) -> None:
        self._ip = ip
        self._interface = interface
        self._config = ip.config.routers
        self._interval = self._config.solicitation_interval
        self._sent = 0
        self._is_answered = False
        self._timer = Timer(ip.timers, self._due)
        self._timer.arm(Instant(now + int(ip.rng.random() * self._config.max_solicitation_delay)))

    def heard(self) -> None:
        """A default router has advertised itself.  One question is asked all the same: it may have told only part."""
        self._is_answered = True
        if self._sent:
            self._timer.cancel()

    def stop(self) -> None:
        self._timer.cancel()

    def _due(self, now: Instant) -> None:
        self._sent += 1
        self._ask()
        if self._is_answered:
            return
        if self._sent >= self._config.max_solicitations:
            self._interval = min(2 * self._interval, self._config.max_solicitation_interval)
        self._timer.arm(Instant(now + self._interval))

    def _ask(self) -> None:
        source, mac = self._source()
        payload = self._ip.codec.encode_icmp(Family.IPV6, source, IPV6_ROUTERS, RouterSolicitation(mac))
        comment = f"router solicitation {self._sent}"
        self._ip.output.emit_discovery(self._interface, source, IPV6_ROUTERS, payload, comment=comment)

    def _source(self) -> tuple[Address, Mac | None]:
        """With an address that may be another's no MAC is told: it would change entries of the owner (RFC 4429 3.2)."""
        for entry in self._interface.addresses_of(Family.IPV6):
            if is_link_local(entry.address):
                is_ours = entry.state is not AddressState.OPTIMISTIC
                return entry.address, self._interface.mac if is_ours else None
        return _UNSPECIFIED, None
