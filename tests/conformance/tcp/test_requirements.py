"""Requirements of RFC 9293 (its appendix B) that belong to no other group of scripts here."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import IF_INDEX, OUR_ADDRESS, OUR_MAC, PEER_ADDRESS, PEER_MAC, ms, sec
from tests.support.tcp_script import Script, script
from wsknet.behaviour import BSD, LINUX, WINDOWS, Behaviour
from wsknet.transport.tcp.isn import InitialSequence
from wsknet.transport.tcp.state import State
from wsknet.types import SECOND, Endpoint, Family, Instant, Proto
from wsknet.wire import ipv4, tcp
from wsknet.wire.ethernet import ETHERTYPE_IPV4, header

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
SETS = pytest.mark.parametrize("behaviour", [WINDOWS, LINUX, BSD], ids=lambda behaviour: behaviour.name)


# Options


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-4", "RFC9293-MUST-14")
def test_the_mandatory_options_are_understood_wherever_they_stand(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <nop,nop,nop,mss 700,eol>
        +0     > S. 0:0(0) ack 1 <mss $mss>
        +0     < . 1:1(0) ack 1 <nop,eol>
        +0     accept
        +0     write 1400
        +0     > P. 1:1401(1400) ack 1 by 700
        """,
        family,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-MUST-69", "RFC9293-MAY-3")
def test_options_are_padded_with_zeros_and_a_syn_always_has_an_mss(family: Family, behaviour: Behaviour) -> None:
    lab = TcpLab(family, behaviour)
    lab.connecting()
    raw = lab.peer.expect(flags="S").raw_options
    kinds, position = [], 0
    while position < len(raw) and raw[position] != 0:
        kinds.append(raw[position])
        position += 1 if raw[position] == 1 else raw[position + 1]

    assert kinds[0] == 2
    assert not any(raw[position:])
    assert len(raw) % 4 == 0


# Initial sequence numbers


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-8", "RFC6528-3")
def test_the_first_number_of_a_pair_of_ends_follows_a_clock_of_four_microseconds(family: Family) -> None:
    choose = InitialSequence(Random(1))
    ours, theirs = Endpoint(OUR_ADDRESS[family], 50000), Endpoint(PEER_ADDRESS[family], 80)
    early = choose(ours, theirs, Instant(SECOND))

    for seconds in (1, 10, 3600):
        later = choose(ours, theirs, Instant(SECOND + sec(seconds)))
        assert (later - early) % 2**32 == seconds * 250_000 % 2**32


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-1", "RFC9293-MUST-9")
def test_nobody_can_tell_the_numbers_of_one_pair_of_ends_from_those_of_another(family: Family) -> None:
    ours = Endpoint(OUR_ADDRESS[family], 50000)
    offsets = set()
    for seed in range(2):
        choose = InitialSequence(Random(seed))
        for port in range(80, 180):
            offsets.add(choose(ours, Endpoint(PEER_ADDRESS[family], port), Instant(0)))

    assert len(offsets) == 200
    ordered = sorted(offsets)
    gaps = {later - earlier for earlier, later in pairwise(ordered)}
    assert len(gaps) > 150


