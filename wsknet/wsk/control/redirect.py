"""IOCTLs about connections that the Windows Filtering Platform has redirected (WSK-5.4).

There is no filtering platform here.  A lab that tests a redirect service plays its part: `redirect` gives a connection
the records and the context that a filter would have left for it, and `redirect_records` tells what the service has set
on the connection that it makes on behalf of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError
from wsknet.wsk.constants import (
    SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS,
)
from wsknet.wsk.control.ioctl import Buffers, Ioctl
from wsknet.wsk.control.memory import is_memory
from wsknet.wsk.control.option import CONNECTION
from wsknet.wsk.control.tcp_options import Redirection, tell
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockets.states import BOUND, CONNECTED, CREATED
from wsknet.wsk.status import STATUS_BUFFER_TOO_SMALL, STATUS_NOT_FOUND

if TYPE_CHECKING:
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.connection import ConnectionSocket
    from wsknet.wsk.sockets.transport import TransportSocket


def redirect(Socket: TransportSocket, Records: bytes, Context: bytes | None = None) -> None:
    """Let the connection of `Socket`, or all that a listening `Socket` accepts from now on, count as redirected.

    Without `Context` the query for that finds none.
    """
    with Socket.pump:
        tell(Socket, redirection=Redirection(Records, Context))


def redirect_records(Socket: TransportSocket) -> bytes:
    """What the program has set; empty if nothing."""
    return Socket.options.tcp.redirect_records


def _query_records(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    found = _redirection(socket, buffers)
    return _store(None if found is None else found.records, buffers)


def _query_context(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    found = _redirection(socket, buffers)
    return _store(None if found is None else found.context, buffers)


def _redirection(socket: ConnectionSocket, buffers: Buffers) -> Redirection | None:
    buffers.require_no_input()
    if socket.state != CONNECTED:
        raise socket.refuse_state("WSK-5.4", "only a connection can have been redirected")
    return socket.options.tcp.redirection


def _store(octets: bytes | None, buffers: Buffers) -> int:
    """The size that is needed, or written, goes to OutputSizeReturned as well."""
    if octets is None:
        raise Refusal(STATUS_NOT_FOUND)
    if buffers.OutputSizeReturned is not None:
        buffers.OutputSizeReturned[:] = [len(octets)]
    memory = buffers.OutputBuffer
    if memory is None or min(buffers.OutputSize, len(memory)) < len(octets):
        raise Refusal(STATUS_BUFFER_TOO_SMALL)
    memory[: len(octets)] = octets
    return len(octets)


def _set_records(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    """Copied: the memory is free again when the IRP completes.  Before connect."""
    memory, size = buffers.InputBuffer, buffers.InputSize
    if not is_memory(memory) or len(memory) < size:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    if socket.state not in (CREATED, BOUND):
        raise socket.refuse_state("WSK-5.4", "redirect records are set before connect")
    tell(socket, redirect_records=bytes(memory[:size]))
    return 0


TABLE = {
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS: Ioctl(_query_records, CONNECTION, is_passive=True),
    SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT: Ioctl(_query_context, CONNECTION, is_passive=True),
    SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS: Ioctl(_set_records, CONNECTION, is_passive=True),
}
