"""Names of hosts, as one emulated host resolves them: ``host.names``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from wsknet import text
from wsknet.names.cache import Cache
from wsknet.names.exchange import Exchange
from wsknet.names.hosts import HostsFile
from wsknet.names.lookup import Lookup
from wsknet.names.own_names import OwnNames
from wsknet.names.results import Failure, Found, Records, Target
from wsknet.names.search import AddressSearch, NameSearch
from wsknet.names.spelling import folded
from wsknet.types import Endpoint, Family, is_link_local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from wsknet.drivers.pump import Pump
    from wsknet.names.messages import Question
    from wsknet.net.autoconf.lease import Lease
    from wsknet.types import Instant

T = TypeVar("T")

DNS_PORT = 53
"""RFC 1035 4.2."""


class Names:
    """The resolver of one host: its hosts file, then its own names, then the DNS servers.

    `servers` set by hand count alone; without any, those that DHCP has told, in the order of the interfaces.  A name
    without a dot is tried with each of `suffixes` (DHCP's domain names if there are none) and then as it is; any other
    name as it is.
    """

    def __init__(self, name: str, pump: Pump, rng: Random) -> None:
        self.hosts = HostsFile()
        self.own = OwnNames(name, pump.stack)
        self.suffixes: list[str] = []
        self.cache = Cache()
        self._pump = pump
        self._stack = pump.stack
        self._rng = rng
        self._servers: tuple[Endpoint, ...] = ()

    def use_servers(self, *servers: str) -> None:
        """Ask these, in this order: ``use_servers("192.0.2.53", "fe80::1%eth0")``; none: those learnt.

        `ValueError` for what is no address.
        """
        self._servers = tuple(dict.fromkeys(map(self._endpoint, servers)))
        self.cache.clear()  # they may know better, or something else

    @property
    def servers(self) -> tuple[Endpoint, ...]:
        """Those that will be asked next."""
        if self._servers:
            return self._servers
        learnt = [Endpoint(server, DNS_PORT) for lease in self._leases() for server in lease.name_servers]
        return tuple(dict.fromkeys(learnt))

    def _leases(self) -> list[Lease]:
        leases = [self._stack.ip.dhcp.lease(index) for index in self._stack.ip.interfaces]
        return [lease for lease in leases if lease is not None]

    def _endpoint(self, server: str) -> Endpoint:
        name, percent, zone = server.partition("%")
        address = text.parse_address(name)
        if percent and not is_link_local(address):
            raise ValueError(f"{server}: only a link-local address has an interface behind it")
        return Endpoint(address, DNS_PORT, self.zone_of(zone) if percent else 0)

    def zone_of(self, words: str) -> int:
        """The number of an interface from its name or number.  `ValueError` if there is none."""
        for index, interface in self._stack.ip.interfaces.items():
            if words in (interface.name, str(index)):
                return index
        raise ValueError(f"there is no interface {words}")

    def ordered(self, targets: Sequence[Target]) -> tuple[Target, ...]:
        """In the order in which they should be tried (RFC 6724 6), each once."""
        left = dict.fromkeys(targets)
        zones = {target.zone for target in left if target.zone}
        zone = zones.pop() if len(zones) == 1 else 0
        found: dict[Target, None] = {}
        for address in self._stack.ip.order_destinations([target.address for target in left], zone):
            target = next(each for each in left if each.address == address and each not in found)
            found[target] = None
        return tuple(found)

    def candidates(self, name: str) -> list[str]:
        """The full names that `name` may stand for, in the order in which servers are asked for them."""
        if "." in name:
            return [name]
        suffixes = [self.own.domain, *self.suffixes] if self.own.domain else list(self.suffixes)
        if not self.suffixes:
            suffixes += [lease.domain for lease in self._leases()]
        wanted = dict.fromkeys(folded(suffix) for suffix in suffixes if folded(suffix))
        return [*(f"{name}.{suffix}" for suffix in wanted), name]

    def is_local_domain(self, domain: str) -> bool:
        """Whether the host is in `domain` itself."""
        own = [self.own.domain, *self.suffixes, *(lease.domain for lease in self._leases())]
        return bool(domain) and folded(domain) in map(folded, own)

    def ask(
        self, question: Question, now: Instant, done: Callable[[Records, Instant], None]
    ) -> Callable[[Instant], None]:
        """Tell what the servers or the cache say, perhaps before this returns.  Returns what takes the question back.

        Driver lock held, also for `done`.
        """
        known = self.cache.find(question, now)
        servers = self.servers
        if known is not None or not servers:
            done(known or Records(failure=Failure.NO_NAME), now)
            return _nothing

        def answered(records: Records, now: Instant) -> None:
            self.cache.store(question, records, now)
            done(records, now)

        exchange = Exchange(self._stack, Lookup(question, servers, self._rng), answered)
        exchange.start(now)
        return exchange.cancel

    # For people

    def look_up(self, name: str, family: Family | None = None) -> list[str]:
        """The addresses of `name`, best first.  Blocks; `LookupError` says why there are none."""
        families = tuple(Family) if family is None else (family,)
        found: list[Found | Failure] = []
        search = AddressSearch(self, name, families, partial(self._wake, found))
        self._wait(search, found, name)
        if isinstance(found[0], Failure):
            raise LookupError(f"{name}: {found[0].value}")
        return [text.format_address(*target) for target in found[0].targets]

    def look_up_address(self, address: str) -> str:
        """The name behind ``192.0.2.1`` or ``fe80::1%eth0``.  Blocks; `LookupError` says why there is none."""
        words, percent, zone = address.partition("%")
        found: list[str | Failure] = []
        search = NameSearch(
            self, text.parse_address(words), self.zone_of(zone) if percent else 0, partial(self._wake, found)
        )
        self._wait(search, found, address)
        if isinstance(found[0], Failure):
            raise LookupError(f"{address}: {found[0].value}")
        return found[0]

    def _wake(self, found: list[T], outcome: T, now: Instant) -> None:
        found.append(outcome)
        self._pump.driver.wakeup()

    def _wait(self, search: AddressSearch | NameSearch, found: list[T], what: str) -> None:
        with self._pump as now:
            search.start(now)
        self._pump.driver.block(lambda: bool(found), f"the look-up of {what}", None)


def _nothing(now: Instant) -> None:
    """The question has been answered already."""
