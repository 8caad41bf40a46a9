"""The core knows no clock, socket, thread or Scapy: importing it loads nothing of the kind, not even indirectly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

CORE = (
    "behaviour", "config", "errors", "net", "policy_table", "stack", "tcp_policy", "timers", "trace", "transport",
    "types", "wire",
)  # fmt: skip

VOCABULARY = (
    "__future__",
    "bisect",
    "collections.abc",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "hmac",
    "ipaddress",
    "itertools",
    "math",
    "operator",
    "struct",
    "typing",
)
"""What the core uses of the standard library."""

WITHHELD = ("asyncio", "logging", "netaddr", "os", "random", "scapy", "select", "socket", "threading", "time")
"""Importing one of these fails, although the interpreter itself has loaded some of them at its start."""

LOAD = """
import sys
sys.path.insert(0, sys.argv[1])
vocabulary, withheld, modules = (names.split() for names in sys.argv[2:])
for name in vocabulary:
    __import__(name)
for name in withheld:
    sys.modules[name] = None
before = set(sys.modules)
for name in modules:
    __import__(name)
print(*sorted(set(sys.modules) - before))
"""


def load(*modules: str) -> subprocess.CompletedProcess[str]:
    """Import `modules` in a fresh interpreter without site-packages; prints what came in beyond the vocabulary."""
    lists = (" ".join(names) for names in (VOCABULARY, WITHHELD, modules))
    command = [sys.executable, "-I", "-S", "-c", LOAD, str(ROOT), *lists]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def core_modules() -> list[str]:
    names = []
    for part in CORE:
        path = ROOT / "wsknet" / part
        files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
        names += [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    return sorted(names)


def test_the_core_loads_only_itself_and_its_vocabulary() -> None:
    modules = core_modules()
    assert {"wsknet.stack", "wsknet.wire.tcp", "wsknet.net.layer"} <= set(modules)

    done = load(*modules)

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {*modules, "wsknet"}


def test_an_import_of_a_clock_or_of_anything_unexpected_is_seen() -> None:
    assert "import of time halted" in load("time").stderr
    assert "import of threading halted" in load("wsknet.drivers.completions").stderr
    assert "json" in load("json").stdout.split()
