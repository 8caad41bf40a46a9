"""The Windows Sockets switch as one process has it loaded: the TCP/IP provider that knows another way (SAN-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet.errors import NetError
from wsknet.san.base.calls import answers
from wsknet.san.base.provider import TcpipProvider
from wsknet.san.base.settings import SEND_BUFFER
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.numbers import SOCKET_ERROR
from wsknet.san.registry import registry_of
from wsknet.san.switch.carrier import Carrier
from wsknet.san.switch.connecting import Connecting
from wsknet.san.switch.decision import Question, choose
from wsknet.san.switch.handles import Handles
from wsknet.san.switch.listening import Listening
from wsknet.san.switch.loaded import LoadedProvider, Unusable
from wsknet.san.switch.san_socket import settings_for
from wsknet.san.switch.san_stream import SanStream
from wsknet.san.switch.subnets import Subnet, Subnets
from wsknet.types import Endpoint, Family, family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.net.changes import News
    from wsknet.san.base.sockets import Socket
    from wsknet.san.structures import WSPPROC_TABLE
    from wsknet.san.switch.companion import Companion
    from wsknet.trace import Decision
    from wsknet.types import Address, Instant


class Switch(TcpipProvider):
    """Loads every SAN service provider of `host`, and hears of those that are installed later.

    To the application it is one provider: `table` is all that it sees.
    """

    def __init__(self, host: Host, account: str = "user") -> None:
        super().__init__(host, account)
        self.handles = Handles()
        self.providers: list[LoadedProvider] = []
        self.subnets: Subnets[LoadedProvider] = Subnets((), {})
        self.connecting: dict[StreamSocket, Connecting] = {}
        self._listening: dict[StreamSocket, Listening] = {}
        self._is_refresh_posted = False
        registry_of(host).watchers.append(self._load)
        with host.pump:
            host.stack.ip.watchers.append(self._addresses_changed)
        self._load()

    def _make_table(self) -> WSPPROC_TABLE:
        table = super()._make_table()
        self._clean_up = table.lpWSPCleanup
        table.lpWSPCleanup = self.WSPCleanup
        return table

    @answers(SOCKET_ERROR)
    def WSPCleanup(self, lpErrno: Any) -> int:
        """As the TCP/IP provider's, and then that of every SAN service provider (cleaning-up-a-process-for-a-san)."""
        answer = self._clean_up(lpErrno)
        if answer == SOCKET_ERROR:
            return answer
        self.handles.is_open = False
        registry_of(self.host).watchers.remove(self._load)
        with self.host.pump:
            self.host.stack.ip.watchers.remove(self._addresses_changed)
        while self.providers:
            self.providers.pop().unload()
        return answer

    # Providers and their NICs

    def _load(self) -> None:
        """SAN-6.1: those that are not loaded yet.  Listening sockets that are there get their companions."""
        loaded = {provider.installed for provider in self.providers}
        for installed in registry_of(self.host).tcp_on_san:
            if installed not in loaded:
                try:
                    self.providers.append(LoadedProvider(installed, self.protocol_info, self.handles.table))
                except Unusable:
                    continue
        self._map()

    def _addresses_changed(self, news: News, now: Instant) -> None:
        """Driver lock held, and perhaps many changes in a row."""
        if not self._is_refresh_posted:
            self._is_refresh_posted = True
            self.host.pump.completions.post(self._refresh)

    def _refresh(self) -> None:
        """TCP/IP has told of a change: all providers are asked anew (SAN-6.1.3)."""
        self._is_refresh_posted = False
        for provider in self.providers:
            provider.query_addresses()
        self._map()

    def _map(self) -> None:
        with self.host.pump:
            interfaces = self.host.stack.view().interfaces
        prefix_lengths = {address: length for each in interfaces if each.is_up for address, length in each.addresses}
        self.subnets = Subnets(((each, each.addresses) for each in self.providers), prefix_lengths)
        for listening in list(self._listening.values()):
            listening.adjust()

    # Which way

    def choose(
        self, local: Address | None, remote: Address, why: Decision | None = None
    ) -> Subnet[LoadedProvider] | None:
        """The NIC for a connection to `remote`; `None` for TCP/IP.  `local` is what the application has bound.

        Without one the companion gets what TCP/IP's route to the destination gives.
        """
        with self.host.pump:
            if local is None:
                try:
                    local = self.host.stack.ip.path(remote).source
                except NetError:
                    local = bytes(4)  # TCP/IP will tell the application
            own = frozenset(address for address in self.host.addresses() if family_of(address) is Family.IPV4)
        return choose(self.subnets, Question(remote, local, own), why)

    def open_path(self, socket: StreamSocket, remote: Endpoint) -> None:
        local = socket.endpoint.local
        assert local is not None
        nic = self.choose(local.address, remote.address)
        if nic is None:
            super().open_path(socket, remote)
            return
        name = Endpoint(nic.address, local.port)
        attempt = self.connecting[socket] = Connecting(self, socket, name, remote)
        attempt.start(nic.provider)

    def open_tcp(self, socket: StreamSocket, remote: Endpoint) -> None:
        """The other way, after all."""
        super().open_path(socket, remote)

    def listening(self, socket: StreamSocket, backlog: int) -> None:
        """TCP/IP first, always (SAN-6.4.1)."""
        super().listening(socket, backlog)
        if socket not in self._listening:
            self._listening[socket] = Listening(self, socket, backlog)
            self._listening[socket].adjust()

    def closing(self, socket: Socket) -> None:
        super().closing(socket)
        if isinstance(socket, StreamSocket):
            attempt = self.connecting.pop(socket, None)
            if attempt is not None:
                attempt.cancel()
            listening = self._listening.pop(socket, None)
            if listening is not None:
                listening.close()

    def carry(
        self,
        companion: Companion,
        local: Endpoint,
        remote: Endpoint,
        negotiated: Callable[[int, Instant], None],
        *,
        is_initiator: bool,
    ) -> SanStream:
        """The stream of a companion that is connected.  Driver lock held."""
        provider = companion.provider
        settings = settings_for(provider, provider.installed.policy, SEND_BUFFER, SEND_BUFFER)
        stream = SanStream(local, remote, negotiated)
        stream.carrier = Carrier(self.host, provider, companion.s, stream.sink, settings, is_initiator=is_initiator)
        companion.carrier = stream.carrier
        return stream
