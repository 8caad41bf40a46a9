"""wsknet and the kernel of Linux, both with CUBIC, on the two sides of a link of 20 ms that loses frames.

The round trip is 20 ms.  The whole figures are long, a sample is not.  What is judged: everything arrives as it was
sent, and no connection ends before it has; not how long it takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.needs import requires_tool
from tools.benchmark.impaired_path import SERVER, SERVER6, ImpairedPath
from tools.benchmark.measures import Peer
from wsknet.devices.impair import Impairment
from wsknet.types import MILLISECOND

pytestmark = [pytest.mark.tap, requires_tool("ip")]

MEGABYTE = 1_000_000
ONE_WAY = 10 * MILLISECOND

BOTH_WAYS = pytest.mark.parametrize("mode", ["push", "pull"], ids=["wsknet-receives", "wsknet-sends"])


@pytest.fixture(scope="module")
def path() -> Iterator[ImpairedPath]:
    with ImpairedPath(Peer.WSKNET) as path:
        yield path


def transfer(path: ImpairedPath, mode: str, address: str, size: int, loss: float) -> None:
    path.impair(Impairment(delay=ONE_WAY, loss=loss), seed=1)
    told = path.transfer(mode, address, size)
    up, down = path.impair(Impairment(), seed=0)
    assert told["identical"]
    assert told["bytes"] == size
    assert_link_was_bad(up if mode == "push" else down, size, loss)


def assert_link_was_bad(data_way: dict[str, Any], size: int, loss: float) -> None:
    """The transfer went through the link, and the link lost what it had to and nothing else."""
    frames = size // 1500
    assert data_way["passed"] > frames
    assert data_way["refused"] == 0
    assert frames * loss / 4 <= data_way["lost"] <= data_way["passed"] * loss * 4


@BOTH_WAYS
@pytest.mark.parametrize(
    ("size", "loss", "address"),
    [
        (5 * MEGABYTE, 0, SERVER), (MEGABYTE, 0.01, SERVER6), (3 * MEGABYTE // 10, 0.05, SERVER)
    ],
    ids=["clean", "1-percent", "5-percent"],
)  # fmt: skip
def test_a_sample_arrives_identical(path: ImpairedPath, mode: str, size: int, loss: float, address: str) -> None:
    transfer(path, mode, address, size, loss)


@pytest.mark.long
@BOTH_WAYS
@pytest.mark.parametrize("address", [SERVER, SERVER6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(
    ("size", "loss"),
    [(100 * MEGABYTE, 0), (10 * MEGABYTE, 0.01), (3 * MEGABYTE, 0.05)],
    ids=["100-MB-clean", "10-MB-1-percent", "3-MB-5-percent"],
)
def test_everything_arrives_identical(path: ImpairedPath, mode: str, size: int, loss: float, address: str) -> None:
    transfer(path, mode, address, size, loss)


@pytest.mark.parametrize("mode", ["push", "pull"])
def test_two_kernels_meet_the_same_link(mode: str) -> None:
    """What wsknet is compared with: the same bridge between the TAPs of two kernels."""
    with ImpairedPath(Peer.KERNEL) as path:
        transfer(path, mode, SERVER6, MEGABYTE // 2, 0.01)
