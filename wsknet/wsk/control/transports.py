"""The transports of a host: WSK_TRANSPORT_LIST_QUERY and CHANGE (WSK-5.7), and how a lab takes one away.

`remove_transport` stands for what an administrator does when IPv6 is unbound from a machine.  From then on the list
does not have it and WskSocket answers STATUS_NOT_SUPPORTED (D-03); open sockets of it can only be closed (D-23), as
after the removal of their interface, and their connections are reset.  `add_transport` brings it back for new sockets,
not for those.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    IPPROTO_IP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.irp import IRP, IoSetCancelRoutine
from wsknet.wsk.kernel import kernel_of
from wsknet.wsk.requests import KEPT, Refusal, mark_pending
from wsknet.wsk.sockets.states import FORCED_CLOSED
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW, STATUS_CANCELLED, STATUS_SUCCESS
from wsknet.wsk.structures import GUID
from wsknet.wsk.structures_client import WSK_TRANSPORT

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.types import Instant
    from wsknet.wsk.client import Client
    from wsknet.wsk.control.ioctl import Buffers

__all__ = ["add_transport", "remove_transport"]

STREAM = (SOCK_STREAM, IPPROTO_TCP)
DATAGRAM = (SOCK_DGRAM, IPPROTO_UDP)
RAW = (SOCK_RAW, IPPROTO_IP)
"""As it is listed; a socket may name any protocol."""

COMBINATIONS: dict[int, tuple[tuple[int, int], ...]] = {
    # Windows creates a listening socket for UDP and refuses its bind (C-17).
    WSK_FLAG_LISTEN_SOCKET: (STREAM, DATAGRAM),
    WSK_FLAG_CONNECTION_SOCKET: (STREAM,),
    WSK_FLAG_DATAGRAM_SOCKET: (DATAGRAM, RAW),
    WSK_FLAG_STREAM_SOCKET: (STREAM,),
    WSK_FLAG_BASIC_SOCKET: (STREAM, DATAGRAM, RAW),
}
"""SocketType and Protocol by category."""

VERSION = 2
"""WSK_TRANSPORT.Version means what the transport likes; this is iVersion in the Winsock catalogue (from memory)."""

PROVIDER_IDS = {
    AF_INET: GUID(0xE70F1AA0, 0xAB8B, 0x11CF, bytes.fromhex("8CA300805F48A192")),
    AF_INET6: GUID(0xF9EAB0C0, 0x26D4, 0x11D0, bytes.fromhex("BBBF00AA006C34E4")),
}
"""Of MSAFD Tcpip in the Winsock catalogue (from memory); which ones WSK tells is not documented."""


class Transport(NamedTuple):
    AddressFamily: int
    SocketType: int
    Protocol: int

    @property
    def kind(self) -> tuple[int, int]:
        return self.SocketType, self.Protocol


NATIVE = tuple(
    Transport(family, *kind) for family in PROVIDER_IDS for kind in dict.fromkeys(chain(*COMBINATIONS.values()))
)


class Transports:
    """Of one host; `transports_of` finds it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.present = dict.fromkeys(NATIVE, True)
        self._waiting: list[tuple[Client, IRP]] = []
        """WSK_TRANSPORT_LIST_CHANGE requests."""
        self._clients: set[Client] = set()
        """Those that have made one: they tell when they deregister."""

    def find(self, AddressFamily: int, SocketType: int, Protocol: int) -> Transport | None:
        """The transport for a new socket, if the host has one."""
        wanted = Transport(AddressFamily, SocketType, IPPROTO_IP if SocketType == SOCK_RAW else Protocol)
        return wanted if self.present.get(wanted) else None

    def list(self) -> list[WSK_TRANSPORT]:
        return [
            WSK_TRANSPORT(VERSION, kind.SocketType, kind.Protocol, kind.AddressFamily, PROVIDER_IDS[kind.AddressFamily])
            for kind, is_present in self.present.items()
            if is_present
        ]

    def change(self, AddressFamily: int, SocketType: int, is_present: bool) -> None:
        chosen = [
            transport
            for transport in NATIVE
            if AddressFamily in (AF_UNSPEC, transport.AddressFamily) and SocketType in (0, transport.SocketType)
        ]
        if not chosen:
            raise ValueError(f"no transport has family {AddressFamily} and type {SocketType}")
        with self.host.pump as now:
            if all(self.present[transport] is is_present for transport in chosen):
                return
            self.present.update(dict.fromkeys(chosen, is_present))
            gone = {transport[:2] for transport, is_there in self.present.items() if not is_there}
            for client in kernel_of(self.host).clients:
                for socket in list(client.sockets):
                    is_useless = socket.is_closing or socket.state == FORCED_CLOSED
                    if (socket.family, socket.socket_type) in gone and not is_useless:
                        socket.force_close(now)
            waiting, self._waiting = self._waiting, []
            for client, Irp in waiting:
                client.finished(Irp, STATUS_SUCCESS)

    def wait(self, Irp: IRP, client: Client) -> Any:
        """Keep `Irp` until the list changes, it is cancelled, or `client` deregisters."""
        if client not in self._clients:
            self._clients.add(client)
            client.at_deregistration.append(lambda: self._forget(client))
        self._waiting.append((client, Irp))
        client.pended(Irp)
        mark_pending(Irp)
        IoSetCancelRoutine(Irp, self._cancel)
        if Irp.Cancel and IoSetCancelRoutine(Irp, None) is not None:
            self._take(Irp)
        return KEPT

    def _cancel(self, DeviceObject: object, Irp: IRP) -> None:
        with self.host.pump:
            self._take(Irp)

    def _take(self, Irp: IRP) -> None:
        """Complete `Irp` with STATUS_CANCELLED, unless it has completed since."""
        for position, (client, waiting) in enumerate(self._waiting):
            if waiting is Irp:
                del self._waiting[position]
                client.finished(Irp, STATUS_CANCELLED)
                return

    def _forget(self, client: Client) -> None:
        self._clients.discard(client)
        for waiting, Irp in list(self._waiting):
            if waiting is client:
                self._take(Irp)


def transports_of(host: Host) -> Transports:
    transports: Transports | None = host.faces.get(Transports)
    if transports is None:
        transports = host.faces.setdefault(Transports, Transports(host))
    return transports


def remove_transport(host: Host, AddressFamily: int = AF_UNSPEC, SocketType: int = 0) -> None:
    """Let `host` have no transport any more for a family and a type of sockets; 0 stands for all of them.

    `ValueError` if there never was one.
    """
    transports_of(host).change(AddressFamily, SocketType, False)


def add_transport(host: Host, AddressFamily: int = AF_UNSPEC, SocketType: int = 0) -> None:
    """Let `host` have back what `remove_transport` took."""
    transports_of(host).change(AddressFamily, SocketType, True)


# Control codes


def query(now: Instant, client: Client, buffers: Buffers) -> None:
    """Any input is ignored."""
    returned = buffers.OutputSizeReturned
    if returned is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    found = transports_of(client.host).list()
    size = WSK_TRANSPORT.SIZE * len(found)
    returned[:] = [size]
    if buffers.OutputSize < size:
        raise Refusal(STATUS_BUFFER_OVERFLOW)
    out = buffers.OutputBuffer
    if isinstance(out, list):
        out[:] = found
    elif size:
        if out is None or len(out) < size:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        out[:size] = b"".join(map(bytes, found))


def await_change(Irp: IRP, now: Instant, client: Client, buffers: Buffers) -> Any:
    buffers.require_no_input()
    return transports_of(client.host).wait(Irp, client)
