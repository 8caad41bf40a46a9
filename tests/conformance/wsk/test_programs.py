"""The documented programs of `tests.support.wsk_programs`, in virtual time and in real time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.support import wsk_programs as programs
from tests.support.wsk_lab import FAR, NEAR, PORT, Lab
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.wsk import (
    INADDR_LOOPBACK,
    SOCKADDR_IN,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_SUCCESS,
    KeWaitForSingleObject,
    htons,
    simple,
)

CONVERSATION = [
    "server got b'message 0'",
    "client got b'MESSAGE 0'",
    "server got b'message 1'",
    "client got b'MESSAGE 1'",
    "server got b'message 2'",
    "client got b'MESSAGE 2'",
]
ENDS = {"server ends: STATUS_SUCCESS", "client ends: STATUS_SUCCESS, 0 bytes"}


def number(address: str) -> int:
    return int.from_bytes(bytes(simple.address(address, 0))[4:8], "big")


def of(address: str, port: int) -> SOCKADDR_IN:
    found = simple.address(address, port)
    assert isinstance(found, SOCKADDR_IN)
    return found


@pytest.fixture
def real_host() -> Iterator[Host]:
    """A host of its own in real time; its programs meet on the loopback interface."""
    with RealDriver() as driver:
        driver.start()
        host = Host("real", driver, Random(1))
        with host.activate():
            yield host


@pytest.mark.rule("R-072", "R-109", "R-053")
def test_create_and_bind_a_listening_socket(lab: Lab) -> None:
    assert programs.listening_socket(PORT) == {
        "create": STATUS_SUCCESS,
        "bind": STATUS_SUCCESS,
        "close": STATUS_SUCCESS,
        "irql": True,
    }


@pytest.mark.rule("R-130", "R-131", "R-132")
def test_the_local_address_before_bind_after_bind_and_after_connect(lab: Lab) -> None:
    lab.listener()
    seen = programs.local_address_of_a_client(of(FAR, PORT))

    assert seen["created"] == (STATUS_INVALID_DEVICE_STATE, 0, 0)
    status, address, port = seen["bound"]
    assert (status, address) == (STATUS_SUCCESS, 0)
    assert port >= 49152
    assert seen["connected"] == (STATUS_SUCCESS, number(NEAR), port)


def converse(server_host: Host, client_host: Host, address: str) -> list[str]:
    """Run the blocking server and the blocking client against each other; what both have noted, in order."""
    server, client = programs.DRIVER(programs.wildcard(PORT)), programs.DRIVER(of(address, PORT))
    client.Trail = server.Trail
    with server_host.activate():
        server_thread = programs.start_thread(programs.ServerThread, server)
        KeWaitForSingleObject(server.Ready, 0, 0, False, None)
    with client_host.activate():
        client_thread = programs.start_thread(programs.ClientThread, client)
        assert programs.stop_thread(client_thread) == STATUS_SUCCESS
        assert programs.stop_thread(server_thread) == STATUS_SUCCESS
    return server.Trail


def test_a_blocking_client_and_a_blocking_server_in_virtual_time(lab: Lab) -> None:
    trail = converse(lab.far, lab.near, FAR)

    assert trail[:6] == CONVERSATION
    assert set(trail[6:]) == ENDS


def test_the_same_programs_take_the_same_steps_again(lab: Lab) -> None:
    from tests.support import wsk_lab

    first = converse(lab.far, lab.near, FAR), lab.network.driver.now(), lab.near_wire.frames
    with wsk_lab.lab() as other:
        second = converse(other.far, other.near, FAR), other.network.driver.now(), other.near_wire.frames

    assert first == second


def test_the_same_programs_in_real_time(real_host: Host) -> None:
    trail = converse(real_host, real_host, "127.0.0.1")

    assert trail[:6] == CONVERSATION
    assert set(trail[6:]) == ENDS


def test_the_seeds_in_real_time(real_host: Host) -> None:
    assert programs.listening_socket(PORT)["bind"] == STATUS_SUCCESS
    with simple.Application() as application:
        _, listener = application.open(1)
        simple.bind(listener, simple.address("0.0.0.0", PORT))
        seen = programs.local_address_of_a_client(SOCKADDR_IN(sin_port=htons(PORT), sin_addr=b"\x7f\0\0\1"))
        simple.close(listener)

    assert seen["created"][0] == STATUS_INVALID_DEVICE_STATE
    assert seen["bound"][1] == 0
    assert seen["connected"] == (STATUS_SUCCESS, INADDR_LOOPBACK, seen["bound"][2])
