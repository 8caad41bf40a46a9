"""Throughput through a bad link: wsknet and the kernel, beside two kernels.

    .venv/bin/python -m tools.benchmark.impaired [--check]      as root, four minutes

CUBIC on both sides, a round trip of 20 ms, 1 % of the frames lost in each direction, no limit of the rate.  Wsknet and
the second kernel take turns behind the same link (`impaired_path`), with the same seeds.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from tools.benchmark.__main__ import interrupted, progress
from tools.benchmark.impaired_path import SERVER, ImpairedPath
from tools.benchmark.measures import Peer
from wsknet.devices.impair import Impairment
from wsknet.errors import UsageError
from wsknet.types import MILLISECOND

ONE_WAY = 10 * MILLISECOND
LOSS = 0.01
SIZE = 10_000_000
SEEDS = (1, 2, 3, 4, 5)
WARM_UP = 100_000

DIRECTIONS = {"push": "wsknet receives", "pull": "wsknet sends"}
"""By what the client does."""

LEAST_RATIO = 0.8
"""Of the medians; the bound of `--check`."""

Rates = dict[tuple[str, Peer], list[float]]
"""Mbit/s by direction and who served, one per seed."""


def main() -> int:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        rates = measure(arguments.loss, arguments.bytes)
    except (OSError, UsageError) as error:
        print(f"impaired: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("impaired: interrupted, nothing is left behind", file=sys.stderr)
        return 130
    print(table(rates))
    return int(arguments.check and not is_met(rates))


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="impaired", description="wsknet and a kernel beside two kernels, on a bad link."
    )
    parser.add_argument("--bytes", type=int, default=SIZE, help="in each transfer (%(default)s)")
    parser.add_argument("--loss", type=float, default=LOSS, help="of a frame, in each direction (%(default)s)")
    parser.add_argument("--check", action="store_true", help=f"exit 1 where the ratio is below {LEAST_RATIO}")
    return parser.parse_args(given)


def measure(loss: float, size: int) -> Rates:
    """The peers take turns, so that a noisy minute of the machine hits both."""
    rates: Rates = {(mode, peer): [] for mode in DIRECTIONS for peer in Peer}
    link = Impairment(delay=ONE_WAY, loss=loss)
    with ExitStack() as undo:
        paths = [undo.enter_context(ImpairedPath(peer)) for peer in Peer]
        for path in paths:
            path.transfer("push", SERVER, WARM_UP)
        for seed in SEEDS:
            for mode, title in DIRECTIONS.items():
                for path in paths:
                    progress(f"seed {seed} of {len(SEEDS)}: {title}, {path.peer.value}")
                    path.impair(link, seed)
                    rates[mode, path.peer].append(rate(path.transfer(mode, SERVER, size)))
        progress("")
    return rates


def rate(told: dict[str, float]) -> float:
    """Mbit/s.  `OSError` for data that have not arrived as they were."""
    if not told["identical"]:
        raise OSError("the data that arrived are not those that were sent")
    return told["bytes"] * 8 / told["seconds"] / 1e6


def ratio(rates: Rates, mode: str) -> float:
    return median(rates[mode, Peer.WSKNET]) / median(rates[mode, Peer.KERNEL])


def is_met(rates: Rates) -> bool:
    return all(ratio(rates, mode) >= LEAST_RATIO for mode in DIRECTIONS)


def table(rates: Rates) -> str:
    """Medians with their range, and what wsknet reaches of the kernel."""
    lines = [f"{'':20}{'wsknet':>28}{'kernel':>28}{'ratio':>9}"]
    for mode, title in DIRECTIONS.items():
        cells = "".join(f"{_cell(rates[mode, peer]):>28}" for peer in (Peer.WSKNET, Peer.KERNEL))
        lines.append(f"{title:20}{cells}{ratio(rates, mode):9.3f}")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    return f"{median(values):.2f} [{min(values):.2f}..{max(values):.2f}] Mbit/s"


if __name__ == "__main__":
    sys.exit(main())
