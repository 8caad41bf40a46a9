"""The structures of wsk.h and their neighbours, with the C field names in the C order.

`SIZE` is sizeof on x64.  A pointer is a reference, NULL is `None`; an out parameter that is a plain variable in C is a
one-element list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from wsknet.wsk.constants import AF_INET
from wsknet.wsk.sockaddr import IN6_ADDR, IN_ADDR, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6

if TYPE_CHECKING:
    from wsknet.wsk.mdl import MDL

__all__ = [
    "EPROCESS", "GUID", "IN6_PKTINFO", "IN_PKTINFO", "IO_STATUS_BLOCK", "NPI_WSK_INTERFACE_ID",
    "SECURITY_DESCRIPTOR", "SOCKET_ADDRESS", "SOCKET_ADDRESS_LIST", "WSABUF", "WSAMSG", "WSK_BUF",
    "WSK_BUF_LIST", "WSK_CLIENT_DISPATCH", "WSK_CLIENT_NPI", "WSK_DATAGRAM_INDICATION", "WSK_DATA_INDICATION",
    "WSK_EVENT_CALLBACK_CONTROL", "WSK_EXTENSION_CONTROL_IN", "WSK_EXTENSION_CONTROL_OUT", "WSK_INSPECT_ID",
    "WSK_PROVIDER_CHARACTERISTICS", "WSK_PROVIDER_NPI", "WSK_REGISTRATION", "WSK_SOCKET",
    "ip_mreq", "ip_mreq_source", "ipv6_mreq",
]  # fmt: skip


class GUID:
    """Compared by value."""

    __slots__ = ("Data1", "Data2", "Data3", "Data4")
    SIZE: ClassVar[int] = 16

    def __init__(self, Data1: int = 0, Data2: int = 0, Data3: int = 0, Data4: bytes = bytes(8)) -> None:
        self.Data1 = Data1
        self.Data2 = Data2
        self.Data3 = Data3
        self.Data4 = Data4

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GUID):
            return NotImplemented
        return (self.Data1, self.Data2, self.Data3, self.Data4) == (other.Data1, other.Data2, other.Data3, other.Data4)

    def __hash__(self) -> int:
        return hash((self.Data1, self.Data2, self.Data3, self.Data4))

    def __repr__(self) -> str:
        tail = self.Data4.hex().upper()
        return f"{{{self.Data1:08X}-{self.Data2:04X}-{self.Data3:04X}-{tail[:4]}-{tail[4:]}}}"


NPI_WSK_INTERFACE_ID = GUID(0x2227E803, 0x8D8B, 0x11D4, bytes.fromhex("ABAD009027719E09"))


class IO_STATUS_BLOCK:
    __slots__ = ("Information", "Status")
    SIZE: ClassVar[int] = 16

    def __init__(self, Status: int = 0, Information: Any = 0) -> None:
        self.Status: Any = Status
        """An NTSTATUS; final once the IRP has completed."""
        self.Information = Information
        """A byte count or the new WSK_SOCKET, by function (WSK-2.4)."""


class WSK_SOCKET:
    """What the subsystem hands out; everything else goes through `Dispatch`."""

    __slots__ = ("Dispatch",)
    SIZE: ClassVar[int] = 8

    def __init__(self, Dispatch: Any) -> None:
        self.Dispatch: Any = Dispatch
        """The provider dispatch table of the socket's category."""


class WSK_CLIENT_DISPATCH:
    __slots__ = ("Reserved", "Version", "WskClientEvent")
    SIZE: ClassVar[int] = 16

    def __init__(
        self, Version: int = 0x0100, Reserved: int = 0, WskClientEvent: Callable[..., int] | None = None
    ) -> None:
        self.Version = Version
        self.Reserved = Reserved
        self.WskClientEvent = WskClientEvent


class WSK_CLIENT_NPI:
    __slots__ = ("ClientContext", "Dispatch")
    SIZE: ClassVar[int] = 16

    def __init__(self, ClientContext: Any = None, Dispatch: WSK_CLIENT_DISPATCH | None = None) -> None:
        self.ClientContext = ClientContext
        self.Dispatch = Dispatch


