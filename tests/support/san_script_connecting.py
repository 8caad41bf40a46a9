"""Steps about sockets without a connection, connecting, listening and accepting."""

from __future__ import annotations

from typing import Any

from tests.support.san_script import PORT, Script, address, text_of
from tests.support.san_ways import ABSENT, SERVER
from wsknet.san.numbers import (
    AF_INET,
    AF_INET6,
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    FIONBIO,
    FIONREAD,
    INVALID_SOCKET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SD_BOTH,
    SO_ACCEPTCONN,
    SO_CONDITIONAL_ACCEPT,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_LINGER,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
)
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT, LINGER, TIMEVAL


def calls_without_a_connection(script: Script) -> None:
    client = script.client
    client.do("socket", AF_INET6, SOCK_STREAM, IPPROTO_TCP)
    client.do("socket", AF_INET, SOCK_RAW, 0)
    client.do("socket", AF_INET, SOCK_STREAM, IPPROTO_UDP)
    client.do("socket", AF_INET, 0, 0)
    s = client.do("socket", AF_INET, SOCK_STREAM, IPPROTO_TCP)
    client.names(s)
    client.send(s, b"nobody")
    client.recv(s)
    client.do("shutdown", s, SD_BOTH)
    client.do("listen", s, 5)
    client.do("accept", s, None, None)
    client.do("bind", s, address(ABSENT, 0), SIZE)
    client.do("bind", s, address(bytes(4), 4000), SIZE - 1)
    client.do("bind", s, None, SIZE)
    other_family = SOCKADDR_IN()
    other_family.sin_family = AF_INET6
    client.do("bind", s, other_family, SIZE)
    client.do("connect", s, other_family, SIZE)
    client.do("connect", s, address(bytes(4), PORT), SIZE)
    client.do("connect", s, address(SERVER, 0), SIZE)
    client.do("bind", s, address(bytes(4), 4000), SIZE)
    client.do("bind", s, address(bytes(4), 4001), SIZE)
    client.names(s)
    client.do("accept", s, None, None)
    client.send(s, b"nobody")
    client.control(s, FIONREAD)
    client.do("ioctlsocket", s, 12345, INT())
    client.option(s, SOL_SOCKET, SO_TYPE)
    client.option(s, SOL_SOCKET, SO_ACCEPTCONN)
    client.option(s, SOL_SOCKET, 0x7777)
    client.option(s, 77, SO_TYPE)
    client.do("select", 0, [], None, None, TIMEVAL())
    client.do("closesocket", s)
    client.do("closesocket", s)
    client.recv(s)


def names_that_are_taken(script: Script) -> None:
    client = script.client
    first, second, third = (client.socket() for _ in range(3))
    client.do("setsockopt", first, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, INT(1), 4)
    client.do("setsockopt", first, SOL_SOCKET, SO_REUSEADDR, INT(1), 4)
    client.do("bind", first, address(bytes(4), 4000), SIZE)
    client.do("bind", second, address(bytes(4), 4000), SIZE)
    client.do("setsockopt", second, SOL_SOCKET, SO_REUSEADDR, INT(1), 4)
    client.do("bind", second, address(bytes(4), 4000), SIZE)
    client.do("listen", first, 5)
    client.do("listen", first, 7)
    client.do("connect", first, address(), SIZE)
    client.do("closesocket", first)
    client.do("bind", second, address(bytes(4), 4000), SIZE)
    client.do("setsockopt", third, SOL_SOCKET, SO_REUSEADDR, INT(1), 4)
    client.do("bind", third, address(bytes(4), 4000), SIZE)


def refused(script: Script) -> None:
    """And another attempt on the same socket, when somebody listens."""
    client, server = script.client, script.server
    s = client.socket()
    client.do("connect", s, address(), SIZE)
    client.names(s)
    client.option(s, SOL_SOCKET, SO_ERROR)
    client.do("connect", s, address(), SIZE)
    listener = server.listener()
    client.do("connect", s, address(), SIZE)
    client.names(s)
    client.do("connect", s, address(), SIZE)
    client.do("listen", s, 5)
    peer, length = SOCKADDR_IN(), INT(SIZE)
    accepted = server.do("accept", listener, peer, length)
    server.write(f"{text_of(peer)}, {length.Value}")
    server.names(accepted)


