"""Sockets of a scenario through the public functions of WSK.

Nothing is smoothed over: there is no connect or send without a bind before it, a datagram socket has no remote address
to ask for, a send on a connection ends when the peer has acknowledged it, and closing one that is not finished both
ways resets it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.scenario import addresses
from wsknet.scenario.faces.why import why_arrival, why_bind, why_path
from wsknet.scenario.faces.wsk_options import CONTROL_ROOM, Value, packet_info, read_packet_info, settings
from wsknet.scenario.faces.wsk_requests import Request, failure, require
from wsknet.scenario.faces.wsk_socket import WskSocket
from wsknet.scenario.outcomes import CLOSED, TCPIP
from wsknet.scenario.world import Failed
from wsknet.transport.sharing import Security
from wsknet.types import Address, Cover, Endpoint, LocalName, Proto
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    EPROCESS,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    MSG_BCAST,
    MSG_MCAST,
    SECURITY_DESCRIPTOR,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_UDP_CONNRESET,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SOCKADDR_STORAGE,
    SOCKET_ADDRESS_LIST,
    STATUS_INSUFFICIENT_RESOURCES,
    WSK_BUF,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WskIoctl,
    faults_of,
    simple,
)

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario.schema import OpenSocket
    from wsknet.scenario.world import Attempt
    from wsknet.trace import Decision

DEFAULT_ACCOUNT = "user"
RECEIVE_SIZE = 1 << 16
LIST_SIZE = 1 << 16
"""Room for more addresses than a host has."""


class WskSockets:
    """`Sockets` of `host`, in one application of its own."""

    tells_why = True

    def __init__(self, host: Host) -> None:
        self.decisions: list[Decision] = []
        self._host = host
        self._sockets: dict[str, WskSocket] = {}
        with host.activate():
            self._application = simple.Application()

    def _find(self, name: str) -> WskSocket:
        found = self._sockets.get(name)
        if found is None:
            raise Failed("invalid", "the socket is closed")
        return found

    def _begin(self, socket: WskSocket, function: str, *arguments: Any, **how: Any) -> Request:
        return Request(self._host, socket.function(function), socket.handle, *arguments, **how)

    def _call(self, function: Callable[..., tuple[Any, Any]], *arguments: Any) -> Any:
        """One of `simple`, for what does not wait for others."""
        with self._host.activate():
            return require(function(*arguments))

    def _buffer(self, memory: bytes | bytearray) -> WSK_BUF:
        with self._host.activate():
            try:
                return simple.buffer(memory)
            except MemoryError:
                raise failure(STATUS_INSUFFICIENT_RESOURCES) from None

    # Opening, options

    def open(self, step: OpenSocket) -> None:
        """Of the stream category for TCP: such a socket may listen or connect, as others expect it of a socket."""
        protocol = Proto.UDP if step.type == "udp" else Proto.TCP
        cover = addresses.COVERS[step.family]
        account = step.owner or DEFAULT_ACCOUNT
        allowed = step.shares_with or (() if step.owner else (account,))
        with self._host.activate():
            handle = require(
                self._application.open(
                    WSK_FLAG_DATAGRAM_SOCKET if protocol is Proto.UDP else WSK_FLAG_STREAM_SOCKET,
                    AF_INET if cover is Cover.IPV4 else AF_INET6,
                    OwningProcess=EPROCESS(account),
                    SecurityDescriptor=SECURITY_DESCRIPTOR(*allowed) if allowed else None,
                )
            )
        socket = WskSocket(self._host, handle, protocol, cover, Security(account, frozenset(allowed)))
        if cover is not Cover.IPV4:
            self._call(simple.set_option, handle, IPPROTO_IPV6, IPV6_V6ONLY, int(cover is Cover.IPV6))
        if protocol is Proto.UDP:
            # Only so does WSK tell to which address a datagram came; without it no arrival could be explained.
            for setting in settings("packet-info", True, cover, socket.index_of):
                self._call(simple.set_option, handle, *setting)
        self._sockets[step.what] = socket

    def option(self, socket: str, name: str, value: Value) -> None:
        found = self._find(socket)
        if name == "connection-reset":
            self._ioctl(found, SIO_UDP_CONNRESET, int(bool(value)).to_bytes(4, "little"))
        elif name == "packet-info" and not found.is_stream:
            found.tells_packet_info = bool(value)
        else:
            for level, code, number in settings(name, value, found.cover, found.index_of):
                self._call(simple.set_option, found.handle, level, code, number)
            found.note_option(name, value)

    # Names

    def bind(self, socket: str, to: str) -> Attempt:
        found = self._find(socket)
        address = found.sockaddr(to)
        name = found.local_name(to)
        if name is not None and (name.port or not found.has_port_choice):
            decision = why_bind(self._host, found.protocol, name, found.sharing, found.security)
            self.decisions.append(decision)
        return self._begin(found, "WskBind", address, 0)

    def name(self, socket: str) -> str:
        found = self._find(socket)
        return found.text_of(self._call(simple.local_address, found.handle))

    def peer(self, socket: str) -> str:
        found = self._find(socket)
        found.function("WskGetRemoteAddress")
        return found.text_of(self._call(simple.remote_address, found.handle))

    def _local(self, socket: WskSocket) -> LocalName | None:
        """`None` where WSK tells none."""
        try:
            return socket.local_name(socket.text_of(self._call(simple.local_address, socket.handle)))
        except Failed:
            return None

    # Connections

    def listen(self, socket: str) -> None:
        found = self._find(socket)
        found.function("WskListen")
        self._call(simple.listen, found.handle)

    def connect(self, socket: str, to: str | None) -> Attempt:
        found = self._find(socket)
        if to is None:
            return self._begin_ioctl(found, SIO_WSK_SET_REMOTE_ADDRESS, None, then=lambda _: found.set_peer(None))
        address, remote = found.sockaddr(to), found.remote(to)
        self._explain_path(found, remote)
        if found.is_stream:
            return self._begin(found, "WskConnect", address, 0, names_destination=True)
        return self._begin_ioctl(found, SIO_WSK_SET_REMOTE_ADDRESS, address, then=lambda _: found.set_peer(remote))

    def accept(self, socket: str, named: str) -> Attempt:
        found = self._find(socket)
        local, remote = SOCKADDR_STORAGE(), SOCKADDR_STORAGE()

        def accepted(handle: Any) -> str:
            self._sockets[named] = WskSocket(self._host, handle, Proto.TCP, found.cover, found.security)
            names = found.text_of(local), found.text_of(remote)
            self._explain_arrival(found, found.remote(names[0]), found.remote(names[1]))
            return f"{names[1]} at {names[0]}"

        return self._begin(found, "WskAccept", 0, None, None, local, remote, then=accepted, is_taken_back=True)

    def finish(self, socket: str) -> None:
        """Does not wait for the peer to acknowledge it."""
        self._begin(self._find(socket), "WskDisconnect", None, 0).poll()

    def kill(self, socket: str) -> None:
        faults_of(self._host).kill(self._find(socket).handle)

    def close(self, socket: str) -> None:
        found = self._find(socket)
        self._call(simple.close, found.handle)
        del self._sockets[socket]

    def close_all(self) -> None:
        for socket in list(self._sockets):
            self.close(socket)

    # Data

    def send(self, socket: str, data: str, to: str | None, source: str, through: str) -> Attempt:
        found = self._find(socket)
        if found.is_stream:
            if to or source or through:
                raise Failed("invalid", "WskSend takes no address")
            return self._begin(found, "WskSend", self._buffer(data.encode()), 0, names_destination=True)
        remote = found.remote(to) if to else found.default_remote
        address = found.sockaddr(to) if to else None
        octets, index = found.source_address(source), found.index_of(through)
        control = None
        if source or through:
            is_ipv4 = len(remote.address) == 4 if remote else found.cover is Cover.IPV4
            if octets is not None and is_ipv4 != (len(octets) == 4):
                raise Failed("invalid", "the source is of another family than the destination")
            control = packet_info(is_ipv4, octets, index)
        if remote is not None:
            self._explain_path(found, remote, octets, index)
        arguments = (self._buffer(data.encode()), 0, address, len(control or b""), control)
        return self._begin(found, "WskSendTo", *arguments, names_destination=True)

    def receive(self, socket: str) -> Attempt:
        found = self._find(socket)
        memory = bytearray(RECEIVE_SIZE)
        if not found.is_stream:
            return self._receive_from(found, memory)

        def received(count: int) -> str:
            return memory[:count].decode(errors="replace") if count else CLOSED

        return self._begin(found, "WskReceive", self._buffer(memory), 0, then=received, is_taken_back=True)

    def _receive_from(self, socket: WskSocket, memory: bytearray) -> Request:
        source, control = SOCKADDR_STORAGE(), bytearray(CONTROL_ROOM)
        length, flags = [CONTROL_ROOM], [0]

        def received(count: int) -> str:
            sender = socket.text_of(source)
            told = f"{memory[:count].decode(errors='replace')} from {sender}"
            arrival = read_packet_info(control, length[0])
            if arrival is None:
                return told
            destination, index = arrival
            if not flags[0] & (MSG_BCAST | MSG_MCAST):
                port = self._port(socket)
                remote = socket.remote(sender)
                zone = remote.zone if len(destination) == 16 else 0
                self._explain_arrival(socket, Endpoint(destination, port, zone), remote)
            return told + (socket.arrival_text(destination, index) if socket.tells_packet_info else "")

        arguments = (self._buffer(memory), 0, source, length, control, flags)
        return self._begin(socket, "WskReceiveFrom", *arguments, then=received, is_taken_back=True)

    def _port(self, socket: WskSocket) -> int:
        name = self._local(socket)
        return name.port if name is not None else 0

    def path(self, socket: str) -> str:
        self.peer(socket)
        return TCPIP

    # Control

    def default_destination(self, socket: str, to: str | None) -> None:
        found = self._find(socket)
        remote = found.remote(to) if to else None
        self._ioctl(found, SIO_WSK_SET_SENDTO_ADDRESS, found.sockaddr(to) if to else None)
        found.destination = remote

    def join(self, socket: str, group: str, interface: str) -> None:
        found = self._find(socket)
        self._call(simple.join_group, found.handle, group.partition("%")[0], found.index_of(interface))

    def route_query(self, socket: str, to: str) -> str:
        found = self._find(socket)
        answer = SOCKADDR_STORAGE()
        self._ioctl(found, SIO_ROUTING_INTERFACE_QUERY, found.sockaddr(found.with_port(to)), answer)
        return found.address_text(answer)

    def address_list(self, socket: str) -> str:
        found = self._find(socket)
        memory = bytearray(LIST_SIZE)
        self._ioctl(found, SIO_ADDRESS_LIST_QUERY, None, memory)
        entries = SOCKET_ADDRESS_LIST.cast(memory).Address
        return " ".join(found.address_text(entry.lpSockaddr) for entry in entries if entry.lpSockaddr is not None)

    def _ioctl(self, socket: WskSocket, code: int, given: Any, output: Any = None) -> None:
        """For what ends at once."""
        arguments = _ioctl_arguments(socket, code, given, output)
        self._call(simple.call, socket.function("WskControlSocket"), socket.handle, *arguments)

    def _begin_ioctl(self, socket: WskSocket, code: int, given: Any, then: Callable[[Any], str]) -> Request:
        arguments = _ioctl_arguments(socket, code, given, None)
        return self._begin(socket, "WskControlSocket", *arguments, then=then, names_destination=True)

    # Decisions

    def _explain_path(
        self, socket: WskSocket, remote: Endpoint, source: Address | None = None, interface: int = 0
    ) -> None:
        if not remote.port:
            return
        local = self._local(socket)
        if local is None:
            return  # it is going to be refused, whatever the path
        through = interface or socket.through[len(remote.address)]
        zone = remote.zone or local.zone
        self.decisions.append(why_path(self._host, remote.address, source or local.address, zone, through))

    def _explain_arrival(self, socket: WskSocket, local: Endpoint, remote: Endpoint) -> None:
        self.decisions.append(why_arrival(self._host, socket.protocol, local, remote))


def _ioctl_arguments(socket: WskSocket, code: int, given: Any, output: Any) -> tuple[Any, ...]:
    size = 0 if given is None else len(bytes(given))
    room = 0 if output is None else len(bytes(output))
    return WskIoctl, code, 0, size, given, room, output, None
