from __future__ import annotations

import random

import pytest

from wsknet.errors import ErrorKind, LocalError
from wsknet.transport.tcp.send_queue import SendQueue

START = 0xFFFFFFF0


def joined(queue: SendQueue, position: int, length: int) -> bytes:
    return b"".join(bytes(view) for view in queue.take(position, length))


def test_take_gives_views_of_the_lent_memory_and_no_copy() -> None:
    memory = bytearray(b"abcdefgh")
    queue = SendQueue(START)
    queue.append(memory)

    (view,) = queue.take(START + 2, 3)
    assert isinstance(view, memoryview)
    memory[2:5] = b"XYZ"
    assert bytes(view) == b"XYZ"


def test_segments_span_chunks_in_any_order_of_asking() -> None:
    rng = random.Random(3)
    data = rng.randbytes(3000)
    queue = SendQueue(START)
    position = 0
    while position < len(data):
        length = rng.choice((1, 2, 7, 100, 500))
        queue.append(data[position : position + length])
        position += length
    una = 0
    assert queue.end == START + len(data)
    while una < len(data):
        for _ in range(5):
            start = rng.randrange(una, len(data))
            length = rng.randrange(1, min(len(data) - start, 700) + 1)
            assert joined(queue, START + start, length) == data[start : start + length]
        una = min(una + rng.randrange(200), len(data))
        queue.acknowledge(START + una)


def test_memory_is_given_back_chunk_by_chunk() -> None:
    chunks = [bytearray(10) for _ in range(3)]
    queue = SendQueue(START)
    for chunk in chunks:
        queue.append(chunk)
    queue.take(START + 25, 5)

    assert not queue.acknowledge(START + 9)
    assert queue.acknowledge(START + 10)
    chunks[0].append(0)  # raises BufferError while a view exists
    with pytest.raises(BufferError):
        chunks[1].append(0)
    assert queue.acknowledge(START + 30)
    for chunk in chunks:
        chunk.append(0)


def test_clear_gives_back_everything() -> None:
    memory = bytearray(10)
    queue = SendQueue(START)
    queue.append(memory)
    queue.take(START + 5, 2)
    queue.clear()
    memory.append(0)


def test_other_formats_are_seen_as_bytes_and_gaps_are_refused() -> None:
    queue = SendQueue(START)
    queue.append(memoryview(bytes(8)).cast("I"))
    assert queue.end == START + 8

    with pytest.raises(LocalError) as refused:
        queue.append(memoryview(bytes(8))[::2])
    assert refused.value.kind is ErrorKind.INVALID_ARGUMENT
    assert queue.end == START + 8


def test_nothing_is_not_kept() -> None:
    queue = SendQueue(START)
    queue.append(b"")
    queue.append(b"x")
    assert joined(queue, START, 1) == b"x"
