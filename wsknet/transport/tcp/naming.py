"""The two ends of a connection, as connect and an incoming segment name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, NetError
from wsknet.transport.endpoint import meant, peer_zone
from wsknet.types import Cover, Endpoint, LocalName, family_of, is_link_local, is_multicast, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.net.layer import IpLayer
    from wsknet.net.packet import Packet, Path
    from wsknet.types import Address


def dial(ip: IpLayer, local: LocalName, remote: Endpoint, through: Mapping[int, int]) -> tuple[Endpoint, Path]:
    """The peer that `remote` means, with its zone, and the path to it.  Raises as `TcpEndpoint.connect`.

    `through` is the interface by address length, as `endpoint.ROUTING_DECIDES`.
    """
    address, port, _ = remote
    if port == 0 or is_multicast(address):
        raise NetError(ErrorKind.NOT_LOCAL, "neither port 0 nor a group can be a peer")
    if is_unspecified(address):
        address, port, _ = remote = meant(ip, local, remote)
    zone = peer_zone(ip, local, remote)
    path = ip.path(address, local.address, zone, None, through[len(address)])
    if path.is_broadcast:
        raise NetError(ErrorKind.NOT_LOCAL, "a broadcast address cannot be a peer")  # RFC 1122 4.2.3.10
    return Endpoint(address, port, path.zone if is_link_local(address) else 0), path


def ends(packet: Packet, local_port: int, remote_port: int) -> tuple[Endpoint, Endpoint]:
    """Our end as dialled, and the peer's; the zone only where the address needs it."""
    return (
        Endpoint(packet.destination, local_port, packet.zone if is_link_local(packet.destination) else 0),
        Endpoint(packet.source, remote_port, packet.zone if is_link_local(packet.source) else 0),
    )


def name_of(address: Address, port: int, zone: int) -> LocalName:
    """The name of one end, which covers no more than its family."""
    return LocalName(Cover(family_of(address).value), address, port, zone)
