"""SYN cookies: RFC 4987 3.6; RFC 7323 3.2 for what their timestamps carry."""

from __future__ import annotations

from random import Random

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import OUR_ADDRESS, OUR_PORT, PEER_ADDRESS, PEER_PORT, Received, sec
from wsknet.behaviour import WINDOWS
from wsknet.config import TcpConfig
from wsknet.tcp_policy import OptionUse
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.transport.tcp.syn_cookies import SynCookies, granted, stamp
from wsknet.types import Endpoint, Family, Instant
from wsknet.wire.tcp_options import Options

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)

CROWD = 7000
"""The port of a peer that takes the only place of the SYN queue."""


def crowded(lab: TcpLab) -> TcpEndpoint:
    """A listener whose SYN queue is full."""
    listener = lab.listening(backlog=1)
    lab.peer.send(flags="S", seq=0, port=CROWD)
    assert lab.peer.expect(flags="SA").destination_port == CROWD
    return listener


def cookie(lab: TcpLab, flags: str = "S", mss: int | None = 1460, **more: object) -> Received:
    """What answers the SYN of our peer."""
    lab.peer.send(flags=flags, seq=0, mss=mss, **more)  # type: ignore[arg-type]
    return lab.peer.expect(flags="SA", ack=1)


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_a_cookie_answers_a_syn_that_finds_no_place_and_its_acknowledgement_makes_the_connection(
    family: Family,
) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    answer = cookie(lab)
    assert answer.seq != 0  # not what a connection would have been numbered with
    assert answer.window == 65535
    assert len(lab.stack.view().connections) == 1
    lab.peer.send(flags="R", seq=1, port=CROWD)
    lab.peer.expect_nothing(until=sec(30))  # nobody repeats it
    assert not lab.stack.view().connections

    lab.peer.send(seq=1, ack=answer.seq + 1)
    assert lab.told(listener) == Ready.ACCEPTABLE
    endpoint = lab.accept(listener)
    assert (endpoint.state, endpoint.remote) == (State.ESTABLISHED, lab.peer.endpoint)
    lab.send(endpoint, b"welcome")
    lab.peer.expect(seq=answer.seq + 1, ack=1, data=b"welcome")
    lab.peer.send(seq=1, ack=answer.seq + 8, data=b"thanks")
    assert lab.receive_all(endpoint) == b"thanks"


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_data_and_fin_with_the_acknowledgement_are_taken(family: Family) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    answer = cookie(lab)
    lab.peer.send(flags="FPA", seq=1, ack=answer.seq + 1, data=b"all of it")
    lab.peer.expect(flags="A", seq=answer.seq + 1, ack=11)
    endpoint = lab.accept(listener)
    assert lab.receive_all(endpoint) == b"all of it"
    assert lab.state(endpoint) is State.CLOSE_WAIT


@FAMILIES
@pytest.mark.rule("RFC9293-3.4")
def test_the_last_number_before_they_wrap_can_be_that_of_the_syn(family: Family) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    lab.peer.iss = 0xFFFFFFFF
    answer = cookie(lab)
    lab.peer.send(seq=1, ack=answer.seq + 1)
    assert lab.accept(listener).remote == lab.peer.endpoint


def test_a_repeated_syn_gets_the_same_cookie_and_with_room_again_a_place() -> None:
    lab = TcpLab()
    crowded(lab)
    assert cookie(lab).seq == cookie(lab).seq
    lab.peer.send(flags="R", seq=1, port=CROWD)
    assert cookie(lab).seq == 0
    assert len(lab.stack.view().connections) == 1


