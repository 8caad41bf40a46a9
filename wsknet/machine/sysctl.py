"""Settings of the kernel that exist once per network namespace: those of the calling thread."""

from __future__ import annotations

from pathlib import Path

from wsknet.errors import UsageError


def read(key: str) -> str:
    return _path(key).read_text().strip()


def write(key: str, value: str) -> None:
    """`UsageError` if there is no such setting, no right to it or no such value."""
    try:
        _path(key).write_text(value)
    except OSError as error:
        raise UsageError(f"cannot set {key} to {value}: {error.strerror}") from None


def _path(key: str) -> Path:
    return Path("/proc/sys") / (key if "/" in key else key.replace(".", "/"))
