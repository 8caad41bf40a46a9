"""Captures as Scapy and Wireshark read them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from scapy.utils import RawPcapNgReader

from tests.support.needs import requires_tool
from tests.support.tshark import fields
from tests.unit.devices.links import Card, Station, frame
from wsknet.devices.capture import Capture
from wsknet.devices.impair import Impairment
from wsknet.devices.pcapng import Direction, PcapngWriter
from wsknet.devices.wire import Wire
from wsknet.drivers.sim import NEW_YEAR_2026, Simulation
from wsknet.errors import UsageError
from wsknet.types import Instant

LATE = Instant(123_456_789_012_345_678)


def sample(file: Path) -> Path:
    with PcapngWriter.open(file, epoch=1_767_225_600_000_000_000) as writer:
        first = writer.add_interface("client.eth0", "to the lab")
        writer.write(first, Instant(1), frame(1), Direction.OUTBOUND)
        second = writer.add_interface("sérver.eth0")
        writer.write(second, LATE, frame(2, 61), Direction.INBOUND, "why: «longest prefix»")
        writer.write(first, Instant(3), frame(3, 62), Direction.OUTBOUND, "x" * 70_000)
    return file


def test_scapy_reads_back_what_was_written(tmp_path: Path) -> None:
    with RawPcapNgReader(str(sample(tmp_path / "sample.pcapng"))) as reader:
        rows = [
            (data, meta.tsresol, (meta.tshigh << 32) + meta.tslow, meta.ifname, meta.direction, meta.wirelen)
            for data, meta in reader
        ]
    assert rows == [
        (frame(1), 10**9, 1_767_225_600_000_000_001, b"client.eth0", 2, 60),
        (frame(2, 61), 10**9, 1_767_225_600_000_000_000 + LATE, "sérver.eth0".encode(), 1, 61),
        (frame(3, 62), 10**9, 1_767_225_600_000_000_003, b"client.eth0", 2, 62),
    ]


def test_scapy_reads_the_comments(tmp_path: Path) -> None:
    with RawPcapNgReader(str(sample(tmp_path / "sample.pcapng"))) as reader:
        comments = [meta.comments for _, meta in reader]
    assert comments == [None, ["why: «longest prefix»".encode()], [b"x" * 65535]]


@requires_tool("tshark")
def test_wireshark_reads_back_what_was_written(tmp_path: Path) -> None:
    rows = fields(
        sample(tmp_path / "sample.pcapng"),
        *("frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "frame.comment", "frame.len"),
    )
    assert [row[1:3] + row[4:] for row in rows] == [
        ["client.eth0", "0x00000002", "60"],
        ["sérver.eth0", "0x00000001", "61"],
        ["client.eth0", "0x00000002", "62"],
    ]
    assert rows[0][0].endswith("000000001") or "00:00:00.000000001" in rows[0][0]
    assert rows[1][3] == "why: «longest prefix»"


def test_every_byte_is_as_the_format_says() -> None:
    """And nothing else: no clock, no host name.  Golden captures rest on it."""
    file = BytesIO()
    writer = PcapngWriter(file, epoch=0x1_0000_0000)
    writer.write(writer.add_interface("a0"), Instant(2), b"frame", Direction.OUTBOUND, "why")
    assert file.getvalue() == bytes.fromhex(
        "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"  # section header
        "01000000 28000000 0100 0000 00000000"  # Ethernet, frames whole
        "0200 0200 61300000  0900 0100 09000000  00000000 28000000"  # its name, nanoseconds
        "06000000 3c000000 00000000 01000000 02000000 05000000 05000000 6672616d65 000000"
        "0100 0300 77687900  0200 0400 02000000  00000000 3c000000"  # the comment, outbound
    )


def test_a_capture_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write the capture .*: No such file or directory"):
        PcapngWriter.open(tmp_path / "absent" / "x.pcapng")


def captured(file: BytesIO) -> list[tuple[bytes, int, bytes, list[bytes] | None, int]]:
    with RawPcapNgReader(BytesIO(file.getvalue())) as reader:
        return [
            (meta.ifname, (meta.tshigh << 32) + meta.tslow, data, meta.comments, meta.direction)
            for data, meta in reader
        ]


def test_on_a_link_each_frame_is_captured_once_by_its_sender() -> None:
    file = BytesIO()
    with Simulation() as driver:
        writer = PcapngWriter(file, driver.epoch)
        wire = Wire(driver, Random(1), "a.eth0", "b.eth0", Impairment(delay=10))
        a, b = (Capture(end, writer) for end in wire.ends)
        Station(driver, a)
        station = Station(driver, b)
        a.transmit((b"head", memoryview(b"payload")), driver.now(), "why")
        driver.run()
        b.transmit((b"answer",), driver.now())
        driver.run()
        assert station.frames == [b"headpayload"]
    assert captured(file) == [
        (b"a.eth0", NEW_YEAR_2026, b"headpayload", [b"why"], 2),
        (b"b.eth0", NEW_YEAR_2026 + 10, b"answer", None, 2),
    ]


def test_a_lost_frame_is_in_the_capture() -> None:
    file = BytesIO()
    with Simulation() as driver:
        wire = Wire(driver, Random(1), impairment=Impairment(loss=1))
        Capture(wire.ends[0], PcapngWriter(file)).transmit((frame(1),), driver.now())
    assert len(captured(file)) == 1


def test_on_a_card_both_directions_are_captured() -> None:
    file = BytesIO()
    with Simulation() as driver:
        card = Card("tap0")
        capture = Capture(card, PcapngWriter(file), both=True)
        station = Station(driver, capture)
        card.arrive(frame(1))
        capture.transmit((frame(2),), driver.now())
        capture.close()
        assert station.frames == [frame(1)]
        assert card.is_closed
    assert [row[:1] + row[2:3] + row[4:] for row in captured(file)] == [
        (b"tap0", frame(1), 1),
        (b"tap0", frame(2), 2),
    ]
