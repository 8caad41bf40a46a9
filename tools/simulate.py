"""Whole worlds of TCP in virtual time, each drawn from one seed: `python -m tools.simulate [--seeds A-B|N ...] [-v]`.

Each failing seed is told with the command that replays it; the exit status is then 1.  What is drawn and what is
checked: `tests/simulation`.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.run import Outcome, replay_command, run_seed
from tests.simulation.words import describe, time_text


def seeds_of(text: str) -> range:
    """``A-B`` with both ends, or ``N`` for one."""
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not a seed or a range of seeds: write 7 or 1-2000")
    found = range(int(first), int(last if dash else first) + 1)
    if not found:
        raise argparse.ArgumentTypeError(f"the range {text} is empty: write the smaller number first")
    return found


def tell(outcome: Outcome, is_verbose: bool) -> None:
    seed = outcome.world.seed
    if outcome.faults:
        print(f"seed {seed}: {outcome.faults[0]}\n  replay: {replay_command(seed)}", flush=True)
    if is_verbose:
        numbers = f"{outcome.frames} of {outcome.frame_bound} frames, {outcome.events} events"
        times = f"{time_text(outcome.lasted)} of {time_text(outcome.bound)}"
        print(outcome.text() if outcome.faults else describe(outcome.world))
        print(f"  {numbers}, {times}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=seeds_of, default=[range(1, 2001)], metavar="A-B|N")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--pcap", type=Path, metavar="FILE", help="write the capture of the one seed")
    parser.add_argument("-v", "--verbose", action="store_true", help="each world in words, and all about a failure")
    options = parser.parse_args(arguments)
    seeds = [seed for each in options.seeds for seed in each]
    if options.pcap is not None:
        if len(seeds) != 1:
            parser.error("--pcap writes the capture of one seed: give --seeds one number")
        outcomes = [run_seed(seeds[0], options.pcap)]
        tell(outcomes[0], options.verbose)
        return int(bool(outcomes[0].faults))
    failed = 0
    with ProcessPoolExecutor(max(1, options.jobs)) as pool:
        for outcome in pool.map(run_seed, seeds, chunksize=4):
            tell(outcome, options.verbose)
            failed += bool(outcome.faults)
    print(f"{len(seeds)} seeds, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
