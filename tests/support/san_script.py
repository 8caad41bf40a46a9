"""A program of Winsock calls that writes down what each of them answers, and what its network events are.

What may differ from way to way is not written: numbers of sockets, dynamic ports, times that TCP/IP and a SAN take.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.san_ways import CLIENT, LAN_CLIENT, SERVER, World
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    FD_ACCEPT,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    MAKEWORD,
    NO_ERROR,
    SOCK_STREAM,
    SOCKET_ERROR,
    WSA_WAIT_FAILED,
    name_of,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF, WSADATA, WSANETWORKEVENTS, WSAOVERLAPPED
from wsknet.san.ws2_32 import Winsock

PORT = 80
SEEN = FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE
_EVENTS = ("READ", "WRITE", "OOB", "ACCEPT", "CONNECT", "CLOSE")
_DYNAMIC = 49_152
_HOSTS = {CLIENT: "client", LAN_CLIENT: "client", SERVER: "server", bytes(4): "any"}
_FAILURES = (SOCKET_ERROR, INVALID_SOCKET, WSA_WAIT_FAILED)


def address(host: bytes = SERVER, port: int = PORT) -> SOCKADDR_IN:
    return SOCKADDR_IN(host, port)


def text_of(name: SOCKADDR_IN) -> str:
    port = "dynamic" if name.port >= _DYNAMIC else name.port
    return f"{_HOSTS.get(name.sin_addr, name.sin_addr.hex())}:{port}"


class Program:
    """One of the two; `do` makes a call and writes it down, and returns what it returned."""

    def __init__(self, script: Script, name: str, process: Winsock) -> None:
        self.script = script
        self.name = name
        self.process = process

    def do(self, function: str, *arguments: Any) -> Any:
        answer = getattr(self.process, function)(*arguments)
        failed = answer in _FAILURES or answer is False
        told: object = name_of(self.process.WSAGetLastError()) if failed else answer
        if function in ("socket", "WSASocketW", "accept", "WSAAccept") and not failed:
            told = "a socket"
        self.write(f"{function}: {told}")
        return answer

    def write(self, line: str) -> None:
        self.script.lines.append(f"{self.name} {line}")

    # What many steps need

    def socket(self) -> int:
        s: int = self.process.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        return s

    def listener(self, port: int = PORT, backlog: int = 5) -> int:
        s = self.socket()
        assert self.process.bind(s, address(bytes(4), port), SIZE) == NO_ERROR
        assert self.process.listen(s, backlog) == NO_ERROR
        return s

    def event(self, s: int, mask: int = SEEN) -> WSAEVENT:
        event = self.process.WSACreateEvent()
        self.do("WSAEventSelect", s, event, mask)
        return event

    def events(self, s: int, event: WSAEVENT) -> None:
        was_set = event.is_set
        found = WSANETWORKEVENTS()
        self.process.WSAEnumNetworkEvents(s, event, found)
        told = [
            f"FD_{name} {name_of(found.iErrorCode[bit])}"
            for bit, name in enumerate(_EVENTS)
            if found.lNetworkEvents & 1 << bit
        ]
        self.write(f"events{'' if was_set else ', not set'}: {', '.join(told)}")

    def settled_events(self, s: int, event: WSAEVENT, seconds: float = 1) -> None:
        self.script.pause(seconds)
        self.events(s, event)

    def send(self, s: int, data: bytes, flags: int = 0) -> int:
        sent: int = self.do("send", s, data, len(data), flags)
        return sent

    def recv(self, s: int, size: int = 100, flags: int = 0) -> bytes:
        memory = bytearray(size)
        count = self.do("recv", s, memory, size, flags)
        data = bytes(memory[: max(count, 0)])
        self.write(f"  {data[:40]!r}{'...' if len(data) > 40 else ''}")
        return data

    def names(self, s: int) -> None:
        for function in ("getsockname", "getpeername"):
            name = SOCKADDR_IN()
            if self.do(function, s, name, INT(SIZE)) == NO_ERROR:
                self.write(f"  {text_of(name)}")

    def option(self, s: int, level: int, option: int) -> None:
        value = INT()
        if self.do("getsockopt", s, level, option, value, INT(4)) == NO_ERROR:
            self.write(f"  {value.Value}")

    def control(self, s: int, code: int, value: int = 0) -> None:
        argument = INT(value)
        if self.do("ioctlsocket", s, code, argument) == NO_ERROR:
            self.write(f"  {argument.Value}")

    def overlapped(self, function: str, s: int, *buffers: Any, flags: int = 0) -> WSAOVERLAPPED:
        """WSASend or WSARecv with an event."""
        overlapped = WSAOVERLAPPED(self.process.WSACreateEvent())
        told = flags if function == "WSASend" else INT(flags)
        self.do(function, s, [WSABUF(each) for each in buffers], len(buffers), None, told, overlapped, None)
        return overlapped

    def result(self, s: int, overlapped: WSAOVERLAPPED, *, waits: bool = False) -> None:
        count = INT()
        if self.do("WSAGetOverlappedResult", s, overlapped, count, waits, INT()):
            self.write(f"  {count.Value} bytes")


class Script:
    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[str] = []
        """Of both, as they came."""
        self.client = Program(self, "client", world.client)
        self.server = Program(self, "server", world.server)
        for process in (world.client, world.server):
            assert process.WSAStartup(MAKEWORD(2, 2), WSADATA()) == NO_ERROR

    @property
    def transcript(self) -> list[str]:
        """First what the client says, then the server: who is faster is no part of it."""
        return sorted(self.lines, key=lambda line: not line.startswith("client"))

    def pause(self, seconds: float = 1) -> None:
        """Until everything that is on its way has come."""
        self.world.network.run_for(seconds)

    def in_thread(self, run: Callable[[], object]) -> None:
        """As long as it takes, while the main thread goes on after its next wait."""
        self.world.network.driver.spawn(run, "another thread")

    def joined(self, port: int = PORT) -> tuple[int, int]:
        """The client's and the server's end of a connection."""
        listener = self.server.listener(port)
        s = self.client.socket()
        assert self.client.process.connect(s, address(port=port), SIZE) == NO_ERROR
        accepted = self.server.process.accept(listener, None, None)
        assert accepted != INVALID_SOCKET
        assert self.server.process.closesocket(listener) == NO_ERROR
        return s, accepted
