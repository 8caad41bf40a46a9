"""The states before a connection exists: RFC 9293 3.10.7.1 to 3.10.7.3, SYN-RECEIVED in 3.10.7.4."""

from __future__ import annotations

CLOSED = """
# 3.10.7.1.  Z is the number zero on the wire.
SYN                      | RA Z 1     | = | TCP_NO_ENDPOINT | -
SYN with another number  | RA Z 1001  | = | TCP_NO_ENDPOINT | -
SYN with data            | RA Z 6     | = | TCP_NO_ENDPOINT | -
SYN-ACK good             | R 1 -      | = | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too old     | R 0 -      | = | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too new     | R 2 -      | = | TCP_NO_ENDPOINT | -
SYN-ACK with data        | R 1 -      | = | TCP_NO_ENDPOINT | -
SYN-ACK with FIN         | R 1 -      | = | TCP_NO_ENDPOINT | -
ACK good                 | R 1 -      | = | TCP_NO_ENDPOINT | -
ACK too old              | R 0 -      | = | TCP_NO_ENDPOINT | -
ACK too new              | R 2 -      | = | TCP_NO_ENDPOINT | -
data                     | R 1 -      | = | TCP_NO_ENDPOINT | -
data, ACK too new        | R 2 -      | = | TCP_NO_ENDPOINT | -
data without ACK         | RA Z 6     | = | TCP_NO_ENDPOINT | -
FIN                      | R 1 -      | = | TCP_NO_ENDPOINT | -
FIN without ACK          | RA Z 2     | = | TCP_NO_ENDPOINT | -
RST                      | -          | = | TCP_NO_ENDPOINT | -
RST-ACK good             | -          | = | TCP_NO_ENDPOINT | -
RST-ACK, ACK too old     | -          | = | TCP_NO_ENDPOINT | -
RST-ACK, ACK too new     | -          | = | TCP_NO_ENDPOINT | -
no flags                 | RA Z 1     | = | TCP_NO_ENDPOINT | -
SYN+FIN                  | RA Z 2     | = | TCP_NO_ENDPOINT | -
SYN+RST                  | -          | = | TCP_NO_ENDPOINT | -
all flags                | -          | = | TCP_NO_ENDPOINT | -
URG with data            | R 1 -      | = | TCP_NO_ENDPOINT | -
"""

LISTEN = """
# 3.10.7.2, with the set of Windows
SYN                      | SA 0 1     | SYN_RECEIVED | -               | -
SYN with another number  | SA 0 1001  | SYN_RECEIVED | -               | -
SYN with data            | SA 0 1     | SYN_RECEIVED | -               | -
SYN-ACK good             | R 1 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too old     | R 0 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too new     | R 2 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK with data        | R 1 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK with FIN         | R 1 -      | =            | TCP_NO_ENDPOINT | -
ACK good                 | R 1 -      | =            | TCP_NO_ENDPOINT | -
ACK too old              | R 0 -      | =            | TCP_NO_ENDPOINT | -
ACK too new              | R 2 -      | =            | TCP_NO_ENDPOINT | -
data                     | R 1 -      | =            | TCP_NO_ENDPOINT | -
data, ACK too new        | R 2 -      | =            | TCP_NO_ENDPOINT | -
# Where the fourth step drops, Windows answers as if nobody listened (T2 and T3 of nmap-os-db).
data without ACK         | RA Z 6     | =            | TCP_BAD_FLAGS   | -
FIN                      | R 1 -      | =            | TCP_NO_ENDPOINT | -
FIN without ACK          | RA Z 2     | =            | TCP_BAD_FLAGS   | -
RST                      | -          | =            | TCP_BAD_RESET   | -
RST-ACK good             | -          | =            | TCP_BAD_RESET   | -
RST-ACK, ACK too old     | -          | =            | TCP_BAD_RESET   | -
RST-ACK, ACK too new     | -          | =            | TCP_BAD_RESET   | -
no flags                 | RA Z 1     | =            | TCP_BAD_FLAGS   | -
SYN+FIN                  | RA Z 2     | =            | TCP_BAD_FLAGS   | -
SYN+RST                  | -          | =            | TCP_BAD_RESET   | -
all flags                | -          | =            | TCP_BAD_RESET   | -
URG with data            | R 1 -      | =            | TCP_NO_ENDPOINT | -
"""