def refused_without_waiting(script: Script) -> None:
    client = script.client
    s = client.socket()
    event = client.event(s)
    client.do("connect", s, address(), SIZE)
    client.do("connect", s, address(), SIZE)
    client.send(s, b"too early")
    client.settled_events(s, event, 5)
    client.option(s, SOL_SOCKET, SO_ERROR)
    client.option(s, SOL_SOCKET, SO_ERROR)
    client.events(s, event)
    script.server.listener()
    client.do("connect", s, address(), SIZE)
    client.settled_events(s, event, 5)
    client.send(s, b"now")


def refused_as_select_tells(script: Script) -> None:
    client = script.client
    s = client.socket()
    client.control(s, FIONBIO, 1)
    client.do("connect", s, address(), SIZE)
    sets: list[list[int]] = [[s], [s], [s]]
    client.do("select", 0, *sets, TIMEVAL(5))
    client.write(f"{[len(each) for each in sets]}")
    client.option(s, SOL_SOCKET, SO_ERROR)


def nobody_there(script: Script) -> None:
    client = script.client
    client.do("connect", client.socket(), address(ABSENT), SIZE)
    s = client.socket()
    event = client.event(s)
    client.do("connect", s, address(ABSENT), SIZE)
    client.settled_events(s, event, 60)
    client.names(s)
    client.do("connect", client.socket(), address(bytes((203, 0, 113, 9))), SIZE)


def closed_while_connecting(script: Script) -> None:
    client = script.client
    s = client.socket()
    event = client.event(s)
    client.do("connect", s, address(ABSENT), SIZE)
    client.names(s)
    client.do("closesocket", s)
    script.pause(60)
    client.write(f"{event.is_set}")
    waiting = client.socket()
    script.in_thread(lambda: client.do("connect", waiting, address(ABSENT), SIZE))
    script.pause()
    client.do("closesocket", waiting)
    script.pause(60)


