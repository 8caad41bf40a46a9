"""`serve http` on WSK, in virtual time: two hosts, and a client that reads, waits, trickles or vanishes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.support.wsk_lab import FAR, FAR6, FIN, PORT, RST, Lab, ok, start
from tests.unit.apps.http_lab import Received, pattern, read_answer
from wsknet.apps.http.service import HIGH_WATER, Http
from wsknet.wsk import (
    AF_INET6,
    SO_RCVBUF,
    SOL_SOCKET,
    STATUS_CONNECTION_RESET,
    STATUS_SUCCESS,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    simple,
)

GET = b"GET /bytes/%d HTTP/1.1\r\nHost: h\r\n\r\n"
BEGUN = b"GET / HTTP/1.1\r\nHost: h\r\n"


@pytest.fixture
def service(lab: Lab) -> Iterator[Http]:
    made = Http(PORT)
    with lab.far.activate():
        made.start()
    yield made
    with lab.far.activate():
        made.stop()
    assert not made.connections


class Reader:
    """Reads answers of one connection one after the other."""

    def __init__(self, Socket: WSK_SOCKET) -> None:
        self.Socket = Socket
        self._rest = b""

    def answer(self, length: int) -> Received:
        """The next one, whose body has `length` octets."""
        while b"\r\n\r\n" not in self._rest or len(self._rest.partition(b"\r\n\r\n")[2]) < length:
            more = ok(simple.receive(self.Socket))
            assert more, "the connection has ended"
            self._rest += more
        found, self._rest = read_answer(self._rest)
        assert len(found.body) == length
        return found

    def rest(self) -> bytes:
        """Everything up to the end."""
        while more := ok(simple.receive(self.Socket)):
            self._rest += more
        return self._rest


def end(lab: Lab, Socket: WSK_SOCKET) -> None:
    ok(simple.disconnect(Socket))
    lab.run(1)
    ok(simple.close(Socket))


@pytest.mark.parametrize("address", [FAR, FAR6])
def test_a_connection_is_used_again_and_ends_without_a_reset(lab: Lab, service: Http, address: str) -> None:
    family = {} if address == FAR else {"AddressFamily": AF_INET6}
    near = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, "0.0.0.0" if address == FAR else "::", **family)
    ok(simple.connect(near, simple.address(address, PORT)))
    reader = Reader(near)
    for length in (0, 1, 70_000):
        ok(simple.send(near, GET % length))
        assert reader.answer(length).body == pattern(0, length)
    end(lab, near)
    assert not service.connections
    assert service.accepted == 1
    flags = lab.near_wire.tcp_flags() + lab.far_wire.tcp_flags()
    assert sum(bool(each & FIN) for each in flags) == 2
    assert not any(each & RST for each in flags)


def test_pipelined_requests_are_answered_in_order(lab: Lab, service: Http) -> None:
    near = lab.connected()
    ok(simple.send(near, b"".join(GET % length for length in range(500))))
    reader = Reader(near)
    for length in range(500):
        assert reader.answer(length).body == pattern(0, length)
    end(lab, near)


def test_megabytes_go_both_ways(lab: Lab, service: Http) -> None:
    near = lab.connected()
    data = pattern(0, 3 << 20)
    head = b"PUT /discard HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(data)
    start(near.Dispatch.WskSend, near, simple.buffer(head + data), 0)
    expected = b"%d %b\n" % (len(data), sha256(data).hexdigest().encode())
    reader = Reader(near)
    assert reader.answer(len(expected)).body == expected
    ok(simple.send(near, GET % len(data)))
    assert reader.answer(len(data)).body == data
    end(lab, near)


@pytest.mark.rule("RFC9112-9.3.2")
def test_who_asks_and_does_not_read_costs_no_more_than_the_bound(lab: Lab, service: Http) -> None:
    near = lab.connected()
    request = GET % (1 << 40)
    asked = start(near.Dispatch.WskSend, near, simple.buffer(request + request * 100_000), 0)
    lab.run(10)
    (connection,) = service.connections
    assert not asked.is_done
    assert connection.sends <= HIGH_WATER // 65536 + 2
    for _ in range(20):
        assert ok(simple.receive(near))
    ok(simple.disconnect(near, is_abortive=True))
    lab.run(1)
    assert not service.connections
    ok(simple.close(near))


@pytest.mark.rule("RFC9112-9.6")
def test_a_client_that_still_sends_gets_the_whole_refusal(lab: Lab, service: Http) -> None:
    near = lab.connected()
    head = b"PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: 17000000\r\n\r\n"
    sending = start(near.Dispatch.WskSend, near, simple.buffer(head + bytes(17_000_000)), 0)
    answer, rest = read_answer(Reader(near).rest())
    assert (answer.status, answer.fields["connection"], rest) == (413, "close", b"")
    lab.run(10)
    assert sending.status == STATUS_SUCCESS
    end(lab, near)
    assert not service.connections
    assert not any(flags & RST for flags in lab.far_wire.tcp_flags())


def test_a_client_that_closes_its_side_still_gets_its_answers(lab: Lab, service: Http) -> None:
    near = lab.connected()
    ok(simple.send(near, (GET % 2_000_000) + GET % 5))
    start(near.Dispatch.WskDisconnect, near, None, 0)
    first, rest = read_answer(Reader(near).rest())
    second, rest = read_answer(rest)
    assert (first.body, second.body, rest) == (pattern(0, 2_000_000), pattern(0, 5), b"")
    lab.run(1)
    assert not service.connections
    ok(simple.close(near))


def test_a_request_that_is_cut_off_is_answered_with_400(lab: Lab, service: Http) -> None:
    near = lab.connected()
    ok(simple.send(near, BEGUN))
    start(near.Dispatch.WskDisconnect, near, None, 0)
    answer, rest = read_answer(Reader(near).rest())
    assert (answer.status, answer.fields["connection"], rest) == (400, "close", b"")
    lab.run(1)
    assert not service.connections
    ok(simple.close(near))


@pytest.mark.parametrize("begun", [b"", b"\r\n", BEGUN])
def test_a_client_that_is_silent_or_trickles_is_shown_the_door(lab: Lab, service: Http, begun: bytes) -> None:
    near = lab.connected()
    lab.run(5)
    if begun:
        ok(simple.send(near, begun))
    for _ in range(6):
        lab.run(10)
        if begun:
            ok(simple.send(near, b"\r\n" if begun == b"\r\n" else b"x"))
    lab.run(6)
    now = lab.network.driver.now()
    said = Reader(near).rest()
    assert lab.network.driver.now() == now, "it came later than it should"
    assert said.startswith(b"HTTP/1.1 408 " if begun == BEGUN else b"")
    assert bool(said) == (begun == BEGUN)
    assert len(service.connections) == 1
    lab.run(36)
    assert not service.connections  # it has not closed its own side either
    assert simple.send(near, b"x")[0] == STATUS_CONNECTION_RESET
    ok(simple.close(near))


def test_a_client_that_never_reads_is_reset(lab: Lab, service: Http) -> None:
    near = lab.connected()
    ok(simple.set_option(near, SOL_SOCKET, SO_RCVBUF, 10_000))
    ok(simple.send(near, GET % (1 << 40)))
    lab.run(50)
    assert len(service.connections) == 1
    lab.run(20)
    assert not service.connections
    ok(simple.close(near))


def test_an_upload_that_goes_on_may_take_its_time(lab: Lab, service: Http) -> None:
    near = lab.connected()
    ok(simple.send(near, b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"))
    for number in range(10):
        lab.run(50)
        ok(simple.send(near, b"%d" % number))
    answer = Reader(near).answer(8)
    assert answer.status == 201
    lab.run(1)
    end(lab, near)


def test_more_connections_than_the_bound_are_refused(lab: Lab, service: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Http, "most_connections", 3)
    sockets = [lab.connected() for _ in range(4)]
    lab.run(1)
    assert len(service.connections) == 3
    assert simple.receive(sockets[3])[0] == STATUS_CONNECTION_RESET
    end(lab, sockets[0])
    again = lab.connected()
    ok(simple.send(again, GET % 5))
    assert Reader(again).answer(5).body == pattern(0, 5)
    for near in (*sockets[1:3], again):
        end(lab, near)
    ok(simple.close(sockets[3]))


def test_stopping_resets_what_is_open(lab: Lab) -> None:
    service = Http(PORT)
    with lab.far.activate():
        service.start()
    near = lab.connected()
    ok(simple.send(near, GET % (1 << 40)))
    lab.run(0.001)
    with lab.far.activate():
        service.stop()
    lab.run(1)
    assert simple.send(near, b"?")[0] == STATUS_CONNECTION_RESET
    assert not service.connections
    ok(simple.close(near))