LISTEN_LINUX = """
# The fourth step drops what has neither SYN nor ACK.
SYN                      | SA 0 1     | SYN_RECEIVED | -               | -
SYN with another number  | SA 0 1001  | SYN_RECEIVED | -               | -
SYN with data            | SA 0 1     | SYN_RECEIVED | -               | -
SYN-ACK good             | R 1 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too old     | R 0 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK, ACK too new     | R 2 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK with data        | R 1 -      | =            | TCP_NO_ENDPOINT | -
SYN-ACK with FIN         | R 1 -      | =            | TCP_NO_ENDPOINT | -
ACK good                 | R 1 -      | =            | TCP_NO_ENDPOINT | -
ACK too old              | R 0 -      | =            | TCP_NO_ENDPOINT | -
ACK too new              | R 2 -      | =            | TCP_NO_ENDPOINT | -
data                     | R 1 -      | =            | TCP_NO_ENDPOINT | -
data, ACK too new        | R 2 -      | =            | TCP_NO_ENDPOINT | -
data without ACK         | -          | =            | TCP_BAD_FLAGS   | -
FIN                      | R 1 -      | =            | TCP_NO_ENDPOINT | -
FIN without ACK          | -          | =            | TCP_BAD_FLAGS   | -
RST                      | -          | =            | TCP_BAD_RESET   | -
RST-ACK good             | -          | =            | TCP_BAD_RESET   | -
RST-ACK, ACK too old     | -          | =            | TCP_BAD_RESET   | -
RST-ACK, ACK too new     | -          | =            | TCP_BAD_RESET   | -
no flags                 | -          | =            | TCP_BAD_FLAGS   | -
# The third step would take the SYN and keep the FIN for later.  No stack sends this; Linux drops it, too
# (tcp_rcv_state_process, TCP_LISTEN).
SYN+FIN                  | -          | =            | TCP_BAD_FLAGS   | -
SYN+RST                  | -          | =            | TCP_BAD_RESET   | -
all flags                | -          | =            | TCP_BAD_RESET   | -
URG with data            | R 1 -      | =            | TCP_NO_ENDPOINT | -
"""

SYN_SENT = """
# 3.10.7.3
SYN                      | SA 0 1     | SYN_RECEIVED | -             | -
SYN with another number  | SA 0 1001  | SYN_RECEIVED | -             | -
SYN with data            | SA 0 1     | SYN_RECEIVED | -             | -
SYN-ACK good             | A 1 1      | ESTABLISHED  | -             | CONNECTED
SYN-ACK, ACK too old     | R 0 -      | =            | TCP_BAD_ACK   | -
SYN-ACK, ACK too new     | R 2 -      | =            | TCP_BAD_ACK   | -
SYN-ACK with data        | A 1 6      | ESTABLISHED  | -             | CONNECTED READABLE
SYN-ACK with FIN         | A 1 2      | CLOSE_WAIT   | -             | CONNECTED PEER_FINISHED
ACK good                 | -          | =            | TCP_BAD_FLAGS | -
ACK too old              | R 0 -      | =            | TCP_BAD_ACK   | -
ACK too new              | R 2 -      | =            | TCP_BAD_ACK   | -
data                     | -          | =            | TCP_BAD_FLAGS | -
data, ACK too new        | R 2 -      | =            | TCP_BAD_ACK   | -
data without ACK         | -          | =            | TCP_BAD_FLAGS | -
FIN                      | -          | =            | TCP_BAD_FLAGS | -
FIN without ACK          | -          | =            | TCP_BAD_FLAGS | -
RST                      | -          | =            | TCP_BAD_RESET | -
RST-ACK good             | -          | CLOSED       | -             | FAILED:REFUSED
RST-ACK, ACK too old     | -          | =            | TCP_BAD_ACK   | -
RST-ACK, ACK too new     | -          | =            | TCP_BAD_ACK   | -
no flags                 | -          | =            | TCP_BAD_FLAGS | -
SYN+FIN                  | SA 0 1     | SYN_RECEIVED | -             | -
SYN+RST                  | -          | =            | TCP_BAD_RESET | -
all flags                | -          | CLOSED       | -             | FAILED:REFUSED
URG with data            | -          | =            | TCP_BAD_FLAGS | -
"""

