"""Addresses from advertised prefixes: RFC 4862 5.5, RFC 7217 (stable), RFC 8981 (temporary).

Every prefix gives one lasting address and, where wished for, a temporary one that is replaced before it is deprecated.
All are claimed through `Duplicates`; what follows a duplicate is decided here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wsknet.net.autoconf.identifiers import LENGTH, PREFIX_LENGTH
from wsknet.net.autoconf.lifetimes import NEVER, arm, end_of, renewed
from wsknet.net.changes import AddressAdded, AddressOrigin, AddressRemoved
from wsknet.net.routes import network_of
from wsknet.timers import Timer
from wsknet.types import Address, Instant, Mac, is_link_local, is_multicast

if TYPE_CHECKING:
    from wsknet.net.autoconf.identifiers import Identifiers
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.neighbours import PrefixInformation


class MadeAddress:
    """An address of ours.  It ends with its prefix; a temporary one also at ends of its own, never put off."""

    __slots__ = ("address", "is_deprecated", "is_lost", "is_temporary", "preferred_until", "valid_until")

    def __init__(self, address: Address, preferred_until: Instant = NEVER, valid_until: Instant = NEVER) -> None:
        self.address = address
        self.is_temporary = valid_until != NEVER
        self.preferred_until = preferred_until
        self.valid_until = valid_until
        self.is_deprecated = False
        self.is_lost = False
        """Another host has it, and no other is tried."""


class Prefix:
    """A prefix that routers let us make addresses from, until `valid_until`."""

    __slots__ = ("bits", "duplicates", "lasting", "preferred_until", "temporaries", "temporary_duplicates", "timer",
                 "valid_until")  # fmt: skip

    def __init__(self, bits: Address, timer: Timer) -> None:
        self.bits = bits
        self.preferred_until = Instant(0)
        self.valid_until = Instant(0)
        self.lasting: MadeAddress | None = None
        """`None` where the address was there already, given by hand."""
        self.temporaries: list[MadeAddress] = []
        """The latest one is last."""
        self.duplicates = 0
        """Lasting addresses of this prefix that were another's: DAD_Counter of RFC 7217."""
        self.temporary_duplicates = 0
        """The same in a row, for temporary ones."""
        self.timer = timer

    def addresses(self) -> list[MadeAddress]:
        return [*([self.lasting] if self.lasting is not None else ()), *self.temporaries]


