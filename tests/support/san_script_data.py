"""Steps about data, and about the end of connections."""

from __future__ import annotations

from hashlib import sha256

from tests.support.san_script import Script, address
from wsknet.san.numbers import (
    FIONBIO,
    FIONREAD,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SIOCATMARK,
    SO_ERROR,
    SO_LINGER,
    SO_OOBINLINE,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SO_SNDTIMEO,
    SOCKET_ERROR,
    SOL_SOCKET,
    name_of,
)
from wsknet.san.sockaddr import SIZE
from wsknet.san.structures import INT, LINGER, TIMEVAL, WSABUF, WSAPROTOCOL_INFOW

LARGE = bytes(range(251)) * 1_000
"""More than the receiver's and the sender's buffers would hold of a socket that nobody reads: RDMA, too."""


def parts_of_what_came(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    client.names(s)
    server.names(accepted)
    client.send(s, b"")
    client.send(s, b"abcdefghij")
    script.pause()
    server.recv(accepted, 0)
    server.recv(accepted, 4, MSG_PEEK)
    server.control(accepted, FIONREAD)
    server.recv(accepted, 3)
    server.recv(accepted, 3)
    server.control(accepted, FIONREAD)
    server.recv(accepted, 100)
    client.send(s, b"klm")
    client.send(s, b"nop")
    script.pause()
    first, second, count = bytearray(4), bytearray(4), INT()
    server.do("WSARecv", accepted, [WSABUF(first), WSABUF(second)], 2, count, INT(), None, None)
    server.write(f"{count.Value} {bytes(first)!r} {bytes(second)!r}")
    client.do("WSASend", s, [WSABUF(b"qr"), WSABUF(b""), WSABUF(b"st", 1)], 3, count, 0, None, None)
    client.write(f"{count.Value}")
    script.in_thread(lambda: server.recv(accepted, 6, MSG_WAITALL))
    script.pause()
    client.send(s, b"uvwxyz")
    script.pause()
    server.recv(accepted)


def bad_arguments(script: Script) -> None:
    client = script.client
    s, _ = script.joined()
    client.do("send", s, None, 5, 0)
    client.do("send", s, b"abc", 4, 0)
    client.do("send", s, b"abc", -1, 0)
    client.do("send", s, b"abc", 3, MSG_PEEK)
    client.do("recv", s, b"read only", 3, 0)
    client.do("recv", s, bytearray(3), 3, 0x4000)
    client.do("shutdown", s, 3)
    client.do("setsockopt", s, SOL_SOCKET, SO_SNDBUF, INT(4096), 3)
    client.do("getsockopt", s, SOL_SOCKET, SO_SNDBUF, None, INT(4))
    client.do("WSAEventSelect", s, None, 1)
    client.do("WSAEventSelect", s, client.process.WSACreateEvent(), 0x4000)
    client.do("WSAEnumNetworkEvents", s, None, None)
    client.do("WSAGetOverlappedResult", s, None, INT(), False, INT())
    client.do("connect", s, address(), SIZE - 1)
    client.do("getpeername", s, None, INT(SIZE))


def much_of_it(script: Script) -> None:
    """Blocking sends in one thread and receives in the other, both ways in turn."""
    client, server = script.client, script.server
    s, accepted = script.joined()
    for sender, receiver, out, into in ((client, server, s, accepted), (server, client, accepted, s)):
        script.in_thread(lambda sender=sender, out=out: sender.send(out, LARGE))  # type: ignore[misc]
        data = bytearray()
        while len(data) < len(LARGE):
            memory = bytearray(10_000)
            count = receiver.process.recv(into, memory, len(memory), 0)
            data += memory[:count]
        receiver.write(f"{len(data)} {sha256(data).hexdigest()}")
        script.pause()


def finished_one_way(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    client.send(s, b"the last")
    client.do("shutdown", s, SD_SEND)
    client.send(s, b"more")
    client.send(s, b"")
    client.do("shutdown", s, SD_SEND)
    script.pause()
    for _ in range(3):
        server.recv(accepted)
    server.send(accepted, b"but we go on")
    server.do("closesocket", accepted)
    script.pause()
    for _ in range(3):
        client.recv(s)
    client.names(s)
    client.do("shutdown", s, SD_BOTH)
    client.do("closesocket", s)


def receiving_is_over(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    server.do("shutdown", accepted, SD_RECEIVE)
    server.recv(accepted)
    server.send(accepted, b"still")
    script.pause()
    client.recv(s)
    client.send(s, b"nobody wants it")
    script.pause()
    client.send(s, b"again")
    script.pause()
    client.send(s, b"again")
    client.recv(s)
    server.recv(accepted)
    server.send(accepted, b"again")


def receiving_is_over_with_data(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    client.send(s, b"unread")
    script.pause()
    server.do("shutdown", accepted, SD_RECEIVE)
    client.settled_events(s, event)
    client.recv(s)
    server.send(accepted, b"still")
    server.names(accepted)
    client.names(s)


def both_ways_are_over(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    events = client.event(s), server.event(accepted)
    client.do("shutdown", s, SD_BOTH)
    script.pause()
    client.events(s, events[0])
    server.events(accepted, events[1])
    client.recv(s)
    client.send(s, b"x")
    server.recv(accepted)
    server.do("shutdown", accepted, SD_SEND)
    script.pause()
    client.events(s, events[0])
    server.events(accepted, events[1])
    client.do("closesocket", s)
    server.do("closesocket", accepted)


def reset(script: Script) -> None:
    """SO_LINGER with no time."""
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = server.event(accepted)
    client.send(s, b"read first?")
    script.pause()
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 0), 4)
    client.do("closesocket", s)
    server.settled_events(accepted, event)
    server.option(accepted, SOL_SOCKET, SO_ERROR)
    server.recv(accepted)
    server.recv(accepted)
    server.send(accepted, b"to nobody")
    server.do("shutdown", accepted, SD_SEND)
    server.names(accepted)
    server.control(accepted, FIONREAD)
    server.events(accepted, event)


def reset_while_waiting(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    script.in_thread(lambda: server.recv(accepted))
    script.pause()
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 0), 4)
    client.do("closesocket", s)
    script.pause()
    server.recv(accepted)


def closed_with_unread_data(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    client.send(s, b"nobody reads this")
    script.pause()
    server.do("closesocket", accepted)
    client.settled_events(s, event)
    client.recv(s)
    client.send(s, b"x")


def closed_while_data_comes(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    server.send(accepted, b"first")
    server.do("closesocket", accepted)
    client.settled_events(s, event)
    client.send(s, b"too late")
    client.settled_events(s, event)
    client.recv(s)
    client.recv(s)
    client.send(s, b"x")


def closed_in_order(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    server.send(accepted, LARGE[:60_000])
    server.do("closesocket", accepted)
    client.settled_events(s, event)
    received = 0
    while True:
        memory = bytearray(7_000)
        count = client.process.recv(s, memory, len(memory), 0)
        if count <= 0:
            break
        received += count
    client.write(f"{received} {count}")
    client.settled_events(s, event)
    client.do("shutdown", s, SD_SEND)
    script.pause()
    client.recv(s)
    client.do("closesocket", s)


def no_room(script: Script) -> None:
    """Until WSAEWOULDBLOCK, and FD_WRITE when the receiver has read."""
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    client.events(s, event)
    sent = 0
    while (count := client.process.send(s, LARGE, len(LARGE), 0)) != SOCKET_ERROR:
        sent += count
        script.pause(0.1)
    client.send(s, b"?")
    client.events(s, event)
    received = 0
    server.control(accepted, FIONBIO, 1)
    while received < sent:
        memory = bytearray(65_536)
        count = server.process.recv(accepted, memory, len(memory), 0)
        received += max(count, 0)
        script.pause(0.1)
    server.write(f"everything: {received == sent}")
    server.recv(accepted)
    client.settled_events(s, event)
    client.send(s, b"!")


def urgent_data(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = server.event(accepted)
    client.send(s, b"before")
    client.send(s, b"now", MSG_OOB)
    client.send(s, b"after")
    server.settled_events(accepted, event)
    server.control(accepted, SIOCATMARK)
    server.recv(accepted)
    server.control(accepted, SIOCATMARK)
    server.events(accepted, event)
    server.recv(accepted, 1, MSG_OOB | MSG_PEEK)
    server.recv(accepted, 1, MSG_OOB)
    server.recv(accepted, 1, MSG_OOB)
    server.recv(accepted)
    server.recv(accepted)
    server.events(accepted, event)


def urgent_data_in_line(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    server.do("setsockopt", accepted, SOL_SOCKET, SO_OOBINLINE, INT(1), 4)
    client.send(s, b"before")
    client.send(s, b"!", MSG_OOB)
    client.send(s, b"after")
    script.pause()
    server.recv(accepted, 1, MSG_OOB)
    for _ in range(3):
        server.control(accepted, SIOCATMARK)
        server.recv(accepted)


def time_limits(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    driver = script.world.network.driver
    client.do("setsockopt", s, SOL_SOCKET, SO_RCVTIMEO, INT(500), 4)
    client.option(s, SOL_SOCKET, SO_RCVTIMEO)
    begin = driver.now()
    client.recv(s)
    client.write(f"after {(driver.now() - begin) // 1_000_000} ms")
    server.send(accepted, b"now")
    client.recv(s)
    server.do("setsockopt", accepted, SOL_SOCKET, SO_SNDTIMEO, INT(300), 4)
    while server.process.send(accepted, LARGE, len(LARGE), 0) != SOCKET_ERROR:
        pass
    server.send(accepted, LARGE)


def overlapped_operations(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    first, second = bytearray(5), bytearray(10)
    pending = [server.overlapped("WSARecv", accepted, memory) for memory in (first, second)]
    server.result(accepted, pending[0])
    client.send(s, b"12345678")
    script.pause()
    for each, memory in zip(pending, (first, second), strict=True):
        server.do("WSAWaitForMultipleEvents", 1, [each.hEvent], False, 0, False)
        server.result(accepted, each)
        server.write(f"{bytes(memory)!r}")
    at_once = client.overlapped("WSASend", s, b"abc", b"def")
    client.result(s, at_once, waits=True)
    third = bytearray(10)
    server.result(accepted, server.overlapped("WSARecv", accepted, third), waits=True)
    server.write(f"{bytes(third)!r}")
    last = server.overlapped("WSARecv", accepted, third)
    client.do("closesocket", s)
    server.result(accepted, last, waits=True)


def overlapped_and_closed(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    told: list[str] = []

    def routine(error: int, count: int, overlapped: object, flags: int) -> None:
        told.append(f"routine {error} {count}")

    receiving = client.overlapped("WSARecv", s, bytearray(10))
    sending = client.overlapped("WSASend", s, LARGE * 8)
    client.do("WSARecv", s, [WSABUF(bytearray(5))], 1, None, INT(), sending, routine)
    script.pause()
    client.result(s, receiving)
    client.do("closesocket", s)
    client.write(f"{told} {name_of(receiving.Internal)}")
    client.result(s, receiving)
    script.pause()
    while server.process.recv(accepted, bytearray(65_536), 65_536, 0) > 0:
        pass
    server.recv(accepted)


def overlapped_and_reset(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    receiving = server.overlapped("WSARecv", accepted, bytearray(10))
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 0), 4)
    client.do("closesocket", s)
    script.pause()
    server.result(accepted, receiving)


def lingering(script: Script) -> None:
    """The call waits until the peer has everything, or resets the connection when the time is over."""
    client, server = script.client, script.server
    s, accepted = script.joined()
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 2), 4)
    client.send(s, b"little")
    client.do("closesocket", s)
    script.pause()
    server.recv(accepted)
    server.recv(accepted)
    s, accepted = script.joined(81)
    client.control(s, FIONBIO, 1)
    client.do("setsockopt", s, SOL_SOCKET, SO_LINGER, LINGER(1, 2), 4)
    client.do("closesocket", s)
    client.control(s, FIONBIO, 0)
    client.do("closesocket", s)


def ready_as_select_tells(script: Script) -> None:
    client, server = script.client, script.server
    listener = server.listener(82)
    s, accepted = script.joined()

    def look(*sockets: int, seconds: int = 0) -> None:
        sets = [list(sockets), list(sockets), list(sockets)]
        server.do("select", 0, *sets, TIMEVAL(seconds))
        server.write(f"{[[sockets.index(each) for each in found] for found in sets]}")

    look(listener, accepted)
    client.send(s, b"urgent", MSG_OOB)
    script.pause()
    look(listener, accepted)
    client.do("connect", client.socket(), address(port=82), SIZE)
    script.pause()
    look(listener, accepted, seconds=3)
    server.do("accept", listener, None, None)
    server.recv(accepted)
    server.recv(accepted, 1, MSG_OOB)
    look(listener, accepted)
    server.do("select", 0, [accepted], [], None, TIMEVAL(2))
    client.do("closesocket", s)
    look(accepted, seconds=3)
    server.do("select", 0, [accepted, 12345], None, None, None)
    script.in_thread(lambda: server.do("select", 0, [listener], None, None, None))
    script.pause()
    server.do("closesocket", listener)
    script.pause()


def handed_to_another_process(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    info = WSAPROTOCOL_INFOW()
    server.do("WSADuplicateSocketW", accepted, 4711, info)
    duplicate = server.do("WSASocketW", -1, -1, -1, info, 0, 0)
    server.do("closesocket", accepted)
    client.send(s, b"who reads this?")
    server.recv(duplicate)
    server.do("closesocket", duplicate)
    client.recv(s)


def the_end_of_a_process(script: Script) -> None:
    client, server = script.client, script.server
    s, accepted = script.joined()
    event = client.event(s)
    server.send(accepted, b"the last words")
    script.pause()
    script.in_thread(lambda: server.recv(accepted))
    script.pause()
    server.do("WSACleanup")
    client.settled_events(s, event)
    client.recv(s)
    client.recv(s)
    server.do("WSACleanup")
    server.send(accepted, b"x")
    server.do("socket", 2, 1, 6)
    server.do("select", 0, [accepted], None, None, None)
    client.do("connect", client.socket(), address(), SIZE)


STEPS = (
    parts_of_what_came, bad_arguments, much_of_it, finished_one_way, receiving_is_over, receiving_is_over_with_data,
    both_ways_are_over, reset, reset_while_waiting, closed_with_unread_data, closed_while_data_comes, closed_in_order,
    no_room, urgent_data, urgent_data_in_line, time_limits, overlapped_operations, overlapped_and_closed,
    overlapped_and_reset, lingering, ready_as_select_tells, handed_to_another_process, the_end_of_a_process,
)  # fmt: skip
