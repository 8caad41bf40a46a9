"""Packed bytes to what Scapy's fields take, and back."""

from __future__ import annotations

from socket import AF_INET, AF_INET6

from scapy.pton_ntop import inet_ntop, inet_pton
from scapy.utils import mac2str, str2mac

from wsknet.types import Address, Mac


def mac_text(mac: Mac) -> str:
    return str(str2mac(mac))


def mac_bytes(text: str) -> Mac:
    return bytes(mac2str(text))


def address_text(address: Address) -> str:
    return str(inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address))


def address_bytes(text: str) -> Address:
    return bytes(inet_pton(AF_INET6 if ":" in text else AF_INET, text))
