"""What every socket has: pending IRPs, callbacks in progress, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck
from wsknet.wsk.constants import (
    SOCK_STREAM,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_BASIC_SOCKET,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WSK_FLAG_STREAM_SOCKET,
)
from wsknet.wsk.control.sockets import control_socket
from wsknet.wsk.irp import IRP, SL_PENDING_RETURNED, IoSetCancelRoutine
from wsknet.wsk.kernel import at
from wsknet.wsk.requests import KEPT, Forbidden, Refusal, call_back, complete, mark_pending, perform
from wsknet.wsk.sockets.states import CREATED, DEAD, FORCED_CLOSED, STATES
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_CANCELLED,
    STATUS_FILE_FORCED_CLOSED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
)
from wsknet.wsk.structures import WSK_BUF, WSK_SOCKET
from wsknet.wsk.verifier import Verifier, verifier_of, wrong_category

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.types import Instant
    from wsknet.wsk.client import Client
    from wsknet.wsk.control.notifications import Notifications


NOT_CALLED = -1
"""In place of what a callback returned, when the event was disabled before its turn came."""


CATEGORIES = {
    WSK_FLAG_BASIC_SOCKET: "basic",
    WSK_FLAG_LISTEN_SOCKET: "listening",
    WSK_FLAG_CONNECTION_SOCKET: "connection",
    WSK_FLAG_DATAGRAM_SOCKET: "datagram",
    WSK_FLAG_STREAM_SOCKET: "stream",
}
"""What people read of each."""

DOCUMENTED = ""
"""In place of a rule: the documentation has a status for the call, so it is no misuse."""


class Socket(WSK_SOCKET):
    """A category's functions are methods: the dispatch table holds them unbound, the socket comes first as in C."""

    __slots__ = ("ClientDispatch", "SocketContext", "_last_words", "busy", "callbacks", "client", "close_irp",
                 "completions", "disabling", "events", "failure", "family", "host", "is_closing", "notifications",
                 "pump", "socket_type", "state", "static_events", "verifier")  # fmt: skip

    CHECKS_ITSELF: ClassVar[frozenset[str]] = frozenset()
    """Functions of the table that look after a BugCheck themselves, because a wrapper would cost too much."""
    CATEGORY = 0
    """The bit by which `control` tells which options a socket has: the flag of WskSocket, 0 for a basic one."""
    EVENTS = 0
    """The WSK_EVENT_ bits that may be enabled."""

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch)
        self.client = client
        self.host = client.host
        self.verifier = verifier_of(client.host)
        self.pump = client.host.pump
        self.completions = client.host.pump.completions
        self.family = family
        """AF_INET or AF_INET6."""
        self.socket_type = SOCK_STREAM
        """Unless WskSocket was given another."""
        self.SocketContext = SocketContext
        self.ClientDispatch = ClientDispatch
        self.state = CREATED
        self.failure: NTSTATUS = STATUS_SUCCESS
        self.events = 0
        """The WSK_EVENT_ bits enabled."""
        self.static_events = client.static_events & self.EVENTS
        """Those that WSK_SET_STATIC_EVENT_CALLBACKS has enabled: from creation on, and for good."""
        self.callbacks: dict[int, Callable[..., Any]] = {}
        """The client's functions for the events that were enabled once."""
        self.busy = 0
        """Those of which a callback is queued or running: never two of one kind at a time."""
        self.disabling: list[tuple[int, IRP]] = []
        """Requests to disable an event that complete when its callback has returned."""
        self._last_words: tuple[int, tuple[Any, ...]] | None = None
        """Event and arguments by which a callback is yet to hear that the socket is dead."""
        self.is_closing = False
        self.notifications: Notifications | None = None
        """Made for the first request of that kind."""
        self.close_irp: IRP | None = None
        """WskCloseSocket waiting for callbacks to return."""

    # Requests

    def perform(self, Irp: IRP | None, operation: Callable[..., Any], *arguments: Any) -> NTSTATUS:
        self.require_open()
        return perform(self.host, Irp, operation, *arguments)

    def require_open(self) -> None:
        if self.is_closing:
            raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-257", "the socket is used after WskCloseSocket")

    def require_usable(self, category: type[Socket], function: str) -> None:
        """The same, and that the socket is of `category`."""
        if not isinstance(self, category):
            raise wrong_category(self, function)
        self.require_open()

    def leaks(self, place: str) -> list[str]:
        """What is left with this socket if it is never closed, a line for each; it came about at `place`."""
        retained = [] if self.verifier is None else self.verifier.retained_by(self)
        lines = [f"a {CATEGORIES[self.CATEGORY]} socket that {STATES[self.state]}{at(place)}"]
        return lines + [f"an indication that was retained{at(place)}" for place in retained]

    def stopped(self) -> NTSTATUS:
        """While a BugCheck is handled: it goes on to the caller, or becomes a status if nothing is verified."""
        if self.verifier is not None:
            raise  # noqa: PLE0704
        return STATUS_INVALID_PARAMETER

    def require_alive(self) -> None:
        """Raises `Refusal` where nothing but WskCloseSocket is of use any more."""
        if self.state == FORCED_CLOSED:
            raise Refusal(STATUS_FILE_FORCED_CLOSED)

    def refuse_state(self, rule: str, what: str = "") -> Refusal:
        """Why a request is illegal in the present state: `rule` says so, or DOCUMENTED."""
        if self.state == FORCED_CLOSED:
            return Refusal(STATUS_FILE_FORCED_CLOSED)
        if self.state == DEAD:
            return Refusal(self.failure)
        if not rule:
            return Refusal(STATUS_INVALID_DEVICE_STATE)
        return Forbidden(STATUS_INVALID_DEVICE_STATE, rule, f"{what}: this one {STATES[self.state]}")

    def pend(self, Irp: IRP, now: Instant) -> NTSTATUS:
        """Keep `Irp`, which `cancel` can find.  Driver lock held."""
        Irp._stack[Irp.CurrentLocation - 1].Control |= SL_PENDING_RETURNED
        Irp._keeper = self
        Irp.CancelRoutine = _cancel_request
        if Irp.Cancel and IoSetCancelRoutine(Irp, None) is not None:
            self.cancel_kept(Irp, now)
        return KEPT

    def finish(self, Irp: IRP, Status: NTSTATUS, Information: Any = 0) -> None:
        """Complete an IRP that was kept.  Driver lock held; its routine runs once the lock is released."""
        if self.verifier is not None:
            self.take_back(Irp)
        Irp.CancelRoutine = None
        Irp._keeper = Irp._buffers = Irp._out = None
        result = Irp.IoStatus
        result.Status = Status
        result.Information = Information
        self.completions.post(complete, Irp)

    def lend(self, Irp: IRP, views: list[memoryview], Buffer: WSK_BUF) -> None:
        """`Irp` is going to pend with this memory, which nobody else may change or free before it completes."""
        if self.verifier is not None:
            self.verifier.lend(Irp, views, Buffer.Mdl)

    def take_back(self, Irp: IRP) -> None:
        """The memory of `Irp` is its owner's again.  Who has written to it hears of that from the queue: here is no
        place to raise, in the middle of what has happened to the connection.  Driver lock held."""
        assert self.verifier is not None
        try:
            self.verifier.take_back(Irp)
        except BugCheck as stop:
            self.completions.post(_raise, stop)

    def begin_writing(self, Irp: IRP) -> None:
        """The same, for a request that may go on pending with what it has got: then `end_writing` follows."""
        assert self.verifier is not None
        try:
            self.verifier.begin_writing(Irp)
        except BugCheck as stop:
            self.completions.post(_raise, stop)

    def cancel_kept(self, Irp: IRP, now: Instant) -> None:
        """IoCancelIrp has been called for `Irp`, which this socket keeps.  Driver lock held."""
        if self.notifications is None or not self.notifications.cancel(Irp):
            self.cancel(Irp, now)

    def cancel(self, Irp: IRP, now: Instant) -> None:
        """The same for what the category keeps."""

    def cancel_all(self, now: Instant) -> None:
        """The socket is being closed: complete every IRP with STATUS_CANCELLED and let the endpoint go."""

    # Callbacks

    def find_callback(self, event: int) -> Callable[..., Any] | None:
        """The client's function for `event` in its dispatch table; None for NULL."""
        return None

    def is_wanted(self, event: int) -> bool:
        """Whether a callback that was queued some time ago is still to be called."""
        return self.events & event != 0 and not self.is_closing

    def end_callback(self, event: int) -> None:
        """The callback for `event` has returned.  Driver lock held."""
        self.busy &= ~event
        if self._last_words is not None:
            self._say_last_words()
        if self.disabling or self.is_closing:
            self._complete_waiting(event)

    def _complete_waiting(self, event: int) -> None:
        """Requests to disable `event`, and the close once no callback is left."""
        if self.disabling:
            waiting, self.disabling = self.disabling, []
            for disabled, Irp in waiting:
                if disabled == event:
                    self.finish(Irp, STATUS_SUCCESS)
                else:
                    self.disabling.append((disabled, Irp))
        if self.is_closing and not self.busy and self.close_irp is not None:
            Irp, self.close_irp = self.close_irp, None
            self.completions.post(self._complete_close, Irp)

    def tell_dead(self, event: int, *arguments: Any) -> None:
        """Let the callback for `event` hear once, after those in progress, that only WskCloseSocket is of use any more:
        NULL among its `arguments` says so (R-159, R-160, R-233, R-283).  Driver lock held."""
        self._last_words = event, arguments
        self._say_last_words()

    def _say_last_words(self) -> None:
        assert self._last_words is not None
        event, arguments = self._last_words
        if self.busy & event:
            return
        self._last_words = None
        if self.is_wanted(event):
            self.busy |= event
            self.completions.post(self._indicate_dead, event, arguments)

    def _indicate_dead(self, event: int, arguments: tuple[Any, ...]) -> None:
        """A completion: no lock held."""
        try:
            if self.is_wanted(event):
                call_back(self.callbacks[event], self.SocketContext, WSK_FLAG_AT_DISPATCH_LEVEL, *arguments)
        finally:
            with self.pump:
                self.end_callback(event)

    def check_may_enable(self, events: int) -> None:
        """Raises `Refusal` where events cannot be enabled yet."""

    def never_disabled(self) -> int:
        """Events that stay as they are."""
        return 0

    def events_changed(self, now: Instant) -> None:
        """More events are enabled: indicate what has been waiting for that."""

    # Functions of every table

    def WskControlSocket(
        self,
        RequestType: int,
        ControlCode: int,
        Level: int,
        InputSize: int,
        InputBuffer: Any,
        OutputSize: int,
        OutputBuffer: Any,
        OutputSizeReturned: list[int] | None,
        Irp: IRP | None,
    ) -> NTSTATUS:
        self.require_open()
        buffers = InputSize, InputBuffer, OutputSize, OutputBuffer, OutputSizeReturned
        return control_socket(self, RequestType, ControlCode, Level, *buffers, Irp)

    def WskCloseSocket(self, Irp: IRP | None) -> NTSTATUS:
        """Cancels what is pending, resets a connection that is not finished both ways, waits for callbacks."""
        if self.verifier is not None and not self.is_closing:
            self.require_released(self.verifier)
        return self.perform(Irp, self._close)

    def require_released(self, verifier: Verifier) -> None:
        """BugCheck if an indication is retained, which could not be released any more (R-255)."""
        places = verifier.retained_by(self)
        if places:
            what = f"WskCloseSocket with {len(places)} indications retained, by {places[0]}"
            raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-255", what)

    def _close(self, Irp: IRP, now: Instant) -> Any:
        self.is_closing = True
        self.end_notifications(STATUS_CANCELLED)
        self.cancel_all(now)
        mark_pending(Irp)
        Irp._keeper = self
        for _, waiting in self.disabling:
            self.finish(waiting, STATUS_CANCELLED)
        self.disabling.clear()
        if self.busy:
            self.close_irp = Irp
        else:
            self.completions.post(self._complete_close, Irp)
        return KEPT

    def end_notifications(self, Status: NTSTATUS) -> None:
        if self.notifications is not None:
            self.notifications.close(Status)
            self.notifications = None

    def force_close(self, now: Instant) -> None:
        """Nothing but WskCloseSocket is of use any more (D-23): complete what pends, tell a callback.

        Driver lock held.
        """
        self.state = FORCED_CLOSED
        self.end_notifications(STATUS_FILE_FORCED_CLOSED)

    def _complete_close(self, Irp: IRP) -> None:
        Irp._keeper = None
        Irp.IoStatus.Status = STATUS_SUCCESS
        Irp.IoStatus.Information = 0
        try:
            complete(Irp)
        finally:
            self.client.remove_socket(self)


def _raise(stop: BugCheck) -> None:
    raise stop


def _cancel_request(DeviceObject: object, Irp: IRP) -> None:
    socket: Socket | None = Irp._keeper
    if socket is None:
        return
    with socket.pump as now:
        # The request may have finished since.
        if Irp._keeper is socket:
            socket.cancel_kept(Irp, now)
