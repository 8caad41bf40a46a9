"""The golden captures: made again, byte for byte; clean for Wireshark; with the decisions as comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapNgReader

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from tools.captures import CAPTURES, CASES, SCENARIOS, make
from tools.exchanges import EXCHANGES

NAMES = sorted([*CASES, *EXCHANGES, *SCENARIOS])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("captures")
    make(directory)
    return directory


def frames(path: Path) -> list[bytes]:
    with RawPcapNgReader(str(path)) as reader:
        return [data for data, _ in reader]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_makes_the_same_bytes(made: Path, name: str) -> None:
    new, old = made / f"{name}.pcapng", CAPTURES / f"{name}.pcapng"
    if new.read_bytes() != old.read_bytes():
        for number, (one, other) in enumerate(zip(frames(old), frames(new), strict=False), 1):
            assert one == other, (
                f"frame {number} was\n{Ether(one).show2(dump=True)}and is\n{Ether(other).show2(dump=True)}"
            )
    assert new.read_bytes() == old.read_bytes(), "same frames, other times, names or comments"


def test_the_index_is_the_one_that_the_cases_make(made: Path) -> None:
    assert (made / "README.md").read_text() == (CAPTURES / "README.md").read_text()
    assert {file.stem for file in CAPTURES.glob("*.pcapng")} == set(NAMES)


@requires_tool("tshark")
@pytest.mark.parametrize("name", NAMES)
def test_wireshark_has_nothing_to_say_against_it(name: str) -> None:
    verdict = judge(CAPTURES / f"{name}.pcapng")
    assert verdict.is_clean, verdict
    assert not fields(CAPTURES / f"{name}.pcapng", "frame.number", where="_ws.expert.severity >= warning")


@requires_tool("tshark")
@pytest.mark.rule("R-102")
def test_the_udp_capture_shows_the_source_following_the_route() -> None:
    sent = fields(
        CAPTURES / "udp-wildcard-source-follows-route.pcapng",
        "ip.src",
        "udp.srcport",
        "ip.dst",
        "frame.comment",
        where="udp && udp.dstport == 7",
    )
    assert [row[:3] for row in sent] == [
        ["192.0.2.1", "5000", "192.0.2.2"],
        ["198.51.100.1", "5000", "198.51.100.2"],
    ]
    assert "eth0 from 192.0.2.1" in sent[0][3]
    assert "eth1 from 198.51.100.1" in sent[1][3]
