"""A connection request of ours that is not answered yet, and what becomes of it (SAN-6.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind
from wsknet.san.numbers import WSAECONNREFUSED, WSAECONNRESET, WSAEHOSTUNREACH, WSAETIMEDOUT
from wsknet.san.provider.native import RejectReason
from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.types import Endpoint, IfIndex

_REJECTIONS = {
    RejectReason.NO_LISTENER: WSAECONNRESET,
    RejectReason.REFUSED: WSAECONNREFUSED,
    RejectReason.TCPIP_ONLY: WSAETIMEDOUT,
    RejectReason.NO_RESOURCES: WSAETIMEDOUT,
}


class Attempt:
    """WSAECONNRESET, WSAECONNREFUSED and WSAEHOSTUNREACH promise that TCP/IP would fail, too (initiating-a-connection).

    The first two only the peer's provider can promise.  The third holds where nobody on the subnet has the address.
    Whatever else goes wrong, a reset of the native port by a host without Winsock Direct among it, is WSAETIMEDOUT.
    """

    def __init__(self, socket: SanSocket, nic: IfIndex, remote: Endpoint, now: Instant) -> None:
        self._socket = socket
        self._nic = nic
        self._remote = remote
        limit = Instant(now + socket.process.policy.connect_seconds * SECOND)
        self.settle = socket.process.host.driver.call_at(limit, self._expire)
        """To be called when it has come to an end."""

    def error_of_rejection(self, reason: RejectReason) -> int:
        return _REJECTIONS[reason]

    def error_of_failure(self, error: ErrorKind | None) -> int:
        is_silence = error in (ErrorKind.TIMED_OUT, ErrorKind.HOST_UNREACHABLE)
        if is_silence and self._socket.process.proxy.is_unresolved(self._nic, self._remote.address):
            return WSAEHOSTUNREACH
        return WSAETIMEDOUT

    def _expire(self) -> None:
        with self._socket.process.host.pump as now:
            channel = self._socket.channel
            if self._socket.attempt is self and channel is not None:
                code = self.error_of_failure(ErrorKind.TIMED_OUT)
                channel.abort(now)
                self._socket.fail_attempt(code)
