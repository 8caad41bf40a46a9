"""The states of RFC 4861 7.3.2, the same for both families, and the bound of the table."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP

from tests.unit.net.lab import IF1, OTHER_MAC, PEER_MAC, A, Lab, arp
from wsknet.config import NeighbourConfig
from wsknet.net.changes import LinkDown, LinkUp
from wsknet.net.packet import Path
from wsknet.text import format_address
from wsknet.trace import DropReason
from wsknet.types import SECOND, Proto
from wsknet.wire import ipv4

PEERS = {"IPv4": "10.1.0.50", "IPv6": "2001:db8::50"}


class Peer:
    """A neighbour in one family."""

    def __init__(self, family: str) -> None:
        self.lab = Lab()
        self.lab.interface(IF1, "10.1.0.2/24", "2001:db8::2/64")
        self.address = PEERS[family]
        self.is_ipv4 = family == "IPv4"

    def send(self) -> None:
        self.lab.send(self.address)

    def answer(self, mac: str = PEER_MAC) -> None:
        if self.is_ipv4:
            self.lab.receive(IF1, arp("is-at", self.address, "10.1.0.2", sender_mac=mac))
        else:
            message = ICMPv6ND_NA(tgt=self.address, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac)
            self.lab.arrive(IF1, IPv6(src=self.address, dst="2001:db8::2", hlim=255) / message)

    def confirm(self) -> None:
        self.lab.ip.confirm(self.lab.path(self.address), self.lab.now)

    def questions(self) -> list[str]:
        """Link destinations of the questions sent since the last time."""
        return [frame.dst for _, frame in self.lab.take() if frame.haslayer(ARP) or frame.haslayer(ICMPv6ND_NS)]

    @property
    def state(self) -> str | None:
        return self.lab.state(IF1, self.address)

    @property
    def reachable_seconds(self) -> float:
        return self.lab.ip.interfaces[IF1].neighbours.reachable / SECOND


@pytest.fixture(params=["IPv4", "IPv6"])
def peer(request: pytest.FixtureRequest) -> Peer:
    return Peer(request.param)


@pytest.mark.rule("RFC4861-7.3.3")
def test_incomplete_reachable_stale_delay_probe_and_gone(peer: Peer) -> None:
    states = []
    peer.send()
    states.append(peer.state)
    peer.answer()
    states.append(peer.state)
    peer.lab.pass_time(peer.reachable_seconds)
    states.append(peer.state)
    peer.questions()
    peer.send()
    states.append(peer.state)
    assert peer.questions() == []
    peer.lab.pass_time(5)
    states.append(peer.state)
    assert peer.questions() == [PEER_MAC]
    peer.lab.pass_time(2)
    assert peer.questions() == [PEER_MAC] * 2
    peer.lab.pass_time(1)
    states.append(peer.state)

    assert states == ["INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", None]


@pytest.mark.rule("RFC4861-6.3.2")
def test_reachable_lasts_between_half_and_one_and_a_half_of_the_base(peer: Peer) -> None:
    assert 15 <= peer.reachable_seconds <= 45


def test_packets_go_out_in_every_state_that_knows_the_mac(peer: Peer) -> None:
    peer.send()
    peer.answer()
    for seconds in (0, peer.reachable_seconds, 1, 4.5, 1):
        peer.lab.take()
        peer.lab.pass_time(seconds)
        peer.send()
        assert [frame.dst for _, frame in peer.lab.take() if frame.haslayer("UDP")] == [PEER_MAC]


def test_an_unused_stale_neighbour_is_left_in_peace(peer: Peer) -> None:
    peer.lab.know(IF1, peer.address)
    peer.lab.pass_time(3600)

    assert peer.state == "STALE"
    assert peer.lab.take() == []
    assert peer.lab.timers.next_deadline() is None


@pytest.mark.rule("RFC4861-7.3.1")
@pytest.mark.parametrize("after", [0, 6], ids=["in DELAY", "in PROBE"])
def test_progress_of_a_transport_confirms(peer: Peer, after: int) -> None:
    peer.lab.know(IF1, peer.address)
    peer.send()
    peer.lab.pass_time(after)
    peer.lab.take()

    peer.confirm()

    assert peer.state == "REACHABLE"
    peer.lab.pass_time(peer.reachable_seconds - 1)
    assert peer.lab.take() == []
    assert peer.state == "REACHABLE"


def test_progress_keeps_a_neighbour_reachable_for_ever(peer: Peer) -> None:
    peer.lab.know(IF1, peer.address)
    for _ in range(100):
        peer.send()
        peer.confirm()
        peer.lab.pass_time(peer.reachable_seconds - 1)

    assert peer.state == "REACHABLE"
    assert peer.questions() == []


def test_progress_says_nothing_about_a_neighbour_without_a_mac(peer: Peer) -> None:
    peer.send()
    peer.confirm()

    assert peer.state == "INCOMPLETE"


@pytest.mark.parametrize("mac", [PEER_MAC, OTHER_MAC], ids=["same MAC", "new MAC"])
def test_an_answer_to_a_probe_confirms(peer: Peer, mac: str) -> None:
    peer.lab.know(IF1, peer.address)
    peer.send()
    peer.lab.pass_time(5.5)
    peer.lab.take()

    peer.answer(mac)

    assert peer.state == "REACHABLE"
    peer.send()
    assert [frame.dst for _, frame in peer.lab.take()] == [mac]


def test_a_packet_for_a_neighbour_that_failed_resolves_it_again(peer: Peer) -> None:
    peer.lab.know(IF1, peer.address)
    path = peer.lab.send(peer.address)
    peer.lab.pass_time(60)
    peer.lab.take()

    peer.lab.ip.send(path, 17, bytes(8), (), peer.lab.now)

    assert len(peer.questions()) == 1
    assert peer.state == "INCOMPLETE"


def small_table(entries: int) -> Lab:
    lab = Lab(neighbours=NeighbourConfig(max_entries=entries, queue_packets=2))
    lab.interface(IF1, "10.1.0.2/16", "2001:db8::2/64")
    return lab


def test_a_flood_of_questions_stays_within_the_bound_and_spares_the_neighbours_in_use() -> None:
    lab = small_table(16)
    lab.know(IF1, "10.1.0.50")
    lab.send("10.1.0.50")
    for number in range(200):
        lab.receive(IF1, arp("who-has", f"10.1.{number + 1}.1", "10.1.0.2", sender_mac=OTHER_MAC))
        if number % 8 == 0:
            lab.send("10.1.0.50")

    assert len(lab.ip.interfaces[IF1].neighbours) == 16
    assert lab.state(IF1, "10.1.0.50") == "DELAY"


def test_a_scan_of_the_subnet_stays_within_the_bound() -> None:
    lab = small_table(16)
    for number in range(200):
        lab.send(f"10.1.{number + 1}.1")
        lab.send(f"2001:db8::{number + 1:x}:1")

    neighbours = lab.ip.interfaces[IF1].neighbours
    assert len(neighbours) == 16
    assert sum(len(entry.pending) for entry in neighbours) <= 16 * 2
    assert lab.drops[DropReason.NEIGHBOUR_QUEUE_FULL] == 400 - 16
    lab.pass_time(10)
    assert len(neighbours) == 0
    assert lab.timers.next_deadline() is None


families = pytest.mark.parametrize("family", ["IPv4", "IPv6"])


def small_table_in_use() -> Lab:
    """With a neighbour of each family that something has been sent to."""
    lab = small_table(16)
    for known in PEERS.values():
        lab.know(IF1, known)
        lab.send(known)
    return lab


def assert_full_and_in_use(lab: Lab) -> None:
    assert len(lab.ip.interfaces[IF1].neighbours) == 16
    assert [lab.state(IF1, known) for known in PEERS.values()] == ["DELAY", "DELAY"]


def ask_us(lab: Lab, family: str, number: int) -> None:
    """A stranger, another one for each number, wants our MAC."""
    if family == "IPv4":
        lab.receive(IF1, arp("who-has", f"10.1.{number >> 8}.{number & 255}", "10.1.0.2", sender_mac=OTHER_MAC))
    else:
        question = ICMPv6ND_NS(tgt="2001:db8::2") / ICMPv6NDOptSrcLLAddr(lladdr=OTHER_MAC)
        lab.arrive(IF1, IPv6(src=f"2001:db8::1:{number:x}", dst="2001:db8::2", hlim=255) / question)
    lab.take()


@families
def test_questions_of_strangers_do_not_push_out_a_neighbour_once_used(family: str) -> None:
    lab = small_table_in_use()
    for number in range(300, 500):
        ask_us(lab, family, number)

    assert_full_and_in_use(lab)


@families
def test_a_scan_of_our_own_does_not_push_out_the_neighbours_in_use(family: str) -> None:
    lab = small_table_in_use()
    for number in range(300, 500):
        lab.send(f"10.1.{number >> 8}.{number & 255}" if family == "IPv4" else f"2001:db8::1:{number:x}")

    assert_full_and_in_use(lab)


def test_a_table_full_of_known_neighbours_still_takes_new_ones() -> None:
    lab = small_table(16)
    for number in range(16):
        lab.know(IF1, f"10.1.1.{number + 1}")
        lab.send(f"10.1.1.{number + 1}")
    for name in ("10.1.2.1", "10.1.2.2"):
        lab.send(name)
    lab.take()
    for name in ("10.1.2.1", "10.1.2.2"):
        lab.receive(IF1, arp("is-at", name, "10.1.0.2"))

    assert len(lab.take()) == 2
    assert [lab.state(IF1, name) for name in ("10.1.2.1", "10.1.2.2")] == ["REACHABLE"] * 2


@pytest.mark.parametrize("used", ["10.1.1.1", "10.1.1.2"])
def test_among_known_neighbours_the_one_that_packets_went_to_lately_stays(used: str) -> None:
    lab = small_table(4)
    oldest, *others = paths = [lab.path(f"10.1.1.{number}") for number in range(4)]
    newcomers = [lab.path(f"10.1.2.{number}") for number in range(2)]

    def send(path: Path) -> None:
        lab.ip.send(path, Proto.UDP, bytes(8), (), lab.now)
        if lab.state(IF1, format_address(path.destination)) == "INCOMPLETE":
            lab.receive(IF1, arp("is-at", format_address(path.destination), "10.1.0.2"))

    for path in (*paths, newcomers[0]):
        send(path)
    send(next(path for path in others if path.destination == A(used)))
    send(newcomers[1])

    known = {format_address(entry.address) for entry in lab.ip.interfaces[IF1].neighbours}
    assert format_address(oldest.destination) not in known
    assert known & {"10.1.1.1", "10.1.1.2"} >= {used}
    assert len(known) == 4


@pytest.mark.rule("RFC4861-7.2.2")
def test_what_waits_is_bounded_in_bytes_but_for_the_newest_packet() -> None:
    lab = Lab(neighbours=NeighbourConfig(queue_bytes=3000))
    lab.interface(IF1, "10.1.0.2/24")
    for size in (1000, 1001, 1002, 1003):
        lab.send("10.1.0.50", bytes(size))
    lab.send("10.1.0.51", bytes(20_000))
    lab.take()

    for name in ("10.1.0.50", "10.1.0.51"):
        lab.receive(IF1, arp("is-at", name, "10.1.0.2"))

    sizes = [len(frame["IP"].payload) - 8 for _, frame in lab.take() if frame["IP"].dst == "10.1.0.50"]
    assert sizes == [1002, 1003]
    assert lab.drops == {DropReason.NEIGHBOUR_QUEUE_FULL: 2}
    assert lab.state(IF1, "10.1.0.51") == "REACHABLE"


@pytest.mark.parametrize(("least", "is_dropped"), [(2056, False), (2055, True)])
@pytest.mark.parametrize("bound", ["queue_bytes", "queue_bytes_of_all"])
def test_what_waits_may_fill_its_room_to_the_last_byte(bound: str, least: int, is_dropped: bool) -> None:
    """Two packets of 1,028 bytes, for one neighbour or for two."""
    lab = Lab(neighbours=NeighbourConfig(**{bound: least}))
    lab.interface(IF1, "10.1.0.2/24")
    for number in (50, 50 if bound == "queue_bytes" else 51):
        lab.send(f"10.1.0.{number}", bytes(1000))

    assert lab.drops == ({DropReason.NEIGHBOUR_QUEUE_FULL: 1} if is_dropped else {})


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["send", "send", "send", "answer", "wait", "flap"]), st.integers(100, 103))))
def test_what_waits_for_all_neighbours_is_bounded_in_bytes(steps: list[tuple[str, int]]) -> None:
    """Nine packets of 1,028 bytes; and whatever has happened, there is room for nine again afterwards."""
    lab = Lab(neighbours=NeighbourConfig(queue_bytes_of_all=10_000, queue_packets=3))
    lab.interface(IF1, "10.1.0.2/24")
    neighbours = lab.ip.interfaces[IF1].neighbours

    def waiting() -> int:
        return sum(pending.size for entry in neighbours for pending in entry.pending)

    for step, number in steps:
        if step == "send":
            lab.send(f"10.1.0.{number}", bytes(1000))
        elif step == "answer":
            lab.receive(IF1, arp("is-at", f"10.1.0.{number}", "10.1.0.2"))
        elif step == "wait":
            lab.pass_time(1.5)
        else:
            lab.apply(LinkDown(IF1))
            lab.apply(LinkUp(IF1))
        assert waiting() <= 10_000

    lab.pass_time(5)
    for number in range(200, 220):
        lab.send(f"10.1.0.{number}", bytes(1000))
    assert waiting() == 9 * 1028


def test_only_so_many_late_answers_are_waited_for() -> None:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/16")
    names = [f"10.1.1.{number}" for number in range(100)]
    for name in names:
        lab.send(name)
    lab.pass_time(5)
    for name in names:
        lab.receive(IF1, arp("is-at", name, "10.1.0.2"))

    assert [name for name in names if lab.state(IF1, name)] == names[-64:]


def test_an_answer_after_all_questions_serves_the_next_packet(peer: Peer) -> None:
    peer.send()
    peer.lab.pass_time(3.5)
    assert peer.state is None

    peer.answer()
    peer.questions()
    peer.send()

    assert peer.state == "REACHABLE"
    assert [frame.dst for _, frame in peer.lab.take()] == [PEER_MAC]


def test_no_answer_is_awaited_from_another_link(peer: Peer) -> None:
    peer.send()
    peer.lab.pass_time(3.5)
    peer.lab.apply(LinkDown(IF1))
    peer.lab.apply(LinkUp(IF1))

    peer.answer()

    assert peer.state is None


def test_a_silent_gateway_is_a_suspect_until_it_answers(peer: Peer) -> None:
    prefix = "8.0.0.0/8" if peer.is_ipv4 else "2600::/16"
    destination = "8.8.8.8" if peer.is_ipv4 else "2600::1"
    peer.lab.route(prefix, IF1, peer.address)
    peer.lab.send(destination)
    peer.lab.pass_time(4)
    suspects = peer.lab.ip.tables.suspects
    assert list(suspects) == [(IF1, A(peer.address))]

    peer.lab.send(destination)
    peer.answer()

    assert list(suspects) == []


def test_a_router_may_set_the_pace_of_questions(peer: Peer) -> None:
    peer.lab.ip.interfaces[IF1].neighbours.retransmit = SECOND // 10
    peer.send()
    peer.lab.pass_time(0.25)

    assert len(peer.questions()) == 3
    peer.lab.pass_time(0.1)
    assert peer.state is None


@pytest.mark.rule("RFC4861-6.3.4")
def test_a_router_may_set_how_long_a_confirmation_lasts(peer: Peer) -> None:
    table = peer.lab.ip.interfaces[IF1].neighbours
    drawn = []
    for _ in range(50):
        table.spread_reachable(2 * SECOND)
        drawn.append(table.reachable)

    assert SECOND <= min(drawn) < max(drawn) <= 3 * SECOND


def test_pretended_senders_fill_no_table_without_end() -> None:
    lab = small_table(16)
    lab.know(IF1, "10.1.0.50")
    link_header = bytes.fromhex("020000000002 020000000099 0800")
    for number in range(10_000):
        source = bytes((11, 0)) + number.to_bytes(2, "big")
        lab.receive(IF1, link_header + ipv4.build(source, A("10.1.0.2"), Proto.UDP, 8, 64) + bytes(8))

    assert len(lab.udp.packets) == 10_000
    assert len(lab.ip.interfaces[IF1].flows) <= 4096


def test_the_cache_of_paths_is_bounded() -> None:
    lab = small_table(16)
    first = lab.path("10.1.0.50")
    for number in range(5000):
        lab.ip.path(A("10.1.0.0")[:2] + number.to_bytes(2, "big"))

    assert lab.path("10.1.0.50") is not first
    assert lab.path("10.1.0.50") is lab.path("10.1.0.50")


@pytest.mark.rule("RFC1122-3.3.1.4")
@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY"])
def test_a_neighbour_that_is_doubted_is_asked_at_once(peer: Peer, state: str) -> None:
    peer.send()
    peer.answer()
    if state != "REACHABLE":
        peer.lab.pass_time(peer.reachable_seconds)
    if state == "DELAY":
        peer.send()
    assert peer.state == state
    peer.lab.take()

    peer.lab.ip.doubt(peer.lab.path(peer.address), peer.lab.now)
    assert peer.questions() == [PEER_MAC]
    peer.send()
    assert [frame.dst for _, frame in peer.lab.take()] == [PEER_MAC]
    peer.lab.pass_time(3)
    assert peer.state is None
