"""Coverage-guided fuzzing: `tools/fuzz.py [--runs FRAMES] [--corpus DIR] [--seed N]`, `tools/fuzz.py --replay FILE...`.

Each input is a programme of frames, calls and time for a stack of its own (`tests/fuzz/program.py`), which then must
let go of everything and serve a new connection in both families (`tests/fuzz/verdict.py`).  What raises, loops or leaks
is saved, and the command that replays it is printed; exit status 1.  Needs the extra `fuzz`; --replay does not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LONGEST_INPUT = 2048
FIRST_INPUTS = 64
HANG_SECONDS = 60
"""For one input; it takes milliseconds."""
MOST_MEGABYTES = 2048
_FOUND = 77


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runs", type=int, default=1_000_000, metavar="FRAMES", help="frames to send, a million if not said"
    )
    parser.add_argument(
        "--corpus", type=Path, default=ROOT / "build" / "fuzz", help="where inputs are kept; build/fuzz"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE", help="only these inputs, without atheris")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.replay:
        return replay(options.replay)
    if options.worker:
        work(options)
    return supervise(options)


def replay(files: list[Path]) -> int:
    failed = 0
    for file in files:
        try:
            frames = try_input(file.read_bytes())
        except Exception:
            failed += 1
            print(f"{file}: fails", flush=True)
            traceback.print_exc()
        else:
            print(f"{file}: {frames} frames, the stack is well")
    return 1 if failed else 0


def try_input(data: bytes) -> int:
    """Frames that the stack received.  Raises what must not be."""
    from tests.fuzz.program import run
    from tests.fuzz.verdict import judge

    world = run(data)
    judge(world)
    return world.frames


def supervise(options: argparse.Namespace) -> int:
    """libFuzzer ends its process its own way, so that the work is done in another one."""
    corpus: Path = options.corpus
    inputs = corpus / "inputs"
    for directory in (inputs, corpus / "found"):
        directory.mkdir(parents=True, exist_ok=True)
    if not any(inputs.iterdir()):
        plant(inputs, Random(options.seed))
    before = set((corpus / "found").iterdir())
    started = time.monotonic()
    worker = [sys.executable, __file__, "--worker", "--runs", str(options.runs), "--corpus", str(corpus)]
    status = subprocess.run([*worker, "--seed", str(options.seed)], cwd=ROOT, check=False).returncode
    seconds = time.monotonic() - started
    found = sorted(set((corpus / "found").iterdir()) - before)
    for file in found:
        print(f"found: tools/fuzz.py --replay {file}")
    done = read_progress(corpus)
    print(f"{done['frames']} frames in {done['inputs']} inputs, {seconds:.0f} s, {len(list(inputs.iterdir()))} kept")
    if status == 0 and done["frames"] >= options.runs and not found:
        return 0
    print(f"tools/fuzz.py: failed, the worker ended with {status}", file=sys.stderr)
    return 1


def plant(inputs: Path, rng: Random) -> None:
    """Programmes to begin with, of all lengths: libFuzzer would take long to find out that longer ones do more."""
    for number in range(FIRST_INPUTS):
        (inputs / f"seed-{number}").write_bytes(rng.randbytes(20 + rng.randrange(LONGEST_INPUT // 2)))


def read_progress(corpus: Path) -> dict[str, int]:
    try:
        progress: dict[str, int] = json.loads((corpus / "progress.json").read_text())
    except FileNotFoundError:
        return {"frames": 0, "inputs": 0}
    return progress


class Progress:
    """Counts, and ends the process when there were enough frames."""

    def __init__(self, corpus: Path, runs: int) -> None:
        self._corpus = corpus
        self._runs = runs
        self._frames = self._inputs = 0
        self._write()

    def one(self, data: bytes) -> None:
        try:
            self._frames += try_input(data)
        except Exception:
            traceback.print_exc()
            file = self._corpus / "found" / f"crash-{hashlib.sha1(data, usedforsecurity=False).hexdigest()}"
            file.write_bytes(data)
            self._end(_FOUND)
        self._inputs += 1
        if self._inputs % 100 == 0:
            self._write()
        if self._frames >= self._runs:
            self._end(0)

    def _write(self) -> None:
        text = json.dumps({"frames": self._frames, "inputs": self._inputs})
        (self._corpus / "progress.json").write_text(text)

    def _end(self, status: int) -> None:
        self._write()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def work(options: argparse.Namespace) -> None:
    try:
        import atheris
    except ImportError:
        raise SystemExit("tools/fuzz.py needs atheris: pip install -e '.[fuzz]'") from None
    with atheris.instrument_imports(include=["wsknet"]):
        import tests.fuzz.program
        import tests.fuzz.verdict  # noqa: F401
    corpus: Path = options.corpus
    progress = Progress(corpus, options.runs)
    arguments = [
        sys.argv[0],
        f"-seed={options.seed}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-artifact_prefix={corpus / 'found'}/",
        "-len_control=0",
        "-verbosity=0",
        str(corpus / "inputs"),
    ]
    atheris.Setup(arguments, progress.one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
