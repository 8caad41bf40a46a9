"""WskSendTo, WskSendMessages and WskReceiveFrom (wsk.md 4.14 to 4.16)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_datagrams import TO_FAR, TO_GROUP, fix, join, name_of, receive_from, send_to
from tests.support.wsk_lab import BROADCAST, FAR, FAR6, NEAR, NEAR6, PORT, Lab, ok, start
from wsknet.wsk import (
    AF_INET6,
    MSG_BCAST,
    MSG_MCAST,
    MSG_TRUNC,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SO_BROADCAST,
    SOCKADDR,
    SOL_SOCKET,
    STATUS_ACCESS_DENIED,
    STATUS_CANCELLED,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PENDING,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_BUF_LIST,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    simple,
)


@pytest.fixture
def near(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.near)


@pytest.fixture
def far(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.far, PORT)


# Sending


@pytest.mark.rule("R-259", "R-262")
def test_one_send_is_one_datagram(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    requests = [send_to(near, data, TO_FAR) for data in (b"one", b"", b"three")]
    assert [request.information for request in requests] == [3, 0, 5]
    assert [request.returned for request in requests] == [STATUS_SUCCESS] * 3

    got = [ok(simple.receive_from(far)) for _ in range(3)]
    assert [data for data, _ in got] == [b"one", b"", b"three"]
    assert {simple.host_and_port(source) for _, source in got} == {(NEAR, name_of(near)[1])}


def test_the_memory_is_free_again_when_the_send_has_completed(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    """Although the datagram still waits for the neighbour's address."""
    memory = bytearray(b"before")
    ok(simple.call(near.Dispatch.WskSendTo, near, simple.buffer(memory), 0, TO_FAR, 0, None))
    memory[:] = b"after!"

    assert ok(simple.receive_from(far))[0] == b"before"


@pytest.mark.rule("R-264", "R-265")
def test_a_list_of_messages(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    messages = WSK_BUF_LIST(WSK_BUF_LIST(None, simple.buffer(b"second")), simple.buffer(b"one"))
    request = start(near.Dispatch.WskSendMessages, near, messages, 0, TO_FAR, 0, None)

    assert (request.status, request.information) == (STATUS_SUCCESS, 9)
    assert [ok(simple.receive_from(far))[0] for _ in range(2)] == [b"one", b"second"]


@pytest.mark.rule("R-102")
def test_a_wildcard_socket_takes_its_source_from_the_route(lab: Lab, far: WSK_SOCKET) -> None:
    """Per datagram: the local address itself does not move."""
    lab.near_interface.add_address("198.51.100.1/24")
    lab.far_interface.add_address("198.51.100.2/24")
    near = lab.datagram(lab.near)
    for to in (FAR, "198.51.100.2"):
        send_to(near, to.encode(), simple.address(to, PORT))
    sources = {data: simple.host_and_port(source)[0] for data, source in (ok(simple.receive_from(far)) for _ in "12")}

    assert sources == {FAR.encode(): NEAR, b"198.51.100.2": "198.51.100.1"}
    assert name_of(near)[0] == "0.0.0.0"


@pytest.mark.rule("R-106", "D-01")
def test_nothing_goes_without_a_bind(lab: Lab) -> None:
    Socket = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)

    assert send_to(Socket, b"x", TO_FAR).status == STATUS_INVALID_DEVICE_STATE
    assert receive_from(Socket)[0].status == STATUS_INVALID_DEVICE_STATE
    assert fix(Socket, SIO_WSK_SET_REMOTE_ADDRESS, TO_FAR) == STATUS_INVALID_DEVICE_STATE
    assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_INVALID_DEVICE_STATE


@pytest.mark.rule("D-02", "D-13", "R-263")
@pytest.mark.parametrize(
    ("to", "Flags", "Control", "Status"),
    [
        (TO_FAR, 1, None, STATUS_INVALID_PARAMETER),
        (None, 0, None, STATUS_INVALID_PARAMETER),
        (TO_FAR, 0, b"", STATUS_INVALID_PARAMETER),
        (TO_FAR, 0, bytes(16), STATUS_INVALID_PARAMETER),
        (simple.address(FAR6, PORT), 0, None, STATUS_INVALID_PARAMETER),
        (simple.address("203.0.113.1", PORT), 0, None, STATUS_NETWORK_UNREACHABLE),
    ],
)
def test_sends_that_cannot_go(
    lab: Lab, near: WSK_SOCKET, to: SOCKADDR | None, Flags: int, Control: Any, Status: int
) -> None:
    request = send_to(near, b"x", to, Flags, Control)

    assert (request.returned, request.status, request.information) == (Status, Status, 0)


def test_a_datagram_has_a_largest_size(lab: Lab, near: WSK_SOCKET) -> None:
    assert send_to(near, bytes(65508), TO_FAR).status == STATUS_INVALID_BUFFER_SIZE


