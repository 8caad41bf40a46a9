"""What was lost is sent again: RFC 6298, RFC 5681 3.2, RFC 6582, RFC 9293 3.8.1; path MTU; keep-alive."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import OUR_PORT, PEER_ADDRESS, ms, sec
from wsknet.behaviour import LINUX, WINDOWS
from wsknet.errors import ErrorKind
from wsknet.net import changes
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.tcp_policy import CongestionAlgorithm, KeepAlive
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Family, IfIndex

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
NEW_RENO = with_tcp(WINDOWS, congestion=CongestionAlgorithm.NEW_RENO)
DATA = bytes(range(256)) * 400
MSS = 1000


# Timeouts


@FAMILIES
@pytest.mark.rule("RFC6298-5.4", "RFC6298-5.5")
def test_unacknowledged_data_is_repeated_with_growing_pauses_and_then_the_connection_ends(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    memory = bytearray(b"hello")
    endpoint.send(memory, lab.now)
    lab.peer.expect(seq=1, data=b"hello")
    for pause in (300, 600, 1200, 2400, 4800):
        lab.peer.expect(seq=1, data=b"hello", after=ms(pause))
    assert lab.told(endpoint) == 0
    lab.peer.expect(flags="R", seq=6, after=ms(9600))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT
    memory.append(0)
    lab.peer.expect_nothing(until=sec(300))


def test_the_policy_sets_bounds_and_number_of_repeats() -> None:
    lab = TcpLab(behaviour=with_tcp(LINUX, data_retries=3, max_rto=ms(500)))
    endpoint = lab.connected()
    lab.send(endpoint, b"x")
    start = lab.now
    lab.clock.advance(sec(10))
    assert [segment.at - start for segment in lab.peer.drain()] == [0, ms(200), ms(600), ms(1100), ms(1600)]
    assert endpoint.error is ErrorKind.TIMED_OUT


@pytest.mark.rule("RFC6298-2.2", "RFC6298-3")
def test_the_timeout_follows_the_round_trip_time_but_never_of_repeated_segments() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.clock.advance(ms(400))
    lab.peer.send(flags="SA", seq=0, ack=1)  # a first sample of 400 ms: 400 + 4 * 200
    lab.peer.drain()
    lab.send(endpoint, b"x")
    lab.peer.expect(seq=1, data=b"x")
    lab.peer.expect(seq=1, data=b"x", after=ms(1200))
    lab.clock.advance(ms(10))
    lab.peer.send(seq=1, ack=2)  # no sample: the timeout stays doubled
    lab.send(endpoint, b"y")
    lab.peer.expect(seq=2, data=b"y")
    lab.peer.expect(seq=2, data=b"y", after=ms(2400))
    lab.peer.send(seq=1, ack=3)
    lab.send(endpoint, b"z")
    lab.clock.advance(ms(400))
    lab.peer.send(seq=1, ack=4)  # a sample: 400 + 4 * 150
    lab.peer.drain()
    lab.send(endpoint, b"!")
    lab.peer.expect(data=b"!")
    lab.peer.expect(data=b"!", after=ms(1000))


@pytest.mark.rule("RFC6298-5.3")
def test_progress_restarts_the_timer_and_the_count_of_repeats() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=2))
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:2000])
    lab.peer.drain()
    lab.clock.advance(ms(200))
    lab.peer.send(seq=1, ack=1001)
    lab.peer.expect(seq=1001, data=DATA[1000:2000], after=ms(300))
    lab.peer.expect(seq=1001, data=DATA[1000:2000], after=ms(600))
    lab.peer.send(seq=1, ack=2001)
    lab.send(endpoint, b"next")
    lab.peer.expect(seq=2001, data=b"next")
    lab.clock.advance(sec(3.6))
    assert len(lab.peer.drain()) == 2
    assert lab.state(endpoint) is State.ESTABLISHED


@pytest.mark.rule("RFC5681-3.1", "RFC6298-5.4")
def test_after_a_timeout_everything_is_sent_again_from_the_start_in_slow_start() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:8000])
    assert len(lab.peer.drain()) == 8
    lab.clock.advance(ms(300))
    lab.peer.expect(seq=1, data=DATA[:1000])
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=1001)
    lab.peer.expect(seq=1001, data=DATA[1000:2000])
    lab.peer.expect(seq=2001, data=DATA[2000:3000])
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=8001)  # the rest had arrived
    lab.peer.expect_nothing(until=sec(10))
    assert lab.told(endpoint) == Ready.SENT


def test_acknowledged_by_a_duplicate_that_crossed_the_timeout_nothing_is_sent_again() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, b"x")
    lab.peer.expect(data=b"x")
    lab.clock.advance(ms(299))
    lab.peer.send(seq=1, ack=2)
    lab.peer.expect_nothing(until=sec(10))


# Fast retransmit


@pytest.mark.rule("RFC5681-3.2", "RFC6582-3.2")
def test_three_duplicates_repeat_the_missing_segment_and_the_rest_keeps_flowing() -> None:
    lab = TcpLab(behaviour=NEW_RENO)
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:30000])
    assert len(lab.peer.drain()) == 10
    for extra in (10001, 11001):  # limited transmit: one new segment for each of the first two
        lab.peer.send(seq=1, ack=1)
        assert lab.peer.next().seq == extra
    lab.peer.send(seq=1, ack=1)
    lab.peer.expect(seq=1, data=DATA[:1000])
    lab.peer.expect_nothing()
    for _ in range(6):  # window 5 (half of 10: limited transmit does not count), 12 sent, 9 of them have left
        lab.peer.send(seq=1, ack=1)
    assert [segment.seq for segment in lab.peer.drain()] == [12001, 13001]
    lab.peer.send(seq=1, ack=12001)
    assert endpoint.connection is not None
    assert endpoint.connection.sender.congestion.window == 3000  # what is in flight and one more, at most five
    lab.peer.send(seq=1, ack=14001)
    assert lab.peer.drain()[0].seq == 14001


@pytest.mark.rule("RFC6582-3.2")
def test_a_second_hole_is_repeated_on_the_partial_acknowledgement() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:10000])
    assert len(lab.peer.drain()) == 10
    for _ in range(5):
        lab.peer.send(seq=1, ack=1)
    assert [segment.seq for segment in lab.peer.drain()] == [1]
    lab.peer.send(seq=1, ack=3001)
    assert [segment.seq for segment in lab.peer.drain()] == [3001]
    lab.peer.send(seq=1, ack=10001)
    lab.peer.expect_nothing(until=sec(10))
    assert lab.told(endpoint) == Ready.SENT


@pytest.mark.rule("RFC5681-2")
def test_what_carries_data_or_moves_the_window_is_no_duplicate() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:5000])
    lab.peer.drain()
    for number in range(4):
        lab.peer.send(seq=1 + number, ack=1, data=b"d")
        lab.peer.send(seq=5, ack=1, window=60000 + number)
    assert not [segment for segment in lab.peer.drain() if segment.data]


@pytest.mark.rule("RFC6582-3.2")
def test_only_the_first_partial_acknowledgement_restarts_the_timer() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:10000])
    for _ in range(3):
        lab.peer.send(seq=1, ack=1)
    lab.peer.drain()
    for ack in (2001, 4001):
        lab.clock.advance(ms(100))
        lab.peer.send(seq=1, ack=ack)
        assert lab.peer.drain()[0].seq == ack
    lab.peer.expect(seq=4001, data=DATA[4000:5000], after=ms(200))


@pytest.mark.rule("RFC6298-3")
def test_fast_retransmission_spoils_the_sample_as_well() -> None:
    lab = TcpLab()
    endpoint = lab.connecting()
    lab.clock.advance(ms(400))
    lab.peer.send(flags="SA", seq=0, ack=1, mss=MSS)
    lab.send(endpoint, DATA[:5000])
    for _ in range(3):
        lab.peer.send(seq=1, ack=1)
    lab.clock.advance(ms(1000))
    lab.peer.send(seq=1, ack=5001)
    lab.peer.drain()
    lab.send(endpoint, b"x")
    lab.peer.expect(data=b"x")
    lab.peer.expect(data=b"x", after=ms(1200))  # with a sample of a second it would be 1675


def test_the_last_segment_is_repeated_with_its_fin() -> None:
    lab = TcpLab()
    endpoint = lab.connected(mss=MSS)
    lab.send(endpoint, DATA[:500])
    lab.finish(endpoint)
    lab.peer.expect(data=DATA[:500])
    lab.peer.expect(flags="FA", seq=501)
    lab.peer.expect(flags="FPA", seq=1, data=DATA[:500], after=ms(300))
    lab.peer.send(seq=1, ack=502)
    assert lab.state(endpoint) is State.FIN_WAIT_2


# ICMP


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.3.9", "RFC5927-5.2")
@pytest.mark.parametrize("kind", [IcmpErrorKind.PORT_UNREACHABLE, IcmpErrorKind.HOST_UNREACHABLE])
def test_unreachable_does_not_end_an_established_connection(family: Family, kind: IcmpErrorKind) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.send(endpoint, b"x")
    lab.peer.send_icmp_error(kind, lab.peer.expect(data=b"x"))
    assert lab.told(endpoint) == 0
    lab.peer.send(seq=1, ack=2)
    assert lab.told(endpoint) == Ready.SENT


def test_a_soft_error_is_the_reason_when_the_retries_are_used_up_unless_something_got_through() -> None:
    for is_answered in (False, True):
        lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=1))
        endpoint = lab.connected()
        lab.send(endpoint, b"x")
        lab.peer.send_icmp_error(IcmpErrorKind.NETWORK_UNREACHABLE, lab.peer.expect(data=b"x"))
        if is_answered:
            lab.peer.send(seq=1, ack=2)
            lab.send(endpoint, b"y")
        lab.clock.advance(sec(10))
        assert endpoint.error is (ErrorKind.TIMED_OUT if is_answered else ErrorKind.NO_ROUTE)


@pytest.mark.parametrize(
    ("family", "mtu", "size"),
    [
        (Family.IPV4, 1000, 960),
        (Family.IPV4, 68, 512),
        (Family.IPV4, 0, 1452),
        (Family.IPV6, 1400, 1340),
        (Family.IPV6, 1280, 1220),
    ],
)
@pytest.mark.rule("RFC1191-6.4", "RFC1191-7.1", "RFC8201-4")
def test_packet_too_big_makes_segments_smaller_and_sends_what_was_lost_at_once(
    family: Family, mtu: int, size: int
) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    lab.send(endpoint, DATA[:2000], no_delay=True)
    lost = lab.peer.drain()[0]
    lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, lost, mtu)
    found = lab.peer.drain()
    too_long = [data for data in (lost.data, DATA[len(lost.data) : 2000]) if len(data) > size]
    assert [segment.data for segment in found] == [
        data[start : start + size] for data in too_long for start in range(0, len(data), size)
    ]
    assert endpoint.connection is not None
    assert endpoint.connection.sender.congestion.window >= 10 * size


@pytest.mark.parametrize(("family", "mss"), [(Family.IPV4, 1460), (Family.IPV6, 1440)])
@pytest.mark.rule("RFC1191-3.1")
def test_a_path_that_was_found_to_be_small_leaves_the_mss_option_alone(family: Family, mss: int) -> None:
    """The peer's packets may come by another path; ours are bounded all the same."""
    lab = TcpLab(family)
    first = lab.connected()
    lab.send(first, DATA[:1400])
    lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, lab.peer.next(), 1300)
    lab.peer.drain()

    lab.connecting(port=OUR_PORT + 1)
    assert lab.peer.expect(flags="S").options.mss == mss
    assert lab.stack.ip.path(PEER_ADDRESS[family]).mtu == 1300


