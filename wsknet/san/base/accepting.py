"""WSPAccept and its condition function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from wsknet.san.arguments import store_name, wants_name
from wsknet.san.base.arrivals import Arrival
from wsknet.san.base.operations import Outcome, Way, perform
from wsknet.san.calls import WinsockError, answers
from wsknet.san.conditions import ask, check_condition
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINVAL,
    WSATRY_AGAIN,
)
from wsknet.transport.tcp.inspections import Verdict

if TYPE_CHECKING:
    from wsknet.san.base.arrivals import Question
    from wsknet.san.base.provider import TcpipProvider
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.types import Endpoint, Instant


class AcceptFunctions:
    def __init__(self, provider: TcpipProvider) -> None:
        self._provider = provider
        self._sockets = provider.descriptors

    @answers(INVALID_SOCKET)
    def WSPAccept(self, s: Any, addr: Any, addrlen: Any, lpfnCondition: Any, dwCallbackData: Any) -> int:
        """The condition function runs in this thread, before anything is accepted.

        With SO_CONDITIONAL_ACCEPT TCP answers the peer only after CF_ACCEPT.  The rest of that handshake is waited for,
        or WSAEWOULDBLOCK returned; the connection is not shown to the condition function again.
        """
        socket = self._sockets.find_stream(s)
        is_wanted = wants_name(addr, addrlen)
        check_condition(lpfnCondition)
        while True:
            arrival = self._next(socket)

            def condition(remote: Endpoint, local: Endpoint) -> Any:
                if is_wanted:
                    store_name(addr, addrlen, remote)
                return ask(lpfnCondition, dwCallbackData, remote, local)

            if not isinstance(arrival, Arrival):
                self._answer(socket, arrival, condition)
                continue
            if not arrival.is_judged:
                self._judge(socket, arrival, condition(arrival.remote, arrival.local))
            elif is_wanted:
                store_name(addr, addrlen, arrival.remote)
            with self._provider.host.pump as now:
                descriptor = self._accept(socket, arrival, now)
                socket.events.enable(FD_ACCEPT)
                socket.settle(now)
            if descriptor is not None:
                return descriptor

    def _next(self, socket: StreamSocket) -> Arrival | Question:
        """WSAEINVAL unless it listens, WSAEWOULDBLOCK."""
        found: list[Arrival | Question] = []

        def attempt(now: Instant) -> Outcome | None:
            if socket.arrivals is None:
                raise WinsockError(WSAEINVAL)
            arrival = socket.arrivals.next(now)
            if arrival is None:
                socket.events.enable(FD_ACCEPT)
                return None
            found.append(arrival)
            return Outcome()

        outcome = perform(socket, FD_ACCEPT, attempt, Way("WSPAccept"))
        if outcome.error:
            raise WinsockError(outcome.error)
        return found[0]

    def _judge(self, socket: StreamSocket, arrival: Arrival, answer: int) -> None:
        """WSATRY_AGAIN, WSAECONNREFUSED, WSAEINVAL; nothing for CF_ACCEPT."""
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
        self._decided(socket, answer)

    def _answer(self, socket: StreamSocket, question: Question, condition: Callable[[Endpoint, Endpoint], int]) -> None:
        """The same of a request that did not come through TCP/IP; nothing, too, if it was taken back."""
        answer = question.answer(condition)
        if answer is None or answer == CF_ACCEPT:
            return
        if answer != CF_REJECT:
            with self._provider.host.pump:
                if socket.arrivals is not None:
                    socket.arrivals.put_back(question)
        self._decided(socket, answer)

    def _decided(self, socket: StreamSocket, answer: int) -> NoReturn:
        with self._provider.host.pump as now:
            if answer != CF_DEFER:
                socket.events.enable(FD_ACCEPT)
            socket.settle(now)
        if answer == CF_DEFER:
            raise WinsockError(WSATRY_AGAIN)
        raise WinsockError(WSAECONNREFUSED if answer == CF_REJECT else WSAEINVAL)

    def _accept(self, socket: StreamSocket, arrival: Arrival, now: Instant) -> int | None:
        """The descriptor; `None` if TCP has yet to make the connection.  WSAECONNRESET, WSANOTINITIALISED."""
        stream = arrival.stream
        if stream is None:
            if socket.arrivals is not None:
                socket.arrivals.answer(arrival, Verdict.ACCEPT, now)
            return None
        if stream.error is not None:
            stream.close(now, is_abortive=True)
            raise WinsockError(WSAECONNRESET)
        self._sockets.check_open()
        return self._sockets.add(socket.accepted(stream, now))
