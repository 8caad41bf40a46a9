"""A router's advertisements: RFC 4861 6.2, for labs whose hosts configure themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.messages.neighbours import Preference, PrefixInformation, RouterAdvertisement
from wsknet.net.nd import ND_HOP_LIMIT
from wsknet.net.routes import network_of
from wsknet.net.well_known import ALL_NODES
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import MILLISECOND, SECOND, Family, IfIndex, Instant, is_link_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.config import AdvertisingConfig
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet
    from wsknet.types import Address, Duration

# RFC 4861 section 10.
MAX_INITIAL_INTERVAL: Duration = 16 * SECOND
MAX_INITIAL = 3
MIN_BETWEEN: Duration = 3 * SECOND
MAX_ANSWER_DELAY: Duration = 500 * MILLISECOND

_HEADERS_LENGTH = 40 + 16 + 8 + 8
"""Of an advertisement, before its prefixes: IPv6, its own header, the options for MAC and MTU."""
_PREFIX_OPTION_LENGTH = 32
"""Of the option for one (RFC 4861 4.6.2)."""


class Advertising:
    """Every interface that is set to advertise, forwards, is up and has a link-local address."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._links: dict[IfIndex, _AdvertisingLink] = {}

    def solicited(self, packet: Packet, now: Instant) -> None:
        """A host asks: everybody is told soon (RFC 4861 6.2.6)."""
        link = self._links.get(packet.interface.index)
        if packet.hop_limit != ND_HOP_LIMIT:
            self._ip.trace.drop(DropReason.ND_BAD_HOP_LIMIT, packet.raw)
        elif link is None:
            self._ip.trace.drop(DropReason.ROUTERS_NOT_ASKED, packet.raw)
        else:
            link.advertise_soon(now)

    def adjust(self, interface: Interface, now: Instant) -> None:
        """The link or the settings of `interface` have changed: start what should run, stop what should not."""
        settings = interface.config.advertising
        link = self._links.get(interface.index)
        if settings is not None and interface.is_up and interface.forwarding:
            if link is None:
                self._links[interface.index] = _AdvertisingLink(self._ip, interface, settings, now)
        elif link is not None:
            del self._links[interface.index]
            link.end(now)


class _AdvertisingLink:
    def __init__(self, ip: IpLayer, interface: Interface, settings: AdvertisingConfig, now: Instant) -> None:
        self._ip = ip
        self._interface = interface
        self._settings = settings
        self._sent = 0
        self._last = Instant(now - MIN_BETWEEN)
        self._timer = Timer(ip.timers, self._due)
        self.advertise_soon(now)

    def advertise_soon(self, now: Instant) -> None:
        """Hosts that ask at once share one answer, and nobody makes us talk more than every three seconds."""
        at = max(now, self._last + MIN_BETWEEN) + int(MAX_ANSWER_DELAY * self._ip.rng.random())
        self._timer.arm_by(Instant(at))

    def end(self, now: Instant) -> None:
        """Not a default router any more: say so (RFC 4861 6.2.5)."""
        self._timer.cancel()
        if self._interface.is_up and self._sent:
            self._send(0)

    def _due(self, now: Instant) -> None:
        if not self._send(self._settings.lifetime):  # the address may still be being checked for a duplicate
            self._timer.arm(Instant(now + MIN_BETWEEN))
            return
        self._sent += 1
        self._last = now
        interval = int(self._settings.interval * (1 + 2 * self._ip.rng.random()) / 3)
        if self._sent < MAX_INITIAL:
            interval = min(interval, MAX_INITIAL_INTERVAL)
        self._timer.arm(Instant(now + max(interval, MIN_BETWEEN)))

    def _send(self, lifetime: Duration) -> bool:
        """False: there is no link-local address to send from."""
        interface = self._interface
        source = next((a for a in interface.addresses if len(a) == 16 and is_link_local(a)), None)
        if source is None:
            return False
        for message in self._messages(lifetime):
            payload = self._ip.codec.encode_icmp(Family.IPV6, source, ALL_NODES, message)
            self._ip.output.emit_discovery(interface, source, ALL_NODES, payload)
        return True

    def _messages(self, lifetime: Duration) -> Iterator[RouterAdvertisement]:
        """More than one if the prefixes do not fit into the MTU (RFC 4861 6.2.3)."""
        interface = self._interface
        found: dict[tuple[Address, int], None] = {}
        for entry in interface.addresses_of(Family.IPV6):
            if not is_link_local(entry.address):
                found[network_of(entry.address, entry.prefix_length), entry.prefix_length] = None
        prefixes = list(found)
        room = (interface.mtu - _HEADERS_LENGTH) // _PREFIX_OPTION_LENGTH
        for at in range(0, max(len(prefixes), 1), room):
            yield self._message(lifetime, prefixes[at : at + room])

    def _message(self, lifetime: Duration, prefixes: list[tuple[Address, int]]) -> RouterAdvertisement:
        settings, interface = self._settings, self._interface
        return RouterAdvertisement(
            hop_limit=settings.hop_limit,
            is_managed=False,
            is_other_managed=False,
            preference=Preference(settings.preference if lifetime else 0),  # RFC 4191 2.2
            lifetime=lifetime // SECOND,
            reachable=0,
            retransmit=0,
            source_mac=interface.mac,
            mtu=interface.mtu if settings.announces_mtu else 0,
            prefixes=tuple(
                PrefixInformation(
                    prefix, length, True, length == 64, settings.valid // SECOND, settings.preferred // SECOND
                )
                for prefix, length in prefixes
            ),
        )
