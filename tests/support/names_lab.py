"""A WSK application on the client of a `dns_lab`, and its name functions with every parameter by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.dns_lab import DnsLab
from tests.support.wsk_lab import Request
from wsknet import text
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.wsk import (
    ADDRINFOEXW,
    AF_INET,
    NTSTATUS,
    STATUS_PENDING,
    UNICODE_STRING,
    RtlInitEmptyUnicodeString,
    simple,
    verify,
)

WEB, WEB6 = "192.0.2.80", "2001:db8::80"
"""Of the host that `web_lab` knows."""

Entry = tuple[str, int, int, int]
"""Address with its zone, port, socket type, protocol."""


def counted(value: str | None) -> UNICODE_STRING | None:
    return None if value is None else UNICODE_STRING(value)


def room(size: int) -> UNICODE_STRING:
    """Memory for `size` bytes of characters."""
    made = UNICODE_STRING()
    RtlInitEmptyUnicodeString(made, bytearray(size), size)
    return made


def entries(head: ADDRINFOEXW | None) -> list[Entry]:
    found = []
    while head is not None:
        address = head.ai_addr
        assert address is not None
        raw = bytes(address)
        is_ipv4 = head.ai_family == AF_INET
        assert (head.ai_addrlen, len(raw), address.sa_family) == (16 if is_ipv4 else 28,) * 2 + (head.ai_family,)
        zone = 0 if is_ipv4 else int.from_bytes(raw[24:28], "little")
        words = text.format_address(raw[4:8] if is_ipv4 else raw[8:24], zone)
        found.append((words, int.from_bytes(raw[2:4], "big"), head.ai_socktype, head.ai_protocol))
        head = head.ai_next
    return found


class NamesLab(DnsLab):
    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(behaviour)
        verify(self.host)
        with self.host.activate():
            self.application = simple.Application()
        self.Client = self.application.provider.Client
        self.Dispatch = self.application.provider.Dispatch
        self.result: list[Any] = ["not touched"]

    def address_info(
        self,
        node: str | UNICODE_STRING | None,
        service: str | UNICODE_STRING | None = None,
        hints: ADDRINFOEXW | None = None,
        **others: Any,
    ) -> Request:
        """Begin WskGetAddressInfo; `result` receives the list."""
        self.result = ["not touched"]
        return self._start(
            self.Dispatch.WskGetAddressInfo,
            others.get("Client", self.Client),
            counted(node) if isinstance(node, str) else node,
            counted(service) if isinstance(service, str) else service,
            others.get("NameSpace", 0),
            others.get("Provider"),
            hints,
            others.get("Result", self.result),
            others.get("OwningProcess"),
            others.get("OwningThread"),
        )

    def name_info(
        self,
        sockaddr: Any,
        node: UNICODE_STRING | None,
        service: UNICODE_STRING | None = None,
        Flags: int = 0,
        **others: Any,
    ) -> Request:
        """Begin WskGetNameInfo."""
        return self._start(
            self.Dispatch.WskGetNameInfo,
            others.get("Client", self.Client),
            sockaddr,
            others.get("SockAddrLength", len(bytes(sockaddr)) if sockaddr is not None else 16),
            node,
            service,
            Flags,
            others.get("OwningProcess"),
            others.get("OwningThread"),
        )

    def _start(self, function: Callable[..., NTSTATUS], *arguments: Any) -> Request:
        with self.host.activate():
            return Request().start(function, *arguments)

    def found(self, *arguments: Any, **others: Any) -> list[Entry] | NTSTATUS:
        """What WskGetAddressInfo comes to in the end: the entries, freed again, or the status."""
        request = self.address_info(*arguments, **others)
        self.network.run_until(lambda: request.is_done)
        assert request.information == 0
        if request.status:
            assert self.result == [None if request.returned == STATUS_PENDING else self.result[0]]
            return request.status
        listed = entries(self.result[0])
        self.free(self.result[0])
        return listed

    def free(self, head: ADDRINFOEXW | None) -> None:
        with self.host.activate():
            self.Dispatch.WskFreeAddressInfo(self.Client, head)

    def named(self, sockaddr: Any, Flags: int = 0) -> tuple[str, str] | NTSTATUS:
        """What WskGetNameInfo comes to in the end."""
        node, service = room(512), room(64)
        request = self.name_info(sockaddr, node, service, Flags)
        self.network.run_until(lambda: request.is_done)
        assert request.information == 0
        return request.status or (str(node), str(service))


def web_lab(lab: NamesLab) -> NamesLab:
    """The same one, whose server has addresses of both families for web.lab."""
    lab.zone.add("web.lab", WEB, WEB6)
    return lab


@contextmanager
def names_lab(behaviour: Behaviour = WINDOWS) -> Iterator[NamesLab]:
    made = NamesLab(behaviour)
    with made.network, made.host.activate():
        yield made
