"""Random legal calls, then one misuse among all that goes on: exactly its BugCheck, and everything can still be closed.

The calls come from `OPERATIONS`; the misuse takes sockets that are there where it can, so it meets requests that pend,
indications that are retained, and callbacks that are enabled.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.wsk_lab import FAR
from tests.support.wsk_lab import lab as laboratory
from tests.support.wsk_misuse import TABLE, Misuse, World
from tests.support.wsk_misuse_world import BASIC, CONNECTION, DATAGRAM, LISTEN, STREAM
from tests.support.wsk_registration import capture, register
from wsknet.wsk import (
    WSK_EVENT_RECEIVE,
    WSK_EVENT_RECEIVE_FROM,
    WSK_FLAG_ABORTIVE,
    WSK_FLAG_WAITALL,
    BugCheck,
    IoCancelIrp,
    WskDeregister,
    WskReleaseProviderNPI,
    simple,
    verify,
)


def create(world: World, random: Random) -> None:
    world.unbound.append(world.create(random.choice([BASIC, LISTEN, CONNECTION, DATAGRAM, STREAM])))


def connect(world: World, random: Random) -> None:
    world.connect()


def connect_to_nobody(world: World, random: Random) -> None:
    near = world.bound(CONNECTION)
    near.Dispatch.WskConnect(near, simple.address(FAR, world.port()), 0, world.irp())


def accept(world: World, random: Random) -> None:
    Socket = world.listener()
    Socket.Dispatch.WskAccept(Socket, 0, None, None, None, None, world.irp())


def listen_on_a_stream_socket(world: World, random: Random) -> None:
    simple.listen(world.bound(STREAM, world.port()))


def send(world: World, random: Random) -> None:
    one, _ = random.choice(_ends(world))
    one.Dispatch.WskSend(one, world.buffer(random.randbytes(random.choice([1, 5000]))), 0, world.irp())


def receive(world: World, random: Random) -> None:
    one, _ = random.choice(_ends(world))
    flags = random.choice([0, WSK_FLAG_WAITALL])
    one.Dispatch.WskReceive(one, world.buffer(bytearray(random.choice([1, 3000]))), flags, world.irp())


def disconnect(world: World, random: Random) -> None:
    near, far = world.pair()
    world.pairs.remove((near, far))
    near.Dispatch.WskDisconnect(near, None, random.choice([0, WSK_FLAG_ABORTIVE]), world.irp())


def send_a_datagram(world: World, random: Random) -> None:
    Socket = world.datagram()
    port = simple.host_and_port(simple.local_address(Socket)[1])[1]
    there = simple.address("127.0.0.1", port)
    Socket.Dispatch.WskSendTo(Socket, world.buffer(b"datagram"), 0, there, 0, None, world.irp())


def receive_a_datagram(world: World, random: Random) -> None:
    Socket = world.datagram()
    Socket.Dispatch.WskReceiveFrom(Socket, world.buffer(bytearray(4)), 0, None, None, None, None, world.irp())


def enable_events(world: World, random: Random) -> None:
    simple.control_events(world.datagram(), WSK_EVENT_RECEIVE_FROM)
    simple.control_events(world.connection(), WSK_EVENT_RECEIVE)


def release(world: World, random: Random) -> None:
    world.release()


def cancel(world: World, random: Random) -> None:
    pending = world.pending()
    if pending:
        IoCancelIrp(random.choice(pending))


def close(world: World, random: Random) -> None:
    if world.sockets:
        world.close(random.choice(world.sockets))


def register_and_deregister(world: World, random: Random) -> None:
    registration = register()
    capture(registration)
    WskReleaseProviderNPI(registration)
    WskDeregister(registration)


def let_time_pass(world: World, random: Random) -> None:
    world.lab.run(random.choice([0.0001, 0.3, 40]))


def _ends(world: World) -> list[Any]:
    near, far = world.pair()
    return [(near, far), (far, near)]


OPERATIONS: list[Callable[[World, Random], None]] = [
    create, connect, connect_to_nobody, accept, listen_on_a_stream_socket, send, send, receive, receive, disconnect,
    send_a_datagram, receive_a_datagram, enable_events, release, cancel, close, register_and_deregister,
    let_time_pass,
]  # fmt: skip


def run(operations: list[tuple[Callable[[World, Random], None], int]], misuse: Misuse) -> None:
    with laboratory() as lab:
        for host in (lab.near, lab.far):
            verify(host, is_strict=True)
        world = World(lab)
        for operation, seed in operations:
            operation(world, Random(seed))
        with pytest.raises(BugCheck) as caught:
            misuse.perform(world)
        assert caught.value.rule == misuse.rule
        assert misuse.is_place(caught.value.place), caught.value.place
        world.require_works()
        world.finish()
        assert all(len(statuses) < 2 for statuses in world.completed.values())


sequences = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 99)), max_size=15)
misuses = st.sampled_from(TABLE)


@settings(max_examples=150, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(sequences, misuses)
def test_one_misuse_in_a_legal_sequence_is_found(
    operations: list[tuple[Callable[[World, Random], None], int]], misuse: Misuse
) -> None:
    run(operations, misuse)


@pytest.mark.long
@settings(max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
@given(sequences, misuses)
def test_one_misuse_in_many_legal_sequences_is_found(
    operations: list[tuple[Callable[[World, Random], None], int]], misuse: Misuse
) -> None:
    run(operations, misuse)