SYN_RECEIVED_PASSIVE = """
# The first step asks for an acknowledgement.  SYN-ACK says the same and more: ours was lost (Linux: tcp_check_req).
SYN repeated             | SA 0 R     | =            | TCP_UNACCEPTABLE | -
SYN left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
SYN in the window        | -          | LISTEN       | TCP_BAD_FLAGS    | -
SYN right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
SYN-ACK repeated         | A N R      | =            | TCP_UNACCEPTABLE | -
SYN-ACK in the window    | -          | LISTEN       | TCP_BAD_FLAGS    | -
ACK good                 | -          | ESTABLISHED  | -                | ACCEPTABLE
# 3.5.2, second group: not synchronized yet, so an acknowledgement of something else is reset.
ACK duplicate            | R U -      | =            | TCP_BAD_ACK      | -
ACK old                  | R U-1 -    | =            | TCP_BAD_ACK      | -
ACK ancient              | R U-70000 - | =           | TCP_BAD_ACK      | -
ACK too new              | R N+1 -    | =            | TCP_BAD_ACK      | -
ACK left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
ACK right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
data in order            | ~A N R+5   | ESTABLISHED  | -                | ACCEPTABLE
data out of order        | A N R      | ESTABLISHED  | -                | ACCEPTABLE
data left of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
data over the left edge  | ~A N R+5   | ESTABLISHED  | -                | ACCEPTABLE
data over the right edge | A N R      | ESTABLISHED  | -                | ACCEPTABLE
data right of the window | A N R      | =            | TCP_UNACCEPTABLE | -
data with ACK too new    | R N+1 -    | =            | TCP_BAD_ACK      | -
FIN in order             | A N R+1    | CLOSE_WAIT   | -                | ACCEPTABLE
FIN with ACK good        | A N R+1    | CLOSE_WAIT   | -                | ACCEPTABLE
FIN behind data          | A N R+6    | CLOSE_WAIT   | -                | ACCEPTABLE
FIN out of order         | A N R      | ESTABLISHED  | -                | ACCEPTABLE
FIN left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
FIN right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
RST exact                | -          | LISTEN       | -                | -
RST in the window        | A N R      | =            | TCP_BAD_RESET    | -
RST left of the window   | -          | =            | TCP_BAD_RESET    | -
RST right of the window  | -          | =            | TCP_BAD_RESET    | -
RST-ACK exact            | -          | LISTEN       | -                | -
RST-ACK, ACK too new     | -          | LISTEN       | -                | -
no flags                 | -          | =            | TCP_BAD_FLAGS    | -
FIN without ACK          | -          | =            | TCP_BAD_FLAGS    | -
data without ACK         | -          | =            | TCP_BAD_FLAGS    | -
SYN+FIN                  | -          | LISTEN       | TCP_BAD_FLAGS    | -
SYN+RST                  | -          | LISTEN       | -                | -
all flags                | -          | LISTEN       | -                | -
URG with data            | ~A N R+5   | ESTABLISHED  | -                | ACCEPTABLE
"""

SYN_RECEIVED_ACTIVE = """
SYN repeated             | SA 0 R     | =            | TCP_UNACCEPTABLE | -
SYN left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
SYN in the window        | A N R      | =            | TCP_BAD_FLAGS    | -
SYN right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
# 3.5, figure 7: this is what ends a simultaneous open, whatever the first step says of its number (appendix A.2).
SYN-ACK repeated         | ?A N R     | ESTABLISHED  | ?                | CONNECTED
SYN-ACK in the window    | A N R      | =            | TCP_BAD_FLAGS    | -
ACK good                 | -          | ESTABLISHED  | -                | CONNECTED
ACK duplicate            | R U -      | =            | TCP_BAD_ACK      | -
ACK old                  | R U-1 -    | =            | TCP_BAD_ACK      | -
ACK ancient              | R U-70000 - | =           | TCP_BAD_ACK      | -
ACK too new              | R N+1 -    | =            | TCP_BAD_ACK      | -
ACK left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
ACK right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
data in order            | ~A N R+5   | ESTABLISHED  | -                | CONNECTED READABLE
data out of order        | A N R      | ESTABLISHED  | -                | CONNECTED
data left of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
data over the left edge  | ~A N R+5   | ESTABLISHED  | -                | CONNECTED READABLE
data over the right edge | A N R      | ESTABLISHED  | -                | CONNECTED
data right of the window | A N R      | =            | TCP_UNACCEPTABLE | -
data with ACK too new    | R N+1 -    | =            | TCP_BAD_ACK      | -
FIN in order             | A N R+1    | CLOSE_WAIT   | -                | CONNECTED PEER_FINISHED
FIN with ACK good        | A N R+1    | CLOSE_WAIT   | -                | CONNECTED PEER_FINISHED
FIN behind data          | A N R+6    | CLOSE_WAIT   | -                | CONNECTED READABLE PEER_FINISHED
FIN out of order         | A N R      | ESTABLISHED  | -                | CONNECTED
FIN left of the window   | A N R      | =            | TCP_UNACCEPTABLE | -
FIN right of the window  | A N R      | =            | TCP_UNACCEPTABLE | -
RST exact                | -          | CLOSED       | -                | FAILED:REFUSED
RST in the window        | A N R      | =            | TCP_BAD_RESET    | -
RST left of the window   | -          | =            | TCP_BAD_RESET    | -
RST right of the window  | -          | =            | TCP_BAD_RESET    | -
RST-ACK exact            | -          | CLOSED       | -                | FAILED:REFUSED
RST-ACK, ACK too new     | -          | CLOSED       | -                | FAILED:REFUSED
no flags                 | -          | =            | TCP_BAD_FLAGS    | -
FIN without ACK          | -          | =            | TCP_BAD_FLAGS    | -
data without ACK         | -          | =            | TCP_BAD_FLAGS    | -
SYN+FIN                  | A N R      | =            | TCP_BAD_FLAGS    | -
SYN+RST                  | -          | CLOSED       | -                | FAILED:REFUSED
all flags                | -          | CLOSED       | -                | FAILED:REFUSED
URG with data            | ~A N R+5   | ESTABLISHED  | -                | CONNECTED READABLE URGENT
"""
