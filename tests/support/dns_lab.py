"""A host that asks, a router beyond which there is nothing to ask, and a DNS server, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.wsk_lab import Watch
from wsknet.apps.dns import Dns, Zone
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.devices.impair import Impairment
from wsknet.host import Network

CLIENT, SERVER, CLIENT6, SERVER6 = "192.0.2.1", "192.0.2.53", "2001:db8::1", "2001:db8::53"


class DnsLab:
    def __init__(self, behaviour: Behaviour) -> None:
        self.network = Network(seed=3)
        self.host = self.network.host("client", behaviour)
        self.server = self.network.host("server")
        near = self.host.interface("eth0", f"{CLIENT}/24", f"{CLIENT6}/64")
        far = self.server.interface("eth0", f"{SERVER}/24", f"{SERVER6}/64")
        self.network.link(near, far)
        self.wire, self.server_wire = Watch(near.device), Watch(far.device)  # type: ignore[arg-type]
        near.plug(self.wire)
        far.plug(self.server_wire)
        self.names = self.host.names
        self.names.use_servers(SERVER)
        self.zone = Zone()
        self.service = Dns(self.zone)
        with self.server.activate():
            self.service.start()

    @property
    def seconds(self) -> float:
        return self.network.driver.now() / 1e9

    def lose(self, share: float) -> None:
        """Of the frames that the client sends."""
        self.wire.inner.impairment = Impairment(loss=share)  # type: ignore[attr-defined]

    def stop(self) -> None:
        with self.server.activate():
            self.service.stop()

    def queries(self) -> list[bytes]:
        """Payloads that the client has sent to port 53 by UDP over IPv4, in order."""
        return [
            frame[42 : 14 + int.from_bytes(frame[16:18], "big")]
            for frame in self.wire.frames
            if frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[36:38] == b"\0\x35"
        ]


@contextmanager
def dns_lab(behaviour: Behaviour = WINDOWS) -> Iterator[DnsLab]:
    made = DnsLab(behaviour)
    with made.network:
        yield made
