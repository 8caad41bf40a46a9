"""WskGetAddressInfo, WskFreeAddressInfo and WskGetNameInfo (WSK-6), over the resolver of the host, `Host.names`.

What is legal is pending first and completes later, with Information 0 (C-03): also a literal, as Windows was seen to do
(WSK-6.1).  Which process a request is made for makes no difference here (C-08).  IoCancelIrp takes the question back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.errors import ErrorKind, LocalError
from wsknet.names.results import Failure, Found
from wsknet.names.search import AddressSearch, NameSearch
from wsknet.types import Proto, is_link_local, is_multicast
from wsknet.wsk.address_lists import AddressRequest, is_known_provider, make_list
from wsknet.wsk.addrinfo import (
    ADDRINFOEXW,
    AI_DISABLE_IDN_ENCODING,
    AI_NUMERICHOST,
    NI_DGRAM,
    NI_NAMEREQD,
    NI_NOFQDN,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
)
from wsknet.wsk.bugcheck import BAD_POOL_CALLER, BugCheck, place_of_caller
from wsknet.wsk.client import Client, require_client, require_passive
from wsknet.wsk.client_requests import perform_for_client
from wsknet.wsk.constants import AF_INET, AF_INET6, NS_TCPIP_HOSTS
from wsknet.wsk.irp import IRP, IoSetCancelRoutine
from wsknet.wsk.pointers import require_kind, require_memory, require_number
from wsknet.wsk.requests import KEPT, mark_pending
from wsknet.wsk.rtl import UNICODE_STRING
from wsknet.wsk.services import service_of
from wsknet.wsk.sockaddr import ADDRESS_KINDS, MAPPED, SOCKADDR_STORAGE, SockAddr
from wsknet.wsk.status import (
    NTSTATUS,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_CANCELLED,
    STATUS_HOST_UNREACHABLE,
    STATUS_INVALID_PARAMETER,
    STATUS_IO_TIMEOUT,
    STATUS_NO_MATCH,
    STATUS_NOT_FOUND,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
)
from wsknet.wsk.verifier import checked

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.types import Address, Instant
    from wsknet.wsk.structures import GUID

_SIZES = {AF_INET: 16, AF_INET6: 28}
_NI_FLAGS = NI_NOFQDN | NI_NUMERICHOST | NI_NAMEREQD | NI_NUMERICSERV | NI_DGRAM

_STATUS_OF_FAILURE = {
    Failure.NO_ANSWER: STATUS_IO_TIMEOUT,  # D-20: retransmission exhausted
    Failure.UNREACHABLE: STATUS_HOST_UNREACHABLE,  # D-20
    Failure.SERVER_FAILED: STATUS_UNSUCCESSFUL,
}
"""Of a search that came to no end.  No name, and nothing of the kind: `_not_found`."""


def _not_found(host: Host) -> NTSTATUS:
    """D-21."""
    return STATUS_NO_MATCH if host.stack.config.behaviour.unknown_name_is_no_match else STATUS_NOT_FOUND


class _Request:
    """An IRP that waits for a search."""

    def __init__(self, client: Client, Irp: IRP) -> None:
        self.client = client
        self.host = client.host
        self._irp = Irp
        self._search: AddressSearch | NameSearch | None = None

    def pend(self, search: AddressSearch | NameSearch | None, now: Instant) -> NTSTATUS:
        """Keep the IRP, and begin.  `None`: whoever calls finishes it next.  Driver lock held, here and below."""
        Irp = self._irp
        mark_pending(Irp)
        self.client.pended(Irp)
        if search is not None:
            self._search = search
            Irp._out = self
            Irp.CancelRoutine = _cancel_request
            if Irp.Cancel and IoSetCancelRoutine(Irp, None) is not None:
                self.cancel(now)
            else:
                search.start(now)
        return KEPT

    def cancel(self, now: Instant) -> None:
        assert self._search is not None
        self._search.cancel(now)
        self.finish(STATUS_CANCELLED)

    def finish(self, Status: NTSTATUS) -> None:
        self._irp._out = None
        self.client.finished(self._irp, Status)

    def fail(self, failure: Failure) -> None:
        self.finish(_STATUS_OF_FAILURE.get(failure) or _not_found(self.host))


def _cancel_request(DeviceObject: object, Irp: IRP) -> None:
    request: _Request | None = Irp._out
    if request is None:
        return
    with request.host.pump as now:
        # It may have finished since.
        if Irp._out is request:
            request.cancel(now)


@checked(STATUS_INVALID_PARAMETER)
def WskGetAddressInfo(
    Client: Client | None,
    NodeName: UNICODE_STRING | None,
    ServiceName: UNICODE_STRING | None,
    NameSpace: int,
    Provider: GUID | None,
    Hints: ADDRINFOEXW | None,
    Result: list[Any] | None,
    OwningProcess: Any,
    OwningThread: Any,
    Irp: IRP | None,
) -> NTSTATUS:
    """`Result` receives the list, best address first (RFC 6724), to be freed as a whole with WskFreeAddressInfo.

    Nobody answers for a namespace but NS_ALL, NS_DNS and NS_TCPIP_HOSTS, which asks no server: STATUS_NOT_FOUND, as
    for a name or service that there is not.  No answer from any server: STATUS_IO_TIMEOUT.
    """
    require_passive("WskGetAddressInfo", "WSK-6")
    names = (NodeName, ServiceName)
    return perform_for_client(
        Client, Irp, _get_address_info, names, (NameSpace, Provider), Hints, Result, (OwningProcess, OwningThread)
    )


def _get_address_info(
    Irp: IRP,
    now: Instant,
    client: Client,
    names: tuple[UNICODE_STRING | None, UNICODE_STRING | None],
    provider: tuple[int, GUID | None],
    Hints: ADDRINFOEXW | None,
    Result: list[Any] | None,
    owner: tuple[Any, Any],
) -> Any:
    _check_owner(owner)
    node, service = (_text(name) for name in names)
    wanted = AddressRequest(node, service, Hints)
    if Result is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    Result[:] = [None]
    request = _Request(client, Irp)
    place = place_of_caller()
    kinds = wanted.kinds()
    if not kinds or not is_known_provider(*provider):
        status = request.pend(None, now)
        request.fail(Failure.NO_NAME)
        return status

    def found(outcome: Found | Failure, now: Instant) -> None:
        if isinstance(outcome, Failure):
            request.fail(outcome)
            return
        head = make_list(wanted.chosen(outcome.targets), kinds, wanted.canonical_name(outcome))
        client.address_lists[head] = place
        Result[:] = [head]
        request.finish(STATUS_SUCCESS)

    if not wanted.node:
        status = request.pend(None, now)
        found(Found(wanted.without_node(), "", client.host.names.own.full_name), now)
        return status
    resolver = client.host.names
    search = AddressSearch(
        resolver,
        wanted.node,
        wanted.families(resolver),
        found,
        is_literal=bool(wanted.flags & AI_NUMERICHOST),
        asks_servers=provider[0] != NS_TCPIP_HOSTS,
        is_encoded=not wanted.flags & AI_DISABLE_IDN_ENCODING,
    )
    return request.pend(search, now)


def _check_owner(owner: tuple[Any, Any]) -> None:
    """R-341.  Nobody impersonates here."""
    OwningProcess, OwningThread = owner
    if OwningThread is not None and OwningProcess is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)


def _text(name: UNICODE_STRING | None) -> str:
    """Empty for NULL.  Raises `LocalError` INVALID_ARGUMENT where there is no room for the terminator."""
    if name is None or name.Buffer is None or not name.Length:
        return ""
    octets = name.octets()
    if name.MaximumLength < name.Length + 2 or len(octets) < name.Length or name.Length % 2:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return octets.decode("utf-16-le", "replace").partition("\0")[0]


@checked(None)
def WskFreeAddressInfo(Client: Client, AddrInfo: ADDRINFOEXW | None) -> None:
    """Frees the whole list; nothing happens for NULL."""
    require_passive("WskFreeAddressInfo", "WSK-6")
    if AddrInfo is None:
        return
    require_client(Client)
    require_kind(AddrInfo, ADDRINFOEXW, "AddrInfo")
    Client.enter()
    try:
        if AddrInfo not in Client.address_lists:
            what = "WskFreeAddressInfo of what is not the beginning of a list of this client, or has been freed"
            raise BugCheck(BAD_POOL_CALLER, "R-342", what)
        with Client.host.pump:
            del Client.address_lists[AddrInfo]
    finally:
        Client.leave()


@checked(STATUS_INVALID_PARAMETER)
def WskGetNameInfo(
    Client: Client | None,
    SockAddr: SockAddr | None,
    SockAddrLength: int,
    NodeName: UNICODE_STRING | None,
    ServiceName: UNICODE_STRING | None,
    Flags: int,
    OwningProcess: Any,
    OwningThread: Any,
    Irp: IRP | None,
) -> NTSTATUS:
    """Fills NodeName and ServiceName, whose MaximumLength says how much room there is, the terminator included.

    Where one does not fit: STATUS_BUFFER_TOO_SMALL, and neither is changed.
    """
    require_passive("WskGetNameInfo", "WSK-6")
    strings = (NodeName, ServiceName)
    for string in strings:
        _require_room(string)
    require_kind(SockAddr, ADDRESS_KINDS, "SockAddr")
    return perform_for_client(
        Client, Irp, _get_name_info, (SockAddr, SockAddrLength), strings, Flags, (OwningProcess, OwningThread)
    )


def _require_room(string: UNICODE_STRING | None) -> None:
    """BugCheck unless it is NULL, or there is the memory that it tells of: it is written when the answer has come."""
    require_kind(string, UNICODE_STRING, "a string")
    if string is not None:
        require_number(string.MaximumLength, "MaximumLength")
        if isinstance(string.Buffer, bytearray | memoryview):
            require_memory(string.Buffer, string.MaximumLength, "D-19", "the Buffer of a string")


def _get_name_info(
    Irp: IRP,
    now: Instant,
    client: Client,
    sockaddr: tuple[SockAddr | None, int],
    strings: tuple[UNICODE_STRING | None, UNICODE_STRING | None],
    Flags: int,
    owner: tuple[Any, Any],
) -> Any:
    _check_owner(owner)
    NodeName, ServiceName = strings
    # Who wants the digits cannot be refused them for want of a name.
    is_contradiction = Flags & NI_NUMERICHOST and Flags & NI_NAMEREQD
    if (NodeName is None and ServiceName is None) or Flags & ~_NI_FLAGS or is_contradiction:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    address, zone, port = _address(*sockaddr)
    service = _service_name(port, Flags)
    digits = text.format_address(address, zone)
    request = _Request(client, Irp)

    def found(outcome: str | Failure, now: Instant) -> None:
        if isinstance(outcome, Failure) and Flags & NI_NAMEREQD:
            request.fail(outcome)
            return
        node = digits if isinstance(outcome, Failure) else _host_name(client.host, outcome, Flags)
        request.finish(_fill(((NodeName, node), (ServiceName, service))))

    if NodeName is None or Flags & NI_NUMERICHOST:
        status = request.pend(None, now)
        found(Failure.NO_NAME, now)
        return status
    is_ipv4 = address.startswith(MAPPED) and len(address) == 16
    search = NameSearch(client.host.names, address[12:] if is_ipv4 else address, zone, found)
    return request.pend(search, now)


def _address(sockaddr: SockAddr | None, length: int) -> tuple[Address, int, int]:
    """Address, zone and port."""
    if sockaddr is None:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    raw = bytes(sockaddr)
    family = int.from_bytes(raw[:2], "little")
    if family not in _SIZES:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if not _SIZES[family] <= length <= SOCKADDR_STORAGE.SIZE or len(raw) < _SIZES[family]:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    port = int.from_bytes(raw[2:4], "big")
    if family == AF_INET:
        return raw[4:8], 0, port
    address = raw[8:24]
    has_zone = is_link_local(address) or is_multicast(address)
    return address, int.from_bytes(raw[24:28], "little") if has_zone else 0, port


def _service_name(port: int, Flags: int) -> str:
    """The digits, too, of a port without a service: there is no flag that asks for more."""
    name = None if Flags & NI_NUMERICSERV else service_of(port, Proto.UDP if Flags & NI_DGRAM else Proto.TCP)
    return name or str(port)


def _host_name(host: Host, name: str, Flags: int) -> str:
    label, _, domain = name.partition(".")
    return label if Flags & NI_NOFQDN and host.names.is_local_domain(domain) else name


def _fill(results: tuple[tuple[UNICODE_STRING | None, str], ...]) -> NTSTATUS:
    wanted = [(string, string.encode(value)) for string, value in results if string is not None]
    if any(len(octets) + 2 > string.MaximumLength for string, octets in wanted):
        return STATUS_BUFFER_TOO_SMALL
    for string, octets in wanted:
        string.store(octets)
    return STATUS_SUCCESS
