"""RDMA between two ends: data goes where it is meant to, and nowhere else."""

from __future__ import annotations

import pytest

from tests.support.san_channels import Channels, RawPeer
from wsknet.errors import ErrorKind
from wsknet.san.calls import WinsockError
from wsknet.san.numbers import MEM_READ, MEM_READWRITE, MEM_WRITE, WSAEINVAL
from wsknet.san.provider.native import AccessFault, Data, Error, Read, Write, encode, parse
from wsknet.san.provider.rdma import READS_AT_ONCE
from wsknet.san.structures import WSAOVERLAPPED


def test_a_write_is_placed_at_its_offset_without_any_operation_of_the_peer() -> None:
    channels = Channels()
    writing, _ = channels.connect()
    one, other = channels.ends
    target = bytearray(20)
    descriptor = other.memory.register(other, target, 20, MEM_WRITE, is_exposed=True).descriptor
    with one.host.pump as now:
        writing.rdma_write(WSAOVERLAPPED(), one.hold(b"pay", b"load", access=MEM_READ), descriptor, 13, now)
    channels.run()
    assert target == bytes(13) + b"payload"
    assert (one.results, other.results) == ([(0, 7)], [])


def test_what_is_sent_after_a_write_finds_its_data_in_the_memory() -> None:
    channels = Channels()
    writing, receiving = channels.connect()
    one, other = channels.ends
    target, message = bytearray(500_000), bytearray(4)
    descriptor = other.memory.register(other, target, len(target), MEM_WRITE, is_exposed=True).descriptor
    payload = bytes(range(250)) * 2_000
    with other.host.pump as now:
        receiving.post_receive(WSAOVERLAPPED(), other.hold(message, access=MEM_WRITE), now)
    with one.host.pump as now:
        writing.rdma_write(WSAOVERLAPPED(), one.hold(payload, access=MEM_READ), descriptor, 0, now)
        writing.send(WSAOVERLAPPED(), one.hold(b"done", access=MEM_READ), now)
    channels.pair.network.driver.run_until(lambda: bool(other.results))
    assert target == payload
    assert message == b"done"


def test_a_read_fills_our_buffers_from_the_peers_memory() -> None:
    channels = Channels()
    reading, _ = channels.connect()
    one, other = channels.ends
    source = bytes(range(200)) * 1_000
    descriptor = other.memory.register(other, source, len(source), MEM_READ, is_exposed=True).descriptor
    buffers = [bytearray(1), bytearray(150_000), bytearray(0), bytearray(9)]
    with one.host.pump as now:
        reading.rdma_read(WSAOVERLAPPED(), one.hold(*buffers, access=MEM_WRITE), descriptor, 777, now)
    channels.run()
    assert one.results == [(0, 150_010)]
    assert b"".join(buffers) == source[777 : 777 + 150_010]
    assert other.results == []


def test_more_reads_than_go_at_once_are_all_answered_in_order() -> None:
    channels = Channels()
    reading, _ = channels.connect()
    one, other = channels.ends
    source = bytearray(range(250)) * 8
    descriptor = other.memory.register(other, source, len(source), MEM_READ, is_exposed=True).descriptor
    buffers = [bytearray(9) for _ in range(3 * READS_AT_ONCE + 1)]
    posted = [WSAOVERLAPPED() for _ in buffers]
    with one.host.pump as now:
        for index, (overlapped, buffer) in enumerate(zip(posted, buffers, strict=True)):
            reading.rdma_read(overlapped, one.hold(buffer, access=MEM_WRITE), descriptor, index * 9, now)
    channels.run()
    assert [each[0] for each in one.completed] == posted
    assert b"".join(buffers) == source[: 9 * len(buffers)]
    assert (one.told, other.told) == ([], [])


