"""The hosts of the machine: their names in both families, and the ports that its programs like to use."""

from __future__ import annotations

from random import Random
from typing import Any

from wsknet import text
from wsknet.wsk import AF_INET, AF_INET6, simple

ADDRESSES = {"near": {AF_INET: "192.0.2.1", AF_INET6: "2001:db8::1"},
             "far": {AF_INET: "192.0.2.2", AF_INET6: "2001:db8::2"}}  # fmt: skip
WILDCARD = {AF_INET: "0.0.0.0", AF_INET6: "::"}
LOOPBACK = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
PORTS = (80, 81, 82)
"""Few, so that programs meet."""
OTHER = {"near": "far", "far": "near"}


def local_address(host: str, family: int, dice: Random, ports: tuple[int, ...]) -> Any:
    where = dice.choice((WILDCARD[family], WILDCARD[family], ADDRESSES[host][family]))
    return simple.address(where, dice.choice(ports))


def remote_address(host: str, family: int, dice: Random, ports: tuple[int, ...] = PORTS) -> Any:
    """Mostly of the other host."""
    where = dice.choice((ADDRESSES[OTHER[host]][family],) * 5 + (ADDRESSES[host][family], LOOPBACK[family]))
    return simple.address(where, dice.choice(ports))


def host_and_port(own: str, sockaddr: Any) -> tuple[str, int]:
    """Whose address a socket of `own` sees."""
    raw = bytes(sockaddr)
    is_ipv4 = raw[0] == AF_INET
    octets = raw[4:8] if is_ipv4 else raw[8:24]
    if octets[:12] == bytes(10) + b"\xff\xff":
        octets = octets[12:]
    port = raw[2] << 8 | raw[3]
    for host, names in ADDRESSES.items():
        if octets in map(text.parse_address, names.values()):
            return host, port
    return own, port
