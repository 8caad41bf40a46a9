"""Urgent data, received: RFC 9293 3.8.5, 3.10.7.4 (sixth step).

The bytes stay in the stream, as RFC 6093 asks; what the owner is told besides READABLE is for the face to say.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from tests.support.tcp_script import script
from wsknet.config import TcpConfig
from wsknet.transport.endpoint import Ready
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


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-32", "RFC9293-MUST-33")
def test_the_owner_hears_of_each_advance_of_the_pointer_and_learns_how_much_is_left(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.peer.send(flags="UA", seq=1, ack=1, data=b"abc", urgent=3)
    assert lab.told(endpoint) & Ready.URGENT
    assert endpoint.urgent_to == 3
    lab.peer.send(flags="UA", seq=4, ack=1, data=b"de", urgent=2)
    assert lab.told(endpoint) & Ready.URGENT
    assert endpoint.urgent_to == 5
    lab.peer.send(flags="UA", seq=4, ack=1, data=b"de", urgent=2)  # repeated
    assert not lab.told(endpoint) & Ready.URGENT
    assert endpoint.receive(4, lab.now) == b"abcd"
    assert endpoint.urgent_to == 5
    endpoint.receive(1, lab.now)
    assert endpoint.urgent_to is None


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-66")
def test_a_closed_window_keeps_no_urgent_pointer_out(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(receive_buffer=10))
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=bytes(10))
    lab.told(endpoint)
    lab.peer.send(flags="UA", seq=11, ack=1, data=b"more", urgent=4)
    assert lab.told(endpoint) & Ready.URGENT
    assert endpoint.urgent_to == 14


@FAMILIES
@pytest.mark.rule("RFC9293-MUST-62", "RFC9293-3.8.5")
def test_what_is_sent_as_urgent_is_pointed_at_until_it_is_all_out(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(mss=1000)
    endpoint.no_delay = True
    endpoint.send(bytes(500), lab.now)
    endpoint.send(bytes(1700), lab.now, is_urgent=True)
    endpoint.send(bytes(300), lab.now)
    lab.settle()
    assert [(each.seq, each.flags, each.urgent) for each in lab.peer.drain()] == [
        (1, "PA", 0),
        (501, "AU", 1700),
        (1501, "PAU", 700),
        (2201, "PA", 0),
    ]
    lab.clock.advance(sec(1))
    again = lab.peer.next()
    assert (again.seq, again.urgent) == (1, 2200), "by now there is something urgent behind it"