@FAMILIES
@pytest.mark.rule("RFC4987-3.6", "RFC9293-3.10.7.2")
@pytest.mark.parametrize("wrong", ["ack", "seq", "port", "address"])
def test_an_acknowledgement_of_something_else_is_reset(wrong: str, family: Family) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    answer = cookie(lab)
    seq, ack, port = 1, answer.seq + 1, PEER_PORT
    if wrong == "ack":
        ack += 1
    elif wrong == "seq":
        seq += 1
    elif wrong == "port":
        port += 1
    else:
        lab.peer.address = lab.peer.address[:-1] + b"\x09"
    lab.stack.tcp.ip.frames.clear()
    before = len(lab.stack.view().connections)
    lab.peer.send(seq=seq, ack=ack, port=port)
    if wrong != "address":  # nobody there tells the neighbour's MAC address
        lab.peer.expect(flags="R", seq=ack & 0xFFFFFFFF)
    assert lab.stack.trace.drops[DropReason.TCP_BAD_COOKIE] == 1
    assert len(lab.stack.view().connections) == before
    assert lab.told(listener) == 0


@pytest.mark.rule("RFC9293-3.10.7.2")
@pytest.mark.parametrize("flags", ["SA", "FSA"])
def test_what_carries_a_syn_acknowledges_no_cookie(flags: str) -> None:
    lab = TcpLab()
    crowded(lab)
    answer = cookie(lab)
    lab.peer.send(flags=flags, seq=1, ack=answer.seq + 1)
    lab.peer.expect(flags="R", seq=answer.seq + 1)
    assert lab.stack.trace.drops[DropReason.TCP_NO_ENDPOINT] == 1


@pytest.mark.rule("RFC4987-3.6")
@pytest.mark.parametrize(("made_at", "last"), [(60, 179), (119, 179), (120, 239)])
def test_a_cookie_is_good_in_its_minute_and_the_next(made_at: int, last: int) -> None:
    for after, is_good in ((last, True), (last + 1, False)):
        lab = TcpLab()
        listener = lab.listening(backlog=1)
        lab.clock.advance(sec(made_at) - lab.now)
        lab.peer.send(flags="S", seq=0, port=CROWD)
        lab.peer.expect(flags="SA")
        answer = cookie(lab)
        lab.clock.advance(sec(after) - lab.now)
        lab.peer.drain()
        lab.peer.send(seq=1, ack=answer.seq + 1)
        assert bool(lab.told(listener)) is is_good
        drops = lab.stack.trace.drops
        assert drops[DropReason.TCP_BAD_COOKIE] + drops[DropReason.TCP_NO_ENDPOINT] == (not is_good)


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_no_cookie_counts_where_none_was_sent_lately(family: Family) -> None:
    lab = TcpLab(family)
    lab.listening()
    local, remote = Endpoint(OUR_ADDRESS[family], OUR_PORT), lab.peer.endpoint
    number = lab.stack.tcp.syn_cookies.number(local, remote, lab.peer.iss, 1460, lab.now)
    lab.peer.send(seq=1, ack=number + 1 - 0xFFFFFFFA)
    lab.peer.expect(flags="R")
    assert lab.stack.trace.drops[DropReason.TCP_NO_ENDPOINT] == 1
    assert not lab.stack.view().connections


@pytest.mark.rule("RFC4987-3.6", "D-25")
def test_the_accept_queue_full_a_good_cookie_is_dropped_and_works_later() -> None:
    lab = TcpLab()
    listener = crowded(lab)
    answer = cookie(lab)
    lab.peer.send(seq=1, ack=1, port=CROWD)
    lab.peer.send(flags="PA", seq=1, ack=answer.seq + 1, data=b"hello")
    lab.peer.expect_nothing()
    assert lab.stack.trace.drops[DropReason.TCP_BACKLOG_FULL] == 1
    assert len(lab.stack.view().connections) == 1
    lab.accept(listener)
    lab.peer.send(flags="PA", seq=1, ack=answer.seq + 1, data=b"hello")
    assert lab.receive_all(lab.accept(listener)) == b"hello"


def test_a_closed_listener_takes_no_cookie_and_forgets_what_a_cookie_made() -> None:
    lab = TcpLab()
    listener = crowded(lab)
    lab.peer.send(flags="R", seq=1, port=CROWD)
    lab.peer.send(flags="S", seq=0, port=CROWD)
    lab.peer.drain()
    answer = cookie(lab)
    lab.peer.send(seq=1, ack=answer.seq + 1)
    lab.close(listener)
    assert {found.destination_port for found in lab.peer.drain()} == {CROWD, PEER_PORT}
    lab.peer.send(seq=1, ack=answer.seq + 1)
    lab.peer.expect(flags="R")
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports
    lab.peer.expect_nothing(until=sec(300))


