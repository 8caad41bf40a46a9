"""The Windows Sockets switch as one process has it loaded: the TCP/IP provider that knows another way (SAN-2)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsknet.errors import NetError
from wsknet.san.base.provider import TcpipProvider
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.calls import WinsockError, answers
from wsknet.san.numbers import SOCKET_ERROR, WSAEADDRINUSE, WSAENOTSOCK
from wsknet.san.registry import registry_of
from wsknet.san.structures import INT
from wsknet.san.switch.carrier import Carrier
from wsknet.san.switch.connecting import Connecting
from wsknet.san.switch.decision import Question, choose, explain_listening
from wsknet.san.switch.handles import Handles
from wsknet.san.switch.listening import Listening
from wsknet.san.switch.loaded import LoadedProvider, Unusable
from wsknet.san.switch.paths import Paths
from wsknet.san.switch.san_socket import settings_for
from wsknet.san.switch.san_stream import SanStream, limits_of
from wsknet.san.switch.subnets import Subnet, Subnets
from wsknet.trace import Decision
from wsknet.transport.queries import PathQuery
from wsknet.types import SECOND, Endpoint, Family, Instant, family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wsknet.host import Host
    from wsknet.net.changes import News
    from wsknet.san.base.settings import Settings
    from wsknet.san.base.sockets import Socket
    from wsknet.san.structures import WSPPROC_TABLE
    from wsknet.san.switch.companion import Companion
    from wsknet.types import Address


class Switch(TcpipProvider):
    """Loads every SAN service provider of `host`, and hears of those that are installed later.

    To the application it is one provider: `table` is all that it sees.

    What it does with providers it does in completions of the host, so one thing at a time, whichever threads want it:
    `_later`.  WSPCleanup ends the process for the application; the switch goes on as long as sockets need it that were
    closed before and have data to send, or that another process has a descriptor of (duplicating-socket-handles-for-a-
    san, where that is done in the system service process and by a change of control; here control stays).
    """

    def __init__(self, host: Host, account: str = "user") -> None:
        super().__init__(host, account)
        self.on_decision: Callable[[StreamSocket, Decision], None] | None = None
        """Hears why a socket goes one way or the other, each time that this is decided; lock not held."""
        self.handles = Handles(self.unload_if_idle)
        self.providers: list[LoadedProvider] = []
        self.subnets: Subnets[LoadedProvider] = Subnets((), {})
        self._paths = Paths.of(host)
        self._is_refresh_posted = False
        self._is_over = False
        """WSPCleanup was called."""
        self._is_unloaded = False
        registry_of(host).watchers.append(self._installed)
        with host.pump:
            host.stack.ip.watchers.append(self._addresses_changed)
        self._installed()

    def _later(self, run: Callable[..., None], *arguments: Any) -> None:
        """Have it run as a completion.  When this returns it has, unless another completion runs: then it follows that.

        No lock is held.
        """
        with self.host.pump:
            self.host.pump.completions.post(run, *arguments)

    def _make_table(self) -> WSPPROC_TABLE:
        table = super()._make_table()
        self._clean_up, self._set_option = table.lpWSPCleanup, table.lpWSPSetSockOpt
        table.lpWSPCleanup, table.lpWSPSetSockOpt = self.WSPCleanup, self.WSPSetSockOpt
        return table

    @answers(SOCKET_ERROR)
    def WSPCleanup(self) -> int:
        """As the TCP/IP provider's, and then that of every SAN service provider (cleaning-up-a-process-for-a-san)."""
        lpErrno = INT()
        if self._clean_up(lpErrno) == SOCKET_ERROR:
            raise WinsockError(lpErrno.Value)
        self._is_over = True
        self._later(self.unload_if_idle)
        return 0

    @answers(SOCKET_ERROR)
    def WSPSetSockOpt(self, s: Any, level: Any, optname: Any, optval: Any, optlen: Any) -> int:
        """As the TCP/IP provider's.  SO_SNDBUF and SO_RCVBUF count at once for a connection over a SAN, too."""
        lpErrno = INT()
        if self._set_option(s, level, optname, optval, optlen, lpErrno) == SOCKET_ERROR:
            raise WinsockError(lpErrno.Value)
        with self.host.pump:
            socket = self.descriptors.find(s)
            if isinstance(socket, StreamSocket) and isinstance(socket.stream, SanStream):
                socket.stream.resize(socket.settings)
        return 0

    def unload_if_idle(self) -> None:
        """A completion, as all up-calls are."""
        if not self._is_over or self._is_unloaded or len(self.handles) or self._paths.is_used(self):
            return
        self._is_unloaded = True
        self.handles.is_open = False
        registry_of(self.host).watchers.remove(self._installed)
        with self.host.pump:
            self.host.stack.ip.watchers.remove(self._addresses_changed)
        while self.providers:
            self.providers.pop().unload()

    # Providers and their NICs

    def _installed(self) -> None:
        self._later(self._load)

    def _load(self) -> None:
        """SAN-6.1: those that are not loaded yet.  Listening sockets that are there get their companions."""
        if self._is_unloaded:
            return
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
            listening = self._paths.listening(self)
        prefix_lengths = {address: length for each in interfaces if each.is_up for address, length in each.addresses}
        down = [each for provider in self.providers for each in provider.down]
        self.subnets = Subnets(((each, each.addresses) for each in self.providers), prefix_lengths, down)
        for each in listening:
            each.adjust()

    # Which way

    def choose(
        self, local: Address | None, remote: Address, why: Decision | None = None
    ) -> Subnet[LoadedProvider] | None:
        """The NIC for a connection to `remote`; `None` for TCP/IP.  `local` is what the application has bound.

        Without one the companion gets what TCP/IP's route to the destination gives.
        """
        with self.host.pump:
            if local is None:
                local = self._source_towards(remote, why)
            own = frozenset(address for address in self.host.addresses() if family_of(address) is Family.IPV4)
        return choose(self.subnets, Question(remote, local, own), why)

    def _source_towards(self, remote: Address, why: Decision | None) -> Address:
        """Driver lock held."""
        if why is not None:
            why.parts.append(self.host.stack.explain(PathQuery(remote))[1])
        try:
            return self.host.stack.ip.path(remote).source
        except NetError:
            return bytes(4)  # TCP/IP will tell the application

    @contextmanager
    def deciding(self, socket: StreamSocket, question: str) -> Iterator[Decision | None]:
        """A decision to be filled, which is told in the end; `None` while nobody listens."""
        if self.on_decision is None:
            yield None
            return
        why = Decision(question)
        yield why
        self.on_decision(socket, why)

    def open_path(self, socket: StreamSocket, remote: Endpoint) -> None:
        local = socket.endpoint.local
        nic = None
        if local is not None:
            with self.deciding(socket, "SAN or TCP/IP?") as why:
                nic = self.choose(local.address, remote.address, why)
        if nic is None or local is None:
            self.open_tcp(socket, remote)
            return
        name = Endpoint(nic.address, local.port)
        attempt = Connecting(self, socket, name, remote)
        with self.host.pump:
            if not socket.descriptors:
                raise WinsockError(WSAENOTSOCK)
            if self._paths.has_connection(name, remote):
                raise WinsockError(WSAEADDRINUSE)
            socket.connecting_from = name
            self._paths.connect(socket, attempt)
            self.host.pump.completions.post(attempt.start, nic.provider)
        with self.host.pump:
            attempt.answer()

    def open_tcp(self, socket: StreamSocket, remote: Endpoint) -> None:
        super().open_path(socket, remote)

    def end_connecting(self, socket: StreamSocket) -> None:
        """Driver lock held."""
        self._paths.end_connecting(socket)
        self.host.pump.completions.post(self.unload_if_idle)

    def listening(self, socket: StreamSocket, backlog: int) -> None:
        """TCP/IP first, always (SAN-6.4.1)."""
        super().listening(socket, backlog)
        listening = Listening(self, socket, backlog)
        with self.host.pump:
            local = socket.endpoint.local
            is_new = bool(socket.descriptors) and self._paths.listen(socket, listening)
        if not is_new or local is None:
            return
        with self.deciding(socket, "SAN, too, for a listening socket?") as why:
            if why is not None:
                explain_listening([provider.serving for provider in self.providers], local.address, why)
        self._later(listening.adjust)

    def closing(self, socket: Socket) -> None:
        super().closing(socket)
        with self.host.pump:
            for each in self._paths.take(socket):
                each.forbid()
                self.host.pump.completions.post(each.end)
                self.host.pump.completions.post(each.switch.unload_if_idle)

    def carry(
        self,
        companion: Companion,
        sizes: Settings,
        local: Endpoint,
        remote: Endpoint,
        negotiated: Callable[[int, Instant], None],
        now: Instant,
        *,
        is_initiator: bool,
    ) -> SanStream:
        """The stream of a companion that is connected; its session begins.  Driver lock held.

        `sizes` are of the socket that has connected, or listens.
        [design] A peer has as long for the negotiation as for the connection.
        """
        provider = companion.provider
        policy = provider.installed.policy
        settings = settings_for(provider, policy, *limits_of(sizes))
        stream = SanStream(local, remote, negotiated, self._paths.close)
        self._paths.open(stream)
        stream.carrier = Carrier(self.host, provider, companion.s, stream.sink, settings, is_initiator=is_initiator)

        def expire() -> None:
            with self.host.pump as then:
                stream.expire(then)

        stream.cancel_deadline = self.host.driver.call_at(Instant(now + policy.connect_seconds * SECOND), expire)
        companion.carrier = stream.carrier
        stream.carrier.start()
        return stream
