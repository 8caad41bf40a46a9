"""Resets, sent and received, and segments that may be forged: RFC 9293 3.5.1 to 3.5.3, RFC 5961."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.5.2", "RFC9293-3.10.7.1")
def test_a_segment_for_nobody_is_reset_so_that_its_sender_believes_it(family: Family) -> None:
    script(
        """
        +0     < . 1:101(100) ack 77
        +0     > R 77:77(0)
        +0     < S 500:500(0) <mss 1000>
        +0     > R. *:*(0) ack 501
        +0     < F 500:510(10)
        +0     > R. *:*(0) ack 511
        +0     < R 1:1(0)
        +0     < R. 1:1(0) ack 77
        +0     drops TCP_NO_ENDPOINT TCP_NO_ENDPOINT TCP_NO_ENDPOINT TCP_NO_ENDPOINT TCP_NO_ENDPOINT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5.3", "RFC5961-3.2")
def test_only_the_exact_number_resets(family: Family) -> None:
    script(
        """
        +0     established
        +0     < R 0:0(0)
        +0     < R 65537:65537(0)
        +0     drops TCP_BAD_RESET TCP_BAD_RESET
        +0     < R 2:2(0)
        +0     > . 1:1(0) ack 1              # a peer that meant it comes back with the right number
        +0     drops TCP_BAD_RESET
        +0     < R 1:1(0)
        +0     told FAILED
        +0     error RESET
        +0     connections 0
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5.1", "RFC5961-4.2")
def test_a_peer_that_lost_its_memory_learns_of_it_and_connects_anew(family: Family) -> None:
    script(
        """
        +0     accepted
        +3600  < S 70000:70000(0) <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     < R 1:1(0)
        +0     told FAILED
        +0     < S 70000:70000(0) <mss 1000>
        +0     > S. 0:0(0) ack 70001 <...>
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.5.1")
def test_half_open_at_our_side_we_reset_what_the_peer_still_sends(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +0     < . 100:100(0) ack 9000        # of a connection that we have forgotten
        +0     > R 9000:9000(0)
        +0     state SYN_SENT
        +1     > S 0:0(0) <...>
        +0     < S. 500:500(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 501
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5961-5.2", "RFC9293-MAY-12")
def test_data_with_an_acknowledgement_that_cannot_be_is_not_taken(family: Family) -> None:
    script(
        """
        +0     established win 1000 mss 1000
        +0     write 1000
        +0     > P. 1:1001(1000) ack 1
        +0     < P. 1:11(10) ack 1002
        +0     > . 1001:1001(0) ack 1
        +0     < P. 1:11(10) ack -1000        # further back than any window was
        +0     > . 1001:1001(0) ack 1
        +0     readable 0
        +0     < P. 1:11(10) ack -998
        +.040  > . 1001:1001(0) ack 11
        +0     read 10
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC5961-7")
def test_challenges_are_few(family: Family) -> None:
    conversation = script("+0 established", family)
    lab = conversation.lab
    for number in range(1000):
        lab.peer.send(flags="R", seq=2 + number)
    assert 1 <= len(lab.peer.drain()) <= 100

    conversation.run(
        """
        +10    < R 2:2(0)
        +0     > . 1:1(0) ack 1
        """
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-3", "RFC9293-MUST-2")
def test_a_wrong_checksum_is_dropped_without_a_word(family: Family) -> None:
    conversation = script("+0 established", family)
    lab = conversation.lab
    whole: list[bytes] = []
    lab.peer.send_segment = lambda segment, traffic_class=0: whole.append(segment)  # type: ignore[method-assign]
    lab.peer.send(seq=1, ack=1, data=b"hello")
    del lab.peer.send_segment
    for position in range(len(whole[0])):
        broken = bytearray(whole[0])
        broken[position] ^= 0x10
        lab.peer.send_segment(bytes(broken))

    conversation.run(
        """
        +1     readable 0
        +0     state ESTABLISHED
        +0     < P. 1:6(5) ack 1 "hello"      # the same, whole
        +.040  > . 1:1(0) ack 6
        """
    )
