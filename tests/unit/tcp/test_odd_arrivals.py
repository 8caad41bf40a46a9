"""Segments that come at odd moments: while both sides open, before their turn, after the end."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_script import Script, script
from wsknet.types import Family

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
