"""The guided tour: three questions about wildcard binding, answered by a WSK program on a host with two interfaces.

The program is the same in virtual time and on a TAP; only its peers differ, see `Peer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from wsknet import text
from wsknet.apps.irps import submit
from wsknet.apps.service import require
from wsknet.host import Host
from wsknet.trace import Decision
from wsknet.transport.queries import ArrivalQuery, PathQuery
from wsknet.types import Endpoint, Proto
from wsknet.wsk import (
    NTSTATUS,
    SOCKADDR_IN,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_WAITALL,
    WSK_SOCKET,
    ntohs,
)
from wsknet.wsk.simple import (
    Application,
    accept,
    address,
    bind,
    close,
    connect,
    host_and_port,
    local_address,
    receive,
    receive_from,
    remote_address,
    send,
    send_to,
)

ECHO_PORT = 7
LISTEN_PORT = 8080
DATAGRAM_PORT = 5000
MESSAGE = b"who am I to you?"


class Peer(Protocol):
    """A host beyond one of the interfaces, with an echo server on port 7."""

    name: str
    address: str

    @property
    def datagrams_from(self) -> list[str]:
        """Where the datagrams that it echoed came from, as ``address:port``."""

    def connect(self, remote: str, port: int) -> None:
        """Open a TCP connection to us in the background, and end it when we do."""


@dataclass
class Step:
    """One call of the program, what came back, and what the socket says its local address is then."""

    call: str
    status: str
    local: str = ""
    remark: str = ""
    decision: Decision | None = None


@dataclass
class Case:
    title: str
    claim: str
    steps: list[Step] = field(default_factory=list)
    held: bool = False
    """The claim was seen to be true."""


class Tour:
    """Runs on the current host, which has one interface towards each of two peers."""

    def __init__(self, host: Host, near: Peer, far: Peer) -> None:
        self._host = host
        self._peers = (near, far)
        self._application = Application()

    def run(self) -> list[Case]:
        try:
            return [self.deferred_address(), self.wildcard_source(), self.wildcard_listener()]
        finally:
            self._application.close()

    @classmethod
    def only(cls, host: Host, near: Peer, far: Peer, run: Callable[[Tour], Case]) -> Case:
        """One case alone."""
        tour = cls(host, near, far)
        try:
            return run(tour)
        finally:
            tour._application.close()

    def deferred_address(self) -> Case:
        case = Case(
            "Deferred address at connect",
            "A TCP socket bound to the wildcard has its port from bind on, and its address only when it connects.",
        )
        peer = self._peers[1]
        Socket = self._open(WSK_FLAG_CONNECTION_SOCKET)
        self._local(case, Socket, "WskGetLocalAddress before WskBind", "not bound, so there is no name to tell")
        Status, _ = bind(Socket, address("0.0.0.0", 0))
        self._note(case, "WskBind(0.0.0.0:0)", Status)
        before = self._local(case, Socket, "WskGetLocalAddress", "the port is assigned, the address is still open")
        decision = self._explain_path(peer.address)
        Status, _ = connect(Socket, address(peer.address, ECHO_PORT))
        self._note(case, f"WskConnect({peer.address}:{ECHO_PORT})", Status, decision=decision)
        after = self._local(case, Socket, "WskGetLocalAddress", "the address is that of the interface chosen")
        send(Socket, MESSAGE)
        Status, echo = receive(Socket, len(MESSAGE), WSK_FLAG_WAITALL)
        self._note(case, "WskSend, WskReceive", Status, remark=f"{len(echo)} bytes came back")
        self._hang_up(Socket)
        case.held = (
            before.startswith("0.0.0.0:")
            and not after.startswith("0.0.0.0:")
            and before.rpartition(":")[2] == after.rpartition(":")[2]
            and echo == MESSAGE
        )
        return case

    def wildcard_source(self) -> Case:
        case = Case(
            "Wildcard UDP source",
            "A UDP socket bound to the wildcard stays on it: the source is chosen by routing for each datagram.",
        )
        Socket = self._open(WSK_FLAG_DATAGRAM_SOCKET)
        Status, _ = bind(Socket, address("0.0.0.0", DATAGRAM_PORT))
        self._note(case, f"WskBind(0.0.0.0:{DATAGRAM_PORT})", Status)
        names = [self._local(case, Socket, "WskGetLocalAddress", "before any datagram")]
        for peer in self._peers:
            decision = self._explain_path(peer.address)
            Status, _ = send_to(Socket, MESSAGE, address(peer.address, ECHO_PORT))
            self._note(case, f"WskSendTo({peer.address}:{ECHO_PORT})", Status, decision=decision)
            Status, _ = receive_from(Socket)
            seen = peer.datagrams_from[-1]
            self._note(case, "WskReceiveFrom", Status, remark=f"{peer.name} saw it come from {seen}")
            names.append(self._local(case, Socket, "WskGetLocalAddress", "unchanged: the socket itself has no address"))
        close(Socket)
        sources = [peer.datagrams_from[-1] for peer in self._peers]
        case.held = set(names) == {f"0.0.0.0:{DATAGRAM_PORT}"} and len(set(sources)) == 2
        return case

    def wildcard_listener(self) -> Case:
        case = Case(
            "Wildcard listener",
            "A listener on the wildcard keeps it; each accepted socket has the address that its peer dialled.",
        )
        Listener = self._open(WSK_FLAG_LISTEN_SOCKET)
        Status, _ = bind(Listener, address("0.0.0.0", LISTEN_PORT))
        self._note(case, f"WskBind(0.0.0.0:{LISTEN_PORT})", Status, remark="a listening socket listens from here on")
        names = [self._local(case, Listener, "WskGetLocalAddress of the listener", "")]
        accepted = []
        for peer in self._peers:
            dialled = self._host.stack.resolve(PathQuery(text.parse_address(peer.address))).path
            assert dialled is not None
            dialled_text = text.format_address(dialled.source)
            peer.connect(dialled_text, LISTEN_PORT)
            Status, Socket = accept(Listener)
            _, remote = remote_address(Socket)
            decision = self._explain_arrival(dialled_text, remote)
            remark = f"{peer.name} is {name_of(remote)}; its next connection:"
            self._note(case, "WskAccept", Status, remark=remark, decision=decision)
            accepted.append(self._local(case, Socket, "WskGetLocalAddress of the accepted socket", "as dialled"))
            self._hang_up(Socket)
        names.append(self._local(case, Listener, "WskGetLocalAddress of the listener", "the wildcard for ever"))
        close(Listener)
        case.held = set(names) == {f"0.0.0.0:{LISTEN_PORT}"} and len(set(accepted)) == 2
        return case

    def _note(
        self, case: Case, what: str, Status: NTSTATUS, *, remark: str = "", decision: Decision | None = None
    ) -> None:
        case.steps.append(Step(what, Status.name, remark=remark, decision=decision))

    def _open(self, Flags: int) -> WSK_SOCKET:
        Status, Socket = self._application.open(Flags)
        require("WskSocket", Status)
        assert isinstance(Socket, WSK_SOCKET)
        return Socket

    def _local(self, case: Case, Socket: WSK_SOCKET, what: str, remark: str) -> str:
        Status, found = local_address(Socket)
        local = name_of(found) if Status == 0 else ""
        case.steps.append(Step(what, Status.name, local, remark))
        return local

    def _explain_path(self, destination: str) -> Decision:
        return self._host.stack.explain(PathQuery(text.parse_address(destination)))[1]

    def _explain_arrival(self, dialled: str, remote: SOCKADDR_IN) -> Decision:
        """Why the listener got the SYN: asked for the next connection that this peer would open."""
        local = Endpoint(text.parse_address(dialled), LISTEN_PORT)
        caller = Endpoint(bytes(remote.sin_addr), ntohs(remote.sin_port) + 1 & 0xFFFF)
        return self._host.stack.explain(ArrivalQuery(Proto.TCP, local, caller))[1]

    def _hang_up(self, Socket: WSK_SOCKET) -> None:
        """End gracefully in both directions, so that WskCloseSocket has nothing left to reset."""
        submit(Socket.Dispatch.WskDisconnect, Socket, None, 0)
        while receive(Socket)[1]:
            pass
        close(Socket)


def name_of(sockaddr: SOCKADDR_IN) -> str:
    return "{}:{}".format(*host_and_port(sockaddr))
