"""A scenario's hosts, all emulated, in virtual time: the same seed gives the same frames, byte for byte."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.wire import Hub
from wsknet.host import Host, HostInterface, Network
from wsknet.inspect.tables import interface_lines, sections
from wsknet.scenario import build
from wsknet.scenario.alter import alter
from wsknet.scenario.faces.endpoints import MANNERS, EndpointSockets
from wsknet.scenario.frames import build_frame
from wsknet.scenario.names import add_names, serve_zone
from wsknet.scenario.record import Record, RecordedEnd
from wsknet.types import MILLISECOND, Duration, Instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from wsknet.scenario import schema
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Change, Inject, Scenario
    from wsknet.scenario.world import SeenFrame, Sockets

SETTLED = 20 * MILLISECOND
"""Time that each step is given for its frames: many round trips of a link that is not impaired."""


class VirtualWorld:
    """``with VirtualWorld(scenario, column, seed) as world: ...``"""

    def __init__(self, scenario: Scenario, column: Column, seed: int = 1, pcap: Path | None = None) -> None:
        self._scenario = scenario
        self._column = column
        self._seed = seed
        self._pcap = pcap
        self._network = Network(seed)
        self._record = Record(None)
        self._sockets: dict[str, Sockets] = {}

    def __enter__(self) -> VirtualWorld:
        if self._pcap is not None:
            self._record.writer = PcapngWriter.open(self._pcap, self._network.driver.epoch)
        for name, described in self._scenario.hosts.items():
            config = build.stack_config(described, self._column)
            host = self._network.host(name, config.behaviour, config, described.is_router)
            build.add_interfaces(host, described)
            add_names(host, described)
            host.stack.ip.annotate = True
        self._plug()
        for name, described in self._scenario.hosts.items():
            build.add_routes(self._network.hosts[name], described)
            self._sockets[name] = sockets_of(self._network.hosts[name], self._column.face, described)
            if described.zone:
                serve_zone(self._network.hosts[name], described)
        self.settle()
        return self

    def _plug(self) -> None:
        ends: dict[str, list[tuple[str, str]]] = {}
        for host, described in self._scenario.hosts.items():
            for card, settings in described.interfaces.items():
                if settings.link:
                    ends.setdefault(settings.link, []).append((host, card))
        for link, cards in ends.items():
            names = [f"{host}.{card}" for host, card in cards]
            impairment = build.impairment_of(self._scenario.links.get(link))
            hub = Hub(self._network.driver, Random(f"{self._seed} {link}"), names, impairment)
            for (host, card), end in zip(cards, hub.ends, strict=True):
                interface = self._network.hosts[host].interfaces[card]
                interface.plug(RecordedEnd(end, self._record, interface.describers))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.begin("the end")
                for sockets in self._sockets.values():
                    sockets.close_all()
                    self.settle()
        finally:
            self._network.close()
            if self._record.writer is not None:
                self._record.writer.close()

    @property
    def frames(self) -> list[SeenFrame]:
        return self._record.frames

    def emulated(self, host: str) -> Host:
        return self._network.hosts[host]

    def sockets(self, host: str) -> Sockets:
        return self._sockets[host]

    def change(self, change: Change) -> None:
        alter(self._network.hosts[change.what], change)

    def inject(self, step: Inject) -> None:
        sender, receiver = (self._card(name) for name in (step.what, step.to))
        frame = build_frame(step.frame, sender.mac, receiver.mac)
        device = sender.device
        assert device is not None
        with sender.host.pump as now:
            device.transmit((frame,), now, "put on the link by hand")

    def _card(self, name: str) -> HostInterface:
        host, _, card = name.partition(".")
        return self._network.hosts[host].interfaces[card]

    def table(self, host: str, show: str) -> list[str] | None:
        return table_lines(self._network.hosts[host], show)

    def begin(self, step: str) -> None:
        self._record.step = step

    def run_until(self, ready: Callable[[], bool], limit: Duration) -> bool:
        driver = self._network.driver
        return driver.run_until(ready, Instant(driver.now() + limit))

    def settle(self) -> None:
        self._network.driver.run_for(SETTLED)

    def pass_time(self, duration: Duration) -> None:
        self._network.driver.run_for(duration)


def sockets_of(host: Host, face: str, described: schema.Host) -> Sockets:
    if face == "wsk":
        from wsknet.scenario.faces.wsk import WskSockets
        from wsknet.scenario.faults import prepare

        prepare(host, described)
        return WskSockets(host)
    if face == "winsock" and described.san:
        from wsknet.scenario import san
        from wsknet.scenario.faces.san import SanSockets

        san.prepare(host, described)
        return SanSockets(host)
    return EndpointSockets(host, MANNERS[face])


_HEADINGS = {"routes": "routes", "ports": "ports", "connections": "connections", "drops": "dropped"}


def table_lines(host: Host, show: str) -> list[str]:
    view = host.stack.view()
    if show in _HEADINGS:
        return sections(view)[_HEADINGS[show]]
    word = {"addresses": "address", "neighbours": "neighbour", "groups": "group"}[show]
    lines = []
    for interface in view.interfaces:
        entries = [line.strip() for line in interface_lines(interface)]
        start = word + " "
        lines += [f"{interface.name} {line.removeprefix(start)}" for line in entries if line.startswith(start)]
    return lines
