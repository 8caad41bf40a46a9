"""A TAP with the kernel behind it, in namespaces that nobody else sees."""

from __future__ import annotations

import select
import socket
import subprocess
from collections.abc import Iterator
from random import Random

import pytest
from scapy.layers.l2 import ARP, Ether

from tests.support.rights import without_rights
from tests.unit.devices.links import Station
from tests.unit.drivers.standin import CARD, StandIn, pump_of
from wsknet.devices.impair import Impaired, Impairment
from wsknet.devices.tap import BATCH, TapDevice
from wsknet.drivers.blocking import RealDriver
from wsknet.errors import UsageError
from wsknet.machine.lab import Lab
from wsknet.types import MILLISECOND, Instant

pytestmark = pytest.mark.tap

OUR_MAC = "02:00:00:00:00:02"
NOW = Instant(0)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab.unnamed() as made:
        # Nothing but what the tests ask for shall come out of the kernel.
        for which in ("all", "default"):
            made.sysctl(f"net.ipv6.conf.{which}.disable_ipv6", "1")
        yield made


@pytest.fixture
def tap(lab: Lab) -> TapDevice:
    return lab.tap("tap0", TapDevice, peer=["198.51.100.1/24"])


def wait_readable(tap: TapDevice) -> None:
    assert select.select([tap], [], [], 20)[0]


def ask(target: str = "198.51.100.1") -> bytes:
    question = ARP(op=1, hwsrc=OUR_MAC, psrc="198.51.100.2", hwdst="00:00:00:00:00:00", pdst=target)
    return bytes(Ether(src=OUR_MAC, dst="ff:ff:ff:ff:ff:ff") / question)


def datagrams(lab: Lab, count: int) -> None:
    """Let the kernel send that many to us, without asking who we are."""
    with lab.entered():
        subprocess.run(
            ["ip", "neigh", "replace", "198.51.100.2", "lladdr", OUR_MAC, "dev", "tap0"], check=True, timeout=20
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(count):
                sender.sendto(b"x", ("198.51.100.2", 9))


def test_the_kernel_answers_on_a_tap(lab: Lab, tap: TapDevice) -> None:
    with RealDriver() as driver:
        station = Station(driver, tap)
        question = ask()
        tap.transmit((question[:14], memoryview(question)[14:]), NOW)
        wait_readable(tap)
        with station as now:
            tap.on_readable(now)
    answer = Ether(station.frames[0])
    assert answer[ARP].op == 2
    assert answer[ARP].psrc == "198.51.100.1"
    assert answer.dst == OUR_MAC


def test_reading_without_frames_does_not_wait(tap: TapDevice) -> None:
    tap.on_readable(NOW)
    assert tap.recv() is None


def test_one_turn_reads_a_bounded_number_of_frames(lab: Lab, tap: TapDevice) -> None:
    datagrams(lab, BATCH + 10)
    received: list[bytes] = []
    with RealDriver() as driver:
        tap.attach(lambda frame, now: received.append(frame), Station(driver, tap))
    tap.on_readable(NOW)
    assert len(received) == BATCH
    tap.on_readable(NOW)
    assert len(received) == BATCH + 10


def test_scapy_can_use_it(tap: TapDevice) -> None:
    tap.send(Ether(ask()))
    wait_readable(tap)
    answer = tap.recv()
    assert answer is not None
    assert answer[ARP].psrc == "198.51.100.1"


def test_the_driver_reads_it(lab: Lab, tap: TapDevice) -> None:
    stack = StandIn()
    with RealDriver() as driver:
        pump = pump_of(stack, driver)
        pump.attach(CARD, tap)
        driver.add_device(pump, tap)
        with pump:
            stack.send(ask())
        driver.run(lambda: bool(stack.received))
    assert Ether(stack.received[0][1])[ARP].psrc == "198.51.100.1"


def test_a_bad_link_in_front_of_a_tap(lab: Lab, tap: TapDevice) -> None:
    stack = StandIn()
    with RealDriver() as driver:
        pump = pump_of(stack, driver)
        delay = Impairment(delay=2 * MILLISECOND)
        pump.attach(CARD, Impaired(tap, driver, Random(1), delay, delay))
        driver.add_device(pump, tap)
        with pump as sent_at:
            stack.send(ask())
        driver.run(lambda: bool(stack.received))
        assert stack.received[0][0] >= sent_at + 4 * MILLISECOND


def test_a_link_that_is_down_takes_nothing_and_raises_nothing(lab: Lab, tap: TapDevice) -> None:
    with lab.entered():
        subprocess.run(["ip", "link", "set", "tap0", "down"], check=True, timeout=20)
    tap.transmit((ask(),), NOW)
    assert tap.dropped == 1


def test_a_frame_that_is_none_is_an_error(tap: TapDevice) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        tap.transmit((b"short",), NOW)


def test_a_deleted_tap_stops_the_driver_with_one_clear_error(lab: Lab, tap: TapDevice) -> None:
    stack = StandIn()
    with RealDriver() as driver:
        pump = pump_of(stack, driver)
        pump.attach(CARD, tap)
        driver.add_device(pump, tap)
        driver.start()
        with lab.entered():
            subprocess.run(["ip", "link", "delete", "tap0"], check=True, timeout=20)
        with pytest.raises(OSError, match="the TAP tap0 is gone: somebody has deleted it"):
            driver.block(lambda: False, "a frame", None)
        with pump:
            stack.send(ask())
    assert tap.dropped == 1


def test_a_tap_has_one_owner(lab: Lab, tap: TapDevice) -> None:
    with lab.entered(), pytest.raises(UsageError, match="tap0 is in use by another program"):
        TapDevice("tap0")


def test_an_interface_that_is_no_tap(lab: Lab) -> None:
    with lab.entered(), pytest.raises(UsageError, match="lo exists and is not a TAP"):
        TapDevice("lo")


@pytest.mark.parametrize("name", ["", "sixteen-letters-", "a/b", "tap%d", "my tap", ".", "..", "a:b"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name an interface"):
        TapDevice(name)


def test_without_rights_the_message_says_what_to_do(lab: Lab) -> None:
    with lab.entered(), without_rights(), pytest.raises(UsageError, match=r"no right to .*root"):
        TapDevice("tap9")


def test_closing_removes_a_tap_that_was_made(lab: Lab, tap: TapDevice) -> None:
    tap.close()
    tap.close()
    with lab.entered():
        assert "tap0" not in [name for _, name in socket.if_nameindex()]
