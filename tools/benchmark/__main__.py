"""How fast wsknet is beside the kernel, in one run: started by `tools/bench`, which makes the environment first.

The same client program meets wsknet's WSK servers over a plain TAP, and the kernel over a veth pair without offloads.
Absolute numbers say little on a shared machine: quote the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tools.benchmark.lab import Lab, Server, on_cpu, run
from tools.benchmark.measures import (
    ECHO_PORT,
    MEASURES,
    QUICK,
    SERVER_CPU,
    SINK_PORT,
    SOURCE_PORT,
    TARGETS,
    THOROUGH,
    Effort,
    Measure,
    Peer,
    Samples,
)
from tools.benchmark.report import document, table
from wsknet.errors import UsageError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOAD = ROOT / "build" / "bench-load"

TOOLS = {
    "gcc": "gcc libc6-dev",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "taskset": "util-linux",
}
"""Needed programs and their Debian packages."""

CLIENT_SECONDS = 60


def main() -> int:
    arguments = parse_arguments()
    effort = QUICK if arguments.quick else THOROUGH
    lacks = list(lacking())
    if lacks:
        print(f"tools/bench: {lacks[0]}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, interrupted)
    try:
        samples = measure_all(effort)
    except (OSError, UsageError) as error:
        print(f"tools/bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tools/bench: interrupted, nothing is left behind", file=sys.stderr)
        return 130
    print(json.dumps(document(samples, effort), indent=2) if arguments.json else table(samples))
    return int(arguments.check and not all(target.is_met(samples) for target in TARGETS))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench", description="wsknet on a TAP beside the kernel on veth.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--json", action="store_true", help="every sample, as one JSON document")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    return parser.parse_args()


def lacking() -> Iterator[str]:
    if os.geteuid() != 0:
        yield "network namespaces and TAPs need root: sudo tools/bench"
    for tool, packages in TOOLS.items():
        if shutil.which(tool) is None:
            yield f"{tool} is not installed: apt-get install {packages}"
    if not Path("/dev/net/tun").is_char_device():
        yield "there is no /dev/net/tun: modprobe tun"


def interrupted(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def measure_all(effort: Effort) -> Samples:
    """Peers and measures take turns, so that a noisy minute of the machine hits all of them."""
    samples: Samples = {(measure.key, peer): [] for measure in MEASURES for peer in Peer}
    LOAD.parent.mkdir(exist_ok=True)
    run("gcc", "-std=gnu17", "-O2", "-Wall", "-o", str(LOAD), str(HERE / "load.c"))
    with Lab() as lab, servers(lab):
        addresses = {Peer.KERNEL: lab.SERVER.partition("/")[0], Peer.WSKNET: lab.TAP_WSKNET.partition("/")[0]}
        for turn in range(effort.runs):
            for measure in MEASURES:
                for peer in Peer:
                    progress(f"run {turn + 1} of {effort.runs}: {measure.title}, {peer.value}")
                    samples[measure.key, peer].append(sample(lab, measure, addresses[peer], effort))
        progress("")
    return samples


def sample(lab: Lab, measure: Measure, address: str, effort: Effort) -> float:
    command = on_cpu(measure.client_cpu, str(LOAD), *measure.arguments(address, effort))
    with lab.client.entered():
        return measure.read(json.loads(run(*command, seconds=CLIENT_SECONDS)))


@contextmanager
def servers(lab: Lab) -> Iterator[None]:
    with ExitStack() as running:
        for mode, port in (("echo", ECHO_PORT), ("sink", SINK_PORT), ("source", SOURCE_PORT)):
            command = on_cpu(SERVER_CPU, str(LOAD), mode, str(port))
            running.callback(Server(lab.server, *command).close)
        command = on_cpu(SERVER_CPU, sys.executable, "-m", "tools.benchmark.wsk_servers", lab.TAP, lab.TAP_WSKNET)
        running.callback(Server(lab.client, *command).close)
        yield


def progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
