"""Mistakes once made behind the Winsock Kernel interface, each with the rule that it broke."""

from __future__ import annotations

import threading
from random import Random

import pytest

from tests.support.wsk_lab import PORT, Lab, Request, ok, start
from wsknet.apps.chargen import Chargen
from wsknet.apps.echo import Echo
from wsknet.apps.service import Service
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.wsk import (
    AF_INET6,
    NTSTATUS,
    SOCKADDR_IN,
    STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED,
    STATUS_CONNECTION_RESET,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_DATAGRAM_INDICATION,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    simple,
)


def ask_address(Socket: WSK_SOCKET, request: Request) -> Request:
    return request.start(Socket.Dispatch.WskGetLocalAddress, Socket, SOCKADDR_IN())


# The order of completions


@pytest.mark.rule("R-061")
def test_a_request_from_the_routine_of_a_failed_one_completes_after_it(lab: Lab) -> None:
    bound = lab.datagram(lab.near)
    unbound = lab.socket(lab.near, WSK_FLAG_CONNECTION_SOCKET)
    failing, inner = Request(), Request()
    order = []
    inner.then = lambda: order.append("inner")

    def then() -> None:
        ask_address(bound, inner)
        order.append("failing")

    failing.then = then
    ask_address(unbound, failing)

    assert (failing.returned, failing.was_pending) == (STATUS_INVALID_DEVICE_STATE, [False])
    assert (inner.returned, inner.was_pending) == (STATUS_PENDING, [True])
    assert order == ["failing", "inner"]


@pytest.mark.rule("R-060")
def test_a_routine_that_raises_keeps_nothing_back(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    raising, waiting = Request(), Request()

    def then() -> None:
        ask_address(Socket, waiting)
        raise ZeroDivisionError

    raising.then = then
    with pytest.raises(ZeroDivisionError):
        ask_address(Socket, raising)

    assert waiting.status == STATUS_SUCCESS


@pytest.mark.rule("R-060")
def test_the_first_of_two_exceptions_surfaces_and_the_rest_goes_on(lab: Lab) -> None:
    Socket = lab.datagram(lab.near)
    outer, raising, waiting = Request(), Request(), Request()

    def then() -> None:
        ask_address(Socket, raising)
        ask_address(Socket, waiting)

    def fail() -> None:
        raise ZeroDivisionError

    outer.then, raising.then = then, fail
    with pytest.raises(ZeroDivisionError):
        ask_address(Socket, outer)

    assert (raising.status, waiting.status) == (STATUS_SUCCESS, STATUS_SUCCESS)


# Memory that is lent


@pytest.mark.rule("R-068", "R-351", "D-10")
def test_cancelling_a_disconnect_gives_its_buffer_back(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    memory = bytearray(b"the last")
    request = start(near.Dispatch.WskDisconnect, near, simple.buffer(memory), 0)
    IoCancelIrp(request.Irp)
    memory[:] = bytes(len(memory))
    lab.cut(is_cut=False)
    arrived = start(far.Dispatch.WskReceive, far, simple.buffer(bytearray(100)), 0)
    lab.run(10)

    assert request.status == STATUS_CANCELLED
    assert not arrived.completions
    assert simple.send(near, b"more")[0] == STATUS_CONNECTION_ABORTED


@pytest.mark.rule("R-068", "R-215")
def test_cancelling_a_disconnect_that_has_lent_nothing_leaves_the_connection(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    request = start(near.Dispatch.WskDisconnect, near, None, 0)
    IoCancelIrp(request.Irp)
    lab.cut(is_cut=False)
    lab.run(10)
    ok(simple.send(far, b"still here"))

    assert request.status == STATUS_CANCELLED
    assert ok(simple.receive(near)) == b"still here"


@pytest.mark.rule("R-068")
def test_cancelling_an_empty_send_leaves_the_connection(lab: Lab) -> None:
    near, far = lab.pair()
    lab.cut()
    full = start(near.Dispatch.WskSend, near, simple.buffer(b"on its way"), 0)
    empty = start(near.Dispatch.WskSend, near, WSK_BUF(None, 0, 0), 0)
    IoCancelIrp(empty.Irp)
    lab.cut(is_cut=False)
    lab.run(10)

    assert (empty.status, full.status) == (STATUS_CANCELLED, STATUS_SUCCESS)
    assert ok(simple.receive(far)) == b"on its way"


# Stopping the served applications


@pytest.mark.rule("R-257")
def test_a_service_stops_while_another_thread_runs_its_callback() -> None:
    """What the callback requests still finds its socket open."""
    service = Echo(PORT)
    answer, failures, overtaken = service.datagrams, list[BaseException](), list[bool]()
    entered, stopped = threading.Event(), threading.Event()

    def answer_late(Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        entered.set()
        overtaken.append(stopped.wait(0.05))
        return answer(Socket, Indication)

    def ask(host: Host) -> None:
        try:
            with host.activate(), simple.Application() as application:
                Socket = ok(application.open(WSK_FLAG_DATAGRAM_SOCKET, AF_INET6))
                ok(simple.bind(Socket, simple.address("::", 0)))
                ok(simple.send_to(Socket, b"?", simple.address("::1", PORT)))  # that socket is closed first
                ok(simple.close(Socket))
        except BaseException as error:
            failures.append(error)

    service.datagrams = answer_late  # type: ignore[method-assign]
    with RealDriver() as driver:
        driver.start()
        host = Host("server", driver, Random(1))
        with host.activate():
            service.start()
            asking = threading.Thread(target=ask, args=(host,), daemon=True)
            asking.start()
            assert entered.wait(10)
            service.stop()
            stopped.set()
            asking.join(10)

    assert not failures
    assert overtaken == [False]


@pytest.mark.rule("R-021", "R-248")
@pytest.mark.parametrize("service", [Echo(PORT), Chargen(PORT)])
def test_a_service_that_stops_resets_every_connection(lab: Lab, service: Service) -> None:
    with lab.far.activate():
        service.start()
    peers = [lab.connected() for _ in range(3)]
    for near in peers:
        start(near.Dispatch.WskSend, near, simple.buffer(bytes(100_000)), 0)
    lab.run(0.0002)
    with lab.far.activate():
        service.stop()
    lab.run()

    assert [simple.send(near, b"?")[0] for near in peers] == [STATUS_CONNECTION_RESET] * 3
    assert not service.connections
