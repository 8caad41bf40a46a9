"""What a stranger can send without end: nothing grows, and who we talk to is not forgotten."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator

import pytest
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6

from tests.unit.net.lab import IF1, OTHER_MAC, Lab, arp
from wsknet.config import NeighbourConfig
from wsknet.net.interface import AddressState

FLOOD = 300
SLACK = 4_000
"""Bytes.  Cancelled timers wait to be cleared away; one dict entry more per message is as much."""

Send = Callable[[Lab, int], None]


def question4(lab: Lab, number: int) -> None:
    lab.receive(IF1, arp("who-has", f"10.1.{number >> 8}.{number & 255}", "10.1.0.2", sender_mac=OTHER_MAC))


def question6(lab: Lab, number: int) -> None:
    message = ICMPv6ND_NS(tgt="2001:db8::2") / ICMPv6NDOptSrcLLAddr(lladdr=OTHER_MAC)
    lab.arrive(IF1, IPv6(src=f"2001:db8::1:{number:x}", dst="2001:db8::2", hlim=255) / message)


def answer4(lab: Lab, number: int) -> None:
    lab.receive(IF1, arp("is-at", f"10.1.{number >> 8}.{number & 255}", "10.1.0.2", sender_mac=OTHER_MAC))


def answer6(lab: Lab, number: int) -> None:
    message = ICMPv6ND_NA(tgt=f"2001:db8::1:{number:x}", S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=OTHER_MAC)
    lab.arrive(IF1, IPv6(src="2001:db8::99", dst="2001:db8::2", hlim=255) / message)


def conflict4(lab: Lab, number: int) -> None:
    mac = f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}"
    lab.receive(IF1, arp("who-has", "10.1.0.2", "10.1.0.77", sender_mac=mac))


def conflict6(lab: Lab, number: int) -> None:
    mac = f"02:00:00:01:{number >> 8:02x}:{number & 255:02x}"
    message = ICMPv6ND_NA(tgt="2001:db8::2", O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac)
    lab.arrive(IF1, IPv6(src="2001:db8::2", dst="ff02::1", hlim=255) / message, mac="33:33:00:00:00:01", peer=mac)


def scan4(lab: Lab, number: int) -> None:
    lab.send(f"10.1.{number >> 8}.{number & 255}")


def scan6(lab: Lab, number: int) -> None:
    lab.send(f"2001:db8::1:{number:x}")


FLOODS = [question4, question6, answer4, answer6, conflict4, conflict6, scan4, scan6]


@pytest.fixture
def all_objects() -> Iterator[None]:
    """Those from before the first test, too, which `conftest.py` hides from the collector."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("all_objects")
@pytest.mark.parametrize("send", FLOODS, ids=[send.__name__ for send in FLOODS])
def test_a_flood_leaves_memory_as_it_was(send: Send) -> None:
    lab = Lab(neighbours=NeighbourConfig(max_entries=32))
    lab.interface(IF1, "10.1.0.2/16", "2001:db8::2/64")

    def memory_after(numbers: range) -> int:
        for number in numbers:
            send(lab, number)
            lab.ip.frames.clear()
        lab.route("10.9.0.0/16", IF1)  # any change of the tables empties the caches, which are bounded elsewhere
        gc.collect()
        return sum(map(sys.getsizeof, gc.get_objects()))  # every container there is, and so whatever has grown

    before = memory_after(range(300, 300 + FLOOD))
    after = memory_after(range(300 + FLOOD, 300 + 2 * FLOOD))

    assert after - before < SLACK
    assert len(lab.ip.interfaces[IF1].neighbours) <= 32


@pytest.mark.rule("RFC5227-2.4")
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_no_flood_of_conflicts_makes_us_talk_more_than_defence_allows(family: str) -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/16", "2001:db8::2/64")
    for number in range(1000):
        (conflict4 if family == "IPv4" else conflict6)(lab, number)
        lab.pass_time(0.01)

    assert len(lab.take()) == (1 if family == "IPv4" else 0)
    states = [entry.state for entry in lab.ip.interfaces[IF1].addresses.values()]
    assert states == [AddressState.PREFERRED] * 2
