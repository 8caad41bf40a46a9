"""Which SAN service providers a host has installed: the Winsock catalogue and the key `TCP on SAN` (SAN-6.1.1).

Read installing-a-san-service-provider before editing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from wsknet.san.numbers import PFL_HIDDEN

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.san.policy import SanPolicy
    from wsknet.san.structures import WSAPROTOCOL_INFOW, WSPDATA, WSPPROC_TABLE, WSPUPCALLTABLEEX
    from wsknet.types import Address


class InstalledProvider(Protocol):
    """A provider's DLL: its row of the catalogue, and its one export."""

    protocol_info: WSAPROTOCOL_INFOW
    policy: SanPolicy

    def WSPStartupEx(
        self,
        wVersionRequested: int,
        lpWSPData: WSPDATA,
        lpProtocolInfo: WSAPROTOCOL_INFOW,
        lpUpcallTable: WSPUPCALLTABLEEX,
        lpProcTable: WSPPROC_TABLE,
    ) -> int: ...

    def addresses_down(self) -> list[tuple[Address, int]]:
        """IPv4 addresses of NICs that are down, with their prefix lengths, which SIO_ADDRESS_LIST_QUERY does not tell.
        No function of the SPI says so: it is for the words of a decision, and decides nothing.  Driver lock not held.
        """


class Registry:
    """Of one host: `registry_of(host)`."""

    FIRST_CATALOG_ENTRY = 1001
    """As Windows numbers them; 1001 is the TCP/IP provider's."""

    def __init__(self) -> None:
        self._installed: list[InstalledProvider] = []
        self.watchers: list[Callable[[], None]] = []
        """Called after each change, as WSAProviderConfigChange tells of it.  No lock held."""
        self._last_entry = self.FIRST_CATALOG_ENTRY

    def install(self, provider: InstalledProvider) -> None:
        """WSCInstallProvider, and the value below `TCP on SAN`.  Driver lock not held."""
        self._last_entry += 1
        provider.protocol_info.dwCatalogEntryId = self._last_entry
        self._installed.append(provider)
        self._tell()

    def remove(self, provider: InstalledProvider) -> None:
        """Switches that use it go on doing so; no new one loads it."""
        self._installed.remove(provider)
        self._tell()

    @property
    def tcp_on_san(self) -> list[InstalledProvider]:
        """In the order in which they were installed.  A row that applications could see is not one of them."""
        return [each for each in self._installed if each.protocol_info.dwProviderFlags & PFL_HIDDEN]

    def _tell(self) -> None:
        for watcher in tuple(self.watchers):
            watcher()


def registry_of(host: Host) -> Registry:
    found: Registry = host.faces.setdefault(Registry, Registry())
    return found
