"""TIME-WAIT, and what close and abort do in each state: RFC 9293 3.6.1, 3.10.5, 3.10.7.4; RFC 1122 4.2.2.13."""

from __future__ import annotations

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import OUR_PORT, ms, sec
from wsknet.behaviour import WINDOWS
from wsknet.config import TcpConfig
from wsknet.errors import ErrorKind, LocalError, NetError
from wsknet.tcp_policy import OptionUse
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


def in_time_wait(lab: TcpLab) -> TcpEndpoint:
    """We closed first; our stream ended at 2, the peer's at 2."""
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1, ack=1)
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    return endpoint


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_a_fin_that_acknowledges_ours_leads_straight_to_time_wait() -> None:
    lab = TcpLab()
    endpoint = in_time_wait(lab)
    assert lab.told(endpoint) == Ready.PEER_FINISHED | Ready.FINISHED


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.7.4")
def test_time_wait_acknowledges_a_repeated_fin_and_waits_anew(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = in_time_wait(lab)
    lab.clock.advance(sec(100))
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.peer.expect(seq=2, ack=2)
    lab.clock.advance(sec(119))
    assert lab.state(endpoint) is State.TIME_WAIT
    lab.clock.advance(sec(1))
    assert lab.state(endpoint) is State.CLOSED


def test_time_wait_answers_no_plain_acknowledgement_and_other_segments_rarely() -> None:
    lab = TcpLab()
    in_time_wait(lab)
    lab.peer.send(seq=2, ack=2)
    lab.peer.expect_nothing()
    for _ in range(10):
        lab.peer.send(seq=7, ack=2, data=b"old")
    assert len(lab.peer.drain()) == 1
    lab.clock.advance(sec(1))
    lab.peer.send(seq=7, ack=2, data=b"old")
    lab.peer.expect(seq=2, ack=2)


@pytest.mark.rule("RFC9293-3.10.7.4")
def test_an_exact_reset_ends_time_wait_and_another_does_not() -> None:
    lab = TcpLab()
    endpoint = in_time_wait(lab)
    lab.peer.send(flags="R", seq=1)
    lab.peer.expect_nothing()
    lab.peer.send(flags="R", seq=3)
    lab.peer.expect(seq=2, ack=2)  # RFC 5961 3.2: the right number, please
    assert lab.state(endpoint) is State.TIME_WAIT
    lab.peer.send(flags="R", seq=2)
    assert lab.state(endpoint) is State.CLOSED
    lab.peer.expect_nothing()


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.2.13")
def test_a_new_syn_behind_the_old_stream_reopens_from_time_wait(family: Family) -> None:
    lab = TcpLab(family)
    listener, endpoint = accepted_in_time_wait(lab)

    lab.peer.send(flags="S", seq=1)  # not behind the old stream
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    lab.peer.send(flags="S", seq=1000)
    answer = lab.peer.expect(flags="SA", ack=1001)
    assert 2 < answer.seq < 0x7FFFFFFF
    assert lab.state(endpoint) is State.CLOSED
    lab.peer.send(seq=1001, ack=answer.seq + 1)
    assert lab.accept(listener).state is State.ESTABLISHED


def test_nobody_listening_a_new_syn_does_not_disturb_time_wait() -> None:
    lab = TcpLab()
    endpoint = in_time_wait(lab)
    lab.peer.send(flags="S", seq=1000)
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT


@pytest.mark.rule("BIND-48")
def test_time_wait_does_not_keep_the_port_from_a_new_listener() -> None:
    lab = TcpLab()
    endpoint = in_time_wait(lab)
    lab.close(endpoint)
    lab.listening()
    assert [connection.state for connection in lab.stack.view().connections] == ["TIME_WAIT"]
    lab.peer.expect_nothing()


@pytest.mark.rule("BIND-49")
def test_time_wait_keeps_the_pair_of_ends_from_being_connected_again() -> None:
    lab = TcpLab()
    lab.close(in_time_wait(lab))
    endpoint = lab.bound()
    with pytest.raises(NetError) as failed:
        endpoint.connect(lab.peer.endpoint, lab.now)
    assert failed.value.kind is ErrorKind.IN_USE
    lab.clock.advance(sec(120))
    endpoint.connect(lab.peer.endpoint, lab.now)


def test_what_was_received_stays_readable_in_and_after_time_wait() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.send(flags="FA", seq=1, ack=2, data=b"keep me")
    assert lab.state(endpoint) is State.TIME_WAIT
    lab.clock.advance(sec(121))
    assert lab.state(endpoint) is State.CLOSED
    assert lab.receive_all(endpoint) == b"keep me"


# Resets, and SYNs that may open the connection again


@FAMILIES
@pytest.mark.rule("RFC1337-3")
def test_where_the_policy_says_so_no_reset_ends_time_wait(family: Family) -> None:
    lab = TcpLab(family, with_tcp(WINDOWS, ignores_reset_in_time_wait=True))
    endpoint = in_time_wait(lab)
    lab.peer.send(flags="R", seq=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    assert lab.stack.trace.drops[DropReason.TCP_BAD_RESET] == 1
    lab.clock.advance(sec(120))
    assert lab.state(endpoint) is State.CLOSED
    lab.peer.expect_nothing()


def accepted_in_time_wait(lab: TcpLab, backlog: int | None = None) -> tuple[TcpEndpoint, TcpEndpoint]:
    """The listener, and a connection to it that we closed first; our stream ended at 2, the peer's at 2."""
    listener = lab.listening(backlog=backlog)
    lab.peer.send(flags="S", seq=0)
    lab.peer.expect(flags="SA")
    lab.peer.send(seq=1, ack=1)
    endpoint = lab.accept(listener)
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1)
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    return listener, endpoint


@FAMILIES
@pytest.mark.rule("RFC6191-2")
@pytest.mark.parametrize("number", [0, 1, 2, -70000])
def test_a_syn_with_timestamps_reopens_a_connection_that_had_none_whatever_its_number(
    number: int, family: Family
) -> None:
    lab = TcpLab(family)
    _, endpoint = accepted_in_time_wait(lab)
    lab.peer.send(flags="S", seq=number & 0xFFFFFFFF, timestamps=(5, 0))
    answer = lab.peer.expect(flags="SA", ack=(number + 1) & 0xFFFFFFFF)
    assert 2 < answer.seq < 0x7FFFFFFF
    assert lab.state(endpoint) is State.CLOSED


@pytest.mark.rule("RFC6191-2")
def test_timestamps_off_only_the_number_counts() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, timestamps=OptionUse.OFF))
    _, endpoint = accepted_in_time_wait(lab)
    lab.peer.send(flags="S", seq=1, timestamps=(5, 0))
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    lab.peer.send(flags="S", seq=3, timestamps=(5, 0))
    lab.peer.expect(flags="SA", ack=4)


