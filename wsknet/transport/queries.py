"""The questions a person may ask, answered by the functions that decide.

`decide(query, why)` runs a decision without effect: bare if `why` is `None`, else recording every candidate.  There is
no second implementation that could explain something other than what happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from wsknet.errors import NetError
from wsknet.net.wording import address_text
from wsknet.trace import Decision
from wsknet.transport.ports import ANYONE
from wsknet.transport.sharing import Holder, Security, Sharing
from wsknet.types import Address, Endpoint, LocalName, Proto

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Path
    from wsknet.transport.tcp.protocol import TcpProtocol
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


@dataclass(frozen=True)
class ArrivalQuery:
    """Which socket would get a unicast packet from `remote` to `local`?"""

    protocol: Proto
    local: Endpoint
    remote: Endpoint


Query = PathQuery | BindQuery | ArrivalQuery


@dataclass(frozen=True)
class Answer:
    """`error` is what the operation would fail with; else `path`, `name` or `receiver` tells the outcome."""

    error: NetError | None = None
    path: Path | None = None
    name: LocalName | None = None
    receiver: object | None = None


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
            case ArrivalQuery(protocol, local, remote):
                protocol_demux = of.tcp.demux if protocol is Proto.TCP else of.udp.demux
                zone = local.zone or remote.zone
                found = protocol_demux.find(local.address, local.port, remote.address, remote.port, zone, why)
                return Answer(receiver=found)
    except NetError as error:
        if why is not None and not why.answer:
            why.conclude(error.kind.value, error.detail)
        return Answer(error=error)


def _decide_bind(of: Deciders, query: BindQuery, why: Decision | None) -> Answer:
    name = query.name
    if name.address is not None:
        name = name._replace(zone=of.ip.bindable(name.address, name.zone, why))
    ports = of.tcp.ports if query.protocol is Proto.TCP else of.udp.ports
    ports.check(Holder(name, query.sharing, query.security), why)
    return Answer(name=name)


def question(query: Query) -> str:
    """`query` as a sentence, for the head of a decision."""
    match query:
        case PathQuery(destination, source, zone, interface):
            bound = f" from {address_text(source)}" if source else ""
            through = f" through interface {interface}" if interface else ""
            return f"path to {address_text(destination, zone)}{bound}{through}"
        case BindQuery(protocol, name):
            where = "the wildcard" if name.address is None else address_text(name.address, name.zone)
            return f"bind {protocol.name} {where} port {name.port}"
        case ArrivalQuery(protocol, local, remote):
            sender = f"{address_text(remote.address, remote.zone)} port {remote.port}"
            return f"{protocol.name} from {sender} to {address_text(local.address)} port {local.port}"
