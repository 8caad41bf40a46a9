"""What a hunt for faults has found: arguments that are no such thing, callbacks that misuse their out parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    IPPROTO_UDP,
    SO_KEEPALIVE,
    SO_WSK_EVENT_CALLBACK,
    SOCK_DGRAM,
    SOCKADDR_STORAGE,
    SOL_SOCKET,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
    WSK_BUF,
    WSK_BUF_LIST,
    WSK_CLIENT_CONNECTION_DISPATCH,
    WSK_CLIENT_LISTEN_DISPATCH,
    WSK_EVENT_ACCEPT,
    WSK_EVENT_RECEIVE,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    BugCheck,
    IoReuseIrp,
    WskGetOption,
    WskSetOption,
    simple,
    verify,
)

Call = tuple[str, tuple[Any, ...]]
THERE = simple.address(FAR, PORT)


def buffer(length: int = 8) -> WSK_BUF:
    return simple.buffer(bytearray(8)) if length == 8 else WSK_BUF(simple.buffer(bytearray(8)).Mdl, 0, length)


def behind(offset: int) -> WSK_BUF:
    return WSK_BUF(simple.buffer(bytearray(8)).Mdl, offset, 8)


STREAM_CALLS: dict[str, Callable[[], Call]] = {
    "a NULL buffer": lambda: ("WskSend", (None, 0)),
    "a number for a buffer": lambda: ("WskReceive", (5, 0)),
    "a negative length": lambda: ("WskSend", (buffer(-1), 0)),
    "a negative offset": lambda: ("WskSend", (behind(-3), 0)),
    "a negative length to receive": lambda: ("WskReceive", (buffer(-1), 0)),
    "flags that are memory": lambda: ("WskSend", (buffer(), bytearray(4))),
    "flags that are NULL": lambda: ("WskReceive", (buffer(), None)),
    "a list to disconnect with": lambda: ("WskDisconnect", ([0], 0)),
    "flags of memory to disconnect": lambda: ("WskDisconnect", (None, bytearray(4))),
    "an address buffer of a number": lambda: ("WskGetLocalAddress", (7,)),
    "an address buffer that cannot be written": lambda: ("WskGetRemoteAddress", (bytes(128),)),
    "an option from a number": lambda: ("WskControlSocket", control(WskSetOption, SO_KEEPALIVE, 4, 1, 0, None)),
    "an option from an empty list": lambda: ("WskControlSocket", control(WskSetOption, SO_KEEPALIVE, 4, [], 0, None)),
    "an option into bytes": lambda: ("WskControlSocket", control(WskGetOption, SO_KEEPALIVE, 0, None, 4, bytes(4))),
}
DATAGRAM_CALLS: dict[str, Callable[[], Call]] = {
    "an address of a number": lambda: ("WskSendTo", (buffer(), 0, 5, 0, None)),
    "flags of text": lambda: ("WskSendTo", (buffer(), "0", THERE, 0, None)),
    "a list of numbers": lambda: ("WskSendMessages", (5, 0, THERE, 0, None)),
    "an element of a number": lambda: ("WskSendMessages", (WSK_BUF_LIST(5, buffer()), 0, THERE, 0, None)),  # type: ignore[arg-type]
    "ControlFlags of a number": lambda: ("WskReceiveFrom", (buffer(), 0, None, None, None, 3)),
    "ControlFlags of two bytes": lambda: ("WskReceiveFrom", (buffer(), 0, None, None, None, bytearray(2))),
    "ControlLength of an empty list": lambda: ("WskReceiveFrom", (buffer(), 0, None, [], None, None)),
    "an address buffer of bytes": lambda: ("WskReceiveFrom", (buffer(), 0, bytes(16), None, None, None)),
}


def control(request: int, option: int, *buffers: Any) -> tuple[Any, ...]:
    return (request, option, SOL_SOCKET, *buffers, None)


def make(lab: Lab, name: str) -> tuple[WSK_SOCKET, Call]:
    if name in STREAM_CALLS:
        return lab.pair()[0], STREAM_CALLS[name]()
    return lab.datagram(lab.near, 5000), DATAGRAM_CALLS[name]()


@pytest.mark.parametrize("name", [*STREAM_CALLS, *DATAGRAM_CALLS])
def test_an_argument_that_is_no_such_thing_is_refused_and_the_irp_stays_with_its_owner(lab: Lab, name: str) -> None:
    verify(lab.near, is_on=False)
    Socket, (function, arguments) = make(lab, name)

    request = start(getattr(Socket.Dispatch, function), Socket, *arguments)
    lab.run(0.1)

    assert request.returned == STATUS_INVALID_PARAMETER
    assert not request.completions
    IoReuseIrp(request.Irp, STATUS_UNSUCCESSFUL)  # legal for an IRP that is the application's own
    assert request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_STORAGE()).status == STATUS_SUCCESS
    ok(simple.close(Socket))


@pytest.mark.parametrize("name", [*STREAM_CALLS, *DATAGRAM_CALLS])
def test_with_a_verifier_it_is_a_bug_check(lab: Lab, name: str) -> None:
    verify(lab.near)
    Socket, (function, arguments) = make(lab, name)

    with pytest.raises(BugCheck) as stop:
        start(getattr(Socket.Dispatch, function), Socket, *arguments)

    assert stop.value.rule in ("D-19", "R-352")
    ok(simple.close(Socket))


@pytest.mark.rule("R-060")
def test_a_null_buffer_list_sends_nothing_and_fails(lab: Lab) -> None:
    Socket = lab.datagram(lab.near, 5000)

    request = start(Socket.Dispatch.WskSendMessages, Socket, None, 0, THERE, 0, None)

    assert (request.returned, request.status, request.information) == (*[STATUS_INVALID_PARAMETER] * 2, 0)


def test_provider_functions_refuse_what_is_no_client(lab: Lab) -> None:
    verify(lab.near, is_on=False)
    Dispatch = lab.near_application.provider.Dispatch
    kind = (AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, None, None, None, None, None)

    request = start(Dispatch.WskSocket, object(), *kind)
    assert request.returned == STATUS_INVALID_PARAMETER
    assert Dispatch.WskControlClient(5, 2, 0, None, 0, None, [0], None) == STATUS_INVALID_PARAMETER
    assert not request.completions


def test_name_info_into_what_is_no_string_leaves_nothing_pending(lab: Lab) -> None:
    verify(lab.near, is_on=False)
    provider = lab.near_application.provider

    request = start(provider.Dispatch.WskGetNameInfo, provider.Client, THERE, 16, [0], None, 2, None, None)
    lab.run(30)

    assert (request.returned, request.completions) == (STATUS_INVALID_PARAMETER, [])
    lab.near_application.close()  # waits for requests that pend


def out_of(control_flags: Any, control_length: Any, lab: Lab) -> Request:
    Socket, peer = lab.datagram(lab.near, 5000), lab.datagram(lab.far, 5001)
    request = start(Socket.Dispatch.WskReceiveFrom, Socket, buffer(), 0, None, control_length, None, control_flags)
    ok(simple.send_to(peer, b"longer than eight", simple.address(NEAR, 5000)))
    lab.run(0.1)
    return request


@pytest.mark.rule("R-267")
def test_flags_and_length_of_a_datagram_may_be_memory(lab: Lab) -> None:
    control_flags, control_length = bytearray(8), memoryview(bytearray(b"\x40\0\0\0"))

    assert out_of(control_flags, control_length, lab).status == STATUS_SUCCESS

    assert control_flags == (0x100).to_bytes(8, "little")  # MSG_TRUNC
    assert bytes(control_length) == bytes(4)


# Callbacks


@pytest.mark.rule("R-060")
@pytest.mark.parametrize("left", [[], [-5], [None], [2.5], [1 << 70]], ids=repr)
def test_bytes_accepted_that_is_no_size_counts_as_all(lab: Lab, left: list[Any]) -> None:
    seen: list[int] = []

    def WskReceiveEvent(Context: Any, Flags: int, Indication: Any, BytesIndicated: int, BytesAccepted: Any) -> int:
        seen.append(BytesIndicated)
        BytesAccepted[:] = left
        return STATUS_SUCCESS

    near, far = lab.pair(Dispatch=WSK_CLIENT_CONNECTION_DISPATCH(WskReceiveEvent, None, None))
    assert simple.control_events(near, WSK_EVENT_RECEIVE) == STATUS_SUCCESS
    for data in (b"0123456789", b"abc"):
        ok(simple.send(far, data))
    lab.run(0.1)

    assert seen == [10, 3]
    ok(simple.close(near))


@pytest.mark.rule("R-060")
def test_an_accepting_callback_that_empties_its_lists_has_set_null(lab: Lab) -> None:
    accepted: list[WSK_SOCKET] = []

    def WskAcceptEvent(Context: Any, Flags: int, Local: Any, Remote: Any, Socket: Any, Ctx: Any, Table: Any) -> int:
        accepted.append(Socket)
        Ctx.clear()
        Table.clear()
        return STATUS_SUCCESS

    listener = lab.listener(Dispatch=WSK_CLIENT_LISTEN_DISPATCH(WskAcceptEvent, None, None))
    assert simple.control_events(listener, WSK_EVENT_ACCEPT) == STATUS_SUCCESS
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    ok(simple.connect(near, THERE))
    lab.run(0.1)

    assert len(accepted) == 1
    assert simple.control_events(accepted[0], WSK_EVENT_RECEIVE) == STATUS_INVALID_PARAMETER  # no function for it
    ok(simple.close(listener))
    ok(simple.close(accepted[0]))


def test_an_event_mask_that_is_no_number_is_refused(lab: Lab) -> None:
    near, _ = lab.pair()
    arguments = (WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, 16, object(), 0, None, None)

    assert near.Dispatch.WskControlSocket(near, *arguments, None) == STATUS_INVALID_PARAMETER
