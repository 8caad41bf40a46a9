"""Hosts of the kernel, each in a namespace that no name leads to, and the bridges between them.

Everything is gone with the process that made it, however that ends.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import time
from collections.abc import Callable
from fcntl import ioctl
from typing import TypeVar

from wsknet import text
from wsknet.machine import netlink, sysctl
from wsknet.machine.kernel_host import KernelHost
from wsknet.machine.namespace import Namespace

SIOCETHTOOL = 0x8946
OFFLOADS_OFF = (0x17, 0x1F, 0x24, 0x2C)
"""linux/ethtool.h: ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO."""

PORT_MTU = 65535
"""Ports carry what the cards send: the card that receives drops what is too long for it."""

TAP_MTU = 65535 - 14
"""The largest that Linux takes: MAX_MTU of tun.c without the Ethernet header."""

FIRST_INDEX = 1000
"""Ports have other numbers than the cards behind them: Linux is slow to see a cable between two equal numbers, which
it takes for a device without a lower one (linkwatch_urgent_event of net/core/link_watch.c)."""

CARRIER_SECONDS = 3.0

Device = TypeVar("Device")


class Fabric:
    """The links, in a namespace of their own: one bridge each, one port for each card."""

    def __init__(self) -> None:
        self.namespace = Namespace.unnamed()
        self.hosts: list[KernelHost] = []
        self._bridges: dict[str, str] = {}
        self._ports = 0
        try:
            with self.namespace.entered():
                # The fabric is a cable: it has no addresses and says nothing itself.
                for which in ("all", "default"):
                    sysctl.write(f"net.ipv6.conf.{which}.disable_ipv6", "1")
        except BaseException:
            self.close()
            raise

    def host(self, settings: dict[str, str]) -> KernelHost:
        """A new one, with these settings of sysctl(8) on top of the usual ones."""
        host = KernelHost(settings)
        self.hosts.append(host)
        return host

    def card(self, host: KernelHost, name: str, link: str, mac: bytes, mtu: int) -> str:
        """Give `host` the interface `name`, plugged into `link` if that is not empty, and up.  Answers its port."""
        port = self._new_port()
        with self.namespace.entered(), netlink.connection(f"make the interface {name}") as kernel:
            peer = {"ifname": name, "net_ns_fd": host.namespace.fileno(), "address": text.format_mac(mac), "mtu": mtu}
            index = FIRST_INDEX + self._ports
            kernel.link("add", ifname=port, index=index, kind="veth", mtu=PORT_MTU, peer=peer)
        with host.namespace.entered():
            _without_offloads(name)
        host.cards[name] = port
        self._plug(port, link)
        host.has_card(name)
        return port

    def tap(self, opener: Callable[[str], Device], link: str) -> tuple[Device, str]:
        """A TAP that is a port itself, plugged into `link`.  `opener` is `TapDevice`."""
        port = self._new_port()
        with self.namespace.entered():
            device = opener(port)
            with netlink.connection(f"let {port} carry all that the cards send") as kernel:
                kernel.link("set", index=netlink.index_of(kernel, port), mtu=TAP_MTU)
        self._plug(port, link)
        return device, port

    def set_carrier(self, host: KernelHost, name: str, is_on: bool) -> None:
        """Plug in the cable of a card, or pull it, and wait until both ends know."""
        port = host.cards[name]
        with self.namespace.entered():
            (netlink.set_up if is_on else netlink.set_down)(port)
        self._until(lambda: (name in host.operational()) is is_on and (port in self._operational()) is is_on)

    def wait_for_carriers(self) -> None:
        """Until every card carries frames that has a cable."""
        with self.namespace.entered(), netlink.connection("look for ports") as kernel:
            is_up = {link.get_attr("IFLA_IFNAME") for link in kernel.get_links() if link["flags"] & netlink.IFF_UP}
        cards = [(host, name, port) for host in self.hosts for name, port in host.cards.items() if port in is_up]
        ports = {port for _, _, port in cards}
        self._until(lambda: ports <= self._operational() and all(name in host.operational() for host, name, _ in cards))

    def _operational(self) -> set[str]:
        with self.namespace.entered():
            return netlink.operational()

    def _until(self, is_done: Callable[[], bool]) -> None:
        end = time.monotonic() + CARRIER_SECONDS
        while not is_done() and time.monotonic() < end:
            time.sleep(0.005)

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        self.hosts.clear()
        self.namespace.close()

    def _new_port(self) -> str:
        self._ports += 1
        return f"port{self._ports}"

    def _plug(self, port: str, link: str) -> None:
        bridge = self._bridge(link) if link else ""
        with self.namespace.entered(), netlink.connection(f"plug {port} into {link}") as kernel:
            index = netlink.index_of(kernel, port)
            if bridge:
                kernel.link("set", index=index, master=netlink.index_of(kernel, bridge))
            kernel.link("set", index=index, state="up")

    def _bridge(self, link: str) -> str:
        name = self._bridges.get(link)
        if name is None:
            name = self._bridges[link] = f"link{len(self._bridges) + 1}"
            with self.namespace.entered(), netlink.connection(f"make the link {link}") as kernel:
                kernel.link("add", ifname=name, kind="bridge", br_stp_state=0, br_forward_delay=0, br_mcast_snooping=0)
                kernel.link("set", index=netlink.index_of(kernel, name), state="up")
        return name


def _without_offloads(name: str) -> None:
    """Let the card send frames as a wire would carry them: checksums complete, none larger than the MTU."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in OFFLOADS_OFF:
            value = ctypes.create_string_buffer(struct.pack("II", command, 0))
            ioctl(control, SIOCETHTOOL, struct.pack("16sP16x", name.encode(), ctypes.addressof(value)))
