"""A service on the real machine: namespace, TAPs, driver, host and application, made together and gone together."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from types import TracebackType
from typing import TYPE_CHECKING

from wsknet import text
from wsknet.apps import SERVICES
from wsknet.config import ETHERNET_MTU, AutoConfig
from wsknet.devices.capture import Capture
from wsknet.devices.pcapng import PcapngWriter
from wsknet.devices.tap import TapDevice, check_interface_name
from wsknet.drivers.blocking import RealDriver
from wsknet.errors import UsageError
from wsknet.host import Host
from wsknet.machine.lab import Lab
from wsknet.net.changes import AddressAdded, AddressOrigin, AddressRefused, AddressRemoved
from wsknet.types import Family, family_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wsknet.apps.service import Service
    from wsknet.net.changes import News
    from wsknet.types import Instant


@dataclass(frozen=True)
class InterfaceOptions:
    """One TAP and what we are on it."""

    name: str
    addresses: tuple[str, ...]
    peers: tuple[str, ...] = ()
    """Addresses for the kernel's side."""
    create: bool = False
    mac: str | None = None
    mtu: int = ETHERNET_MTU
    auto: AutoConfig = field(default_factory=AutoConfig)

    def check(self) -> None:
        """`UsageError` for what can be known to be wrong before anything is made."""
        check_interface_name(self.name)
        if not (self.addresses or self.auto.dhcp or self.auto.router_discovery):
            raise UsageError(
                f"{self.name} has no address: give --address CIDR, --dhcp or --router-discovery after --tap {self.name}"
            )
        if self.peers and not self.create:
            raise UsageError(f"--peer is for a TAP that is made here: add --create after --tap {self.name}")
        if self.auto.link_local_ipv4 is False and not self.auto.dhcp:
            raise UsageError(
                f"--no-link-local says what --dhcp does without a server: add --dhcp after --tap {self.name}"
            )
        try:
            for cidr in (*self.addresses, *self.peers):
                text.parse_cidr(cidr)
            if self.mac is not None:
                text.parse_mac(self.mac)
        except ValueError as error:
            raise UsageError(str(error)) from None


@dataclass(frozen=True)
class ServeOptions:
    app: str
    interfaces: tuple[InterfaceOptions, ...]
    netns: str | None = None
    routes: tuple[tuple[str, str], ...] = ()
    """Prefix and gateway."""
    forward: bool = False
    """Pass on packets between the interfaces."""
    port: int | None = None
    pcap: Path | None = None

    def check(self) -> None:
        if self.app not in SERVICES:
            raise UsageError(f"there is no application {self.app!r}: choose one of {', '.join(SERVICES)}")
        if not self.interfaces:
            raise UsageError("nothing to serve on: give --tap NAME and --address CIDR")
        names = [interface.name for interface in self.interfaces]
        for interface in self.interfaces:
            if names.count(interface.name) > 1:
                raise UsageError(f"--tap {interface.name} is given twice: give each interface a name of its own")
            interface.check()
            if self.forward and interface.auto.router_discovery:
                raise UsageError(
                    f"--forward makes a router, which follows none: leave out --router-discovery of {interface.name}"
                )


