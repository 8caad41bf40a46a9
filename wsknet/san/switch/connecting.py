"""An application's connect over a SAN, and back to TCP/IP where that may help (SAN-6.3).

Read initiating-a-connection before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.san.calls import WinsockError, code_of
from wsknet.san.numbers import (
    FD_CONNECT,
    FD_CONNECT_BIT,
    NO_ERROR,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEHOSTUNREACH,
    WSAETIMEDOUT,
)
from wsknet.san.switch.companion import CallFailed, Companion
from wsknet.san.switch.decision import explain_failure
from wsknet.types import Endpoint

if TYPE_CHECKING:
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.dll import Switch
    from wsknet.san.switch.loaded import LoadedProvider
    from wsknet.san.switch.san_stream import SanStream
    from wsknet.types import Instant

FINAL = {
    WSAECONNRESET: WSAECONNREFUSED,
    WSAECONNREFUSED: WSAECONNREFUSED,
    WSAEHOSTUNREACH: WSAETIMEDOUT,
}
"""Codes with which a provider promises that TCP/IP would fail, too (nobody listens there; refused; no such host), and
what TCP/IP would have told the application then: it is to see no difference."""

LOST = {WSAECONNRESET: WSAECONNREFUSED, WSAECONNABORTED: WSAECONNREFUSED}
"""What the application is told of a connection that ends before the sessions know each other: connect has no other
words for it (connect function), and TCP/IP cannot be asked any more."""


class Connecting:
    """From the choice of a NIC on.  Methods are completions, with no lock held, but where they say otherwise."""

    def __init__(self, switch: Switch, socket: StreamSocket, local: Endpoint, remote: Endpoint) -> None:
        self.switch = switch
        self._socket = socket
        self.ends = local, remote
        self._companion: Companion | None = None
        self._stream: SanStream | None = None
        """From the moment of connection on."""
        self._is_over = False
        """Changes with the driver lock held."""
        self._is_answered = False
        """WSPConnect has gone on."""
        self._refusal: WinsockError | NetError | None = None

    def start(self, provider: LoadedProvider) -> None:
        """A provider that cannot make, name or watch a companion leaves the connection to TCP/IP (SAN-6.2.6)."""
        if self._is_over:
            return
        switch = self.switch
        try:
            self._companion = Companion.create(switch.host, switch.handles, provider)
            self._companion.prepare(self.ends[0], self._socket.settings)
            self._companion.select(FD_CONNECT, self._signalled)
        except CallFailed:
            self._use_tcp()
            return
        try:
            is_connected = self._companion.connect(self.ends[1])
        except CallFailed as failed:
            self._failed(failed.code)
            return
        if is_connected:
            self._established()

    def answer(self) -> None:
        """WSPConnect goes on, in the thread of the application.  Driver lock held.

        Raises `WinsockError` or `NetError` where it has come to TCP/IP already, and that could not even try.
        """
        self._is_answered = True
        if self._refusal is not None:
            raise self._refusal

    def forbid(self) -> None:
        """The application closes its socket: nothing is told any more, and `end` follows.  Driver lock held."""
        self._is_over = True

    def end(self) -> None:
        """SAN-6.7.3: to close the companion cancels its connect."""
        if self._stream is not None:
            with self.switch.host.pump as now:
                self._stream.close(now, is_abortive=True)
        elif self._companion is not None:
            self._companion.close()

    def _signalled(self) -> None:
        if self._is_over or self._stream is not None:
            return
        assert self._companion is not None
        try:
            found = self._companion.happened()
        except CallFailed as failed:
            self._failed(failed.code)
            return
        if found.lNetworkEvents & FD_CONNECT:
            error = found.iErrorCode[FD_CONNECT_BIT]
            if error == NO_ERROR:
                self._established()
            else:
                self._failed(error)

    def _established(self) -> None:
        """From here on there is no way back to TCP/IP (SAN-6.3.4).  The session is negotiated first."""
        companion = self._companion
        assert companion is not None
        companion.deselect()
        with self.switch.host.pump as now:
            if not self._is_over:
                self._stream = self.switch.carry(
                    companion, self._socket.settings, *self.ends, self._negotiated, now, is_initiator=True
                )

    def _negotiated(self, error: int, now: Instant) -> None:
        """Driver lock held."""
        if not self._finish():
            return
        assert self._stream is not None
        if error == NO_ERROR:
            self._socket.connected(self._stream, now)
        else:
            self._stream.close(now, is_abortive=True)
            self._socket.connect_failed(LOST.get(error, error), now)

    def _failed(self, code: int) -> None:
        """The result of the connection operation, which is not success."""
        with self.switch.deciding(self._socket, "the connect over the SAN has failed: TCP/IP?") as why:
            if why is not None:
                explain_failure(code, code in FINAL, why)
        if code not in FINAL:
            self._use_tcp()
            return
        self._close_companion()
        with self.switch.host.pump as now:
            if self._finish():
                self._socket.connect_failed(FINAL[code], now)

    def _use_tcp(self) -> None:
        self._close_companion()
        with self.switch.host.pump:
            if not self._finish():
                return
        try:
            self.switch.open_tcp(self._socket, self.ends[1])
        except (WinsockError, NetError) as error:
            with self.switch.host.pump as now:
                if self._is_answered:
                    self._socket.connect_failed(code_of(error), now)
                else:
                    self._refusal = error

    def _finish(self) -> bool:
        """False if the application has closed the socket meanwhile.  Driver lock held."""
        if self._is_over:
            return False
        self._is_over = True
        self._socket.connecting_from = None
        self.switch.end_connecting(self._socket)
        return True

    def _close_companion(self) -> None:
        if self._companion is not None:
            self._companion.close()
