"""WSK_SET_STATIC_EVENT_CALLBACKS: events that every new socket of a client has enabled for good (WSK-5.7).

They belong to a socket from its creation, so that SO_WSK_EVENT_CALLBACK may not touch them (D-15), and act as soon as
its category allows: a listening or datagram socket when it is bound, a connection when it is connected or accepted.
What has no function in the socket's dispatch table is not called: such data waits for requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.wsk.constants import (
    WSK_EVENT_ACCEPT,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_EVENT_SEND_BACKLOG,
)
from wsknet.wsk.control.events import require_standard_events

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client
    from wsknet.wsk.control.ioctl import Buffers
    from wsknet.wsk.sockets.base import Socket

EVENTS = (
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE_FROM,
    WSK_EVENT_RECEIVE,
    WSK_EVENT_DISCONNECT,
    WSK_EVENT_SEND_BACKLOG,
)


def set_static_events(now: Instant, client: Client, buffers: Buffers) -> None:
    """The last mask counts.  It may mix events of all categories, and not hold WSK_EVENT_DISABLE."""
    buffers.require_no_output()
    client.require_no_socket_yet("R-329")
    client.static_events = require_standard_events(buffers.InputSize, buffers.InputBuffer, sum(EVENTS))


def start_static_events(socket: Socket, now: Instant) -> None:
    """`socket` can have its events from now on.  Driver lock held."""
    if not socket.static_events:
        return
    enabled = 0
    for event in EVENTS:
        callback = socket.find_callback(event) if socket.static_events & event else None
        if callback is not None:
            socket.callbacks[event] = callback
            enabled |= event
    if enabled:
        socket.events |= enabled
        socket.events_changed(now)


def start_static_events_later(socket: Socket) -> None:
    """The same once the request that hands `socket` out is on its way: its completion routine comes first."""
    if socket.static_events:
        socket.completions.post(_start_now, socket)


def _start_now(socket: Socket) -> None:
    """A completion: no lock held."""
    with socket.pump as now:
        if not socket.is_closing:
            start_static_events(socket, now)
