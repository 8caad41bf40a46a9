"""Segments that come at odd moments: while both sides open, before their turn, after the end."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_ISS, OUR_PORT, PEER_ADDRESS, PEER_ISS, PEER_PORT
from tests.support.tcp_script import Script, script
from wsknet.behaviour import LINUX
from wsknet.trace import DropReason
from wsknet.types import Family, Proto
from wsknet.wire import tcp
from wsknet.wire.checksum import pseudo_sum

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

BOTH_OPEN = """
    +0     connect
    +0     > S 0:0(0) <...>
    +.1    < S 0:0(0) <mss 1000>
    +0     > S. 0:0(0) ack 1 <...>
"""


@FAMILIES
@pytest.mark.rule("RFC9293-3.5", "RFC9293-3.10.7.4")
def test_when_both_have_opened_data_that_waited_leaves_with_the_answer_to_the_crossing_syn_ack(family: Family) -> None:
    script(
        f"""
        {BOTH_OPEN}
        +0     write 10
        +.1    < S. 0:0(0) ack 1 <mss 1000>
        +0     > P. 1:11(10) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_crossing_syn_ack_that_acknowledges_what_was_never_sent_is_reset_and_nothing_more(family: Family) -> None:
    script(
        f"""
        {BOTH_OPEN}
        +.1    < S. 0:0(0) ack 77 <mss 1000>
        +0     > R 77:77(0)
        +0     < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     state ESTABLISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4", "RFC6191-2")
def test_a_syn_with_fin_opens_nothing_in_time_wait_where_listeners_take_none(family: Family) -> None:
    script(
        """
        +0     listen
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     shutdown
        +0     > F. 1:1(0) ack 1
        +0     < F. 1:1(0) ack 2
        +0     > . 2:2(0) ack 2
        +1     < SF 100:100(0) <mss 1000>
        +0     > . 2:2(0) ack 2
        +0     drops TCP_BAD_FLAGS
        """,
        family,
    )


def pushed(lab: TcpLab, conversation: Script) -> bool:
    lab.settle()
    return conversation.application.endpoint.pushed


@FAMILIES
@pytest.mark.rule("RFC9293-3.9.1", "RFC9293-MAY-13")
def test_a_push_that_came_before_its_turn_is_seen_when_its_turn_comes(family: Family) -> None:
    conversation = Script(family)
    conversation.run(
        """
        +0     established
        +0     < P. 101:201(100) ack 1
        +0     > . 1:1(0) ack 1
        +0     < . 1:51(50) ack 1
        +0     > . 1:1(0) ack 51
        """
    )
    assert not pushed(conversation.lab, conversation)
    conversation.run(
        """
        +0     < . 51:101(50) ack 1
        +0     > . 1:1(0) ack 201
        """
    )
    assert pushed(conversation.lab, conversation)
    conversation.run("+0 read 199")
    assert pushed(conversation.lab, conversation)
    conversation.run("+0 read 1")
    assert not pushed(conversation.lab, conversation)


@FAMILIES
@pytest.mark.rule("RFC7323-3.2", "RFC3168-6.1.1", "RFC9293-3.5")
def test_when_both_open_nothing_is_granted_that_our_syn_did_not_ask_for(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.1    < SEW 0:0(0) <mss 1000,sackOK,TS val 7 ecr 0>
        +0     > S. 0:0(0) ack 1 <mss $mss,nop,nop,sackOK>
        +.1    < S. 0:0(0) ack 1 <mss 1000,nop,nop,sackOK>
        +0     > . 1:1(0) ack 1 <>
        +0     write 10
        +0     > [noecn] P. 1:11(10) ack 1 <>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_data_that_was_overtaken_by_an_acknowledgement_does_not_set_the_window(family: Family) -> None:
    script(
        """
        +0     established mss 1000
        +0     < . 101:101(0) ack 1 win 5000
        +0     < . 1:101(100) ack 1 win 1000
        +0     write 5000
        +0     > P. 1:5001(5000) ack 101 by 1000
        """,
        family,
    )


@FAMILIES
@pytest.mark.parametrize("length", [20, 24, 28])
@pytest.mark.rule("RFC9293-3.1")
def test_a_header_that_says_it_is_longer_than_the_segment_is_dropped(family: Family, length: int) -> None:
    lab = TcpLab(family, LINUX)
    lab.connecting()
    lab.peer.next()
    lab.peer.send("SA", 0, 1, mss=1000, timestamps=(700, 0))
    lab.peer.next()
    pseudo = pseudo_sum(PEER_ADDRESS[family], OUR_ADDRESS[family], Proto.TCP)
    numbers = (PEER_ISS + 1) & 0xFFFFFFFF, (OUR_ISS + 1) & 0xFFFFFFFF
    missing = (32 - length) << 10  # from the data offset that the checksum is to cover
    segment = bytearray(
        tcp.build_checked(pseudo + missing, PEER_PORT, OUR_PORT, *numbers, tcp.ACK, 1000, bytes(length - 20))
    )
    segment[12] = 8 << 4
    lab.peer.send_segment(bytes(segment))

    assert lab.stack.trace.drops == {DropReason.TCP_BAD_OFFSET: 1}


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-37", "RFC9293-3.8.6.1")
def test_a_peer_that_sends_data_while_its_window_is_closed_is_not_given_up(family: Family) -> None:
    probes = []
    for number in range(12):
        probes.append("*  > . 1:2(1) ack *")
        probes.append(f"+0 < . {number * 10 + 1}:{number * 10 + 11}(10) ack 1 win 0")
        probes.append(f"+.040 > . 1:1(0) ack {number * 10 + 11}")
    script(
        "\n".join(["+0 established win 0", "+0 write 100", *probes, "+0 state ESTABLISHED"]),
        family,
    )
