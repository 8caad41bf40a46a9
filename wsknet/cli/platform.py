"""Virtual networks run on any system; TAPs are made of Linux."""

from __future__ import annotations

import sys

from wsknet.errors import UsageError


def require_linux(what: str) -> None:
    """Called before anything is imported that other systems do not have."""
    if sys.platform != "linux":
        raise UsageError(f"{what} needs Linux and its TAP interfaces: on {sys.platform} use the virtual networks")
