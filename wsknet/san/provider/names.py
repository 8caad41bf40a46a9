"""Who has which name on the SAN, and who gets a request (SAN-5).

Reserving is no question here: the TCP/IP provider has answered it before, so any number of sockets may have one name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.sockaddr import ANY
from wsknet.types import Endpoint

if TYPE_CHECKING:
    from wsknet.san.provider.sockets import SanSocket


class Names:
    """Of one host, below all processes.  Sets are kept as dicts: in order of age."""

    def __init__(self) -> None:
        self._bound: dict[Endpoint, dict[SanSocket, None]] = {}
        self._listeners: dict[Endpoint, dict[SanSocket, None]] = {}
        self._connections: dict[tuple[Endpoint, Endpoint], SanSocket] = {}
        self.count = 0
        """Of sockets with a name."""

    def bind(self, name: Endpoint, socket: SanSocket) -> None:
        self._bound.setdefault(name, {})[socket] = None
        self.count += 1

    def unbind(self, name: Endpoint, socket: SanSocket) -> None:
        if _discard(self._bound, name, socket):
            self.count -= 1

    def listen(self, name: Endpoint, socket: SanSocket) -> None:
        self._listeners.setdefault(name, {})[socket] = None

    def unlisten(self, name: Endpoint, socket: SanSocket) -> None:
        _discard(self._listeners, name, socket)

    def replace_listener(self, name: Endpoint, old: SanSocket, new: SanSocket) -> None:
        """`new` takes over the place of `old` in the order of age."""
        self._listeners[name] = {
            new if socket is old else socket: None for socket in self._listeners.get(name, {old: None})
        }

    def listener(self, destination: Endpoint) -> SanSocket | None:
        """Who receives a request to `destination`: who has listened longest on it, else on the wildcard.

        Only one of several does (SAN-5.2).  The exact name comes first as it does in TCP, where the sockets that these
        are companions of would otherwise be told apart differently.
        """
        for name in (destination, Endpoint(ANY, destination.port)):
            for socket in self._listeners.get(name, ()):
                return socket
        return None

    def connect(self, local: Endpoint, remote: Endpoint, socket: SanSocket) -> bool:
        """Enter a connection, under way or established; False if there is one between these two ends."""
        return self._connections.setdefault((local, remote), socket) is socket

    def has_connection(self, local: Endpoint, remote: Endpoint) -> bool:
        return (local, remote) in self._connections

    def replace_connection(self, local: Endpoint, remote: Endpoint, new: SanSocket) -> None:
        if (local, remote) in self._connections:
            self._connections[local, remote] = new

    def disconnect(self, local: Endpoint, remote: Endpoint, socket: SanSocket) -> None:
        if self._connections.get((local, remote)) is socket:
            del self._connections[local, remote]


def _discard(table: dict[Endpoint, dict[SanSocket, None]], name: Endpoint, socket: SanSocket) -> bool:
    sharers = table.get(name)
    if sharers is None or socket not in sharers:
        return False
    del sharers[socket]
    if not sharers:
        del table[name]
    return True
