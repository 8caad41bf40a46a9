"""Sockets of the kernel in a host's namespace, with the same operations as those of emulated hosts."""

from __future__ import annotations

import errno
import os
import socket as posix
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from wsknet import text
from wsknet.machine.kernel_host import KernelHost
from wsknet.scenario import addresses
from wsknet.scenario.addresses import format_name, mapped, unmapped
from wsknet.scenario.faces import kernel_address
from wsknet.scenario.faces.kernel_address import index_of, interface_name, pack, shown
from wsknet.scenario.faces.kernel_options import IP_PKTINFO, set_option
from wsknet.scenario.outcomes import CLOSED, NOTHING, OK, OUTCOME_OF_ERRNO, PENDING, TCPIP
from wsknet.scenario.world import Done, Failed
from wsknet.types import Cover

if TYPE_CHECKING:
    from wsknet.scenario.schema import OpenSocket
    from wsknet.scenario.world import Attempt
    from wsknet.trace import Decision

BACKLOG = 16
READ_SIZE = 65536


class KernelSockets:
    """`Sockets` of one host.  The kernel gives no reasons, so there are no decisions."""

    tells_why = False

    def __init__(self, host: KernelHost) -> None:
        self.host = host
        self.decisions: list[Decision] = []
        self._sockets: dict[str, posix.socket] = {}

    def open(self, step: OpenSocket) -> None:
        family = posix.AF_INET if step.family == "ipv4" else posix.AF_INET6
        kind = posix.SOCK_DGRAM if step.type == "udp" else posix.SOCK_STREAM
        with _outcomes(), self.host.namespace.entered():
            sock = posix.socket(family, kind | posix.SOCK_NONBLOCK)
        if family == posix.AF_INET6:
            sock.setsockopt(posix.IPPROTO_IPV6, posix.IPV6_V6ONLY, step.family == "ipv6")
        self._sockets[step.what] = sock

    def option(self, socket: str, name: str, value: bool | int | str) -> None:
        with _outcomes():
            set_option(self.host, self._get(socket), name, value)

    def bind(self, socket: str, to: str) -> Attempt:
        with _outcomes():
            kernel_address.bind(self._get(socket), pack(self.host, to))
        return Done(OK)

    def listen(self, socket: str) -> None:
        with _outcomes():
            self._get(socket).listen(BACKLOG)

    def connect(self, socket: str, to: str | None) -> Attempt:
        sock = self._get(socket)
        name = kernel_address.UNSPECIFIED if to is None else pack(self.host, to)
        with _outcomes():
            try:
                kernel_address.connect(sock, name)
            except BlockingIOError as error:
                if error.errno == errno.EINPROGRESS:
                    return _Attempt(lambda: _connected(sock), PENDING)
                raise
        return Done(OK)

    def accept(self, socket: str, named: str) -> Attempt:
        sock = self._get(socket)

        def take() -> str | None:
            try:
                child, peer = sock.accept()
            except BlockingIOError:
                return None
            child.setblocking(False)
            self._sockets[named] = child
            return f"{shown(self.host, peer)} at {shown(self.host, child.getsockname())}"

        return _Attempt(take, NOTHING)

    def send(self, socket: str, data: str, to: str | None, source: str, through: str) -> Attempt:
        sock = self._get(socket)
        with _outcomes():
            if source or through:
                self._send_from(sock, data.encode(), to, source, through)
            else:
                try:
                    kernel_address.sendto(sock, data.encode(), pack(self.host, to) if to else b"")
                except BlockingIOError:
                    if _is_datagram(sock):
                        raise
                    return Done(PENDING)
        return Done(OK)

    def receive(self, socket: str) -> Attempt:
        sock = self._get(socket)
        take = self._datagram if _is_datagram(sock) else _stream
        return _Attempt(lambda: take(sock), NOTHING)

    def name(self, socket: str) -> str:
        with _outcomes():
            return shown(self.host, self._get(socket).getsockname())

    def peer(self, socket: str) -> str:
        with _outcomes():
            return shown(self.host, self._get(socket).getpeername())

    def path(self, socket: str) -> str:
        self.peer(socket)
        return TCPIP

    def default_destination(self, socket: str, to: str | None) -> None:
        raise Failed("not-supported", "SIO_WSK_SET_SENDTO_ADDRESS is of WSK alone")

    def join(self, socket: str, group: str, interface: str) -> None:
        sock = self._get(socket)
        octets = text.parse_address(group)
        index = index_of(self.host, interface)
        with _outcomes():
            if len(octets) == 4:
                member = struct.pack("=4s4si", octets, bytes(4), index)
                sock.setsockopt(posix.IPPROTO_IP, posix.IP_ADD_MEMBERSHIP, member)
            else:
                sock.setsockopt(posix.IPPROTO_IPV6, posix.IPV6_JOIN_GROUP, struct.pack("=16si", octets, index))

    def route_query(self, socket: str, to: str) -> str:
        """The kernel has no such call: what a new socket is bound to after a connect."""
        address, _, zone = to.partition("%")
        octets = text.parse_address(address)
        family = posix.AF_INET if len(octets) == 4 else posix.AF_INET6
        with _outcomes():
            with self.host.namespace.entered():
                probe = posix.socket(family, posix.SOCK_DGRAM)
            with probe:
                kernel_address.connect(probe, pack(self.host, format_name(octets, 1, zone)))
                return text.format_address(text.parse_address(probe.getsockname()[0].partition("%")[0]))

    def address_list(self, socket: str) -> str:
        raise Failed("not-supported", "SIO_ADDRESS_LIST_QUERY is of Winsock")

    def finish(self, socket: str) -> None:
        with _outcomes():
            self._get(socket).shutdown(posix.SHUT_WR)

    def close(self, socket: str) -> None:
        self._get(socket).close()
        del self._sockets[socket]

    def kill(self, socket: str) -> None:
        raise Failed("not-supported", "the fault switches are of WSK alone")

    def close_all(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def _get(self, name: str) -> posix.socket:
        if name not in self._sockets:
            raise Failed("invalid", "the socket is closed")
        return self._sockets[name]

    def _datagram(self, sock: posix.socket) -> str | None:
        try:
            data, ancillary, _, source = sock.recvmsg(READ_SIZE, 512)
        except BlockingIOError:
            return None
        told = f"{data.decode(errors='replace')} from {shown(self.host, source)}"
        for level, kind, value in ancillary:
            if (level, kind) == (posix.IPPROTO_IP, IP_PKTINFO):
                index, _, address = struct.unpack("=i4s4s", value[:12])
            elif (level, kind) == (posix.IPPROTO_IPV6, posix.IPV6_PKTINFO):
                address, index = struct.unpack("=16si", value[:20])
            else:
                continue
            told += f" to {text.format_address(address)} on {interface_name(self.host, index)}"
        return told

    def _send_from(self, sock: posix.socket, data: bytes, to: str | None, source: str, through: str) -> None:
        """With in_pktinfo or in6_pktinfo."""
        octets = text.parse_address(source) if source else b""
        index = index_of(self.host, through)
        if sock.family == posix.AF_INET:
            info = struct.pack("=i4s4s", index, unmapped(octets) or bytes(4), bytes(4))
            control = (posix.IPPROTO_IP, IP_PKTINFO, info)
        else:
            wide = mapped(octets, Cover.DUAL) if octets else bytes(16)
            control = (posix.IPPROTO_IPV6, posix.IPV6_PKTINFO, struct.pack("=16si", wide, index))
        if to:
            # Python has no sendmsg with a name of another family; for this operation the families agree.
            name = addresses.parse_name(to)
            address = text.format_address(name.address)
            zone = index_of(self.host, name.zone)
            short = len(name.address) == 4
            sock.sendmsg([data], [control], 0, (address, name.port) if short else (address, name.port, 0, zone))
        else:
            sock.sendmsg([data], [control])


class _Attempt:
    def __init__(self, take: Callable[[], str | None], at_last: str) -> None:
        self._take, self._at_last = take, at_last

    def poll(self) -> str | None:
        with _outcomes():
            return self._take()

    def give_up(self) -> str:
        return self._at_last


def _connected(sock: posix.socket) -> str | None:
    number = sock.getsockopt(posix.SOL_SOCKET, posix.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))
    with suppress(OSError):  # ENOTCONN while it is under way
        sock.getpeername()
        return OK
    return None


def _stream(sock: posix.socket) -> str | None:
    try:
        data = sock.recv(READ_SIZE)
    except BlockingIOError:
        return None
    return data.decode(errors="replace") if data else CLOSED


def _is_datagram(sock: posix.socket) -> bool:
    return sock.type == posix.SOCK_DGRAM


@contextmanager
def _outcomes() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        name = errno.errorcode.get(number, str(number)).lower()
        outcome = "no-ports" if number == errno.EAGAIN else OUTCOME_OF_ERRNO.get(number, name)
        raise Failed(outcome, os.strerror(number)) from None
