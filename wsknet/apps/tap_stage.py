"""The stage of the tour on real frames: one emulated host on two TAPs, the kernel beyond them.  Linux only."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Thread

from wsknet import text
from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.apps.stages import HOST_ADDRESSES, PARTICIPANTS, PEER_ADDRESSES, Stage, describe
from wsknet.apps.tour import ECHO_PORT
from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.machine.lab import Lab


class KernelPeer:
    """The kernel beyond a TAP: plain sockets in the namespace of the lab."""

    def __init__(self, lab: Lab, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.datagrams_from: list[str] = []
        with lab.entered():
            self._stream = socket.create_server((address, ECHO_PORT))
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._datagrams.bind((address, ECHO_PORT))
            self._caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._caller.bind((address, 0))
        for serve in (self._serve_stream, self._serve_datagrams):
            Thread(target=serve, daemon=True).start()

    def connect(self, remote: str, port: int) -> None:
        Thread(target=self._connect, args=((remote, port),), daemon=True).start()

    def stop(self) -> None:
        for open_socket in (self._stream, self._datagrams, self._caller):
            open_socket.close()

    def _serve_stream(self) -> None:
        with suppress(OSError):
            connection, _ = self._stream.accept()
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

    def _serve_datagrams(self) -> None:
        with suppress(OSError):
            while True:
                data, (address, port) = self._datagrams.recvfrom(65536)
                self.datagrams_from.append(f"{address}:{port}")
                self._datagrams.sendto(data, (address, port))

    def _connect(self, remote: tuple[str, int]) -> None:
        with suppress(OSError):
            self._caller.connect(remote)
            while self._caller.recv(65536):
                pass
            self._caller.shutdown(socket.SHUT_WR)


@contextmanager
def tap_stage(seed: int, capture: Path) -> Iterator[Stage]:
    """One emulated host on two TAPs in an unnamed namespace; the kernel plays both peers.  Needs root."""
    with ExitStack() as undo:
        lab = undo.enter_context(Lab.unnamed())
        files = undo.enter_context(ExitStack())  # closed behind the driver, which writes until it has ended
        driver = undo.enter_context(RealDriver())
        writer = files.enter_context(PcapngWriter.open(capture, driver.epoch))
        host = Host("multi", driver, Random(seed))
        by_mac: dict[str, str] = {}
        peers = []
        for number, (name, ours, theirs) in enumerate(
            zip(("left", "right"), HOST_ADDRESSES, PEER_ADDRESSES, strict=True)
        ):
            device = lab.tap(f"tap{number}", TapDevice, peer=[f"{theirs}/24"])
            attach_tap(host, InterfaceOptions(f"tap{number}", (f"{ours}/24",)), device, writer)
            undo.callback(driver.remove_device, device)
            by_mac[text.format_mac(host.interfaces[f"tap{number}"].mac)] = "multi"
            by_mac[lab.mac(f"tap{number}")] = name
            peer = KernelPeer(lab, name, theirs)
            undo.callback(peer.stop)
            peers.append(peer)
        driver.start()
        cards = list(host.interfaces.values())
        yield Stage(host, (peers[0], peers[1]), describe("TAP, the kernel plays both", cards), PARTICIPANTS, by_mac)
