"""Structures of ws2ipdef.h for options and control messages of IPPROTO_IP and IPPROTO_IPV6."""

from __future__ import annotations

from struct import Struct
from typing import Any, ClassVar

from wsknet.wsk.structures import IN6_PKTINFO, IN_PKTINFO

__all__ = [
    "IN6_PKTINFO_EX", "IN_PKTINFO_EX", "IN_RECVERR", "RSS_SCALABILITY_INFO", "group_req", "group_source_req",
]  # fmt: skip

STORAGE_SIZE = 128
"""Of a SOCKADDR_STORAGE, which begins at a multiple of 8."""
_INDEX_SIZE = 8

_recverr = Struct("<iIBB2x")


def _storage(address: Any) -> bytes:
    return bytes(address)[:STORAGE_SIZE].ljust(STORAGE_SIZE, b"\0")


class group_req:
    """`gr_group` is a SOCKADDR of either family; interface 0 leaves the choice to the stack."""

    __slots__ = ("gr_group", "gr_interface")
    SIZE: ClassVar[int] = _INDEX_SIZE + STORAGE_SIZE

    def __init__(self, gr_interface: int = 0, gr_group: Any = b"") -> None:
        self.gr_interface = gr_interface
        self.gr_group = gr_group

    def __bytes__(self) -> bytes:
        return self.gr_interface.to_bytes(_INDEX_SIZE, "little") + _storage(self.gr_group)


class group_source_req:
    __slots__ = ("gsr_group", "gsr_interface", "gsr_source")
    SIZE: ClassVar[int] = _INDEX_SIZE + 2 * STORAGE_SIZE

    def __init__(self, gsr_interface: int = 0, gsr_group: Any = b"", gsr_source: Any = b"") -> None:
        self.gsr_interface = gsr_interface
        self.gsr_group = gsr_group
        self.gsr_source = gsr_source

    def __bytes__(self) -> bytes:
        index = self.gsr_interface.to_bytes(_INDEX_SIZE, "little")
        return index + _storage(self.gsr_group) + _storage(self.gsr_source)


class IN_PKTINFO_EX:
    """`scope_id` is the Value of a SCOPE_ID: the zone of `pkt_info`, 0 where that means nothing."""

    __slots__ = ("pkt_info", "scope_id")
    SIZE: ClassVar[int] = 12

    def __init__(self, pkt_info: IN_PKTINFO | None = None, scope_id: int = 0) -> None:
        self.pkt_info = IN_PKTINFO() if pkt_info is None else pkt_info
        self.scope_id = scope_id

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> IN_PKTINFO_EX:
        """What stands in `memory`, as it is now."""
        return cls(IN_PKTINFO.cast(memory), int.from_bytes(memory[cls.SIZE - 4 : cls.SIZE], "little"))

    def __bytes__(self) -> bytes:
        return bytes(self.pkt_info) + self.scope_id.to_bytes(4, "little")


class IN6_PKTINFO_EX:
    __slots__ = ("pkt_info", "scope_id")
    SIZE: ClassVar[int] = 24

    def __init__(self, pkt_info: IN6_PKTINFO | None = None, scope_id: int = 0) -> None:
        self.pkt_info = IN6_PKTINFO() if pkt_info is None else pkt_info
        self.scope_id = scope_id

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> IN6_PKTINFO_EX:
        """What stands in `memory`, as it is now."""
        return cls(IN6_PKTINFO.cast(memory), int.from_bytes(memory[cls.SIZE - 4 : cls.SIZE], "little"))

    def __bytes__(self) -> bytes:
        return bytes(self.pkt_info) + self.scope_id.to_bytes(4, "little")


class IN_RECVERR:
    """An ICMP error: `protocol` is IPPROTO_ICMP or IPPROTO_ICMPV6, `info` the MTU of a packet too big."""

    __slots__ = ("code", "info", "protocol", "type")
    SIZE: ClassVar[int] = _recverr.size

    def __init__(self, protocol: int = 0, info: int = 0, type: int = 0, code: int = 0) -> None:  # noqa: A002
        self.protocol = protocol
        self.info = info
        self.type = type
        self.code = code

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> IN_RECVERR:
        """What stands in `memory`, as it is now."""
        return cls(*_recverr.unpack_from(memory))

    def __bytes__(self) -> bytes:
        return _recverr.pack(self.protocol, self.info, self.type, self.code)


class RSS_SCALABILITY_INFO:
    """What SIO_QUERY_RSS_SCALABILITY_INFO answers: whether interfaces have receive side scaling."""

    __slots__ = ("RssEnabled",)
    SIZE: ClassVar[int] = 1

    def __init__(self, RssEnabled: int = 0) -> None:
        self.RssEnabled = RssEnabled
