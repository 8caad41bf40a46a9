"""The documented WSK programs on real frames: the same functions as in virtual time, the kernel beyond the TAP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from random import Random

import pytest

from tests.support import wsk_programs as programs
from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.machine.lab import Lab
from wsknet.wsk import SOCKADDR_IN, STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS, KeWaitForSingleObject, htons

pytestmark = pytest.mark.tap

OURS, KERNEL, PORT = "198.51.100.2", "198.51.100.1", 7777


class Bench:
    """One emulated host on a TAP in a namespace of its own, current for the test."""

    def __init__(self, lab: Lab, host: Host) -> None:
        self.lab = lab
        self.host = host

    def listener(self) -> socket.socket:
        with self.lab.entered():
            return socket.create_server((KERNEL, PORT))

    def connect(self) -> socket.socket:
        with self.lab.entered():
            return socket.create_connection((OURS, PORT), timeout=20)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Lab.unnamed() as lab, RealDriver() as driver:
        host = Host("driver", driver, Random(1))
        device = lab.tap("tap0", TapDevice, peer=[f"{KERNEL}/24"])
        attach_tap(host, InterfaceOptions("tap0", (f"{OURS}/24",)), device, None)
        driver.start()
        with host.activate():
            yield Bench(lab, host)
        driver.remove_device(device)


def kernel_address() -> SOCKADDR_IN:
    return SOCKADDR_IN(sin_port=htons(PORT), sin_addr=socket.inet_aton(KERNEL))


@pytest.mark.rule("R-072", "R-109")
def test_create_and_bind_a_listening_socket(bench: Bench) -> None:
    seen = programs.listening_socket(PORT)
    assert (seen["create"], seen["bind"], seen["close"]) == (STATUS_SUCCESS,) * 3


@pytest.mark.rule("R-130", "R-131", "R-132")
def test_the_local_address_before_bind_after_bind_and_after_connect(bench: Bench) -> None:
    with bench.listener():
        seen = programs.local_address_of_a_client(kernel_address())
    assert seen["created"] == (STATUS_INVALID_DEVICE_STATE, 0, 0)
    status, address, port = seen["bound"]
    assert (status, address) == (STATUS_SUCCESS, 0)
    assert port >= 49152
    ours = int.from_bytes(socket.inet_aton(OURS), "big")
    assert seen["connected"] == (STATUS_SUCCESS, ours, port)


def test_the_blocking_server_serves_the_kernel(bench: Bench) -> None:
    server = programs.DRIVER(programs.wildcard(PORT))
    thread = programs.start_thread(programs.ServerThread, server)
    KeWaitForSingleObject(server.Ready, 0, 0, False, None)
    with bench.connect() as client:
        for number in range(3):
            client.sendall(b"message %d" % number)
            assert client.recv(100) == b"MESSAGE %d" % number
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert programs.stop_thread(thread) == STATUS_SUCCESS
    assert server.Trail[:3] == [f"server got b'message {number}'" for number in range(3)]


def test_the_blocking_client_is_served_by_the_kernel(bench: Bench) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(100):
                connection.sendall(data.upper())

    with bench.listener() as listener:
        kernel = threading.Thread(target=serve, args=(listener,), daemon=True)
        kernel.start()
        client = programs.DRIVER(kernel_address())
        thread = programs.start_thread(programs.ClientThread, client)
        assert programs.stop_thread(thread) == STATUS_SUCCESS
        kernel.join(20)
    assert client.Trail[:3] == [f"client got b'MESSAGE {number}'" for number in range(3)]
