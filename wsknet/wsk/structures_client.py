"""Structures of WskControlClient, and the thread that WskSocket takes as a security context."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from wsknet.wsk.structures import GUID

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ETHREAD", "WSK_TDI_MAP", "WSK_TDI_MAP_INFO", "WSK_TRANSPORT"]


class WSK_TRANSPORT:
    """`bytes` gives the structure as it lies in memory, `cast` reads it from there."""

    __slots__ = ("AddressFamily", "Protocol", "ProviderId", "SocketType", "Version")
    SIZE: ClassVar[int] = 28

    def __init__(
        self,
        Version: int = 0,
        SocketType: int = 0,
        Protocol: int = 0,
        AddressFamily: int = 0,
        ProviderId: GUID | None = None,
    ) -> None:
        self.Version = Version
        self.SocketType = SocketType
        self.Protocol = Protocol
        self.AddressFamily = AddressFamily
        self.ProviderId = ProviderId

    @classmethod
    def cast(cls, memory: bytes | bytearray | memoryview) -> WSK_TRANSPORT:
        """What stands in `memory`, as it is now."""
        octets = bytes(memory[: cls.SIZE])
        Version, SocketType = (int.from_bytes(octets[at : at + 2], "little") for at in (0, 2))
        Protocol, AddressFamily = int.from_bytes(octets[4:8], "little"), int.from_bytes(octets[8:10], "little")
        Data1, Data2, Data3 = (int.from_bytes(octets[i:j], "little") for i, j in ((12, 16), (16, 18), (18, 20)))
        return cls(Version, SocketType, Protocol, AddressFamily, GUID(Data1, Data2, Data3, octets[20:28]))

    def __bytes__(self) -> bytes:
        guid = self.ProviderId or GUID()
        # Two bytes of padding: a GUID is aligned to four.
        fields = (
            (self.Version, 2), (self.SocketType, 2), (self.Protocol, 4), (self.AddressFamily, 4),
            (guid.Data1, 4), (guid.Data2, 2), (guid.Data3, 2),
        )  # fmt: skip
        return b"".join(value.to_bytes(length, "little") for value, length in fields) + guid.Data4


class WSK_TDI_MAP:
    """`TdiDeviceName` is the name of a device, as in ``r"\\Device\\Tcp"``."""

    __slots__ = ("AddressFamily", "Protocol", "SocketType", "TdiDeviceName")
    SIZE: ClassVar[int] = 16

    def __init__(
        self, SocketType: int = 0, AddressFamily: int = 0, Protocol: int = 0, TdiDeviceName: str | None = None
    ) -> None:
        self.SocketType = SocketType
        self.AddressFamily = AddressFamily
        self.Protocol = Protocol
        self.TdiDeviceName = TdiDeviceName


class WSK_TDI_MAP_INFO:
    """`Map` points to an array: a list or tuple of at least `ElementCount` elements."""

    __slots__ = ("ElementCount", "Map")
    SIZE: ClassVar[int] = 16

    def __init__(self, ElementCount: int = 0, Map: Sequence[WSK_TDI_MAP] | None = None) -> None:
        self.ElementCount = ElementCount
        self.Map = Map


class ETHREAD:
    """What WskSocket takes as OwningThread: it counts only while the thread impersonates another account."""

    __slots__ = ("ImpersonationAccount",)

    def __init__(self, ImpersonationAccount: str | None = None) -> None:
        self.ImpersonationAccount = ImpersonationAccount