class Slaac:
    """The addresses of one interface; an `AddressOwner`."""

    def __init__(self, ip: IpLayer, interface: Interface, identifiers: Identifiers) -> None:
        self._ip = ip
        self._interface = interface
        self._identifiers = identifiers
        self._config = ip.config.slaac
        self._prefixes: dict[Address, Prefix] = {}

    def advertised(self, router: Address, news: PrefixInformation, now: Instant) -> bool:
        """RFC 4862 5.5.3.  False: there is no room for more addresses."""
        is_usable = news.is_autonomous and news.prefix_length == PREFIX_LENGTH and news.preferred <= news.valid
        if not is_usable or is_link_local(news.prefix) or is_multicast(news.prefix):
            return True
        prefix = self._prefixes.get(news.prefix)
        if prefix is None:
            if not news.valid:
                return True
            if self._is_full():
                return False
            timer = Timer(self._ip.timers, partial(self._due, news.prefix))
            prefix = self._prefixes[news.prefix] = Prefix(news.prefix, timer)
            prefix.valid_until = end_of(news.valid, now)
        prefix.valid_until = renewed(prefix.valid_until, news.valid, now)
        prefix.preferred_until = end_of(news.preferred, now)
        self._settle(prefix, now)
        self._note_router(router, news)
        return True

    def drop_router(self, router: Address) -> None:
        """It leads nowhere any more; the addresses stay."""
        for bits in self._prefixes:
            self._routers_of(bits).pop(router, None)
        self._ip.forget_paths()

    def _note_router(self, router: Address, news: PrefixInformation) -> None:
        """Who tells of a prefix that is here, for the choice of sources."""
        if news.prefix not in self._prefixes:
            return
        routers = self._routers_of(news.prefix)
        is_known = router in routers
        if not news.valid:
            routers.pop(router, None)
        elif not is_known and len(routers) < self._ip.config.routers.max_routers:
            routers[router] = None
        if is_known is not (router in routers):
            self._ip.forget_paths()

    def _routers_of(self, bits: Address) -> dict[Address, None]:
        return self._ip.tables.advertised_by.setdefault((self._interface.index, bits), {})

    def clear(self, now: Instant) -> None:
        for prefix in list(self._prefixes.values()):
            self._give_up(prefix, now)

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        prefix = self._prefix_of(address)
        if prefix is not None and any(made.address == address for made in prefix.temporaries):
            prefix.temporary_duplicates = 0

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """Another identifier is tried, so many times; the last duplicate stays, for people to see."""
        prefix = self._prefix_of(address)
        if prefix is None:
            return
        for made in prefix.addresses():
            if made.address == address:
                made.is_lost = True
                if self._may_try_another(prefix, made):
                    self._remove(prefix, made, now)
                self._settle(prefix, now)

    def _prefix_of(self, address: Address) -> Prefix | None:
        return self._prefixes.get(network_of(address, PREFIX_LENGTH))

    def _may_try_another(self, prefix: Prefix, made: MadeAddress) -> bool:
        if made.is_temporary:
            prefix.temporary_duplicates += 1
            return prefix.temporary_duplicates <= self._config.temporary_retries
        prefix.duplicates += 1
        # There is only one modified EUI-64 (RFC 4862 5.4.5).
        return self._interface.auto.stable_identifiers and prefix.duplicates <= self._config.identifier_retries

    def _is_full(self) -> bool:
        made = sum(len(prefix.addresses()) for prefix in self._prefixes.values())
        return max(made, len(self._prefixes)) >= self._config.max_addresses

    def _due(self, bits: Address, now: Instant) -> None:
        self._settle(self._prefixes[bits], now)

    def _settle(self, prefix: Prefix, now: Instant) -> None:
        """Bring the addresses of a prefix to what they should be now, and set the time of the next change."""
        if prefix.valid_until <= now:
            self._give_up(prefix, now)
            return
        for made in prefix.addresses():
            if made.valid_until <= now or not (made.is_lost or self._is_still_ours(made)):
                self._remove(prefix, made, now)
            elif not made.is_lost:
                self._set_deprecated(made, min(prefix.preferred_until, made.preferred_until) <= now, now)
        self._make_lasting(prefix, now)
        self._make_temporary(prefix, now)
        arm(prefix.timer, self._next_change(prefix, now))

    def _next_change(self, prefix: Prefix, now: Instant) -> Instant:
        advance = self._config.regenerate_advance
        ends = [prefix.valid_until, prefix.preferred_until]
        for made in prefix.temporaries:
            ends += [made.valid_until, made.preferred_until, Instant(made.preferred_until - advance)]
        return min(end for end in ends if end > now)

    def _is_still_ours(self, made: MadeAddress) -> bool:
        """Nobody has taken it away, or given it anew, by hand."""
        here = self._interface
        entry = here.find(made.address)
        return entry is not None and entry.origin is AddressOrigin.ROUTER

    def _set_deprecated(self, made: MadeAddress, is_deprecated: bool, now: Instant) -> None:
        if made.is_deprecated is not is_deprecated:
            made.is_deprecated = is_deprecated
            self._claim(made, now)

    def _make_lasting(self, prefix: Prefix, now: Instant) -> None:
        here = self._interface
        if prefix.lasting is not None:
            return
        address = prefix.bits[:-LENGTH] + self._identifiers.lasting(here, prefix.bits, prefix.duplicates)
        if here.find(address) is not None:
            return
        prefix.lasting = MadeAddress(address)
        prefix.lasting.is_deprecated = prefix.preferred_until <= now
        self._claim(prefix.lasting, now)

    def _make_temporary(self, prefix: Prefix, now: Instant) -> None:
        """RFC 8981 3.4 and 3.6: one, and its successor in time."""
        here, config = self._interface, self._config
        soon = now + config.regenerate_advance
        if not here.auto.temporary_addresses or prefix.preferred_until <= soon or self._is_full():
            return
        latest = prefix.temporaries[-1] if prefix.temporaries else None
        if latest is not None and (latest.is_lost or latest.preferred_until > soon):
            return
        address = prefix.bits[:-LENGTH] + self._identifiers.temporary()
        if here.find(address) is not None:
            return
        desync = int(self._ip.rng.random() * config.temporary_desync)
        preferred_until = Instant(now + config.temporary_preferred - desync)
        made = MadeAddress(address, preferred_until, Instant(now + config.temporary_valid))
        prefix.temporaries.append(made)
        self._claim(made, now)

    def _claim(self, made: MadeAddress, now: Instant) -> None:
        change = AddressAdded(
            self._interface.index,
            made.address,
            PREFIX_LENGTH,
            is_deprecated=made.is_deprecated,
            origin=AddressOrigin.ROUTER,
            is_temporary=made.is_temporary,
        )
        self._ip.duplicates.claim(change, self, now)

    def _give_up(self, prefix: Prefix, now: Instant) -> None:
        prefix.timer.cancel()
        del self._prefixes[prefix.bits]
        self._ip.tables.advertised_by.pop((self._interface.index, prefix.bits), None)
        for made in prefix.addresses():
            self._remove(prefix, made, now)

    def _remove(self, prefix: Prefix, made: MadeAddress, now: Instant) -> None:
        if made.is_temporary:
            prefix.temporaries.remove(made)
        else:
            prefix.lasting = None
        here = self._interface
        if self._is_still_ours(made) and self._ip.interfaces.get(here.index) is here:
            self._ip.change(AddressRemoved(here.index, made.address), now)