@FAMILIES
@pytest.mark.rule("RFC1122-4.2.2.13", "RFC4987-3.6")
@pytest.mark.parametrize("full", ["SYN queue", "accept queue"])
def test_a_listener_without_room_leaves_time_wait_and_sends_no_cookie(full: str, family: Family) -> None:
    lab = TcpLab(family)
    _, endpoint = accepted_in_time_wait(lab, backlog=1)
    lab.peer.send(flags="S", seq=0, port=1001)
    lab.peer.expect(flags="SA")
    if full == "accept queue":
        lab.peer.send(seq=1, ack=1, port=1001)
    lab.peer.send(flags="S", seq=1000)
    lab.peer.expect_nothing()
    assert lab.state(endpoint) is State.TIME_WAIT
    assert lab.stack.trace.drops[DropReason.TCP_SYN_QUEUE_FULL] == 1
    lab.peer.send(flags="R", seq=1, port=1001)
    lab.peer.send(flags="S", seq=1000)
    lab.peer.expect(flags="SA", ack=1001)


# With timestamps


def stamped(lab: TcpLab, recent: int = 100) -> TcpEndpoint:
    """TIME-WAIT of a connection with timestamps, beside its listener; our stream ended at 2, the peer's at 2."""
    listener = lab.listening()
    lab.peer.send(flags="S", seq=0, timestamps=(recent, 0))
    lab.peer.expect(flags="SA")
    lab.peer.send(seq=1, ack=1, timestamps=(recent, 0))
    endpoint = lab.accept(listener)
    lab.finish(endpoint)
    lab.peer.expect(flags="FA", seq=1)
    lab.peer.send(flags="FA", seq=1, ack=2, timestamps=(recent, 0))
    lab.peer.expect(seq=2, ack=2)
    assert lab.state(endpoint) is State.TIME_WAIT
    return endpoint


