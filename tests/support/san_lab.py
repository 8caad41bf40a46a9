"""Hosts with SAN providers, and a caller that stands where the switch stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wsknet import Network
from wsknet.host import Host
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    CF_ACCEPT,
    FD_ACCEPT,
    FD_CONNECT,
    FD_CONNECT_BIT,
    INVALID_SOCKET,
    IPPROTO_TCP,
    MAKEWORD,
    NO_ERROR,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
    WSAEWOULDBLOCK,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.dll import SanProvider
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import (
    INT,
    WSANETWORKEVENTS,
    WSAOVERLAPPED,
    WSAPROTOCOL_INFOW,
    WSPDATA,
    WSPPROC_TABLE,
    WSPUPCALLTABLEEX,
)
from wsknet.text import parse_address
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Cover, Endpoint, LocalName

UNTOUCHED = -77
"""What `lpErrno` holds before each call."""
FIRST_HANDLE = 100


def name(address: str, port: int) -> SOCKADDR_IN:
    return SOCKADDR_IN(parse_address(address), port)


class Caller:
    """One process: calls the functions of a provider as the switch would, and takes its up-calls."""

    def __init__(self, provider: SanProvider) -> None:
        self.provider = provider
        self.host = provider.host
        self.table = WSPPROC_TABLE()
        self.data = WSPDATA()
        self.handles: dict[int, int] = {}
        """Handles that the provider holds, and its descriptors as it gave them."""
        self.handle_error = NO_ERROR
        """What WPUCreateSocketHandle fails with."""
        self.told: list[tuple[Any, ...]] = []
        """Other up-calls, in their order."""
        self._next_handle = FIRST_HANDLE
        self.upcalls = WSPUPCALLTABLEEX(
            lpWPUCreateSocketHandle=self._create_handle,
            lpWPUQuerySocketHandleContext=lambda *arguments: 0,
            lpWPUCloseSocketHandle=self._close_handle,
            lpWPUCompleteOverlappedRequest=self._complete,
        )
        self.started = self.start()

    def start(self, version: int = MAKEWORD(2, 2)) -> int:
        tcpip = WSAPROTOCOL_INFOW("TCP/IP", b"tcpip provider..")
        return self.provider.WSPStartupEx(version, self.data, tcpip, self.upcalls, self.table)

    def _create_handle(self, dwCatalogEntryId: int, dwContext: int, lpErrno: INT) -> int:
        if self.handle_error:
            lpErrno.Value = self.handle_error
            return INVALID_SOCKET
        self._next_handle += 1
        self.handles[self._next_handle] = dwContext
        return self._next_handle

    def _close_handle(self, s: int, lpErrno: INT) -> int:
        del self.handles[s]
        self.told.append(("closed", s))
        return 0

    def _complete(self, s: int, lpOverlapped: WSAOVERLAPPED, dwError: int, cbTransferred: int, lpErrno: INT) -> int:
        self.told.append(("complete", s, lpOverlapped, dwError, cbTransferred))
        return 0

    def call(self, function: str, *arguments: Any) -> tuple[Any, int]:
        """The result, and the error that was stored."""
        return answer_of(getattr(self.table, f"lp{function}"), *arguments)

    def ok(self, function: str, *arguments: Any) -> Any:
        """The result of a call that must not fail."""
        result, error = self.call(function, *arguments)
        assert error == UNTOUCHED, f"{function}: {error}"
        return result

    def error(self, function: str, *arguments: Any) -> int:
        """The error of a call that must fail."""
        result, error = self.call(function, *arguments)
        assert result in (-1, INVALID_SOCKET, False), f"{function}: {result}"
        return error

    def socket(self) -> int:
        result: int = self.ok("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, WSA_FLAG_OVERLAPPED)
        return result

    def bound(self, address: str, port: int) -> int:
        s = self.socket()
        self.ok("WSPBind", s, name(address, port), SIZE)
        return s

    def event(self, s: int, events: int) -> WSAEVENT:
        event = WSAEVENT(self.host)
        self.ok("WSPEventSelect", s, event, events)
        return event

    def listening(self, address: str, port: int, backlog: int = 5) -> tuple[int, WSAEVENT]:
        s = self.bound(address, port)
        self.ok("WSPListen", s, backlog)
        return s, self.event(s, FD_ACCEPT)

    def connecting(self, s: int, address: str, port: int) -> WSAEVENT:
        event = self.event(s, FD_CONNECT)
        error = self.error("WSPConnect", s, name(address, port), SIZE, None, None, None, None)
        assert error == WSAEWOULDBLOCK
        return event

    def fetch(self, s: int, event: WSAEVENT | None = None) -> WSANETWORKEVENTS:
        events = WSANETWORKEVENTS()
        self.ok("WSPEnumNetworkEvents", s, event, events)
        return events

    def connect_error(self, s: int, event: WSAEVENT) -> int:
        """The result of a connect whose event has been set."""
        assert event.is_set
        events = self.fetch(s, event)
        assert events.lNetworkEvents == FD_CONNECT
        return events.iErrorCode[FD_CONNECT_BIT]

    def accept(self, s: int, verdict: Any = CF_ACCEPT) -> tuple[int, int]:
        """Descriptor and error; with a condition function that says `verdict`."""
        result, error = self.call("WSPAccept", s, None, None, lambda *arguments: verdict, 0)
        return result, error

    def extension(self, s: int, guid: bytes) -> Callable[..., Any]:
        found = INT()
        self.ok("WSPIoctl", s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 16, found, 8, INT(), None, None, None)
        function: Callable[..., Any] = found.Value
        return function


def answer_of(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    lpErrno = INT(UNTOUCHED)
    return function(*arguments, lpErrno), lpErrno.Value


class SanLab:
    """Hosts `a` (.1), `b` (.2) and on: lan0 in 192.0.2.0/24, san0 in 10.0.0.0/24."""

    def __init__(self, network: Network, hosts: int = 2, policy: SanPolicy | None = None) -> None:
        self.network = network
        self.hosts: list[Host] = []
        self.callers: list[Caller] = []
        for number in range(1, hosts + 1):
            host = network.host("abcdef"[number - 1])
            host.interface("lan0", f"192.0.2.{number}/24")
            host.interface("san0", f"10.0.0.{number}/24")
            self.hosts.append(host)
        if hosts > 1:
            for nic in ("lan0", "san0"):
                network.link(*(host.interfaces[nic] for host in self.hosts))
        self.callers = [Caller(SanProvider(host, policy=policy)) for host in self.hosts]

    def run(self, seconds: float = 1) -> None:
        self.network.run_for(seconds)

    def connected(self, client_port: int = 4000, port: int = 80) -> tuple[int, int, int]:
        """A connection from a to b: its two ends, and the listener."""
        a, b = self.callers[:2]
        listener, _ = b.listening("10.0.0.2", port)
        s = a.bound("10.0.0.1", client_port)
        event = a.connecting(s, "10.0.0.2", port)
        self.run()
        accepted, error = b.accept(listener)
        assert error == UNTOUCHED
        self.run()
        assert a.connect_error(s, event) == NO_ERROR
        return s, accepted, listener


@contextmanager
def san_lab(hosts: int = 2, policy: SanPolicy | None = None) -> Iterator[SanLab]:
    with Network(seed=1) as network:
        yield SanLab(network, hosts, policy)


def nic_connection(lab: SanLab) -> TcpEndpoint:
    """From host a to the native port of the NIC of b, over which nothing is said yet."""
    host = lab.hosts[0]
    port = lab.callers[1].provider.policy.native_port
    with host.pump as now:
        endpoint = host.stack.tcp.open(Cover.IPV4)
        endpoint.bind(LocalName(Cover.IPV4, parse_address("10.0.0.1"), 0), now)
        endpoint.connect(Endpoint(parse_address("10.0.0.2"), port), now)
    lab.run(0.001)
    return endpoint


def tcpip_listener(host: Host, port: int) -> None:
    """A program that listens through TCP/IP alone."""
    endpoint = host.stack.tcp.open(Cover.IPV4)
    with host.pump as now:
        endpoint.bind(LocalName(Cover.IPV4, None, port), now)
        endpoint.listen(now)
