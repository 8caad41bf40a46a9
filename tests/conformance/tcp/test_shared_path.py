"""A path MTU that one connection has learned holds for the others to the same peer: RFC 1191 6, RFC 8201 5.2.

Red while a segment's length is chosen before the path is renewed: the first one goes out in IP fragments.
"""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC1191-3", "RFC8201-5.2", "RFC9293-3.7.1")
def test_what_one_connection_learns_of_the_path_the_next_segment_of_another_heeds(family: Family) -> None:
    lab = TcpLab(family)
    one = lab.connected()
    lab.peer.port = 81
    other = lab.bound(port=50001)
    other.connect(lab.peer.endpoint, lab.now)
    lab.peer.expect(flags="S", seq=0)
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1460, to=50001)
    lab.peer.expect(flags="A", seq=1)
    lab.peer.port = 80
    lab.send(one, bytes(1400))
    lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, lab.peer.next(), 1300)
    lab.peer.drain()
    frames: list[bytes] = []
    lab.peer.hear = frames.append  # type: ignore[method-assign,assignment]
    lab.send(other, bytes(10_000))
    lab.clock.advance(sec(1))

    assert len(frames) >= 8
    assert {frame[23 if family is Family.IPV4 else 20] for frame in frames} == {6}, "a fragment header"
    assert all(frame[20] & 0x3F == 0 and frame[21] == 0 for frame in frames if family is Family.IPV4), "a fragment"
    assert max(len(frame) for frame in frames) == 1314


@FAMILIES
@pytest.mark.rule("RFC1191-6.4", "RFC8201-5.2")
def test_each_connection_repeats_at_once_what_was_too_long_whoever_learned_of_it_first(family: Family) -> None:
    lab = TcpLab(family)
    one = lab.connected()
    lab.peer.port = 81
    other = lab.bound(port=50001)
    other.connect(lab.peer.endpoint, lab.now)
    lab.peer.expect(flags="S", seq=0)
    lab.peer.send(flags="SA", seq=0, ack=1, mss=1460, to=50001)
    lab.peer.expect(flags="A", seq=1)
    lost = []
    for endpoint in (one, other):
        lab.send(endpoint, bytes(1400))
        lost.append(lab.peer.next())
    mtu = 1300
    for segment in lost:
        lab.peer.port = segment.destination_port
        lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, segment, mtu)
        again = lab.peer.drain()
        assert sum(len(each.data) for each in again) == 1400, "at once, not by timeout"
        assert max(len(each.data) for each in again) < len(lost[0].data)
