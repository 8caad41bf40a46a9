"""What this process has changed on the machine, and how to undo it: also for one that was killed.

Every change is written down before it is made, in a file that names the process.  The next start undoes what the files
of dead processes name.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

from wsknet.errors import UsageError
from wsknet.machine import netlink, sysctl
from wsknet.machine.namespace import Namespace, remove_name

_numbers = count(1)


@dataclass(frozen=True)
class Change:
    """One thing made or set.  `namespace` is None for the one that the program was started in."""

    namespace: str | None
    kind: str
    """``namespace``, ``address``, ``route``, ``up`` or ``sysctl``."""
    name: str
    """Of the namespace, the interface, the destination or the setting."""
    value: str = ""
    """The address, the gateway, or what the setting was before."""

    def undo(self) -> None:
        """Nothing if what it names is gone."""
        if self.kind == "namespace":
            remove_name(self.name)
            return
        namespace = Namespace.own() if self.namespace is None else Namespace.named(self.namespace)
        if namespace is None:
            return
        try:
            with namespace.entered():
                self._undo_inside()
        finally:
            namespace.close()

    def _undo_inside(self) -> None:
        match self.kind:
            case "address":
                netlink.remove_address(self.name, self.value)
            case "route":
                netlink.remove_route(self.name, self.value)
            case "up":
                netlink.set_down(self.name)
            case "sysctl":
                sysctl.write(self.name, self.value)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind} {self.name}{' ' + self.value if self.value else ''}{where}"


class Ledger:
    """The changes of one lab.  The file exists while there are any."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or default_directory()
        self._file = self.directory / f"{os.getpid()}.{next(_numbers)}.json"
        self._changes: list[Change] = []

    def add(self, change: Change) -> None:
        """Call it before making the change."""
        self._changes.append(change)
        self._write()

    def drop(self, change: Change) -> None:
        """It was not made after all, or is undone."""
        self._changes.remove(change)
        self._write()

    def undo(self) -> None:
        """Undo everything, the last change first.  What cannot be undone stays in the file, and is raised."""
        failures = []
        for change in reversed(self._changes[:]):
            try:
                change.undo()
            except (OSError, UsageError) as error:
                failures.append(error)
            else:
                self.drop(change)
        if failures:
            raise failures[0]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from making or cleaning up; a name must not be taken in between."""
        with _locked(self.directory):
            yield

    def _write(self) -> None:
        if not self._changes:
            self._file.unlink(missing_ok=True)
            return
        content = {"pid": os.getpid(), "started": started(os.getpid()), "changes": [asdict(c) for c in self._changes]}
        _make_directory(self.directory)
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(content, indent=1))
        draft.replace(self._file)


def clean_leftovers(directory: Path | None = None) -> list[str]:
    """Undo what dead processes left behind; what it was, for people."""
    directory = directory or default_directory()
    if not os.access(directory, os.W_OK):
        return []
    cleaned = []
    with _locked(directory):
        for file in sorted(directory.glob("*.json")):
            changes = _of_dead_process(file)
            with suppress(OSError, UsageError):  # what cannot be undone now stays for the next start
                for change in reversed(changes):
                    change.undo()
                    cleaned.append(str(change))
                if changes:
                    file.unlink()
    return cleaned


def _of_dead_process(file: Path) -> list[Change]:
    """Nothing if the process lives or the file is not one of ours."""
    try:
        content = json.loads(file.read_text())
        if started(content["pid"]) == content["started"]:
            return []
        return [Change(**entry) for entry in content["changes"]]
    except (ValueError, KeyError, TypeError):
        return []


def started(pid: int) -> int | None:
    """When the process began, in ticks since boot: with `pid` it names one process for ever.  None if it is dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # proc(5): the second field is the name in parentheses and may hold anything; 3 is the state, 22 the start.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def default_directory() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "wsknet" if runtime and os.geteuid() != 0 else Path("/run/wsknet")


def _make_directory(directory: Path) -> Path:
    """The lock file in it, which can be written."""
    lock = directory / "lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.touch()
    except OSError as error:
        raise UsageError(
            f"cannot note in {directory} what has to be undone ({error.strerror}): run it as root"
        ) from None
    return lock


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with _make_directory(directory).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
