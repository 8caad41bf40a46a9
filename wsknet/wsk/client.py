"""One attachment of an application to the subsystem: what a WSK_REGISTRATION holds and a PWSK_CLIENT points to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.wsk.sockets.base import Socket
    from wsknet.wsk.structures import WSK_CLIENT_DISPATCH


class Client:
    __slots__ = ("ClientContext", "Dispatch", "_calls", "captures", "host", "is_deregistered", "sockets")

    def __init__(self, host: Host, ClientContext: Any, Dispatch: WSK_CLIENT_DISPATCH) -> None:
        self.host = host
        self.ClientContext = ClientContext
        self.Dispatch = Dispatch
        self.captures = 0
        """Provider NPIs captured and not yet released."""
        self.sockets: dict[Socket, None] = {}
        """Not yet closed, oldest first; those of a WskSocketConnect in progress included."""
        self.is_deregistered = False
        self._calls: list[None] = []

    def enter(self) -> None:
        """A call to a function of WSK_PROVIDER_DISPATCH begins.  Callable from any thread."""
        self._calls.append(None)

    def leave(self) -> None:
        self._calls.pop()
        self._less_to_wait_for()

    def add_socket(self, socket: Socket) -> None:
        self.sockets[socket] = None

    def remove_socket(self, socket: Socket) -> None:
        del self.sockets[socket]
        self._less_to_wait_for()

    def release(self) -> None:
        """One capture fewer.  Driver lock held."""
        self.captures -= 1
        self._less_to_wait_for()

    def is_unused(self) -> bool:
        return not (self.captures or self.sockets or self._calls)

    def describe_use(self) -> str:
        return f"{self.captures} captures, {len(self.sockets)} open sockets, {len(self._calls)} calls in progress"

    def _less_to_wait_for(self) -> None:
        if self.is_deregistered:
            self.host.driver.wakeup()
