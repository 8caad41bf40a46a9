"""What may be set on a TCP socket, before or while it has a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.transport.endpoint import ROUTING_DECIDES, Owner, TransportEndpoint
from wsknet.transport.tcp.settings import DEFAULT_SETTINGS, TcpSettings
from wsknet.transport.tcp.state import CONNECTING, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.net.packet import Path
    from wsknet.net.terms import Terms
    from wsknet.tcp_policy import KeepAlive
    from wsknet.transport.tcp.connection import Connection
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.types import Duration


class TcpOptions(TransportEndpoint):
    """The options of a `TcpEndpoint`.  Connections of a listener begin with those of the listener."""

    __slots__ = ("_keep_alive", "_keep_alive_settings", "_no_delay", "_receive_buffer", "_settings", "_terms",
                 "_user_timeout", "connection", "fast_open", "is_restricted", "unicast_interfaces")  # fmt: skip

    def __init__(self, protocol: TcpProtocol, owner: Owner | None) -> None:
        super().__init__(owner)
        self.connection: Connection | None = None
        self._no_delay = False
        self._user_timeout: Duration | None = None
        self._receive_buffer = protocol.config.receive_buffer
        self._keep_alive = False
        self._keep_alive_settings = protocol.policy.keep_alive
        self._settings = DEFAULT_SETTINGS
        self.fast_open = False
        """Data may travel in the SYN (RFC 7413): of a connect, or of those who connect to this listener.  Such data may
        arrive twice, once in a connection of its own (section 6.1)."""
        self._terms: Mapping[int, Terms] | None = None
        self.is_restricted = False
        """A listener answers hosts of the same site alone over IPv6 (PROTECTION_LEVEL_RESTRICTED)."""
        self.unicast_interfaces = ROUTING_DECIDES
        """A connection keeps to what it was when the path was first asked for: at connect, or when the SYN came."""

    def inherit(self, listener: TcpOptions) -> None:
        self._no_delay = listener._no_delay
        self._user_timeout = listener._user_timeout
        self._receive_buffer = listener._receive_buffer
        self._keep_alive = listener._keep_alive
        self._keep_alive_settings = listener._keep_alive_settings
        self._settings = listener._settings
        self._terms = listener._terms
        self.fast_open = listener.fast_open

    @property
    def no_delay(self) -> bool:
        """Nagle's algorithm is off, from the next send or acknowledgement on."""
        return self._no_delay

    @no_delay.setter
    def no_delay(self, is_on: bool) -> None:
        self._no_delay = is_on
        if self.connection is not None:
            self.connection.sender.no_delay = is_on

    @property
    def terms(self) -> Mapping[int, Terms] | None:
        """What is asked of IP, by address length, each `Terms.of_stream`; `None`: what is usual.  Counts from the next
        segment on."""
        return self._terms

    @terms.setter
    def terms(self, terms: Mapping[int, Terms] | None) -> None:
        if terms == self._terms:
            return
        self._terms = terms
        if self.connection is not None:
            segments = self.connection.segments
            segments.take_terms(self._terms_for(segments.path))

    def on_terms(self, path: Path) -> tuple[Path, Terms | None]:
        """`path` as the terms make it, and those of its family."""
        terms = self._terms_for(path)
        return (path, None) if terms is None else (terms.adapt(path), terms)

    def _terms_for(self, path: Path) -> Terms | None:
        return None if self._terms is None else self._terms[len(path.destination)]

    @property
    def user_timeout(self) -> Duration | None:
        """How long data, or a SYN, may stay unacknowledged before the connection is given up (RFC 9293 3.9.1.1,
        TCP_MAXRT); `None` for as many repeats as the policy says, `settings.NEVER` for any number.  Counts from the
        next segment on."""
        return self._user_timeout

    @user_timeout.setter
    def user_timeout(self, duration: Duration | None) -> None:
        self._user_timeout = duration
        if self.connection is not None:
            self.connection.sender.user_timeout = duration

    @property
    def receive_buffer(self) -> int:
        """Bytes; the largest window ever offered.

        What it is when the connection is made settles the window scale.  Later changes count, too, but a window once
        offered is not taken back, and none larger than the scale allows will be offered.
        """
        return self._receive_buffer

    @receive_buffer.setter
    def receive_buffer(self, size: int) -> None:
        self._receive_buffer = size
        if self.connection is not None:
            self.connection.receiver.set_limit(size)

    @property
    def keep_alive(self) -> bool:
        """The peer is probed while the connection is idle (RFC 1122 4.2.3.6); see `keep_alive_settings`."""
        return self._keep_alive

    @keep_alive.setter
    def keep_alive(self, is_on: bool) -> None:
        if is_on != self._keep_alive:
            self._keep_alive = is_on
            self._restart_keep_alive()

    @property
    def keep_alive_settings(self) -> KeepAlive:
        """A change counts at once."""
        return self._keep_alive_settings

    @keep_alive_settings.setter
    def keep_alive_settings(self, settings: KeepAlive) -> None:
        if settings != self._keep_alive_settings:
            self._keep_alive_settings = settings
            self._restart_keep_alive()

    @property
    def settings(self) -> TcpSettings:
        return self._settings

    @settings.setter
    def settings(self, settings: TcpSettings) -> None:
        self._settings = settings
        if self.connection is not None:
            self.connection.ack_frequency = settings.ack_frequency

    def _restart_keep_alive(self) -> None:
        connection = self.connection
        if connection is None or connection.state in CONNECTING:
            return
        if connection.state not in (State.CLOSED, State.TIME_WAIT):
            if self._keep_alive:
                connection.start_keep_alive()
            elif connection.timers.keep_alive is not None:
                connection.timers.keep_alive.cancel()
