"""What each segment does in each state: RFC 9293 3.10.7, with RFC 5961 for the answers to what may be forged.

Positions: U is SND.UNA, N is SND.NXT, R is RCV.NXT, E is RCV.NXT + RCV.WND, G an acknowledgement without news (SND.UNA,
or SND.NXT while that is the SYN).  Both streams start at 0.

A row says ``segment | reply | next state | drop reason | told``.

- Reply: flags, sequence and acknowledgement number; ``-`` none; ``~`` at once or later, within the delay of
  acknowledgements (RFC 9293 3.8.6.3); ``?`` may be there or not, as the RFC leaves it open.
- Next state: ``=`` the same.  CLOSED: the tables of the stack know the connection no more.
- Told: bits of `Ready`, ``-`` none; of a half-open connection those that its listener hears.  ``FAILED:RESET`` adds the
  `ErrorKind`.

The steps of 3.10.7.4 that a row rests on: what is outside the window, the first; RST, the second; SYN, the fourth; no
ACK or one that is not acceptable, the fifth; URG, the sixth; data, the seventh; FIN, the eighth.
"""

from __future__ import annotations

from typing import NamedTuple

SEGMENTS = """
SYN repeated             | S        | 0      |
SYN left of the window   | S        | R-9    |
SYN in the window        | S        | R+100  |
SYN right of the window  | S        | E+100  |
SYN-ACK repeated         | SA       | 0      | 1
SYN-ACK in the window    | SA       | R+100  | G
ACK good                 | A        | R      | N
ACK duplicate            | A        | R      | U
ACK old                  | A        | R      | U-1
ACK ancient              | A        | R      | U-70000
ACK too new              | A        | R      | N+1
ACK left of the window   | A        | R-1    | G
ACK right of the window  | A        | E+1    | G
data in order            | A        | R      | G    | 5
data out of order        | A        | R+10   | G    | 5
data left of the window  | A        | R-5    | G    | 5
data over the left edge  | A        | R-3    | G    | 8
data over the right edge | A        | E-3    | G    | 5
data right of the window | A        | E      | G    | 5
data with ACK too new    | A        | R      | N+1  | 5
FIN in order             | FA       | R      | G
FIN with ACK good        | FA       | R      | N
FIN behind data          | FA       | R      | G    | 5
FIN out of order         | FA       | R+10   | G
FIN left of the window   | FA       | R-1    | G
FIN right of the window  | FA       | E      | G
RST exact                | R        | R      |
RST in the window        | R        | R+10   |
RST left of the window   | R        | R-1    |
RST right of the window  | R        | E      |
RST-ACK exact            | RA       | R      | N
RST-ACK, ACK too new     | RA       | R      | N+1
no flags                 |          | R      |
FIN without ACK          | F        | R      |
data without ACK         | P        | R      |      | 5
SYN+FIN                  | SF       | R      |
SYN+RST                  | SR       | R      |
all flags                | FSRPAUEC | R      | N
URG with data            | PAU      | R      | G    | 5
"""
"""Name, flags, sequence number, acknowledgement number, bytes of data: for the states that know a RCV.NXT."""

EARLY_SEGMENTS = """
SYN                      | S        | 0      |
SYN with another number  | S        | 1000   |
SYN with data            | S        | 0      |      | 5
SYN-ACK good             | SA       | 0      | 1
SYN-ACK, ACK too old     | SA       | 0      | 0
SYN-ACK, ACK too new     | SA       | 0      | 2
SYN-ACK with data        | SA       | 0      | 1    | 5
SYN-ACK with FIN         | FSA      | 0      | 1
ACK good                 | A        | 1      | 1
ACK too old              | A        | 1      | 0
ACK too new              | A        | 1      | 2
data                     | A        | 1      | 1    | 5
data, ACK too new        | A        | 1      | 2    | 5
data without ACK         | P        | 1      |      | 5
FIN                      | FA       | 1      | 1
FIN without ACK          | F        | 1      |
RST                      | R        | 1      |
RST-ACK good             | RA       | 0      | 1
RST-ACK, ACK too old     | RA       | 0      | 0
RST-ACK, ACK too new     | RA       | 0      | 2
no flags                 |          | 1      |
SYN+FIN                  | SF       | 0      |
SYN+RST                  | SR       | 0      |
all flags                | FSRPAUEC | 0      | 1
URG with data            | PAU      | 1      | 1    | 5
"""
"""The same for CLOSED, LISTEN and SYN-SENT, which know no number of the peer's."""


class Segment(NamedTuple):
    flags: str
    seq: str
    ack: str
    length: int


class Row(NamedTuple):
    state: str
    segment: str
    reply: str
    after: str
    drop: str
    told: str


def segments(table: str) -> dict[str, Segment]:
    found = {}
    for line in table.strip().splitlines():
        name, flags, seq, ack, length = [*(cell.strip() for cell in line.split("|")), ""][:5]
        found[name] = Segment(flags, seq, ack, int(length or 0))
    return found


def rows(state: str, table: str) -> list[Row]:
    """Comments start with a number sign."""
    found = []
    for line in table.strip().splitlines():
        bare = line.partition("#")[0].strip()
        if bare:
            segment, reply, after, drop, told = (cell.strip() for cell in bare.split("|"))
            found.append(Row(state, segment, reply, after, drop, told))
    return found
