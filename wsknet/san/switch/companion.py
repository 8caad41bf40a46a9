"""The provider's socket beside an application's: made, named and given its options in one go (SAN-6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    NO_ERROR,
    SO_DEBUG,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
    WSAENOPROTOOPT,
    WSAEWOULDBLOCK,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSANETWORKEVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.san.base.settings import Settings
    from wsknet.san.structures import WSAOVERLAPPED
    from wsknet.san.switch.carrier import Carrier
    from wsknet.san.switch.handles import Handles
    from wsknet.san.switch.loaded import LoadedProvider
    from wsknet.types import Endpoint


class CallFailed(Exception):
    """A call to the provider did not succeed."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Companion:
    """No lock is held in any method.  Nothing here is seen by the application.

    The provider's part of a connection that is established is closed by its carrier.
    """

    def __init__(self, host: Host, handles: Handles, provider: LoadedProvider, s: int) -> None:
        """`s` was just made: it is the latest of `handles`."""
        self.host = host
        self.provider = provider
        self.s = s
        self.carrier: Carrier | None = None
        """Once it is connected."""
        self.event = WSAEVENT(host)
        self._end_wait: Callable[[], None] | None = None
        self._is_closed = False
        handles.listen(handles.take_latest(), self)

    @classmethod
    def create(cls, host: Host, handles: Handles, provider: LoadedProvider) -> Companion:
        lpErrno = INT()
        flags = WSA_FLAG_OVERLAPPED
        s = provider.table.lpWSPSocket(
            AF_INET, SOCK_STREAM, IPPROTO_TCP, provider.installed.protocol_info, 0, flags, lpErrno
        )
        if s == INVALID_SOCKET:
            raise CallFailed(lpErrno.Value)
        return cls(host, handles, provider, s)

    def prepare(self, name: Endpoint, settings: Settings) -> None:
        """Bind, then pass on the options that the application has set and the provider may know: only SO_DEBUG is
        one (SAN-9).  `CallFailed`, and then the companion is closed."""
        try:
            lpErrno = INT()
            self._check(self.provider.table.lpWSPBind(self.s, SOCKADDR_IN.of(name), SIZE, lpErrno), lpErrno)
            if settings.is_debug:
                self._set_debug()
        except CallFailed:
            self.close()
            raise

    def _set_debug(self) -> None:
        lpErrno, value = INT(), (1).to_bytes(4, "little")
        answer = self.provider.table.lpWSPSetSockOpt(self.s, SOL_SOCKET, SO_DEBUG, value, len(value), lpErrno)
        if lpErrno.Value != WSAENOPROTOOPT:
            self._check(answer, lpErrno)

    def select(self, events: int, signalled: Callable[[], None]) -> None:
        """Have `signalled` called when one of `events` happens, or has; the socket is nonblocking from now on."""
        lpErrno = INT()
        self._end_wait = self.event.register(signalled)
        self._check(self.provider.table.lpWSPEventSelect(self.s, self.event, events, lpErrno), lpErrno)

    def deselect(self) -> None:
        if self._end_wait is not None:
            self._end_wait()
            self._end_wait = None

    def happened(self) -> WSANETWORKEVENTS:
        found, lpErrno = WSANETWORKEVENTS(), INT()
        answer = self.provider.table.lpWSPEnumNetworkEvents(self.s, self.event, found, lpErrno)
        self._check(answer, lpErrno)
        return found

    def connect(self, remote: Endpoint) -> bool:
        """Whether it is connected at once; if not, FD_CONNECT follows."""
        lpErrno = INT()
        name = SOCKADDR_IN.of(remote)
        answer = self.provider.table.lpWSPConnect(self.s, name, SIZE, None, None, None, None, lpErrno)
        if answer != NO_ERROR and lpErrno.Value == WSAEWOULDBLOCK:
            return False
        self._check(answer, lpErrno)
        return True

    def listen(self, backlog: int) -> None:
        lpErrno = INT()
        self._check(self.provider.table.lpWSPListen(self.s, backlog, lpErrno), lpErrno)

    def close(self) -> None:
        """Also the way to cancel a connect (SAN-6.7.3)."""
        self.deselect()
        if not self._is_closed:
            self._is_closed = True
            self.provider.table.lpWSPCloseSocket(self.s, INT())

    def _check(self, answer: int, lpErrno: INT) -> None:
        if answer != NO_ERROR:
            raise CallFailed(lpErrno.Value)

    # From the provider's up-calls

    def completed(self, overlapped: WSAOVERLAPPED, error: int, count: int) -> None:
        if self.carrier is not None:
            self.carrier.completed(overlapped, error, count)

    def handle_closed(self) -> None:
        self.deselect()
