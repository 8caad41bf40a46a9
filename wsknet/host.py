"""Hosts and networks: the core joined with devices, a driver and the control codec.

A `Network` is a set of hosts in virtual time: no privilege, the same bytes for the same seed.  A host on the real
machine is a `Host` whose driver is `drivers.blocking.RealDriver`, see `wsknet.apps.serving`.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import ETHERNET_MTU, GIGABIT, AdvertisingConfig, AutoConfig, InterfaceConfig, StackConfig
from wsknet.control.codec import ScapyCodec
from wsknet.devices.capture import Capture
from wsknet.devices.wire import Hub
from wsknet.drivers.pump import Pump
from wsknet.drivers.sim import Simulation
from wsknet.net import changes
from wsknet.net.autoconf.identifiers import modified_eui64
from wsknet.stack import Stack
from wsknet.types import SECOND, Address, Family, IfIndex, Instant, Mac, family_of, is_link_local
from wsknet.wire.ipv6 import MIN_MTU

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from wsknet.devices.base import Device
    from wsknet.devices.capture import Describer
    from wsknet.devices.impair import Impairment
    from wsknet.devices.pcapng import PcapngWriter
    from wsknet.drivers.base import Driver
    from wsknet.names.names import Names
    from wsknet.net.autoconf.lease import Lease

_current: ContextVar[Host] = ContextVar("wsknet current host")


def current_host() -> Host:
    """The host whose machine the running code belongs to.

    Registration, allocation and thread creation read it; what they return carries its host from then on.
    """
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("no current host: run this inside `with host.activate(): ...`") from None


def find_current_host() -> Host | None:
    """The same, None where none is current."""
    return _current.get(None)


class _Activation:
    """A class and not a generator: it is entered for every drain of completions."""

    __slots__ = ("_host", "_token")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._token: Token[Host] | None = None

    def __enter__(self) -> Host:
        self._token = _current.set(self._host)
        return self._host

    def __exit__(self, *exc_info: object) -> None:
        assert self._token is not None
        _current.reset(self._token)


class HostInterface:
    """One network card of a host, by name and number."""

    def __init__(self, host: Host, index: IfIndex, config: InterfaceConfig) -> None:
        self.host = host
        self.index = index
        self.config = config
        self.device: Device | None = None
        self.is_awaited = False
        """The link comes up with the first `plug`: whoever asks the link before that asks nobody."""
        self.describers: list[Describer] = []
        """What faces add to the comments of captured frames."""

    def __repr__(self) -> str:
        return f"<HostInterface {self.host.name}.{self.name}>"

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def mac(self) -> Mac:
        return self.config.mac

    def add_address(self, cidr: str, *, skip_as_source: bool = False) -> None:
        """Configure e.g. ``192.0.2.1/24``.  `ValueError` tells what is wrong with it."""
        address, prefix_length = text.parse_cidr(cidr)
        self._apply(changes.AddressAdded(self.index, address, prefix_length, skip_as_source))

    def remove_address(self, address: str) -> None:
        self._apply(changes.AddressRemoved(self.index, text.parse_address(address)))

    @property
    def lease(self) -> Lease | None:
        """What a DHCP server has leased to it."""
        return self.host.stack.ip.dhcp.lease(self.index)

    def renew_lease(self) -> None:
        """Ask for the lease anew, or for one after it was released, as ``ipconfig /renew`` does."""
        with self.host.pump as now:
            self.host.stack.ip.dhcp.renew(self.index, now)

    def release_lease(self) -> None:
        """Give the lease back and ask for none until told, or until the link was away (``ipconfig /release``)."""
        with self.host.pump as now:
            self.host.stack.ip.dhcp.release(self.index, now)

    def set_up(self, is_up: bool) -> None:
        """Plug the cable in, or pull it."""
        self._apply(changes.LinkUp(self.index) if is_up else changes.LinkDown(self.index))

    def plug(self, device: Device) -> None:
        """Send and receive through `device` from now on, and through no other."""
        if self.device is not None:
            self.device.attach(_ignore, self.host.pump)
        self.device = device
        self.host.pump.attach(self.index, device)
        if self.is_awaited:
            self.is_awaited = False
            self.set_up(True)

    def _apply(self, change: changes.Change) -> None:
        self.host.apply(change)


def _ignore(_frame: bytes, _now: Instant) -> None:
    """What comes on a cable that is not plugged in any more."""


class Host:
    """One emulated machine: a stack, its pump, and a driver that may be shared with other hosts."""

    def __init__(
        self,
        name: str,
        driver: Driver,
        rng: Random,
        config: StackConfig | None = None,
        number: int = 1,
        is_router: bool = False,
    ) -> None:
        self.name = name
        self.driver = driver
        self.rng = rng
        self.number = number
        """Tells the hosts of a network apart in generated MAC addresses."""
        self.is_router = is_router
        """Its interfaces pass on packets for others."""
        self.stack = Stack(config or StackConfig(), ScapyCodec(), rng)
        self.pump = Pump(self.stack, driver, self.activate)
        self.interfaces: dict[str, HostInterface] = {}
        self.faces: dict[type[Any], Any] = {}
        """What each face keeps for this host, under a class of its own."""

    def __repr__(self) -> str:
        return f"<Host {self.name}>"

    def activate(self) -> _Activation:
        """``with host.activate():`` makes this the current host of the running code."""
        return _Activation(self)

    @cached_property
    def names(self) -> Names:
        """Its resolver: ``names.hosts.add("server.lab", "192.0.2.2")``, ``names.use_servers("192.0.2.53")``."""
        from wsknet.names.names import Names

        return Names(self.name, self.pump, self.rng)

    def apply(self, change: changes.Change) -> None:
        with self.pump as now:
            self.stack.apply(change, now)

    def interface(
        self,
        name: str,
        *cidrs: str,
        mac: str | None = None,
        mtu: int = ETHERNET_MTU,
        metric: int = 0,
        auto: AutoConfig | None = None,
        advertising: AdvertisingConfig | None = None,
        speed: int = GIGABIT,
        link_local: bool = True,
    ) -> HostInterface:
        """Add a network card with addresses, and unless told otherwise the IPv6 link-local one of RFC 4291 appendix A.

        `auto` tells what it finds out by itself, `advertising` what a router tells the others; both begin when it is
        plugged in.  The link-local address is left to the router discovery, if that is on; a router follows no other
        router, so its card has the address at once.  A card that carries less than 1280 bytes has no IPv6.  Without a
        `metric` the one for the link's `speed`, in bits per second, counts.
        `ValueError` for a name that is taken, a malformed address, or settings that could not work.
        """
        if name in self.interfaces:
            raise ValueError(f"{self.name} already has an interface {name}: choose another name")
        if advertising is not None and not self.is_router:
            raise ValueError(f"{self.name} is no router, and only a router advertises: make it with network.router()")
        if mtu < MIN_MTU and (advertising is not None or (auto is not None and auto.router_discovery)):
            raise ValueError(
                f"{name} is too small for IPv6, whose routers are meant here: give it an MTU of {MIN_MTU} or more"
            )
        index = IfIndex(len(self.interfaces) + 2)
        number = self.number.to_bytes(2, "big")
        hardware = text.parse_mac(mac) if mac else bytes((2, index >> 8, 0, *number, index & 255))
        settings = InterfaceConfig(
            name, hardware, mtu, metric, auto or AutoConfig(), self.is_router, advertising=advertising, speed=speed
        )
        interface = HostInterface(self, index, settings)
        interface.is_awaited = settings.auto != AutoConfig() or advertising is not None
        self.apply(changes.InterfaceAdded(index, settings, is_up=not interface.is_awaited))
        if link_local and mtu >= MIN_MTU and (self.is_router or not settings.auto.router_discovery):
            origin = changes.AddressOrigin.LINK_LOCAL
            self.apply(changes.AddressAdded(index, link_local_address(hardware), 64, origin=origin))
        try:
            for cidr in cidrs:
                interface.add_address(cidr)
        except ValueError:
            self.apply(changes.InterfaceRemoved(index))
            raise
        self.interfaces[name] = interface
        return interface

    def route(
        self,
        prefix: str,
        via: str | None = None,
        interface: str | None = None,
        metric: int = 256,
        mtu: int = 0,
        source: str | None = None,
    ) -> None:
        """Add a route: ``host.route("0.0.0.0/0", via="192.0.2.254")``, ``host.route("::/0", via="fe80::1%eth0")``.

        Without `interface` it leaves by the one whose subnet holds `via`; `ValueError` if there is none.  With both,
        `via` may be outside every subnet.  `mtu` bounds the packets that take it, `source` is the
        address of ours that they get if the program chose none.
        """
        network, prefix_length = text.parse_network(prefix)
        via_name, _, zone = (via or "").partition("%")
        gateway = text.parse_address(via_name) if via else None
        preferred = text.parse_address(source) if source else None
        if gateway is not None and len(gateway) != len(network):
            raise ValueError(f"route {prefix}: the gateway {via} is of another family than the prefix")
        if interface or zone:
            index = self.interface_index(interface or zone)
            if interface and zone and self.interface_index(zone) != index:
                raise ValueError(f"{via} is on another interface than {interface}: give one of the two")
        elif gateway is not None:
            index = self._interface_towards(gateway)
        else:
            raise ValueError(f"route {prefix}: give `via`, `interface` or both")
        self.apply(changes.RouteAdded(network, prefix_length, index, gateway, metric, mtu, preferred_source=preferred))

    def interface_index(self, name: str) -> IfIndex:
        """Of an interface by its name, or by its number in digits.  `ValueError` if there is none."""
        if name in self.interfaces:
            return self.interfaces[name].index
        known = {str(interface.index): interface for interface in self.stack.view().interfaces}
        if name in known:
            return known[name].index
        raise ValueError(f"{self.name} has no interface {name}: it has {', '.join(i.name for i in known.values())}")

    def _interface_towards(self, gateway: Address) -> IfIndex:
        found: dict[IfIndex, None] = {}
        for interface in self.stack.view().interfaces:
            for address, prefix_length in interface.addresses:
                if family_of(address) is family_of(gateway) and text.same_prefix(address, gateway, prefix_length):
                    found[interface.index] = None
        name = text.format_address(gateway)
        if not found:
            raise ValueError(
                f"no interface of {self.name} is on the subnet of the gateway {name}: give one an address there, or "
                "another gateway"
            )
        if len(found) > 1 and is_link_local(gateway):
            raise ValueError(f"the gateway {name} may be on several links: name the interface, as in {name}%eth0")
        return next(iter(found))

    def addresses(self, family: Family | None = None) -> list[Address]:
        """All own addresses, loopback last."""
        found = [a for i in self.stack.view().interfaces[::-1] for a, _ in i.addresses]
        return [a for a in found if family is None or family_of(a) is family]


def link_local_address(mac: Mac) -> Address:
    """fe80::/64 with the identifier made from `mac`."""
    return b"\xfe\x80" + bytes(6) + modified_eui64(mac)


class Network:
    """Hosts joined by virtual links, in virtual time.

    ``with Network(seed=1) as network:`` ends the emulated threads and closes the capture on the way out.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.driver = Simulation()
        self.hosts: dict[str, Host] = {}
        self._writer: PcapngWriter | None = None

    def host(
        self, name: str, behaviour: Behaviour = WINDOWS, config: StackConfig | None = None, is_router: bool = False
    ) -> Host:
        """Add a host.  Its randomness depends on the seed and its name alone."""
        if name in self.hosts:
            raise ValueError(f"the network already has a host {name}: choose another name")
        settings = replace(config, behaviour=behaviour) if config else StackConfig(behaviour=behaviour)
        host = Host(name, self.driver, self._rng(name), settings, len(self.hosts) + 1, is_router)
        self.hosts[name] = host
        return host

    def router(self, name: str, behaviour: Behaviour = WINDOWS) -> Host:
        """Add a host that passes on packets between its links."""
        return self.host(name, behaviour, is_router=True)

    def link(self, *interfaces: HostInterface, impairment: Impairment | None = None) -> None:
        """Join two interfaces by a cable, or more by a hub.  `impairment` applies to every frame sent into it."""
        if len(interfaces) < 2 or len(set(interfaces)) < len(interfaces):
            raise ValueError("a link needs at least two interfaces, each once")
        names = [f"{interface.host.name}.{interface.name}" for interface in interfaces]
        rng = self._rng("link " + " ".join(names))
        if self._writer is not None:
            for interface in interfaces:
                interface.host.stack.ip.annotate = True
        for interface, end in zip(interfaces, Hub(self.driver, rng, names, impairment).ends, strict=True):
            writer = self._writer
            interface.plug(end if writer is None else Capture(end, writer, describers=interface.describers))

    def capture(self, path: str | Path) -> None:
        """Write every frame sent on links made from now on to a pcapng file: call it before `link`.

        Each link end is a named interface in it; the first frame of each path carries the decision behind it.
        """
        from wsknet.devices.pcapng import PcapngWriter

        self._writer = PcapngWriter.open(path, self.driver.epoch)

    def run_for(self, seconds: float) -> None:
        """Let virtual time pass; everything due meanwhile happens."""
        if seconds < 0:
            raise ValueError(f"{seconds} seconds cannot pass: time runs forwards")
        self.driver.run_for(int(seconds * SECOND))

    def run_until(self, ready: Callable[[], bool], seconds: float = 60.0) -> bool:
        """Let time pass until `ready()`; False if it did not come true within `seconds` of virtual time."""
        return self.driver.run_until(ready, Instant(self.driver.now() + int(seconds * SECOND)))

    def close(self) -> None:
        self.driver.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Network:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rng(self, name: str) -> Random:
        return Random(f"{self.seed}/{name}")