# What the numbers carry


@FAMILIES
@pytest.mark.rule("RFC4987-3.6", "RFC9293-3.7.1")
@pytest.mark.parametrize(("offered", "used"), [(None, None), (1459, 1452), (1250, 1220), (100, 64)])
def test_the_mss_of_the_syn_is_kept_rounded_down(offered: int | None, used: int | None, family: Family) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    answer = cookie(lab, mss=offered)
    assert answer.options == Options(mss=1460 if family is Family.IPV4 else 1440)
    lab.peer.send(seq=1, ack=answer.seq + 1)
    lab.send(lab.accept(listener), bytes(4000))
    expected = used or (536 if family is Family.IPV4 else 1220)
    if family is Family.IPV6 and offered == 1459:
        expected = 1440
    assert len(lab.peer.next().data) == expected


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_every_number_is_read_back_and_none_is_made_up(family: Family) -> None:
    rng = Random(5)
    cookies, others = SynCookies(rng), SynCookies(rng)
    local, remote = Endpoint(OUR_ADDRESS[family], OUR_PORT), Endpoint(PEER_ADDRESS[family], PEER_PORT)
    now = Instant(sec(10_000_000))
    for irs in (0, 1, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF):
        for mss in (64, 65, 536, 1220, 1380, 1440, 1460, 65535):
            number = cookies.number(local, remote, irs, mss, now)
            assert 0 <= number <= 0xFFFFFFFF
            found = cookies.check(local, remote, irs, number, now)
            assert found is not None
            assert found <= mss
            assert cookies.number(local, remote, irs, found, now) == number
            assert others.check(local, remote, irs, number, now) is None
            assert cookies.check(remote, local, irs, number, now) is None
            for age in (60, 120, 31 * 60, 32 * 60, -60):  # 32 minutes: the clock in the cookie has gone round
                late = cookies.check(local, remote, irs, number, Instant(now + sec(age)))
                assert late == (found if age == 60 else None)
    assert not any(cookies.check(local, remote, 0, rng.getrandbits(32), now) for _ in range(5000))


@pytest.mark.rule("RFC7323-3.2", "RFC4987-3.6")
@pytest.mark.parametrize("now", [1 << 20, 0xFFFFFFFF, 63, 0])
def test_a_timestamp_tells_the_options_and_is_hardly_older(now: int) -> None:
    for scale in (None, 0, 7, 14):
        for has_sack in (False, True):
            for has_ecn in (False, True):
                value = stamp(now, Options(window_scale=scale, sack_permitted=has_sack), has_ecn)
                assert (now - value) & 0xFFFFFFFF < 64
                assert granted(value) == (Options(window_scale=scale, sack_permitted=has_sack), has_ecn)


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC2018-2")
def test_without_timestamps_a_cookie_grants_neither_scaling_nor_sack(family: Family) -> None:
    lab = TcpLab(family)
    listener = crowded(lab)
    answer = cookie(lab, scale=7, sack_permitted=True)
    assert answer.options == Options(mss=1460 if family is Family.IPV4 else 1440)
    lab.peer.send(seq=1, ack=answer.seq + 1, window=1000)
    lab.send(lab.accept(listener), bytes(4000))
    assert sum(len(found.data) for found in lab.peer.drain()) <= 1000


