"""The structures of netioddk.h with which a network module registers itself.  Sizes are those of x64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from wsknet.wsk.structures import GUID

__all__ = [
    "MIT_GUID", "MIT_IF_LUID", "NPIID", "NPI_CLIENT_ATTACH_PROVIDER_FN", "NPI_CLIENT_CHARACTERISTICS",
    "NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN", "NPI_CLIENT_DETACH_PROVIDER_FN", "NPI_MODULEID",
    "NPI_REGISTRATION_INSTANCE",
]  # fmt: skip

NPIID = GUID

MIT_GUID = 1
MIT_IF_LUID = 2


class NPI_MODULEID:
    """Names a network module: by `Guid`, or where `Type` is MIT_IF_LUID by `IfLuid`."""

    __slots__ = ("Guid", "IfLuid", "Length", "Type")
    SIZE: ClassVar[int] = 24

    def __init__(self, Length: int = 24, Type: int = MIT_GUID, Guid: GUID | None = None, IfLuid: int = 0) -> None:
        self.Length = Length
        self.Type = Type
        self.Guid = Guid
        self.IfLuid = IfLuid


class NPI_REGISTRATION_INSTANCE:
    """`Version` is that of the NMR, 0; `Number` is 0 for the only implementation of an interface."""

    __slots__ = ("ModuleId", "NpiId", "NpiSpecificCharacteristics", "Number", "Size", "Version")
    SIZE: ClassVar[int] = 40

    def __init__(
        self,
        Version: int = 0,
        Size: int = 40,
        NpiId: GUID | None = None,
        ModuleId: NPI_MODULEID | None = None,
        Number: int = 0,
        NpiSpecificCharacteristics: Any = None,
    ) -> None:
        self.Version = Version
        self.Size = Size
        self.NpiId = NpiId
        self.ModuleId = ModuleId
        self.Number = Number
        self.NpiSpecificCharacteristics = NpiSpecificCharacteristics


NPI_CLIENT_ATTACH_PROVIDER_FN = Callable[[Any, Any, NPI_REGISTRATION_INSTANCE], int]
"""(NmrBindingHandle, ClientContext, ProviderRegistrationInstance)"""
NPI_CLIENT_DETACH_PROVIDER_FN = Callable[[Any], int]
"""(ClientBindingContext)"""
NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN = Callable[[Any], None]
"""(ClientBindingContext)"""


class NPI_CLIENT_CHARACTERISTICS:
    """Must stay as it is while the client module is registered.  ClientCleanupBindingContext may be NULL."""

    __slots__ = (
        "ClientAttachProvider", "ClientCleanupBindingContext", "ClientDetachProvider", "ClientRegistrationInstance",
        "Length", "Version",
    )  # fmt: skip
    SIZE: ClassVar[int] = 72

    def __init__(
        self,
        Version: int = 0,
        Length: int = 72,
        ClientAttachProvider: NPI_CLIENT_ATTACH_PROVIDER_FN | None = None,
        ClientDetachProvider: NPI_CLIENT_DETACH_PROVIDER_FN | None = None,
        ClientCleanupBindingContext: NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN | None = None,
        ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE | None = None,
    ) -> None:
        self.Version = Version
        self.Length = Length
        self.ClientAttachProvider = ClientAttachProvider
        self.ClientDetachProvider = ClientDetachProvider
        self.ClientCleanupBindingContext = ClientCleanupBindingContext
        # A structure inside this one in C, never NULL.
        self.ClientRegistrationInstance = ClientRegistrationInstance or NPI_REGISTRATION_INSTANCE()