class WSK_PROVIDER_NPI:
    """Filled by WskCaptureProviderNPI."""

    __slots__ = ("Client", "Dispatch")
    SIZE: ClassVar[int] = 16

    def __init__(self, Client: Any = None, Dispatch: Any = None) -> None:
        self.Client = Client
        self.Dispatch = Dispatch


class WSK_REGISTRATION:
    """Belongs to the subsystem from WskRegister until the last registration call that names it has returned."""

    __slots__ = ("ReservedRegistrationContext", "ReservedRegistrationLock", "ReservedRegistrationState")
    SIZE: ClassVar[int] = 24

    def __init__(self) -> None:
        self.ReservedRegistrationState = 0
        self.ReservedRegistrationContext: Any = None
        self.ReservedRegistrationLock: Any = None


class WSK_PROVIDER_CHARACTERISTICS:
    __slots__ = ("HighestVersion", "LowestVersion")
    SIZE: ClassVar[int] = 4

    def __init__(self, HighestVersion: int = 0, LowestVersion: int = 0) -> None:
        self.HighestVersion = HighestVersion
        self.LowestVersion = LowestVersion


class WSK_BUF:
    """`Length` bytes of an MDL chain from `Offset`, which must lie inside the first MDL.

    `Mdl` may be NULL when `Length` is 0.  The structure itself is read during the call only; the memory behind it
    belongs to the request until its IRP has completed.
    """

    __slots__ = ("Length", "Mdl", "Offset")
    SIZE: ClassVar[int] = 24

    def __init__(self, Mdl: MDL | None = None, Offset: int = 0, Length: int = 0) -> None:
        self.Mdl = Mdl
        self.Offset = Offset
        self.Length = Length


class WSK_BUF_LIST:
    """One element per datagram of WskSendMessages."""

    __slots__ = ("Buffer", "Next")
    SIZE: ClassVar[int] = 32

    def __init__(self, Next: WSK_BUF_LIST | None = None, Buffer: WSK_BUF | None = None) -> None:
        self.Next = Next
        self.Buffer = WSK_BUF() if Buffer is None else Buffer


class WSK_DATA_INDICATION:
    __slots__ = ("Buffer", "Next", "_holder")
    SIZE: ClassVar[int] = 32

    def __init__(self, Next: WSK_DATA_INDICATION | None = None, Buffer: WSK_BUF | None = None) -> None:
        self.Next = Next
        self.Buffer = WSK_BUF() if Buffer is None else Buffer
        self._holder: WSK_SOCKET | None = None
        """The socket to which a retained element has to be released."""


class WSK_DATAGRAM_INDICATION:
    __slots__ = ("Buffer", "ControlInfo", "ControlInfoLength", "Next", "RemoteAddress", "_holder")
    SIZE: ClassVar[int] = 56

    def __init__(
        self,
        Next: WSK_DATAGRAM_INDICATION | None = None,
        Buffer: WSK_BUF | None = None,
        ControlInfo: Any = None,
        ControlInfoLength: int = 0,
        RemoteAddress: SOCKADDR | None = None,
    ) -> None:
        self.Next = Next
        self.Buffer = WSK_BUF() if Buffer is None else Buffer
        self.ControlInfo = ControlInfo
        self.ControlInfoLength = ControlInfoLength
        self.RemoteAddress = RemoteAddress
        self._holder: WSK_SOCKET | None = None


class WSK_INSPECT_ID:
    """Compared by value: it is the contents that identify a connection request."""

    __slots__ = ("Key", "SerialNumber")
    SIZE: ClassVar[int] = 16

    def __init__(self, Key: int = 0, SerialNumber: int = 0) -> None:
        self.Key = Key
        self.SerialNumber = SerialNumber

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WSK_INSPECT_ID):
            return NotImplemented
        return self.Key == other.Key and self.SerialNumber == other.SerialNumber

    def __hash__(self) -> int:
        return hash((self.Key, self.SerialNumber))


class WSK_EVENT_CALLBACK_CONTROL:
    __slots__ = ("EventMask", "NpiId")
    SIZE: ClassVar[int] = 16

    def __init__(self, NpiId: GUID | None = None, EventMask: int = 0) -> None:
        self.NpiId = NpiId
        self.EventMask = EventMask


