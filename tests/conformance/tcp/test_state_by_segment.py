"""Every segment in every state: `state_table` explains the rows, `state_rows_*` hold them."""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest

from tests.conformance.tcp import state_rows_closing, state_rows_open, state_rows_opening
from tests.conformance.tcp.state_table import EARLY_SEGMENTS, SEGMENTS, Row, rows, segments
from tests.support.tcp_peer import OUR_ISS, Received, ms
from tests.support.tcp_script import Script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.config import TcpConfig
from wsknet.transport.endpoint import Ready
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

WITHIN = ms(150)
"""What may be sent at once or later is there by then, and no segment has been repeated."""
_SMALL = TcpConfig(receive_buffer=2000)
"""So that a segment reaches over the right edge."""

_HANDSHAKE = """
    +0 connect
    +0 > S 0:0 <...>
    +0 < S. 0:0 ack 1 <mss 1000>
    +0 > . 1:1 ack 1
"""
_CONNECTED = f"""
    {_HANDSHAKE}
    +0 write 10 nodelay
    +0 > P. 1:11 ack 1
    +0 < P. 1:6 ack 11
    +.040 > . 11:11 ack 6
    +0 read 5
"""
_DATA_IN_FLIGHT = """
    +0 write 10 nodelay
    +0 > P. 11:21 ack *
"""
_PEER_FINISHES = """
    +0 < F. 6:6 ack 11
    +0 > . 11:11 ack 7
"""
_WE_FINISH = """
    +0 shutdown
    +0 > F. 11:11 ack *
"""
_BOTH_FINISH = f"""
    {_WE_FINISH}
    +0 < F. 6:6 ack 11
    +0 > . 12:12 ack 7
"""


class Scene(NamedTuple):
    """How a state is reached, and SND.UNA and SND.NXT there."""

    script: str
    una: int
    nxt: int
    rows: str
    is_early: bool = False
    behaviour: Behaviour = WINDOWS

    def state(self, name: str) -> str:
        """The state proper: SYN-RECEIVED has two ways in."""
        return re.sub("_(PASSIVE|ACTIVE|CLOSED_WINDOW|LINUX)$", "", name)


SCENES = {
    "CLOSED": Scene("+0 nothing", 0, 0, state_rows_opening.CLOSED, True),
    "LISTEN": Scene("+0 listen", 0, 0, state_rows_opening.LISTEN, True),
    "LISTEN_LINUX": Scene("+0 listen", 0, 0, state_rows_opening.LISTEN_LINUX, True, LINUX),
    "SYN_SENT": Scene("+0 connect\n+0 > S 0:0 <...>", 0, 1, state_rows_opening.SYN_SENT, True),
    "SYN_RECEIVED_PASSIVE": Scene(
        "+0 listen\n+0 < S 0:0 <mss 1000>\n+0 > S. 0:0 ack 1 <...>", 0, 1, state_rows_opening.SYN_RECEIVED_PASSIVE
    ),
    "SYN_RECEIVED_ACTIVE": Scene(
        "+0 connect\n+0 > S 0:0 <...>\n+0 < S 0:0 <mss 1000>\n+0 > S. 0:0 ack 1 <...>",
        0,
        1,
        state_rows_opening.SYN_RECEIVED_ACTIVE,
    ),
    "ESTABLISHED": Scene(_CONNECTED + _DATA_IN_FLIGHT, 11, 21, state_rows_open.ESTABLISHED),
    "ESTABLISHED_CLOSED_WINDOW": Scene(
        f"""
        {_HANDSHAKE}
        +0 < . 1:1001 ack 1
        +.040 > . 1:1 ack 1001
        +0 < . 1001:2001 ack 1
        +.040 > . 1:1 ack 2001 win 0
        +0 write 10 nodelay
        +0 > P. 1:11 ack 2001 win 0
        """,
        1,
        11,
        state_rows_open.ESTABLISHED_CLOSED_WINDOW,
    ),
    "FIN_WAIT_1": Scene(_CONNECTED + _WE_FINISH, 11, 12, state_rows_open.FIN_WAIT_1),
    "FIN_WAIT_2": Scene(_CONNECTED + _WE_FINISH + "+0 < . 6:6 ack 12", 12, 12, state_rows_open.FIN_WAIT_2),
    "CLOSE_WAIT": Scene(_CONNECTED + _PEER_FINISHES + _DATA_IN_FLIGHT, 11, 21, state_rows_closing.CLOSE_WAIT),
    "CLOSING": Scene(_CONNECTED + _BOTH_FINISH, 11, 12, state_rows_closing.CLOSING),
    "LAST_ACK": Scene(_CONNECTED + _PEER_FINISHES + _WE_FINISH, 11, 12, state_rows_closing.LAST_ACK),
    "TIME_WAIT": Scene(_CONNECTED + _BOTH_FINISH + "+0 < . 7:7 ack 12", 12, 12, state_rows_closing.TIME_WAIT),
}
ROWS = [row for name, scene in SCENES.items() for row in rows(name, scene.rows)]