@FAMILIES
@pytest.mark.rule("RFC7323-2.2", "RFC7323-3.2", "RFC2018-2")
@pytest.mark.parametrize("past", [0, 0xFFFFFFF0, 0xFFFFFF00])
def test_with_timestamps_a_cookie_grants_what_the_echo_tells(past: int, family: Family) -> None:
    lab = TcpLab(family)
    lab.stack.tcp.timestamp_offset = lambda local, remote: 0xFFFFFFF0 - 10_000 - past  # type: ignore[assignment]
    listener = crowded(lab)
    answer = cookie(lab, scale=7, sack_permitted=True, timestamps=(500, 0))
    assert answer.options.window_scale == 8
    assert answer.options.sack_permitted
    assert answer.options.timestamps is not None
    value, echo = answer.options.timestamps
    assert echo == 500
    now = (0xFFFFFFF0 - past) & 0xFFFFFFFF
    assert (now - value) & 0xFFFFFFFF < 64

    lab.peer.send(seq=1, ack=answer.seq + 1, window=1000, timestamps=(510, value))
    lab.send(lab.accept(listener), bytes(4000))
    sent = lab.peer.drain()
    assert sum(len(found.data) for found in sent) > 2000  # 1000 << 7 are offered
    assert {found.options.timestamps for found in sent} == {(now, 510)}
    lab.peer.send(seq=8, ack=answer.seq + 1, data=b"later", timestamps=(510, now))
    (block,) = lab.peer.next().options.sack_blocks
    assert (block[1] - block[0]) & 0xFFFFFFFF == 5


@pytest.mark.rule("RFC7323-2.2")
def test_a_syn_with_timestamps_alone_is_granted_no_more() -> None:
    lab = TcpLab()
    listener = crowded(lab)
    answer = cookie(lab, timestamps=(500, 0))
    assert (answer.options.window_scale, answer.options.sack_permitted) == (None, False)
    assert answer.options.timestamps is not None
    lab.peer.send(seq=1, ack=answer.seq + 1, window=1000, timestamps=(510, answer.options.timestamps[0]))
    lab.send(lab.accept(listener), bytes(4000))
    assert sum(len(found.data) for found in lab.peer.drain()) <= 1000


@pytest.mark.rule("RFC2018-2", "RFC7323-2.2")
def test_what_is_switched_off_is_granted_by_no_cookie() -> None:
    behaviour = with_tcp(WINDOWS, sack=False)
    lab = TcpLab(behaviour=behaviour, tcp_config=TcpConfig(window_scaling=False))
    listener = crowded(lab)
    answer = cookie(lab, scale=7, sack_permitted=True, timestamps=(500, 0))
    assert (answer.options.window_scale, answer.options.sack_permitted) == (None, False)
    assert answer.options.timestamps is not None
    forged = answer.options.timestamps[0] & ~0x3F | 0x17
    lab.peer.send(seq=1, ack=answer.seq + 1, window=1000, timestamps=(510, forged))
    lab.send(lab.accept(listener), bytes(4000))
    assert sum(len(found.data) for found in lab.peer.drain()) <= 1000


@pytest.mark.rule("RFC3168-6.1.1")
@pytest.mark.parametrize("has_ecn", [True, False])
def test_ecn_is_granted_along_with_timestamps_where_it_is_on(has_ecn: bool) -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, ecn=OptionUse.ANSWER if has_ecn else OptionUse.OFF))
    listener = crowded(lab)
    lab.peer.send(flags="SEC", seq=0, timestamps=(500, 0))
    answer = lab.peer.expect(flags="SAE" if has_ecn else "SA", ack=1)
    assert answer.options.timestamps is not None
    assert granted(answer.options.timestamps[0])[1] is has_ecn
    lab.peer.send(flags="SEC", seq=0)
    lab.peer.expect(flags="SA", ack=1)  # without timestamps nothing would tell of it later

    lab.peer.send(seq=1, ack=answer.seq + 1, timestamps=(510, answer.options.timestamps[0]))
    lab.send(lab.accept(listener), b"data")
    assert lab.peer.expect(data=b"data").traffic_class & 3 == (2 if has_ecn else 0)


@pytest.mark.rule("RFC7323-3.2")
def test_timestamps_off_a_cookie_has_none_and_takes_none() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, timestamps=OptionUse.OFF))
    listener = crowded(lab)
    answer = cookie(lab, scale=7, sack_permitted=True, timestamps=(500, 0))
    assert answer.options == Options(mss=1460)
    lab.peer.send(seq=1, ack=answer.seq + 1, window=1000, timestamps=(510, 0x17))
    lab.send(lab.accept(listener), bytes(4000))
    sent = lab.peer.drain()
    assert sum(len(found.data) for found in sent) <= 1000
    assert {found.options for found in sent} == {Options()}
