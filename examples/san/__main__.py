"""python -m examples.san: one program, and the ways on which its connection goes.

python -m examples.san                           all ways, one after the other
python -m examples.san fallback --size 10000000  one of them, with more data
python -m examples.san san --capture way.pcapng  and a capture of it

san       both hosts have a SAN service provider
tcpip     none has one
fallback  the client has one, the server has none: the SAN is tried first
cut       both have one, and the client's cable to the SAN is pulled: the LAN carries the connection
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from examples.san.transfer import TRANSFER, Client, Server
from wsknet.behaviour import WINDOWS, HostModel
from wsknet.host import Host, Network
from wsknet.san.numbers import name_of
from wsknet.san.provider.dll import SanProvider
from wsknet.san.registry import registry_of
from wsknet.san.switch.dll import Switch
from wsknet.san.ws2_32 import Winsock
from wsknet.text import parse_address
from wsknet.trace import Decision

WAYS = {"san": ("client", "server"), "tcpip": (), "fallback": ("client",), "cut": ("client", "server")}
"""Hosts that have a SAN service provider."""
ADDRESS = parse_address("10.9.0.2")
"""The server's, on the SAN."""
PORT = 5001
WEAK = replace(WINDOWS, name="windows with weak hosts", host_send=HostModel.WEAK, host_receive=HostModel.WEAK)
"""As Windows 2000 and 2003 were: an address counts on every interface, so that the LAN can lead to one on the SAN."""


def build(network: Network, way: str) -> tuple[Host, Host]:
    hosts = [network.host(name, WEAK) for name in ("client", "server")]
    for number, host in enumerate(hosts, 1):
        host.interface("lan", f"192.0.2.{number}/24")
        host.interface("san0", f"10.9.0.{number}/24")
    for name in ("lan", "san0"):
        network.link(*(host.interfaces[name] for host in hosts))
    for host in hosts:
        if host.name in WAYS[way]:
            registry_of(host).install(SanProvider(host, ("san0",)))
    client, server = hosts
    if way == "cut":
        client.route("10.9.0.0/24", via="192.0.2.2")
        client.interfaces["san0"].set_up(False)
    return client, server


def load(host: Host) -> Switch:
    """ws2_32.dll loads the switch, and we listen to its reasons."""

    def tell(socket: object, why: Decision) -> None:
        print(f"  {host.name}: {why.question} {why.answer}: {why.rule}")

    switch = Switch(host)
    switch.on_decision = tell
    return switch


def run(way: str, size: int, capture: Path | None) -> bool:
    print(f"{way}:")
    with Network(seed=1) as network:
        if capture is not None:
            network.capture(capture)
        client_host, server_host = build(network, way)
        up, down = TRANSFER(Random("up").randbytes(size)), TRANSFER(Random("down").randbytes(size))
        network.driver.spawn(partial(Server, Winsock(server_host, load), PORT, down), "server")
        network.run_for(0.1)
        network.driver.spawn(partial(Client, Winsock(client_host, load), ADDRESS, PORT, up), "client")
        is_done = network.run_until(lambda: up.Error >= 0 and down.Error >= 0, 120)
        network.run_for(5)
        for name, transfer in (("client", up), ("server", down)):
            print(f"  {name}: {transfer.Name} to {transfer.Peer}, received {len(transfer.Received)} bytes,", end=" ")
            print("done" if transfer.Error == 0 else name_of(transfer.Error))
    return is_done and up.Received == down.Data and down.Received == up.Data


def size(words: str) -> int:
    """Of the command line."""
    if not words.isdecimal():
        raise argparse.ArgumentTypeError(f"a number of bytes, not {words}")
    return int(words)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.san", description="One program, over SAN and TCP/IP.")
    parser.add_argument("way", nargs="?", choices=WAYS, help="which one; all unless told")
    parser.add_argument("--size", type=size, default=1_000_000, help="bytes that each side sends")
    parser.add_argument("--capture", type=Path, help="write a pcapng; needs a way")
    options = parser.parse_args()
    if options.capture is not None and options.way is None:
        parser.error("--capture needs one way")
    results = [run(way, options.size, options.capture) for way in ([options.way] if options.way else WAYS)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
