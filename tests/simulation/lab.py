"""The hosts and links of a world, built from the parts that users build theirs from."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.flow import FlowKey, flow_of
from tests.simulation.witness import BlackHole, Log, Witness
from tests.simulation.words import NAMES
from wsknet.config import StackConfig
from wsknet.devices.capture import Capture
from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.wire import Wire
from wsknet.host import Host, HostInterface, Network
from wsknet.net import changes
from wsknet.text import parse_address
from wsknet.transport.tcp.seq import wrap
from wsknet.types import Address, Endpoint, Family, IfIndex, Instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulation.plan import World
    from tests.simulation.side import Side
    from wsknet.devices.base import Device
    from wsknet.devices.impair import Impairment
    from wsknet.devices.wire import LinkEnd
    from wsknet.transport.tcp.seq import Seq

INTERFACE = IfIndex(2)
_NET = {Family.IPV4: ("192.0.2.{}/24", "198.51.100.{}/24"), Family.IPV6: ("2001:db8:1::{}/64", "2001:db8:2::{}/64")}
_EVERYWHERE = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}
_ROUTER = 254


class Machine:
    """One side.  `host` is another one after a restart."""

    def __init__(self, lab: Lab, side: int, cidrs: list[str]) -> None:
        self.side = side
        self.name = NAMES[side]
        self.cidrs = cidrs
        self.starts = 0
        self.is_down = False
        self.has_addresses = True
        self.device: Device | None = None
        self.parties: dict[FlowKey, Side] = {}
        """Who is told of what arrives."""
        self.log = lab.log
        self._lab = lab
        self.host = self._boot()

    @property
    def now(self) -> Instant:
        return self._lab.network.driver.now()

    def address(self, family: Family) -> Address:
        found = (parse_address(cidr.partition("/")[0]) for cidr in self.cidrs)
        return next(address for address in found if len(address) == family.address_length)

    @property
    def card(self) -> HostInterface:
        return self.host.interfaces["eth0"]

    def plug(self, device: Device) -> None:
        self.device = device
        self.card.plug(device)

    def arrived(self, frame: bytes, now: Instant) -> None:
        length, source, destination = flow_of(frame)
        side = self.parties.get((length, destination, source))
        if side is not None:
            side.heard(now)

    def change(self, change: changes.Change) -> None:
        self.host.apply(change)

    def set_addresses(self, are_there: bool) -> None:
        """Two troubles may overlap: the first to end ends both."""
        if are_there == self.has_addresses:
            return
        self.has_addresses = are_there
        interface = self.host.interfaces["eth0"]
        for cidr in self.cidrs:
            if are_there:
                interface.add_address(cidr)
            else:
                interface.remove_address(cidr.partition("/")[0])
        if are_there:
            self.route()

    def shut_down(self) -> None:
        """At once: nothing is said, and nothing remembered."""
        self.is_down = True
        pump = self.host.pump
        pump.detach(INTERFACE)
        self._lab.network.driver.rearm(pump, None)
        if self.device is not None:
            self.device.attach(lambda frame, now: None, pump)

    def start_up(self) -> None:
        self.is_down = False
        self.has_addresses = True
        self.host = self._boot()
        assert self.device is not None
        self.host.interfaces["eth0"].plug(self.device)
        self.route()

    def route(self) -> None:
        if self._lab.world.far_mtu is not None:
            for family in Family:
                gateway = _NET[family][self.side].format(_ROUTER).partition("/")[0]
                if self._lab.carries(family):
                    self.host.route(_EVERYWHERE[family], via=gateway)

    def _boot(self) -> Host:
        world, network = self._lab.world, self._lab.network
        self.starts += 1
        rng = Random(f"{world.seed} {self.name} {self.starts}")
        config = StackConfig(behaviour=world.behaviours[self.side])
        host = Host(self.name, network.driver, rng, config, self.side + 1)
        host.interface("eth0", *self.cidrs, mtu=world.mtus[self.side])
        if world.is_near_wrap:
            host.stack.tcp.initial_sequence = _near_wrap(host.stack.tcp.initial_sequence, rng)
        return host


class Lab:
    def __init__(self, world: World, capture: Path | None = None) -> None:
        self.world = world
        self.network = Network(world.seed)
        self.log = Log()
        self._writer = PcapngWriter.open(capture, self.network.driver.epoch) if capture is not None else None
        self._ends: list[tuple[LinkEnd, Impairment]] = []
        families = [family for family in Family if self.carries(family)]
        far = int(world.far_mtu is not None)
        self.machines = [
            Machine(self, side, [_NET[family][side * far].format(side + 1) for family in families]) for side in (0, 1)
        ]
        self.router = self._router(families) if far else None
        one, other = self.machines
        if self.router is None:
            self._join(0, (one, other), world.links)
        else:
            near, beyond = self.router.interfaces["near"], self.router.interfaces["far"]
            clean = replace(world.links[1], loss=0.0, corrupt=0.0, rate=None)
            self._join(0, (one, near), world.links)
            self._join(1, (beyond, other), (replace(clean, delay=0), clean))
            for machine in self.machines:
                machine.route()

    def carries(self, family: Family) -> bool:
        """IPv6 needs 1280 bytes everywhere (RFC 8200 5)."""
        world = self.world
        return family is Family.IPV4 or min(*world.mtus, world.far_mtu or 1280) >= 1280

    def close(self) -> None:
        self.network.close()
        if self._writer is not None:
            self._writer.close()

    def set_path(self, is_whole: bool) -> None:
        """Cut every link, or mend it."""
        for end, impairment in self._ends:
            end.impairment = impairment if is_whole else replace(impairment, loss=1.0)

    def _router(self, families: list[Family]) -> Host:
        rng = Random(f"{self.world.seed} router")
        router = Host("router", self.network.driver, rng, number=3, is_router=True)
        for name, index in (("near", 0), ("far", 1)):
            cidrs = [_NET[family][index].format(_ROUTER) for family in families]
            mtu = self.world.far_mtu if index else 9000
            assert mtu is not None
            router.interface(name, *cidrs, mtu=mtu, link_local=False)
        return router

    def _join(
        self, number: int, who: tuple[Machine | HostInterface, Machine | HostInterface], links: tuple[Impairment, ...]
    ) -> None:
        driver = self.network.driver
        wire = Wire(driver, Random(f"{self.world.seed} link {number}"), f"link{number}.a", f"link{number}.b")
        cards = [each.card if isinstance(each, Machine) else each for each in who]
        for end, each, facing, impairment in zip(wire.ends, who, cards[::-1], links, strict=True):
            end.impairment = impairment
            self._ends.append((end, impairment))
            device: Device = Capture(end, self._writer) if self._writer is not None else end
            arrived = each.arrived if isinstance(each, Machine) else None
            device = Witness(device, end.channel, self.log, facing.mac, arrived)
            each.plug(BlackHole(device, self.log) if self.world.is_black_hole and arrived is None else device)


def _near_wrap(
    usual: Callable[[Endpoint, Endpoint, Instant], Seq], rng: Random
) -> Callable[[Endpoint, Endpoint, Instant], Seq]:
    seen: set[tuple[Endpoint, Endpoint]] = set()

    def initial_sequence(local: Endpoint, remote: Endpoint, now: Instant) -> Seq:
        if (local, remote) in seen:
            return usual(local, remote, now)
        seen.add((local, remote))
        return wrap(-rng.randrange(1, 20_000))

    return initial_sequence
