"""Datagram sockets (wsk.md 4.14 to 4.16, 4.24, 5.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.wsk_lab import BROADCAST, FAR, FAR6, NEAR, NEAR6, PORT, Lab, Request, ok, start
from wsknet.text import parse_address
from wsknet.wsk import (
    AF_INET6,
    DISPATCH_LEVEL,
    IP_ADD_MEMBERSHIP,
    IPPROTO_IP,
    MSG_BCAST,
    MSG_MCAST,
    MSG_TRUNC,
    NTSTATUS,
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    SO_BROADCAST,
    SOCKADDR,
    SOCKADDR_IN,
    SOL_SOCKET,
    STATUS_ACCESS_DENIED,
    STATUS_CANCELLED,
    STATUS_DATA_NOT_ACCEPTED,
    STATUS_DEVICE_NOT_READY,
    STATUS_EVENT_PENDING,
    STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_NETWORK_UNREACHABLE,
    STATUS_PENDING,
    STATUS_PORT_UNREACHABLE,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_BUF_LIST,
    WSK_CLIENT_DATAGRAM_DISPATCH,
    WSK_DATAGRAM_INDICATION,
    WSK_EVENT_DISABLE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_AT_DISPATCH_LEVEL,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    KeGetCurrentIrql,
    WskIoctl,
    WskSetOption,
    ip_mreq,
    simple,
)


def receive_from(Socket: WSK_SOCKET, length: int = 100) -> tuple[Request, bytearray, SOCKADDR_IN, list[int], list[int]]:
    memory, source, control, flags = bytearray(length), SOCKADDR_IN(), [99], [99]
    arguments = (simple.buffer(memory), 0, source, control, None, flags)
    return start(Socket.Dispatch.WskReceiveFrom, Socket, *arguments), memory, source, control, flags


def send_to(Socket: WSK_SOCKET, data: bytes, to: SOCKADDR | None, Flags: int = 0, Control: Any = None) -> Request:
    length = len(Control) if Control is not None else 0
    return start(Socket.Dispatch.WskSendTo, Socket, simple.buffer(data), Flags, to, length, Control)


def fix(Socket: WSK_SOCKET, code: int, address: SOCKADDR | None) -> NTSTATUS:
    size = 0 if address is None else address.SIZE
    arguments = (Socket, WskIoctl, code, 12345, size, address, 0, None, None)
    return simple.call(Socket.Dispatch.WskControlSocket, *arguments)[0]


def names(Socket: WSK_SOCKET) -> tuple[str, int]:
    return simple.host_and_port(ok(simple.local_address(Socket)))


@pytest.fixture
def near(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.near)


@pytest.fixture
def far(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.far, PORT)


TO_FAR = simple.address(FAR, PORT)
GROUP = "239.1.2.3"
TO_GROUP = simple.address(GROUP, PORT)


def join(Socket: WSK_SOCKET) -> None:
    membership = ip_mreq(parse_address(GROUP), bytes(4))
    arguments = (WskSetOption, IP_ADD_MEMBERSHIP, IPPROTO_IP, membership.SIZE, membership, 0, None, None)
    ok(simple.call(Socket.Dispatch.WskControlSocket, Socket, *arguments))


# Sending


@pytest.mark.rule("R-259", "R-262")
def test_one_send_is_one_datagram(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    requests = [send_to(near, data, TO_FAR) for data in (b"one", b"", b"three")]
    assert [request.information for request in requests] == [3, 0, 5]
    assert [request.returned for request in requests] == [STATUS_SUCCESS] * 3

    got = [ok(simple.receive_from(far)) for _ in range(3)]
    assert [data for data, _ in got] == [b"one", b"", b"three"]
    assert {simple.host_and_port(source) for _, source in got} == {(NEAR, names(near)[1])}


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
    assert names(near)[0] == "0.0.0.0"


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
    assert {simple.host_and_port(source) for _, _, source, *_ in waiting} == {(NEAR, names(near)[1])}
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

    assert (data, simple.host_and_port(source)) == (b"six", (NEAR6, names(near)[1]))
    send_to(far, b"back", source)
    assert ok(simple.receive_from(near))[0] == b"back"


# Fixed addresses


@pytest.mark.rule("R-261", "R-284", "R-309")
def test_a_fixed_remote_address(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    assert fix(near, SIO_WSK_SET_REMOTE_ADDRESS, TO_FAR) == STATUS_SUCCESS
    assert send_to(near, b"default", None).status == STATUS_SUCCESS
    assert ok(simple.receive_from(far))[0] == b"default"
    back = simple.address(NEAR, names(near)[1])
    send_to(other, b"not wanted", back)
    send_to(far, b"wanted", back)

    assert ok(simple.receive_from(near))[0] == b"wanted"
    lab.run()
    assert not receive_from(near)[0].is_done


@pytest.mark.rule("R-260", "R-285", "BIND-10")
def test_an_override_is_sent_but_its_answer_is_not_received(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    fix(near, SIO_WSK_SET_REMOTE_ADDRESS, TO_FAR)
    send_to(near, b"override", simple.address(FAR, names(other)[1]))
    data, source = ok(simple.receive_from(other))
    send_to(other, b"answer", source)

    assert data == b"override"
    assert simple.receive_from(near, seconds=1)[0] == STATUS_CANCELLED


@pytest.mark.rule("R-261", "R-286", "BIND-4.15")
def test_a_fixed_destination_leaves_receiving_open(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    assert fix(near, SIO_WSK_SET_SENDTO_ADDRESS, TO_FAR) == STATUS_SUCCESS
    send_to(near, b"default", None)
    assert ok(simple.receive_from(far))[0] == b"default"
    send_to(other, b"welcome", simple.address(NEAR, names(near)[1]))

    assert ok(simple.receive_from(near))[0] == b"welcome"


@pytest.mark.rule("R-287", "R-288", "BIND-4.14")
@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
def test_fixed_addresses_are_cleared_and_need_a_bound_socket(lab: Lab, near: WSK_SOCKET, code: int) -> None:
    fix(near, code, TO_FAR)
    assert send_to(near, b"x", None).status == STATUS_SUCCESS
    assert fix(near, code, None) == STATUS_SUCCESS
    assert send_to(near, b"x", None).status == STATUS_INVALID_PARAMETER

    unbound = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    assert fix(unbound, code, TO_FAR) == STATUS_INVALID_DEVICE_STATE


# WskReceiveFromEvent


class Receiver:
    """A WskReceiveFromEvent: what it was given, and what it answers next."""

    def __init__(self) -> None:
        self.got: list[list[tuple[bytes, str]]] = []
        self.flags: list[int] = []
        self.lists: list[WSK_DATAGRAM_INDICATION] = []
        self.answers: list[int] = []
        self.inside: Callable[[], object] | None = None
        self.dispatch = WSK_CLIENT_DATAGRAM_DISPATCH(self.receive_from_event)

    def receive_from_event(self, SocketContext: Any, Flags: int, DataIndication: WSK_DATAGRAM_INDICATION | None) -> int:
        assert SocketContext == "receiver"
        assert KeGetCurrentIrql() == DISPATCH_LEVEL
        assert Flags & WSK_FLAG_AT_DISPATCH_LEVEL
        assert DataIndication is not None
        self.lists.append(DataIndication)
        self.flags.append(Flags & ~WSK_FLAG_AT_DISPATCH_LEVEL)
        batch = []
        element: WSK_DATAGRAM_INDICATION | None = DataIndication
        while element is not None:
            assert (element.ControlInfo, element.ControlInfoLength) == (None, 0)
            assert element.RemoteAddress is not None
            batch.append((data_of(element), simple.host_and_port(element.RemoteAddress)[0]))
            element = element.Next
        self.got.append(batch)
        if self.inside is not None:
            self.inside()
        return self.answers.pop(0) if self.answers else STATUS_SUCCESS

    @property
    def datagrams(self) -> list[bytes]:
        return [data for batch in self.got for data, _ in batch]


def data_of(element: WSK_DATAGRAM_INDICATION) -> bytes:
    Buffer: WSK_BUF = element.Buffer
    return b"" if Buffer.Mdl is None else bytes(Buffer.Mdl.MappedSystemVa or b"")[: Buffer.Length]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def listening(lab: Lab, receiver: Receiver, is_enabled: bool = True) -> WSK_SOCKET:
    Socket = lab.datagram(lab.far, PORT, SocketContext="receiver", Dispatch=receiver.dispatch)
    if is_enabled:
        assert simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM) == STATUS_SUCCESS
    return Socket


@pytest.mark.rule("R-278", "R-277", "D-26")
def test_each_datagram_is_indicated_once(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    listening(lab, receiver)
    for data in (b"one", b"", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert receiver.got == [[(b"one", NEAR)], [(b"", NEAR)], [(b"three", NEAR)]]


@pytest.mark.rule("R-276")
def test_what_has_waited_comes_as_one_list_with_each_source(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    send_to(near, b"near", TO_FAR)
    send_to(lab.datagram(lab.far), b"far", TO_FAR)
    lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert [sorted(batch) for batch in receiver.got] == [[(b"far", FAR), (b"near", NEAR)]]


@pytest.mark.rule("R-276")
def test_different_casts_are_not_mixed_in_one_list(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    join(Socket)
    ok(simple.set_option(near, SOL_SOCKET, SO_BROADCAST, 1))
    for host in (FAR, FAR, BROADCAST, GROUP, GROUP, FAR):
        send_to(near, b"" if host == GROUP else host.encode(), simple.address(host, PORT))
        lab.run()
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert [len(batch) for batch in receiver.got] == [2, 1, 2, 1]
    assert receiver.flags == [0, MSG_BCAST, MSG_MCAST, 0]
    assert receiver.datagrams == [FAR.encode(), FAR.encode(), BROADCAST.encode(), b"", b"", FAR.encode()]


@pytest.mark.rule("R-275")
def test_a_waiting_receive_comes_first(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    request, memory, *_ = receive_from(Socket)
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert bytes(memory[: request.information]) == b"one"
    assert receiver.datagrams == [b"two"]


@pytest.mark.rule("R-279", "R-229", "R-230")
def test_retained_lists_are_released_in_any_grouping(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_PENDING] * 2
    for data in (b"one", b"two", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()
    first, second, consumed = receiver.lists
    assert [data_of(element) for element in (first, second)] == [b"one", b"two"]
    second.Next = first
    release = Socket.Dispatch.WskRelease

    assert release(Socket, second) == STATUS_SUCCESS
    for not_retained in (first, consumed, None):
        assert release(Socket, not_retained) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-280", "R-281")
def test_a_refusal_disables_the_event_until_it_is_enabled_again(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    assert receiver.datagrams == [b"one"]
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert receiver.got[1:] == [[(b"one", NEAR), (b"two", NEAR)]]


def test_refused_datagrams_can_be_received(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DATA_NOT_ACCEPTED]
    send_to(near, b"one", TO_FAR)
    lab.run()

    assert ok(simple.receive_from(Socket))[0] == b"one"


def test_any_other_answer_takes_the_datagrams(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    receiver.answers = [STATUS_DEVICE_NOT_READY]
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()

    assert receiver.datagrams == [b"one", b"two"]
    assert Socket.Dispatch.WskRelease(Socket, receiver.lists[0]) == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-293", "R-295")
def test_disabling_outside_and_inside_the_event(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    returned: list[NTSTATUS] = []

    def disable() -> None:
        returned.append(simple.control_events(Socket, WSK_EVENT_DISABLE | WSK_EVENT_RECEIVE_FROM))

    receiver.inside = disable
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    disable()

    assert returned == [STATUS_EVENT_PENDING, STATUS_SUCCESS]
    assert receiver.datagrams == [b"one"]


@pytest.mark.rule("R-251", "R-252")
def test_closing_inside_the_event(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    for data in (b"one", b"two"):
        send_to(near, data, TO_FAR)
        lab.run()
    requests: list[Request] = []
    receiver.inside = lambda: requests.append(start(Socket.Dispatch.WskCloseSocket, Socket))
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert requests[0].returned == STATUS_PENDING
    assert requests[0].completions == [(STATUS_SUCCESS, 0)]
    assert len(receiver.got) == 1


def test_a_receive_made_inside_the_event_gets_the_next_datagram(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver)
    waiting: list[Any] = []
    receiver.inside = lambda: waiting.append(receive_from(Socket)) if not waiting else None
    for data in (b"one", b"two", b"three"):
        send_to(near, data, TO_FAR)
        lab.run()

    request, memory, *_ = waiting[0]
    assert bytes(memory[: request.information]) == b"two"
    assert receiver.datagrams == [b"one", b"three"]


def test_many_datagrams_are_indicated_in_order(lab: Lab, near: WSK_SOCKET, receiver: Receiver) -> None:
    Socket = listening(lab, receiver, False)
    sent = [b"%d" % number for number in range(200)]
    for data in sent:
        send_to(near, data, TO_FAR)
        lab.run(0.001)
    simple.control_events(Socket, WSK_EVENT_RECEIVE_FROM)

    assert len(receiver.got) > 1
    assert receiver.datagrams == sent
