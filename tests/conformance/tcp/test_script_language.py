"""The language of the behaviour scripts itself: what it refuses, and that nothing which it compares goes unnoticed."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import Script, ScriptFailure, script
from tests.support.tcp_script_steps import ScriptSyntaxError
from wsknet.types import Family


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("connect", "starts with its time"),
        ("+x connect", "starts with its time"),
        ("+0 conect", "'conect' is none of"),
        ("+0 write", "missing a required argument"),
        ("+0~+1 connect", "only what is expected"),
        ("* < . 1:1(0) ack 1", "only what is expected"),
        ("+2~+1 > . 1:1(0) ack 1", "before the first"),
        ("+2~3 > . 1:1(0) ack 1", "both times"),
        ("+0 > X 1:1(0)", "not of the form"),
        ("+0 > SS 1:1(0)", "twice"),
        ("+0 > . 1:1(0)", "'ack' belongs"),
        ("+0 > R 1:1(0) ack 1", "'ack' belongs"),
        ("+0 > . 1:3(1) ack 1", "is not 1 bytes"),
        ("+0 > . 3:1 ack 1", "is not a number of bytes"),
        ("+0 > . *:* ack 1", "the length is needed"),
        ("+0 < . *:*(0) ack 1", "a star is for what is expected"),
        ("+0 < . 1:1(0) ack 1 <...>", "<...> is for what is expected"),
        ("+0 < . 1:1001 ack 1 by 100", "'by' is for data that is expected"),
        ("+0 > . 1:6(5) ack 1 <mss>", "no TCP option"),
        ('+0 < . 1:6(5) ack 1 "four"', "as long as the range"),
        ("+0 > [ect2] . 1:1(0) ack 1", "is none of noecn"),
        ("+0 < [1:2(1)] icmp nonsense", "not of the form"),
        ("+0 < [1:3(1)] icmp frag_needed", "is not 1 bytes"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_number(line: str, complaint: str) -> None:
    with pytest.raises(ScriptSyntaxError, match=r"(line 3|write)") as refused:
        script(f"\n+0 established\n{line}")

    assert complaint in str(refused.value)


def test_a_name_that_nobody_gave_is_refused() -> None:
    with pytest.raises(ScriptSyntaxError, match=r"\$nss is none of \$mss"):
        script("+0 established mss $nss")


def test_an_empty_script_is_refused() -> None:
    with pytest.raises(ScriptSyntaxError):
        script("# nothing to do")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("+0 > . 1:101(100) ack 1", "different: flags"),
        ("+0 > P. 2:102(100) ack 1", "different: sequence number"),
        ("+0 > P. 1:100(99) ack 1", "different: length"),
        ("+0 > P. 1:101(100) ack 2", "different: acknowledgement"),
        ("+0 > P. 1:101(100) ack 1 win 1", "different: window"),
        ("+0 > P. 1:101(100) ack 1 urg 1", "different: urgent pointer"),
        ("+0 > P. 1:101(100) ack 1 port 81", "different: ports"),
        ("+0 > P. 1:101(100) ack 1 <nop>", "different: options"),
        ("+0 > [ect0] P. 1:101(100) ack 1", "different: ECN"),
        ("+.001 > P. 1:101(100) ack 1", "different: time: wanted at 0.001"),
        ("+.2~+.3 > P. 1:101(100) ack 1", "different: time: wanted at 0.200000 to 0.300000"),
        ("+0 < . 1:1(0) ack 1", "not expected:\nat 0.000000:  > P. 1:101(100) ack 1 win 65535"),
        ("+0 nothing", "not expected"),
    ],
)
@pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
def test_whatever_differs_is_named_and_shown(line: str, complaint: str, family: Family) -> None:
    with pytest.raises(ScriptFailure) as failed:
        script(f"+0 established\n+0 write 100\n{line}", family)

    report = str(failed.value)
    assert f"script over {family.name}" in report
    assert f"-->   3  {line}" in report
    assert complaint in report


def test_what_is_sent_after_the_last_step_is_not_overlooked() -> None:
    with pytest.raises(ScriptFailure, match="before the end of the script"):
        script("+0 established\n+0 write 100")


def test_what_is_not_sent_is_missed() -> None:
    with pytest.raises(ScriptFailure, match=r"nothing was sent by 0\.250000"):
        script("+0 established\n+0 write 100\n+0 > P. 1:101(100) ack 1\n+.25 > P. 1:101(100) ack 1")


def test_one_of_several_segments_is_named() -> None:
    with pytest.raises(ScriptFailure, match="segment 1001:1501 of it: came"):
        script("+0 established mss 1000\n+0 write 2000\n+0 > P. 1:1501 ack 1 by 1000")


def test_other_bytes_than_were_written_are_noticed() -> None:
    conversation = script("+0 established\n+0 set no_delay on")
    conversation.application.endpoint.send(b"other", conversation.lab.now)
    conversation.application.written += b"these"
    with pytest.raises(ScriptFailure, match="not the bytes of the stream"):
        conversation.run("+0 > P. 1:6(5) ack 1")


@pytest.mark.parametrize(
    "line",
    ["state LISTEN", "error RESET", "told nothing", "drops TCP_BAD_ACK", "readable 1", "unacknowledged 1", "read 1",
     "peer_finished yes", "connections 0", "connect", "abort ! RESET", "accept"],
)  # fmt: skip
def test_a_question_with_the_wrong_answer_fails(line: str) -> None:
    conversation = Script()
    conversation.application.connect()
    conversation.run("+0 > S 0:0(0) <...>\n+0 < S. 0:0(0) ack 1 <mss 1000>\n+0 > . 1:1(0) ack 1")
    with pytest.raises(ScriptFailure):
        conversation.run(f"+0 {line}")


def test_times_follow_what_came_and_not_what_was_allowed() -> None:
    script(
        """
        +0      established
        +0      write 100
        +0      > P. 1:101(100) ack 1
        +.1~+.9 > P. 1:101(100) ack 1     # 0.3
        +.6     > P. 1:101(100) ack 1     # 0.9
        2.1     > P. 1:101(100) ack 1
        """
    )
