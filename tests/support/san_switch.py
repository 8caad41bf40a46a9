"""Hosts with a LAN and a SAN between them, and programs in threads of the virtual network that use sockets there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.san_lab import UNTOUCHED, answer_of, name
from wsknet import Network
from wsknet.config import AutoConfig
from wsknet.devices.base import Device, Entry, Receiver
from wsknet.host import Host
from wsknet.san.base.provider import TcpipProvider
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    NO_ERROR,
    SD_SEND,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.dll import SanProvider
from wsknet.san.registry import registry_of
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import (
    INT,
    WSABUF,
    WSANETWORKEVENTS,
    WSAPROTOCOL_INFOW,
    WSPDATA,
    WSPPROC_TABLE,
    WSPUPCALLTABLEEX,
)
from wsknet.san.switch.dll import Switch
from wsknet.types import Buffers, Instant

PORT = 80
SOCKETS = ("WSPSocket", "WSPBind", "WSPListen", "WSPConnect", "WSPEventSelect", "WSPAccept", "WSPCloseSocket")
ON = (1).to_bytes(4, "little")
TCP, PORTS_AT = 6, 34
"""The number of the protocol, and where its ports are in a frame without options."""


class Spy(SanProvider):
    """Notes the calls of `SOCKETS` of all switches, without those on sockets that only ask, and fails as it is told."""

    def __init__(self, host: Host, policy: SanPolicy | None = None, nics: tuple[str, ...] = ("san0",)) -> None:
        super().__init__(host, nics, policy)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.failures: dict[str, int] = {}
        """Functions, WSPStartupEx and WSPCleanup included, and what each of their calls fails with."""

    def WSPStartupEx(
        self,
        wVersionRequested: int,
        lpWSPData: WSPDATA,
        lpProtocolInfo: WSAPROTOCOL_INFOW,
        lpUpcallTable: WSPUPCALLTABLEEX,
        lpProcTable: WSPPROC_TABLE,
    ) -> int:
        if "WSPStartupEx" in self.failures:
            return self.failures["WSPStartupEx"]
        answer = super().WSPStartupEx(wVersionRequested, lpWSPData, lpProtocolInfo, lpUpcallTable, lpProcTable)
        for function in (*SOCKETS, "WSPIoctl", "WSPCleanup"):
            member = f"lp{function}"
            setattr(lpProcTable, member, self._watched(function, getattr(lpProcTable, member)))
        return answer

    def _watched(self, function: str, run: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.calls.append((function, arguments[:-1]))
            if function in self.failures:
                arguments[-1].Value = self.failures[function]
                return INVALID_SOCKET if function in ("WSPSocket", "WSPAccept") else SOCKET_ERROR
            return run(*arguments)

        return call

    def named(self, function: str) -> list[tuple[Any, ...]]:
        return [arguments for called, arguments in self.calls if called == function]

    @property
    def bound(self) -> list[str]:
        """The names that WSPBind was given."""
        return [f"{'.'.join(map(str, given.sin_addr))}:{given.port}" for _, given, _ in self.named("WSPBind")]


class Tap:
    """Notes the destination ports of TCP that are sent into a link end."""

    def __init__(self, inner: Device) -> None:
        self.name = inner.name
        self._inner = inner
        self.frames = 0
        self.ports: list[int] = []

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self._inner.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        raw = b"".join(map(bytes, frame)) if isinstance(frame, list | tuple) else bytes(frame)
        self.frames += 1
        if raw[12:14] == b"\x08\x00" and raw[23] == TCP:
            self.ports.append(int.from_bytes(raw[PORTS_AT + 2 : PORTS_AT + 4], "big"))
        self._inner.transmit(frame, now, comment)

    def close(self) -> None:
        self._inner.close()


class Program:
    """A process of `host` that calls the functions of the switch, or of TCP/IP alone."""

    def __init__(self, world: World, host: Host, *, has_switch: bool = True) -> None:
        self.world = world
        self.host = host
        self.provider = Switch(host) if has_switch else TcpipProvider(host)
        self.table = self.provider.table

    @property
    def handles(self) -> int:
        """Sockets of SAN providers that the process holds."""
        return len(self.provider.handles) if isinstance(self.provider, Switch) else 0

    def call(self, function: str, *arguments: Any) -> tuple[Any, int]:
        return answer_of(getattr(self.table, f"lp{function}"), *arguments)

    def ok(self, function: str, *arguments: Any) -> Any:
        result, error = self.call(function, *arguments)
        assert error == UNTOUCHED, f"{function}: {error}"
        return result

    def error(self, function: str, *arguments: Any) -> int:
        result, error = self.call(function, *arguments)
        assert result in (SOCKET_ERROR, INVALID_SOCKET, False), f"{function}: {result}"
        return error

    def code(self, function: str, *arguments: Any) -> int:
        """0, or the error."""
        _, error = self.call(function, *arguments)
        return NO_ERROR if error == UNTOUCHED else error

    def socket(self) -> int:
        result: int = self.ok("WSPSocket", AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, WSA_FLAG_OVERLAPPED)
        return result

    def bound(self, address: str, port: int = PORT, *, reuses: bool = False) -> int:
        s = self.socket()
        if reuses:
            self.option(s, SO_REUSEADDR)
        self.ok("WSPBind", s, name(address, port), SIZE)
        return s

    def listening(self, address: str = "0.0.0.0", port: int = PORT, backlog: int = 5, *, reuses: bool = False) -> int:
        s = self.bound(address, port, reuses=reuses)
        self.ok("WSPListen", s, backlog)
        return s

    def option(self, s: int, option: int, value: bytes = ON) -> None:
        self.ok("WSPSetSockOpt", s, SOL_SOCKET, option, value, len(value))

    def connect(self, s: int, address: str, port: int = PORT) -> int:
        """0, or the error; it blocks."""
        return self.code("WSPConnect", s, name(address, port), SIZE, None, None, None, None)

    def accept(self, s: int, condition: Callable[..., int] | None = None) -> int:
        result: int = self.ok("WSPAccept", s, None, None, condition, None)
        return result

    def name(self, s: int, function: str = "WSPGetSockName") -> str:
        found = SOCKADDR_IN()
        self.ok(function, s, found, INT(SIZE))
        return f"{'.'.join(map(str, found.sin_addr))}:{found.port}"

    def peer(self, s: int) -> str:
        return self.name(s, "WSPGetPeerName")

    def send(self, s: int, data: bytes) -> int:
        return self.code("WSPSend", s, [WSABUF(data)], 1, INT(), 0, None, None, None)

    def receive(self, s: int, size: int = 65_536) -> bytes:
        buffer, count = bytearray(size), INT()
        self.ok("WSPRecv", s, [WSABUF(buffer)], 1, count, INT(), None, None, None)
        return bytes(buffer[: count.Value])

    def receive_error(self, s: int) -> int:
        return self.code("WSPRecv", s, [WSABUF(bytearray(10))], 1, INT(), INT(), None, None, None)

    def finish(self, s: int) -> None:
        self.ok("WSPShutdown", s, SD_SEND)

    def close(self, s: int) -> None:
        self.ok("WSPCloseSocket", s)

    def select(self, s: int, events: int) -> WSAEVENT:
        event = WSAEVENT(self.host)
        self.ok("WSPEventSelect", s, event, events)
        return event

    def happened(self, s: int, event: WSAEVENT) -> WSANETWORKEVENTS:
        found = WSANETWORKEVENTS()
        self.ok("WSPEnumNetworkEvents", s, event, found)
        return found


class World:
    """Hosts a, b and on: lan0 is 192.0.2.1 and on, san0 10.9.0.1 and on.  Those of `sans` have a SAN provider."""

    def __init__(
        self,
        network: Network,
        hosts: int = 2,
        sans: str | None = None,
        policy: SanPolicy | None = None,
        auto: AutoConfig | None = None,
    ) -> None:
        self.network = network
        self.hosts: list[Host] = []
        self.spies: dict[str, Spy] = {}
        self.policy = policy
        for number, letter in enumerate("abcd"[:hosts], 1):
            host = network.host(letter)
            host.interface("lan0", f"192.0.2.{number}/24")
            if auto is None:
                host.interface("san0", f"10.9.0.{number}/24")
            else:
                host.interface("san0", auto=auto)
            self.hosts.append(host)
        for link in ("lan0", "san0"):
            network.link(*(host.interfaces[link] for host in self.hosts))
        self.taps = {link: [self._tap(host, link) for host in self.hosts] for link in ("lan0", "san0")}
        for host in self.hosts:
            if sans is None or host.name in sans:
                self.install(host)

    def _tap(self, host: Host, link: str) -> Tap:
        interface = host.interfaces[link]
        assert interface.device is not None
        tap = Tap(interface.device)
        interface.plug(tap)
        return tap

    def install(self, host: Host) -> Spy:
        spy = self.spies[host.name] = Spy(host, self.policy)
        registry_of(host).install(spy)
        return spy

    def program(self, host: str, *, has_switch: bool = True) -> Program:
        return Program(self, self.network.hosts[host], has_switch=has_switch)

    def start(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """In a thread; the list has the result when there is one."""
        results: list[Any] = []
        self.network.driver.spawn(lambda: results.append(function(*arguments)), function.__name__)
        self.run(0.01)
        return results

    def do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self.wait(self.start(function, *arguments))

    def wait(self, results: list[Any]) -> Any:
        assert self.network.run_until(lambda: bool(results), 300)
        return results[0]

    def run(self, seconds: float = 1) -> None:
        self.network.run_for(seconds)

    def connected(self, client: Program, server: Program, address: str = "10.9.0.2") -> tuple[int, int, int]:
        """Client's socket, server's accepted socket, its listener."""
        listener, s = server.listening(), client.socket()
        assert self.do(client.connect, s, address) == NO_ERROR
        return s, self.do(server.accept, listener), listener

    @property
    def link(self) -> str:
        """Where data of connections has gone: san (native frames), tcp over one link or the other, or nowhere."""
        port = (self.policy or SanPolicy()).native_port
        native = any(port in tap.ports for tap in self.taps["san0"])
        ways = ["native"] if native else []
        for link, taps in self.taps.items():
            if any(PORT in tap.ports for tap in taps):
                ways.append(link)
        return "+".join(ways)

    def forget(self) -> None:
        for tap in (*self.taps["lan0"], *self.taps["san0"]):
            tap.ports.clear()
            tap.frames = 0
        for spy in self.spies.values():
            spy.calls.clear()


@contextmanager
def san_world(
    hosts: int = 2, sans: str | None = None, policy: SanPolicy | None = None, auto: AutoConfig | None = None
) -> Iterator[World]:
    with Network(seed=5) as network:
        yield World(network, hosts, sans, policy, auto)
