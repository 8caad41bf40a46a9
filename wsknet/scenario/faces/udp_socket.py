"""A datagram socket on a `UdpEndpoint`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.scenario import addresses
from wsknet.scenario.faces.endpoint_socket import EndpointSocket, Receiving
from wsknet.scenario.world import Done, Failed
from wsknet.transport.endpoint import PacketInfo
from wsknet.types import Endpoint, Proto, family_of, is_link_local

if TYPE_CHECKING:
    from wsknet.transport.datagram import Datagram
    from wsknet.types import Cover, Instant

OPTIONS: dict[str, bool | int | str] = {
    "broadcast": False,
    "multicast-loop": True,
    "packet-info": False,
    "connection-reset": True,
    "multicast-if": "",
}


class UdpSocket(EndpointSocket):
    PROTOCOL = Proto.UDP

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._options: dict[str, bool | int | str] = dict(OPTIONS)

    def set_option(self, name: str, value: bool | int | str) -> None:
        if name not in OPTIONS:
            super().set_option(name, value)
            return
        self._options[name] = value
        if self.endpoint is not None:
            with self.host.pump as now:
                self._bound(now)

    def _open(self, cover: Cover) -> Any:
        return self.host.stack.udp.open(cover)

    def _bound(self, now: Instant) -> None:
        self.endpoint.may_broadcast = bool(self._options["broadcast"])
        self.endpoint.multicast.loops = bool(self._options["multicast-loop"])
        interface = str(self._options["multicast-if"])
        self.endpoint.multicast.if_index = self.index_of(interface) or self.device or None

    def listen(self) -> None:
        raise Failed("not-supported", "datagram sockets do not listen")

    def accept(self, keep: Any) -> Any:
        raise Failed("not-supported", "datagram sockets do not listen")

    def finish(self) -> None:
        raise Failed("not-supported", "a datagram socket has nothing to finish")

    def connect(self, to: str | None) -> Done:
        self.bind_implicitly()
        remote = None if to is None else self.remote(to)
        if remote is not None and remote.port:
            self.explain_path(remote)
        with self.host.pump as now:
            self.endpoint.connect(remote, now)
        return Done("ok")

    def send(self, data: str, to: str | None, source: str, through: str) -> Done:
        remote = self.remote(to) if to else None
        if self.endpoint is None and remote is None:
            raise Failed("not-connected" if self.manners.has_exclusive else "no-destination")
        self.bind_implicitly()
        target = remote or self.endpoint.remote
        if target is None:
            raise Failed("not-connected" if self.manners.has_exclusive else "no-destination")
        if not self.manners.has_exclusive and not self.endpoint.local.cover.includes(family_of(target.address)):
            raise Failed("wrong-family")
        info = None
        if source or through:
            address = addresses.unmapped(text.parse_address(source)) if source else None
            info = PacketInfo(address, self.index_of(through))
        self.explain_path(target, info.address if info else None, info.if_index if info else 0)
        with self.host.pump as now:
            self.endpoint.send((data.encode(),), remote, now, info)
        return Done("ok")

    def receive(self) -> Receiving:
        if self.endpoint is None and not self.manners.receives_unbound:
            raise Failed("invalid")
        return Receiving(self)

    def take(self) -> str | None:
        if self.endpoint is None:
            return None
        with self.host.pump:
            error = self.endpoint.take_error()
            datagram = None if error is not None else self.endpoint.receive()
        if error is not None:
            if error is ErrorKind.PORT_UNREACHABLE and not self._options["connection-reset"]:
                return None
            raise NetError(error)
        return None if datagram is None else self._received(datagram)

    def _received(self, datagram: Datagram) -> str:
        name = self.endpoint.local
        zone = datagram.source.zone if is_link_local(datagram.destination) else 0
        if datagram.cast.value == "unicast":
            self.explain_arrival(Endpoint(datagram.destination, name.port, zone), datagram.source)
        told = f"{datagram.data.decode(errors='replace')} from {self.shown(datagram.source)}"
        if self._options["packet-info"]:
            destination = addresses.mapped(datagram.destination, self.cover)
            told += f" to {text.format_address(destination)} on {self.interface_name(datagram.if_index)}"
        return told

    def peer(self) -> str:
        if self.endpoint is None or self.endpoint.remote is None:
            raise LocalError(ErrorKind.INVALID_STATE)
        return self.shown(self.endpoint.remote)

    def join(self, group: str, interface: str) -> None:
        self.bind_implicitly()
        index: Any = self.index_of(interface) or self.device or None
        with self.host.pump as now:
            self.endpoint.multicast.join(text.parse_address(group), index, now)
