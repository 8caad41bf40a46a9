"""DHCP messages in UDP and IP, before there is an address to send from: RFC 2131 4.1, RFC 768."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import NetError
from wsknet.net.well_known import LIMITED_BROADCAST
from wsknet.trace import DropReason
from wsknet.types import Address, Instant, Proto
from wsknet.wire import udp
from wsknet.wire.checksum import pseudo_sum, transport_is_valid
from wsknet.wire.ethernet import BROADCAST_MAC

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer
    from wsknet.net.messages.dhcp import DhcpMessage

CLIENT_PORT = 68
SERVER_PORT = 67


class DhcpTransport:
    """What one client sends.  `comment` is for captures."""

    def __init__(self, ip: IpLayer, interface: Interface) -> None:
        self._ip = ip
        self._interface = interface

    def broadcast(self, message: DhcpMessage, comment: str) -> None:
        """To every server on the link, from the address that the message gives as the client's (0.0.0.0 for none)."""
        payload = self._ip.codec.encode_dhcp(message)
        source = message.client_address
        datagram = _header(source, LIMITED_BROADCAST, payload) + payload
        hop_limit = self._ip.config.behaviour.hop_limit
        header = self._ip.output.datagram_header(source, LIMITED_BROADCAST, Proto.UDP, len(datagram), hop_limit)
        self._ip.output.emit_packet(self._interface, BROADCAST_MAC, header + datagram, comment)

    def unicast(self, message: DhcpMessage, server: Address, now: Instant, comment: str) -> None:
        """To one server, by the routes and neighbours of any other packet; dropped as NO_ROUTE if there is no way."""
        payload = self._ip.codec.encode_dhcp(message)
        try:
            path = self._ip.path(server, message.client_address, self._interface.index)
            path.comment = comment
            header = _header(path.source, server, payload)
            self._ip.send(path, Proto.UDP, header, (payload,), now)
        except NetError:
            self._ip.trace.drop(DropReason.NO_ROUTE, payload)


def is_for_client(datagram: bytes) -> bool:
    return int.from_bytes(datagram[2:4], "big") == CLIENT_PORT


def payload_of(source: Address, destination: Address, datagram: bytes, checksum_trusted: bool) -> bytes | DropReason:
    """`datagram` is the payload of the IP packet."""
    fields = udp.parse(datagram)
    if isinstance(fields, DropReason):
        return fields
    _, _, length, checksum = fields
    datagram = datagram[:length]
    is_checked = checksum_trusted or checksum == udp.NO_CHECKSUM
    if not is_checked and not transport_is_valid(pseudo_sum(source, destination, Proto.UDP), datagram):
        return DropReason.UDP_BAD_CHECKSUM
    return datagram[udp.HEADER_LENGTH :]


def _header(source: Address, destination: Address, payload: bytes) -> bytes:
    pseudo = pseudo_sum(source, destination, Proto.UDP)
    checksum = udp.checksum(pseudo, CLIENT_PORT, SERVER_PORT, (payload,))
    return udp.build(CLIENT_PORT, SERVER_PORT, len(payload), checksum)