def test_packet_too_big_with_a_larger_size_or_about_nothing_in_flight_changes_nothing() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, DATA[:1460])
    first = lab.peer.next()
    lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, first, 9000)
    lab.peer.expect_nothing()
    lab.peer.send(seq=1, ack=1461)
    lab.peer.send_icmp_error(IcmpErrorKind.PACKET_TOO_BIG, first, 600)
    lab.send(endpoint, DATA[:1460])
    lab.peer.expect(seq=1461, data=DATA[:1460])
    assert lab.stack.trace.drops[DropReason.ICMP_NO_ENDPOINT] == 1


# Routes


@pytest.mark.rule("RFC1122-4.2.3.7")
def test_a_connection_keeps_its_addresses_and_survives_a_time_without_route() -> None:
    lab = TcpLab()
    lab.peer.address = bytes((203, 0, 113, 9))  # behind the router
    endpoint = lab.connected()
    router = PEER_ADDRESS[Family.IPV4]
    lab.stack.apply(changes.RouteRemoved(bytes(4), 0, IfIndex(2), router), lab.now)
    lab.send(endpoint, b"lost")
    lab.peer.expect_nothing(until=ms(250))
    assert lab.stack.trace.drops[DropReason.NO_ROUTE] == 1
    lab.stack.apply(changes.RouteAdded(bytes(4), 0, IfIndex(2), router, 1), lab.now)
    found = lab.peer.expect(seq=1, data=b"lost", after=ms(50))
    assert found.source == bytes((192, 0, 2, 1))


