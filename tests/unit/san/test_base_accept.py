"""WSPAccept of the TCP/IP provider: the condition function, deferred and conditional accept, what comes another way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.winsock_program import Lab, shown, sockaddr
from wsknet.san.base.stream_socket import StreamSocket
from wsknet.san.base.tcp_stream import TcpStream
from wsknet.san.numbers import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FD_ACCEPT,
    SO_CONDITIONAL_ACCEPT,
    SO_LINGER,
    SO_OOBINLINE,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT


@pytest.fixture(name="lab")
def _lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def connecting(lab: Lab) -> int:
    """A client that has sent its SYN."""
    s = lab.client.socket()
    lab.client.nonblocking(s)
    assert lab.client.connect(s, "192.0.2.2", 7) == WSAEWOULDBLOCK
    return s


def test_a_blocking_accept_waits_and_tells_who_came(lab: Lab) -> None:
    listener, address, length = lab.listener(7), SOCKADDR_IN(), INT(64)
    accepted: list[tuple[int, int]] = []
    call = ("WSPAccept", listener, address, length, None, None)
    lab.network.driver.spawn(lambda: accepted.append(lab.server.make(*call)), "accept")
    lab.pause()
    assert accepted == []

    client = lab.client.socket()
    assert lab.client.connect(client, "192.0.2.2", 7) == 0
    lab.pause()
    assert lab.server.peer(accepted[0][0]) == lab.client.name(client) == shown(address)
    assert length.Value == SIZE


def test_accept_needs_a_listening_stream_socket_and_room_for_the_address(lab: Lab) -> None:
    listener = lab.listener(7)
    assert lab.server.accept(3)[1] == WSAENOTSOCK
    assert lab.server.accept(lab.server.socket())[1] == WSAEINVAL
    assert lab.server.accept(lab.server.socket(SOCK_DGRAM))[1] == WSAEOPNOTSUPP
    assert lab.server.make("WSPAccept", listener, SOCKADDR_IN(), INT(SIZE - 1), None, None)[1] == WSAEFAULT
    assert lab.server.make("WSPAccept", listener, 7, INT(SIZE), None, None)[1] == WSAEFAULT
    assert lab.server.make("WSPAccept", listener, None, None, 7, None)[1] == WSAEFAULT


def test_a_fault_leaves_the_connection_in_the_queue(lab: Lab) -> None:
    listener = lab.listener(7)
    lab.client.connect(lab.client.socket(), "192.0.2.2", 7)

    assert lab.server.make("WSPAccept", listener, SOCKADDR_IN(), INT(0), None, None)[1] == WSAEFAULT
    assert lab.server.accept(listener)[1] == 0


def test_the_condition_function_is_told_both_names_and_the_callers_data(lab: Lab) -> None:
    listener, client, told = lab.listener(7), lab.client.socket(), []
    lab.client.connect(client, "192.0.2.2", 7)

    def condition(*arguments: Any) -> int:
        told.append(arguments)
        return CF_ACCEPT

    assert lab.server.accept(listener, condition, "data")[1] == 0
    caller, caller_data, sqos, gqos, callee, callee_data, _, data = told[0]
    assert shown(SOCKADDR_IN.parse(caller.buf)) == lab.client.name(client)
    assert bytes(callee.buf) == bytes(sockaddr("192.0.2.2", 7))
    assert (caller_data, sqos, gqos, callee_data.len, data) == (None, None, None, 0, "data")


def test_a_rejected_connection_is_reset_and_the_next_one_is_next(lab: Lab) -> None:
    listener = lab.listener(7)
    first, second = lab.client.socket(), lab.client.socket()
    for s in (first, second):
        lab.client.connect(s, "192.0.2.2", 7)

    assert lab.server.accept(listener, lambda *_: CF_REJECT)[1] == WSAECONNREFUSED
    lab.pause()
    assert lab.client.recv(first) == WSAECONNRESET
    accepted, _ = lab.server.accept(listener)
    assert lab.server.peer(accepted) == lab.client.name(second)


def test_a_deferred_connection_is_shown_again_before_others(lab: Lab) -> None:
    listener = lab.listener(7)
    first, second = lab.client.socket(), lab.client.socket()
    for s in (first, second):
        lab.client.connect(s, "192.0.2.2", 7)
    lab.pause()
    assert lab.server.accept(listener, lambda *_: CF_DEFER)[1] == WSATRY_AGAIN
    assert lab.server.accept(listener, lambda *_: 77)[1] == WSAEINVAL

    accepted, _ = lab.server.accept(listener, lambda *_: CF_ACCEPT)
    assert lab.server.peer(accepted) == lab.client.name(first)


def test_a_deferred_connection_that_was_reset_meanwhile_is_told_so(lab: Lab) -> None:
    listener, client = lab.listener(7), lab.client.socket()
    lab.client.connect(client, "192.0.2.2", 7)
    lab.server.accept(listener, lambda *_: CF_DEFER)
    lab.client.set_option(client, SO_LINGER, 1)
    lab.client.close(client)
    lab.pause()
    assert lab.server.accept(listener)[1] == WSAECONNRESET


def test_what_is_deferred_is_reset_when_the_listener_closes(lab: Lab) -> None:
    listener, client = lab.listener(7), lab.client.socket()
    lab.client.connect(client, "192.0.2.2", 7)
    lab.server.accept(listener, lambda *_: CF_DEFER)
    lab.server.close(listener)
    lab.pause()
    assert lab.client.recv(client) == WSAECONNRESET


def test_closing_ends_a_blocking_accept(lab: Lab) -> None:
    listener, ended = lab.listener(7), []
    lab.network.driver.spawn(lambda: ended.append(lab.server.accept(listener)[1]), "accept")
    lab.pause()
    lab.server.close(listener)
    lab.pause()
    assert ended == [WSAEINTR]


def test_an_accepted_socket_takes_over_options_and_mode(lab: Lab) -> None:
    listener = lab.listener(7)
    lab.server.set_option(listener, SO_RCVTIMEO, 250)
    lab.server.set_option(listener, SO_OOBINLINE, 1)
    lab.server.nonblocking(listener)
    lab.client.connect(lab.client.socket(), "192.0.2.2", 7)
    lab.pause()
    accepted, _ = lab.server.accept(listener)

    assert lab.server.option(accepted, SO_RCVTIMEO) == 250
    assert lab.server.option(accepted, SO_OOBINLINE) == 1
    assert lab.server.recv(accepted) == WSAEWOULDBLOCK
    lab.server.set_option(accepted, SO_RCVTIMEO, 0)
    assert lab.server.option(listener, SO_RCVTIMEO) == 250


# SO_CONDITIONAL_ACCEPT


def conditional(lab: Lab) -> int:
    s = lab.server.socket()
    assert not lab.server.set_option(s, SO_CONDITIONAL_ACCEPT, 1)
    lab.server.bind(s, "0.0.0.0", 7)
    lab.server.listen(s)
    assert lab.server.set_option(s, SO_CONDITIONAL_ACCEPT, 0) == WSAEINVAL
    return s


def test_a_conditional_listener_answers_after_the_condition_function(lab: Lab) -> None:
    listener, event = conditional(lab), lab.event(lab.server)
    lab.server.select(listener, event, FD_ACCEPT)
    client = connecting(lab)
    lab.pause()
    assert lab.server.events(listener, event) == (FD_ACCEPT, [])
    assert lab.client.peer(client) != ("192.0.2.2", 7)
    shown_to: list[Any] = []

    def condition(*arguments: Any) -> int:
        shown_to.append(arguments)
        return CF_ACCEPT

    assert lab.server.accept(listener, condition)[1] == WSAEWOULDBLOCK
    lab.pause(5)
    assert lab.client.peer(client) == ("192.0.2.2", 7)
    assert lab.server.events(listener, event) == (FD_ACCEPT, [])
    accepted, error = lab.server.accept(listener, condition)
    assert (error, len(shown_to)) == (0, 1)
    assert lab.server.peer(accepted) == lab.client.name(client)


@pytest.mark.parametrize("condition", [None, lambda *_: CF_ACCEPT], ids=["no-function", "accepted"])
def test_a_blocking_conditional_accept_waits_for_the_handshake(lab: Lab, condition: Any) -> None:
    listener = conditional(lab)
    client = connecting(lab)
    accepted, error = lab.server.accept(listener, condition)

    assert error == 0
    assert lab.server.peer(accepted) == lab.client.name(client)


def test_a_conditional_listener_can_refuse(lab: Lab) -> None:
    listener, ended = conditional(lab), []
    lab.network.driver.spawn(lambda: ended.append(lab.client.connect(lab.client.socket(), "192.0.2.2", 7)), "client")
    assert lab.server.accept(listener, lambda *_: CF_REJECT)[1] == WSAECONNREFUSED
    lab.pause(5)
    assert ended == [WSAECONNREFUSED]


def test_a_request_that_was_taken_back_is_not_shown(lab: Lab) -> None:
    listener = conditional(lab)
    lab.server.nonblocking(listener)
    client = connecting(lab)
    lab.pause()
    assert lab.server.accept(listener, lambda *_: CF_DEFER)[1] == WSATRY_AGAIN
    lab.client.close(client)
    lab.pause(200)
    assert lab.server.accept(listener, lambda *_: CF_ACCEPT)[1] == WSAEWOULDBLOCK


# Another way


def test_a_connection_that_came_another_way_is_accepted_like_all_others(lab: Lab) -> None:
    """Here it came through TCP to another port: what `offer` is given is a `Stream`, whatever is behind it."""
    client, server = lab.pair(9)
    behind = lab.server.provider.descriptors.find_stream(server).stream
    assert isinstance(behind, TcpStream)
    listener, event = lab.listener(7, 1), lab.event(lab.server)
    lab.server.select(listener, event, FD_ACCEPT)
    socket = lab.server.provider.descriptors.find_stream(listener)
    assert socket.may_offer

    with lab.server.host.pump as now:
        socket.offer(behind, now)
    assert lab.server.events(listener, event) == (FD_ACCEPT, [])
    assert not socket.may_offer
    accepted, _ = lab.server.accept(listener, lambda *_: CF_ACCEPT)
    assert lab.server.name(accepted) == ("192.0.2.2", 9)
    lab.client.send(client, b"hello")
    lab.pause()
    assert lab.server.recv(accepted) == b"hello"


def test_a_provider_may_take_a_connect_another_way(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `open_path` is given is bound; its result comes at any time."""
    asked: list[StreamSocket] = []
    carrier, _ = lab.pair()
    stream = lab.client.provider.descriptors.find_stream(carrier).stream
    assert stream is not None
    monkeypatch.setattr(lab.client.provider, "open_path", lambda socket, remote: asked.append(socket))
    s = lab.client.socket()
    lab.client.nonblocking(s)
    assert lab.client.connect(s, "192.0.2.2", 9) == WSAEWOULDBLOCK
    assert asked[0].is_bound

    with lab.client.host.pump as now:
        asked[0].connected(stream, now)
    assert lab.client.peer(s) == ("192.0.2.2", 7)
    assert lab.client.send(s, b"x") == (1, 0)
