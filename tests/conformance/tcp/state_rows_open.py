"""The states in which both sides may have something to say: RFC 9293 3.10.7.4."""

from __future__ import annotations

ESTABLISHED = """
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
data in order            | ~A N R+5   | =          | -                  | READABLE
data out of order        | A N R      | =          | -                  | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ~A N R+5   | =          | -                  | READABLE
data over the right edge | A N R      | =          | -                  | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
FIN in order             | A N R+1    | CLOSE_WAIT | -                  | PEER_FINISHED
FIN with ACK good        | A N R+1    | CLOSE_WAIT | -                  | SENT PEER_FINISHED
FIN behind data          | A N R+6    | CLOSE_WAIT | -                  | READABLE PEER_FINISHED
FIN out of order         | A N R      | =          | -                  | -
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
URG with data            | ~A N R+5   | =          | -                  | READABLE URGENT
"""

ESTABLISHED_CLOSED_WINDOW = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_UNACCEPTABLE   | -
# "Special allowance should be made to accept valid ACKs, URGs, and RSTs" (first step); MUST-66.
ACK good                 | -          | =          | -                  | SENT
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data in order            | A N R      | =          | TCP_UNACCEPTABLE   | -
data out of order        | A N R      | =          | TCP_UNACCEPTABLE   | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the right edge | A N R      | =          | TCP_UNACCEPTABLE   | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | ?                  | -
FIN in order             | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN with ACK good        | A N R      | =          | TCP_UNACCEPTABLE   | SENT
FIN behind data          | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN out of order         | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
FIN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
RST exact                | -          | CLOSED     | -                  | FAILED:RESET
RST in the window        | -          | =          | TCP_BAD_RESET      | -
RST left of the window   | -          | =          | TCP_BAD_RESET      | -
# E is R here.
RST right of the window  | -          | CLOSED     | -                  | FAILED:RESET
RST-ACK exact            | -          | CLOSED     | -                  | FAILED:RESET
RST-ACK, ACK too new     | -          | CLOSED     | -                  | FAILED:RESET
no flags                 | -          | =          | TCP_BAD_FLAGS      | -
FIN without ACK          | A N R      | =          | TCP_UNACCEPTABLE   | -
data without ACK         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN+FIN                  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN+RST                  | -          | CLOSED     | -                  | FAILED:RESET
all flags                | -          | CLOSED     | -                  | FAILED:RESET
URG with data            | A N R      | =          | TCP_UNACCEPTABLE   | URGENT
"""

FIN_WAIT_1 = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_BAD_FLAGS      | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | FIN_WAIT_2 | -                  | FINISHED
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data in order            | ~A N R+5   | =          | -                  | READABLE
data out of order        | A N R      | =          | -                  | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ~A N R+5   | =          | -                  | READABLE
data over the right edge | A N R      | =          | -                  | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
FIN in order             | A N R+1    | CLOSING    | -                  | PEER_FINISHED
FIN with ACK good        | A N R+1    | TIME_WAIT  | -                  | FINISHED PEER_FINISHED
FIN behind data          | A N R+6    | CLOSING    | -                  | READABLE PEER_FINISHED
FIN out of order         | A N R      | =          | -                  | -
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
URG with data            | ~A N R+5   | =          | -                  | READABLE URGENT
"""

FIN_WAIT_2 = """
SYN repeated             | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN in the window        | A N R      | =          | TCP_BAD_FLAGS      | -
SYN right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK repeated         | A N R      | =          | TCP_UNACCEPTABLE   | -
SYN-ACK in the window    | A N R      | =          | TCP_BAD_FLAGS      | -
ACK good                 | -          | =          | -                  | -
ACK duplicate            | -          | =          | -                  | -
ACK old                  | -          | =          | -                  | -
ACK ancient              | A N R      | =          | TCP_BAD_ACK        | -
ACK too new              | A N R      | =          | TCP_BAD_ACK        | -
ACK left of the window   | A N R      | =          | TCP_UNACCEPTABLE   | -
ACK right of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data in order            | ~A N R+5   | =          | -                  | READABLE
data out of order        | A N R      | =          | -                  | -
data left of the window  | A N R      | =          | TCP_UNACCEPTABLE   | -
data over the left edge  | ~A N R+5   | =          | -                  | READABLE
data over the right edge | A N R      | =          | -                  | -
data right of the window | A N R      | =          | TCP_UNACCEPTABLE   | -
data with ACK too new    | A N R      | =          | TCP_BAD_ACK        | -
FIN in order             | A N R+1    | TIME_WAIT  | -                  | PEER_FINISHED
FIN with ACK good        | A N R+1    | TIME_WAIT  | -                  | PEER_FINISHED
FIN behind data          | A N R+6    | TIME_WAIT  | -                  | READABLE PEER_FINISHED
FIN out of order         | A N R      | =          | -                  | -
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
URG with data            | ~A N R+5   | =          | -                  | READABLE URGENT
"""
