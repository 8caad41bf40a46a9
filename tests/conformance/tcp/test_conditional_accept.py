"""No SYN-ACK before the decision (SO_CONDITIONAL_ACCEPT), as a peer sees it.

`tests/unit/tcp/test_conditional_accept.py` has what the owner sees.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_PORT
from tests.support.tcp_script import Script
from wsknet.transport.tcp.inspections import Verdict
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

JUDGED = """
    0    < S 0:0(0) <mss 1000>
    3    < S 0:0(0) <mss 1000>
    9    < S 0:0(0) <mss 1000>
    60   nothing
    60   told REQUESTED
    60   connections 0
"""


def judging(family: Family) -> Script:
    """A peer has asked three times, and nobody has decided for a minute."""
    conversation = Script(family)
    listener = conversation.lab.bound()
    listener.is_conditional = True
    listener.listen(conversation.lab.now)
    conversation.application.listener = listener
    return conversation.run(JUDGED)


def decide(conversation: Script, verdict: Verdict) -> None:
    endpoint = conversation.application.listener
    assert endpoint is not None
    assert endpoint.listener is not None
    assert endpoint.listener.inspections is not None
    inspection = endpoint.listener.inspections.next()
    assert inspection is not None
    assert endpoint.listener.decide(inspection.id, verdict, conversation.lab.now)
    assert endpoint.listener.inspections.next() is None, "the repeats were no new requests"


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2", "R-168", "R-170")
def test_accepted_the_syn_is_answered_at_last(family: Family) -> None:
    conversation = judging(family)
    decide(conversation, Verdict.ACCEPT)
    conversation.run(
        """
        60     > S. 0:0(0) ack 1 <...>
        60.1   < . 1:1(0) ack 1
        60.1   told ACCEPTABLE
        60.1   accept
        60.1   write 10
        60.1   > P. 1:11(10) ack 1
        60.2   < . 1:6(5) ack 11
        60.2   read 5
        60.24  > . 11:11(0) ack 6
        """
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2", "R-172")
def test_rejected_it_is_reset(family: Family) -> None:
    conversation = judging(family)
    decide(conversation, Verdict.REJECT)
    conversation.run(
        """
        60     > R. 6:6(0) ack 1                # 0 on the wire: a SYN has no number to go by
        +100   nothing
        """
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2", "R-173")
def test_dropped_it_is_not_answered_and_the_peer_may_ask_again(family: Family) -> None:
    conversation = judging(family)
    decide(conversation, Verdict.DROP)
    conversation.run(
        """
        +100   nothing
        +0     < S 0:0(0) <mss 1000>
        +0     told REQUESTED
        """
    )
    decide(conversation, Verdict.ACCEPT)
    conversation.run("+0 > S. 0:0(0) ack 1 <...>")


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.2", "R-170")
def test_what_else_comes_meanwhile_is_answered_as_by_any_listener(family: Family) -> None:
    judging(family).run(
        """
        +0     < . 1:1(0) ack 1
        +0     > R 1:1(0)
        +0     < R 1:1(0)
        +10    nothing
        """
    )


@FAMILIES
@pytest.mark.rule("R-170")
def test_without_it_the_answer_comes_at_once(family: Family) -> None:
    lab = TcpLab(family)
    lab.listening()
    lab.peer.send(flags="S", seq=0, to=OUR_PORT)
    lab.peer.expect(flags="SA", seq=0, ack=1)
