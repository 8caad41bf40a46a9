"""WSPAccept, with its condition function (SAN-6.5).  Read accepting-connection-requests before editing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from wsknet.san.arguments import store_name, wants_name
from wsknet.san.calls import WinsockError, answers
from wsknet.san.conditions import ask, check_condition
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAENETDOWN,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from wsknet.san.provider.native import RejectReason

if TYPE_CHECKING:
    from wsknet.san.provider.incoming import Incoming
    from wsknet.san.provider.process import Process
    from wsknet.san.provider.sockets import SanSocket
    from wsknet.types import Instant


@answers(INVALID_SOCKET)
def WSPAccept(
    process: Process, s: object, addr: Any, addrlen: Any, lpfnCondition: object, dwCallbackData: object
) -> int:
    """The descriptor of a socket for the oldest request, if `lpfnCondition` says CF_ACCEPT; without one it is taken.

    The peer is answered after the condition function has returned, which runs in the calling thread.  The address is
    stored whatever that says (LPWSPACCEPT callback function).  The new socket has the name that the peer has dialled,
    and is no listener.

    WSAEINVAL: `s` does not listen, or the condition function gave neither CF_ACCEPT nor CF_REJECT (the request stays
    the oldest).  WSAEFAULT: no room for the address, no function.  WSAEWOULDBLOCK: no request waits.
    WSAECONNREFUSED: CF_REJECT, and the peer gets the same.  WSAECONNRESET: the peer gave up meanwhile, or
    has another connection between the same two ends.  WSAENETDOWN.
    """
    with process.host.pump:
        socket = process.socket(s)
        listening = socket.listening
        if listening is None:
            raise WinsockError(WSAEINVAL)
        is_wanted = wants_name(addr, addrlen)
        check_condition(lpfnCondition)
        if process.proxy.is_down:
            raise WinsockError(WSAENETDOWN)
        incoming = listening.take()
        if incoming is None:
            listening.announce(socket.selection)
            raise WinsockError(WSAEWOULDBLOCK)
    if is_wanted:
        store_name(addr, addrlen, incoming.source)
    verdict = _ask(process, socket, incoming, lpfnCondition, dwCallbackData)
    if verdict != CF_ACCEPT:
        _refuse(process, socket, incoming, verdict)
    return _accept(process, socket, incoming).descriptor


def _ask(process: Process, socket: SanSocket, incoming: Incoming, condition: object, callback_data: object) -> object:
    """What the condition function says; no lock is held."""
    try:
        return ask(condition, callback_data, incoming.source, incoming.destination)
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
            raise WinsockError(WSAEINVAL)
        if not incoming.is_over:
            incoming.reject(RejectReason.REFUSED, now)
        _announce_next(socket)
    raise WinsockError(WSAECONNREFUSED)


def _accept(process: Process, socket: SanSocket, incoming: Incoming) -> SanSocket:
    with process.host.pump as now:
        if socket.listening is None:
            _put_back(process, socket, incoming, now)
            raise WinsockError(WSAENOTSOCK)
        if incoming.is_over:
            _announce_next(socket)
            raise WinsockError(WSAECONNRESET)
    try:
        accepted = process.create_socket()
    except WinsockError:
        with process.host.pump as now:
            if not incoming.is_over:
                incoming.reject(RejectReason.NO_RESOURCES, now)
            _announce_next(socket)
        raise
    with process.host.pump as now:
        _announce_next(socket)
        if incoming.is_over:
            process.discard(accepted)
            raise WinsockError(WSAECONNRESET)
        if not process.proxy.names.connect(incoming.destination, incoming.source, accepted):
            process.discard(accepted)
            incoming.reject(RejectReason.NO_RESOURCES, now)
            raise WinsockError(WSAECONNRESET)
        accepted.name, accepted.remote = incoming.destination, incoming.source
        accepted.is_debugged = socket.is_debugged
        process.proxy.names.bind(accepted.name, accepted)
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
