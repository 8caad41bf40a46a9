"""Structures of winsock2.h, ws2spi.h and ws2san.h, with the C names of their members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wsknet.san.numbers import AF_INET, FD_MAX_EVENTS, IPPROTO_TCP, SOCK_STREAM
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.types import Buffer


class INT:
    """What an out parameter points to: `lpErrno = INT()`, afterwards `lpErrno.Value`.  Also a DWORD and a handle."""

    __slots__ = ("Value",)

    def __init__(self, Value: Any = 0) -> None:
        self.Value = Value

    def __repr__(self) -> str:
        return f"INT({self.Value!r})"


class WSABUF:
    """The first `len` bytes of `buf`, all of it unless told."""

    __slots__ = ("buf", "len")

    def __init__(self, buf: Buffer, length: int | None = None) -> None:
        self.buf = buf
        self.len = len(buf) if length is None else length

    @property
    def view(self) -> memoryview:
        return memoryview(self.buf)[: self.len]


class WSABUFEX(WSABUF):
    """With the handle that WSPRegisterMemory has given for the memory that holds it."""

    __slots__ = ("handle",)

    def __init__(self, buf: Buffer, handle: int, length: int | None = None) -> None:
        super().__init__(buf, length)
        self.handle = handle


class WSAOVERLAPPED:
    """One overlapped operation.  The provider keeps it until the operation is complete, and nobody else touches it.

    The lowest bit of `hEvent` is 1: the switch will ask WSPGetOverlappedResult; 0: it wants
    WPUCompleteOverlappedRequest (SAN-6.6.1).  `Internal` and `InternalHigh` belong to the provider: error and bytes.
    """

    __slots__ = ("Internal", "InternalHigh", "Offset", "OffsetHigh", "hEvent")

    def __init__(self, hEvent: Any = 0) -> None:
        self.Internal = 0
        self.InternalHigh = 0
        self.Offset = 0
        self.OffsetHigh = 0
        self.hEvent = hEvent


class WSADATA:
    """What WSAStartup tells; the members that Windows Sockets 2 does not use any more are left out."""

    __slots__ = ("szDescription", "szSystemStatus", "wHighVersion", "wVersion")

    def __init__(self) -> None:
        self.wVersion = 0
        self.wHighVersion = 0
        self.szDescription = ""
        self.szSystemStatus = ""


class TIMEVAL:
    """How long select may take: seconds and microseconds."""

    __slots__ = ("tv_sec", "tv_usec")

    def __init__(self, tv_sec: int = 0, tv_usec: int = 0) -> None:
        self.tv_sec = tv_sec
        self.tv_usec = tv_usec


class LINGER:
    """The value of SO_LINGER; `l_linger` in seconds."""

    __slots__ = ("l_linger", "l_onoff")

    def __init__(self, l_onoff: int = 0, l_linger: int = 0) -> None:
        self.l_onoff = l_onoff
        self.l_linger = l_linger


class WSANETWORKEVENTS:
    __slots__ = ("iErrorCode", "lNetworkEvents")

    def __init__(self) -> None:
        self.lNetworkEvents = 0
        self.iErrorCode = [0] * FD_MAX_EVENTS


class SOCKET_ADDRESS_LIST:
    """What SIO_ADDRESS_LIST_QUERY fills; ports are 0."""

    __slots__ = ("Address", "iAddressCount")
    COUNT_SIZE = 4
    """iAddressCount; what lies between it and the first SOCKET_ADDRESS is not counted."""
    ENTRY_SIZE = 24
    """A SOCKET_ADDRESS with 32-bit pointers, and the sockaddr_in that it points to."""

    @classmethod
    def size_of(cls, count: int) -> int:
        """Bytes of a list of so many addresses."""
        return cls.COUNT_SIZE + cls.ENTRY_SIZE * count

    def __init__(self) -> None:
        self.iAddressCount = 0
        self.Address: list[SOCKADDR_IN] = []

    def assign(self, addresses: list[SOCKADDR_IN]) -> None:
        self.Address = addresses
        self.iAddressCount = len(addresses)


class WSAPROTOCOL_INFOW:
    """A row of the Winsock catalogue; members that have no meaning here are left out."""

    __slots__ = ("ProviderId", "dwCatalogEntryId", "dwMessageSize", "dwProviderFlags", "dwServiceFlags1",
                 "dwServiceFlags2", "iAddressFamily", "iProtocol", "iSocketType", "iVersion", "szProtocol")  # fmt: skip

    def __init__(self, szProtocol: str = "", ProviderId: bytes = bytes(16)) -> None:
        self.szProtocol = szProtocol
        self.ProviderId = ProviderId
        self.dwCatalogEntryId = 0
        self.dwServiceFlags1 = 0
        self.dwServiceFlags2 = 0
        """Of a duplicated socket: what the provider needs to find it again."""
        self.dwProviderFlags = 0
        self.iVersion = 2
        self.iAddressFamily = AF_INET
        self.iSocketType = SOCK_STREAM
        self.iProtocol = IPPROTO_TCP
        self.dwMessageSize = 0

    def assign(self, other: WSAPROTOCOL_INFOW) -> None:
        """Take over all members."""
        for member in self.__slots__:
            setattr(self, member, getattr(other, member))


class WSPDATA:
    __slots__ = ("szDescription", "wHighVersion", "wVersion")

    def __init__(self) -> None:
        self.wVersion = 0
        self.wHighVersion = 0
        self.szDescription = ""


class _Table:
    """Members that nobody has filled are NULL."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, **members: Callable[..., Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, members.pop(name, None))
        if members:
            raise TypeError(f"{type(self).__name__} has no {', '.join(members)}")


