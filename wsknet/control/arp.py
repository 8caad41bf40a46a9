"""ARP for IPv4 over Ethernet: RFC 826, RFC 5227 (probes: sender address zero), RFC 5494."""

from __future__ import annotations

from scapy.layers.l2 import ARP

from wsknet.control.fields import address_bytes, address_text, mac_bytes, mac_text
from wsknet.net.messages.neighbours import ArpMessage, ArpOperation
from wsknet.trace import DropReason

MESSAGE_LENGTH = 28

_ETHERNET_IPV4 = bytes.fromhex("0001 0800 06 04")
"""Hardware type, protocol type and the two address lengths: the only combination there is here."""

_OPERATIONS = tuple(ArpOperation)


def decode(payload: bytes) -> ArpMessage | DropReason:
    message = payload[:MESSAGE_LENGTH]
    if len(message) < MESSAGE_LENGTH or not message.startswith(_ETHERNET_IPV4):
        return DropReason.ARP_MALFORMED
    packet = ARP(message)
    sender_mac = mac_bytes(packet.hwsrc)
    # RFC 1812 3.3.2: nobody's own address is a group address; to believe one would send unicast to everybody.
    if packet.op not in _OPERATIONS or sender_mac[0] & 1:
        return DropReason.ARP_MALFORMED
    return ArpMessage(
        operation=ArpOperation(packet.op),
        sender_mac=sender_mac,
        sender_address=address_bytes(packet.psrc),
        target_mac=mac_bytes(packet.hwdst),
        target_address=address_bytes(packet.pdst),
    )


def encode(message: ArpMessage) -> bytes:
    return bytes(
        ARP(
            hwtype=1,
            ptype=0x0800,
            hwlen=6,
            plen=4,
            op=int(message.operation),
            hwsrc=mac_text(message.sender_mac),
            psrc=address_text(message.sender_address),
            hwdst=mac_text(message.target_mac),
            pdst=address_text(message.target_address),
        )
    )
