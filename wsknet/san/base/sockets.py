"""What stream and datagram sockets have in common: descriptors, waiting calls, network events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from wsknet.san.base.network_events import NetworkEvents
from wsknet.san.base.operations import Operation, Outcome
from wsknet.san.base.settings import Settings
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import (
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    WSA_OPERATION_ABORTED,
    WSAEINTR,
    WSAEINVAL,
)
from wsknet.san.sockaddr import ANY
from wsknet.transport.sharing import Security
from wsknet.types import Cover, Endpoint, Instant, LocalName

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.host import Host
    from wsknet.san.base.operations import Attempt
    from wsknet.transport.tcp.endpoint import TcpEndpoint
    from wsknet.transport.udp.endpoint import UdpEndpoint


class Socket(ABC):
    """Every method is called with the driver lock held, unless it says otherwise."""

    type: int
    endpoint: TcpEndpoint | UdpEndpoint
    """Open from the beginning.  Holds the name; and, unless another way was found, what is connected."""

    def __init__(self, host: Host, account: str, is_overlapped: bool) -> None:
        self.host = host
        self.account = account
        """Of the user who made it: the sharing table asks."""
        self.is_overlapped = is_overlapped
        self.settings = Settings()
        self.events = NetworkEvents()
        self.descriptors = 0
        """In all processes."""
        self.is_send_shut = False
        self.is_receive_shut = False
        self.awaits_address_list = False
        self.has_address_list_changed = False
        kinds = (FD_READ, FD_OOB, FD_WRITE, FD_ACCEPT, FD_CONNECT, FD_ADDRESS_LIST_CHANGE, FD_CLOSE)
        self.queues: dict[int, deque[Operation]] = {kind: deque() for kind in kinds}
        """Calls that wait, by what they wait for."""
        self.polls: list[Callable[[], None]] = []
        """Called after each change: select waits for it."""

    # Names

    @property
    def is_bound(self) -> bool:
        return self.endpoint.local is not None

    def bind(self, name: Endpoint, now: Instant) -> None:
        """0.0.0.0 is the wildcard; port 0 is chosen now.

        Raises `WinsockError` WSAEINVAL, `NetError` as the endpoint does.
        """
        if self.is_bound:
            raise WinsockError(WSAEINVAL)
        address = None if name.address == ANY else name.address
        local = LocalName(Cover.IPV4, address, name.port, name.zone)
        self.endpoint.bind(local, now, self.settings.sharing, Security(self.account))

    def bind_implicitly(self, now: Instant) -> None:
        """To the wildcard, as connect and sendto do."""
        if not self.is_bound:
            self.bind(Endpoint(ANY, 0), now)

    def name(self) -> Endpoint:
        """The address is 0.0.0.0 as long as it is open.  Raises `WinsockError` WSAEINVAL while unbound."""
        local = self.endpoint.local
        if local is None:
            raise WinsockError(WSAEINVAL)
        return Endpoint(local.address or ANY, local.port)

    @abstractmethod
    def peer(self) -> Endpoint:
        """Raises `WinsockError` WSAENOTCONN."""

    # Events

    def on_ready(self, readiness: int, now: Instant) -> None:
        self.settle(now)

    def settle(self, now: Instant) -> None:
        """Something has changed: go on with what waits, then tell."""
        for queue in self.queues.values():
            while queue and queue[0].run(now):
                queue.popleft()
        self.advance(now)
        told = self.events.look(self.conditions())
        if told:
            self.told(told)
        for poll in self.polls:
            poll()

    def advance(self, now: Instant) -> None:  # noqa: B027 - only streams have something that waits for the queues
        """What was asked for, and had to wait for calls that were made before."""

    def told(self, events: int) -> None:
        """They have been recorded: what happens once is not told to a later WSPEventSelect."""
        if events & FD_ADDRESS_LIST_CHANGE:
            self.has_address_list_changed = False

    @abstractmethod
    def conditions(self) -> dict[int, int]:
        """What holds now: FD_*, and the error that goes with each."""

    def address_list_changed(self, now: Instant) -> None:
        """Told once to whoever has asked: to calls that wait, and after one that would have blocked as an event."""
        waiting, self.queues[FD_ADDRESS_LIST_CHANGE] = self.queues[FD_ADDRESS_LIST_CHANGE], deque()
        for operation in waiting:
            operation.finish(Outcome())
        self.has_address_list_changed |= self.awaits_address_list
        self.awaits_address_list = False
        self.settle(now)

    # Data

    @abstractmethod
    def sending(self, data: list[memoryview], flags: int, to: Endpoint | None, *, may_wait: bool) -> Attempt:
        """WSPSend, or WSPSendTo if there is `to`.  Raises `WinsockError`.  Lock not held."""

    @abstractmethod
    def receiving(
        self, views: list[memoryview], flags: int, source: list[Endpoint] | None, *, may_wait: bool
    ) -> Attempt:
        """WSPRecv, or WSPRecvFrom if there is `source`, into which the sender of a datagram is put.  Raises
        `WinsockError`.  Lock not held."""

    @property
    @abstractmethod
    def readable(self) -> int:
        """FIONREAD."""

    @abstractmethod
    def shut(self, is_receive: bool, is_send: bool, now: Instant) -> None:
        """WSPShutdown.  Raises `WinsockError`."""

    @abstractmethod
    def release(self, now: Instant, *, is_abortive: bool) -> None:
        """The last descriptor is gone."""

    def cancel(self) -> None:
        """What waits ends: overlapped with WSA_OPERATION_ABORTED (closesocket function); a thread that sleeps in the
        call with WSAEINTR, of which the page says no more than that it is cancelled."""
        for queue in self.queues.values():
            while queue:
                operation = queue.popleft()
                operation.finish(Outcome(error=WSA_OPERATION_ABORTED if operation.is_overlapped else WSAEINTR))
        for poll in self.polls:
            poll()
