"""A bad link in a process of its own: frames pass between two descriptors, through one `Channel` for each direction.

    python -m tools.benchmark.impaired_bridge FIRST SECOND

The descriptors carry one frame in each read and write, as a TAP and a socket of SOCK_SEQPACKET do, and are inherited.
Each line of standard input replaces both channels: {"seeds": [out of FIRST, out of SECOND], "impairment": {...}}, with
the fields of `Impairment`.  The answer is a line with what the channels before have done; the end of input ends it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from heapq import heappop, heappush
from random import Random
from typing import Any

from wsknet.devices.impair import Channel, Impairment
from wsknet.devices.tap import READ_SIZE
from wsknet.types import SECOND, Instant

BATCH = 64
"""Frames read from one side before the other has its turn."""

STDIN, STDOUT = 0, 1


class Side:
    """One end, and the channel of what comes out of it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.channel = Channel(Impairment(), Random(0))
        self.passed = 0
        self.refused = 0
        """Frames for this end that the kernel did not take."""

    def replace(self, impairment: Impairment, seed: int) -> dict[str, int]:
        """A new channel; what the one before has done."""
        done = {"passed": self.passed, "refused": self.refused, **asdict(self.channel.counters)}
        self.channel = Channel(impairment, Random(seed))
        self.passed = self.refused = 0
        return done


class Bridge:
    def __init__(self, first: int, second: int) -> None:
        for fd in (first, second):
            os.set_blocking(fd, False)
        self._sides = (Side(first), Side(second))
        self._due: list[tuple[Instant, int, Side, bytes]] = []
        """A heap of what is under way: when it arrives, in which order it was sent, where, and the frame."""
        self._sent = 0

    def run(self) -> None:
        """Until the end of standard input."""
        first, second = self._sides
        watched = (STDIN, first.fd, second.fd)
        while True:
            # Not epoll, which counts milliseconds: a frame would be up to one late.
            ready, _, _ = select.select(watched, (), (), self._patience())
            if first.fd in ready:
                self._read(first, second)
            if second.fd in ready:
                self._read(second, first)
            self._deliver()
            if STDIN in ready and not self._obey():
                return

    def _patience(self) -> float | None:
        return max(self._due[0][0] - time.monotonic_ns(), 0) / SECOND if self._due else None

    def _read(self, source: Side, destination: Side) -> None:
        arrivals, due, now = source.channel.arrivals, self._due, Instant(time.monotonic_ns())
        try:
            for _ in range(BATCH):
                frame = os.read(source.fd, READ_SIZE)
                source.passed += 1
                for at, arriving in arrivals(frame, now):
                    self._sent += 1
                    heappush(due, (at, self._sent, destination, arriving))
        except BlockingIOError:
            return

    def _deliver(self) -> None:
        due, now = self._due, time.monotonic_ns()
        while due and due[0][0] <= now:
            _, _, destination, frame = heappop(due)
            try:
                os.write(destination.fd, frame)
            except OSError:
                destination.refused += 1  # a queue that is full, or an end that is down

    def _obey(self) -> bool:
        """Standard input has something: one line, or its end."""
        line = os.read(STDIN, 1 << 16)
        if not line:
            return False
        order: dict[str, Any] = json.loads(line)
        impairment = Impairment(**order["impairment"])
        told: Iterable[dict[str, int]] = [
            side.replace(impairment, seed) for side, seed in zip(self._sides, order["seeds"], strict=True)
        ]
        os.write(STDOUT, json.dumps(told).encode() + b"\n")
        return True


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started this, and ends it
    first, second = map(int, sys.argv[1:])
    Bridge(first, second).run()


if __name__ == "__main__":
    main()