class Server:
    """``with Server(options) as server: server.run()``, in the main thread.  `UsageError` tells what is in the way."""

    def __init__(self, options: ServeOptions) -> None:
        options.check()
        self._options = options
        self._undo = ExitStack()
        self._ending = threading.Event()
        self._driver: RealDriver | None = None
        self.service: Service = SERVICES[options.app](options.port)
        self.cleaned: list[str] = []
        """What an earlier, killed server had left."""

    def __enter__(self) -> Server:
        with ExitStack() as undo:
            # Before anything is made and until it is undone: neither may interrupt that, however often it comes.
            for number in (signal.SIGINT, signal.SIGTERM):
                undo.callback(signal.signal, number, signal.signal(number, self._interrupted))
            self._open(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def _open(self, undo: ExitStack) -> None:
        options = self._options
        lab = undo.enter_context(Lab(options.netns))
        self.cleaned = lab.cleaned
        files = undo.enter_context(ExitStack())  # closed behind the driver, which writes until it has ended
        self._driver = driver = undo.enter_context(RealDriver())
        self.host = Host(options.app, driver, Random(SystemRandom().getrandbits(256)), is_router=options.forward)
        writer = files.enter_context(_writer(options.pcap, driver.epoch)) if options.pcap else None
        for interface in options.interfaces:
            device = lab.tap(interface.name, TapDevice, peer=interface.peers, create=interface.create)
            try:
                attach_tap(self.host, interface, device, writer)
            except ValueError as error:
                raise UsageError(f"--tap {interface.name}: {error}") from None
            undo.callback(driver.remove_device, device)
        try:
            for prefix, via in options.routes:
                self.host.route(prefix, via)
        except ValueError as error:
            raise UsageError(f"--route: {error}") from None
        driver.start()
        with self.host.activate():
            self.service.start()
        undo.callback(self._stop_service)

    def run(self) -> None:
        """Serve until `stop`, or SIGINT or SIGTERM since the `with` was entered."""
        try:
            self.host.driver.block(self._ending.is_set, "the end of the service", None)
        except OSError as error:
            raise UsageError(error.strerror or str(error)) from None  # a TAP was deleted under us

    def stop(self) -> None:
        """End `run`.  Callable from anywhere."""
        self._ending.set()
        if self._driver is not None:
            self._driver.wakeup()

    def _interrupted(self, number: int, frame: object) -> None:
        # A signal handler must not take locks: the wake-up comes from a thread of its own.
        threading.Thread(target=self.stop, daemon=True).start()

    def _stop_service(self) -> None:
        # A driver that has lost a TAP waits for nothing more; `run` has told of it.
        with self.host.activate(), suppress(OSError):
            self.service.stop()

    def description(self) -> list[str]:
        """For people: what is served where, and how it ends."""
        lines = [f"removed what a dead server had left: {what}" for what in self.cleaned]
        where = f" in namespace {self._options.netns}" if self._options.netns else ""
        for interface in self._options.interfaces:
            lines.append(f"{interface.name}{where}: {', '.join([*interface.addresses, *_conditions(interface.auto)])}")
        if self._options.forward:
            lines.append("packets for others are passed on between the interfaces")
        service = self.service
        protocols = "TCP and UDP" if service.has_datagrams else "TCP"
        lines.append(f"{service.name} on {protocols} port {service.port}: {service.summary}")
        if self._options.pcap is not None:
            lines.append(f"every frame goes to {self._options.pcap}")
        return [*lines, "Ctrl-C ends it"]

    def announce(self, tell: Callable[[str], None]) -> None:
        """Let `tell` have one line for each address that comes or goes from now on.  It runs in the driver's thread."""
        names = {interface.index: name for name, interface in self.host.interfaces.items()}
        known = {(i.index, address) for i in self.host.stack.view().interfaces for address, _ in i.addresses}

        def watch(news: News, now: Instant) -> None:
            if not isinstance(news, AddressAdded | AddressRemoved | AddressRefused):
                return
            key = (news.if_index, news.address)
            if isinstance(news, AddressAdded) and key not in known:
                known.add(key)
                line = f"{text.format_address(news.address)}/{news.prefix_length}, {_origin(news)}"
            elif isinstance(news, AddressRemoved) and key in known:
                known.discard(key)
                line = f"{text.format_address(news.address)} is gone"
            elif isinstance(news, AddressRefused):
                known.discard(key)
                line = (
                    f"{text.format_address(news.address)} is in use by {text.format_mac(news.holder)}: not ours to use"
                )
            else:
                return
            self.host.driver.call_at(now, partial(tell, f"{names[news.if_index]}: {line}"))

        self.host.stack.ip.watchers.append(watch)

    def summary(self) -> str:
        """One line for the end: what was served, and what was dropped."""
        dropped = self.host.stack.trace.drops
        reasons = "".join(f"\n  {count} x {reason.value}" for reason, count in dropped.most_common())
        plural = "" if self.service.accepted == 1 else "s"
        return f"{self.service.accepted} connection{plural} served; frames dropped: {sum(dropped.values())}{reasons}"


def attach_tap(host: Host, options: InterfaceOptions, device: TapDevice, writer: PcapngWriter | None) -> None:
    """Give `host` an interface on `device`, read by its driver."""
    driver = host.driver
    assert isinstance(driver, RealDriver)
    interface = host.interface(options.name, *options.addresses, mac=options.mac, mtu=options.mtu, auto=options.auto)
    if writer is None:
        interface.plug(device)
    else:
        host.stack.ip.annotate = True
        interface.plug(Capture(device, writer, both=True, describers=interface.describers))
    driver.add_device(host.pump, device)


def _origin(news: AddressAdded) -> str:
    """For people: where an address came from.  We make one of 169.254/16 only where DHCP is on and has none."""
    if news.origin is AddressOrigin.LINK_LOCAL and family_of(news.address) is Family.IPV4:
        return "made by ourselves, as no DHCP server has answered"
    return news.origin.value


def _conditions(auto: AutoConfig) -> list[str]:
    """For people: what there is to say of an interface's addresses beside those given."""
    sources = [name for name, is_on in (("DHCP", auto.dhcp), ("router advertisements", auto.router_discovery)) if is_on]
    told = [f"addresses from {' and '.join(sources)}"] if sources else []
    if auto.dhcp and auto.link_local_ipv4 is False:
        told.append("none of IPv4 until a DHCP server answers")
    return [*told, "once checked for duplicates"] if auto.duplicate_detection else told


def _writer(path: Path, epoch: int) -> PcapngWriter:
    try:
        return PcapngWriter.open(path, epoch)
    except OSError as error:
        raise UsageError(f"--pcap {path}: {error.strerror}") from None
