"""WSPDuplicateSocket: another process goes on with the socket (SAN-7.WSPDuplicateSocket).

Read duplicating-socket-handles-for-a-san before editing.  The connection itself stays where it is, below the processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.arguments import unsigned
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import NO_ERROR, SOCKET_ERROR, WSAEFAULT, WSAEINVAL
from wsknet.san.provider.closing import withdraw
from wsknet.san.provider.states import Cause, SocketState
from wsknet.san.structures import WSAPROTOCOL_INFOW

if TYPE_CHECKING:
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.types import Instant

_MOVABLE = (SocketState.LISTENING, SocketState.CONNECTED)


@answers(SOCKET_ERROR)
def WSPDuplicateSocket(
    process: Process,
    s: int,
    dwProcessId: int,
    lpProtocolInfo: WSAPROTOCOL_INFOW,
) -> int:
    """Give control away.  WSPSocket with the filled `lpProtocolInfo`, in the other process, takes it.

    Receives that wait for a message end with success and no bytes; the switch has seen to it that nothing else is
    under way.  The descriptor stays until WSPCloseSocket, but is of no use, unless this process takes the control back
    under a new one.  No page tells how process numbers and registrations belong together, so the value that goes
    through `dwServiceFlags2` is good for one WSPSocket, whoever calls it.

    WSAEFAULT, WSAEINVAL for a process number that is none and for sockets that neither listen nor are connected.
    """
    with process.host.pump as now:
        socket = process.socket(s)
        if not isinstance(lpProtocolInfo, WSAPROTOCOL_INFOW):
            raise WinsockError(WSAEFAULT)
        if not unsigned(dwProcessId) or socket.state not in _MOVABLE:
            raise WinsockError(WSAEINVAL)
        if socket.transfers is not None:
            socket.transfers.fail_all(NO_ERROR, now)
        lpProtocolInfo.assign(process.protocol_info)
        lpProtocolInfo.dwServiceFlags2 = process.proxy.hand_over(socket)
    return NO_ERROR


def take_over(process: Process, token: int) -> SanSocket:
    """A new socket that goes on with what was given away.  Raises `WinsockError` WSAEINVAL if that is closed, has lost
    its connection, or was taken already, and what `Process.create_socket` raises."""
    with process.host.pump:
        _find(process, token)
    new = process.create_socket()
    with process.host.pump as now:
        try:
            old = _find(process, token)
        except WinsockError:
            process.discard(new)
            raise
        del process.proxy.handed_over[token]
        _move(old, new, now)
    return new


def _find(process: Process, token: int) -> SanSocket:
    old = process.proxy.handed_over.get(token)
    if old is None or old.state not in _MOVABLE:
        raise WinsockError(WSAEINVAL)
    return old


def _move(old: SanSocket, new: SanSocket, now: Instant) -> None:
    names, name, remote = old.process.proxy.names, old.name, old.remote
    assert name is not None
    new.name, new.remote, new.is_debugged = name, remote, old.is_debugged
    names.bind(name, new)
    if old.listening is not None:
        new.change(Cause.BIND)
        new.change(Cause.LISTEN)
        new.listening = old.listening
        for incoming in new.listening.waiting:
            incoming.listener = new
        names.replace_listener(name, old, new)
    elif old.channel is not None and remote is not None:
        names.replace_connection(name, remote, new)
        old.channel.sink = new
        new.establish(old.channel, now)
    old.process.memory.release(old)
    withdraw(old)
    old.change(Cause.HAND_OVER)
    old.name = old.remote = old.channel = old.transfers = None