def connecting_without_waiting(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener()
    waiting = server.event(listener)
    server.do("accept", listener, None, None)
    s = client.socket()
    event = client.event(s)
    client.do("connect", s, address(), SIZE)
    client.recv(s)
    client.settled_events(s, event)
    client.do("connect", s, address(), SIZE)
    server.events(listener, waiting)
    accepted = server.do("accept", listener, None, None)
    server.do("accept", listener, None, None)
    server.events(accepted, waiting)
    client.send(s, b"one")
    server.settled_events(accepted, waiting)
    server.recv(accepted)
    server.recv(accepted)
    server.send(accepted, b"two")
    client.settled_events(s, event)
    server.do("closesocket", accepted)
    client.settled_events(s, event)
    client.recv(s)
    client.recv(s)
    client.events(s, event)


def a_full_backlog(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener(backlog=2)
    for _ in range(3):
        client.do("connect", client.socket(), address(), SIZE)
    for _ in range(2):
        server.do("accept", listener, None, None)
    client.do("connect", client.socket(), address(), SIZE)


def conditions(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener()
    event = server.event(listener)
    answers = [CF_DEFER, CF_REJECT, CF_DEFER, 77, CF_ACCEPT]

    def condition(caller: Any, data: Any, sqos: Any, gqos: Any, callee: Any, reply: Any, g: Any, context: Any) -> int:
        names = [text_of(SOCKADDR_IN.parse(each.buf)) for each in (caller, callee)]
        server.write(f"condition: {names}, {context}")
        return answers.pop(0)

    sockets = [client.socket() for _ in range(3)]
    for s in sockets:
        client.do("connect", s, address(), SIZE)
    script.pause()
    for _ in range(5):
        server.events(listener, event)
        server.do("WSAAccept", listener, None, None, condition, "context")
        script.pause()
    server.do("WSAAccept", listener, None, None, 5, 0)
    server.do("closesocket", listener)
    script.pause()
    for s in sockets:
        client.do("setsockopt", s, SOL_SOCKET, SO_RCVTIMEO, INT(100), 4)
        client.recv(s)


def answered_after_the_condition(script: Script) -> None:
    """SO_CONDITIONAL_ACCEPT."""
    client, server = script.client, script.server
    listener = server.socket()
    server.do("setsockopt", listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, INT(1), 4)
    server.do("bind", listener, address(bytes(4)), SIZE)
    server.do("listen", listener, 5)
    sockets = [client.socket() for _ in range(3)]
    events = [client.event(s) for s in sockets]
    for s, event, verdict in zip(sockets, events, (CF_ACCEPT, CF_REJECT, CF_DEFER), strict=True):
        client.do("connect", s, address(), SIZE)
        client.settled_events(s, event, 0.1)
        server.do("WSAAccept", listener, None, None, lambda *told, verdict=verdict: verdict, 0)
        client.settled_events(s, event, 3)
        client.send(s, b"accepted?")
    server.do("WSAAccept", listener, None, None, None, 0)
    client.settled_events(s, event)


def a_listener_that_goes(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener()
    s = client.socket()
    client.do("connect", s, address(), SIZE)
    event = client.event(s)
    script.in_thread(lambda: server.do("accept", server.listener(81), None, None))
    script.pause()
    server.do("closesocket", listener)
    client.settled_events(s, event)
    client.recv(s)
    client.do("connect", client.socket(), address(), SIZE)


def an_accept_that_is_cancelled(script: Script) -> None:
    server = script.server
    listener = server.listener()
    script.in_thread(lambda: server.do("accept", listener, None, None))
    script.pause()
    server.do("closesocket", listener)
    script.pause()


def gone_before_accept(script: Script) -> None:
    """In order, with something said, and by a reset."""
    client, server = script.client, script.server
    listener = server.listener()
    s = client.socket()
    client.do("connect", s, address(), SIZE)
    client.send(s, b"farewell")
    client.do("closesocket", s)
    script.pause()
    accepted = server.do("accept", listener, None, None)
    server.recv(accepted)
    server.recv(accepted)


def reset_before_accept(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener()
    event = server.event(listener)
    s = client.socket()
    client.do("connect", s, address(), SIZE)
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 0), 4)
    client.do("closesocket", s)
    server.settled_events(listener, event)
    accepted = server.do("accept", listener, None, None)
    if accepted != INVALID_SOCKET:
        server.recv(accepted)
    server.do("accept", listener, None, None)


def one_port_of_the_client(script: Script) -> None:
    """Two connections from one name, and a third that there is already."""
    client, server = script.client, script.server
    server.listener()
    server.listener(81)
    for port in (PORT, 81, PORT):
        s = client.socket()
        client.do("setsockopt", s, SOL_SOCKET, SO_REUSEADDR, INT(1), 4)
        client.do("bind", s, address(bytes(4), 4000), SIZE)
        client.do("connect", s, address(port=port), SIZE)
        client.names(s)


def datagrams(script: Script) -> None:
    client, server = script.client, script.server
    receiver = server.do("socket", AF_INET, SOCK_DGRAM, 0)
    server.recv(receiver)
    server.do("bind", receiver, address(bytes(4)), SIZE)
    s = client.do("socket", AF_INET, SOCK_DGRAM, 0)
    client.send(s, b"to nobody")
    client.do("sendto", s, b"hello", 5, 0, address(), SIZE)
    memory, source, length = bytearray(4), SOCKADDR_IN(), INT(SIZE)
    script.pause()
    server.do("recvfrom", receiver, memory, 4, 0, source, length)
    server.write(f"{bytes(memory)!r} {text_of(source)}")
    server.do("sendto", receiver, b"answer", 6, 0, source, SIZE)
    script.pause()
    client.recv(s)
    client.do("connect", s, address(port=81), SIZE)
    client.names(s)
    client.send(s, b"anybody?")
    script.pause()
    client.recv(s)
    client.do("listen", s, 5)
    client.do("accept", s, None, None)


STEPS = (
    calls_without_a_connection, names_that_are_taken, refused, refused_without_waiting, refused_as_select_tells,
    nobody_there, closed_while_connecting, connecting_without_waiting, a_full_backlog, conditions,
    answered_after_the_condition, a_listener_that_goes, an_accept_that_is_cancelled, gone_before_accept,
    reset_before_accept, one_port_of_the_client, datagrams,
)  # fmt: skip
