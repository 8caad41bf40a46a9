"""What the sockets have in common that can be bound: options, a local name, an endpoint of the core."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from wsknet.transport.ports import PortChoice
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Cover
from wsknet.wsk.constants import AF_INET6
from wsknet.wsk.control.sending import Sending
from wsknet.wsk.control.steering import Receiving
from wsknet.wsk.control.tcp_options import NOTHING_TOLD
from wsknet.wsk.irp import IRP
from wsknet.wsk.requests import forbid_flags
from wsknet.wsk.sockaddr import SOCKADDR, SockAddr, local_name, require_room, sockaddr_octets, store_sockaddr
from wsknet.wsk.sockets.base import DOCUMENTED, Socket
from wsknet.wsk.sockets.states import CREATED, FORCED_CLOSED
from wsknet.wsk.status import NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_SUCCESS

if TYPE_CHECKING:
    from wsknet.types import Instant, LocalName
    from wsknet.wsk.client import Client
    from wsknet.wsk.structures import WSK_DATA_INDICATION, WSK_DATAGRAM_INDICATION

OutAddress = SOCKADDR | bytearray | memoryview


class Options:
    """Set before or after bind, see `control.OPTIONS`."""

    __slots__ = ("broadcast", "conditional_accept", "dont_route", "exclusive", "fast_open", "keep_alive",
                 "multicast_hops", "multicast_if", "multicast_index", "multicast_loop", "no_delay",
                 "port_scalability", "random_port", "receive_buffer", "receiving", "reuse",
                 "reuse_unicast_port", "sending", "tcp", "unicast_if", "unicast_if6", "v6only")  # fmt: skip

    def __init__(self, v6only: bool, receive_buffer: int) -> None:
        self.reuse = 0
        self.exclusive = 0
        self.random_port = 0
        self.port_scalability = 0
        self.reuse_unicast_port = 0
        self.broadcast = 0
        self.conditional_accept = 0
        self.keep_alive = 0
        self.no_delay = 0
        self.fast_open = 0
        self.multicast_hops = 1
        self.multicast_loop = 1
        self.multicast_if = 0
        """As it was set."""
        self.multicast_index = 0
        """The interface that it stands for; 0: routing decides."""
        self.unicast_if = 0
        """Number of the interface through which IPv4 is sent; 0: routing decides."""
        self.unicast_if6 = 0
        """The same for IPv6."""
        self.dont_route = 0
        """SO_DONTROUTE.  As with Microsoft's providers, it changes nothing."""
        self.receiving = Receiving()
        self.sending = Sending()
        self.tcp = NOTHING_TOLD
        self.v6only = int(v6only)
        self.receive_buffer = receive_buffer

    @property
    def unicast_interfaces(self) -> dict[int, int]:
        """By address length, as endpoints take them."""
        return {4: self.unicast_if, 16: self.unicast_if6}

    @property
    def choice(self) -> PortChoice:
        """SO_REUSE_UNICASTPORT is there to be used instead of SO_PORT_SCALABILITY, and chooses at random by itself."""
        if self.reuse_unicast_port:
            return PortChoice.AT_CONNECT
        if self.port_scalability:
            return PortChoice.SCALABLE
        return PortChoice.RANDOM if self.random_port else PortChoice.ORDINARY

    @property
    def sharing(self) -> Sharing:
        if self.exclusive:
            return Sharing.EXCLUSIVE
        return Sharing.REUSE if self.reuse else Sharing.DEFAULT