# Opening


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-41")
def test_a_listener_leaves_connections_of_its_port_alone(family: Family) -> None:
    lab = TcpLab(family)
    first = lab.accepted()
    listener = next(endpoint for endpoint in lab.owners if lab.state(endpoint) is State.LISTEN)
    lab.peer.send(flags="S", seq=0, port=81, mss=1000)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(seq=1, ack=1, port=81)
    second = lab.accept(listener)
    lab.peer.send(seq=1, ack=1, data=b"to the first")
    lab.peer.send(seq=1, ack=1, data=b"to the second", port=81)

    assert lab.receive_all(first) == b"to the first"
    assert lab.receive_all(second) == b"to the second"


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-42")
def test_a_port_can_be_listened_on_while_a_connection_from_it_is_being_opened(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, port=81, mss=1000)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(flags="S", seq=0, port=82, mss=1000)
    lab.peer.expect(flags="SA", seq=0, ack=1)
    lab.peer.send(seq=1, ack=1, port=82)

    assert lab.accept(listener).remote == Endpoint(PEER_ADDRESS[family], 82)


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-43", "RFC9293-MUST-45")
def test_a_local_address_can_be_asked_for(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.bound(address=OUR_ADDRESS[family])
    endpoint.connect(lab.peer.endpoint, lab.now)

    assert lab.peer.expect(flags="S").source == OUR_ADDRESS[family]


@pytest.mark.parametrize(
    "address",
    [bytes((224, 0, 0, 1)), bytes((192, 0, 2, 255)), bytes((255, 255, 255, 255)), b"\xff\x02" + bytes(13) + b"\1"],
    ids=["group", "subnet broadcast", "broadcast", "IPv6 group"],
)
@pytest.mark.rule("RFC9293-MUST-46", "RFC9293-MUST-63", "RFC9293-MUST-57")
def test_neither_to_nor_from_groups_and_broadcast_addresses_is_anything_opened(address: bytes) -> None:
    family = Family.IPV4 if len(address) == 4 else Family.IPV6
    conversation = Script(family)
    conversation.lab.peer.address = address
    conversation.run("+0 connect ! NOT_LOCAL")
    listening = Script(family).run("+0 listen")
    listening.lab.peer.address = address
    listening.run("+0 < S 0:0(0) <mss 1000>\n+5 connections 0")


# Odd segments


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-2")
def test_a_reset_may_carry_an_explanation(family: Family) -> None:
    script(
        """
        +0     established
        +0     < R 1:14(13) "out of memory"
        +0     told FAILED
        +0     error RESET
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-SHLD-17", "RFC9293-MUST-34", "RFC9293-MUST-37")
def test_data_beyond_a_window_that_was_closed_under_it_does_not_end_the_connection(family: Family) -> None:
    conversation = script(
        """
        +0     established win 3000 mss 1000
        +0     write 3000
        +0     > P. 1:3001(3000) ack 1 by 1000
        +.1    < . 1:1(0) ack 1 win 0
        """,
        family,
    )
    lab = conversation.lab
    for _ in range(60):
        lab.clock.advance(sec(120), until_sent=True)
        assert lab.peer.drain()
        lab.peer.send(seq=1, ack=1, window=0)
    lab.peer.send(seq=1, ack=1, window=3000)
    received = 1
    for _ in range(20):
        for segment in lab.peer.drain():
            received = max(received, segment.seq + len(segment.data)) if segment.seq <= received else received
            lab.peer.send(seq=1, ack=received, window=3000)
        lab.clock.advance(ms(500))

    assert received == 3001
    assert conversation.application.endpoint.error is None


@pytest.mark.rule("RFC9293-MUST-50")
def test_ip_options_do_not_keep_a_segment_from_its_connection() -> None:
    conversation = script("+0 established")
    lab = conversation.lab
    whole: list[bytes] = []
    lab.peer.send_segment = lambda segment, traffic_class=0: whole.append(segment)  # type: ignore[method-assign]
    lab.peer.send(seq=1, ack=1, data=b"hello")
    del lab.peer.send_segment
    ours, theirs = OUR_ADDRESS[Family.IPV4], PEER_ADDRESS[Family.IPV4]
    head = ipv4.build(theirs, ours, Proto.TCP, len(whole[0]), 64, options=b"\x01\x01\x01\x00")
    lab.receive(header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4) + head + whole[0])

    assert conversation.application.endpoint.receive(100, lab.now) == b"hello"


@pytest.mark.rule("RFC9293-MUST-55")
def test_source_quench_means_nothing() -> None:
    conversation = script("+0 established mss 1000\n+0 write 1000\n+0 > P. 1:1001(1000) ack 1")
    lab = conversation.lab
    ours, theirs = OUR_ADDRESS[Family.IPV4], PEER_ADDRESS[Family.IPV4]
    quoted = ipv4.build(ours, theirs, Proto.TCP, 1020, 64) + tcp.build(50000, 80, 0xFFFFFFFB, 0, 0, 0)[:8]
    quench = bytearray(bytes((4, 0)) + bytes(6) + quoted)
    total = sum(int.from_bytes(quench[at : at + 2], "big") for at in range(0, len(quench), 2))
    quench[2:4] = (-total % 0xFFFF).to_bytes(2, "big")
    head = ipv4.build(theirs, ours, Proto.ICMP, len(quench), 64)
    stack = lab.stack
    stack.receive(IF_INDEX, header(OUR_MAC, PEER_MAC, ETHERTYPE_IPV4) + head + bytes(quench), lab.now)

    conversation.run(
        """
        +0     drops ICMP_UNKNOWN_TYPE
        +.1    < . 1:1(0) ack 1001
        +0     told SENT
        +0     error none
        +0     write 10000
        +0     > P. 1001:11001(10000) ack 1 by 1000       # the congestion window is as if nothing had come
        """
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-20", "RFC9293-SHLD-10")
def test_after_three_repeats_the_next_hop_is_doubted(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    asked = []
    hear = lab.peer.hear

    def listen(frame: bytes) -> None:
        is_tcp = frame[12:14] != b"\x08\x06" and frame[23 if family is Family.IPV4 else 20] == Proto.TCP
        if not is_tcp:
            asked.append(frame)
        hear(frame)

    lab.peer.hear = listen  # type: ignore[method-assign]
    lab.send(endpoint, b"x")
    lab.clock.advance(ms(2099))
    assert len(lab.peer.drain()) == 3
    assert not asked
    lab.clock.advance(sec(6))
    assert lab.peer.drain()
    assert asked


@FAMILIES
@pytest.mark.rule("RFC9293-MAY-17", "RFC9293-3.9.1")
def test_the_application_can_see_that_the_peer_pushed(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"and so")
    assert not endpoint.pushed
    lab.peer.send(flags="PA", seq=7, ack=1, data=b" on")
    assert endpoint.pushed
    assert lab.receive_all(endpoint) == b"and so on"
    assert not endpoint.pushed
