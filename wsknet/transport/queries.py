"""The questions a person may ask, answered by the functions that decide.

`decide(query, why)` runs a decision without effect: bare if `why` is `None`, else recording every candidate.  There is
no second implementation that could explain something other than what happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.arrival import admit, example
from wsknet.net.packet import Cast
from wsknet.net.wording import address_text
from wsknet.trace import Decision, DropReason
from wsknet.transport.ports import ANYONE
from wsknet.transport.sharing import Holder, Security, Sharing
from wsknet.types import Address, Endpoint, IfIndex, LocalName, Proto

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet, Path
    from wsknet.transport.tcp.protocol import TcpProtocol
    from wsknet.transport.udp.endpoint import UdpEndpoint
    from wsknet.transport.udp.protocol import UdpProtocol


@dataclass(frozen=True)
class PathQuery:
    """Which route, source and next hop would a packet to `destination` take?

    `source` is the address that the socket is bound to, if any, `interface` the one it sends through (IP_UNICAST_IF).
    """

    destination: Address
    source: Address | None = None
    zone: int = 0
    interface: int = 0


@dataclass(frozen=True)
class BindQuery:
    """Could a socket bind `name`?"""

    protocol: Proto
    name: LocalName
    sharing: Sharing = Sharing.DEFAULT
    security: Security = ANYONE
    device: int = 0
    """SO_BINDTODEVICE."""


@dataclass(frozen=True)
class ArrivalQuery:
    """Which socket would get a packet from `remote` to `local`?

    With an `if_index` it arrives there, and whether it is ours at all is decided before (BIND-1.7, level 0); without
    one it is taken to be ours, and unicast.
    """

    protocol: Proto
    local: Endpoint
    remote: Endpoint
    if_index: int = 0


@dataclass(frozen=True)
class OrderQuery:
    """In which order would the addresses of one peer be tried?  `zone` is as in `path.resolve`, for all of them."""

    destinations: tuple[Address, ...]
    zone: int = 0


Query = PathQuery | BindQuery | ArrivalQuery | OrderQuery


@dataclass(frozen=True)
class Answer:
    """`error` is what the operation would fail with; else the field that belongs to the query tells the outcome."""

    error: NetError | None = None
    path: Path | None = None
    name: LocalName | None = None
    receiver: object | None = None
    """`None`: nobody, or for a group more than one."""
    receivers: tuple[object, ...] = ()
    """Everybody who gets a copy of a broadcast or multicast packet."""
    drop: DropReason | None = None
    """The packet ends at the interface that it arrives on."""
    is_passed_on: bool = False
    """The packet is not ours, and we are a router."""
    order: tuple[Address, ...] = ()


class Deciders(NamedTuple):
    """Whose functions answer."""

    ip: IpLayer
    tcp: TcpProtocol
    udp: UdpProtocol


def decide(of: Deciders, query: Query, why: Decision | None) -> Answer:
    try:
        match query:
            case PathQuery(destination, source, zone, interface):
                return Answer(path=of.ip.path(destination, source, zone, why, interface))
            case BindQuery():
                return _decide_bind(of, query, why)
            case ArrivalQuery():
                return _decide_arrival(of, query, why)
            case OrderQuery(destinations, zone):
                return Answer(order=tuple(of.ip.order_destinations(destinations, zone, why)))
    except NetError as error:
        if why is not None and not why.answer:
            why.conclude(error.kind.value, error.detail)
        return Answer(error=error)


def _decide_bind(of: Deciders, query: BindQuery, why: Decision | None) -> Answer:
    name = query.name
    if name.address is not None:
        name = name._replace(zone=of.ip.bindable(name.address, name.zone, why, query.protocol is Proto.TCP))
    ports = of.tcp.ports if query.protocol is Proto.TCP else of.udp.ports
    ports.check(Holder(name, query.sharing, query.security, query.device), why)
    return Answer(name=name)


def _decide_arrival(of: Deciders, query: ArrivalQuery, why: Decision | None) -> Answer:
    local, remote, zone = query.local, query.remote, query.local.zone or query.remote.zone
    if query.if_index:
        interface = of.ip.interfaces.get(IfIndex(query.if_index))
        if interface is None:
            raise LocalError(ErrorKind.INVALID_ARGUMENT, f"there is no interface {query.if_index}")
        packet = example(interface, remote.address, local.address, query.protocol)
        cast = admit(of.ip, packet, _level_0(query, interface.name, why))
        if cast is not Cast.UNICAST:
            return _decide_group(of, query, packet, cast, why)
        zone = packet.zone
    demux = of.tcp.demux if query.protocol is Proto.TCP else of.udp.demux
    found = demux.find(local.address, local.port, remote.address, remote.port, zone, why, query.if_index)
    return Answer(receiver=found, receivers=() if found is None else (found,))


def _level_0(query: ArrivalQuery, name: str, why: Decision | None) -> Decision | None:
    if why is None:
        return None
    part = Decision(f"is {address_text(query.local.address)} ours on {name}")
    why.parts.append(part)
    return part


def _decide_group(
    of: Deciders, query: ArrivalQuery, packet: Packet, cast: Cast | DropReason | None, why: Decision | None
) -> Answer:
    """What is not unicast, or not ours."""
    if cast is None or isinstance(cast, DropReason):
        if why is not None:
            part = why.parts[0]
            why.conclude("nobody", part.rule, part.reference)
        return Answer(drop=cast, is_passed_on=cast is None)
    packet.cast = cast
    found: list[UdpEndpoint] = []
    rule, reference = "TCP is for two", "RFC 1122 4.2.3.10"
    if query.protocol is Proto.UDP:
        found = of.udp.group_receivers(packet, query.local.port, query.remote.port)
        rule, reference = f"every socket that hears this {cast.value} gets a copy", "Winsock, Using SO_REUSEADDR"
    if why is not None:
        for endpoint in found:
            if endpoint.local is not None:
                why.consider(_name_text(endpoint.local), "gets a copy", is_winner=True)
        why.conclude(
            f"{len(found)} sockets" if len(found) > 1 else "one socket" if found else "nobody", rule, reference
        )
    return Answer(receiver=found[0] if len(found) == 1 else None, receivers=tuple(found))


def _name_text(name: LocalName) -> str:
    where = "the wildcard" if name.address is None else address_text(name.address, name.zone)
    return f"{where} port {name.port}"


def question(query: Query) -> str:
    """`query` as a sentence, for the head of a decision."""
    match query:
        case PathQuery(destination, source, zone, interface):
            bound = f" from {address_text(source)}" if source else ""
            through = f" through interface {interface}" if interface else ""
            return f"path to {address_text(destination, zone)}{bound}{through}"
        case BindQuery(protocol, name):
            return f"bind {protocol.name} {_name_text(name)}"
        case OrderQuery(destinations):
            return f"order of {', '.join(map(address_text, destinations)) or 'nothing'}"
        case ArrivalQuery(protocol, local, remote):
            sender = f"{address_text(remote.address, remote.zone)} port {remote.port}"
            return f"{protocol.name} from {sender} to {address_text(local.address)} port {local.port}"
