"""What UDP and TCP sockets on endpoints have in common: options, names, and the implicit bind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.scenario import addresses
from wsknet.scenario.faces import why
from wsknet.scenario.outcomes import NOTHING
from wsknet.scenario.world import Done, Failed
from wsknet.transport.ports import PortChoice
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Cover, Endpoint, LocalName, Proto, is_link_local

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario.addresses import Named
    from wsknet.scenario.faces.manners import Manners
    from wsknet.trace import Decision
    from wsknet.types import Instant

CHOICES = {
    "randomize-port": PortChoice.RANDOM,
    "port-scalability": PortChoice.SCALABLE,
    "reuse-unicastport": PortChoice.AT_CONNECT,
}
SHARINGS = {"reuse": Sharing.REUSE, "exclusive": Sharing.EXCLUSIVE}
IGNORED = ("dont-route",)


class EndpointSocket(ABC):
    """`endpoint` is opened by bind: what it covers may change until then."""

    PROTOCOL = Proto.UDP

    def __init__(self, host: Host, manners: Manners, family: str, owner: str, decisions: list[Decision]) -> None:
        self.host = host
        self.manners = manners
        self.cover = addresses.COVERS[family]
        self.security = Security(owner or "user")
        self.sharing = Sharing.DEFAULT
        self.choice = PortChoice.ORDINARY
        self.through = {4: 0, 16: 0}
        """IP_UNICAST_IF, IPV6_UNICAST_IF."""
        self.device = 0
        """SO_BINDTODEVICE."""
        self.endpoint: Any = None
        self._decisions = decisions

    # Options

    def set_option(self, name: str, value: bool | int | str) -> None:
        if name in SHARINGS:
            self._set_sharing(name, bool(value))
        elif name == "v6only":
            self._before_bind()
            if self.cover is Cover.IPV4:
                raise LocalError(ErrorKind.INVALID_ARGUMENT, "an option of IPv6")
            self.cover = Cover.IPV6 if value else Cover.DUAL
        elif name in CHOICES:
            self._before_bind()
            if name == "randomize-port" and self.choice is PortChoice.AT_CONNECT:
                raise LocalError(ErrorKind.INVALID_ARGUMENT, "SO_REUSE_UNICASTPORT randomizes by itself")
            self.choice = CHOICES[name] if value else PortChoice.ORDINARY
        elif name == "unicast-if":
            self._set_unicast_interface(value)
        elif name == "bind-to-device" and self.manners.binds_to_device:
            self._before_bind()
            self.device = self.index_of(str(value))
        elif name not in IGNORED:
            raise Failed("no-such-option")

    def _set_sharing(self, name: str, is_on: bool) -> None:
        wanted = SHARINGS[name]
        if wanted is Sharing.EXCLUSIVE and not self.manners.has_exclusive:
            raise Failed("no-such-option", "there is no SO_EXCLUSIVEADDRUSE")
        if is_on and self.sharing not in (Sharing.DEFAULT, wanted):
            raise LocalError(ErrorKind.INVALID_ARGUMENT, "the other of the two options is set")
        if self.endpoint is not None:
            return  # too late to matter
        self.sharing = wanted if is_on else Sharing.DEFAULT

    def _set_unicast_interface(self, value: bool | int | str) -> None:
        if type(value) is int and self.cover is Cover.IPV4:
            value = int.from_bytes((value & 0xFFFFFFFF).to_bytes(4, "big"), "little")  # given raw: in network order
        index = self.index_of(str(value))
        if self.cover is not Cover.IPV6:
            self.through[4] = index
        if self.cover is not Cover.IPV4:
            self.through[16] = index
        if self.endpoint is not None:
            self.endpoint.unicast_interfaces = self._sending_interfaces()

    def _sending_interfaces(self) -> dict[int, int]:
        return dict.fromkeys(self.through, self.device) if self.device else dict(self.through)

    def _before_bind(self) -> None:
        if self.endpoint is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "only before bind")

    # Names

    def bind(self, to: str) -> Done:
        named = self.parse(to)
        if self.endpoint is not None:
            raise LocalError(ErrorKind.INVALID_STATE, "already bound")
        name = self._local_name(named)
        if self.choice is PortChoice.ORDINARY or name.port:
            decision = why.why_bind(self.host, self.PROTOCOL, name, self.sharing, self.security, self.device)
            self._decisions.append(decision)
        self._bind(name)
        return Done("ok")

    def bind_implicitly(self, choice: PortChoice | None = None) -> None:
        """As connect and sendto of Winsock and POSIX do for a socket that is not bound."""
        if self.endpoint is None:
            self._bind(LocalName(self.cover, None, 0), choice)

    def _bind(self, name: LocalName, choice: PortChoice | None = None) -> None:
        """`choice` counts where no option asks for another."""
        endpoint = self._open(name.cover)
        if choice is None or self.choice is not PortChoice.ORDINARY:
            choice = self.choice
        with self.host.pump as now:
            try:
                endpoint.bind(name, now, self.sharing, self.security, choice=choice, device=self.device)
            except NetError:
                endpoint.close(now)
                raise
            endpoint.unicast_interfaces = self._sending_interfaces()
            self.endpoint = endpoint
            self._bound(now)

    def _bound(self, now: Instant) -> None:  # noqa: B027 - TCP has none
        """Pass on the options that were set before."""

    @abstractmethod
    def _open(self, cover: Cover) -> Any: ...

    def _local_name(self, named: Named) -> LocalName:
        self._check_family(named)
        return addresses.local_name(named, self.cover, self.index_of(named.zone))

    def _check_family(self, named: Named) -> None:
        if (len(named.address) == 4) != (self.cover is Cover.IPV4):
            raise Failed("wrong-family" if not self.manners.has_exclusive else "fault")
        if named.address != addresses.unmapped(named.address) and self.cover is not Cover.DUAL:
            kind = ErrorKind.NOT_LOCAL if self.manners.has_exclusive else ErrorKind.INVALID_ARGUMENT
            raise NetError(kind, "a mapped address needs a dual-stack socket")

    def remote(self, to: str) -> Endpoint:
        named = self.parse(to)
        self._check_family(named)
        address = addresses.unmapped(named.address)
        return Endpoint(address, named.port, self.index_of(named.zone))

    def parse(self, words: str) -> Named:
        try:
            return addresses.parse_name(words)
        except ValueError as error:
            raise Failed("fault", str(error)) from None

    def index_of(self, interface: str) -> int:
        """Of an interface by its name, or a number as it is; NOT_LOCAL for what is none."""
        if interface in ("", "0", "False"):
            return 0
        try:
            return self.host.interface_index(interface)
        except ValueError as error:
            raise NetError(ErrorKind.NOT_LOCAL, str(error)) from None

    def interface_name(self, index: int) -> str:
        interface = self.host.stack.ip.interfaces.get(index)  # type: ignore[call-overload]
        return interface.name if interface is not None else str(index)

    def shown(self, endpoint: Endpoint) -> str:
        """An end of a conversation, as this socket shows it."""
        zone = self.interface_name(endpoint.zone) if endpoint.zone and len(endpoint.address) == 16 else ""
        shown = addresses.mapped(endpoint.address, self.cover)
        return addresses.format_name(shown, endpoint.port, zone)

    @abstractmethod
    def take(self) -> str | None:
        """What has arrived; `None` if nothing has."""

    def name(self) -> str:
        if self.endpoint is None:
            if not self.manners.shows_unbound_name:
                raise LocalError(ErrorKind.INVALID_STATE, "not bound")
            return addresses.format_name(addresses.wildcard(self.cover), 0)
        return self._name_text(self._visible_name())

    def _visible_name(self) -> LocalName:
        name: LocalName = self.endpoint.local
        return name

    def _name_text(self, name: LocalName) -> str:
        if name.address is None:
            octets = addresses.wildcard(self.cover)
            if name.cover is Cover.IPV4:
                octets = addresses.mapped(bytes(4), self.cover)
            return addresses.format_name(octets, name.port)
        return self.shown(Endpoint(name.address, name.port, name.zone if is_link_local(name.address) else 0))

    def route_query(self, to: str) -> str:
        address = addresses.unmapped(text.parse_address(to.partition("%")[0]))
        zone = to.partition("%")[2]
        with self.host.pump:
            path = self.host.stack.ip.path(address, None, self.index_of(zone), None, self.through[len(address)])
        return text.format_address(path.source)

    def explain_path(self, remote: Endpoint, source: bytes | None = None, interface: int = 0) -> None:
        local: LocalName | None = self.endpoint.local if self.endpoint is not None else None
        source = source or (local.address if local is not None else None)
        zone = remote.zone or (local.zone if local is not None else 0)
        through = interface or self._sending_interfaces()[len(remote.address)]
        self._decisions.append(why.why_path(self.host, remote.address, source, zone, through))

    def explain_arrival(self, local: Endpoint, remote: Endpoint) -> None:
        self._decisions.append(why.why_arrival(self.host, self.PROTOCOL, local, remote))

    def close(self) -> None:
        if self.endpoint is not None:
            with self.host.pump as now:
                self.endpoint.close(now)
            self.endpoint = None


class Receiving:
    """Goes on until the socket has something."""

    def __init__(self, socket: EndpointSocket) -> None:
        self._socket = socket

    def poll(self) -> str | None:
        return self._socket.take()

    def give_up(self) -> str:
        return NOTHING
