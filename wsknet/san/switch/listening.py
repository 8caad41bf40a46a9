"""Companions that listen beside a listening socket of TCP/IP, and what comes to them (SAN-6.4, SAN-6.5).

Read listening-for-connections-on-a-san and accepting-connection-requests before editing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_REJECT,
    FD_ACCEPT,
    INVALID_SOCKET,
    NO_ERROR,
)
from wsknet.san.policy import Wildcard
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT
from wsknet.san.switch.companion import Companion, Failed
from wsknet.types import Address, Endpoint

if TYPE_CHECKING:
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.san.switch.dll import Switch
    from wsknet.san.switch.loaded import LoadedProvider
    from wsknet.san.switch.san_stream import SanStream
    from wsknet.types import Instant

ANY = bytes(4)


class Listening:
    """All companions of one listening socket.  No lock is held but where a method says so."""

    def __init__(self, switch: Switch, socket: StreamSocket, backlog: int) -> None:
        self._switch = switch
        self._socket = socket
        self._backlog = backlog
        self._companions: dict[tuple[LoadedProvider, Address], Companion] = {}

    def adjust(self) -> None:
        """Have a companion wherever there is to be one: at first, and when NICs, addresses or providers have changed.

        One that cannot be made is left out: TCP/IP listens in any case (SAN-6.2.6).
        """
        wanted = dict.fromkeys(
            (provider, address) for provider in self._switch.providers for address in self._names(provider)
        )
        for key in [key for key in self._companions if key not in wanted]:
            self._companions.pop(key).close()
        for provider, address in wanted:
            if (provider, address) not in self._companions:
                self._listen(provider, address)

    def _names(self, provider: LoadedProvider) -> list[Address]:
        """Where the application listens, as the provider is told: 4.1 and 4.2."""
        local = self._socket.endpoint.local
        if local is None:
            return []
        if local.address is not None:
            return [local.address] if local.address in provider.addresses else []
        if provider.installed.policy.wildcard is Wildcard.PRE_VISTA:
            return [ANY]
        return provider.addresses

    def _listen(self, provider: LoadedProvider, address: Address) -> None:
        local = self._socket.endpoint.local
        assert local is not None
        switch = self._switch
        try:
            companion = Companion.create(switch.host, switch.handles, provider)
        except Failed:
            return
        try:
            companion.prepare(Endpoint(address, local.port), self._socket.settings)
            companion.listen(self._backlog)
            companion.select(FD_ACCEPT, partial(self._signalled, companion))
        except Failed:
            companion.close()
            return
        self._companions[provider, address] = companion

    def close(self) -> None:
        for companion in self._companions.values():
            companion.close()
        self._companions.clear()

    # Requests

    def _signalled(self, companion: Companion) -> None:
        try:
            found = companion.happened()
        except Failed:
            return
        if found.lNetworkEvents & FD_ACCEPT:
            while companion in self._companions.values() and self._accept(companion):
                pass

    def _accept(self, listener: Companion) -> bool:
        """One request; False if there was none.  A rejected one was one."""
        peer, asked = SOCKADDR_IN(), []

        def condition(lpCallerId: Any, lpCallerData: Any, lpSQOS: Any, lpGQOS: Any, lpCalleeId: Any, *rest: Any) -> int:
            asked.append(SOCKADDR_IN.parse(lpCalleeId.buf))
            return CF_ACCEPT if self._has_room else CF_REJECT

        lpErrno = INT()
        s = listener.provider.table.lpWSPAccept(listener.s, peer, INT(SIZE), condition, None, lpErrno)
        if s == INVALID_SOCKET:
            return bool(asked)
        switch = self._switch
        companion = Companion(switch.host, switch.handles, listener.provider, s)
        arrivals = self._socket.arrivals
        with switch.host.pump:
            if arrivals is not None:
                arrivals.expected += 1
            offered: list[SanStream] = []

            def negotiated(error: int, now: Instant) -> None:
                self._negotiated(offered[0], error, now)

            stream = switch.carry(companion, asked[0].endpoint, peer.endpoint, negotiated, is_initiator=False)
            offered.append(stream)
            stream.carrier.start()
        return True

    @property
    def _has_room(self) -> bool:
        with self._switch.host.pump:
            return self._socket.may_offer

    def _negotiated(self, stream: SanStream, error: int, now: Instant) -> None:
        """Driver lock held."""
        arrivals = self._socket.arrivals
        if arrivals is not None:
            arrivals.expected -= 1
        if error == NO_ERROR and arrivals is not None:
            self._socket.offer(stream, now)
        else:
            stream.close(now, is_abortive=True)
