"""The helper that judges captures must itself see what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet
from scapy.utils import wrpcap

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge

pytestmark = requires_tool("tshark")


def frame(layers: Packet) -> Packet:
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return Ether(bytes(link / IP(src="192.0.2.1", dst="192.0.2.2") / layers))


DATA = frame(TCP(sport=1000, dport=2000, flags="PA", seq=0xFFFFFFFE) / b"hello")
DATAGRAM = frame(UDP(sport=1000, dport=2000) / b"hello")


def test_a_clean_capture(tmp_path: Path) -> None:
    capture = tmp_path / "clean.pcap"
    wrpcap(str(capture), [DATA, DATAGRAM, frame(ICMP())])

    verdict = judge(capture)

    assert verdict.is_clean
    assert verdict.frames == 3
    assert fields(capture, "udp.dstport", where="udp") == [["2000"]]


@pytest.mark.parametrize(
    "layers",
    [UDP(sport=1, dport=2, chksum=0x1234) / b"x", TCP(chksum=0x1234), ICMP(chksum=0x1234)],
    ids=["udp", "tcp", "icmp"],
)
def test_bad_checksums_are_seen(layers: Packet, tmp_path: Path) -> None:
    capture = tmp_path / "bad.pcap"
    wrpcap(str(capture), [DATA, frame(layers)])

    assert judge(capture).bad_checksums == (2,)


def test_the_other_zero_is_a_right_checksum(tmp_path: Path) -> None:
    """The kernel writes 0xffff where a TCP checksum comes out as zero, once in some 65,000 segments."""
    zero = next(f for data in range(0x10000) if (f := _with_data(data))[TCP].chksum == 0)
    mangled = zero.copy()
    mangled[TCP].chksum = 0xFFFF
    wrong = _with_data(0x1234)
    wrong[TCP].chksum = 0xFFFF
    capture = tmp_path / "zero.pcap"
    wrpcap(str(capture), [mangled, wrong])

    assert judge(capture).bad_checksums == (2,)


def _with_data(data: int) -> Packet:
    return frame(TCP(sport=1000, dport=2000, flags="A") / data.to_bytes(2, "big"))


def test_malformed_frames_and_retransmissions_are_seen(tmp_path: Path) -> None:
    capture = tmp_path / "bad.pcap"
    # 200 ms apart: closer together, the second would count as out of order.
    repeat = DATA.copy()
    DATA.time, repeat.time = 1.0, 1.2
    wrpcap(str(capture), [frame(TCP(dataofs=15)), DATA, repeat])

    verdict = judge(capture)

    assert verdict.malformed == (1,)
    assert verdict.retransmissions == (3,)
    assert not verdict.is_clean


def test_segments_out_of_their_order_and_missing_ones_are_seen(tmp_path: Path) -> None:
    first, second, third = (
        frame(TCP(sport=1000, dport=2000, flags="A", seq=sequence) / b"hello") for sequence in (1, 6, 11)
    )
    swapped, holed = tmp_path / "swapped.pcap", tmp_path / "holed.pcap"
    wrpcap(str(swapped), _at_once(first, third, second))
    wrpcap(str(holed), _at_once(first, third))

    assert judge(swapped).disordered == (2, 3)
    assert judge(holed).disordered == (2,)
    assert judge(holed).is_clean
    assert not judge(holed).is_flawless


def test_warnings_of_the_experts_are_seen(tmp_path: Path) -> None:
    """A reset is one; the opening of a connection is chat."""
    opening, reset = (frame(TCP(sport=1000, dport=2000, flags=flags)) for flags in ("S", "R"))
    capture, opened = tmp_path / "reset.pcap", tmp_path / "opened.pcap"
    wrpcap(str(capture), [opening, reset])
    wrpcap(str(opened), [opening])

    ((number, message),) = judge(capture).warnings
    assert number == 2
    assert "RST" in message
    assert judge(opened).is_flawless


def _at_once(*frames: Packet) -> list[Packet]:
    """One time for all: what comes more than some milliseconds late would count as sent again."""
    for one in frames:
        one.time = 1.0
    return list(frames)


def test_a_cut_capture_fails(tmp_path: Path) -> None:
    capture = tmp_path / "cut.pcap"
    wrpcap(str(capture), [DATA])
    capture.write_bytes(capture.read_bytes()[:-1])

    with pytest.raises(AssertionError, match="cut short"):
        judge(capture)
