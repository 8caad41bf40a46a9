"""What becomes of sockets whose local address goes away.  Read BIND-5 and RFC 1122 4.2.3.7 before editing.

Nothing is noted here for the case that an address comes back: names and registrations stay as they are, so a socket
that was not ended sends and receives again by itself.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.net.changes import AddressRefused, AddressRemoved
from wsknet.transport.tcp.connection import Connection
from wsknet.transport.tcp.state import CONNECTING
from wsknet.types import Endpoint, LocalName, is_link_local

if TYPE_CHECKING:
    from wsknet.net.changes import News
    from wsknet.net.layer import IpLayer
    from wsknet.transport.raw.protocol import RawProtocols
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.udp.protocol import UdpProtocol
    from wsknet.types import Address, Instant


class LostAddresses:
    """Hears of changes, as one of `IpLayer.watchers`.  Ends what has to end and tells its owner; sends nothing, as
    there is no address left to send from."""

    def __init__(self, ip: IpLayer, tcp: TcpProtocol, udp: UdpProtocol, raw: RawProtocols) -> None:
        self._ip = ip
        self._tcp = tcp
        self._udp = udp
        self._raw = raw

    def hear(self, news: News, now: Instant) -> None:
        if not isinstance(news, AddressRemoved | AddressRefused):
            return
        address = news.address
        zone = news.if_index if is_link_local(address) else 0
        if self._ip.tables.owner(address, zone) is not None:
            return  # another interface has it, too
        behaviour = self._ip.config.behaviour
        if behaviour.removed_interface_closes_sockets and news.if_index not in self._ip.interfaces:
            self._end_connections(address, zone, ErrorKind.INTERFACE_REMOVED, now)
            self._end_bound(address, zone)
        elif behaviour.removed_address_aborts:
            self._end_connections(address, zone, ErrorKind.ABORTED, now)

    def _end_connections(self, address: Address, zone: int, error: ErrorKind, now: Instant) -> None:
        """Those in TIME-WAIT have nothing to lose."""
        for connection in list(self._tcp.connections()):
            if isinstance(connection, Connection) and _has(connection.local, address, zone):
                name = connection.endpoint.local
                is_free = connection.state in CONNECTING and name is not None and name.address is None
                # A wildcard whose attempt to connect fails can try elsewhere.
                connection.fail(ErrorKind.ABORTED if is_free else error, now)

    def _end_bound(self, address: Address, zone: int) -> None:
        for endpoint in self._tcp.bound:
            if endpoint.connection is None and _has(endpoint.local, address, zone):
                endpoint.fail(ErrorKind.INTERFACE_REMOVED)
        for datagrams in chain(self._udp.bound, self._raw.bound()):
            if _has(datagrams.local, address, zone):
                datagrams.fail(ErrorKind.INTERFACE_REMOVED)


def _has(name: LocalName | Endpoint | None, address: Address, zone: int) -> bool:
    return name is not None and name.address == address and name.zone == zone