# Keep-alive


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.3.6", "R-305")
def test_keep_alive_probes_an_idle_peer_and_gives_it_up(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected()
    endpoint.keep_alive = True
    lab.peer.expect(seq=0, ack=1, data=b"\0", after=sec(7200))
    for _ in range(9):
        lab.peer.expect(seq=0, ack=1, data=b"\0", after=sec(1))
    assert lab.told(endpoint) == 0
    lab.peer.expect(flags="R", after=sec(1))
    assert lab.told(endpoint) == Ready.FAILED
    assert endpoint.error is ErrorKind.TIMED_OUT


@pytest.mark.rule("RFC1122-4.2.3.6")
def test_where_probes_carry_no_byte_they_are_empty_acknowledgements_of_what_is_acknowledged() -> None:
    lab = TcpLab(behaviour=LINUX)
    endpoint = lab.connected()
    endpoint.keep_alive = True
    lab.peer.expect(seq=0, ack=1, data=b"", after=sec(7200))
    lab.peer.expect(seq=0, ack=1, data=b"", after=sec(75))


@pytest.mark.rule("RFC1122-4.2.3.6")
def test_an_answer_to_a_probe_starts_the_idle_time_anew() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    endpoint.keep_alive = True
    lab.peer.expect(seq=0, data=b"\0", after=sec(7200))
    lab.peer.expect(seq=0, data=b"\0", after=sec(1))
    lab.peer.send(seq=1, ack=1)
    lab.peer.expect(seq=0, data=b"\0", after=sec(7200))
    lab.peer.send(seq=1, ack=1, data=b"x")
    lab.peer.expect(seq=1, ack=2, after=ms(40))
    lab.peer.expect_nothing(until=sec(7199))


def test_without_keep_alive_an_idle_connection_is_silent_for_ever() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.expect_nothing(until=sec(1_000_000))
    endpoint.keep_alive = True
    endpoint.keep_alive = False
    lab.peer.expect_nothing(until=sec(1_000_000))
    assert lab.state(endpoint) is State.ESTABLISHED


def test_keep_alive_times_can_be_set() -> None:
    lab = TcpLab()
    endpoint = lab.bound()
    endpoint.keep_alive = True
    endpoint.keep_alive_settings = KeepAlive(sec(10), sec(3), 2)
    endpoint.connect(lab.peer.endpoint, lab.now)
    lab.peer.send(flags="SA", seq=0, ack=1)
    lab.peer.drain()
    lab.peer.expect(seq=0, data=b"\0", after=sec(10))
    lab.peer.expect(seq=0, data=b"\0", after=sec(3))
    lab.peer.expect(flags="R", after=sec(3))


def test_data_in_flight_needs_no_probe() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=20))
    endpoint = lab.connected()
    endpoint.keep_alive_settings = KeepAlive(sec(10), sec(1), 3)
    endpoint.keep_alive = True
    lab.send(endpoint, b"x")
    lab.clock.advance(sec(60))
    found = lab.peer.drain()
    assert len(found) > 3
    assert {segment.data for segment in found} == {b"x"}
    assert lab.state(endpoint) is State.ESTABLISHED


@pytest.mark.rule("RFC9293-3.8.4")
def test_a_probe_from_the_peer_is_answered() -> None:
    lab = TcpLab()
    lab.connected()
    lab.peer.send(seq=0, ack=1)
    lab.peer.expect(seq=1, ack=1)
    lab.peer.send(seq=0, ack=1, data=b"?")  # the form with a byte of garbage
    lab.peer.expect(seq=1, ack=1)


def test_a_live_neighbour_is_not_asked_for_while_acknowledgements_come() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    heard = len(lab.stack.ip.interfaces[IfIndex(2)].neighbours)
    asked: list[int] = []
    listen = lab.peer.hear

    def hear(frame: bytes) -> None:
        if frame[12:14] == b"\x08\x06":
            asked.append(lab.now)
        listen(frame)

    lab.peer.hear = hear  # type: ignore[method-assign]
    seq = 1
    for _ in range(100):
        seq += 1
        lab.send(endpoint, b"x")
        lab.peer.send(seq=1, ack=seq)
        lab.clock.advance(sec(5))
    assert heard == 1
    assert asked == []
