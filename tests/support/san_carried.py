"""An application of a carrier."""

from __future__ import annotations

from typing import Any

from wsknet.host import Host
from wsknet.san.policy import SanPolicy
from wsknet.san.switch.carrier import Carrier
from wsknet.san.switch.san_socket import Provider, settings_for
from wsknet.types import Instant

SEND_LIMIT = 1 << 24
"""As much as any test writes at once."""


class Application:
    """It notes what it is told, and reads all at once if it shall."""

    def __init__(self, host: Host, provider: Provider, s: int, policy: SanPolicy, *, is_initiator: bool) -> None:
        sizes = settings_for(provider, policy, SEND_LIMIT, 65_536)
        self.host = host
        self.carrier = Carrier(host, provider, s, self, sizes, is_initiator=is_initiator)
        self.told: list[Any] = []
        self.received = bytearray()
        self.reads = True

    def start(self) -> None:
        with self.host.pump:
            self.carrier.start()

    def opened(self, now: Instant) -> None:
        assert not self.told, "it is told first of all"

    def readable(self, now: Instant) -> None:
        self.told.append("readable")
        if self.reads:
            self.read(1 << 20)

    def read(self, limit: int) -> None:
        memory = bytearray(min(limit, self.carrier.readable))
        assert self.carrier.read_into(memoryview(memory)) == len(memory)
        self.received += memory

    def writable(self, now: Instant) -> None:
        self.told.append("writable")

    def finished(self, now: Instant) -> None:
        self.told.append("finished")

    def flushed(self, now: Instant) -> None:
        self.told.append("flushed")

    def failed(self, error: int, now: Instant) -> None:
        self.told.append(error)

    def closed(self, now: Instant) -> None:
        self.told.append("closed")

    @property
    def news(self) -> list[Any]:
        return [what for what in self.told if what != "readable"]