class Stage:
    """A stack in the state of a row, its owner asked for everything, and the positions there."""

    def __init__(self, name: str, family: Family) -> None:
        scene = SCENES[name]
        self.script = Script(family, scene.behaviour, _SMALL)
        self.script.run(scene.script)
        self.lab = self.script.lab
        latest = self.script.latest
        received = 0 if latest is None else latest.ack
        window = 0 if latest is None else latest.window
        self.positions = {
            "U": scene.una,
            "N": scene.nxt,
            "R": received,
            "E": received + window,
            "G": scene.una or scene.nxt,
            "Z": -OUR_ISS,
        }
        self.lab.stack.trace.drops.clear()
        if name != "CLOSED":
            self.lab.told(self.script.application.endpoint)

    def position(self, text: str) -> int:
        found = re.fullmatch(r"(?:([UNREGZ])([+-]\d+)?|(\d+))", text)
        assert found is not None, f"no position is written {text!r}"
        return int(found[3]) if found[3] else self.positions[found[1]] + int(found[2] or 0)

    def state(self) -> str:
        connections = self.lab.stack.view().connections
        if connections:
            return str(connections[0].state)
        return "LISTEN" if self.script.application.listener is not None else "CLOSED"

    def told(self) -> str:
        if self.script.application.listener is None and not self.lab.owners:
            return "-"
        endpoint = self.script.application.endpoint
        bits = self.lab.told(endpoint)
        names = [name for name, bit in vars(Ready).items() if isinstance(bit, int) and bits & bit]
        if "FAILED" in names:
            names[names.index("FAILED")] = f"FAILED:{endpoint.error.name if endpoint.error else '?'}"
        return " ".join(sorted(names)) or "-"


def written(found: list[Received]) -> list[str]:
    return [f"{each.flags} {each.seq} {each.ack if 'A' in each.flags else '-'}" for each in found]


def wanted(stage: Stage, reply: str) -> str:
    flags, seq, ack = reply.split()
    acked = "-" if ack == "-" else str(stage.position(ack) & 0xFFFFFFFF)
    return f"{flags} {stage.position(seq) & 0xFFFFFFFF} {acked}"


@FAMILIES
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.state}: {row.segment}")
@pytest.mark.rule("RFC9293-3.10.7", "RFC5961-3.2", "RFC5961-5.2")
def test_each_segment_in_each_state_does_what_the_table_says(row: Row, family: Family) -> None:
    stage = Stage(row.state, family)
    before = stage.state()
    segment = segments(EARLY_SEGMENTS if SCENES[row.state].is_early else SEGMENTS)[row.segment]
    stage.lab.peer.send(
        segment.flags,
        stage.position(segment.seq),
        stage.position(segment.ack) if segment.ack else 0,
        bytes(segment.length),
        urgent=segment.length if "U" in segment.flags else 0,
    )
    at_once = written(stage.lab.peer.drain())
    after, told = stage.state(), stage.told()
    stage.lab.clock.advance(WITHIN)
    later = written(stage.lab.peer.drain())

    dropped = [reason.name for reason in stage.lab.stack.trace.drops.elements()]
    outcome = f"at once {at_once}, later {later}, {before} -> {after}, dropped {dropped}, told {told}"
    if row.reply == "-":
        assert at_once + later == [], outcome
    elif row.reply.startswith("~"):
        assert at_once + later == [wanted(stage, row.reply[1:])], outcome
    elif row.reply.startswith("?"):
        assert at_once in ([], [wanted(stage, row.reply[1:])]), outcome
        assert later == [], outcome
    else:
        assert (at_once, later) == ([wanted(stage, row.reply)], []), outcome
    assert after == (before if row.after == "=" else row.after), outcome
    assert row.drop == "?" or dropped == ([] if row.drop == "-" else [row.drop]), outcome
    assert told == " ".join(sorted(row.told.split())), outcome


def test_the_table_is_whole() -> None:
    for name, scene in SCENES.items():
        expected = list(segments(EARLY_SEGMENTS if scene.is_early else SEGMENTS))
        assert [row.segment for row in ROWS if row.state == name] == expected


@FAMILIES
@pytest.mark.parametrize("name", SCENES)
def test_each_scene_ends_in_its_state(name: str, family: Family) -> None:
    stage = Stage(name, family)

    assert stage.state() == SCENES[name].state(name)
    if not SCENES[name].is_early:
        assert stage.positions["R"] == (
            1 if name.startswith("SYN") else 2001 if "WINDOW" in name else stage.positions["R"]
        )
        assert (stage.positions["E"] == stage.positions["R"]) == ("WINDOW" in name)
