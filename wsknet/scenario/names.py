"""Names in a scenario: the hosts file of a host, the servers that it asks, and a host that is such a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet import text
from wsknet.names.results import Failure, Found
from wsknet.names.search import AddressSearch
from wsknet.scenario.outcomes import PENDING
from wsknet.scenario.world import Failed
from wsknet.types import Family

if TYPE_CHECKING:
    from wsknet.apps.dns import Zone
    from wsknet.host import Host
    from wsknet.scenario import schema
    from wsknet.types import Instant

OUTCOMES = {
    Failure.NO_NAME: "no-such-name",
    Failure.NO_DATA: "no-address",
    Failure.NO_ANSWER: "no-answer",
    Failure.SERVER_FAILED: "server-failed",
    Failure.UNREACHABLE: "no-server",
}


def add_names(host: Host, described: schema.Host) -> None:
    """The hosts file and the servers.  `ValueError` for what cannot be read."""
    if described.hosts:
        host.names.hosts.read("\n".join(described.hosts))
    if described.dns:
        host.names.use_servers(*described.dns)


def zone_of(described: schema.Host) -> Zone:
    """``server.lab A 10.1.0.2``, a name, a type and a value each.  `ValueError` for what is no record."""
    from wsknet.apps.dns import Zone

    zone = Zone()
    for words in described.zone:
        parts = words.split(None, 2)
        if len(parts) < 3:
            raise ValueError(
                f"{words!r} is no record: expected a name, a type and a value, as in server.lab A 10.1.0.2"
            )
        zone.add_record(parts[0], parts[1], parts[2])
    return zone


def serve_zone(host: Host, described: schema.Host) -> None:
    """Until the world ends."""
    from wsknet.apps.dns import Dns

    with host.activate():
        Dns(zone_of(described)).start()


class LookUp:
    """`Attempt` to find the addresses of a name: the outcome is all of them, best first, separated by blanks."""

    def __init__(self, host: Host, name: str) -> None:
        self._host = host
        self._ended: Found | Failure | None = None
        self._search = AddressSearch(host.names, name, tuple(Family), self._done)
        with host.pump as now:
            self._search.start(now)

    def _done(self, outcome: Found | Failure, now: Instant) -> None:
        self._ended = outcome

    def poll(self) -> str | None:
        ended = self._ended
        if isinstance(ended, Failure):
            raise Failed(OUTCOMES[ended], ended.value)
        return None if ended is None else " ".join(text.format_address(*target) for target in ended.targets)

    def give_up(self) -> str:
        with self._host.pump as now:
            self._search.cancel(now)
        return PENDING
