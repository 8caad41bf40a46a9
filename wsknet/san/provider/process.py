"""What one process, that is one switch, has of the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.calls import WinsockError
from wsknet.san.numbers import INVALID_SOCKET, WSAEMFILE, WSAENETDOWN, WSAENOBUFS, WSAENOTSOCK
from wsknet.san.provider.closing import close
from wsknet.san.provider.memory import Memory
from wsknet.san.provider.sockets import SanSocket
from wsknet.san.structures import INT

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.san.provider.proxy import Proxy
    from wsknet.san.structures import WSAOVERLAPPED, WSAPROTOCOL_INFOW, WSPUPCALLTABLEEX
    from wsknet.types import Instant


class Process:
    """Made by the first WSPStartupEx with these up-calls, and over with as many WSPCleanup."""

    def __init__(self, proxy: Proxy, protocol_info: WSAPROTOCOL_INFOW, upcalls: WSPUPCALLTABLEEX) -> None:
        self.host = proxy.host
        self.policy = proxy.policy
        self.proxy = proxy
        self.protocol_info = protocol_info
        self.upcalls = upcalls
        self.memory = Memory()
        self.references = 0
        """WSPStartupEx less WSPCleanup."""
        self.extensions: dict[bytes, Callable[..., Any]] = {}
        """By GUID, what SIO_GET_EXTENSION_FUNCTION_POINTER gives."""
        self._sockets: dict[int, SanSocket] = {}

    def socket(self, s: object) -> SanSocket:
        """Raises `WinsockError` WSAENOTSOCK."""
        socket = self._sockets.get(s) if isinstance(s, int) else None
        if socket is None:
            raise WinsockError(WSAENOTSOCK)
        return socket

    def create_socket(self) -> SanSocket:
        """Ask the switch for a handle, and keep both.  Driver lock not held.

        Raises `WinsockError` WSAENOBUFS (`SanPolicy.sockets_limit`), WSAENETDOWN (the process has ended its use), or
        what the switch has to say.
        """
        proxy = self.proxy
        with self.host.pump:
            self.check_running()
            if proxy.sockets >= self.policy.sockets_limit:
                raise WinsockError(WSAENOBUFS)
            proxy.sockets += 1
            descriptor = proxy.new_descriptor()
        lpErrno = INT()
        handle = self.upcalls.lpWPUCreateSocketHandle(self.protocol_info.dwCatalogEntryId, descriptor, lpErrno)
        with self.host.pump:
            if handle == INVALID_SOCKET:
                proxy.sockets -= 1
                raise WinsockError(lpErrno.Value or WSAEMFILE)
            socket = SanSocket(self, descriptor, handle)
            self._sockets[descriptor] = socket
            if not self.references:  # the last WSPCleanup has come meanwhile, and found all sockets but this
                self.discard(socket)
            self.check_running()
        return socket

    def check_running(self) -> None:
        if not self.references:
            raise WinsockError(WSAENETDOWN)

    def discard(self, socket: SanSocket) -> None:
        """The descriptor is no more; the last up-call for the socket.  Driver lock held."""
        del self._sockets[socket.descriptor]
        self.proxy.sockets -= 1
        self.host.pump.completions.post(self._close_handle, socket.handle)

    def close_all(self, now: Instant) -> None:
        for socket in list(self._sockets.values()):
            close(socket, now)

    def post_completion(self, handle: int, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        self.host.pump.completions.post(self._complete, handle, overlapped, error, count)

    def _complete(self, handle: int, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        self.upcalls.lpWPUCompleteOverlappedRequest(handle, overlapped, error, count, INT())

    def _close_handle(self, handle: int) -> None:
        self.upcalls.lpWPUCloseSocketHandle(handle, INT())