def test_both_read_and_write_at_once() -> None:
    channels = Channels()
    transfers = channels.connect()
    memories = [bytearray(bytes((65 + side,)) * 300_000) for side in (0, 1)]
    copies = [bytearray(300_000) for _ in (0, 1)]
    targets = [bytearray(300_000) for _ in (0, 1)]
    for side, end in enumerate(channels.ends):
        peer = channels.ends[1 - side]
        readable = peer.memory.register(peer, memories[1 - side], 300_000, MEM_READ, is_exposed=True).descriptor
        writable = peer.memory.register(peer, targets[1 - side], 300_000, MEM_WRITE, is_exposed=True).descriptor
        with end.host.pump as now:
            held = end.hold(copies[side], access=MEM_WRITE)
            transfers[side].rdma_read(WSAOVERLAPPED(), held, readable, 0, now)
            source = end.hold(memories[side], access=MEM_READ)
            transfers[side].rdma_write(WSAOVERLAPPED(), source, writable, 0, now)
    channels.run()
    assert [end.told for end in channels.ends] == [[], []]
    assert [sorted(end.results) for end in channels.ends] == [[(0, 300_000)] * 2] * 2
    assert copies == [memories[1], memories[0]]
    assert targets == [memories[1], memories[0]]


@pytest.mark.parametrize(
    ("access", "offset", "length", "fault"),
    [
        (MEM_READ, 0, 4, AccessFault.DENIED),
        (MEM_WRITE, 7, 4, AccessFault.OUT_OF_BOUNDS),
        (MEM_WRITE, 11, 0, AccessFault.OUT_OF_BOUNDS),
        (MEM_WRITE, (1 << 64) - 1, 1, AccessFault.OUT_OF_BOUNDS),
    ],
)
def test_a_write_that_is_not_allowed_changes_nothing_and_ends_the_connection(
    access: int, offset: int, length: int, fault: AccessFault
) -> None:
    peer = RawPeer()
    peer.establish()
    target = bytearray(10)
    descriptor = peer.end.memory.register(peer.end, target, 10, access, is_exposed=True).descriptor
    peer.write(*encode(Write(descriptor, offset, (b"x" * length,))))
    assert target == bytes(10)
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]
    answer = parse(peer.read())
    assert answer is not None
    assert answer.frame == Error(0, fault)
    assert peer.endpoint.peer_finished


@pytest.mark.parametrize(
    ("access", "offset", "length", "fault"),
    [
        (MEM_WRITE, 0, 4, AccessFault.DENIED),
        (MEM_READWRITE, 7, 4, AccessFault.OUT_OF_BOUNDS),
        (MEM_READWRITE, 0, 11, AccessFault.OUT_OF_BOUNDS),
    ],
)
def test_a_read_that_is_not_allowed_tells_nothing_and_ends_the_connection(
    access: int, offset: int, length: int, fault: AccessFault
) -> None:
    peer = RawPeer()
    peer.establish()
    descriptor = peer.end.memory.register(peer.end, bytearray(b"confidence"), 10, access, is_exposed=True).descriptor
    peer.write(*encode(Read(5, descriptor, offset, length)))
    assert peer.read() == b"".join(encode(Error(5, fault)))
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]


def test_both_sides_learn_of_a_refused_access_and_everything_under_way_fails() -> None:
    channels = Channels()
    reading, _ = channels.connect()
    one, other = channels.ends
    with one.host.pump as now:
        reading.rdma_read(WSAOVERLAPPED(), one.hold(bytearray(4), access=MEM_WRITE), bytes(16), 0, now)
        reading.post_receive(WSAOVERLAPPED(), one.hold(bytearray(4), access=MEM_WRITE), now)
    channels.run()
    assert one.results == [(10054, 0)] * 2
    assert one.told == [("broken", ErrorKind.RESET)]
    assert other.told == [("broken", ErrorKind.ABORTED)]


