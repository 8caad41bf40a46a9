"""WSPAccept, with its condition function (SAN-6.5).  Read accepting-connection-requests before editing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from wsknet.san.provider.answers import Failed, answers
from wsknet.san.provider.arguments import has_room_for_name
from wsknet.san.provider.native import RejectReason
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF

if TYPE_CHECKING:
    from wsknet.san.provider.incoming import Incoming
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.types import Instant

Condition: TypeAlias = Callable[..., int]


@answers(failed=INVALID_SOCKET)
def WSPAccept(
    process: Process,
    s: int,
    addr: SOCKADDR_IN | None,
    addrlen: INT | None,
    lpfnCondition: Condition | None,
    dwCallbackData: object,
) -> int:
    """The descriptor of a socket for the oldest request, if `lpfnCondition` says CF_ACCEPT; without one it is taken.

    The peer is answered after the condition function has returned, which runs in the calling thread.  The new socket
    has the name that the peer has dialled, and is no listener.

    WSAEINVAL: `s` does not listen, or the condition function gave neither CF_ACCEPT nor CF_REJECT (the request stays
    the oldest).  WSAEFAULT: no room for the address, no function.  WSAEWOULDBLOCK: no request waits.
    WSAECONNREFUSED: CF_REJECT, and the peer gets the same.  WSAECONNRESET: the peer gave up meanwhile.  WSAENETDOWN.
    """
    with process.host.pump:
        socket = process.socket(s)
        listening = socket.listening
        if listening is None:
            raise Failed(WSAEINVAL)
        if addr is not None and not has_room_for_name(addr, addrlen):
            raise Failed(WSAEFAULT)
        if lpfnCondition is not None and not callable(lpfnCondition):
            raise Failed(WSAEFAULT)
        if process.proxy.is_down:
            raise Failed(WSAENETDOWN)
        incoming = listening.take()
        if incoming is None:
            listening.announce(socket.selection)
            raise Failed(WSAEWOULDBLOCK)
    verdict = _ask(process, socket, incoming, lpfnCondition, dwCallbackData)
    if verdict != CF_ACCEPT:
        _refuse(process, socket, incoming, verdict)
    accepted = _accept(process, socket, incoming)
    if addr is not None and addrlen is not None:
        addr.assign(SOCKADDR_IN(incoming.source.address, incoming.source.port))
        addrlen.Value = SIZE
    return accepted.descriptor


def _ask(
    process: Process, socket: SanSocket, incoming: Incoming, condition: Condition | None, callback_data: object
) -> int:
    """What the condition function says; no lock is held."""
    if condition is None:
        return CF_ACCEPT
    caller = WSABUF(bytes(SOCKADDR_IN(incoming.source.address, incoming.source.port)))
    callee = WSABUF(bytes(SOCKADDR_IN(incoming.destination.address, incoming.destination.port)))
    try:
        return condition(caller, None, None, None, callee, None, INT(), callback_data)
    except BaseException:
        with process.host.pump as now:
            _put_back(process, socket, incoming, now)
        raise


def _put_back(process: Process, socket: SanSocket, incoming: Incoming, now: Instant) -> None:
    """Undecided: it stays with the listener, or goes to the next if this one was closed meanwhile."""
    if incoming.is_over:
        return
    if socket.listening is None:
        process.proxy.offer(incoming, now)
        return
    socket.listening.put_back(incoming)


def _refuse(process: Process, socket: SanSocket, incoming: Incoming, verdict: object) -> NoReturn:
    with process.host.pump as now:
        if verdict != CF_REJECT:
            _put_back(process, socket, incoming, now)
            raise Failed(WSAEINVAL)
        if not incoming.is_over:
            incoming.reject(RejectReason.REFUSED, now)
        _announce_next(socket)
    raise Failed(WSAECONNREFUSED)


def _accept(process: Process, socket: SanSocket, incoming: Incoming) -> SanSocket:
    with process.host.pump as now:
        if socket.listening is None:
            _put_back(process, socket, incoming, now)
            raise Failed(WSAENOTSOCK)
        if incoming.is_over:
            _announce_next(socket)
            raise Failed(WSAECONNRESET)
    try:
        accepted = process.create_socket()
    except Failed:
        with process.host.pump as now:
            if not incoming.is_over:
                incoming.reject(RejectReason.NO_RESOURCES, now)
            _announce_next(socket)
        raise
    with process.host.pump as now:
        _announce_next(socket)
        if incoming.is_over:
            process.discard(accepted)
            raise Failed(WSAECONNRESET)
        accepted.name, accepted.remote = incoming.destination, incoming.source
        accepted.is_debugged = socket.is_debugged
        process.proxy.names.bind(accepted.name, accepted)
        process.proxy.names.connect(accepted.name, accepted.remote, accepted)
        incoming.accept(accepted, now)
    return accepted


def _announce_next(socket: SanSocket) -> None:
    """Reset the event, so that it can be set for the next request (accepting-connection-requests); that may wait."""
    selection, listening = socket.selection, socket.listening
    selection.forget(FD_ACCEPT)
    if selection.event is not None:
        selection.event.ResetEvent()
    if listening is not None:
        listening.announce(selection)
