"""Conditional accept: a listening socket of the far host whose callbacks note everything, and peers that take back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.repair import repaired
from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, RST, SYN, Lab, Request, Watch, ok, start
from wsknet.devices.impair import Impairment
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    DISPATCH_LEVEL,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    NTSTATUS,
    SO_CONDITIONAL_ACCEPT,
    SOCKADDR,
    SOL_SOCKET,
    STATUS_SUCCESS,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_CLIENT_STREAM_DISPATCH,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_INSPECT_ID,
    WSK_SOCKET,
    KeGetCurrentIrql,
    WskInspectAccept,
    simple,
)


class Side(NamedTuple):
    """Of an address family: what the near host dials, and what the far one gets to see of it."""

    listening: int
    wildcard: str
    near: str
    far: str
    dialling: int
    seen: str = "{}"

    @property
    def dialled(self) -> tuple[str, int]:
        return self.seen.format(self.far), PORT


IPV4 = Side(AF_INET, "0.0.0.0", NEAR, FAR, AF_INET)
IPV6 = Side(AF_INET6, "::", NEAR6, FAR6, AF_INET6)
MAPPED = Side(AF_INET6, "::", NEAR, FAR, AF_INET, "::ffff:{}")
CATEGORIES = pytest.mark.parametrize(
    "Flags", [WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_STREAM_SOCKET], ids=["listening", "stream"]
)
SIDES = pytest.mark.parametrize("side", [IPV4, IPV6, MAPPED], ids=["IPv4", "IPv6", "dual-stack"])
FAMILIES = pytest.mark.parametrize("side", [IPV4, IPV6], ids=["IPv4", "IPv6"])


def lose(watch: Watch, is_lost: bool = True) -> None:
    """Every frame that is sent there."""
    watch.inner.impairment = Impairment(loss=1) if is_lost else Impairment()  # type: ignore[attr-defined]


def answers(lab: Lab) -> list[int]:
    """The flags of what the far host has sent from `PORT`."""
    port = PORT.to_bytes(2, "big")
    places = ((frame, 34 if frame[12:14] == b"\x08\0" else 54) for frame in lab.far_wire.frames)
    return [frame[at + 13] for frame, at in places if frame[at : at + 2] == port]


def copy_of(InspectID: WSK_INSPECT_ID) -> WSK_INSPECT_ID:
    return WSK_INSPECT_ID(InspectID.Key, InspectID.SerialNumber)


class Judge:
    """The callbacks of a listening socket, and what each was called with."""

    def __init__(self, lab: Lab, *answers: Any, last: Any = WskInspectAccept) -> None:
        self.lab = lab
        self.answers = list(answers)
        """Of WskInspectEvent, in order; from then on `last`."""
        self.last = last
        self.names: list[str] = []
        """Of all callbacks, in order."""
        self.inspected: list[tuple[Any, tuple[str, int], tuple[str, int]]] = []
        self.ids: list[WSK_INSPECT_ID] = []
        """Copies of those that WskInspectEvent got."""
        self.aborted: list[WSK_INSPECT_ID] = []
        self.kept: list[Any] = []
        """The pointers that the callbacks got, kept against the rules."""
        self.irqls: list[int] = []
        self.accepted: list[WSK_SOCKET] = []
        self.inside: Callable[[], object] | None = None
        """Called within the next WskInspectEvent."""
        self.inside_abort: Callable[[], object] | None = None
        self.depths: list[int] = []
        self._depth = 0
        self.listen = WSK_CLIENT_LISTEN_DISPATCH(self.accept_event, self.inspect_event, self.abort_event)
        self.stream = WSK_CLIENT_STREAM_DISPATCH(self.listen, WSK_CLIENT_CONNECTION_DISPATCH())
        self.Socket: Any = None

    # Callbacks

    def inspect_event(
        self,
        SocketContext: Any,
        LocalAddress: SOCKADDR | None,
        RemoteAddress: SOCKADDR | None,
        InspectID: WSK_INSPECT_ID | None,
    ) -> Any:
        self.irqls.append(KeGetCurrentIrql())
        if InspectID is None:
            self.names.append("NULL")
            assert (LocalAddress, RemoteAddress) == (None, None)
            return self.last
        assert LocalAddress is not None
        assert RemoteAddress is not None
        self.names.append("inspect")
        self.inspected.append((SocketContext, simple.host_and_port(LocalAddress), simple.host_and_port(RemoteAddress)))
        self.ids.append(copy_of(InspectID))
        self.kept += [LocalAddress, RemoteAddress, InspectID]
        self._depth += 1
        self.depths.append(self._depth)
        inside, self.inside = self.inside, None
        if inside is not None:
            inside()
        self._depth -= 1
        return self.answers.pop(0) if self.answers else self.last

    def abort_event(self, SocketContext: Any, InspectID: WSK_INSPECT_ID) -> NTSTATUS:
        self.irqls.append(KeGetCurrentIrql())
        assert SocketContext == "judge"
        self.names.append("abort")
        self.aborted.append(copy_of(InspectID))
        self.kept.append(InspectID)
        inside, self.inside_abort = self.inside_abort, None
        if inside is not None:
            inside()
        return STATUS_SUCCESS

    def accept_event(self, SocketContext: Any, Flags: int, *arguments: Any) -> NTSTATUS:
        self.names.append("accept" if arguments[2] is not None else "accept NULL")
        self.accepted.append(arguments[2])
        return STATUS_SUCCESS

    # The socket

    def created(self, Flags: int = WSK_FLAG_LISTEN_SOCKET, family: int = AF_INET) -> WSK_SOCKET:
        table = self.stream if Flags == WSK_FLAG_STREAM_SOCKET else self.listen
        self.Socket = self.lab.socket(self.lab.far, Flags, AddressFamily=family, SocketContext="judge", Dispatch=table)
        return self.Socket  # type: ignore[no-any-return]

    def listening(self, side: Side = IPV4, Flags: int = WSK_FLAG_LISTEN_SOCKET, address: str | None = None) -> Any:
        """A socket that asks before it accepts."""
        Socket: Any = self.created(Flags, side.listening)
        if side.listening != side.dialling:
            ok(simple.set_option(Socket, IPPROTO_IPV6, IPV6_V6ONLY, 0))
        ok(simple.set_option(Socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1))
        ok(simple.bind(Socket, simple.address(address or side.wildcard, PORT)))
        if Flags == WSK_FLAG_STREAM_SOCKET:
            ok(simple.listen(Socket))
        return Socket

    def complete(self, InspectID: Any, Action: int) -> Request:
        """WskInspectComplete."""
        return start(self.Socket.Dispatch.WskInspectComplete, self.Socket, InspectID, Action)

    @property
    def irqls_are_right(self) -> bool:
        return set(self.irqls) == {DISPATCH_LEVEL}


class Peer:
    """A socket of the near host that asks for a connection; `is_held`: its SYN has been seen on the way and lost."""

    def __init__(self, lab: Lab, side: Side = IPV4, port: int = 6000, is_held: bool = False) -> None:
        self.lab = lab
        self.name = side.seen.format(side.near), port
        self._transport = 34 if side.dialling == AF_INET else 54
        flags = WSK_FLAG_CONNECTION_SOCKET
        wildcard = "0.0.0.0" if side.dialling == AF_INET else "::"
        self.Socket: Any = lab.bound(lab.near, flags, wildcard, port, AddressFamily=side.dialling)
        if is_held:
            nobody = lab.bound(lab.near, flags, wildcard, AddressFamily=side.dialling)
            simple.connect(nobody, simple.address(side.far, PORT + 99))  # so that the hosts know each other
            lose(lab.near_wire)
        address = simple.address(side.far, PORT)
        self.request = start(self.Socket.Dispatch.WskConnect, self.Socket, address, 0)
        lab.run(0.01)
        lose(lab.near_wire, False)
        source, at = port.to_bytes(2, "big"), self._transport
        self.syn = next(f for f in lab.near_wire.frames if f[at : at + 2] == source and f[at + 13] == SYN)

    def vanish(self) -> None:
        """Nothing is sent, neither now nor again: but a SYN-ACK will be reset."""
        ok(simple.close(self.Socket))

    def send(self, Flags: int, ahead: int = 0) -> None:
        """A segment like the SYN with other flags, and a sequence number `ahead` of it."""
        self.deliver(Flags, ahead)
        self.lab.run(0.01)

    def deliver(self, Flags: int, ahead: int = 0) -> None:
        """The same at once, as may happen while a callback runs."""
        frame, at = bytearray(self.syn), self._transport
        frame[at + 13] = Flags
        number = int.from_bytes(frame[at + 4 : at + 8], "big") + ahead & 0xFFFF_FFFF
        frame[at + 4 : at + 8] = number.to_bytes(4, "big")
        with self.lab.far.pump as now:
            self.lab.far.stack.receive(self.lab.far_interface.index, repaired(bytes(frame)), now)

    def withdraw(self) -> None:
        """Reset what has been asked for."""
        self.vanish()
        self.send(RST, ahead=1)
