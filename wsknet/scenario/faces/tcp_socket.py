"""A stream socket on a `TcpEndpoint`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.scenario.faces.endpoint_socket import EndpointSocket, Receiving
from wsknet.scenario.outcomes import CLOSED, NOTHING, PENDING
from wsknet.scenario.world import Done, Failed
from wsknet.transport.ports import PortChoice
from wsknet.transport.tcp.state import CONNECTING, State
from wsknet.types import LocalName, Proto

if TYPE_CHECKING:
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.types import Cover, Instant

ALL = 1 << 20


class TcpSocket(EndpointSocket):
    PROTOCOL = Proto.TCP

    def _open(self, cover: Cover) -> Any:
        return self.host.stack.tcp.open(cover)

    def _visible_name(self) -> LocalName:
        """From connect on with the address that was chosen then."""
        connection = self.endpoint.connection
        name: LocalName = self.endpoint.local
        return name if connection is None else connection.name

    def listen(self) -> None:
        if self.endpoint is None and not self.manners.listens_unbound:
            raise LocalError(ErrorKind.INVALID_STATE, "bind first")
        self.bind_implicitly()
        with self.host.pump as now:
            self.endpoint.listen(now)

    def connect(self, to: str | None) -> _Connect:
        if to is None:
            raise Failed("not-supported", "a connection keeps its peer")
        if self.endpoint is not None:
            self._refuse_second()
        remote = self.remote(to)
        self.bind_implicitly(PortChoice.AT_CONNECT)  # SO_REUSE_UNICASTPORT is on there; so does Linux
        if remote.port:
            self.explain_path(remote)
        with self.host.pump as now:
            self.endpoint.connect(remote, now)
        return _Connect(self.endpoint)

    def _refuse_second(self) -> None:
        state = self.endpoint.state
        if state in CONNECTING:
            raise Failed("already")
        if state is State.LISTEN:
            raise Failed("invalid" if self.manners.has_exclusive else "is-connected")
        if state is not State.CLOSED:
            raise Failed("is-connected")

    def accept(self, keep: Callable[[TcpSocket], None]) -> _Accept:
        if self.endpoint is None or self.endpoint.listener is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not listening")
        return _Accept(self, keep)

    def take_connection(self) -> TcpSocket | None:
        with self.host.pump as now:
            endpoint = self.endpoint.accept(now)
        if endpoint is None:
            return None
        child = TcpSocket(self.host, self.manners, "ipv4", self.security.account, self._decisions)
        child.cover, child.endpoint = self.cover, endpoint
        self.explain_arrival(endpoint.local_endpoint, endpoint.remote)
        return child

    def send(self, data: str, to: str | None, source: str, through: str) -> Done:
        if self.endpoint is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        if self.endpoint.state in CONNECTING:
            if self.manners.waits_while_connecting:
                return Done(PENDING)
            raise Failed("not-connected")
        with self.host.pump as now:
            self.endpoint.send(data.encode(), now)
        return Done("ok")

    def receive(self) -> Receiving:
        if self.endpoint is None or self.endpoint.connection is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        if self.endpoint.state in CONNECTING and not self.manners.waits_while_connecting:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected yet")
        return Receiving(self)

    def take(self) -> str | None:
        with self.host.pump as now:
            data = self.endpoint.receive(ALL, now)
        if data:
            return str(data.decode(errors="replace"))
        if self.endpoint.peer_finished:
            return CLOSED
        if self.endpoint.error is not None:
            raise NetError(self.endpoint.error)
        return None

    def peer(self) -> str:
        if self.endpoint is None or self.endpoint.remote is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        return self.shown(self.endpoint.remote)

    def finish(self) -> None:
        if self.endpoint is None:
            raise LocalError(ErrorKind.INVALID_STATE, "not connected")
        with self.host.pump as now:
            self.endpoint.finish(now)

    def join(self, group: str, interface: str) -> None:
        raise Failed("not-supported", "only datagram sockets join groups")

    def close(self) -> None:
        """Gracefully, as `close` of Winsock and POSIX without SO_LINGER."""
        endpoint: TcpEndpoint | None = self.endpoint
        if endpoint is None:
            return
        with self.host.pump as now:
            if endpoint.state in _CAN_FINISH and not endpoint.readable:
                endpoint.finish(now)
                endpoint.owner = _Orphan(endpoint)
            else:
                endpoint.close(now)
        self.endpoint = None


_CAN_FINISH = frozenset({State.ESTABLISHED, State.CLOSE_WAIT})


class _Orphan:
    """What a closed socket leaves behind until the peer has finished, too."""

    def __init__(self, endpoint: TcpEndpoint) -> None:
        self._endpoint = endpoint

    def on_ready(self, readiness: int, now: Instant) -> None:
        endpoint = self._endpoint
        if endpoint.peer_finished or endpoint.error is not None:
            endpoint.close(now)


class _Connect:
    def __init__(self, endpoint: TcpEndpoint) -> None:
        self._endpoint = endpoint

    def poll(self) -> str | None:
        if self._endpoint.error is not None:
            raise NetError(self._endpoint.error)
        return None if self._endpoint.state in CONNECTING else "ok"

    def give_up(self) -> str:
        return PENDING


class _Accept:
    def __init__(self, socket: TcpSocket, keep: Callable[[TcpSocket], None]) -> None:
        self._socket, self._keep = socket, keep

    def poll(self) -> str | None:
        child = self._socket.take_connection()
        if child is None:
            return None
        self._keep(child)
        return f"{child.peer()} at {child.name()}"

    def give_up(self) -> str:
        return NOTHING