class WSPUPCALLTABLEEX(_Table):
    """What the switch gives to a provider (ws2san.h).  Each member takes the arguments of ws2spi.h."""

    __slots__ = (
        "lpWPUCloseEvent", "lpWPUCloseSocketHandle", "lpWPUCreateEvent", "lpWPUCreateSocketHandle", "lpWPUFDIsSet",
        "lpWPUGetProviderPath", "lpWPUModifyIFSHandle", "lpWPUPostMessage", "lpWPUQueryBlockingCallback",
        "lpWPUQuerySocketHandleContext", "lpWPUQueueApc", "lpWPUResetEvent", "lpWPUSetEvent",
        "lpWPUOpenCurrentThread", "lpWPUCloseThread", "lpWPUCompleteOverlappedRequest",
    )  # fmt: skip
    lpWPUCloseSocketHandle: Callable[..., int]
    lpWPUCreateSocketHandle: Callable[..., int]
    lpWPUQuerySocketHandleContext: Callable[..., int]
    lpWPUCompleteOverlappedRequest: Callable[..., int]


class WSPPROC_TABLE(_Table):
    """The thirty functions of a service provider (ws2spi.h)."""

    __slots__ = (
        "lpWSPAccept", "lpWSPAddressToString", "lpWSPAsyncSelect", "lpWSPBind", "lpWSPCancelBlockingCall",
        "lpWSPCleanup", "lpWSPCloseSocket", "lpWSPConnect", "lpWSPDuplicateSocket", "lpWSPEnumNetworkEvents",
        "lpWSPEventSelect", "lpWSPGetOverlappedResult", "lpWSPGetPeerName", "lpWSPGetSockName", "lpWSPGetSockOpt",
        "lpWSPGetQOSByName", "lpWSPIoctl", "lpWSPJoinLeaf", "lpWSPListen", "lpWSPRecv", "lpWSPRecvDisconnect",
        "lpWSPRecvFrom", "lpWSPSelect", "lpWSPSend", "lpWSPSendDisconnect", "lpWSPSendTo", "lpWSPSetSockOpt",
        "lpWSPShutdown", "lpWSPSocket", "lpWSPStringToAddress",
    )  # fmt: skip
    lpWSPAccept: Callable[..., int]
    lpWSPBind: Callable[..., int]
    lpWSPCleanup: Callable[..., int]
    lpWSPCloseSocket: Callable[..., int]
    lpWSPConnect: Callable[..., int]
    lpWSPDuplicateSocket: Callable[..., int]
    lpWSPEnumNetworkEvents: Callable[..., int]
    lpWSPEventSelect: Callable[..., int]
    lpWSPGetOverlappedResult: Callable[..., bool]
    lpWSPGetPeerName: Callable[..., int]
    lpWSPGetSockName: Callable[..., int]
    lpWSPGetSockOpt: Callable[..., int]
    lpWSPGetQOSByName: Callable[..., bool]
    lpWSPIoctl: Callable[..., int]
    lpWSPListen: Callable[..., int]
    lpWSPRecv: Callable[..., int]
    lpWSPRecvDisconnect: Callable[..., int]
    lpWSPRecvFrom: Callable[..., int]
    lpWSPSelect: Callable[..., int]
    lpWSPSend: Callable[..., int]
    lpWSPSendDisconnect: Callable[..., int]
    lpWSPSendTo: Callable[..., int]
    lpWSPSetSockOpt: Callable[..., int]
    lpWSPShutdown: Callable[..., int]
    lpWSPSocket: Callable[..., int]
