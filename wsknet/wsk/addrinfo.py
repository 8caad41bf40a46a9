"""ADDRINFOEXW and the flags of the name functions, from ws2def.h and ws2tcpip.h (WSK-6.3, 6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from wsknet.wsk.sockaddr import SOCKADDR
    from wsknet.wsk.structures import GUID

__all__ = [
    "ADDRINFOEXW", "AI_ADDRCONFIG", "AI_ALL", "AI_CANONNAME", "AI_DISABLE_IDN_ENCODING", "AI_FILESERVER", "AI_FQDN",
    "AI_NON_AUTHORITATIVE", "AI_NUMERICHOST", "AI_NUMERICSERV", "AI_PASSIVE", "AI_RETURN_PREFERRED_NAMES", "AI_SECURE",
    "AI_V4MAPPED", "NI_DGRAM", "NI_MAXHOST", "NI_MAXSERV", "NI_NAMEREQD", "NI_NOFQDN", "NI_NUMERICHOST",
    "NI_NUMERICSERV",
]  # fmt: skip

AI_PASSIVE = 0x1
AI_CANONNAME = 0x2
AI_NUMERICHOST = 0x4
AI_NUMERICSERV = 0x8
AI_ALL = 0x100
AI_ADDRCONFIG = 0x400
AI_V4MAPPED = 0x800
AI_NON_AUTHORITATIVE = 0x4000
AI_SECURE = 0x8000
AI_RETURN_PREFERRED_NAMES = 0x10000
AI_FQDN = 0x20000
AI_FILESERVER = 0x40000
AI_DISABLE_IDN_ENCODING = 0x80000

NI_NOFQDN = 0x01
NI_NUMERICHOST = 0x02
NI_NAMEREQD = 0x04
NI_NUMERICSERV = 0x08
NI_DGRAM = 0x10

NI_MAXHOST = 1025
"""Characters that hold every host name, its terminator included."""
NI_MAXSERV = 32


class ADDRINFOEXW:
    """Hints for WskGetAddressInfo, and an element of the list that it returns."""

    __slots__ = (
        "ai_addr", "ai_addrlen", "ai_blob", "ai_bloblen", "ai_canonname", "ai_family", "ai_flags", "ai_next",
        "ai_protocol", "ai_provider", "ai_socktype",
    )  # fmt: skip
    SIZE: ClassVar[int] = 72

    def __init__(self, ai_flags: int = 0, ai_family: int = 0, ai_socktype: int = 0, ai_protocol: int = 0) -> None:
        self.ai_flags = ai_flags
        self.ai_family = ai_family
        """AF_UNSPEC, 0: either."""
        self.ai_socktype = ai_socktype
        self.ai_protocol = ai_protocol
        self.ai_addrlen = 0
        self.ai_canonname: str | None = None
        self.ai_addr: SOCKADDR | None = None
        self.ai_blob: Any = None
        self.ai_bloblen = 0
        self.ai_provider: GUID | None = None
        self.ai_next: ADDRINFOEXW | None = None

    def __repr__(self) -> str:
        return f"ADDRINFOEXW({self.ai_family}, {self.ai_socktype}, {self.ai_protocol}, {self.ai_addr!r})"
