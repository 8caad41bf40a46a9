"""Which names the datagrams of a socket have: from where its peer is fixed, and for one of them alone.

Read BIND-2 (deferred assignment) and RFC 3542 6 before editing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.net.path import needs_zone
from wsknet.transport.endpoint import meant, peer_zone
from wsknet.types import Cover, Endpoint, LocalName, family_of, is_link_local, is_multicast, is_unspecified

if TYPE_CHECKING:
    from wsknet.net.layer import IpLayer
    from wsknet.transport.datagram import DatagramEndpoint
    from wsknet.transport.endpoint import PacketInfo


def fix_peer(endpoint: DatagramEndpoint, ip: IpLayer, bound: LocalName, remote: Endpoint) -> tuple[LocalName, Endpoint]:
    """Our name and the peer's once `remote` is fixed for who is `bound`.  Raises as `UdpEndpoint.connect`."""
    behaviour = ip.config.behaviour
    if is_unspecified(remote.address):
        remote = meant(ip, bound, remote)
    address = remote.address
    zone = peer_zone(ip, bound, remote)
    peer = remote._replace(zone=zone if needs_zone(address) else 0)
    if not behaviour.udp_connect_commits_address and (zone or not is_link_local(address)):
        return bound, peer
    source = bound.address
    kept = endpoint.local if endpoint.remote is not None and behaviour.udp_reconnect_keeps_address else None
    if kept is not None and kept.cover.includes(family_of(address)):
        source, zone = kept.address, zone or kept.zone
    if is_multicast(address):
        zone = zone or endpoint.multicast.if_index or 0
    path = ip.path(address, source, zone, None, endpoint.unicast_interfaces[len(address)])
    if is_link_local(address):
        # What the peer sends will carry the zone of its link, and must be found under it.
        peer = peer._replace(zone=zone or path.zone)
    if not behaviour.udp_connect_commits_address:
        return bound, peer
    if path.is_broadcast and not endpoint.may_broadcast:
        raise NetError(ErrorKind.BROADCAST_DENIED, "SO_BROADCAST is off")
    if bound.address is not None:
        return bound, peer
    own_zone = path.zone if is_link_local(path.source) else 0
    return LocalName(Cover(family_of(address).value), path.source, bound.port, own_zone), peer


def name_with(ip: IpLayer, local: LocalName, to: Endpoint, info: PacketInfo) -> LocalName:
    """The name that a datagram to `to` has with the source of `info`.  Raises as `UdpEndpoint.send`."""
    if to.zone and needs_zone(to.address) and info.if_index not in (0, to.zone):
        raise NetError(ErrorKind.NO_ROUTE, f"the destination is on interface {to.zone}, asked for is {info.if_index}")
    address = info.address
    if address is None or address == local.address:
        return local
    family = family_of(address)
    if family is not family_of(to.address) or not local.cover.includes(family):
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "source, destination and local name differ in family")
    if local.address is not None and not ip.config.behaviour.packet_info_beats_name:
        raise LocalError(ErrorKind.INVALID_ARGUMENT, "the socket is bound to an address of its own")
    return LocalName(Cover(family), address, local.port, info.if_index if is_link_local(address) else 0)
