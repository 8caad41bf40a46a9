"""A network namespace with TAPs and the kernel's side of them, and nothing left of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from wsknet.errors import UsageError
from wsknet.machine import netlink, sysctl
from wsknet.machine.ledger import Change, Ledger, clean_leftovers
from wsknet.machine.namespace import Namespace, check_name


class Closable(Protocol):
    def close(self) -> None: ...


Opened = TypeVar("Opened", bound=Closable)


class Lab:
    """``with Lab("lab") as lab:`` enters that namespace if it exists, else makes it and removes it at the end.

    Without a name it works in the namespace that the program was started in, and `unnamed` in a new one of its own.
    Whatever it changes in a namespace that it did not make is put back at the end, or after a crash by the next start.
    """

    def __init__(self, netns: str | None = None, *, unnamed: bool = False, directory: Path | None = None) -> None:
        """`directory` is where changes are noted; by default under /run."""
        if netns is not None:
            check_name(netns)
        self.netns = netns
        self.cleaned: list[str] = []
        """What a dead process had left, and is gone since this lab was entered."""
        self._is_unnamed = unnamed
        self._ledger = Ledger(directory)
        self._namespace: Namespace | None = None
        self._is_made = False
        self._devices: list[Closable] = []

    @classmethod
    def unnamed(cls) -> Lab:
        """In a new namespace that no name leads to: for tests."""
        return cls(unnamed=True)

    def __enter__(self) -> Lab:
        if self._is_unnamed:
            self._namespace = Namespace.unnamed()
            self._is_made = True
        else:
            self.cleaned = clean_leftovers(self._ledger.directory)
            self._namespace = Namespace.own() if self.netns is None else self._named(self.netns)
        try:
            if self._is_made:
                with self.entered():
                    self._prepare()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Close the TAPs and undo every change."""
        for device in self._devices:
            device.close()
        self._devices.clear()
        try:
            self._ledger.undo()
        finally:
            if self._namespace is not None:
                self._namespace.close()
                self._namespace = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets, TAPs and processes that the calling thread opens or starts inside the block are in the namespace."""
        if self._namespace is None:
            raise RuntimeError("the lab is not open: use it in a with statement")
        with self._namespace.entered():
            yield

    def tap(
        self, name: str, opener: Callable[[str], Opened], *, peer: Sequence[str] = (), create: bool = True
    ) -> Opened:
        """Open a TAP (`opener` is `TapDevice` or the like), give the kernel's side the addresses `peer`, bring it up.

        With `create` it must not exist yet, without it must.  Closed with the lab at the latest.
        """
        for cidr in peer:
            netlink.parse_cidr(cidr)
        with self.entered():
            exists = netlink.has_link(name)
            if exists and create:
                raise UsageError(f"{name} exists{self._where}: choose another name, or do not ask to create it")
            if not exists and not create:
                raise UsageError(
                    f"there is no TAP {name}{self._where}: have it created, or make it (ip tuntap add {name} mode tap)"
                )
            device = opener(name)
            self._devices.append(device)
        for cidr in peer:
            self.address(name, cidr)
        self.up(name)
        return device

    def address(self, interface: str, cidr: str) -> None:
        """Give the kernel's side an address."""
        self._change(Change(self.netns, "address", interface, cidr), lambda: netlink.add_address(interface, cidr))

    def mac(self, interface: str) -> str:
        """The MAC address of the kernel's side."""
        with self.entered():
            return netlink.mac_of(interface)

    def up(self, interface: str) -> None:
        with self.entered():
            if netlink.is_up(interface):
                return  # nothing to note: no right is needed for a TAP that an administrator has set up
        self._change(Change(self.netns, "up", interface), lambda: netlink.set_up(interface))

    def route(self, destination: str, via: str) -> None:
        """Let the kernel reach `destination` (``203.0.113.0/24``) through the gateway `via`."""
        self._change(Change(self.netns, "route", destination, via), lambda: netlink.add_route(destination, via))

    def sysctl(self, key: str, value: str) -> None:
        """Set e.g. ``net.ipv4.tcp_congestion_control``.  Only settings that each namespace has for itself."""
        with self.entered():
            try:
                before = sysctl.read(key)
            except OSError as error:
                raise UsageError(f"cannot read {key}: {error.strerror}") from None
        if before == value:
            return

        def write() -> bool:
            sysctl.write(key, value)
            return True

        self._change(Change(self.netns, "sysctl", key, before), write)

    @property
    def _where(self) -> str:
        return f" in the namespace {self.netns}" if self.netns else ""

    def _named(self, name: str) -> Namespace:
        with self._ledger.locked():
            namespace = Namespace.named(name)
            if namespace is not None:
                return namespace
            made = Change(None, "namespace", name)
            self._ledger.add(made)
            try:
                namespace = Namespace.make(name)
            except BaseException:
                self._ledger.drop(made)
                raise
            self._is_made = True
            return namespace

    def _prepare(self) -> None:
        """Make a new namespace fit for a lab."""
        netlink.set_up("lo")
        for which in ("all", "default"):
            # Nobody else is on these links: addresses need no seconds of duplicate detection (RFC 4862 5.4).
            with suppress(UsageError):
                sysctl.write(f"net.ipv6.conf.{which}.accept_dad", "0")

    def _change(self, change: Change, make: Callable[[], bool]) -> None:
        """Make it, and note it unless it goes with the namespace or was so before (`make` answers False)."""
        with self.entered():
            if self._is_made:
                make()
                return
            self._ledger.add(change)
            is_made = False
            try:
                is_made = make()
            finally:
                if not is_made:
                    self._ledger.drop(change)
