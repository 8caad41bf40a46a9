"""Where the tour takes place: a host with two interfaces and a peer beyond each, emulated or the kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Thread

from wsknet import text
from wsknet.apps.echo import Echo
from wsknet.apps.service import elements
from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.apps.tour import ECHO_PORT, Peer, name_of
from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host, HostInterface, Network
from wsknet.machine.lab import Lab
from wsknet.wsk import (
    NTSTATUS,
    SOCKADDR_IN,
    WSK_DATAGRAM_INDICATION,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    PsCreateSystemThread,
)
from wsknet.wsk.simple import Application, address, bind, close, connect, disconnect, receive

HOST_ADDRESSES = ("192.0.2.1", "198.51.100.1")
PEER_ADDRESSES = ("192.0.2.2", "198.51.100.2")
PARTICIPANTS = ["left", "multi", "right"]


@dataclass
class Stage:
    host: Host
    peers: tuple[Peer, Peer]
    description: list[str]
    participants: list[str]
    """In the order of the sequence diagram."""
    by_mac: dict[str, str]


class RecordingEcho(Echo):
    """Remembers where its datagrams came from."""

    def __init__(self) -> None:
        super().__init__()
        self.datagrams_from: list[str] = []

    def datagrams(self, Socket: WSK_SOCKET, Indication: WSK_DATAGRAM_INDICATION) -> NTSTATUS:
        for element in elements(Indication):
            self.datagrams_from.append(name_of(SOCKADDR_IN.cast(element.RemoteAddress)))
        return super().datagrams(Socket, Indication)


class EmulatedPeer:
    """Another host of the virtual network."""

    def __init__(self, host: Host, own_address: str) -> None:
        self.name = host.name
        self.address = own_address
        self._host = host
        self._echo = RecordingEcho()
        with host.activate():
            self._echo.start()

    @property
    def datagrams_from(self) -> list[str]:
        return self._echo.datagrams_from

    def connect(self, remote: str, port: int) -> None:
        with self._host.activate():
            PsCreateSystemThread([None], 0, None, None, None, self._connect, (remote, port))

    def _connect(self, StartContext: tuple[str, int]) -> None:
        with Application() as application:
            _, Socket = application.open(WSK_FLAG_CONNECTION_SOCKET)
            bind(Socket, address("0.0.0.0", 0))
            connect(Socket, address(*StartContext))
            while receive(Socket)[1]:
                pass
            disconnect(Socket)
            close(Socket)

    def stop(self) -> None:
        with self._host.activate():
            self._echo.stop()


@contextmanager
def virtual_stage(seed: int, capture: Path) -> Iterator[Stage]:
    """Three emulated hosts in virtual time; the same seed gives the same capture, byte for byte."""
    with Network(seed) as network:
        network.capture(capture)
        host = network.host("multi")
        cards = [host.interface(f"eth{i}", f"{address}/24") for i, address in enumerate(HOST_ADDRESSES)]
        peers = []
        by_mac = {text.format_mac(card.mac): "multi" for card in cards}
        for name, address, card in zip(("left", "right"), PEER_ADDRESSES, cards, strict=True):
            other = network.host(name).interface("eth0", f"{address}/24")
            network.link(card, other)
            by_mac[text.format_mac(other.mac)] = name
            peers.append(EmulatedPeer(other.host, address))
        yield Stage(host, (peers[0], peers[1]), _describe("virtual time", cards), PARTICIPANTS, by_mac)
        for peer in peers:
            peer.stop()
        network.run_for(0)


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
        driver = undo.enter_context(RealDriver())
        writer = undo.enter_context(PcapngWriter.open(capture, driver.epoch))
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
        yield Stage(host, (peers[0], peers[1]), _describe("TAP, the kernel plays both", cards), PARTICIPANTS, by_mac)


def _describe(where: str, cards: list[HostInterface]) -> list[str]:
    near, far = cards
    return [
        f"A host with two interfaces and a peer beyond each ({where}):",
        "",
        f"   left {PEER_ADDRESSES[0]} --- {HOST_ADDRESSES[0]} {near.name} [multi] {far.name} {HOST_ADDRESSES[1]}"
        f" --- {PEER_ADDRESSES[1]} right",
    ]
