"""A stream socket of a program under Windows Sockets Direct: calls of the switch, none of which waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    FD_CONNECT,
    FD_CONNECT_BIT,
    INVALID_SOCKET,
    IPPROTO_TCP,
    SD_SEND,
    SIO_ROUTING_INTERFACE_QUERY,
    SO_DONTROUTE,
    SO_EXCLUSIVEADDRUSE,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    SOMAXCONN,
    WSAEWOULDBLOCK,
    name_of,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF, WSANETWORKEVENTS
from wsknet.san.switch.san_stream import SanStream
from wsknet.scenario import addresses
from wsknet.scenario.faces import why
from wsknet.scenario.outcomes import CLOSED, NOTHING, OK, OUTCOME_OF_WSA, PENDING, SAN, TCPIP, render
from wsknet.scenario.world import Done, Failed
from wsknet.text import format_address, parse_address
from wsknet.trace import Decision
from wsknet.transport.sharing import Security
from wsknet.types import Cover, LocalName, Proto

if TYPE_CHECKING:
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.dll import Switch

OPTIONS = {"reuse": SO_REUSEADDR, "exclusive": SO_EXCLUSIVEADDRUSE, "dont-route": SO_DONTROUTE}
READ_SIZE = 65_536
THROUGH_COMPANION = "the request came to a companion that listens on a SAN NIC"
PAGE_ACCEPTING = "Accepting Connection Requests (Windows Sockets Direct)"


class SanSocket:
    """Raises `Failed` with what the error number means."""

    cover = Cover.IPV4
    """Providers know no other address (SAN-2)."""

    def __init__(self, switch: Switch, decisions: list[Decision], s: int | None = None) -> None:
        """`s`: a socket that was accepted; else a new one is made."""
        self._switch = switch
        self._table = switch.table
        self._decisions = decisions
        self._ways: list[Decision] = []
        """Why it went as it did: told again whenever somebody asks for its path."""
        self._s = s if s is not None else self._checked(switch.table.lpWSPSocket, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                                        None, 0, 0, failed=INVALID_SOCKET)  # fmt: skip
        if s is None:
            self._call("lpWSPEventSelect", WSAEVENT(switch.host), FD_CONNECT)

    def _call(self, function: str, *arguments: Any) -> int:
        return self._checked(getattr(self._table, function), self._s, *arguments)

    @staticmethod
    def _checked(function: Callable[..., int], *arguments: Any, failed: int = SOCKET_ERROR) -> int:
        error = INT()
        answer = function(*arguments, error)
        if answer == failed:
            raise _failure(error.Value)
        return answer

    @property
    def stream_socket(self) -> StreamSocket:
        return self._switch.descriptors.find_stream(self._s)

    def decided(self, decision: Decision) -> None:
        self._ways.append(decision)
        self._decisions.append(decision)

    # Options and names

    def set_option(self, name: str, value: bool | int | str) -> None:
        if name not in OPTIONS:
            raise Failed("no-such-option")
        self._call("lpWSPSetSockOpt", SOL_SOCKET, OPTIONS[name], int(bool(value)).to_bytes(4, "little"), 4)

    def bind(self, to: str) -> Done:
        name = self._address(to)
        local = LocalName(Cover.IPV4, None if name.is_wildcard else name.sin_addr, name.port)
        socket, host = self.stream_socket, self._switch.host
        if socket.endpoint.local is None:
            security = Security(self._switch.account)
            self._decisions.append(why.why_bind(host, Proto.TCP, local, socket.settings.sharing, security))
        self._call("lpWSPBind", name, SIZE)
        return Done(OK)

    def _address(self, words: str) -> SOCKADDR_IN:
        try:
            named = addresses.parse_name(words)
        except ValueError as error:
            raise Failed("fault", str(error)) from None
        if len(named.address) != 4:
            raise Failed("fault", "the socket is of IPv4")
        return SOCKADDR_IN(named.address, named.port)

    def name(self) -> str:
        return self._told("lpWSPGetSockName")

    def peer(self) -> str:
        return self._told("lpWSPGetPeerName")

    def _told(self, function: str) -> str:
        found = SOCKADDR_IN()
        self._call(function, found, INT(SIZE))
        return addresses.format_name(found.sin_addr, found.port)

    def route_query(self, to: str) -> str:
        found, asked = SOCKADDR_IN(), SOCKADDR_IN(parse_address(to))
        self._call("lpWSPIoctl", SIO_ROUTING_INTERFACE_QUERY, bytes(asked), SIZE, found, SIZE, INT(), None, None, None)
        return format_address(found.sin_addr)

    def path(self) -> str:
        self.peer()
        self._decisions += self._ways
        return SAN if isinstance(self.stream_socket.stream, SanStream) else TCPIP

    # Connections

    def listen(self) -> None:
        self._call("lpWSPListen", SOMAXCONN)

    def connect(self, to: str | None) -> _Attempt:
        if to is None:
            raise Failed("not-supported", "a connection keeps its peer")
        name = self._address(to)
        self._ways.clear()
        self._unless_it_blocks(lambda: self._call("lpWSPConnect", name, SIZE, None, None, None, None))
        return _Attempt(self._connected, PENDING)

    def _connected(self) -> str | None:
        found = WSANETWORKEVENTS()
        self._call("lpWSPEnumNetworkEvents", None, found)
        if not found.lNetworkEvents & FD_CONNECT:
            return None
        code = found.iErrorCode[FD_CONNECT_BIT]
        if code:
            raise _failure(code)
        return OK

    def accept(self, keep: Callable[[SanSocket], None]) -> _Attempt:
        def take() -> str | None:
            s = self._unless_it_blocks(self._accept)
            if s is None:
                return None
            child = SanSocket(self._switch, self._decisions, s)
            child.explain_arrival()
            keep(child)
            return f"{child.peer()} at {child.name()}"

        return _Attempt(take, NOTHING)

    def _accept(self) -> int:
        return self._checked(self._table.lpWSPAccept, self._s, None, None, None, None, failed=INVALID_SOCKET)

    def explain_arrival(self) -> None:
        stream = self.stream_socket.stream
        assert stream is not None
        if isinstance(stream, SanStream):
            decision = Decision("which way did the connection come?")
            decision.conclude(SAN, THROUGH_COMPANION, PAGE_ACCEPTING)
        else:
            decision = why.why_arrival(self._switch.host, Proto.TCP, stream.local, stream.remote)
        self.decided(decision)

    def _unless_it_blocks(self, call: Callable[[], int]) -> int | None:
        try:
            return call()
        except Failed as failed:
            if failed.outcome == OUTCOME_OF_WSA[WSAEWOULDBLOCK]:
                return None
            raise

    # Data

    def send(self, data: str, to: str | None, source: str, through: str) -> Done:
        buffers = [WSABUF(data.encode())]
        sent = self._unless_it_blocks(lambda: self._call("lpWSPSend", buffers, 1, INT(), 0, None, None, None))
        return Done(PENDING if sent is None else OK)

    def receive(self) -> _Attempt:
        self.peer()
        return _Attempt(self._take, NOTHING)

    def _take(self) -> str | None:
        memory, count = bytearray(READ_SIZE), INT()
        buffers = [WSABUF(memory)]
        got = self._unless_it_blocks(lambda: self._call("lpWSPRecv", buffers, 1, count, INT(), None, None, None))
        if got is None:
            return None
        return memory[: count.Value].decode(errors="replace") if count.Value else CLOSED

    def finish(self) -> None:
        self._call("lpWSPShutdown", SD_SEND)

    def join(self, group: str, interface: str) -> None:
        raise Failed("not-supported", "only datagram sockets join groups")

    def close(self) -> None:
        self._call("lpWSPCloseSocket")


class _Attempt:
    def __init__(self, take: Callable[[], str | None], at_last: str) -> None:
        self._take, self._at_last = take, at_last

    def poll(self) -> str | None:
        return self._take()

    def give_up(self) -> str:
        return self._at_last


def _failure(code: int) -> Failed:
    """The number is told beside the outcome, if the outcome has one: again only if it is another."""
    name = name_of(code)
    outcome = OUTCOME_OF_WSA.get(code, name)
    is_told = outcome == name or name.split()[0] in render(outcome, "winsock").split()
    return Failed(outcome, "" if is_told else name)
