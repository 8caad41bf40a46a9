"""python -m examples.wsk: run one of the drivers.

python -m examples.wsk                        its server and its client on two hosts, in virtual time
python -m examples.wsk blocking --ipv6        another one, over IPv6
python -m examples.wsk --tap tap0             as root: its server on a TAP that is made here, until Enter
python -m examples.wsk --tap tap0 --netns lab the same in a namespace
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from random import Random, SystemRandom
from typing import Any

from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.errors import UsageError
from wsknet.host import Host, Network
from wsknet.machine.lab import Lab
from wsknet.wsk import *
from wsknet.wsk import simple

EXAMPLES = ("echo_events", "echo_irps", "blocking", "udp_echo")
PORT = 7
MESSAGES = (b"hello", b"is there anybody?", b"good bye")


def run_in_virtual_time(example: Any, is_ipv6: bool) -> bool:
    with Network(seed=1) as network:
        server_host, client_host = network.host("server"), network.host("client")
        network.link(
            server_host.interface("eth0", "192.0.2.2/24", "2001:db8::2/64"),
            client_host.interface("eth0", "192.0.2.1/24", "2001:db8::1/64"),
        )
        for host in (server_host, client_host):
            verify(host)
        address = simple.address("2001:db8::2" if is_ipv6 else "192.0.2.2", PORT)
        server, client = example.SERVER(address), example.CLIENT(address, MESSAGES)
        with server_host.activate():
            print("server: entry", example.ServerEntry(server).name)
        with client_host.activate():
            print("client: entry", example.ClientEntry(client).name)
            KeWaitForSingleObject(client.Done, Executive, KernelMode, False, None)
            print("client: done", client.Status.name, "and received", client.Received)
            example.ClientUnload(client)
        with server_host.activate():
            example.ServerUnload(server)
        for host in (server_host, client_host):
            require_nothing_left(host)
        print(f"both unloaded after {network.driver.now() / 1e6:.3f} ms of virtual time, nothing is left")
        return bool(client.Status == STATUS_SUCCESS)


def serve_on_tap(example: Any, is_ipv6: bool, tap: str, netns: str | None) -> bool:
    kernel, ours = ("2001:db8::1", "2001:db8::2") if is_ipv6 else ("198.51.100.1", "198.51.100.2")
    length = 64 if is_ipv6 else 24
    with Lab(netns) as lab, RealDriver() as driver:
        host = Host("server", driver, Random(SystemRandom().getrandbits(256)))
        verify(host)
        device = lab.tap(tap, TapDevice, peer=[f"{kernel}/{length}"])
        attach_tap(host, InterfaceOptions(tap, (f"{ours}/{length}",)), device, None)
        driver.start()
        try:
            with host.activate():
                server = example.SERVER(simple.address(ours, PORT))
                status = example.ServerEntry(server)
                print("server: entry", status.name)
                if not NT_SUCCESS(status):
                    return False
                where = f"ip netns exec {netns} " if netns else ""
                option = "-u" if example.__name__.endswith("udp_echo") else "-N"
                print(f"try: echo hello | {where}nc {option} {ours} {PORT}\nEnter ends it")
                sys.stdin.readline()
                example.ServerUnload(server)
                require_nothing_left(host)
                print("unloaded, nothing is left")
        finally:
            driver.remove_device(device)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.wsk", description="Run one of the example drivers.")
    parser.add_argument("example", nargs="?", choices=EXAMPLES, default=EXAMPLES[0])
    parser.add_argument("--ipv6", action="store_true")
    parser.add_argument("--tap", help="as root: make this TAP and serve the kernel")
    parser.add_argument("--netns", help="where the TAP is; it is made if there is none of that name")
    options = parser.parse_args()
    example = import_module(f"examples.wsk.{options.example}")
    try:
        if options.tap:
            return not serve_on_tap(example, options.ipv6, options.tap, options.netns)
        return not run_in_virtual_time(example, options.ipv6)
    except UsageError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
