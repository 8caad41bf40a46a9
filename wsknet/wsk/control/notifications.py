"""SIO_ADDRESS_LIST_CHANGE and SIO_ROUTING_INTERFACE_CHANGE: requests that end with the next change of what they watch.

Each completes once.  A program asks for the notification first and queries then, so that it misses nothing (Winsock
IOCTLs, SIO_ROUTING_INTERFACE_QUERY).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.wsk.status import STATUS_CANCELLED, STATUS_SUCCESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.net.changes import News
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.status import NTSTATUS


class Notifications:
    """Those of one socket that have not completed.  Listens to the tables of the host until it is closed."""

    __slots__ = ("_socket", "_waiting")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._waiting: list[tuple[IRP, Callable[[], Any], Any]] = []
        socket.host.stack.ip.watchers.append(self._tables_changed)

    def wait(self, Irp: IRP, now: Instant, probe: Callable[[], Any]) -> Any:
        """Keep `Irp` until `probe` gives another answer than now."""
        self._waiting.append((Irp, probe, probe()))
        return self._socket.pend(Irp, now)

    def cancel(self, Irp: IRP) -> bool:
        """Complete `Irp` with STATUS_CANCELLED.  False: it is none of these."""
        for position, (waiting, *_) in enumerate(self._waiting):
            if waiting is Irp:
                del self._waiting[position]
                self._socket.finish(Irp, STATUS_CANCELLED)
                return True
        return False

    def close(self, Status: NTSTATUS) -> None:
        """Complete all with `Status` and listen no more."""
        self._socket.host.stack.ip.watchers.remove(self._tables_changed)
        waiting, self._waiting = self._waiting, []
        for Irp, *_ in waiting:
            self._socket.finish(Irp, Status)

    def _tables_changed(self, news: News, now: Instant) -> None:
        """Driver lock held: completions are queued, nothing of the program runs."""
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            Irp, probe, before = request
            if probe() == before:
                self._waiting.append(request)
            else:
                self._socket.finish(Irp, STATUS_SUCCESS)
