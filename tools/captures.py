"""Make the golden captures and their index again: `tools/captures.py [--check]`.

With --check nothing is written; exit status 1 if a file would change.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.exchanges import EXCHANGES
from wsknet.apps.stages import virtual_stage
from wsknet.apps.tour import Case, Tour
from wsknet.host import Network
from wsknet.scenario.catalogue import find
from wsknet.scenario.columns import column
from wsknet.scenario.runner import run as run_scenario
from wsknet.scenario.virtual import VirtualWorld

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
SEED = 1

CASES: dict[str, Callable[[Tour], Case]] = {
    "tcp-wildcard-address-chosen-at-connect": Tour.deferred_address,
    "udp-wildcard-source-follows-route": Tour.wildcard_source,
    "tcp-wildcard-listener-answers-as-dialled": Tour.wildcard_listener,
}

SCENARIOS = (
    "one-socket-two-destinations-two-sources",
    "udp-reply-from-the-wrong-address",
    "wildcard-listener-shadowed",
    "bound-to-the-worse-default-route",
    "packet-for-another-interface",
)
"""Packaged scenarios, for Windows; each frame carries its step and the decision behind it."""

_INDEX = """# Golden captures

Each file is named for the claim that it proves. In virtual time a run reproduces it byte for byte; `tools/captures.py`
makes the files and this index again, and a test compares them.

| capture | claim |
|---|---|
"""


def make(directory: Path) -> None:
    """Write every capture and the index into `directory`."""
    index = _INDEX
    for name, run in CASES.items():
        file = directory / f"{name}.pcapng"
        with virtual_stage(SEED, file) as stage, stage.host.activate():
            case = Tour.only(stage.host, *stage.peers, run)
        if not case.held:
            raise SystemExit(f"{name}: the claim was not seen to hold")
        index += f"| [{file.name}]({file.name}) | {case.claim} |\n"
    for name, exchange in EXCHANGES.items():
        file = directory / f"{name}.pcapng"
        with Network(SEED) as network:
            network.capture(file)
            told = exchange(network)
        if not told.held:
            raise SystemExit(f"{name}: the claim was not seen to hold")
        index += f"| [{file.name}]({file.name}) | {told.claim} |\n"
    for name in SCENARIOS:
        ((_, scenario),) = find(name)
        file = directory / f"{name}.pcapng"
        chosen = column("winsock", scenario.policies)
        if not run_scenario(name, scenario, chosen, VirtualWorld(scenario, chosen, SEED, file)).held:
            raise SystemExit(f"{name}: an expectation did not hold")
        index += f"| [{file.name}]({file.name}) | {scenario.title} |\n"
    (directory / "README.md").write_text(index)


def changed(directory: Path) -> list[str]:
    """The names of the files in `directory` that differ from those kept."""
    return [
        file.name
        for file in sorted(directory.iterdir())
        if not (CAPTURES / file.name).exists() or (CAPTURES / file.name).read_bytes() != file.read_bytes()
    ]


def main() -> None:
    if "--check" not in sys.argv[1:]:
        make(CAPTURES)
        return
    with tempfile.TemporaryDirectory() as temporary:
        make(Path(temporary))
        different = changed(Path(temporary))
    if different:
        raise SystemExit("these captures would change: " + ", ".join(different))


if __name__ == "__main__":
    main()
