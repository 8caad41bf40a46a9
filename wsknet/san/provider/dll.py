"""The provider as a DLL: WSPStartupEx, WSPCleanup and the procedure table (SAN-6.1, SAN-7)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from wsknet.san.calls import WinsockError, answers
from wsknet.san.comments import comment_on
from wsknet.san.guids import (
    WSAID_DEREGISTERMEMORY,
    WSAID_DEREGISTERRDMAMEMORY,
    WSAID_MEMORYREGISTRATIONCACHECALLBACK,
    WSAID_RDMAREAD,
    WSAID_RDMAWRITE,
    WSAID_REGISTERMEMORY,
    WSAID_REGISTERRDMAMEMORY,
)
from wsknet.san.numbers import (
    HIBYTE,
    INVALID_SOCKET,
    LOBYTE,
    MAKEWORD,
    NO_ERROR,
    PFL_HIDDEN,
    SOCKET_ERROR,
    WSAEFAULT,
    WSAEOPNOTSUPP,
    WSANOTINITIALISED,
    WSASYSNOTREADY,
    WSAVERNOTSUPPORTED,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
)
from wsknet.san.policy import SanPolicy
from wsknet.san.provider.accepting import WSPAccept
from wsknet.san.provider.binding import WSPBind
from wsknet.san.provider.closing import WSPCloseSocket
from wsknet.san.provider.connecting import WSPConnect
from wsknet.san.provider.control import WSPGetSockOpt, WSPIoctl, WSPSetSockOpt
from wsknet.san.provider.creating import WSPSocket
from wsknet.san.provider.duplicating import WSPDuplicateSocket
from wsknet.san.provider.listening import WSPListen
from wsknet.san.provider.process import Process
from wsknet.san.provider.proxy import Proxy
from wsknet.san.provider.registering import (
    WSPDeregisterMemory,
    WSPDeregisterRdmaMemory,
    WSPMemoryRegistrationCacheCallback,
    WSPRegisterMemory,
    WSPRegisterRdmaMemory,
)
from wsknet.san.provider.selecting import WSPEnumNetworkEvents, WSPEventSelect
from wsknet.san.provider.transferring import (
    WSPGetOverlappedResult,
    WSPRdmaRead,
    WSPRdmaWrite,
    WSPRecv,
    WSPSend,
)
from wsknet.san.structures import WSAPROTOCOL_INFOW, WSPDATA, WSPPROC_TABLE, WSPUPCALLTABLEEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.host import Host
    from wsknet.types import Address

OLDEST_VERSION = MAKEWORD(2, 0)
HIGHEST_VERSION = MAKEWORD(2, 2)
PROVIDER_ID = bytes.fromhex("57534b4e45542d53414e2d50524f5649")
"""Ours; no other meaning than to be no other provider's."""
NEVER_CALLED = (
    "WSPAddressToString", "WSPAsyncSelect", "WSPCancelBlockingCall", "WSPGetPeerName", "WSPGetSockName",
    "WSPRecvDisconnect", "WSPRecvFrom", "WSPSelect", "WSPSendDisconnect", "WSPSendTo", "WSPShutdown",
    "WSPStringToAddress",
)  # fmt: skip
"""The switch does these by itself or through TCP/IP (windows-sockets-spi-functions-not-required-for-sans), as
WSPJoinLeaf: WSAEOPNOTSUPP."""
UPCALLS = ("WPUCreateSocketHandle", "WPUQuerySocketHandleContext", "WPUCloseSocketHandle",
           "WPUCompleteOverlappedRequest")  # fmt: skip
"""Without these there is no provider (creating-and-binding-san-sockets)."""