@FAMILIES
@pytest.mark.rule("RFC7323-3.2")
def test_answers_carry_a_timestamp_if_the_connection_did(family: Family) -> None:
    lab = TcpLab(family)
    stamped(lab)
    lab.peer.send(flags="FA", seq=1, ack=2, timestamps=(105, 0))
    first = lab.peer.expect(seq=2, ack=2).options.timestamps
    lab.clock.advance(sec(1))
    lab.peer.send(flags="FA", seq=1, ack=2, timestamps=(107, 0))
    second = lab.peer.expect(seq=2, ack=2).options.timestamps
    assert first is not None
    assert second == ((first[0] + 1000) & 0xFFFFFFFF, 107)
    assert first[1] == 105


@pytest.mark.rule("RFC7323-5.3")
def test_a_fin_that_is_an_old_duplicate_does_not_start_the_wait_again() -> None:
    lab = TcpLab()
    endpoint = stamped(lab)
    lab.clock.advance(sec(100))
    lab.peer.send(flags="FA", seq=1, ack=2, timestamps=(99, 0))
    lab.peer.expect(seq=2, ack=2)
    assert lab.stack.trace.drops[DropReason.TCP_UNACCEPTABLE] == 1
    lab.clock.advance(sec(20))
    assert lab.state(endpoint) is State.CLOSED


@FAMILIES
@pytest.mark.rule("RFC6191-2")
@pytest.mark.parametrize("recent", [100, 0xFFFFFFFF, 0])
@pytest.mark.parametrize(
    ("seq", "step", "reopens"),
    [
        (1000, None, True),
        (1, None, False),
        (1, 1, True),
        (1000, 1, True),
        (1000, 0, True),
        (1, 0, False),
        (1000, -1, False),
        (1000, -(1 << 30), False),
    ],
)
def test_a_syn_is_judged_by_its_timestamp_and_then_by_its_number(
    seq: int, step: int | None, reopens: bool, recent: int, family: Family
) -> None:
    lab = TcpLab(family)
    endpoint = stamped(lab, recent)
    lab.peer.send(flags="S", seq=seq, timestamps=None if step is None else ((recent + step) & 0xFFFFFFFF, 0))
    lab.peer.expect(flags="SA" if reopens else "A", ack=seq + 1 if reopens else 2)
    assert (lab.state(endpoint) is State.CLOSED) is reopens


# close, abort


@pytest.mark.parametrize("half", ["neither", "ours", "theirs"])
@pytest.mark.rule("R-248")
def test_closing_before_both_have_finished_resets(half: str) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    if half == "ours":
        lab.finish(endpoint)
        lab.peer.send(seq=1, ack=2)
    elif half == "theirs":
        lab.peer.send(flags="FA", seq=1, ack=1)
    lab.peer.drain()
    lab.close(endpoint)
    lab.peer.expect(flags="R", seq=2 if half == "ours" else 1)
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports
    lab.close(endpoint)
    lab.peer.expect_nothing(until=sec(300))


@pytest.mark.rule("R-249")
def test_closing_after_both_have_finished_sends_nothing() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=1, ack=1)
    lab.finish(endpoint)
    lab.peer.send(seq=2, ack=2)
    lab.peer.drain()
    lab.close(endpoint)
    lab.peer.expect_nothing(until=sec(300))
    assert not lab.stack.view().tcp_ports


@pytest.mark.rule("RFC9293-3.10.5")
def test_closed_with_only_the_fin_in_flight_it_is_still_seen_to_and_holds_the_port() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(flags="FA", seq=1, ack=1)
    lab.finish(endpoint)
    lab.peer.drain()
    lab.close(endpoint)
    lab.peer.expect(flags="FA", seq=1, ack=2, after=ms(300))
    assert lab.stack.view().tcp_ports
    lab.peer.send(seq=2, ack=2)
    assert not lab.stack.view().tcp_ports
    lab.peer.expect_nothing(until=sec(300))


