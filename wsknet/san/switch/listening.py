"""Companions that listen beside a listening socket of TCP/IP, and what comes to them (SAN-6.4, SAN-6.5).

Read listening-for-connections-on-a-san and accepting-connection-requests before editing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from wsknet.san.numbers import CF_ACCEPT, CF_REJECT, FD_ACCEPT, INVALID_SOCKET, NO_ERROR
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT
from wsknet.san.switch.companion import CallFailed, Companion
from wsknet.san.switch.decision import companions
from wsknet.types import Address, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.dll import Switch
    from wsknet.san.switch.loaded import LoadedProvider
    from wsknet.san.switch.san_stream import SanStream
    from wsknet.types import Instant


class Listening:
    """All companions of one listening socket.  Methods are completions, with no lock held, but where they say
    otherwise."""

    def __init__(self, switch: Switch, socket: StreamSocket, backlog: int) -> None:
        self.switch = switch
        self._socket = socket
        self._backlog = backlog
        self._companions: dict[tuple[LoadedProvider, Address], Companion] = {}
        self._questions: dict[Companion, _Question] = {}
        """With SO_CONDITIONAL_ACCEPT, of each companion."""
        self._negotiating: dict[SanStream, None] = {}
        """They have their places in the backlog."""
        self._is_over = False
        """Changes with the driver lock held."""

    def adjust(self) -> None:
        """Have a companion wherever there is to be one: at first, and when NICs, addresses or providers have changed.

        One that cannot be made is left out: TCP/IP listens in any case (SAN-6.2.6).
        """
        if self._is_over:
            return
        local = self._socket.endpoint.local
        if local is None:
            return
        wanted = dict.fromkeys(
            (provider, address)
            for provider in self.switch.providers
            for address in companions(provider.serving, local.address)
        )
        for key in [key for key in self._companions if key not in wanted]:
            self._close(self._companions.pop(key))
        for provider, address in wanted:
            companion = self._companions.get((provider, address))
            if companion is None:
                self._listen(provider, Endpoint(address, local.port))
            else:
                self._hear(companion)  # for want of a link WSPAccept may have left requests where they were

    def _listen(self, provider: LoadedProvider, name: Endpoint) -> None:
        switch = self.switch
        try:
            companion = Companion.create(switch.host, switch.handles, provider)
        except CallFailed:
            return
        self._companions[provider, name.address] = companion  # before the first request, which may come at once
        try:
            companion.prepare(name, self._socket.settings)
            companion.listen(self._backlog)
            companion.select(FD_ACCEPT, partial(self._signalled, companion))
        except CallFailed:
            del self._companions[provider, name.address]
            companion.close()

    def forbid(self) -> None:
        """The application closes its socket: it is offered no more, and `end` follows.  Driver lock held."""
        self._is_over = True

    def end(self) -> None:
        for companion in self._companions.values():
            self._close(companion)
        self._companions.clear()
        with self.switch.host.pump as now:
            for stream in self._negotiating:
                stream.close(now, is_abortive=True)
            self._negotiating.clear()

    def _close(self, companion: Companion) -> None:
        question = self._questions.pop(companion, None)
        if question is not None:
            with self.switch.host.pump:
                if self._socket.arrivals is not None:
                    self._socket.arrivals.withdraw(question)
        companion.close()

    # Requests

    def _signalled(self, companion: Companion) -> None:
        try:
            found = companion.happened()
        except CallFailed:
            return
        if found.lNetworkEvents & FD_ACCEPT:
            self._hear(companion)

    def _hear(self, companion: Companion) -> None:
        """There may be requests."""
        if self._socket.endpoint.is_conditional:
            self._show(companion)
            return
        while not self._is_over and companion in self._companions.values():
            if self.accept(companion, self._judge) is None:
                return

    def _show(self, companion: Companion) -> None:
        """Nobody is answered before the application has decided; its WSPAccept asks who it is."""
        with self.switch.host.pump as now:
            arrivals = self._socket.arrivals
            if arrivals is not None and not self._is_over and companion in self._companions.values():
                question = self._questions.setdefault(companion, _Question(self, companion))
                arrivals.show(question)
                self._socket.settle(now)

    def accept(self, listener: Companion, condition: Callable[[Endpoint, Endpoint], int]) -> int | None:
        """Answer one request: what `condition` says of its peer and the name that was dialled; `None` if there was
        none.  Not a completion where the application does it."""
        peer = SOCKADDR_IN()
        asked: list[Endpoint] = []
        answers: list[int] = []

        def ask(lpCallerId: Any, lpCallerData: Any, lpSQOS: Any, lpGQOS: Any, lpCalleeId: Any, *rest: Any) -> int:
            asked.append(SOCKADDR_IN.parse(lpCalleeId.buf).endpoint)
            answers.append(condition(SOCKADDR_IN.parse(lpCallerId.buf).endpoint, asked[0]))
            return answers[0]

        s = listener.provider.table.lpWSPAccept(listener.s, peer, INT(SIZE), ask, None, INT())
        if s != INVALID_SOCKET:
            is_judged = self._socket.endpoint.is_conditional
            companion = Companion(self.switch.host, self.switch.handles, listener.provider, s)
            self._accepted(companion, asked[0], peer.endpoint, is_judged=is_judged)
        return answers[0] if answers else None

    def _judge(self, remote: Endpoint, local: Endpoint) -> int:
        with self.switch.host.pump:
            return CF_ACCEPT if not self._is_over and self._socket.may_offer else CF_REJECT

    def _accepted(self, companion: Companion, local: Endpoint, remote: Endpoint, *, is_judged: bool) -> None:
        offered: list[SanStream] = []

        def negotiated(error: int, now: Instant) -> None:
            self._negotiated(offered[0], error, now, is_judged=is_judged)

        with self.switch.host.pump as now:
            arrivals = self._socket.arrivals
            if arrivals is not None and not self._is_over:
                stream = self.switch.carry(
                    companion, self._socket.settings, local, remote, negotiated, now, is_initiator=False
                )
                offered.append(stream)
                self._negotiating[stream] = None
                arrivals.expected = len(self._negotiating)
                return
        companion.close()

    def _negotiated(self, stream: SanStream, error: int, now: Instant, *, is_judged: bool) -> None:
        """Driver lock held."""
        self._negotiating.pop(stream, None)
        arrivals = self._socket.arrivals
        if arrivals is not None:
            arrivals.expected = len(self._negotiating)
        if error == NO_ERROR and not self._is_over:
            self._socket.offer(stream, now, is_judged=is_judged)
        else:
            stream.close(now, is_abortive=True)


class _Question:
    """Somebody asks for a connection; who it is only the provider knows, until it is answered."""

    def __init__(self, listening: Listening, companion: Companion) -> None:
        self._listening = listening
        self._companion = companion

    def answer(self, condition: Callable[[Endpoint, Endpoint], int]) -> int | None:
        return self._listening.accept(self._companion, condition)
