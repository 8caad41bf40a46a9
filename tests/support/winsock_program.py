"""A program that calls the functions of a Winsock provider, and a link with two of them.

Calls that only succeed or fail return 0 or the error; `recv` and the like return what they got, or the error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wsknet.behaviour import WINDOWS, SharingTable
from wsknet.host import Host, Network
from wsknet.san.base import TcpipProvider
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    FIONBIO,
    INVALID_SOCKET,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF, WSANETWORKEVENTS, WSAOVERLAPPED
from wsknet.text import format_address, parse_address

BEHAVIOUR = replace(WINDOWS, sharing=SharingTable.WINSOCK_2003)


def sockaddr(address: str, port: int) -> SOCKADDR_IN:
    return SOCKADDR_IN(parse_address(address), port)


def shown(name: SOCKADDR_IN) -> tuple[str, int]:
    return format_address(name.sin_addr), name.port


class Program:
    def __init__(self, host: Host, account: str = "user") -> None:
        self.host = host
        self.provider = TcpipProvider(host, account)
        self.table = self.provider.table

    def call(self, function: str, *arguments: Any) -> int:
        """0, or the error that the function stored; the result must fit."""
        lpErrno = INT()
        result = getattr(self.table, "lp" + function)(*arguments, lpErrno)
        assert result == (SOCKET_ERROR if lpErrno.Value else 0)
        return int(lpErrno.Value)

    def make(self, function: str, *arguments: Any) -> tuple[int, int]:
        """A descriptor and 0, or INVALID_SOCKET and the error."""
        lpErrno = INT()
        result = int(getattr(self.table, "lp" + function)(*arguments, lpErrno))
        assert (result == INVALID_SOCKET) == bool(lpErrno.Value)
        return result, int(lpErrno.Value)

    def socket(self, type_: int = SOCK_STREAM, flags: int = WSA_FLAG_OVERLAPPED) -> int:
        found, error = self.make("WSPSocket", AF_INET, type_, 0, None, 0, flags)
        assert not error
        return found

    def bind(self, s: int, address: str, port: int) -> int:
        return self.call("WSPBind", s, sockaddr(address, port), SIZE)

    def connect(self, s: int, address: str, port: int) -> int:
        return self.call("WSPConnect", s, sockaddr(address, port), SIZE, None, None, None, None)

    def listen(self, s: int, backlog: int = 5) -> int:
        return self.call("WSPListen", s, backlog)

    def accept(self, s: int, condition: Callable[..., int] | None = None, data: Any = None) -> tuple[int, int]:
        return self.make("WSPAccept", s, None, None, condition, data)

    def close(self, s: int) -> int:
        return self.call("WSPCloseSocket", s)

    def shutdown(self, s: int, how: int) -> int:
        return self.call("WSPShutdown", s, how)

    def name(self, s: int) -> tuple[str, int] | int:
        return self._name("WSPGetSockName", s)

    def peer(self, s: int) -> tuple[str, int] | int:
        return self._name("WSPGetPeerName", s)

    def _name(self, function: str, s: int) -> tuple[str, int] | int:
        found, length = SOCKADDR_IN(), INT(SIZE)
        return self.call(function, s, found, length) or shown(found)

    def send(self, s: int, *data: bytes, flags: int = 0) -> tuple[int, int]:
        """How much, and the error."""
        count = INT()
        buffers = [WSABUF(each) for each in data]
        error = self.call("WSPSend", s, buffers, len(buffers), count, flags, None, None, None)
        return count.Value, error

    def recv(self, s: int, size: int = 4096, flags: int = 0) -> bytes | int:
        data, count = bytearray(size), INT()
        error = self.call("WSPRecv", s, [WSABUF(data)], 1, count, INT(flags), None, None, None)
        return error or bytes(data[: count.Value])

    def sendto(self, s: int, data: bytes, address: str, port: int, flags: int = 0) -> int:
        buffers = [WSABUF(data)]
        return self.call("WSPSendTo", s, buffers, 1, INT(), flags, sockaddr(address, port), SIZE, None, None, None)

    def recvfrom(self, s: int, size: int = 4096, flags: int = 0) -> tuple[bytes, tuple[str, int]] | int:
        data, count, sender = bytearray(size), INT(), SOCKADDR_IN()
        buffers = [WSABUF(data)]
        error = self.call("WSPRecvFrom", s, buffers, 1, count, INT(flags), sender, INT(SIZE), None, None, None)
        return error or (bytes(data[: count.Value]), shown(sender))

    def recv_overlapped(
        self, s: int, data: bytearray, overlapped: WSAOVERLAPPED, routine: Callable[..., None] | None = None
    ) -> int:
        return self.call("WSPRecv", s, [WSABUF(data)], 1, None, INT(), overlapped, routine, None)

    def send_overlapped(self, s: int, data: bytes, overlapped: WSAOVERLAPPED) -> int:
        return self.call("WSPSend", s, [WSABUF(data)], 1, None, 0, overlapped, None, None)

    def result(self, s: int, overlapped: WSAOVERLAPPED, wait: bool = False) -> tuple[int, int]:
        """How much was transferred, and the error."""
        count, error = INT(), INT()
        done = self.table.lpWSPGetOverlappedResult(s, overlapped, count, wait, INT(), error)
        assert done is not bool(error.Value)
        return count.Value, error.Value

    def ioctl(self, s: int, code: int, given: Any = None, size: int = 0, out: Any = None, room: int = 0) -> int:
        return self.call("WSPIoctl", s, code, given, size, out, room, INT(), None, None, None)

    def nonblocking(self, s: int, value: int = 1) -> int:
        return self.ioctl(s, FIONBIO, INT(value), 4)

    def select(self, s: int, event: WSAEVENT | None, mask: int) -> int:
        return self.call("WSPEventSelect", s, event, mask)

    def events(self, s: int, event: WSAEVENT | None = None) -> tuple[int, list[int]]:
        """The record, which is cleared, and the errors in it."""
        found = WSANETWORKEVENTS()
        assert not self.call("WSPEnumNetworkEvents", s, event, found)
        return found.lNetworkEvents, [error for error in found.iErrorCode if error]

    def option(self, s: int, optname: int, level: int = SOL_SOCKET) -> int:
        value, length = bytearray(4), INT(4)
        assert not self.call("WSPGetSockOpt", s, level, optname, value, length)
        assert length.Value == 4
        return int.from_bytes(value, "little")

    def set_option(self, s: int, optname: int, value: int, level: int = SOL_SOCKET) -> int:
        return self.call("WSPSetSockOpt", s, level, optname, value.to_bytes(4, "little"), 4)


class Lab:
    """`with Lab() as lab:` two hosts on one link, 192.0.2.1 and 192.0.2.2, a program on each."""

    def __init__(self) -> None:
        self.network = Network(1)
        hosts = [self.network.host(name, BEHAVIOUR) for name in ("client", "server")]
        self.cards = [host.interface("eth0", f"192.0.2.{index + 1}/24") for index, host in enumerate(hosts)]
        self.network.link(*self.cards)
        self.client, self.server = (Program(host) for host in hosts)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.network.close()

    def pause(self, seconds: float = 0.5) -> None:
        self.network.run_for(seconds)

    def listener(self, port: int = 7, backlog: int = 5) -> int:
        s = self.server.socket()
        assert not self.server.bind(s, "0.0.0.0", port)
        assert not self.server.listen(s, backlog)
        return s

    def pair(self, port: int = 7) -> tuple[int, int]:
        """A connection: the client's socket and the server's.  The listener is closed."""
        listener, client = self.listener(port), self.client.socket()
        assert not self.client.connect(client, "192.0.2.2", port)
        server, error = self.server.accept(listener)
        assert not error
        assert not self.server.close(listener)
        return client, server

    def event(self, program: Program) -> WSAEVENT:
        return WSAEVENT(program.host)