class TransportSocket(Socket, ABC):
    __slots__ = ("endpoint", "options", "security")

    def __init__(
        self, Dispatch: Any, client: Client, family: int, SocketContext: Any = None, ClientDispatch: Any = None
    ) -> None:
        super().__init__(Dispatch, client, family, SocketContext, ClientDispatch)
        stack = self.host.stack
        self.options = Options(stack.config.behaviour.v6only, self.default_receive_buffer())
        self.security = Security()
        self.endpoint: Any = None
        """A TcpEndpoint or UdpEndpoint from bind on; stays, closed, when the connection is dead."""

    @property
    def is_dual(self) -> bool:
        """Whether IPv4 goes through this AF_INET6 socket too, by mapped addresses."""
        return self.family == AF_INET6 and not self.options.v6only

    @abstractmethod
    def default_receive_buffer(self) -> int: ...

    @abstractmethod
    def open_endpoint(self, cover: Cover) -> Any: ...

    @abstractmethod
    def bound(self, now: Instant) -> None:
        """The endpoint has its name: what the category does next."""

    @abstractmethod
    def apply_options(self) -> None:
        """Let the endpoint know of options that may change at any time."""

    def steer(self) -> None:
        """Let the endpoint know how, and through which interfaces, it sends."""
        if self.endpoint is not None:
            self.endpoint.unicast_interfaces = self.options.unicast_interfaces
            self.endpoint.is_restricted = self.options.sending.is_restricted
            self.steer_packets()

    def steer_packets(self) -> None:
        self.endpoint.terms = self.options.sending.stream_terms

    def release(self, Indication: WSK_DATA_INDICATION | WSK_DATAGRAM_INDICATION | None) -> NTSTATUS:
        """Take retained elements back: those linked by `Next`, in any mixture.  None is taken if one is not ours."""
        self.require_open()
        elements = []
        while Indication is not None and getattr(Indication, "_holder", None) is self:
            Indication._holder = None
            elements.append(Indication)
            Indication = Indication.Next
        if Indication is None and elements:
            if self.verifier is not None:
                self.verifier.released(elements)
            return STATUS_SUCCESS
        for element in elements:
            element._holder = self
        return STATUS_INVALID_PARAMETER

    def WskBind(self, LocalAddress: SockAddr, Flags: int, Irp: IRP | None) -> NTSTATUS:
        return self.perform(Irp, self._bind, LocalAddress, Flags)

    def _bind(self, Irp: IRP, now: Instant, LocalAddress: SockAddr, Flags: int) -> Any:
        self.bind(LocalAddress, Flags, now)
        return 0

    def bind(self, LocalAddress: SockAddr, Flags: int, now: Instant) -> None:
        forbid_flags(Flags, "R-108")
        if self.state != CREATED:
            raise self.refuse_state("WSK-3.6", "a second WskBind")
        name = local_name(LocalAddress, self.family, self.is_dual)
        endpoint = self.open_endpoint(name.cover)
        try:
            self.bind_endpoint(endpoint, name, now)
            self.endpoint = endpoint
            self.apply_options()
            self.steer()
            self.bound(now)
        except Exception:
            self.endpoint = None
            endpoint.close(now)
            raise

    def bind_endpoint(self, endpoint: Any, name: LocalName, now: Instant) -> None:
        endpoint.bind(name, now, self.options.sharing, self.security, choice=self.options.choice)

    def WskGetLocalAddress(self, LocalAddress: OutAddress, Irp: IRP | None) -> NTSTATUS:
        """A wildcard stays a wildcard until a connection gives it an address; the port is there from bind on."""
        require_room(LocalAddress, self.family)
        return self.perform(Irp, self._get_local_address, LocalAddress)

    def _get_local_address(self, Irp: IRP, now: Instant, LocalAddress: OutAddress) -> Any:
        if self.state == FORCED_CLOSED or self.endpoint is None:
            raise self.refuse_state(DOCUMENTED)
        store_sockaddr(LocalAddress, self.local_octets())
        return 0

    def local_octets(self) -> bytes:
        name: LocalName = self.endpoint.local
        return sockaddr_octets(self.family, name.address, name.port, name.zone, name.cover is Cover.IPV4)

    def cancel_all(self, now: Instant) -> None:
        if self.endpoint is not None:
            self.endpoint.close(now)
