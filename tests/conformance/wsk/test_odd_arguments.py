"""Arguments that are no such thing as the function takes, or lie about themselves: refused before anything happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    NPI_CLIENT_CHARACTERISTICS,
    NPI_MODULEID,
    NPI_REGISTRATION_INSTANCE,
    NPI_WSK_INTERFACE_ID,
    SIO_ADDRESS_LIST_CHANGE,
    SO_KEEPALIVE,
    SOCK_RAW,
    SOL_SOCKET,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_FOUND,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    UNICODE_STRING,
    WSK_BUF_LIST,
    WSK_CLIENT_DISPATCH,
    WSK_FLAG_DATAGRAM_SOCKET,
    BugCheck,
    NmrClientAttachProvider,
    NmrClientDetachProviderComplete,
    NmrDeregisterClient,
    NmrRegisterClient,
    NmrWaitForClientDeregisterComplete,
    WskGetOption,
    WskIoctl,
    WskSetOption,
    kernel_of,
    simple,
    verify,
)

FAMILIES = pytest.mark.parametrize("family", [AF_INET, AF_INET6], ids=["ipv4", "ipv6"])
CONTROLS = {
    "code of an option to set": (WskSetOption, [1], SOL_SOCKET, 4, [1], 0, None, None),
    "level of an option to set": (WskSetOption, SO_KEEPALIVE, [1], 4, [1], 0, None, None),
    "code of an option to get": (WskGetOption, [1], SOL_SOCKET, 0, None, 4, [0], None),
    "code of an ioctl": (WskIoctl, [1], 0, 0, None, 0, None, None),
}


@pytest.mark.parametrize("has_irp", [True, False], ids=["with an IRP", "without"])
@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_code_that_is_no_number(lab: Lab, name: str, has_irp: bool) -> None:
    Socket = lab.datagram(lab.near)
    call = Socket.Dispatch.WskControlSocket
    request = Request()

    def attempt() -> Any:
        return request.start(call, Socket, *CONTROLS[name]).returned if has_irp else call(Socket, *CONTROLS[name], None)

    verify(lab.near)
    with pytest.raises(BugCheck, match="D-19"):
        attempt()
    verify(lab.near, False)
    assert attempt() == STATUS_INVALID_PARAMETER
    assert not request.completions


@pytest.mark.rule("R-309")
def test_an_ioctl_may_have_any_level(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    arguments = (Socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, None, 0, None, 0, None, None)

    assert start(Socket.Dispatch.WskControlSocket, *arguments).returned == STATUS_PENDING


@pytest.mark.rule("R-264")
def test_a_list_of_messages_that_has_no_end(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    first, second = (WSK_BUF_LIST(None, simple.buffer(bytearray(4))) for _ in range(2))
    first.Next, second.Next = second, first
    arguments = (Socket, first, 0, simple.address(FAR, PORT), 0, None)

    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        start(Socket.Dispatch.WskSendMessages, *arguments)
    assert stop.value.rule == "R-264"
    verify(lab.near, False)
    assert start(Socket.Dispatch.WskSendMessages, *arguments).returned == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-351")
def test_a_chain_that_leads_back_to_its_beginning_can_be_lent(lab: Lab) -> None:
    verify(lab.near)
    near, far = lab.pair()
    memory = bytearray(4)
    Buffer = simple.buffer(memory)
    assert Buffer.Mdl is not None
    Buffer.Mdl.Next = Buffer.Mdl

    request = start(near.Dispatch.WskReceive, near, Buffer, 0)
    ok(simple.send(far, b"abcd"))
    lab.run(1)

    assert (request.status, bytes(memory)) == (STATUS_SUCCESS, b"abcd")


@pytest.mark.rule("R-086")
@pytest.mark.parametrize("protocol", [-1, 256])
@FAMILIES
def test_a_raw_socket_of_a_protocol_that_no_header_can_name(lab: Lab, family: int, protocol: int) -> None:
    provider = lab.near_application.provider
    kind = (family, SOCK_RAW, protocol, WSK_FLAG_DATAGRAM_SOCKET, None, None, None, None, None)

    assert start(provider.Dispatch.WskSocket, provider.Client, *kind).status == STATUS_NOT_SUPPORTED


# Names


def text(Buffer: Any, MaximumLength: Any) -> UNICODE_STRING:
    string = UNICODE_STRING()
    string.Buffer, string.MaximumLength = Buffer, MaximumLength
    return string


LIES = {
    "memory of four bytes": lambda: text(bytearray(4), 200),
    "memory that cannot be written": lambda: text(memoryview(bytes(200)), 200),
    "a length that is text": lambda: text(bytearray(200), "200"),
}


@pytest.mark.rule("R-022")
@pytest.mark.parametrize("address", [NEAR, NEAR6])
@pytest.mark.parametrize("name", LIES)
def test_a_string_without_the_memory_that_it_tells_of(lab: Lab, name: str, address: str) -> None:
    provider = lab.near_application.provider
    sockaddr = simple.address(address, 80)
    arguments = (provider.Client, sockaddr, len(bytes(sockaddr)), LIES[name](), None, 0, None, None)

    verify(lab.near)
    with pytest.raises(BugCheck) as stop:
        start(provider.Dispatch.WskGetNameInfo, *arguments)
    assert stop.value.rule == "D-19"
    verify(lab.near, False)
    request = start(provider.Dispatch.WskGetNameInfo, *arguments)
    lab.run(30)

    assert (request.returned, request.completions) == (STATUS_INVALID_PARAMETER, [])
    lab.near_application.close()  # waits for requests that pend


@pytest.mark.rule("R-338")
@pytest.mark.parametrize("node", [FAR, FAR6])
def test_a_port_of_more_digits_than_there_are_ports(lab: Lab, node: str) -> None:
    provider = lab.near_application.provider
    found: dict[str, Any] = {}
    for digits in ("9" * 5000, "65536", "0" * 5000 + "80", "0"):
        result: list[Any] = [None]
        names = (UNICODE_STRING(node), UNICODE_STRING(digits), 0, None, None, result, None, None)
        Status = start(provider.Dispatch.WskGetAddressInfo, provider.Client, *names).status
        found[digits[:1] + digits[-2:]] = Status if result[0] is None else bytes(result[0].ai_addr)[2:4]

    assert found == {"999": STATUS_NOT_FOUND, "636": STATUS_NOT_FOUND, "080": b"\0P", "00": b"\0\0"}


# The network module registrar


@pytest.mark.parametrize("handle", [None, 5, object()], ids=["NULL", "number", "object"])
def test_a_binding_handle_that_is_none(lab: Lab, handle: Any) -> None:
    verify(lab.near)
    with pytest.raises(BugCheck) as detached:
        NmrClientDetachProviderComplete(handle)
    with pytest.raises(BugCheck) as attached:
        NmrClientAttachProvider(handle, None, WSK_CLIENT_DISPATCH(), [None], [None])
    assert [stop.value.rule for stop in (detached, attached)] == ["WSK-1.6", "WSK-1.6"]
    verify(lab.near, False)
    NmrClientDetachProviderComplete(handle)
    assert NmrClientAttachProvider(handle, None, WSK_CLIENT_DISPATCH(), [None], [None]) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-036")
@pytest.mark.parametrize("characteristics", [None, 5], ids=["NULL", "number"])
def test_a_client_module_without_characteristics(lab: Lab, characteristics: Any) -> None:
    verify(lab.near)
    handle: list[Any] = []
    assert NmrRegisterClient(characteristics, None, handle) == STATUS_INVALID_PARAMETER
    assert handle == []


@pytest.mark.rule("R-036")
@pytest.mark.parametrize("odd", ["table", "client variable", "dispatch variable", "handle variable"])
def test_an_attachment_into_nothing_does_not_come_about(lab: Lab, odd: str) -> None:
    verify(lab.near, False)
    client, dispatch = list[Any](), list[Any]()
    statuses: list[int] = []

    def attach(NmrBindingHandle: Any, ClientContext: Any, Instance: Any) -> int:
        arguments: list[Any] = [NmrBindingHandle, None, WSK_CLIENT_DISPATCH(), client, dispatch]
        place = {"table": 2, "client variable": 3, "dispatch variable": 4}.get(odd)
        if place is not None:
            arguments[place] = 5
        statuses.append(NmrClientAttachProvider(*arguments))
        return statuses[-1]

    own = NPI_REGISTRATION_INSTANCE(NpiId=NPI_WSK_INTERFACE_ID, ModuleId=NPI_MODULEID())
    module = NPI_CLIENT_CHARACTERISTICS(0, NPI_CLIENT_CHARACTERISTICS.SIZE, attach, lambda context: 0, None, own)
    handle: Any = None if odd == "handle variable" else []
    status = NmrRegisterClient(module, None, handle)

    assert (client, dispatch) == ([], [])
    if odd == "handle variable":
        assert (status, statuses) == (STATUS_INVALID_PARAMETER, [])
    else:
        assert (status, statuses) == (STATUS_SUCCESS, [STATUS_INVALID_PARAMETER])
        assert NmrDeregisterClient(handle[0]) == STATUS_PENDING
        assert NmrWaitForClientDeregisterComplete(handle[0]) == STATUS_SUCCESS
    lab.near_application.close()
    assert not kernel_of(lab.near).clients


@pytest.mark.rule("WSK-1.6")
def test_a_handle_has_to_be_put_somewhere(lab: Lab) -> None:
    verify(lab.near)
    own = NPI_REGISTRATION_INSTANCE(NpiId=NPI_WSK_INTERFACE_ID, ModuleId=NPI_MODULEID())
    size = NPI_CLIENT_CHARACTERISTICS.SIZE
    module = NPI_CLIENT_CHARACTERISTICS(0, size, lambda *arguments: 0, lambda context: 0, None, own)
    with pytest.raises(BugCheck) as stop:
        NmrRegisterClient(module, None, None)  # type: ignore[arg-type]
    assert stop.value.rule == "WSK-1.6"
