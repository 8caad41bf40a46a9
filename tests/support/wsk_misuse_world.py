"""Where misuses happen: a lab, and books of what was made in it, so that all of it can be given back."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getsourcefile, getsourcelines
from typing import Any, NamedTuple

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, ok
from wsknet.host import Host
from wsknet.wsk import (
    IRP,
    MDL,
    NTSTATUS,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
    WSK_SOCKET,
    IoAllocateIrp,
    IoAllocateMdl,
    IoCancelIrp,
    IoFreeIrp,
    IoFreeMdl,
    IoSetCompletionRoutine,
    MmBuildMdlForNonPagedPool,
    require_nothing_left,
    simple,
)

BASIC, LISTEN, CONNECTION = WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET
DATAGRAM, STREAM = WSK_FLAG_DATAGRAM_SOCKET, WSK_FLAG_STREAM_SOCKET


class Misuse(NamedTuple):
    name: str
    rule: str
    perform: Callable[[World], Any]
    """Prepares what it needs in the world and breaks the rule; returns what the call that does answers."""
    where: Callable[..., Any]
    """The function in which the rule is broken."""
    status: NTSTATUS | None = None
    """What is answered, and completes the IRP, unless the verifier is strict; None where any verifier finds it."""
    is_harmless: bool = False
    """Without a verifier the call works."""

    @property
    def is_strict(self) -> bool:
        return self.status is not None

    def is_place(self, place: str) -> bool:
        """Whether ``file:line in function`` lies inside `where`."""
        file, _, rest = place.rpartition(":")
        lines, first = getsourcelines(self.where)
        return file == getsourcefile(self.where) and first <= int(rest.partition(" ")[0]) < first + len(lines)


Perform = Callable[["World"], Any]


def misuse(
    table: list[Misuse], rule: str, status: NTSTATUS | None = None, *, is_harmless: bool = False
) -> Callable[[Perform], Perform]:
    """Write a function in a table under its own name."""

    def decorate(perform: Perform) -> Perform:
        name = perform.__name__.lstrip("_").replace("_", "-")
        table.append(Misuse(name, rule, perform, perform, status, is_harmless))
        return perform

    return decorate


class World:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.sockets: list[WSK_SOCKET] = []
        """Open, oldest first."""
        self.pairs: list[tuple[WSK_SOCKET, WSK_SOCKET]] = []
        """Connections, near end and far end, on which both sides may send and receive."""
        self.unbound: list[WSK_SOCKET] = []
        self.datagrams: list[WSK_SOCKET] = []
        """Bound, of the near host."""
        self.listeners: list[WSK_SOCKET] = []
        self.retained: list[tuple[WSK_SOCKET, Any]] = []
        self.irps: list[IRP] = []
        self.mdls: list[MDL] = []
        self.completed: dict[IRP, list[NTSTATUS]] = {}
        self._port = PORT

    @property
    def application(self) -> simple.Application:
        return self.lab.near_application

    # Requests

    def irp(self, then: Callable[[], object] | None = None, StackSize: int = 1) -> IRP:
        """Ready to be passed to a function; its routine calls `then`."""
        Irp = IoAllocateIrp(StackSize, False)
        assert Irp is not None
        self.irps.append(Irp)
        self.completed[Irp] = []
        IoSetCompletionRoutine(Irp, self.routine, then, True, True, True)
        return Irp

    def routine(self, DeviceObject: object, Irp: IRP, Context: Any) -> NTSTATUS:
        self.completed[Irp].append(Irp.IoStatus.Status)
        if Context is not None:
            Context()
        return STATUS_MORE_PROCESSING_REQUIRED

    def mdl(self, memory: bytes | bytearray | memoryview) -> MDL:
        """Not built yet."""
        Mdl = IoAllocateMdl(memory, memoryview(memory).nbytes, False, False, None)
        assert Mdl is not None
        self.mdls.append(Mdl)
        return Mdl

    def buffer(self, memory: bytes | bytearray | memoryview) -> WSK_BUF:
        Mdl = self.mdl(memory)
        MmBuildMdlForNonPagedPool(Mdl)
        return WSK_BUF(Mdl, 0, Mdl.ByteCount)

    def pending(self) -> list[IRP]:
        return [Irp for Irp in self.irps if Irp.CurrentLocation <= Irp.StackCount and not self.completed[Irp]]

    # Sockets

    def port(self) -> int:
        """One that nobody has yet."""
        self._port += 1
        return self._port

    def note(self, Socket: WSK_SOCKET) -> WSK_SOCKET:
        self.sockets.append(Socket)
        return Socket

    def create(self, Flags: int, host: Host | None = None, **options: Any) -> WSK_SOCKET:
        return self.note(self.lab.socket(host or self.lab.near, Flags, **options))

    def fresh(self, Flags: int) -> WSK_SOCKET:
        """Not bound: one that is there, or a new one."""
        for Socket in self.unbound:
            if Flags == Socket.CATEGORY:  # type: ignore[attr-defined]
                return Socket
        self.unbound.append(self.create(Flags))
        return self.unbound[-1]

    def bound(self, Flags: int, port: int = 0, **options: Any) -> WSK_SOCKET:
        return self.note(self.lab.bound(self.lab.near, Flags, "0.0.0.0", port, **options))

    def listener(self) -> WSK_SOCKET:
        if not self.listeners:
            self.listeners.append(self.bound(LISTEN, self.port()))
        return self.listeners[-1]

    def datagram(self) -> WSK_SOCKET:
        if not self.datagrams:
            self.datagrams.append(self.bound(DATAGRAM, self.port(), Dispatch=self.datagram_dispatch()))
        return self.datagrams[-1]

    def connect(self, Dispatch: Any = None) -> tuple[WSK_SOCKET, WSK_SOCKET]:
        """A new connection; the near socket keeps what is indicated unless there is a `Dispatch`."""
        port = self.port()
        listener = self.lab.listener(port=port)
        near = self.note(self.lab.connected(port, Dispatch=Dispatch or self.connection_dispatch()))
        self.pairs.append((near, self.note(ok(simple.accept(listener)))))
        ok(simple.close(listener))
        return self.pairs[-1]

    def pair(self) -> tuple[WSK_SOCKET, WSK_SOCKET]:
        """A connection that is there, or a new one.  Some may be gone: a send that is cancelled resets its own."""
        self.pairs = [ends for ends in self.pairs if all(simple.remote_address(end)[0] == 0 for end in ends)]
        return self.pairs[-1] if self.pairs else self.connect()

    def connection(self) -> WSK_SOCKET:
        return self.pair()[0]

    def of_category(self, Flags: int) -> WSK_SOCKET:
        if Flags == LISTEN:
            return self.listener()
        if Flags == CONNECTION:
            return self.connection()
        return self.datagram() if Flags == DATAGRAM else self.fresh(Flags)

    # Requests that stay pending: what waits to be received goes into others before

    def pending_receive(self, Buffer: WSK_BUF | None = None, StackSize: int = 1) -> tuple[WSK_SOCKET, IRP]:
        near = self.connection()
        while True:
            Irp = self.irp(StackSize=StackSize)
            near.Dispatch.WskReceive(near, Buffer or self.buffer(bytearray(4)), 0, Irp)
            if not self.completed[Irp]:
                return near, Irp

    def pending_receive_from(self, Buffer: WSK_BUF) -> IRP:
        Socket = self.datagram()
        while True:
            Irp = self.irp()
            Socket.Dispatch.WskReceiveFrom(Socket, Buffer, 0, None, None, None, None, Irp)
            if not self.completed[Irp]:
                return Irp

    # Callbacks that keep what they are shown

    def connection_dispatch(self) -> WSK_CLIENT_CONNECTION_DISPATCH:
        def WskReceiveEvent(SocketContext: Any, Flags: int, DataIndication: Any, *lengths: Any) -> NTSTATUS:
            return self.keep(DataIndication)

        return WSK_CLIENT_CONNECTION_DISPATCH(WskReceiveEvent)

    def datagram_dispatch(self) -> WSK_CLIENT_DATAGRAM_DISPATCH:
        def WskReceiveFromEvent(SocketContext: Any, Flags: int, DataIndication: Any) -> NTSTATUS:
            return self.keep(DataIndication)

        return WSK_CLIENT_DATAGRAM_DISPATCH(WskReceiveFromEvent)

    def keep(self, Indication: Any) -> NTSTATUS:
        self.retained.append((Indication._holder, Indication))
        return NTSTATUS.STATUS_PENDING

    def release(self, Socket: WSK_SOCKET | None = None) -> None:
        """What was kept, of one socket or of all."""
        for holder, Indication in list(self.retained):
            if Socket in (None, holder):
                assert holder.Dispatch.WskRelease(holder, Indication) == STATUS_SUCCESS
                self.retained.remove((holder, Indication))

    # The end

    def close(self, Socket: WSK_SOCKET) -> None:
        self.release(Socket)
        self.forget(Socket)
        ok(simple.close(Socket))

    def forget(self, Socket: WSK_SOCKET) -> None:
        """It has been closed, or is about to be."""
        self.sockets.remove(Socket)
        for pool in (self.unbound, self.datagrams, self.listeners):
            if Socket in pool:
                pool.remove(Socket)
        self.pairs = [pair for pair in self.pairs if Socket not in pair]

    def require_works(self) -> None:
        """A datagram and a connection go there and back, on sockets of their own."""
        near, far = self.bound(DATAGRAM, self.port()), self.note(self.lab.datagram(self.lab.far, self.port()))
        for one, other, address in ((near, far, FAR), (far, near, NEAR)):
            to = ok(simple.local_address(other))
            there = simple.address(address, simple.host_and_port(to)[1])
            ok(simple.call(one.Dispatch.WskSendTo, one, self.buffer(b"there"), 0, there, 0, None))
            memory = bytearray(5)
            arguments = (other, self.buffer(memory), 0, None, None, None, None)
            assert ok(simple.call(other.Dispatch.WskReceiveFrom, *arguments)) == 5
            assert memory == b"there"
        for one, other in (self.connect(), self.pairs[-1][::-1]):
            ok(simple.call(one.Dispatch.WskSend, one, self.buffer(b"there"), 0))
            memory = bytearray(5)
            assert ok(simple.call(other.Dispatch.WskReceive, other, self.buffer(memory), 0)) == 5
            assert memory == b"there"

    def finish(self) -> None:
        """Everything can still be closed and given back, and then nothing is left on either host."""
        self.release()
        for Socket in list(self.sockets):
            self.close(Socket)
        self.lab.run()
        for Irp in self.pending():
            IoCancelIrp(Irp)
        self.lab.run()
        assert self.pending() == []
        for Irp in self.irps:
            IoFreeIrp(Irp)
        for Mdl in self.mdls:
            IoFreeMdl(Mdl)
        for host in (self.lab.near, self.lab.far):
            self.lab.application(host).close()
            require_nothing_left(host)
