"""The up-calls of the switch: handles for sockets of providers, and word of operations that are over (SAN-6.2.3)."""

from __future__ import annotations

from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import (
    INVALID_SOCKET,
    NO_ERROR,
    SOCKET_ERROR,
    WSAEFAULT,
    WSAENETDOWN,
    WSAENOTSOCK,
)
from wsknet.san.structures import INT, WSPUPCALLTABLEEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.san.structures import WSAOVERLAPPED

FIRST = 0x8004
STEP = 4


class Listener(Protocol):
    """Who hears of a provider's socket."""

    def completed(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None: ...
    def handle_closed(self) -> None: ...


class Handles:
    """Of one switch.  A handle is good until WPUCloseSocketHandle; the provider's own descriptor is another number."""

    def __init__(self, closed: Callable[[], None]) -> None:
        """`closed` is called after each WPUCloseSocketHandle."""
        self._closed = closed
        self._contexts: dict[int, Any] = {}
        self._listeners: dict[int, Listener] = {}
        self._numbers = count(FIRST, STEP)
        """Threads of the application accept, too, while completions connect."""
        self._latest: dict[int, int] = {}
        """By thread: WPUCreateSocketHandle comes in the thread of the WSPSocket or WSPAccept that wants it."""
        self.is_open = True
        self.table = WSPUPCALLTABLEEX(
            lpWPUCreateSocketHandle=self.WPUCreateSocketHandle,
            lpWPUQuerySocketHandleContext=self.WPUQuerySocketHandleContext,
            lpWPUCloseSocketHandle=self.WPUCloseSocketHandle,
            lpWPUCompleteOverlappedRequest=self.WPUCompleteOverlappedRequest,
        )

    def take_latest(self) -> int:
        """The handle that the calling thread was asked for last, once."""
        return self._latest.pop(get_ident(), INVALID_SOCKET)

    def listen(self, handle: int, listener: Listener) -> None:
        self._listeners[handle] = listener

    def __len__(self) -> int:
        """Sockets that providers have not let go of."""
        return len(self._contexts)

    # Called by providers

    @answers(INVALID_SOCKET)
    def WPUCreateSocketHandle(self, dwCatalogEntryId: int, dwContext: Any) -> int:
        if not self.is_open:
            raise WinsockError(WSAENETDOWN)
        handle = next(self._numbers)
        self._contexts[handle] = dwContext
        self._latest[get_ident()] = handle
        return handle

    @answers(SOCKET_ERROR)
    def WPUQuerySocketHandleContext(self, s: int, lpContext: Any) -> int:
        """What WPUCreateSocketHandle was given.  WSAENOTSOCK, WSAEFAULT."""
        self._check(s)
        if not isinstance(lpContext, INT):
            raise WinsockError(WSAEFAULT)
        lpContext.Value = self._contexts[s]
        return NO_ERROR

    @answers(SOCKET_ERROR)
    def WPUCloseSocketHandle(self, s: int) -> int:
        """The last that the provider has to say about the socket.  WSAENOTSOCK."""
        self._check(s)
        del self._contexts[s]
        listener = self._listeners.pop(s, None)
        if listener is not None:
            listener.handle_closed()
        self._closed()
        return NO_ERROR

    @answers(SOCKET_ERROR)
    def WPUCompleteOverlappedRequest(
        self, s: int, lpOverlapped: WSAOVERLAPPED, dwError: int, cbTransferred: int
    ) -> int:
        """WSAENOTSOCK for a handle that is none (any more)."""
        self._check(s)
        listener = self._listeners.get(s)
        if listener is not None:
            listener.completed(lpOverlapped, dwError, cbTransferred)
        return NO_ERROR

    def _check(self, s: int) -> None:
        if s not in self._contexts:
            raise WinsockError(WSAENOTSOCK)
