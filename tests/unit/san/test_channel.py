"""A SAN connection over TCP: opening, flow of frames, and every way to end."""

from __future__ import annotations

import pytest

from tests.support.san_channels import REQUEST, Channels, RawPeer
from wsknet.errors import ErrorKind
from wsknet.san.numbers import MEM_READ, MEM_WRITE, WSA_IO_PENDING, WSA_OPERATION_ABORTED
from wsknet.san.provider.native import (
    Accept,
    AccessFault,
    Close,
    Data,
    Error,
    Message,
    Read,
    Reject,
    RejectReason,
    Write,
    encode,
)
from wsknet.san.structures import WSAOVERLAPPED
from wsknet.transport.tcp.state import State

OVER = (State.CLOSED, State.TIME_WAIT)


def test_a_request_is_told_to_the_acceptor_and_its_answer_to_the_one_who_asked() -> None:
    channels = Channels()
    asking, accepting = channels.ends
    with asking.host.pump as now:
        asking.channel.send(REQUEST, now)
    channels.run()
    assert (asking.told, accepting.told) == ([], [REQUEST])
    with accepting.host.pump as now:
        accepting.channel.send(Accept(), now)
    channels.run()
    assert (asking.told, accepting.told) == (["accepted"], [REQUEST])


@pytest.mark.parametrize("reason", RejectReason)
def test_a_rejection_tells_its_reason_and_both_connections_end_in_order(reason: RejectReason) -> None:
    channels = Channels()
    asking, accepting = channels.ends
    with asking.host.pump as now:
        asking.channel.send(REQUEST, now)
    channels.run()
    with accepting.host.pump as now:
        accepting.channel.reject(reason, now)
    channels.run()
    assert (asking.told, accepting.told) == ([reason], [REQUEST])
    assert all(end.endpoint.state in OVER for end in channels.ends)
    assert not any(end.endpoint.error for end in channels.ends)


def test_a_frame_that_comes_byte_by_byte_is_one_frame() -> None:
    peer = RawPeer()
    for octet in b"".join(encode(REQUEST)):
        assert peer.end.told == []
        peer.write(bytes((octet,)))
    assert peer.end.told == [REQUEST]


def test_close_tells_the_peer_and_nobody_else() -> None:
    channels = Channels()
    channels.connect()
    asking, accepting = channels.ends
    with asking.host.pump as now:
        asking.channel.close(now)
    channels.run()
    assert (asking.told, accepting.told) == ([], [("broken", None)])
    assert all(end.endpoint.state in OVER for end in channels.ends)
    assert not any(end.endpoint.error for end in channels.ends)


def test_both_may_close_at_once() -> None:
    channels = Channels()
    channels.connect()
    for end in channels.ends:
        with end.host.pump as now:
            end.channel.close(now)
    channels.run()
    assert [end.told for end in channels.ends] == [[], []]
    assert all(end.endpoint.state in OVER for end in channels.ends)


def test_what_was_sent_before_close_arrives_before_it() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    asking, accepting = channels.ends
    buffer = bytearray(8)
    with accepting.host.pump as now:
        receiving.post_receive(WSAOVERLAPPED(), accepting.hold(buffer, access=MEM_WRITE), now)
    with asking.host.pump as now:
        sending.send(WSAOVERLAPPED(), asking.hold(b"farewell", access=MEM_READ), now)
        asking.channel.close(now)
    channels.run()
    assert accepting.results == [(0, 8)]
    assert buffer == b"farewell"
    assert accepting.told == [("broken", None)]


def test_close_with_lent_memory_resets_so_that_nothing_of_it_is_read_any_more() -> None:
    channels = Channels()
    sending, _ = channels.connect()
    asking, accepting = channels.ends
    memory = bytearray(b"before" * 50_000)
    with asking.host.pump as now:
        sending.send(WSAOVERLAPPED(), asking.hold(memory, access=MEM_READ), now)
        asking.channel.close(now)
        sending.fail_all(WSA_OPERATION_ABORTED, now)
        asking.memory.release(asking)
    channels.run()
    assert accepting.told == [("broken", ErrorKind.RESET)]
    memory.append(0)  # which Python refuses as long as anybody has a view of it


def test_an_abort_is_a_reset_for_the_peer() -> None:
    channels = Channels()
    channels.connect()
    asking, accepting = channels.ends
    with asking.host.pump as now:
        asking.channel.abort(now)
    channels.run()
    assert (asking.told, accepting.told) == ([], [("broken", ErrorKind.RESET)])


def test_an_end_of_the_stream_without_close_is_a_reset() -> None:
    peer = RawPeer()
    peer.establish()
    peer.finish()
    assert peer.end.told == [("broken", ErrorKind.RESET)]
    assert peer.endpoint.state in OVER


def test_an_end_of_the_stream_within_a_frame_is_a_reset_also_while_data_is_arriving() -> None:
    peer = RawPeer()
    transfers = peer.establish()
    with peer.end.host.pump as now:
        transfers.post_receive(WSAOVERLAPPED(), peer.end.hold(bytearray(10), access=MEM_WRITE), now)
    peer.write(b"".join(encode(Message((b"0123456789",))))[:-1])
    assert peer.end.told == []
    peer.finish()
    assert peer.end.told == [("broken", ErrorKind.RESET)]
    assert peer.end.results == [(10054, 0)]


