"""An application's connect over a SAN, and back to TCP/IP where that may help (SAN-6.3).

Read initiating-a-connection before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.san.base.calls import Refusal
from wsknet.san.numbers import (
    ERRORS,
    FD_CONNECT,
    FD_CONNECT_BIT,
    NO_ERROR,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEHOSTUNREACH,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from wsknet.san.switch.companion import Companion, Failed
from wsknet.types import Endpoint

if TYPE_CHECKING:
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.dll import Switch
    from wsknet.san.switch.loaded import LoadedProvider
    from wsknet.types import Instant

FINAL = {
    WSAECONNRESET: WSAECONNREFUSED,
    WSAECONNREFUSED: WSAECONNREFUSED,
    WSAEHOSTUNREACH: WSAETIMEDOUT,
}
"""Codes with which a provider promises that TCP/IP would fail, too (nobody listens there; refused; no such host), and
what TCP/IP would have told the application then: it is to see no difference."""


class Connecting:
    """From the choice of a NIC on.  No lock is held but where a method says so."""

    def __init__(self, switch: Switch, socket: StreamSocket, local: Endpoint, remote: Endpoint) -> None:
        self._switch = switch
        self._socket = socket
        self._local = local
        self._remote = remote
        self._companion: Companion | None = None
        self._is_over = False

    def start(self, provider: LoadedProvider) -> None:
        """Raises `Refusal` or `NetError` where it comes to TCP/IP, and that cannot even try."""
        switch = self._switch
        try:
            self._companion = Companion.create(switch.host, switch.handles, provider)
            self._companion.prepare(self._local, self._socket.settings)
            self._companion.connect(self._remote, self._signalled)
        except Failed as failed:
            if failed.code != WSAEWOULDBLOCK or self._companion is None:
                self._failed(failed.code, may_raise=True)
            return
        self._established()

    def cancel(self) -> None:
        """The application closes its socket (SAN-6.7.3)."""
        if not self._is_over:
            self._is_over = True
            self._close_companion()

    def _signalled(self) -> None:
        assert self._companion is not None
        try:
            found = self._companion.happened()
        except Failed as failed:
            self._failed(failed.code)
            return
        if found.lNetworkEvents & FD_CONNECT and not self._is_over:
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
        switch = self._switch
        with switch.host.pump as now:
            stream = switch.carry(companion, self._local, self._remote, self._negotiated, is_initiator=True)
            self._stream = stream
            stream.carrier.start()
            del now

    def _negotiated(self, error: int, now: Instant) -> None:
        """Driver lock held."""
        self._is_over = True
        self._switch.connecting.pop(self._socket, None)
        if error == NO_ERROR:
            self._socket.connected(self._stream, now)
        else:
            self._stream.carrier.abort()
            self._socket.connect_failed(error, now)

    def _failed(self, code: int, *, may_raise: bool = False) -> None:
        self._is_over = True
        self._switch.connecting.pop(self._socket, None)
        self._close_companion()
        if code in FINAL:
            with self._switch.host.pump as now:
                self._socket.connect_failed(FINAL[code], now)
            return
        try:
            self._switch.open_tcp(self._socket, self._remote)
        except (Refusal, NetError) as error:
            if may_raise:
                raise
            with self._switch.host.pump as now:
                self._socket.connect_failed(error.code if isinstance(error, Refusal) else ERRORS[error.kind], now)

    def _close_companion(self) -> None:
        if self._companion is not None:
            self._companion.close()
