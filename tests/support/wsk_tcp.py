"""Control operations on TCP sockets of a `wsk_lab.Lab`, and connections of both families."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, Request, ok, start
from wsknet.host import Host
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    NTSTATUS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_LISTEN_SOCKET,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    simple,
)

families = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["ipv4", "ipv6"])


def control(Socket: Any, *arguments: Any) -> Request:
    return start(Socket.Dispatch.WskControlSocket, Socket, *arguments)


def set_tcp(Socket: Any, code: int, value: int) -> NTSTATUS:
    return control(Socket, WskSetOption, code, IPPROTO_TCP, 4, [value], 0, None, None).status


def get_tcp(Socket: Any, code: int) -> int:
    """As C reads it; the call has to succeed."""
    found = bytearray(4)
    request = control(Socket, WskGetOption, code, IPPROTO_TCP, 0, None, 4, found, None)
    assert (request.status.name, request.information) == ("STATUS_SUCCESS", 4)
    return int.from_bytes(found, "little")


def ioctl(Socket: Any, code: int, size: int = 0, data: Any = None) -> NTSTATUS:
    """One without output."""
    request = control(Socket, WskIoctl, code, 0, size, data, 0, None, None)
    assert request.information == 0
    return request.status


def query(Socket: Any, code: int, size: int, target: Any) -> Request:
    """One without input."""
    return control(Socket, WskIoctl, code, 0, 0, None, size, target, None)


def size_of(Socket: Any, code: int) -> int:
    """A SIZE_T that an IOCTL tells."""
    found = bytearray(8)
    request = query(Socket, code, 8, found)
    assert (request.status.name, request.information) == ("STATUS_SUCCESS", 8)
    return int.from_bytes(found, "little")


def bound(lab: Lab, host: Host, Flags: int, family: int = AF_INET, port: int = 0, **options: Any) -> Any:
    Socket = lab.socket(host, Flags, AddressFamily=family, **options)
    ok(simple.bind(Socket, simple.address("0.0.0.0" if family == AF_INET else "::", port)))
    return Socket


def listener(lab: Lab, family: int = AF_INET, **options: Any) -> Any:
    """Of the far host."""
    return bound(lab, lab.far, WSK_FLAG_LISTEN_SOCKET, family, PORT, **options)


def far_address(family: int, port: int = PORT) -> Any:
    return simple.address(FAR if family == AF_INET else FAR6, port)


def pair(lab: Lab, family: int = AF_INET, **options: Any) -> tuple[Any, Any]:
    """Both ends of a connection, near and far; `options` are those of the near socket."""
    listening = listener(lab, family)
    near = bound(lab, lab.near, WSK_FLAG_CONNECTION_SOCKET, family, **options)
    ok(simple.connect(near, far_address(family)))
    lab.run(0.001)
    far = ok(simple.accept(listening))
    ok(simple.close(listening))
    return near, far


def send(Socket: Any, data: bytes, Flags: int = 0) -> Request:
    return start(Socket.Dispatch.WskSend, Socket, simple.buffer(data), Flags)


def receive(Socket: Any, size: int = 100, Flags: int = 0) -> Request:
    return start(Socket.Dispatch.WskReceive, Socket, simple.buffer(bytearray(size)), Flags)


def disconnect(Socket: Any, Flags: int = 0, data: bytes | None = None) -> Request:
    Buffer = None if data is None else simple.buffer(data)
    return start(Socket.Dispatch.WskDisconnect, Socket, Buffer, Flags)
