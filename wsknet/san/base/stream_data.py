"""WSPSend and WSPRecv on a stream socket: what each does, again and again, until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.base.operations import Outcome
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    ERRORS,
    MSG_DONTROUTE,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_WAITALL,
    WSAEINVAL,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
)

if TYPE_CHECKING:
    from wsknet.san.base.operations import Attempt
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.types import Instant


def sending(socket: StreamSocket, data: list[memoryview], flags: int, *, may_wait: bool) -> Attempt:
    if flags & MSG_PARTIAL or flags & ~(MSG_OOB | MSG_DONTROUTE):
        raise WinsockError(WSAEOPNOTSUPP)
    if len(data) > 1:
        data = [memoryview(b"".join(data))]  # as one, so that small pieces do not become segments of their own
    return _Send(socket, data, is_urgent=bool(flags & MSG_OOB), may_wait=may_wait)


class _Send:
    """What the stream has taken counts as sent; the rest waits for room."""

    def __init__(self, socket: StreamSocket, data: list[memoryview], *, is_urgent: bool, may_wait: bool) -> None:
        self._socket = socket
        self._data = data
        self._is_urgent = is_urgent
        self._may_wait = may_wait
        self._count = 0
        self._is_tried = False

    def __call__(self, now: Instant) -> Outcome | None:
        socket = self._socket
        if not self._is_tried and socket.stream is not None and socket.is_send_shut:
            raise WinsockError(WSAESHUTDOWN)  # not what waits since before: that is sent first
        self._is_tried = True
        stream = socket.live
        if stream.error is not None:
            raise WinsockError(ERRORS[stream.error])
        while self._data:
            taken = stream.send(self._data[0], now, is_urgent=self._is_urgent)
            self._count += taken
            if taken < len(self._data[0]):
                self._data[0] = self._data[0][taken:]
                if taken:
                    continue
                socket.turned_away()
                return Outcome(self._count) if self._count and not self._may_wait else None
            del self._data[0]
        return Outcome(self._count)


def receiving(socket: StreamSocket, views: list[memoryview], flags: int, *, may_wait: bool) -> Attempt:
    if flags & ~(MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_PARTIAL):
        raise WinsockError(WSAEOPNOTSUPP)
    if flags & MSG_OOB:
        if socket.settings.is_oob_inline:
            raise WinsockError(WSAEINVAL)
        if flags & MSG_WAITALL:
            raise WinsockError(WSAEOPNOTSUPP)
        return _ReceiveUrgent(socket, views, is_peek=bool(flags & MSG_PEEK))
    if flags & MSG_WAITALL and (flags & (MSG_PEEK | MSG_PARTIAL) or not may_wait):
        raise WinsockError(WSAEOPNOTSUPP)
    return _Receive(socket, views, is_peek=bool(flags & MSG_PEEK), is_whole=bool(flags & MSG_WAITALL))


class _Receive:
    """`is_whole`: until the views are full or nothing more can come."""

    def __init__(self, socket: StreamSocket, views: list[memoryview], *, is_peek: bool, is_whole: bool) -> None:
        self._socket = socket
        self._views = views
        self._is_peek = is_peek
        self._is_whole = is_whole
        self._count = 0

    def __call__(self, now: Instant) -> Outcome | None:
        socket = self._socket
        stream = socket.live
        if socket.is_receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        reader = socket.reader
        assert reader is not None
        reader.skip(now)
        if reader.ordinary:
            if self._is_peek:
                return Outcome(reader.peek(self._views))
            count = reader.take(self._views, now)
            self._count += count
            if not self._is_whole or not self._drop(count):
                return Outcome(self._count)
        if self._count and (stream.peer_finished or stream.error is not None):
            return Outcome(self._count)
        if stream.readable:
            return None
        if stream.error is not None:
            raise WinsockError(ERRORS[stream.error])
        return Outcome() if stream.peer_finished else None

    def _drop(self, count: int) -> bool:
        """Of the views what has been filled; whether anything is left."""
        while self._views and count >= len(self._views[0]):
            count -= len(self._views[0])
            del self._views[0]
        if self._views:
            self._views[0] = self._views[0][count:]
        return bool(self._views)


class _ReceiveUrgent:
    """Waits where there is none; what Winsock answers then is not written anywhere."""

    def __init__(self, socket: StreamSocket, views: list[memoryview], *, is_peek: bool) -> None:
        self._socket = socket
        self._views = [view for view in views if view]
        self._is_peek = is_peek

    def __call__(self, now: Instant) -> Outcome | None:
        socket = self._socket
        stream = socket.live
        if socket.is_receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        assert socket.reader is not None
        if not self._views:
            raise WinsockError(WSAEINVAL)
        byte = socket.reader.take_byte(is_peek=self._is_peek)
        if byte:
            self._views[0][:1] = byte
            return Outcome(1, MSG_OOB)
        if stream.error is not None:
            raise WinsockError(ERRORS[stream.error])
        if stream.peer_finished:
            raise WinsockError(WSAENOTCONN)
        return None
