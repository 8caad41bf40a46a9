"""Stream sockets: bound first, then a listener (WskListen) or a connection (WskConnect), never both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.wsk.constants import WSK_EVENT_ACCEPT, WSK_FLAG_STREAM_SOCKET
from wsknet.wsk.dispatch import WSK_PROVIDER_STREAM_DISPATCH
from wsknet.wsk.irp import IRP
from wsknet.wsk.sockets.connection import ConnectionSocket
from wsknet.wsk.sockets.listening import INHERITED, AcceptingSocket
from wsknet.wsk.sockets.states import BOUND, CONNECTED, LISTENING
from wsknet.wsk.status import NTSTATUS
from wsknet.wsk.verifier import table

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client


class StreamSocket(AcceptingSocket, ConnectionSocket):
    __slots__ = ("accepts", "inspector", "waiting")

    CATEGORY = WSK_FLAG_STREAM_SOCKET
    EVENTS = WSK_EVENT_ACCEPT | INHERITED

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        self.accepts = deque()
        self.waiting = deque()
        self.inspector = None

    @property
    def connection_dispatch(self) -> Any:
        return getattr(self.ClientDispatch, "Connect", None)

    @property
    def listen_dispatch(self) -> Any:
        return getattr(self.ClientDispatch, "Listen", None)

    def WskListen(self, Irp: IRP | None) -> NTSTATUS:
        """Completes when the socket listens; it does not wait for a connection (C-09)."""
        return self.perform(Irp, self._listen)

    def _listen(self, Irp: IRP, now: Instant) -> Any:
        if self.state != BOUND:
            raise self.refuse_state("R-140", "WskListen needs a socket that is bound and not connected")
        self.listen(now)
        return 0

    def find_callback(self, event: int) -> Callable[..., Any] | None:
        if self.state == LISTENING:
            return self.listen_callback(event)
        return None if event == WSK_EVENT_ACCEPT else super().find_callback(event)

    def check_may_enable(self, events: int) -> None:
        if self.state != LISTENING and (self.state != CONNECTED or events & WSK_EVENT_ACCEPT):
            raise self.refuse_state("R-297", "events are enabled once the socket listens or is connected")

    def events_changed(self, now: Instant) -> None:
        if self.state == LISTENING:
            self.hand_out(now)
        else:
            super().events_changed(now)

    def force_close(self, now: Instant) -> None:
        if self.state == LISTENING:
            self.force_close_listener(now)
        else:
            super().force_close(now)

    def on_ready(self, readiness: int, now: Instant) -> None:
        if self.state == LISTENING:
            self.listener_ready(readiness, now)
        else:
            super().on_ready(readiness, now)

    def cancel(self, Irp: IRP, now: Instant) -> None:
        if Irp in self.accepts:
            self.cancel_accept(Irp)
        else:
            super().cancel(Irp, now)

    def cancel_all(self, now: Instant) -> None:
        self.cancel_accepts(now)
        super().cancel_all(now)


STREAM_DISPATCH = table(WSK_PROVIDER_STREAM_DISPATCH, StreamSocket)
