"""The dispatch tables of wsk.h, whole, in the documented member order (WSK-3.4).

Every provider table begins with the two basic functions, which C reads as plain members and C++ under `Basic`: both
spellings work.  A client table may hold NULL for callbacks that will not be enabled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsknet.wsk.status import NTSTATUS

__all__ = [
    "WSK_CLIENT_CONNECTION_DISPATCH", "WSK_CLIENT_DATAGRAM_DISPATCH", "WSK_CLIENT_LISTEN_DISPATCH",
    "WSK_CLIENT_STREAM_DISPATCH", "WSK_PROVIDER_BASIC_DISPATCH", "WSK_PROVIDER_CONNECTION_DISPATCH",
    "WSK_PROVIDER_DATAGRAM_DISPATCH", "WSK_PROVIDER_DISPATCH", "WSK_PROVIDER_LISTEN_DISPATCH",
    "WSK_PROVIDER_STREAM_DISPATCH",
]  # fmt: skip

Function = Callable[..., NTSTATUS]
Callback = Callable[..., Any] | None


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_DISPATCH:
    Version: int
    Reserved: int
    WskSocket: Function
    WskSocketConnect: Function
    WskControlClient: Function
    WskGetAddressInfo: Function
    WskFreeAddressInfo: Callable[..., None]
    WskGetNameInfo: Function


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_BASIC_DISPATCH:
    WskControlSocket: Function
    WskCloseSocket: Function

    @property
    def Basic(self) -> WSK_PROVIDER_BASIC_DISPATCH:
        return WSK_PROVIDER_BASIC_DISPATCH(self.WskControlSocket, self.WskCloseSocket)


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_LISTEN_DISPATCH(WSK_PROVIDER_BASIC_DISPATCH):
    WskBind: Function
    WskAccept: Function
    WskInspectComplete: Function
    WskGetLocalAddress: Function


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_DATAGRAM_DISPATCH(WSK_PROVIDER_BASIC_DISPATCH):
    WskBind: Function
    WskSendTo: Function
    WskReceiveFrom: Function
    WskRelease: Function
    WskGetLocalAddress: Function
    WskSendMessages: Function


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_CONNECTION_DISPATCH(WSK_PROVIDER_BASIC_DISPATCH):
    WskBind: Function
    WskConnect: Function
    WskGetLocalAddress: Function
    WskGetRemoteAddress: Function
    WskSend: Function
    WskReceive: Function
    WskDisconnect: Function
    WskRelease: Function
    WskConnectEx: Function
    WskSendEx: Function | None = None
    """Reserved for the system, like the next."""
    WskReceiveEx: Function | None = None


@dataclass(slots=True, eq=False)
class WSK_PROVIDER_STREAM_DISPATCH(WSK_PROVIDER_BASIC_DISPATCH):
    WskBind: Function
    WskAccept: Function
    WskConnect: Function
    WskListen: Function
    WskSend: Function
    WskReceive: Function
    WskDisconnect: Function
    WskRelease: Function
    WskGetLocalAddress: Function
    WskGetRemoteAddress: Function
    WskConnectEx: Function
    WskSendEx: Function | None = None
    """Reserved for the system, like the next."""
    WskReceiveEx: Function | None = None


@dataclass(slots=True, eq=False)
class WSK_CLIENT_LISTEN_DISPATCH:
    WskAcceptEvent: Callback = None
    WskInspectEvent: Callback = None
    WskAbortEvent: Callback = None


@dataclass(slots=True, eq=False)
class WSK_CLIENT_DATAGRAM_DISPATCH:
    WskReceiveFromEvent: Callback = None


@dataclass(slots=True, eq=False)
class WSK_CLIENT_CONNECTION_DISPATCH:
    WskReceiveEvent: Callback = None
    WskDisconnectEvent: Callback = None
    WskSendBacklogEvent: Callback = None


@dataclass(slots=True, eq=False)
class WSK_CLIENT_STREAM_DISPATCH:
    Listen: WSK_CLIENT_LISTEN_DISPATCH | None = None
    Connect: WSK_CLIENT_CONNECTION_DISPATCH | None = None
