"""Where the tour takes place: a host with two interfaces and a peer beyond each, emulated or the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wsknet import text
from wsknet.apps.echo import Echo
from wsknet.apps.service import elements
from wsknet.apps.tour import Peer, name_of
from wsknet.host import Host, HostInterface, Network
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
        yield Stage(host, (peers[0], peers[1]), describe("virtual time", cards), PARTICIPANTS, by_mac)
        for peer in peers:
            peer.stop()
        network.run_for(0)


def describe(where: str, cards: list[HostInterface]) -> list[str]:
    near, far = cards
    return [
        f"A host with two interfaces and a peer beyond each ({where}):",
        "",
        f"   left {PEER_ADDRESSES[0]} --- {HOST_ADDRESSES[0]} {near.name} [multi] {far.name} {HOST_ADDRESSES[1]}"
        f" --- {PEER_ADDRESSES[1]} right",
    ]
