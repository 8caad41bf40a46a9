"""Options of scenarios in the terms of WskControlSocket, and control information of datagrams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wsknet.scenario.world import Failed
from wsknet.types import Address, Cover
from wsknet.wsk import (
    CMSG_LEN,
    CMSG_SPACE,
    CMSGHDR,
    IN6_PKTINFO,
    IN_PKTINFO,
    IP_ADD_IFLIST,
    IP_IFLIST,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_PKTINFO,
    IP_RECEIVE_BROADCAST,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_IFLIST,
    IPV6_IFLIST,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_PKTINFO,
    IPV6_UNICAST_IF,
    IPV6_V6ONLY,
    SO_BROADCAST,
    SO_DONTROUTE,
    SO_EXCLUSIVEADDRUSE,
    SO_PORT_SCALABILITY,
    SO_RANDOMIZE_PORT,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SOL_SOCKET,
    WSA_CMSG_DATA,
    WSA_CMSG_FIRSTHDR,
    WSABUF,
    WSAMSG,
)

Value = bool | int | str

SWITCHES = {
    "reuse": (SOL_SOCKET, SO_REUSEADDR),
    "exclusive": (SOL_SOCKET, SO_EXCLUSIVEADDRUSE),
    "v6only": (IPPROTO_IPV6, IPV6_V6ONLY),
    "broadcast": (SOL_SOCKET, SO_BROADCAST),
    "randomize-port": (SOL_SOCKET, SO_RANDOMIZE_PORT),
    "port-scalability": (SOL_SOCKET, SO_PORT_SCALABILITY),
    "reuse-unicastport": (SOL_SOCKET, SO_REUSE_UNICASTPORT),
    "dont-route": (SOL_SOCKET, SO_DONTROUTE),
    "receive-broadcast": (IPPROTO_IP, IP_RECEIVE_BROADCAST),
}
"""Level and option of what is on or off."""


class _OfFamilies(NamedTuple):
    """An option that exists once for each family; a dual-stack socket has both."""

    four: int
    six: int


SWITCHES_OF_FAMILIES = {
    "packet-info": _OfFamilies(IP_PKTINFO, IPV6_PKTINFO),
    "multicast-loop": _OfFamilies(IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP),
}
INTERFACES = {
    "unicast-if": _OfFamilies(IP_UNICAST_IF, IPV6_UNICAST_IF),
    "multicast-if": _OfFamilies(IP_MULTICAST_IF, IPV6_MULTICAST_IF),
}

Setting = tuple[int, int, int]
"""Level, option and ULONG."""


def settings(name: str, value: Value, cover: Cover, index_of: Callable[[str], int]) -> list[Setting]:
    """What is to be set, in this order.  Raises `Failed`."""
    if name in INTERFACES:
        return _interface(INTERFACES[name], value, cover, index_of)
    if name == "interface-list":
        return _interface_list(str(value), cover, index_of)
    if name in SWITCHES:
        keys = [SWITCHES[name]]
    elif name in SWITCHES_OF_FAMILIES:
        keys = _levels(SWITCHES_OF_FAMILIES[name], cover)
    else:
        raise Failed("no-such-option", f"WSK has no option {name}")
    if isinstance(value, str):
        raise Failed("invalid", f"{name} is true or false, not {value!r}")
    return [(*key, int(value)) for key in keys]


def _levels(option: _OfFamilies, cover: Cover) -> list[tuple[int, int]]:
    four, six = (IPPROTO_IP, option.four), (IPPROTO_IPV6, option.six)
    return {Cover.IPV4: [four], Cover.IPV6: [six], Cover.DUAL: [four, six]}[cover]


def _interface(option: _OfFamilies, value: Value, cover: Cover, index_of: Callable[[str], int]) -> list[Setting]:
    levels = _levels(option, cover)
    if not isinstance(value, str):
        return [(*levels[-1], int(value))]  # as it was given, for the family that the socket is of
    index = index_of(value)
    return [(level, code, _in_network_order(index) if level == IPPROTO_IP else index) for level, code in levels]


def _in_network_order(index: int) -> int:
    """IPv4 takes a number as the address 0.x.x.x."""
    return int.from_bytes(index.to_bytes(4, "big"), "little")


def _interface_list(names: str, cover: Cover, index_of: Callable[[str], int]) -> list[Setting]:
    found: list[Setting] = [(*key, 1) for key in _levels(_OfFamilies(IP_IFLIST, IPV6_IFLIST), cover)]
    for name in filter(None, names.replace(" ", "").split(",")):
        index = index_of(name)
        found += [(*key, index) for key in _levels(_OfFamilies(IP_ADD_IFLIST, IPV6_ADD_IFLIST), cover)]
    return found


# Control information

CONTROL_ROOM = 256
"""Bytes for the messages of one datagram; packet information takes 40 at most."""


def packet_info(is_ipv4: bool, source: Address | None, index: int) -> bytearray:
    """One message that tells source and interface of a datagram to an IPv4 or IPv6 destination."""
    info: IN_PKTINFO | IN6_PKTINFO
    if is_ipv4:
        level, kind, info = IPPROTO_IP, IP_PKTINFO, IN_PKTINFO(source or bytes(4), index)
    else:
        level, kind, info = IPPROTO_IPV6, IPV6_PKTINFO, IN6_PKTINFO(source or bytes(16), index)
    memory = bytearray(CMSG_SPACE(info.SIZE))
    header = CMSGHDR.cast(memory)
    header.cmsg_len, header.cmsg_level, header.cmsg_type = CMSG_LEN(info.SIZE), level, kind
    WSA_CMSG_DATA(header)[:] = bytes(info)
    return memory


def read_packet_info(control: bytearray, length: int) -> tuple[Address, int] | None:
    """Destination and interface number that came with a datagram; `None` if it brought none."""
    message: Any = WSA_CMSG_FIRSTHDR(WSAMSG(Control=WSABUF(length, control)))
    if message is None or message.cmsg_type not in (IP_PKTINFO, IPV6_PKTINFO):
        return None
    data = bytes(WSA_CMSG_DATA(message))
    return data[:-4], int.from_bytes(data[-4:], "little")
