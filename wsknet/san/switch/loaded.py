"""A SAN service provider that the switch has loaded: what it was told, and what it answers (SAN-6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.san import guids
from wsknet.san.numbers import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    MAKEWORD,
    NO_ERROR,
    SIO_ADDRESS_LIST_QUERY,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_MAX_MSG_SIZE,
    SO_MAX_RDMA_SIZE,
    SO_RDMA_THRESHOLD_SIZE,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from wsknet.san.structures import INT, SOCKET_ADDRESS_LIST, WSPDATA, WSPPROC_TABLE
from wsknet.san.switch.decision import Serving

if TYPE_CHECKING:
    from wsknet.san.registry import InstalledProvider
    from wsknet.san.structures import WSAPROTOCOL_INFOW, WSPUPCALLTABLEEX
    from wsknet.types import Address

VERSION = MAKEWORD(2, 2)
_LARGEST_LIST = 4 + 1_024 * 24
"""Bytes of a SOCKET_ADDRESS_LIST: more addresses than any host has."""

MANDATORY = {
    "WSPRegisterMemory": guids.WSAID_REGISTERMEMORY,
    "WSPDeregisterMemory": guids.WSAID_DEREGISTERMEMORY,
    "WSPRegisterRdmaMemory": guids.WSAID_REGISTERRDMAMEMORY,
    "WSPDeregisterRdmaMemory": guids.WSAID_DEREGISTERRDMAMEMORY,
    "WSPRdmaWrite": guids.WSAID_RDMAWRITE,
}
OPTIONAL = {
    "WSPRdmaRead": guids.WSAID_RDMAREAD,
    "WSPMemoryRegistrationCacheCallback": guids.WSAID_MEMORYREGISTRATIONCACHECALLBACK,
}
"""A provider without it answers WSAEOPNOTSUPP (SAN-8)."""


class Unusable(Exception):
    """The provider does not do what every one has to; the message says what."""


class LoadedProvider:
    """Made by the switch, no lock held; `Unusable` if it is of no use."""

    def __init__(self, installed: InstalledProvider, tcpip_info: WSAPROTOCOL_INFOW, upcalls: WSPUPCALLTABLEEX) -> None:
        self.installed = installed
        self.table = WSPPROC_TABLE()
        self.extensions: dict[str, Callable[..., Any]] = {}
        """By name; optional ones that it has not are missing."""
        self.addresses: list[Address] = []
        """Of its NICs, as it told last."""
        self.down: list[tuple[Address, int]] = []
        """Of those that are down, with their prefix lengths."""
        self.limits: dict[int, int] = {}
        """SO_MAX_MSG_SIZE, SO_MAX_RDMA_SIZE and SO_RDMA_THRESHOLD_SIZE, those that it knows."""
        error = installed.WSPStartupEx(VERSION, WSPDATA(), tcpip_info, upcalls, self.table)
        if error != NO_ERROR:
            raise Unusable(f"WSPStartupEx answers {error}")
        try:
            self._ask()
        except Unusable:
            self.unload()
            raise

    @property
    def serving(self) -> Serving:
        return Serving(self.addresses, [address for address, _ in self.down], self.installed.policy.wildcard)

    def unload(self) -> None:
        self.table.lpWSPCleanup(INT())

    def query_addresses(self) -> None:
        """Ask for the addresses of its NICs, on a socket made for that (SAN-6.1.3).  One that cannot tell has none."""
        try:
            self._with_socket(self._read_addresses)
        except Unusable:
            self.addresses = []
            self.down = []

    def _ask(self) -> None:
        def everything(s: int) -> None:
            self._read_addresses(s)
            self._read_extensions(s)
            self._read_limits(s)

        self._with_socket(everything)

    def _with_socket(self, ask: Callable[[int], None]) -> None:
        lpErrno = INT()
        s = self.table.lpWSPSocket(
            AF_INET, SOCK_STREAM, IPPROTO_TCP, self.installed.protocol_info, 0, WSA_FLAG_OVERLAPPED, lpErrno
        )
        if s == INVALID_SOCKET:
            raise Unusable(f"WSPSocket answers {lpErrno.Value}")
        try:
            ask(s)
        finally:
            self.table.lpWSPCloseSocket(s, INT())

    def _read_addresses(self, s: int) -> None:
        found, lpErrno = SOCKET_ADDRESS_LIST(), INT()
        if self._ioctl(s, SIO_ADDRESS_LIST_QUERY, None, found, _LARGEST_LIST, lpErrno):
            raise Unusable(f"SIO_ADDRESS_LIST_QUERY answers {lpErrno.Value}")
        self.addresses = [each.sin_addr for each in found.Address]
        self.down = self.installed.addresses_down()

    def _read_extensions(self, s: int) -> None:
        for name, guid in (MANDATORY | OPTIONAL).items():
            pointer, lpErrno = INT(), INT()
            if not self._ioctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, pointer, 8, lpErrno):
                self.extensions[name] = pointer.Value
            elif name in MANDATORY:
                raise Unusable(f"{name} is missing: {lpErrno.Value}")

    def _read_limits(self, s: int) -> None:
        for option in (SO_MAX_MSG_SIZE, SO_MAX_RDMA_SIZE, SO_RDMA_THRESHOLD_SIZE):
            value = bytearray(4)
            if not self.table.lpWSPGetSockOpt(s, SOL_SOCKET, option, value, INT(4), INT()):
                self.limits[option] = int.from_bytes(value, "little")

    def _ioctl(self, s: int, code: int, given: bytes | None, out: object, size: int, lpErrno: INT) -> int:
        length = 0 if given is None else len(given)
        return self.table.lpWSPIoctl(s, code, given, length, out, size, INT(), None, None, None, lpErrno)
