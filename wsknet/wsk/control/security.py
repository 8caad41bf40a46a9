"""Security descriptors: cached copies, SO_WSK_SECURITY, and the context in which a socket is bound (WSK-5.2, 5.6, 5.7).

Sockets take nothing but cached copies, which their owner releases; a socket goes on with what it was given.  The
registry of a client, `Client.cached_descriptors`, has the copies that are not released yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.sharing import Security
from wsknet.wsk.bugcheck import BAD_POOL_CALLER, DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck, place_of_caller
from wsknet.wsk.constants import SO_WSK_SECURITY, SOL_SOCKET
from wsknet.wsk.control.option import TRANSPORT, Option, of_categories
from wsknet.wsk.requests import Refusal
from wsknet.wsk.status import STATUS_BUFFER_OVERFLOW
from wsknet.wsk.structures import SECURITY_DESCRIPTOR
from wsknet.wsk.structures_client import ETHREAD

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.client import Client
    from wsknet.wsk.control.ioctl import Buffers
    from wsknet.wsk.sockets.connection import ConnectionSocket
    from wsknet.wsk.structures import EPROCESS

POINTER_SIZE = 8


class CachedDescriptor(SECURITY_DESCRIPTOR):
    """A copy: changes of the descriptor that it was made from do not reach it."""

    __slots__ = ("_client", "_connecting")

    def __init__(self, client: Client, AccessAllowed: tuple[str, ...]) -> None:
        super().__init__(*AccessAllowed)
        self._client = client
        self._connecting: list[ConnectionSocket] = []
        """Sockets of WskSocketConnect that were created with it."""
        client.cached_descriptors[self] = place_of_caller()

    @property
    def is_released(self) -> bool:
        return self not in self._client.cached_descriptors

    def keep_for(self, socket: ConnectionSocket) -> None:
        """Until the WskSocketConnect that creates `socket` has completed (R-091)."""
        self._connecting = [other for other in self._connecting if other.connect_irp is not None]
        self._connecting.append(socket)

    def release(self) -> None:
        if self.is_released:
            raise BugCheck(BAD_POOL_CALLER, "WSK-5.7", "WSK_RELEASE_SD of a descriptor that has been released before")
        if any(socket.connect_irp is not None for socket in self._connecting):
            what = "WSK_RELEASE_SD of a descriptor while a WskSocketConnect that was given it is pending"
            raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-091", what)
        del self._client.cached_descriptors[self]


def require_cached(SecurityDescriptor: object) -> None:
    """BugCheck unless it is NULL, or a cached copy that has not been released."""
    if SecurityDescriptor is None:
        return
    if not isinstance(SecurityDescriptor, CachedDescriptor) or SecurityDescriptor.is_released:
        what = "a security descriptor that is no cached one, or has been released: it has to come from WSK_CACHE_SD"
        raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-091", what)


def security_of(
    OwningProcess: EPROCESS | None, OwningThread: Any, SecurityDescriptor: SECURITY_DESCRIPTOR | None
) -> Security:
    """A thread counts while it impersonates.  NULL for the process is the one that all drivers run in; NULL for the
    descriptor lets nobody share, not even the same account (D-18)."""
    account = Security().account if OwningProcess is None else OwningProcess.Account
    if isinstance(OwningThread, ETHREAD) and OwningThread.ImpersonationAccount is not None:
        account = OwningThread.ImpersonationAccount
    allowed = () if SecurityDescriptor is None else SecurityDescriptor.AccessAllowed
    return Security(account, frozenset(allowed))


# Control codes


def cache(now: Instant, client: Client, buffers: Buffers) -> None:
    descriptor = _pointer(buffers.InputSize, buffers.InputBuffer)
    if not isinstance(descriptor, SECURITY_DESCRIPTOR):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    _require_pointer(buffers.OutputSize, buffers.OutputBuffer)
    buffers.OutputBuffer[:] = [CachedDescriptor(client, tuple(descriptor.AccessAllowed))]


def release(now: Instant, client: Client, buffers: Buffers) -> None:
    """By any client: whose registration the copy was made in does not matter."""
    buffers.require_no_output()
    descriptor = _pointer(buffers.InputSize, buffers.InputBuffer)
    if descriptor is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if not isinstance(descriptor, CachedDescriptor):
        raise BugCheck(BAD_POOL_CALLER, "WSK-5.7", "WSK_RELEASE_SD of what WSK_CACHE_SD has not made")
    descriptor.release()


def _pointer(InputSize: int, InputBuffer: Any) -> Any:
    """A variable that holds a pointer is a one-element list."""
    if InputSize != POINTER_SIZE or not isinstance(InputBuffer, list) or len(InputBuffer) != 1:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return InputBuffer[0]


def _require_pointer(OutputSize: int, OutputBuffer: Any) -> None:
    if not isinstance(OutputBuffer, list):
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if OutputSize < POINTER_SIZE:
        raise Refusal(STATUS_BUFFER_OVERFLOW)


# SO_WSK_SECURITY


def _check(InputBuffer: Any) -> None:
    if isinstance(InputBuffer, list) and len(InputBuffer) == 1:
        require_cached(InputBuffer[0])


def _set(socket: Any, InputSize: int, InputBuffer: Any, now: Instant) -> None:
    descriptor = _pointer(InputSize, InputBuffer)
    if descriptor is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    socket.security = Security(socket.security.account, frozenset(descriptor.AccessAllowed))


def _get(socket: Any, OutputSize: int, OutputBuffer: Any, now: Instant) -> int:
    _require_pointer(OutputSize, OutputBuffer)
    OutputBuffer[:] = [CachedDescriptor(socket.client, tuple(sorted(socket.security.shares_with)))]
    return POINTER_SIZE


TABLE = {
    (SOL_SOCKET, SO_WSK_SECURITY): Option(of_categories(TRANSPORT), _set, _get, is_before_bind=True, check=_check),
}