def test_memory_is_in_use_while_the_peer_fills_it_and_free_when_it_is_done_or_gone() -> None:
    for is_finished in (True, False):
        peer = RawPeer()
        peer.establish()
        target = bytearray(6)
        descriptor = peer.end.memory.register(peer.end, target, 6, MEM_WRITE, is_exposed=True).descriptor
        stream = b"".join(encode(Write(descriptor, 0, (b"abcdef",))))
        peer.write(stream[:-2])
        with pytest.raises(WinsockError) as failure:
            peer.end.memory.conceal(peer.end, descriptor)
        assert failure.value.code == WSAEINVAL
        if is_finished:
            peer.write(stream[-2:])
        else:
            peer.finish()
        peer.end.memory.conceal(peer.end, descriptor)
        assert bytes(target) == (b"abcdef" if is_finished else b"abcd\0\0")


def test_memory_is_in_use_while_an_answer_is_on_its_way() -> None:
    channels = Channels()
    reading, _ = channels.connect()
    one, other = channels.ends
    source = bytes(100_000)
    descriptor = other.memory.register(other, source, len(source), MEM_READ, is_exposed=True).descriptor
    with one.host.pump as now:
        reading.rdma_read(WSAOVERLAPPED(), one.hold(bytearray(100_000), access=MEM_WRITE), descriptor, 0, now)
    channels.run(2)
    with pytest.raises(WinsockError):
        other.memory.conceal(other, descriptor)
    channels.run()
    assert one.results == [(0, 100_000)]
    other.memory.conceal(other, descriptor)


def test_a_peer_that_asks_and_asks_without_taking_answers_is_cut_off() -> None:
    peer = RawPeer()
    peer.establish()
    source = bytes(60_000)
    descriptor = peer.end.memory.register(peer.end, source, len(source), MEM_READ, is_exposed=True).descriptor
    reads = [encode(Read(tag, descriptor, 0, len(source))) for tag in range(READS_AT_ONCE + 20)]
    peer.write(*(piece for frame in reads[:READS_AT_ONCE] for piece in frame))
    assert peer.end.told == []
    peer.write(*(piece for frame in reads[READS_AT_ONCE:] for piece in frame))  # some answers are in the peer's TCP
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]


@pytest.mark.parametrize(("tag", "length"), [(2, 8), (1, 7), (1, 9), (0, 8)])
def test_an_answer_that_does_not_fit_its_read_ends_the_connection(tag: int, length: int) -> None:
    peer = RawPeer()
    transfers = peer.establish()
    buffer = bytearray(8)
    with peer.end.host.pump as now:
        transfers.rdma_read(WSAOVERLAPPED(), peer.end.hold(buffer, access=MEM_WRITE), bytes(16), 0, now)
    peer.run()
    head = parse(peer.read())
    assert head is not None
    assert head.frame == Read(1, bytes(16), 0, 8)
    peer.write(*encode(Data(tag, (b"x" * length,))))
    assert buffer == bytes(8)
    assert peer.end.told == [("broken", ErrorKind.ABORTED)]
    assert peer.end.results == [(10054, 0)]


def test_ten_megabytes_pass_by_reads_and_ten_by_writes() -> None:
    channels = Channels()
    transfers, _ = channels.connect()
    one, other = channels.ends
    source = bytearray(range(256)) * 40_960
    copy, target = bytearray(len(source)), bytearray(len(source))
    readable = other.memory.register(other, source, len(source), MEM_READ, is_exposed=True).descriptor
    writable = other.memory.register(other, target, len(source), MEM_WRITE, is_exposed=True).descriptor
    size = 1 << 20
    with one.host.pump as now:
        for start in range(0, len(source), size):
            held = one.hold(memoryview(copy)[start : start + size], access=MEM_WRITE)
            transfers.rdma_read(WSAOVERLAPPED(), held, readable, start, now)
            sent = one.hold(memoryview(source)[start : start + size], access=MEM_READ)
            transfers.rdma_write(WSAOVERLAPPED(), sent, writable, start, now)
    channels.run(10_000)
    assert one.results.count((0, size)) == 20
    assert copy == source
    assert target == source
