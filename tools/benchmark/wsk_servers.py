"""wsknet's side of the benchmark: echo, sink and source as WSK applications on one emulated host behind a TAP.

    python -m tools.benchmark.wsk_servers TAP CIDR

Echo and sink are what `wsknet serve` serves.  Prints "ready", ends with its standard input.
"""

from __future__ import annotations

import signal
import sys
from random import Random

from tools.benchmark.measures import SOURCE_PORT
from wsknet.apps.discard import Discard
from wsknet.apps.echo import Echo
from wsknet.apps.service import Connection, Service
from wsknet.apps.serving import InterfaceOptions, attach_tap
from wsknet.devices.tap import TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.host import Host
from wsknet.wsk import NTSTATUS, STATUS_SUCCESS, WSK_BUF, WSK_DATA_INDICATION, WSK_SOCKET
from wsknet.wsk.simple import buffer

LENT_BUFFERS = 8
BUFFER_BYTES = 64 << 10


class SourceConnection(Connection):
    """Keeps the pipe full: each buffer is lent again as soon as it has been acknowledged."""

    def __init__(self, service: Service, Socket: WSK_SOCKET) -> None:
        super().__init__(service, Socket)
        self._buffers = [buffer(bytes(BUFFER_BYTES)) for _ in range(LENT_BUFFERS)]

    def started(self) -> None:
        for lent in self._buffers:
            self._send_again(lent)

    def received(self, Indication: WSK_DATA_INDICATION, length: int) -> NTSTATUS:
        return STATUS_SUCCESS

    def _send_again(self, lent: WSK_BUF) -> None:
        if not self.peer_finished and not self.is_closing:
            self.send(lent, lambda Status: self._send_again(lent) if Status == STATUS_SUCCESS else None)


class Source(Service):
    name = "source"
    default_port = SOURCE_PORT
    summary = "sends as fast as it can"
    connection_class = SourceConnection


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
