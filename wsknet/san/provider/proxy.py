"""The kernel half of a provider: one per host, below the processes that use it (SAN-2).

It knows the NICs and their IP addresses, meets the proxies of other hosts on the native port of each NIC, and decides
who gets a connection request.  See receiving-and-translating-nic-addresses: here a native address is an IP address of
the NIC with `SanPolicy.native_port`, so there is nothing to look up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import NetError
from wsknet.san.provider.incoming import Incoming
from wsknet.san.provider.names import Names
from wsknet.san.provider.native import RejectReason
from wsknet.text import same_prefix
from wsknet.transport.queries import ArrivalQuery
from wsknet.transport.tcp.listener import Listener
from wsknet.types import Cover, Endpoint, Family, IfIndex, LocalName, Proto, family_of, is_link_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsknet.host import Host
    from wsknet.net.interface import Interface
    from wsknet.san.policy import SanPolicy
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Address, Instant

FIRST_DESCRIPTOR = 0x10000
"""[design] Away from the small numbers that handles of the switch are."""
MOST_KNOCKING = 256
"""[design] Connections that have not said yet what they want; with one more the oldest of them is reset.  A NIC says it
at once, so this harms nobody but who opens connections for their own sake."""


class NicAddress(NamedTuple):
    address: Address
    prefix_length: int
    nic: IfIndex

    @property
    def zone(self) -> int:
        """For the core: which link a link-local address belongs to."""
        return self.nic if is_link_local(self.address) else 0


class Proxy:
    """All calls with the driver lock held."""

    def __init__(self, host: Host, nics: Sequence[str], policy: SanPolicy) -> None:
        self.host = host
        self.policy = policy
        self.names = Names()
        self.sockets = 0
        """Of all processes."""
        self.handed_over: dict[int, SanSocket] = {}
        """What WSPDuplicateSocket has given away and nobody has taken yet."""
        self.knocking: dict[Incoming, None] = {}
        """Those that have not said yet what they want, in order of age."""
        self._nics = [host.interface_index(name) for name in nics]
        self._doors: list[TcpEndpoint] = []
        self._users = 0
        self._next_descriptor = FIRST_DESCRIPTOR

    # NICs and their addresses

    def _interfaces(self) -> Iterator[Interface]:
        for nic in self._nics:
            interface = self.host.stack.ip.interfaces.get(nic)
            if interface is not None:
                yield interface

    @property
    def is_gone(self) -> bool:
        """None of the NICs is in the machine any more."""
        return not any(True for _ in self._interfaces())

    @property
    def is_down(self) -> bool:
        """No NIC has a link: nothing could be sent or received (SAN-3.2.WSAENETDOWN)."""
        return not any(interface.is_up for interface in self._interfaces())

    def addresses(self, *, is_up: bool = True) -> list[NicAddress]:
        """The IPv4 addresses of the NICs that are up, or of the others, in the order of the NICs."""
        return [
            NicAddress(address, entry.prefix_length, interface.index)
            for interface in self._interfaces()
            for address, entry in interface.addresses.items()
            if interface.is_up is is_up and family_of(address) is Family.IPV4
        ]

    def nic_with(self, address: Address) -> NicAddress | None:
        return next((each for each in self.addresses() if each.address == address), None)

    def nic_towards(self, source: Address, destination: Address) -> NicAddress | None:
        """The NIC that has `source`, if `destination` is on the subnet of that: a SAN is not routed (SAN-1.2)."""
        nic = self.nic_with(source)
        return nic if nic is not None and same_prefix(source, destination, nic.prefix_length) else None

    def is_unresolved(self, nic: IfIndex, address: Address) -> bool:
        """Nobody on the link of the NIC has said that the address is his, although the link is up."""
        interface = self.host.stack.ip.interfaces.get(nic)
        if interface is None or not interface.is_up:
            return False
        neighbour = interface.neighbours.get(address)
        return neighbour is None or neighbour.mac is None

    # Descriptors

    def new_descriptor(self) -> int:
        """Never the same twice, so no stale one can mean another socket."""
        self._next_descriptor += 4
        return self._next_descriptor

    def hand_over(self, socket: SanSocket) -> int:
        """What to ask for it with."""
        token = self.new_descriptor()
        self.handed_over[token] = socket
        return token

    def take_back(self, socket: SanSocket) -> None:
        """Nobody can have it any more."""
        for token in [token for token, each in self.handed_over.items() if each is socket]:
            del self.handed_over[token]

    # Users

    def acquire(self, now: Instant) -> bool:
        """Somebody starts the provider.  With the first the NICs become reachable; False if they cannot."""
        if not self._users:
            try:
                for nic in self._nics:
                    self._open_door(nic, now)
            except NetError:
                self._close_doors(now)
                return False
        self._users += 1
        return True

    def release(self, now: Instant) -> None:
        self._users -= 1
        if not self._users:
            self._close_doors(now)

    def _open_door(self, nic: IfIndex, now: Instant) -> None:
        """Of the NIC and not of an address, so that addresses may come and go."""
        endpoint = self.host.stack.tcp.open(Cover.IPV4)
        self._doors.append(endpoint)
        endpoint.owner = _Door(self, endpoint)
        endpoint.bind(LocalName(Cover.IPV4, None, self.policy.native_port), now, device=nic)
        endpoint.listen(now)

    def _close_doors(self, now: Instant) -> None:
        for endpoint in self._doors:
            endpoint.close(now)
        self._doors.clear()
        for incoming in list(self.knocking):
            incoming.turn_away(now)

    # Requests

    def hear(self, endpoint: TcpEndpoint, now: Instant) -> None:
        """A NIC of another host has connected to one of ours."""
        if len(self.knocking) >= MOST_KNOCKING:
            next(iter(self.knocking)).turn_away(now)
        Incoming(self, endpoint, now)

    def offer(self, incoming: Incoming, now: Instant) -> None:
        """Queue the request for who listens there, or refuse it (SAN-6.4.2).

        [design] Also if there is a connection between these two ends: perhaps its peer has started anew and we do not
        know yet, so the answer is one after which it tries TCP/IP.
        """
        listener = self.names.listener(incoming.destination)
        if self.names.has_connection(incoming.destination, incoming.source):
            incoming.reject(RejectReason.NO_RESOURCES, now)
        elif listener is None or listener.listening is None:
            is_known = self._has_tcp_listener(incoming.destination, incoming.source)
            incoming.reject(RejectReason.TCPIP_ONLY if is_known else RejectReason.NO_LISTENER, now)
        elif listener.listening.is_full:
            incoming.reject(RejectReason.REFUSED, now)
        else:
            incoming.listener = listener
            listener.listening.add(incoming, listener.selection)

    def _has_tcp_listener(self, destination: Endpoint, source: Endpoint) -> bool:
        """Whether a connection through TCP/IP would be taken.  `source` from another port, as one that has a
        connection from its own would not be heard by the listener."""
        query = ArrivalQuery(Proto.TCP, destination, source._replace(port=0))
        receiver = self.host.stack.resolve(query).receiver
        return isinstance(receiver, Listener) and receiver.endpoint not in self._doors


class _Door:
    """Where the NICs of other hosts knock."""

    def __init__(self, proxy: Proxy, endpoint: TcpEndpoint) -> None:
        self._proxy = proxy
        self._endpoint = endpoint

    def on_ready(self, readiness: int, now: Instant) -> None:
        while (endpoint := self._endpoint.accept(now)) is not None:
            self._proxy.hear(endpoint, now)
