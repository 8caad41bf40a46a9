"""The states after the peer's FIN: RFC 9293 3.10.7.4."""

from __future__ import annotations

CLOSE_WAIT = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_BAD_FLAGS      | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | =          | -                  | SENT
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
# The seventh step ignores the text; an answer is left open.
data in order            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data out of order        | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data over the right edge | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
# Behind a FIN there is nothing; the eighth step remains in the state.
FIN in order             | ?A N R     | =          | ?                  | -
FIN with ACK good        | ?A N R     | =          | ?                  | SENT
FIN behind data          | ?A N R     | =          | ?                  | -
FIN out of order         | ?A N R     | =          | ?                  | -
FIN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
RST exact                | -          | CLOSED     | -                  | FAILED:RESET
RST in the window        | A N R      | =          | TCP_BAD_RESET      | -
RST left of the window   | -          | =          | TCP_BAD_RESET      | -
RST right of the window  | -          | =          | TCP_BAD_RESET      | -
RST-ACK exact            | -          | CLOSED     | -                  | FAILED:RESET
RST-ACK, ACK too new     | -          | CLOSED     | -                  | FAILED:RESET
no flags                 | -          | =          | TCP_BAD_FLAGS      | -
FIN without ACK          | -          | =          | TCP_BAD_FLAGS      | -
data without ACK         | -          | =          | TCP_BAD_FLAGS      | -
SYN+FIN                  | A N R      | =          | TCP_BAD_FLAGS      | -
SYN+RST                  | -          | CLOSED     | -                  | FAILED:RESET
all flags                | -          | CLOSED     | -                  | FAILED:RESET
URG with data            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
"""

CLOSING = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_BAD_FLAGS      | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | TIME_WAIT  | -                  | FINISHED
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data in order            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data out of order        | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data over the right edge | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
FIN in order             | ?A N R     | =          | ?                  | -
FIN with ACK good        | ?A N R     | TIME_WAIT  | ?                  | FINISHED
FIN behind data          | ?A N R     | =          | ?                  | -
FIN out of order         | ?A N R     | =          | ?                  | -
FIN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
# The second step tells nobody; MUST-12 does: the FIN was not acknowledged.
RST exact                | -          | CLOSED     | -                  | FAILED:RESET
RST in the window        | A N R      | =          | TCP_BAD_RESET      | -
RST left of the window   | -          | =          | TCP_BAD_RESET      | -
RST right of the window  | -          | =          | TCP_BAD_RESET      | -
RST-ACK exact            | -          | CLOSED     | -                  | FAILED:RESET
RST-ACK, ACK too new     | -          | CLOSED     | -                  | FAILED:RESET
no flags                 | -          | =          | TCP_BAD_FLAGS      | -
FIN without ACK          | -          | =          | TCP_BAD_FLAGS      | -
data without ACK         | -          | =          | TCP_BAD_FLAGS      | -
SYN+FIN                  | A N R      | =          | TCP_BAD_FLAGS      | -
SYN+RST                  | -          | CLOSED     | -                  | FAILED:RESET
all flags                | -          | CLOSED     | -                  | FAILED:RESET
URG with data            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
"""

LAST_ACK = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_BAD_FLAGS      | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | CLOSED     | -                  | FINISHED
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data in order            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data out of order        | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data over the right edge | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
FIN in order             | ?A N R     | =          | ?                  | -
FIN with ACK good        | -          | CLOSED     | -                  | FINISHED
FIN behind data          | ?A N R     | =          | ?                  | -
FIN out of order         | ?A N R     | =          | ?                  | -
FIN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
# As in CLOSING.
RST exact                | -          | CLOSED     | -                  | FAILED:RESET
RST in the window        | A N R      | =          | TCP_BAD_RESET      | -
RST left of the window   | -          | =          | TCP_BAD_RESET      | -
RST right of the window  | -          | =          | TCP_BAD_RESET      | -
RST-ACK exact            | -          | CLOSED     | -                  | FAILED:RESET
RST-ACK, ACK too new     | -          | CLOSED     | -                  | FAILED:RESET
no flags                 | -          | =          | TCP_BAD_FLAGS      | -
FIN without ACK          | -          | =          | TCP_BAD_FLAGS      | -
data without ACK         | -          | =          | TCP_BAD_FLAGS      | -
SYN+FIN                  | A N R      | =          | TCP_BAD_FLAGS      | -
SYN+RST                  | -          | CLOSED     | -                  | FAILED:RESET
all flags                | -          | CLOSED     | -                  | FAILED:RESET
URG with data            | ?A N R     | =          | TCP_RECEIVE_CLOSED | -
"""

TIME_WAIT = """
SYN repeated             | A N R      | =          | ?                  | -
SYN left of the window   | A N R      | =          | ?                  | -
SYN in the window        | A N R      | =          | ?                  | -
SYN right of the window  | A N R      | =          | ?                  | -
SYN-ACK repeated         | A N R      | =          | ?                  | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | =          | -                  | -
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
# The check of RFC 5961 5.2 is a MAY, and there is no stream to inject into any more.
ACK ancient              | ?A N R     | =          | ?                  | -
ACK too new              | ?A N R     | =          | ?                  | -
ACK left of the window   | A N R      | =          | ?                  | -
ACK right of the window  | A N R      | =          | ?                  | -
data in order            | ?A N R     | =          | ?                  | -
data out of order        | ?A N R     | =          | ?                  | -
data left of the window  | A N R      | =          | ?                  | -
data over the left edge  | ?A N R     | =          | ?                  | -
data over the right edge | ?A N R     | =          | ?                  | -
data right of the window | A N R      | =          | ?                  | -
data with ACK too new    | ?A N R     | =          | ?                  | -
FIN in order             | ?A N R     | =          | ?                  | -
FIN with ACK good        | ?A N R     | =          | ?                  | -
FIN behind data          | ?A N R     | =          | ?                  | -
FIN out of order         | ?A N R     | =          | ?                  | -
# The repeated FIN.
FIN left of the window   | A N R      | =          | ?                  | -
FIN right of the window  | A N R      | =          | ?                  | -
RST exact                | -          | CLOSED     | -                  | -
RST in the window        | A N R      | =          | TCP_BAD_RESET      | -
RST left of the window   | -          | =          | TCP_BAD_RESET      | -
RST right of the window  | -          | =          | TCP_BAD_RESET      | -
RST-ACK exact            | -          | CLOSED     | -                  | -
RST-ACK, ACK too new     | -          | CLOSED     | -                  | -
no flags                 | -          | =          | TCP_BAD_FLAGS      | -
FIN without ACK          | -          | =          | TCP_BAD_FLAGS      | -
data without ACK         | -          | =          | TCP_BAD_FLAGS      | -
SYN+FIN                  | A N R      | =          | TCP_BAD_FLAGS      | -
SYN+RST                  | -          | CLOSED     | -                  | -
all flags                | -          | CLOSED     | -                  | -
URG with data            | ?A N R     | =          | ?                  | -
"""