class SanProvider:
    """Installed once on `host`, whose interfaces `nics` are its NICs: a name, or several.  `ValueError` for a name that
    is none.

    Each process starts it with up-calls of its own, and has sockets of its own; names and NICs are shared.
    """

    def __init__(self, host: Host, nics: str | Sequence[str] = "san0", policy: SanPolicy | None = None) -> None:
        self.host = host
        self.policy = policy or SanPolicy()
        names = (nics,) if isinstance(nics, str) else tuple(nics)
        self.proxy = Proxy(host, names, self.policy)
        served = {host.interface_index(name) for name in names}
        for interface in host.interfaces.values():
            if interface.index in served:
                comment_on(interface, self.policy.native_port)
        self.protocol_info = WSAPROTOCOL_INFOW("wsknet SAN provider", PROVIDER_ID)
        self.protocol_info.dwProviderFlags = PFL_HIDDEN
        self.protocol_info.dwServiceFlags1 = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER
        self._running: list[tuple[Process, WSPPROC_TABLE]] = []

    def WSPStartupEx(
        self,
        wVersionRequested: int,
        lpWSPData: WSPDATA,
        lpProtocolInfo: WSAPROTOCOL_INFOW,
        lpUpcallTable: WSPUPCALLTABLEEX,
        lpProcTable: WSPPROC_TABLE,
    ) -> int:
        """Zero, or the error itself.  Starting again with the same up-calls is counted.

        WSAVERNOTSUPPORTED below 2.0.  WSAEFAULT: a structure is missing, or one of the up-calls that are needed.
        WSASYSNOTREADY: `lpProtocolInfo` is the provider's own, so no switch starts it but an application, to which it
        has nothing to offer (initializing-a-san-service-provider); or the NICs cannot be reached on their native port.
        """
        if not isinstance(wVersionRequested, int) or wVersionRequested < 0:
            return WSAVERNOTSUPPORTED
        if _sortable(wVersionRequested) < _sortable(OLDEST_VERSION):
            return WSAVERNOTSUPPORTED
        if not isinstance(lpWSPData, WSPDATA) or not isinstance(lpProtocolInfo, WSAPROTOCOL_INFOW):
            return WSAEFAULT
        if not isinstance(lpProcTable, WSPPROC_TABLE) or not _is_complete(lpUpcallTable):
            return WSAEFAULT
        is_of_switch = lpProtocolInfo.ProviderId != PROVIDER_ID
        running = self._start(lpUpcallTable) if is_of_switch else None
        if running is None:
            return WSASYSNOTREADY
        for member in WSPPROC_TABLE.__slots__:
            setattr(lpProcTable, member, getattr(running, member))
        lpWSPData.wVersion = min(wVersionRequested, HIGHEST_VERSION, key=_sortable)
        lpWSPData.wHighVersion = HIGHEST_VERSION
        lpWSPData.szDescription = self.protocol_info.szProtocol
        return NO_ERROR

    def _start(self, upcalls: WSPUPCALLTABLEEX) -> WSPPROC_TABLE | None:
        with self.host.pump as now:
            for process, table in self._running:
                if process.upcalls is upcalls:
                    process.references += 1
                    return table
            if self.proxy.is_gone or not self.proxy.acquire(now):
                return None
            process = Process(self.proxy, self.protocol_info, upcalls)
            process.references = 1
            table = _table(process, partial(_cleanup, self))
            self._running.append((process, table))
        return table

    def addresses_down(self) -> list[tuple[Address, int]]:
        with self.host.pump:
            return [(each.address, each.prefix_length) for each in self.proxy.addresses(is_up=False)]

    def finish(self, process: Process) -> None:
        """The last WSPCleanup of a process.  Driver lock held."""
        now = self.host.driver.now()
        process.close_all(now)
        self._running = [each for each in self._running if each[0] is not process]
        self.proxy.release(now)


@answers(SOCKET_ERROR)
def _cleanup(provider: SanProvider, process: Process) -> int:
    """WSPCleanup: with the last all sockets are closed.  WSANOTINITIALISED if there was none to undo."""
    with provider.host.pump:
        if not process.references:
            raise WinsockError(WSANOTINITIALISED)
        process.references -= 1
        if not process.references:
            provider.finish(process)
    return NO_ERROR


def _is_complete(upcalls: object) -> bool:
    return isinstance(upcalls, WSPUPCALLTABLEEX) and all(callable(getattr(upcalls, f"lp{name}")) for name in UPCALLS)


def _sortable(version: int) -> tuple[int, int]:
    """MAKEWORD has the major number in its low byte."""
    return LOBYTE(version), HIBYTE(version)


def _not_supported(*arguments: object) -> NoReturn:
    raise WinsockError(WSAEOPNOTSUPP)


FUNCTIONS: tuple[Callable[..., int], ...] = (
    WSPAccept, WSPBind, WSPCloseSocket, WSPConnect, WSPDuplicateSocket, WSPEnumNetworkEvents, WSPEventSelect,
    WSPGetOverlappedResult, WSPGetSockOpt, WSPIoctl, WSPListen, WSPRecv, WSPSend, WSPSetSockOpt, WSPSocket,
)  # fmt: skip
EXTENSIONS: dict[bytes, Callable[..., Any]] = {
    WSAID_REGISTERMEMORY: WSPRegisterMemory,
    WSAID_DEREGISTERMEMORY: WSPDeregisterMemory,
    WSAID_REGISTERRDMAMEMORY: WSPRegisterRdmaMemory,
    WSAID_DEREGISTERRDMAMEMORY: WSPDeregisterRdmaMemory,
    WSAID_RDMAWRITE: WSPRdmaWrite,
    WSAID_RDMAREAD: WSPRdmaRead,
    WSAID_MEMORYREGISTRATIONCACHECALLBACK: WSPMemoryRegistrationCacheCallback,
}


def _extensions(process: Process) -> dict[bytes, Callable[..., Any]]:
    found: dict[bytes, Callable[..., Any]] = {guid: partial(function, process) for guid, function in EXTENSIONS.items()}
    if not process.policy.supports_rdma_read:
        del found[WSAID_RDMAREAD]
    return found


def _table(process: Process, cleanup: Callable[..., int]) -> WSPPROC_TABLE:
    process.extensions = _extensions(process)
    table = WSPPROC_TABLE(
        lpWSPCleanup=partial(cleanup, process),
        lpWSPGetQOSByName=answers(False)(_not_supported),
        lpWSPJoinLeaf=answers(INVALID_SOCKET)(_not_supported),
    )
    for function in FUNCTIONS:
        setattr(table, f"lp{function.__name__}", partial(function, process))
    for name in NEVER_CALLED:
        setattr(table, f"lp{name}", answers(SOCKET_ERROR)(_not_supported))
    return table
