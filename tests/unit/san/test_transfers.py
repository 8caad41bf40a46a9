"""Messages between two ends, and the completion of each operation."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.san_channels import Channels, RawPeer
from wsknet.errors import ErrorKind
from wsknet.san.numbers import MEM_READ, MEM_WRITE, WSA_IO_PENDING, WSA_OPERATION_ABORTED, WSAEMSGSIZE
from wsknet.san.provider.native import Message, encode
from wsknet.san.structures import WSAOVERLAPPED


def test_one_send_fills_one_receive_in_the_order_of_posting() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    buffers = [bytearray(8) for _ in range(3)]
    posted = [WSAOVERLAPPED() for _ in buffers]
    with other.host.pump as now:
        for overlapped, buffer in zip(posted, buffers, strict=True):
            receiving.post_receive(overlapped, other.hold(buffer, access=MEM_WRITE), now)
    assert [each.Internal for each in posted] == [WSA_IO_PENDING] * 3
    with one.host.pump as now:
        for payload in (b"first", b"", b"thirdone"):
            sending.send(WSAOVERLAPPED(), one.hold(payload, access=MEM_READ), now)
    channels.run()
    assert [each[0] for each in other.completed] == posted
    assert other.results == one.results == [(0, 5), (0, 0), (0, 8)]
    assert buffers == [b"first\0\0\0", bytes(8), b"thirdone"]


def test_messages_are_gathered_from_and_scattered_to_several_buffers() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    buffers = [bytearray(2_000), bytearray(1), bytearray(3_000)]
    with other.host.pump as now:
        receiving.post_receive(WSAOVERLAPPED(), other.hold(*buffers, access=MEM_WRITE), now)
    payload = bytes(range(250)) * 16
    with one.host.pump as now:
        sending.send(WSAOVERLAPPED(), one.hold(payload[:10], payload[10:3_000], payload[3_000:], access=MEM_READ), now)
    channels.run()
    assert other.results == one.results == [(0, 4_000)]
    assert b"".join(buffers)[:4_000] == payload
    assert b"".join(buffers)[4_000:] == bytes(1_001)


def test_a_message_that_comes_before_its_receive_waits_for_it() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    with one.host.pump as now:
        sending.send(WSAOVERLAPPED(), one.hold(b"n" * 256, access=MEM_READ), now)
    channels.run()
    assert one.results == [(0, 256)]
    assert other.told == []
    buffer = bytearray(256)
    with other.host.pump as now:
        receiving.post_receive(WSAOVERLAPPED(), other.hold(buffer, access=MEM_WRITE), now)
    assert other.results == [(0, 256)]
    assert buffer == b"n" * 256


def test_a_message_longer_than_its_receive_ends_the_connection() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    buffer = bytearray(7)
    with other.host.pump as now:
        receiving.post_receive(WSAOVERLAPPED(), other.hold(buffer, access=MEM_WRITE), now)
        receiving.post_receive(WSAOVERLAPPED(), other.hold(bytearray(9), access=MEM_WRITE), now)
    with one.host.pump as now:
        sending.send(WSAOVERLAPPED(), one.hold(b"too much", access=MEM_READ), now)
    channels.run()
    assert other.results == [(WSAEMSGSIZE, 0), (10054, 0)]
    assert other.told == [("broken", ErrorKind.ABORTED)]
    assert one.told == [("broken", ErrorKind.RESET)]
    assert buffer == bytes(7)


def test_a_send_is_complete_when_the_peer_has_it_and_not_before() -> None:
    channels = Channels()
    sending, _ = channels.connect()
    one = channels.ends[0]
    overlapped = WSAOVERLAPPED()
    with one.host.pump as now:
        sending.send(overlapped, one.hold(b"m" * 5_000, access=MEM_READ), now)
    channels.run(1)
    assert (overlapped.Internal, one.completed) == (WSA_IO_PENDING, [])
    channels.run()
    assert (overlapped.Internal, overlapped.InternalHigh) == (0, 5_000)


def test_the_end_of_the_connection_fails_everything_once_and_gives_its_memory_back() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    buffers = [bytearray(100_000), bytearray(50)]
    with one.host.pump as now:
        sending.send(WSAOVERLAPPED(), one.hold(buffers[0], access=MEM_READ), now)
        sending.post_receive(WSAOVERLAPPED(), one.hold(buffers[1], access=MEM_WRITE), now)
        sending.fail_all(WSA_OPERATION_ABORTED, now)
        sending.fail_all(10054, now)
        one.channel.abort(now)
        one.memory.release(one)
    channels.run()
    assert one.results == [(WSA_OPERATION_ABORTED, 0)] * 2
    assert sending.error == WSA_OPERATION_ABORTED
    for buffer in buffers:
        buffer.append(0)
    assert other.told == [("broken", ErrorKind.RESET)]
    assert receiving.error == 10054


def test_a_receive_that_a_message_has_begun_to_fill_fails_with_the_connection() -> None:
    peer = RawPeer()
    transfers = peer.establish()
    buffer = bytearray(10)
    with peer.end.host.pump as now:
        transfers.post_receive(WSAOVERLAPPED(), peer.end.hold(buffer, access=MEM_WRITE), now)
    peer.write(b"".join(encode(Message((b"0123456789",))))[:20])
    assert peer.end.results == []
    with peer.pair.hosts[0].pump as now:
        peer.endpoint.close(now)
    peer.run()
    assert peer.end.results == [(10054, 0)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=3_000), max_size=8), st.lists(st.integers(1, 4_000), max_size=6), st.integers(0, 8))
def test_whatever_the_segments_messages_arrive_whole_and_in_order(
    messages: list[bytes], cuts: list[int], posted_before: int
) -> None:
    peer = RawPeer()
    transfers = peer.establish()
    buffers = [bytearray(3_000) for _ in messages]

    def post(some: list[bytearray]) -> None:
        with peer.end.host.pump as now:
            for buffer in some:
                transfers.post_receive(WSAOVERLAPPED(), peer.end.hold(buffer, access=MEM_WRITE), now)

    post(buffers[:posted_before])
    stream = b"".join(piece for message in messages for piece in encode(Message((message,))))
    for cut in cuts:
        peer.write(stream[:cut])
        stream = stream[cut:]
    peer.write(stream)
    post(buffers[posted_before:])
    peer.run()
    assert peer.end.results == [(0, len(message)) for message in messages]
    assert [bytes(buffer[: len(message)]) for buffer, message in zip(buffers, messages, strict=True)] == messages
    assert peer.end.told == []


def test_ten_megabytes_of_messages_pass() -> None:
    channels = Channels()
    sending, receiving = channels.connect()
    one, other = channels.ends
    payload = bytearray(range(256)) * (64 * 640)
    copy = bytearray(len(payload))
    size = 16_384
    source, target = memoryview(payload), memoryview(copy)
    for start in range(0, len(payload), size):
        with other.host.pump as now:
            hold = other.hold(target[start : start + size], access=MEM_WRITE)
            receiving.post_receive(WSAOVERLAPPED(), hold, now)
        with one.host.pump as now:
            sending.send(WSAOVERLAPPED(), one.hold(source[start : start + size], access=MEM_READ), now)
        if start % (16 * size) == 0:
            channels.run(2)
    channels.run(10_000)
    assert len(other.results) == len(one.results) == 640
    assert copy == payload
