"""Two hosts on one cable with a WSK application on each, and the means to watch requests and frames.

The near host is current for the whole test; sockets of the far one carry their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.devices.impair import Impairment
from wsknet.host import Host, HostInterface, Network
from wsknet.transport.tcp.seq import Seq
from wsknet.wsk import (
    IRP,
    NTSTATUS,
    STATUS_MORE_PROCESSING_REQUIRED,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_SOCKET,
    IoAllocateIrp,
    IoReuseIrp,
    IoSetCompletionRoutine,
    KeGetCurrentIrql,
    simple,
)

if TYPE_CHECKING:
    from wsknet.devices.base import Device, Entry, Receiver
    from wsknet.types import Buffers, Instant

NEAR, FAR, BROADCAST = "192.0.2.1", "192.0.2.2", "192.0.2.255"
NEAR6, FAR6 = "2001:db8::1", "2001:db8::2"
PORT = 7000

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Watch:
    """A device that notes what is sent into another."""

    def __init__(self, inner: Device) -> None:
        self.name = inner.name
        self.inner = inner
        self.frames: list[bytes] = []

    def attach(self, receiver: Receiver, entry: Entry) -> None:
        self.inner.attach(receiver, entry)

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        self.frames.append(b"".join(frame))
        self.inner.transmit(frame, now, comment)

    def close(self) -> None:
        self.inner.close()

    def tcp_flags(self) -> list[int]:
        """Of the TCP segments, in order."""
        places = ((frame, 23, 47) if frame[12:14] == b"\x08\0" else (frame, 20, 67) for frame in self.frames)
        return [frame[flags] for frame, protocol, flags in places if frame[12:14] != b"\x08\6" and frame[protocol] == 6]

    def udp_payloads(self) -> list[bytes]:
        return [
            frame[42 : 14 + int.from_bytes(frame[16:18], "big")]
            for frame in self.frames
            if frame[12:14] == b"\x08\0" and frame[23] == 17
        ]


class Request:
    """One IRP and everything that happens to it."""

    def __init__(self) -> None:
        Irp = IoAllocateIrp(1, False)
        assert Irp is not None
        self.Irp: IRP = Irp
        self.returned: NTSTATUS | None = None
        self.completions: list[tuple[NTSTATUS, Any]] = []
        self.was_pending: list[bool] = []
        self.irql: int | None = None
        self.then: Callable[[], object] | None = None
        """Called by the completion routine, last."""

    def start(self, function: Callable[..., NTSTATUS], *arguments: Any) -> Request:
        if self.completions:
            IoReuseIrp(self.Irp, STATUS_UNSUCCESSFUL)
        IoSetCompletionRoutine(self.Irp, self._routine, self, True, True, True)
        self.returned = function(*arguments, self.Irp)
        return self

    def _routine(self, DeviceObject: object, Irp: IRP, Context: object) -> NTSTATUS:
        assert Irp is self.Irp
        assert Context is self
        self.completions.append((Irp.IoStatus.Status, Irp.IoStatus.Information))
        self.was_pending.append(Irp.PendingReturned)
        self.irql = KeGetCurrentIrql()
        if self.then is not None:
            self.then()
        return STATUS_MORE_PROCESSING_REQUIRED

    @property
    def is_done(self) -> bool:
        return bool(self.completions)

    @property
    def status(self) -> NTSTATUS:
        """Of the only completion."""
        assert len(self.completions) == 1, self.completions
        return self.completions[0][0]

    @property
    def information(self) -> Any:
        assert len(self.completions) == 1, self.completions
        return self.completions[0][1]


def start(function: Callable[..., NTSTATUS], *arguments: Any) -> Request:
    """Call a WSK function with an IRP of its own and do not wait."""
    return Request().start(function, *arguments)


def ok(result: tuple[NTSTATUS, Any]) -> Any:
    """The value of a call that has to succeed."""
    Status, value = result
    assert Status == STATUS_SUCCESS, Status.name
    return value


class Lab:
    def __init__(self, behaviour: Behaviour = WINDOWS) -> None:
        self.network = Network(seed=7)
        self.near = self.network.host("near", behaviour)
        self.far = self.network.host("far", behaviour)
        self.near_interface = self.near.interface("eth0", f"{NEAR}/24", f"{NEAR6}/64")
        self.far_interface = self.far.interface("eth0", f"{FAR}/24", f"{FAR6}/64")
        self.network.link(self.near_interface, self.far_interface)
        self.near_wire = self._watch(self.near_interface)
        self.far_wire = self._watch(self.far_interface)
        for host in (self.near, self.far):
            # Every stream crosses 2^32 soon after its start.
            host.stack.tcp.initial_sequence = lambda local, remote, now: Seq(0xFFFF_FFF0)
        with self.near.activate():
            self.near_application = simple.Application("near context")
        with self.far.activate():
            self.far_application = simple.Application("far context")

    @staticmethod
    def _watch(interface: HostInterface) -> Watch:
        assert interface.device is not None
        watch = Watch(interface.device)
        interface.plug(watch)
        return watch

    def run(self, seconds: float = 1.0) -> None:
        self.network.run_for(seconds)

    def cut(self, is_cut: bool = True) -> None:
        """Lose every frame in both directions."""
        for watch in (self.near_wire, self.far_wire):
            watch.inner.impairment = Impairment(loss=1) if is_cut else Impairment()  # type: ignore[attr-defined]

    def application(self, host: Host) -> simple.Application:
        return self.near_application if host is self.near else self.far_application

    # Sockets

    def socket(self, host: Host, Flags: int, **options: Any) -> WSK_SOCKET:
        Socket: WSK_SOCKET = ok(self.application(host).open(Flags, **options))
        return Socket

    def bound(self, host: Host, Flags: int, address: str = "0.0.0.0", port: int = 0, **options: Any) -> WSK_SOCKET:
        Socket = self.socket(host, Flags, **options)
        ok(simple.bind(Socket, simple.address(address, port)))
        return Socket

    def listener(self, address: str = "0.0.0.0", port: int = PORT, **options: Any) -> WSK_SOCKET:
        """Of the far host."""
        return self.bound(self.far, WSK_FLAG_LISTEN_SOCKET, address, port, **options)

    def datagram(self, host: Host, port: int = 0, address: str = "0.0.0.0", **options: Any) -> WSK_SOCKET:
        return self.bound(host, WSK_FLAG_DATAGRAM_SOCKET, address, port, **options)

    def connected(self, port: int = PORT, **options: Any) -> WSK_SOCKET:
        """A socket of the near host, connected to `port` of the far one, which knows of it, too."""
        Socket = self.bound(self.near, WSK_FLAG_CONNECTION_SOCKET, **options)
        ok(simple.connect(Socket, simple.address(FAR, port)))
        self.run(0.001)
        return Socket

    def pair(self, **options: Any) -> tuple[WSK_SOCKET, WSK_SOCKET]:
        """Both ends of a connection, near and far; `options` are those of the near socket."""
        listener = self.listener()
        near = self.connected(**options)
        far = ok(simple.accept(listener))
        ok(simple.close(listener))
        return near, far


@contextmanager
def lab(behaviour: Behaviour = WINDOWS) -> Iterator[Lab]:
    made = Lab(behaviour)
    with made.network, made.near.activate():
        yield made
