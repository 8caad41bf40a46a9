"""What a test needs of the machine.  Tests declare it; `conftest.py` skips those that lack something.

pytestmark = pytest.mark.tap                    # root and /dev/net/tun

@requires_tool("tshark")
def test_...
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

TUN = Path("/dev/net/tun")

DEBIAN_PACKAGES = {
    "ab": "apache2-utils",
    "arping": "iputils-arping",
    "chrt": "util-linux",
    "curl": "curl",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "mtr": "mtr-tiny",
    "nc": "netcat-openbsd",
    "ndisc6": "ndisc6",
    "ping": "iputils-ping",
    "radvd": "radvd",
    "socat": "socat",
    "tracepath": "iputils-tracepath",
    "traceroute": "traceroute",
    "tshark": "tshark",
    "wget": "wget",
    "wrk": "wrk",
}


def requires_tool(*names: str) -> pytest.MarkDecorator:
    """Decorator (or `pytestmark`) for tests that run the programs `names`."""
    return pytest.mark.tool(*names)


def lacking(item: pytest.Item) -> str | None:
    """The first thing that `item` needs and the machine lacks, with how to mend it."""
    return next(_lacks(item), None)


def _lacks(item: pytest.Item) -> Iterator[str]:
    if item.get_closest_marker("tap"):
        if os.geteuid() != 0:
            yield "a TAP needs root: run as root"
        elif not TUN.is_char_device():
            yield f"a TAP needs {TUN}: modprobe tun, or pass the device into the container"
    for mark in item.iter_markers("tool"):
        for name in mark.args:
            if shutil.which(name) is None:
                yield f"{name} is not installed: apt-get install {DEBIAN_PACKAGES.get(name, name)}"
