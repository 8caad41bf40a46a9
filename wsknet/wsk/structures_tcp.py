"""Structures of mstcpip.h and ws2ipdef.h about TCP, and the numbers that stand in them (x64)."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from enum import IntEnum
from struct import Struct
from typing import ClassVar, TypeVar

__all__ = [
    "ICMP_ERROR_INFO", "TCPSTATE", "TCP_ACK_FREQUENCY_PARAMETERS", "TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS",
    "TCP_INITIAL_RTO_DEFAULT_RTT", "TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS", "TCP_INITIAL_RTO_PARAMETERS",
    "TCP_INITIAL_RTO_UNSPECIFIED_MAX_SYN_RETRANSMISSIONS", "TCP_INITIAL_RTO_UNSPECIFIED_RTT",
    "TCP_OFFLOAD_NOT_PREFERRED", "TCP_OFFLOAD_NO_PREFERENCE", "TCP_OFFLOAD_PREFERRED", "TCP_INFO_v0",
    "tcp_keepalive",
]  # fmt: skip

TCP_OFFLOAD_NO_PREFERENCE = 0
TCP_OFFLOAD_NOT_PREFERRED = 1
TCP_OFFLOAD_PREFERRED = 2

TCP_INITIAL_RTO_UNSPECIFIED_RTT = 0xFFFF
TCP_INITIAL_RTO_UNSPECIFIED_MAX_SYN_RETRANSMISSIONS = 0xFF
TCP_INITIAL_RTO_DEFAULT_RTT = 0
TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS = 0
TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS = 0xFE

S = TypeVar("S", bound="TcpStructure")


class TcpStructure:
    """Its fields, in the order of memory."""

    __slots__ = ()
    LAYOUT: ClassVar[Struct]
    SIZE: ClassVar[int]

    @classmethod
    def cast(cls: type[S], memory: bytes | bytearray | memoryview) -> S:
        """What stands in `memory`, as it is now."""
        return cls(*cls.LAYOUT.unpack_from(memory))

    def __bytes__(self) -> bytes:
        return self.LAYOUT.pack(*astuple(self))  # type: ignore[call-overload]  # each of them is a dataclass


@dataclass(slots=True)
class tcp_keepalive(TcpStructure):
    """For SIO_KEEPALIVE_VALS; times in milliseconds."""

    LAYOUT: ClassVar[Struct] = Struct("<3I")
    SIZE: ClassVar[int] = 12

    onoff: int = 0
    keepalivetime: int = 0
    keepaliveinterval: int = 0


@dataclass(slots=True)
class TCP_INITIAL_RTO_PARAMETERS(TcpStructure):
    """`Rtt` in milliseconds."""

    LAYOUT: ClassVar[Struct] = Struct("<HBx")
    SIZE: ClassVar[int] = 4

    Rtt: int = TCP_INITIAL_RTO_DEFAULT_RTT
    MaxSynRetransmissions: int = TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS


@dataclass(slots=True)
class TCP_ACK_FREQUENCY_PARAMETERS(TcpStructure):
    LAYOUT: ClassVar[Struct] = Struct("<B")
    SIZE: ClassVar[int] = 1

    TcpDelayedAckFrequency: int = 0


@dataclass(slots=True)
class ICMP_ERROR_INFO(TcpStructure):
    """`srcaddress` is a SOCKADDR_INET: cast it to SOCKADDR_IN or SOCKADDR_IN6 by its first two bytes."""

    LAYOUT: ClassVar[Struct] = Struct("<28sIBBxx")
    SIZE: ClassVar[int] = 36

    srcaddress: bytearray = field(default_factory=lambda: bytearray(28))
    protocol: int = 0
    type: int = 0
    code: int = 0

    def __post_init__(self) -> None:
        self.srcaddress = bytearray(self.srcaddress).ljust(28, b"\0")


class TCPSTATE(IntEnum):
    TCPSTATE_CLOSED = 0
    TCPSTATE_LISTEN = 1
    TCPSTATE_SYN_SENT = 2
    TCPSTATE_SYN_RCVD = 3
    TCPSTATE_ESTABLISHED = 4
    TCPSTATE_FIN_WAIT_1 = 5
    TCPSTATE_FIN_WAIT_2 = 6
    TCPSTATE_CLOSE_WAIT = 7
    TCPSTATE_CLOSING = 8
    TCPSTATE_LAST_ACK = 9
    TCPSTATE_TIME_WAIT = 10


@dataclass(slots=True)
class TCP_INFO_v0(TcpStructure):
    """For SIO_TCP_INFO with version 0."""

    LAYOUT: ClassVar[Struct] = Struct("<IIQB3x7IQQ5IB3x")
    SIZE: ClassVar[int] = 88

    State: int = 0
    Mss: int = 0
    ConnectionTimeMs: int = 0
    TimestampsEnabled: int = 0
    RttUs: int = 0
    MinRttUs: int = 0
    BytesInFlight: int = 0
    Cwnd: int = 0
    SndWnd: int = 0
    RcvWnd: int = 0
    RcvBuf: int = 0
    BytesOut: int = 0
    BytesIn: int = 0
    BytesReordered: int = 0
    BytesRetrans: int = 0
    FastRetrans: int = 0
    DupAcksIn: int = 0
    TimeoutEpisodes: int = 0
    SynRetrans: int = 0
