"""What is known of a WSK socket beside its handle, and its addresses between text and SOCKADDR."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.scenario import addresses
from wsknet.scenario.outcomes import OK
from wsknet.scenario.world import Failed
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Address, Cover, Endpoint, LocalName, Proto
from wsknet.wsk import AF_INET, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6, WSK_SOCKET, htons, ntohs

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario.faces.wsk_options import Value

PORT_CHOICES = ("randomize-port", "port-scalability", "reuse-unicastport")


class WskSocket:
    """Options are noted here for the questions that are asked before an operation; WSK has them itself."""

    def __init__(self, host: Host, handle: WSK_SOCKET, protocol: Proto, cover: Cover, security: Security) -> None:
        self._host = host
        self.handle = handle
        self.protocol = protocol
        self.cover = cover
        self.security = security
        self.sharing = Sharing.DEFAULT
        self.has_port_choice = False
        """Port 0 is not chosen as for an ordinary socket, and perhaps not at bind."""
        self.through = {4: 0, 16: 0}
        """By address length: the interface that it sends through."""
        self.peer: Endpoint | None = None
        """SIO_WSK_SET_REMOTE_ADDRESS."""
        self.destination: Endpoint | None = None
        """SIO_WSK_SET_SENDTO_ADDRESS."""
        self.tells_packet_info = False

    @property
    def is_stream(self) -> bool:
        return self.protocol is Proto.TCP

    @property
    def default_remote(self) -> Endpoint | None:
        return self.peer or self.destination

    def function(self, name: str) -> Callable[..., Any]:
        """Of its dispatch table; not every category has all."""
        found: Callable[..., Any] | None = getattr(self.handle.Dispatch, name, None)
        if found is None:
            raise Failed("not-supported", f"{type(self.handle.Dispatch).__name__} has no {name}")
        return found

    def set_peer(self, peer: Endpoint | None) -> str:
        self.peer = peer
        return OK

    def note_option(self, name: str, value: Value) -> None:
        if name in ("reuse", "exclusive"):
            wanted = Sharing.REUSE if name == "reuse" else Sharing.EXCLUSIVE
            self.sharing = wanted if value else Sharing.DEFAULT if self.sharing is wanted else self.sharing
        elif name in PORT_CHOICES:
            self.has_port_choice = bool(value)
        elif name == "v6only":
            self.cover = Cover.IPV6 if value else Cover.DUAL
        elif name == "unicast-if":
            index = self.index_of(value) if isinstance(value, str) else 0
            self.through = {4: index, 16: index}

    # Text

    def index_of(self, interface: str) -> int:
        if not interface:
            return 0
        try:
            return self._host.interface_index(interface)
        except ValueError as error:
            raise Failed("not-local", str(error)) from None

    def _interface_name(self, index: int) -> str:
        known = self._host.stack.view().interfaces
        return next((interface.name for interface in known if interface.index == index), str(index))

    def _parse(self, words: str) -> addresses.Named:
        try:
            return addresses.parse_name(words)
        except ValueError as error:
            raise Failed("invalid", str(error)) from None

    def sockaddr(self, words: str) -> SOCKADDR:
        """Of the family that the text is of, whatever the socket's is: WSK is to judge that."""
        octets, port, zone = self._parse(words)
        if len(octets) == 4:
            return SOCKADDR_IN(sin_port=htons(port), sin_addr=octets)
        return SOCKADDR_IN6(sin6_port=htons(port), sin6_addr=octets, sin6_scope_id=self.index_of(zone))

    def remote(self, words: str) -> Endpoint:
        octets, port, zone = self._parse(words)
        return Endpoint(addresses.unmapped(octets), port, self.index_of(zone))

    def local_name(self, words: str) -> LocalName | None:
        """As the stack is going to be asked for it; `None` for what is not of the socket's family."""
        named = self._parse(words)
        if (len(named.address) == 4) != (self.cover is Cover.IPV4):
            return None
        if addresses.unmapped(named.address) != named.address and self.cover is not Cover.DUAL:
            return None
        return addresses.local_name(named, self.cover, self.index_of(named.zone))

    def source_address(self, words: str) -> Address | None:
        if not words:
            return None
        try:
            return addresses.unmapped(text.parse_address(words.partition("%")[0]))
        except ValueError as error:
            raise Failed("invalid", str(error)) from None

    def with_port(self, words: str) -> str:
        """A bare address as a name, which WSK wants for a question about a route."""
        try:
            parsed = text.parse_address(words.partition("%")[0])
        except ValueError:
            return words  # it has a port, or is nothing that can be read
        if len(parsed) == 16:
            return f"[{words}]:0"
        return f"{words}:0" if self.cover is Cover.IPV4 else f"[::ffff:{words}]:0"

    def text_of(self, sockaddr: SOCKADDR) -> str:
        octets, port, zone = self._read(sockaddr)
        return addresses.format_name(octets, port, zone)

    def address_text(self, sockaddr: SOCKADDR) -> str:
        octets, _, zone = self._read(sockaddr)
        return text.format_address(octets) + (f"%{zone}" if zone else "")

    def _read(self, sockaddr: SOCKADDR) -> tuple[Address, int, str]:
        if sockaddr.sa_family == AF_INET:
            four = SOCKADDR_IN.cast(sockaddr)
            return bytes(four.sin_addr), ntohs(four.sin_port), ""
        six = SOCKADDR_IN6.cast(sockaddr)
        scope = six.sin6_scope_id
        return bytes(six.sin6_addr), ntohs(six.sin6_port), self._interface_name(scope) if scope else ""

    def arrival_text(self, destination: Address, index: int) -> str:
        shown = text.format_address(addresses.mapped(destination, self.cover))
        return f" to {shown} on {self._interface_name(index)}"
