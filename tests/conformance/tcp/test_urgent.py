"""Urgent data, received: RFC 9293 3.8.5, 3.10.7.4 (sixth step).

The bytes stay in the stream, as RFC 6093 asks; what the owner is told besides READABLE is for the face to say.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.config import TcpConfig
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-30", "RFC9293-MUST-31")
def test_urgent_bytes_of_any_number_are_read_where_they_stand(family: Family) -> None:
    script(
        """
        +0     established
        +0     < PU. 1:6(5) ack 1 urg 5 "abcde"
        +.040  > . 1:1(0) ack 6
        +0     < PU. 6:2006(2000) ack 1 urg 2000
        +.040  > . 1:1(0) ack 2006
        +0     read 2005
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-66")
def test_a_segment_with_urg_is_acknowledged_while_the_window_is_closed(family: Family) -> None:
    script(
        """
        +0     established
        +0     < . 1:1001(1000) ack 1
        +0     < . 1001:2001(1000) ack 1
        +0     > . 1:1(0) ack 2001 win 0
        +0     < U. 2001:2001(0) ack 1 urg 10
        +0     state ESTABLISHED
        +0     < U. 2001:2011(10) ack 1 urg 10
        +0     > . 1:1(0) ack 2001 win 0
        +0     read 2000
        +0     > . 1:1(0) ack 2001 win 2000
        """,
        family,
        tcp_config=TcpConfig(receive_buffer=2000),
    )