class WSK_EXTENSION_CONTROL_IN:
    __slots__ = ("ClientContext", "ClientDispatch", "NpiId")
    SIZE: ClassVar[int] = 24

    def __init__(self, NpiId: GUID | None = None, ClientContext: Any = None, ClientDispatch: Any = None) -> None:
        self.NpiId = NpiId
        self.ClientContext = ClientContext
        self.ClientDispatch = ClientDispatch


class WSK_EXTENSION_CONTROL_OUT:
    __slots__ = ("ProviderContext", "ProviderDispatch")
    SIZE: ClassVar[int] = 16

    def __init__(self, ProviderContext: Any = None, ProviderDispatch: Any = None) -> None:
        self.ProviderContext = ProviderContext
        self.ProviderDispatch = ProviderDispatch


class ip_mreq:
    """Addresses are four bytes in network order, or an IN_ADDR.

    `imr_interface` is an address of the interface, or 0.x.x.x with its number; 0.0.0.0 leaves the choice to the stack.
    """

    __slots__ = ("imr_interface", "imr_multiaddr")
    SIZE: ClassVar[int] = 8

    def __init__(self, imr_multiaddr: Any = bytes(4), imr_interface: Any = bytes(4)) -> None:
        self.imr_multiaddr = imr_multiaddr
        self.imr_interface = imr_interface

    def __bytes__(self) -> bytes:
        return bytes(self.imr_multiaddr) + bytes(self.imr_interface)


class ip_mreq_source:
    """Other systems have the last two fields the other way round."""

    __slots__ = ("imr_interface", "imr_multiaddr", "imr_sourceaddr")
    SIZE: ClassVar[int] = 12

    def __init__(
        self, imr_multiaddr: Any = bytes(4), imr_sourceaddr: Any = bytes(4), imr_interface: Any = bytes(4)
    ) -> None:
        self.imr_multiaddr = imr_multiaddr
        self.imr_sourceaddr = imr_sourceaddr
        self.imr_interface = imr_interface

    def __bytes__(self) -> bytes:
        return bytes(self.imr_multiaddr) + bytes(self.imr_sourceaddr) + bytes(self.imr_interface)


class ipv6_mreq:
    """Sixteen bytes, or an IN6_ADDR, and the number of the interface; 0 leaves the choice to the stack."""

    __slots__ = ("ipv6mr_interface", "ipv6mr_multiaddr")
    SIZE: ClassVar[int] = 20

    def __init__(self, ipv6mr_multiaddr: Any = bytes(16), ipv6mr_interface: int = 0) -> None:
        self.ipv6mr_multiaddr = ipv6mr_multiaddr
        self.ipv6mr_interface = ipv6mr_interface

    def __bytes__(self) -> bytes:
        return bytes(self.ipv6mr_multiaddr) + self.ipv6mr_interface.to_bytes(4, "little")


class IN_PKTINFO:
    """The destination of a received datagram and where it came in; the source of one to be sent and where it leaves.

    The address is four bytes in network order, or an IN_ADDR; zeros leave the choice to the stack, as does number 0.
    """

    __slots__ = ("ipi_addr", "ipi_ifindex")
    SIZE: ClassVar[int] = 8

    def __init__(self, ipi_addr: Any = bytes(4), ipi_ifindex: int = 0) -> None:
        self.ipi_addr = ipi_addr
        self.ipi_ifindex = ipi_ifindex

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> IN_PKTINFO:
        """What stands in `memory`, as it is now."""
        return cls(IN_ADDR(bytes(memory[:4])), int.from_bytes(memory[4 : cls.SIZE], "little"))

    def __bytes__(self) -> bytes:
        return bytes(self.ipi_addr) + self.ipi_ifindex.to_bytes(4, "little")


