"""WSPAccept and its condition function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.san.base.arguments import store_name, wants_name
from wsknet.san.base.calls import Refusal, answers
from wsknet.san.base.operations import Outcome, Way, perform
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSATRY_AGAIN,
)
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF
from wsknet.transport.tcp.inspections import Verdict

if TYPE_CHECKING:
    from wsknet.san.base.arrivals import Arrival
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.types import Endpoint, Instant


class AcceptFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(INVALID_SOCKET)
    def WSPAccept(self, s: Any, addr: Any, addrlen: Any, lpfnCondition: Any, dwCallbackData: Any, lpErrno: Any) -> int:
        """The condition function runs in this thread, before anything is accepted.

        With SO_CONDITIONAL_ACCEPT TCP answers the peer only after CF_ACCEPT.  The rest of that handshake is waited for,
        or WSAEWOULDBLOCK returned; the connection is not shown to the condition function again.
        """
        socket = self._sockets.find_stream(s)
        is_wanted = wants_name(addr, addrlen)
        if lpfnCondition is not None and not callable(lpfnCondition):
            raise Refusal(WSAEFAULT)
        while True:
            arrival = self._next(socket)
            if is_wanted:
                store_name(addr, addrlen, arrival.remote)
            if lpfnCondition is not None and not arrival.is_judged:
                self._judge(socket, arrival, lpfnCondition, dwCallbackData)
            with self._provider.host.pump as now:
                descriptor = self._accept(socket, arrival, now)
                socket.events.enable(FD_ACCEPT)
                socket.settle(now)
            if descriptor is not None:
                return descriptor

    def _next(self, socket: StreamSocket) -> Arrival:
        """WSAEINVAL unless it listens, WSAEWOULDBLOCK."""
        found: list[Arrival] = []

        def attempt(now: Instant) -> Outcome | None:
            if socket.arrivals is None:
                raise Refusal(WSAEINVAL)
            arrival = socket.arrivals.next(now)
            if arrival is None:
                socket.events.enable(FD_ACCEPT)
                return None
            found.append(arrival)
            return Outcome()

        outcome = perform(socket, FD_ACCEPT, attempt, Way("WSPAccept"))
        if outcome.error:
            raise Refusal(outcome.error)
        return found[0]

    def _judge(self, socket: StreamSocket, arrival: Arrival, lpfnCondition: Any, dwCallbackData: Any) -> None:
        """WSATRY_AGAIN, WSAECONNREFUSED, WSAEINVAL; nothing for CF_ACCEPT."""
        caller, callee = _name(arrival.remote), _name(arrival.local)
        answer = lpfnCondition(caller, None, None, None, callee, WSABUF(bytearray()), INT(), dwCallbackData)
        if answer == CF_ACCEPT:
            return
        with self._provider.host.pump as now:
            arrivals = socket.arrivals
            if answer != CF_REJECT and arrivals is not None:
                arrivals.defer(arrival)
            elif arrival.stream is not None:
                arrival.stream.close(now, is_abortive=True)
            elif arrivals is not None:
                arrivals.answer(arrival, Verdict.REJECT, now)
            if answer != CF_DEFER:
                socket.events.enable(FD_ACCEPT)
            socket.settle(now)
        if answer == CF_DEFER:
            raise Refusal(WSATRY_AGAIN)
        raise Refusal(WSAECONNREFUSED if answer == CF_REJECT else WSAEINVAL)

    def _accept(self, socket: StreamSocket, arrival: Arrival, now: Instant) -> int | None:
        """The descriptor; `None` if TCP has yet to make the connection.  WSAECONNRESET, WSANOTINITIALISED."""
        stream = arrival.stream
        if stream is None:
            if socket.arrivals is not None:
                socket.arrivals.answer(arrival, Verdict.ACCEPT, now)
            return None
        if stream.error is not None:
            stream.close(now, is_abortive=True)
            raise Refusal(WSAECONNRESET)
        self._sockets.check_open()
        return self._sockets.add(socket.accepted(stream, now))


def _name(endpoint: Endpoint) -> WSABUF:
    return WSABUF(bytes(SOCKADDR_IN(endpoint.address, endpoint.port)))
