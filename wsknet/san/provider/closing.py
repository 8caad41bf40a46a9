"""WSPCloseSocket (SAN-6.7).  Read closing-a-san-socket before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.calls import answers
from wsknet.san.numbers import NO_ERROR, SOCKET_ERROR, WSA_OPERATION_ABORTED
from wsknet.san.provider.states import Cause, SocketState

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.types import Instant


@answers(SOCKET_ERROR)
def WSPCloseSocket(process: Process, s: int) -> int:
    """End whatever the socket does, at once: a request of ours is taken back, a connection torn down.

    Operations that are not complete become so with WSA_OPERATION_ABORTED, then the last up-call gives the switch's
    handle back, then the descriptor is none any more.  Requests that wait for WSPAccept go to the next listener.
    """
    with process.host.pump as now:
        close(process.socket(s), now)
    return NO_ERROR


def close(socket: SanSocket, now: Instant) -> None:
    """Driver lock held; the up-calls come as completions."""
    process = socket.process
    waiting = [] if socket.listening is None else socket.listening.take_all()
    withdraw(socket)
    was_connecting = socket.state is SocketState.CONNECTING
    channel = socket.channel
    socket.change(Cause.CLOSE)
    socket.disconnect()
    if socket.transfers is not None:
        socket.transfers.fail_all(WSA_OPERATION_ABORTED, now)
    if channel is not None and was_connecting:
        channel.abort(now)
    elif channel is not None:
        channel.close(now)
    process.memory.release(socket)
    process.proxy.take_back(socket)
    socket.selection.select(None, 0)
    process.discard(socket)
    for incoming in waiting:
        process.proxy.offer(incoming, now)


def withdraw(socket: SanSocket) -> None:
    """Give up the name, and the role of a listener."""
    names = socket.process.proxy.names
    if socket.name is not None:
        names.unlisten(socket.name, socket)
        names.unbind(socket.name, socket)
    socket.listening = None
