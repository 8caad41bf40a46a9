"""A path that swallows large packets and says nothing: RFC 4821 7.5 to 7.7.

After repeated timeouts of full segments smaller ones are tried, and the connection lives on.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import with_tcp
from tests.support.tcp_peer import sec
from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

SEARCHING_LINUX = with_tcp(LINUX, black_hole_detection=True)
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.parametrize("behaviour", [WINDOWS, SEARCHING_LINUX], ids=lambda behaviour: behaviour.name)
@pytest.mark.rule("RFC4821-7.7", "RFC4821-7.5")
def test_data_gets_through_a_path_of_1300_bytes_of_which_no_router_tells(family: Family, behaviour: Behaviour) -> None:
    conversation = script("+0 established mss $mss", family, behaviour)
    lab, room = conversation.lab, 1300 - (40 if family is Family.IPV4 else 60)
    endpoint = conversation.application.endpoint
    lab.send(endpoint, bytes(5000))
    received = 1
    for _ in range(60):
        for segment in lab.peer.drain():
            if len(segment.data) <= room and segment.seq <= received:
                received = max(received, segment.seq + len(segment.data))
                lab.peer.send(seq=1, ack=received)
        lab.clock.advance(sec(1))

    assert received == 5001
    assert endpoint.unacknowledged == 0
    assert endpoint.error is None
