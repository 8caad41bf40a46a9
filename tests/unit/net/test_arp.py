"""ARP as frames: asking, waiting, learning, answering.  States are the business of `test_neighbours`."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP

from tests.unit.net.lab import IF1, IF2, OTHER_MAC, PEER_MAC, Lab, arp, mac_of
from wsknet.behaviour import LINUX
from wsknet.config import NeighbourConfig
from wsknet.net.changes import InterfaceChanged, LinkDown, LinkUp
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.trace import DropReason

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.interface(IF1, "10.1.0.2/24")
    return lab


def test_the_first_packet_asks_and_leaves_when_the_answer_comes(lab: Lab) -> None:
    lab.send("10.1.0.50", b"hello")

    question = lab.take_one()
    assert (question.dst, question.src, question.type) == (BROADCAST, mac_of(IF1), 0x0806)
    assert (question[ARP].op, question[ARP].hwsrc, question[ARP].psrc) == (1, mac_of(IF1), "10.1.0.2")
    assert (question[ARP].hwdst, question[ARP].pdst) == ("00:00:00:00:00:00", "10.1.0.50")

    lab.receive(IF1, arp("is-at", "10.1.0.50", "10.1.0.2"))

    packet = lab.take_one()
    assert (packet.dst, packet.src, packet[IP].src, packet[IP].dst) == (
        PEER_MAC, mac_of(IF1), "10.1.0.2", "10.1.0.50",
    )  # fmt: skip
    assert bytes(packet[UDP].payload) == b"hello"


def test_packets_wait_in_order_and_are_copies(lab: Lab) -> None:
    memory = bytearray(b"first")
    path = lab.path("10.1.0.50")
    lab.ip.send(path, 17, bytes(8), (memoryview(memory),), lab.now)
    memory[:] = b"?????"
    lab.send("10.1.0.50", b"second")
    lab.take()

    lab.receive(IF1, arp("is-at", "10.1.0.50", "10.1.0.2"))

    assert [bytes(frame[IP].payload)[8:] for _, frame in lab.take()] == [b"first", b"second"]


@pytest.mark.rule("RFC1122-2.3.2.2")
def test_the_oldest_packet_makes_room_when_too_many_wait(lab: Lab) -> None:
    for number in range(10):
        lab.send("10.1.0.50", bytes([number]))
    lab.take()

    lab.receive(IF1, arp("is-at", "10.1.0.50", "10.1.0.2"))

    assert [bytes(frame[UDP].payload) for _, frame in lab.take()] == [bytes([number]) for number in range(2, 10)]
    assert lab.drops == {DropReason.NEIGHBOUR_QUEUE_FULL: 2}


def test_three_questions_a_second_apart_then_the_sender_is_told(lab: Lab) -> None:
    lab.send("10.1.0.50", b"lost")
    lab.send("10.1.0.50", b"too")
    asked = []
    for _ in range(30):
        asked.append(len(lab.take()))
        lab.pass_time(0.1)

    assert [tick for tick, count in enumerate(asked) if count] == [0, 10, 20]
    assert sum(asked) == 3
    assert [error.kind for error in lab.udp.errors] == [IcmpErrorKind.HOST_UNREACHABLE] * 2
    assert lab.udp.errors[0].source == "10.1.0.2"
    assert lab.udp.errors[0].destination == "10.1.0.50"
    assert lab.udp.errors[0].quoted[8:] == b"lost"
    assert lab.drops == {DropReason.NEIGHBOUR_FAILED: 2}
    assert lab.state(IF1, "10.1.0.50") is None
    lab.pass_time(60)
    assert lab.take() == []


def test_the_numbers_of_a_question_come_from_the_configuration() -> None:
    lab = Lab(neighbours=NeighbourConfig(retransmit=100_000_000, max_solicitations=5, queue_packets=1))
    lab.interface(IF1, "10.1.0.2/24")
    lab.send("10.1.0.50")
    lab.pass_time(0.45)

    assert len(lab.take()) == 5
    lab.pass_time(0.1)
    assert len(lab.udp.errors) == 1


def test_after_a_failure_the_next_packet_asks_again(lab: Lab) -> None:
    lab.send("10.1.0.50")
    lab.pass_time(10)
    lab.take()

    lab.send("10.1.0.50")

    assert lab.take_one()[ARP].pdst == "10.1.0.50"


def test_the_gateway_is_asked_for_not_the_destination(lab: Lab) -> None:
    lab.route("0.0.0.0/0", IF1, "10.1.0.1")

    lab.send("8.8.8.8")

    assert lab.take_one()[ARP].pdst == "10.1.0.1"


def test_a_question_names_the_packets_own_source(lab: Lab) -> None:
    lab.address(IF1, "10.1.0.9/24")

    lab.send("10.1.0.50", source="10.1.0.9")

    assert lab.take_one()[ARP].psrc == "10.1.0.9"


def test_a_question_that_is_repeated_names_the_source_of_the_latest_packet(lab: Lab) -> None:
    lab.address(IF1, "10.1.0.9/24")
    lab.send("10.1.0.50", source="10.1.0.9")
    lab.send("10.1.0.50", source="10.1.0.2")
    assert lab.take_one()[ARP].psrc == "10.1.0.9"

    lab.pass_time(1)

    assert lab.take_one()[ARP].psrc == "10.1.0.2"


def test_our_address_is_answered_for_and_the_asker_is_learned(lab: Lab) -> None:
    lab.receive(IF1, arp("who-has", "10.1.0.50", "10.1.0.2"))

    answer = lab.take_one()
    assert (answer.dst, answer.src) == (PEER_MAC, mac_of(IF1))
    assert (answer[ARP].op, answer[ARP].hwsrc, answer[ARP].psrc) == (2, mac_of(IF1), "10.1.0.2")
    assert (answer[ARP].hwdst, answer[ARP].pdst) == (PEER_MAC, "10.1.0.50")
    assert lab.state(IF1, "10.1.0.50") == "STALE"

    lab.send("10.1.0.50")
    assert lab.take_one().dst == PEER_MAC


@pytest.mark.rule("RFC3927-2.5")
def test_what_a_link_local_address_asks_and_answers_is_broadcast(lab: Lab) -> None:
    lab.address(IF1, "169.254.7.7/16")
    lab.receive(IF1, arp("who-has", "169.254.7.8", "169.254.7.7"))
    answer = lab.take_one()
    assert (answer.dst, answer[ARP].op, answer[ARP].hwdst) == ("ff:ff:ff:ff:ff:ff", 2, PEER_MAC)

    lab.send("169.254.7.8", zone=IF1)
    lab.take()
    lab.pass_time(5)
    question = lab.take_one()
    assert (question.dst, question[ARP].op, question[ARP].psrc) == ("ff:ff:ff:ff:ff:ff", 1, "169.254.7.7")


def test_other_addresses_are_not_answered_for(lab: Lab) -> None:
    lab.receive(IF1, arp("who-has", "10.1.0.50", "10.1.0.3"))

    assert lab.take() == []
    assert lab.drops == {DropReason.ARP_NOT_FOR_US: 1}
    assert lab.state(IF1, "10.1.0.50") is None


@pytest.mark.rule("RFC826-Packet")
def test_a_question_to_others_corrects_what_is_known(lab: Lab) -> None:
    lab.know(IF1, "10.1.0.50")

    lab.receive(IF1, arp("who-has", "10.1.0.50", "10.1.0.3", sender_mac=OTHER_MAC))
    lab.send("10.1.0.50")

    assert lab.take_one().dst == OTHER_MAC


def test_a_probe_is_answered_and_teaches_nothing(lab: Lab) -> None:
    lab.receive(IF1, arp("who-has", "0.0.0.0", "10.1.0.2"))

    assert lab.take_one()[ARP].op == 2
    assert list(lab.ip.interfaces[IF1].neighbours) == []


@pytest.mark.rule("BIND-30")
@pytest.mark.parametrize("behaviour", [None, LINUX], ids=["strong", "weak"])
def test_the_other_interfaces_address_is_answered_for_by_weak_hosts_only(behaviour: object) -> None:
    lab = Lab(LINUX) if behaviour is LINUX else Lab()
    lab.interface(IF1, "10.1.0.2/24")
    lab.interface(IF2, "10.1.0.3/24")

    for index in (IF1, IF2):
        lab.receive(index, arp("who-has", "10.1.0.50", "10.1.0.3"))

    assert [index for index, _ in lab.take()] == ([IF1, IF2] if behaviour is LINUX else [IF2])


def test_an_answer_nobody_asked_for_is_not_believed(lab: Lab) -> None:
    lab.receive(IF1, arp("is-at", "10.1.0.50", "10.1.0.2"))

    assert lab.state(IF1, "10.1.0.50") is None
    assert lab.drops == {DropReason.ARP_UNSOLICITED: 1}


@pytest.mark.parametrize("operation", ["who-has", "is-at"])
def test_nobody_else_may_claim_our_address(lab: Lab, operation: str) -> None:
    lab.receive(IF1, arp(operation, "10.1.0.2", "10.1.0.2"))

    defence = lab.take_one()
    assert (defence.dst, defence[ARP].psrc, defence[ARP].pdst) == (BROADCAST, "10.1.0.2", "10.1.0.2")
    assert list(lab.ip.interfaces[IF1].neighbours) == []
    assert lab.drops == {DropReason.ADDRESS_CONFLICT: 1}


@pytest.mark.parametrize("sender", ["224.0.0.1", "127.0.0.1", "255.255.255.255", "10.1.0.255"])
def test_a_sender_that_is_no_host_is_refused(lab: Lab, sender: str) -> None:
    lab.receive(IF1, arp("who-has", sender, "10.1.0.2"))

    assert lab.take() == []
    assert lab.drops == {DropReason.ARP_MALFORMED: 1}


def test_a_cable_out_drops_what_waits(lab: Lab) -> None:
    lab.send("10.1.0.50")
    lab.know(IF1, "10.1.0.51")
    lab.apply(LinkDown(IF1))

    assert list(lab.ip.interfaces[IF1].neighbours) == []
    assert lab.drops == {DropReason.INTERFACE_DOWN: 1}
    lab.take()
    lab.pass_time(10)
    assert lab.take() == []
    lab.apply(LinkUp(IF1))
    lab.send("10.1.0.51")
    assert lab.take_one()[ARP].pdst == "10.1.0.51"


@pytest.mark.parametrize("sender", ["0.1.2.3", "240.0.0.1"])
def test_reserved_addresses_are_nobodys(lab: Lab, sender: str) -> None:
    lab.receive(IF1, arp("who-has", sender, "10.1.0.2"))

    assert lab.take() == []
    assert lab.drops == {DropReason.ARP_MALFORMED: 1}


@pytest.mark.parametrize("sender", ["10.1.0.50", "10.1.0.2", "0.0.0.0"])
def test_our_own_messages_from_the_link_mean_nothing(lab: Lab, sender: str) -> None:
    lab.receive(IF1, arp("who-has", sender, "10.1.0.2", sender_mac=mac_of(IF1)))

    assert lab.take() == []
    assert lab.drops == {DropReason.OWN_MESSAGE: 1}
    assert list(lab.ip.interfaces[IF1].neighbours) == []


@pytest.mark.rule("RFC5227-3", "RFC826-Packet")
@pytest.mark.parametrize("operation", ["who-has", "is-at"])
def test_an_announcement_corrects_what_is_known_and_teaches_nothing_new(lab: Lab, operation: str) -> None:
    lab.know(IF1, "10.1.0.50")

    for address in ("10.1.0.50", "10.1.0.51"):
        lab.receive(IF1, arp(operation, address, address, sender_mac=OTHER_MAC, to=BROADCAST))

    assert lab.state(IF1, "10.1.0.51") is None
    lab.send("10.1.0.50")
    assert lab.take_one().dst == OTHER_MAC


@pytest.mark.parametrize("operation", ["who-has", "is-at"])
def test_an_announcement_resolves_without_confirming(lab: Lab, operation: str) -> None:
    lab.send("10.1.0.50", b"hello")
    lab.take()

    lab.receive(IF1, arp(operation, "10.1.0.50", "10.1.0.50", to=BROADCAST))

    assert bytes(lab.take_one()[UDP].payload) == b"hello"
    assert lab.state(IF1, "10.1.0.50") == "STALE"


class Proxy:
    """A router between 10.1.0.0/24 and 10.1.2.0/24 whose hosts on the first link believe in one 10.1.0.0/16."""

    def __init__(self, proxy_arp: bool = True, forwarding: bool = True) -> None:
        self.lab = Lab()
        self.lab.interface(IF1, "10.1.0.2/24")
        self.lab.interface(IF2, "10.1.2.2/24")
        self.lab.apply(InterfaceChanged(IF1, forwarding=forwarding, proxy_arp=proxy_arp))

    def is_answered(self, target: str, sender: str = "10.1.0.50") -> bool:
        self.lab.receive(IF1, arp("who-has", sender, target))
        frames = self.lab.take()
        if frames:
            [(index, answer)] = frames
            assert (index, answer.dst, answer[ARP].op) == (IF1, PEER_MAC, 2)
            assert (answer[ARP].psrc, answer[ARP].hwsrc) == (target, mac_of(IF1))
            assert (answer[ARP].pdst, answer[ARP].hwdst) == (sender, PEER_MAC)
        return bool(frames)


@pytest.mark.rule("RFC1027-2.2")
def test_a_proxy_answers_for_hosts_behind_it() -> None:
    proxy = Proxy()

    assert proxy.is_answered("10.1.2.9")
    assert proxy.lab.state(IF1, "10.1.0.50") == "STALE"


@pytest.mark.parametrize(("proxy_arp", "forwarding"), [(False, True), (True, False)])
def test_only_a_proxy_that_passes_packets_on_answers(proxy_arp: bool, forwarding: bool) -> None:
    assert not Proxy(proxy_arp, forwarding).is_answered("10.1.2.9")


@pytest.mark.rule("RFC1027-2.3")
@pytest.mark.parametrize(
    "target",
    ["10.1.0.9", "10.1.9.9", "10.1.2.255", "255.255.255.255", "224.0.0.251", "127.0.0.1", "169.254.1.1", "10.1.2.2"],
    ids=["same link", "nowhere", "broadcast", "limited", "group", "loopback", "link-local", "our other address"],
)
def test_a_proxy_does_not_answer_for(target: str) -> None:
    proxy = Proxy()
    for prefix in ("169.254.0.0/16", "224.0.0.251/32"):
        proxy.lab.route(prefix, IF2)

    assert not proxy.is_answered(target)


def test_a_default_route_makes_no_proxy_but_a_route_does() -> None:
    proxy = Proxy()
    proxy.lab.route("0.0.0.0/0", IF2, "10.1.2.1")
    assert not proxy.is_answered("8.8.8.8")

    proxy.lab.route("8.0.0.0/8", IF2, "10.1.2.1")
    assert proxy.is_answered("8.8.8.8")


def test_what_is_on_both_links_is_left_to_itself() -> None:
    proxy = Proxy()
    proxy.lab.route("10.1.2.0/24", IF1, metric=9999)

    assert not proxy.is_answered("10.1.2.9")


@pytest.mark.rule("RFC5227-2.1.1")
def test_a_proxy_answers_neither_probes_nor_announcements() -> None:
    proxy = Proxy()

    assert not proxy.is_answered("10.1.2.9", sender="0.0.0.0")
    assert not proxy.is_answered("10.1.2.9", sender="10.1.2.9")
