"""wsknet's side of the benchmark: echo, sink and source as WSK applications on one emulated host behind a TAP.

    python -m tools.benchmark.wsk_servers TAP CIDR

Echo and sink are what `wsknet serve` serves.  Prints "ready", ends with its standard input.
"""

from __future__ import annotations

import signal
import sys
from random import Random

from tools.benchmark.measures import SOURCE_PORT
from wsknet.apps.chargen import SourceConnection
from wsknet.apps.discard import Discard
from wsknet.apps.echo import Echo
from wsknet.apps.service import Service
from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host

LENT_BUFFERS = 8
BUFFER_BYTES = 64 << 10


class BulkConnection(SourceConnection):
    lent = (bytes(BUFFER_BYTES),) * LENT_BUFFERS


class Source(Service):
    name = "source"
    default_port = SOURCE_PORT
    summary = "sends as fast as it can"
    connection_class = BulkConnection


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the script, which ends this
    tap, cidr = sys.argv[1:]
    with RealDriver() as driver:
        host = Host("bench", driver, Random(1))
        attach_tap(host, InterfaceOptions(tap, (cidr,)), TapDevice(tap), None)
        driver.start()
        services: list[Service] = [Echo(), Discard(), Source()]
        with host.activate():
            for service in services:
                service.start()
            print("ready", flush=True)
            sys.stdin.read()
            for service in services:
                service.stop()


if __name__ == "__main__":
    main()