def test_an_end_of_the_stream_within_a_header_is_a_reset() -> None:
    peer = RawPeer()
    peer.establish()
    peer.write(b"SD\x01\x04")
    assert peer.end.told == []
    peer.finish()
    assert peer.end.told == [("broken", ErrorKind.RESET)]


def test_who_has_finished_before_still_gets_our_close_even_if_it_has_to_be_repeated() -> None:
    peer = RawPeer()
    peer.establish()
    peer.write(*encode(Message((b"nobody takes it",))))
    peer.finish()
    cable = peer.end.host.interfaces["eth0"]
    cable.set_up(False)
    with peer.end.host.pump as now:
        peer.end.channel.close(now)
    cable.set_up(True)
    peer.run(5_000)
    assert peer.read() == b"".join(encode(Close()))
    assert (peer.endpoint.peer_finished, peer.endpoint.error) == (True, None)


def test_an_end_of_the_stream_behind_a_message_waits_until_somebody_takes_the_message() -> None:
    peer = RawPeer()
    transfers = peer.establish()
    peer.write(*encode(Message((b"last",))))
    peer.finish()
    assert peer.end.told == []
    buffer = bytearray(4)
    with peer.end.host.pump as now:
        transfers.post_receive(WSAOVERLAPPED(), peer.end.hold(buffer, access=MEM_WRITE), now)
    assert (peer.end.results, bytes(buffer)) == ([(0, 4)], b"last")
    assert peer.end.told == [("broken", ErrorKind.RESET)]


@pytest.mark.parametrize(
    "octets",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        *(b"".join(encode(frame)) for frame in (
            Accept(), Reject(RejectReason.REFUSED), Message((b"x",)), Data(1, (b"x",)), Write(bytes(16), 0, (b"x",)),
            Read(1, bytes(16), 0, 1),
        )),
    ],
)  # fmt: skip
def test_anything_but_a_request_at_the_beginning_is_reset(octets: bytes) -> None:
    peer = RawPeer()
    peer.write(octets)
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]
    assert peer.endpoint.error is ErrorKind.RESET


@pytest.mark.parametrize("frame", [REQUEST, Message((b"x",)), Accept()])
def test_who_waits_for_an_answer_may_say_nothing_but_close(frame: Message) -> None:
    peer = RawPeer()
    peer.write(*encode(REQUEST), *encode(frame))
    assert peer.end.told == [REQUEST, ("broken", ErrorKind.ABORTED)]


def test_a_request_that_is_taken_back_is_told() -> None:
    peer = RawPeer()
    peer.write(*encode(REQUEST), *encode(Close()))
    assert peer.end.told == [REQUEST, ("broken", None)]


@pytest.mark.parametrize("frame", [REQUEST, Accept(), Reject(RejectReason.REFUSED), Data(3, (b"unasked",))])
def test_frames_out_of_order_end_an_established_connection(frame: Data) -> None:
    peer = RawPeer()
    peer.establish()
    peer.write(*encode(frame))
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]
    assert peer.endpoint.error is ErrorKind.RESET


def test_an_error_of_the_peer_ends_the_connection_as_a_reset() -> None:
    peer = RawPeer()
    peer.establish()
    peer.write(*encode(Error(0, AccessFault.DENIED)))
    assert peer.end.told == [("broken", ErrorKind.RESET)]


def test_after_the_end_nothing_is_sent_and_nobody_told() -> None:
    channels = Channels()
    channels.connect()
    asking = channels.ends[0]
    with asking.host.pump as now:
        asking.channel.close(now)
        asking.channel.send(Message((b"late",)), now)
        asking.channel.close(now)
        asking.channel.abort(now)
    channels.run()
    assert asking.told == []


def test_a_peer_that_never_finishes_is_waited_for_no_longer_than_twenty_seconds() -> None:
    peer = RawPeer()
    peer.establish()
    with peer.end.host.pump as now:
        peer.end.channel.close(now)
    peer.run(19_000)
    assert peer.endpoint.error is None
    peer.run(2_000)
    assert peer.endpoint.error is ErrorKind.RESET


def test_data_without_a_posted_receive_stays_with_tcp_and_holds_the_sender_back() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    asking, accepting = channels.ends
    payload = bytes(range(256)) * 64
    overlapped = [WSAOVERLAPPED() for _ in range(100)]
    with asking.host.pump as now:
        for each in overlapped:
            sending.send(each, asking.hold(payload, access=MEM_READ), now)
    channels.run()
    assert 0 < len(asking.completed) < 100
    assert accepting.endpoint.readable > 0
    assert overlapped[-1].Internal == WSA_IO_PENDING
    buffers = [bytearray(len(payload)) for _ in overlapped]
    for buffer in buffers:
        with accepting.host.pump as now:
            receiving.post_receive(WSAOVERLAPPED(), accepting.hold(buffer, access=MEM_WRITE), now)
        channels.run(20)
    channels.run()
    assert accepting.results == asking.results == [(0, len(payload))] * 100
    assert all(buffer == payload for buffer in buffers)
