"""The addresses that the sockets of a process could bind, and word of each change: SIO_ADDRESS_LIST_QUERY, _CHANGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.interface import AddressState
from wsknet.types import Address, Family, is_link_local, is_loopback

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.net.changes import News
    from wsknet.san.base.descriptors import Descriptors
    from wsknet.types import Instant


class AddressLists:
    """Listens to the tables of the host until it is closed."""

    def __init__(self, host: Host, sockets: Descriptors) -> None:
        self._host = host
        self._sockets = sockets
        self._known = self.current()
        host.stack.ip.watchers.append(self._hear)

    def current(self) -> list[Address]:
        """IPv4 addresses that passed their check, on interfaces in use; without those that mean nothing outside the
        loopback interface (SIO_ADDRESS_LIST_QUERY)."""
        found = []
        for interface in self._host.stack.ip.interfaces.values():
            if not interface.is_up:
                continue
            for entry in interface.addresses_of(Family.IPV4):
                address = entry.address
                is_for_itself = interface.is_loopback and (is_loopback(address) or is_link_local(address))
                if entry.state is AddressState.PREFERRED and not is_for_itself:
                    found.append(address)
        return found

    def close(self) -> None:
        self._host.stack.ip.watchers.remove(self._hear)

    def _hear(self, news: News, now: Instant) -> None:
        current = self.current()
        if current != self._known:
            self._known = current
            for socket in self._sockets.sockets():
                socket.address_list_changed(now)
