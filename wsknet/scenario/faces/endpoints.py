"""Sockets of an emulated host straight on its transport endpoints, with the manners of Winsock or of POSIX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.errors import NetError
from wsknet.scenario.faces.manners import LINUX, POSIX, WINSOCK, Manners
from wsknet.scenario.faces.tcp_socket import TcpSocket
from wsknet.scenario.faces.udp_socket import UdpSocket
from wsknet.scenario.outcomes import TCPIP
from wsknet.scenario.world import Failed
from wsknet.types import LOOPBACK_INDEX

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario.schema import OpenSocket
    from wsknet.scenario.world import Attempt
    from wsknet.trace import Decision
    from wsknet.types import Cover

MANNERS: dict[str, Manners] = {"winsock": WINSOCK, "linux": LINUX, "bsd": POSIX}
"""By face."""


class EndpointSockets:
    """`Sockets` of `host`; nothing here knows what the others do."""

    tells_why = True

    def __init__(self, host: Host, manners: Manners) -> None:
        self.host = host
        self.manners = manners
        self.decisions: list[Decision] = []
        self._sockets: dict[str, Any] = {}
        """With the operations of `UdpSocket` or `TcpSocket`."""

    def open(self, step: OpenSocket) -> None:
        kind = UdpSocket if step.type == "udp" else TcpSocket
        self._sockets[step.what] = kind(self.host, self.manners, step.family, step.owner, self.decisions)

    def _do(self, operation: str, socket: str, run: Callable[[Any], Any]) -> Any:
        """Errors of the stack become outcomes, by the words that the manners have for `operation`."""
        found = self._sockets.get(socket)
        if found is None:
            raise Failed("invalid", "the socket is closed")
        try:
            return run(found)
        except NetError as error:
            raise Failed(self.manners.outcome(operation, error.kind), error.detail) from None

    def option(self, socket: str, name: str, value: bool | int | str) -> None:
        self._do("option", socket, lambda found: found.set_option(name, value))

    def bind(self, socket: str, to: str) -> Attempt:
        attempt: Attempt = self._do("bind", socket, lambda found: found.bind(to))
        return attempt

    def listen(self, socket: str) -> None:
        self._do("listen", socket, lambda found: found.listen())

    def connect(self, socket: str, to: str | None) -> Attempt:
        attempt = self._do("connect", socket, lambda found: found.connect(to))
        return self._polled("connect", attempt)

    def accept(self, socket: str, named: str) -> Attempt:
        def keep(child: TcpSocket) -> None:
            self._sockets[named] = child

        return self._polled("accept", self._do("accept", socket, lambda found: found.accept(keep)))

    def send(self, socket: str, data: str, to: str | None, source: str, through: str) -> Attempt:
        attempt: Attempt = self._do("send", socket, lambda found: found.send(data, to, source, through))
        return attempt

    def receive(self, socket: str) -> Attempt:
        return self._polled("receive", self._do("receive", socket, lambda found: found.receive()))

    def name(self, socket: str) -> str:
        return str(self._do("name", socket, lambda found: found.name()))

    def peer(self, socket: str) -> str:
        return str(self._do("peer", socket, lambda found: found.peer()))

    def path(self, socket: str) -> str:
        self.peer(socket)
        return TCPIP

    def default_destination(self, socket: str, to: str | None) -> None:
        raise Failed("not-supported", "SIO_WSK_SET_SENDTO_ADDRESS is of WSK alone")

    def join(self, socket: str, group: str, interface: str) -> None:
        self._do("join", socket, lambda found: found.join(group, interface))

    def route_query(self, socket: str, to: str) -> str:
        return str(self._do("route-query", socket, lambda found: found.route_query(to)))

    def address_list(self, socket: str) -> str:
        cover: Cover = self._do("address-list", socket, lambda found: found.cover)
        lengths = {family.address_length for family in cover.families}
        return " ".join(
            text.format_address(address)
            for interface in self.host.stack.view().interfaces
            if interface.index != LOOPBACK_INDEX and interface.is_up
            for address, _ in interface.addresses
            if len(address) in lengths
        )

    def finish(self, socket: str) -> None:
        self._do("finish", socket, lambda found: found.finish())

    def close(self, socket: str) -> None:
        self._do("close", socket, lambda found: found.close())
        del self._sockets[socket]

    def kill(self, socket: str) -> None:
        raise Failed("not-supported", "the fault switches are of WSK alone")

    def close_all(self) -> None:
        for socket in list(self._sockets):
            self.close(socket)

    def _polled(self, operation: str, attempt: Attempt) -> Attempt:
        return _Polled(self.manners, operation, attempt)


class _Polled:
    """An attempt whose errors are told by the words of the manners."""

    def __init__(self, manners: Manners, operation: str, attempt: Attempt) -> None:
        self._manners, self._operation, self._attempt = manners, operation, attempt

    def poll(self) -> str | None:
        try:
            return self._attempt.poll()
        except NetError as error:
            raise Failed(self._manners.outcome(self._operation, error.kind), error.detail) from None

    def give_up(self) -> str:
        return self._attempt.give_up()