@pytest.mark.rule("R-289", "R-269", "BIND-4.10")
def test_broadcasts_need_the_option_and_are_marked(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    to = simple.address(BROADCAST, PORT)
    assert send_to(near, b"all", to).status == STATUS_ACCESS_DENIED
    assert ok(simple.get_option(near, SOL_SOCKET, SO_BROADCAST)) == 0
    ok(simple.set_option(near, SOL_SOCKET, SO_BROADCAST, 1))
    send_to(near, b"all", to)
    lab.run()
    request, memory, *_, flags = receive_from(far)

    assert (bytes(memory[: request.information]), flags) == (b"all", [MSG_BCAST])


@pytest.mark.rule("R-270")
def test_multicasts_are_marked(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    join(far)
    send_to(near, b"group", TO_GROUP)
    lab.run()
    request, memory, *_, flags = receive_from(far)

    assert (bytes(memory[: request.information]), flags) == (b"group", [MSG_MCAST])


# Receiving


@pytest.mark.rule("R-266", "R-274", "R-352")
def test_receives_wait_in_order(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    waiting = [receive_from(far), receive_from(far)]
    assert [request.returned for request, *_ in waiting] == [STATUS_PENDING] * 2
    send_to(near, b"one", TO_FAR)
    send_to(near, b"two", TO_FAR)
    lab.run()

    assert [bytes(memory[:3]) for _, memory, *_ in waiting] == [b"one", b"two"]
    assert {simple.host_and_port(source) for _, _, source, *_ in waiting} == {(NEAR, name_of(near)[1])}
    assert [request.was_pending for request, *_ in waiting] == [[True]] * 2


@pytest.mark.rule("R-267", "D-14", "R-271")
def test_a_datagram_that_does_not_fit_is_cut_off(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    send_to(near, b"too long", TO_FAR)
    send_to(near, b"next", TO_FAR)
    lab.run()
    request, memory, _, control, flags = receive_from(far, 3)

    assert (request.status, request.information) == (STATUS_SUCCESS, 3)
    assert (memory, control, flags) == (bytearray(b"too"), [0], [MSG_TRUNC])
    assert ok(simple.receive_from(far))[0] == b"next"


@pytest.mark.rule("R-272", "R-273", "D-22")
def test_every_out_parameter_may_be_null(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    for number in range(2):
        send_to(near, b"data", TO_FAR)
        lab.run()
        flags = [99] if number else None
        arguments = (simple.buffer(bytearray(4)), 0, None, None, object(), flags)
        request = start(far.Dispatch.WskReceiveFrom, far, *arguments)
        assert request.information == 4
        assert flags in (None, [0])


@pytest.mark.rule("D-02")
def test_receive_flags_are_reserved(lab: Lab, far: WSK_SOCKET) -> None:
    request = start(far.Dispatch.WskReceiveFrom, far, simple.buffer(bytearray(1)), 1, None, None, None, None)

    assert request.status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-068", "R-250")
def test_waiting_receives_are_cancelled_by_hand_and_by_close(lab: Lab, far: WSK_SOCKET) -> None:
    (first, *_), (second, *_) = receive_from(far), receive_from(far)
    IoCancelIrp(first.Irp)
    assert (first.completions, second.is_done) == ([(STATUS_CANCELLED, 0)], False)
    ok(simple.close(far))

    assert second.completions == [(STATUS_CANCELLED, 0)]


@pytest.mark.rule("R-101")
def test_a_wildcard_socket_receives_on_every_address(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    lab.far_interface.add_address("192.0.2.77/24")
    for to in (FAR, "192.0.2.77"):
        send_to(near, to.encode(), simple.address(to, PORT))

    assert [ok(simple.receive_from(far))[0] for _ in "12"] == [FAR.encode(), b"192.0.2.77"]


@pytest.mark.rule("D-20", "BIND-65")
def test_an_unreachable_port_is_told_to_the_next_receive(lab: Lab, near: WSK_SOCKET) -> None:
    send_to(near, b"nobody there", TO_FAR)
    lab.run()
    assert receive_from(near)[0].completions == [(STATUS_PORT_UNREACHABLE, 0)]
    request, *_ = receive_from(near)
    assert not request.is_done
    send_to(near, b"nobody there", TO_FAR)
    lab.run()

    assert (request.status, request.information) == (STATUS_PORT_UNREACHABLE, 0)


@pytest.mark.rule("R-087")
def test_ipv6(lab: Lab) -> None:
    options: dict[str, Any] = {"AddressFamily": AF_INET6}
    near, far = lab.datagram(lab.near, 0, "::", **options), lab.datagram(lab.far, PORT, "::", **options)
    send_to(near, b"six", simple.address(FAR6, PORT))
    data, source = ok(simple.receive_from(far))

    assert (data, simple.host_and_port(source)) == (b"six", (NEAR6, name_of(near)[1]))
    send_to(far, b"back", source)
    assert ok(simple.receive_from(near))[0] == b"back"