class IN6_PKTINFO:
    """The same with sixteen bytes, or an IN6_ADDR."""

    __slots__ = ("ipi6_addr", "ipi6_ifindex")
    SIZE: ClassVar[int] = 20

    def __init__(self, ipi6_addr: Any = bytes(16), ipi6_ifindex: int = 0) -> None:
        self.ipi6_addr = ipi6_addr
        self.ipi6_ifindex = ipi6_ifindex

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> IN6_PKTINFO:
        """What stands in `memory`, as it is now."""
        return cls(IN6_ADDR(bytes(memory[:16])), int.from_bytes(memory[16 : cls.SIZE], "little"))

    def __bytes__(self) -> bytes:
        return bytes(self.ipi6_addr) + self.ipi6_ifindex.to_bytes(4, "little")


class WSABUF:
    """`buf` is memory, or the first CMSGHDR in it; NULL if `len` is 0."""

    __slots__ = ("buf", "len")
    SIZE: ClassVar[int] = 16

    def __init__(self, len: int = 0, buf: Any = None) -> None:  # noqa: A002
        self.len = len
        self.buf = buf


class WSAMSG:
    """No function of WSK takes one; `WSA_CMSG_FIRSTHDR` and `WSA_CMSG_NXTHDR` read its `Control`."""

    __slots__ = ("Control", "dwBufferCount", "dwFlags", "lpBuffers", "name", "namelen")
    SIZE: ClassVar[int] = 56

    def __init__(
        self,
        name: SOCKADDR | None = None,
        namelen: int = 0,
        lpBuffers: Any = None,
        dwBufferCount: int = 0,
        Control: WSABUF | None = None,
        dwFlags: int = 0,
    ) -> None:
        self.name = name
        self.namelen = namelen
        self.lpBuffers = lpBuffers
        self.dwBufferCount = dwBufferCount
        self.Control = WSABUF() if Control is None else Control
        self.dwFlags = dwFlags


class SOCKET_ADDRESS:
    __slots__ = ("iSockaddrLength", "lpSockaddr")
    SIZE: ClassVar[int] = 16

    def __init__(self, lpSockaddr: SOCKADDR | None = None, iSockaddrLength: int = 0) -> None:
        self.lpSockaddr = lpSockaddr
        self.iSockaddrLength = iSockaddrLength


class SOCKET_ADDRESS_LIST:
    """A count, as many SOCKET_ADDRESS, and behind them what these point to.

    In memory, where no reference can stand, a pointer is the number of bytes from the beginning of the list.
    """

    __slots__ = ("Address", "iAddressCount")
    SIZE: ClassVar[int] = 24

    def __init__(self, Address: list[SOCKET_ADDRESS] | None = None) -> None:
        self.Address = [] if Address is None else Address
        self.iAddressCount = len(self.Address)

    @classmethod
    def of(cls, addresses: list[bytes]) -> bytes:
        """The memory of a list of these SOCKADDRs."""
        at = 8 + SOCKET_ADDRESS.SIZE * len(addresses)
        entries = []
        for octets in addresses:
            entries.append(at.to_bytes(8, "little") + len(octets).to_bytes(8, "little"))
            at += len(octets)
        return len(addresses).to_bytes(8, "little") + b"".join(entries) + b"".join(addresses)

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> SOCKET_ADDRESS_LIST:
        """What stands in `memory`, as it is now."""
        octets = bytes(memory)
        entries = []
        for number in range(int.from_bytes(octets[:4], "little")):
            begin = 8 + SOCKET_ADDRESS.SIZE * number
            at = int.from_bytes(octets[begin : begin + 8], "little")
            length = int.from_bytes(octets[begin + 8 : begin + 12], "little")
            sockaddr = bytearray(octets[at : at + length])
            kind = SOCKADDR_IN if sockaddr[0] == AF_INET else SOCKADDR_IN6
            entries.append(SOCKET_ADDRESS(kind.over(sockaddr), length))
        return cls(entries)


class EPROCESS:
    """The security context that WskSocket takes as OwningProcess: the account that binds."""

    __slots__ = ("Account",)

    def __init__(self, Account: str = "SYSTEM") -> None:
        self.Account = Account


class SECURITY_DESCRIPTOR:
    """Which accounts may share a socket's local address.  The default descriptor lets nobody (WSK-5.6, D-18)."""

    __slots__ = ("AccessAllowed",)

    def __init__(self, *AccessAllowed: str) -> None:
        self.AccessAllowed = AccessAllowed