def test_closed_while_the_peer_keeps_its_window_shut_the_fin_is_given_up_in_the_end() -> None:
    lab = TcpLab(behaviour=with_tcp(WINDOWS, data_retries=3))
    endpoint = lab.connected(window=0)
    lab.peer.send(flags="FA", seq=1, ack=1, window=0)
    lab.finish(endpoint)
    lab.close(endpoint)
    for _ in range(20):
        lab.clock.advance(sec(1))
        lab.peer.send(seq=2, ack=1, window=0)
    assert not lab.stack.view().connections
    assert not lab.stack.view().tcp_ports


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_closed_with_data_missing_at_the_peer_it_hears_of_it(first: str) -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.send(endpoint, b"x")
    if first == "ours":
        lab.finish(endpoint)
    lab.peer.send(flags="FA", seq=1, ack=1)
    if first == "theirs":
        lab.finish(endpoint)
    lab.peer.drain()
    lab.close(endpoint)
    lab.peer.expect(flags="R", seq=3)
    lab.peer.expect_nothing(until=sec(60))


@pytest.mark.rule("RFC1122-4.2.2.13")
def test_data_after_close_is_answered_with_a_reset() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.close(endpoint)
    lab.peer.drain()
    lab.peer.send(seq=1, ack=1, data=b"too late")
    lab.peer.expect(flags="R", seq=1)


@pytest.mark.rule("RFC9293-3.10.5")
def test_abort_resets_and_gives_lent_memory_back_at_once() -> None:
    lab = TcpLab()
    endpoint = lab.connected()
    lab.peer.send(seq=1, ack=1, data=b"unread")
    memory = bytearray(3000)
    endpoint.send(memory, lab.now)
    lab.told(endpoint)
    lab.peer.drain()
    lab.abort(endpoint)
    lab.peer.expect(flags="R", seq=2921)
    memory.extend(b"raises BufferError while lent")
    assert (endpoint.state, endpoint.readable) == (State.CLOSED, 0)
    assert lab.told(endpoint) == 0
    with pytest.raises(NetError) as failed:
        endpoint.send(b"x", lab.now)
    assert failed.value.kind is ErrorKind.ABORTED
    lab.peer.expect_nothing(until=sec(300))
    lab.close(endpoint)
    assert lab.stack.view().tcp_ports == ()


def test_after_both_have_finished_operations_are_refused() -> None:
    lab = TcpLab()
    endpoint = in_time_wait(lab)
    with pytest.raises(LocalError):
        endpoint.send(b"x", lab.now)
    with pytest.raises(LocalError):
        endpoint.finish(lab.now)
    with pytest.raises(LocalError):
        endpoint.connect(lab.peer.endpoint, lab.now)
    endpoint.abort(lab.now)
    assert lab.state(endpoint) is State.TIME_WAIT


def test_a_closed_endpoint_stays_closed() -> None:
    lab = TcpLab()
    endpoint = lab.bound()
    lab.close(endpoint)
    assert endpoint.owner is None
    with pytest.raises(LocalError):
        endpoint.bind(endpoint.local or lab.bound().local, lab.now)  # type: ignore[arg-type]
    assert lab.bound(OUR_PORT + 1)


def waiting(lab: TcpLab, port: int) -> TcpEndpoint:
    """One more in TIME-WAIT, from a port of its own."""
    endpoint = lab.connecting(port)
    lab.peer.send(flags="SA", seq=0, ack=1, to=port)
    lab.finish(endpoint)
    lab.peer.send(flags="FA", seq=1, ack=2, to=port)
    lab.peer.drain()
    assert lab.state(endpoint) is State.TIME_WAIT
    return endpoint


@pytest.mark.rule("RFC9293-3.6.1")
def test_beyond_the_bound_the_oldest_wait_ends_and_those_that_ended_by_themselves_do_not_count() -> None:
    lab = TcpLab(tcp_config=TcpConfig(max_time_wait=2))
    first, second = waiting(lab, OUR_PORT), waiting(lab, OUR_PORT + 1)
    assert lab.state(first) is State.TIME_WAIT
    third = waiting(lab, OUR_PORT + 2)
    states = [lab.state(each) for each in (first, second, third)]
    assert states == [State.CLOSED, State.TIME_WAIT, State.TIME_WAIT]

    lab.clock.advance(sec(121))
    assert lab.state(second) is lab.state(third) is State.CLOSED
    fourth, fifth = waiting(lab, OUR_PORT + 3), waiting(lab, OUR_PORT + 4)
    assert lab.state(fourth) is lab.state(fifth) is State.TIME_WAIT
