"""How long a socket that is closed goes on for a peer that takes nothing of what was sent."""

from __future__ import annotations

import pytest

from tests.support.san_switch import Program, World, san_world
from wsknet.san.numbers import FIONBIO, NO_ERROR, SO_LINGER, SO_SNDBUF, WSAECONNRESET
from wsknet.san.structures import INT, WSABUF
from wsknet.san.switch.carrier import CLOSE_DELAY
from wsknet.types import SECOND

LIMIT = CLOSE_DELAY // SECOND
PIECE = bytes(60_000)


def full(world: World, client: Program, server: Program) -> tuple[int, int, int]:
    """The client's socket and the server's, which has not read: nothing more is taken.  And how many bytes wait."""
    s, accepted, _ = world.connected(client, server)
    client.option(s, SO_SNDBUF, (400_000).to_bytes(4, "little"))
    nonblocking(client, s, 1)
    count, taken = 0, INT()
    while client.code("WSPSend", s, [WSABUF(PIECE)], 1, taken, 0, None, None, None) == NO_ERROR:
        count += taken.Value
        world.run()
    nonblocking(client, s, 0)
    return s, accepted, count


def nonblocking(program: Program, s: int, value: int) -> None:
    program.ok("WSPIoctl", s, FIONBIO, value.to_bytes(4, "little"), 4, None, 0, INT(), None, None, None)


def read_to_the_end(world: World, program: Program, s: int) -> tuple[int, int]:
    """Bytes, and the error after them."""
    count = 0
    while True:
        data, code = bytearray(65_536), INT()
        error = world.do(receive, program, s, data, code)
        if error or not code.Value:
            return count, error
        count += code.Value


def receive(program: Program, s: int, data: bytearray, count: INT) -> int:
    return program.code("WSPRecv", s, [WSABUF(data)], 1, count, INT(), None, None, None)


@pytest.mark.rule("SAN-6.7.2")
@pytest.mark.parametrize("is_over", [False, True], ids=["open", "after cleanup"])
def test_a_closed_socket_gives_up_a_peer_that_takes_nothing(is_over: bool) -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        s, accepted, sent = full(world, client, server)
        client.close(s)
        if is_over:
            client.ok("WSPCleanup")
        world.run(LIMIT - 1)
        assert client.handles == 1
        world.run(2)
        assert client.handles == 0
        received, error = read_to_the_end(world, server, accepted)
        assert received < sent
        assert error == WSAECONNRESET
        assert len(world.spies["a"].named("WSPCleanup")) == is_over


def test_a_peer_that_goes_on_reading_is_waited_for_however_long_it_takes() -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        s, accepted, sent = full(world, client, server)
        client.close(s)
        world.run(LIMIT - 1)
        received = len(server.receive(accepted, 65_536))
        world.run(LIMIT - 1)
        assert client.handles == 1
        rest, error = read_to_the_end(world, server, accepted)
        assert (received + rest, error) == (sent, NO_ERROR)
        world.run()
        assert client.handles == 0


@pytest.mark.parametrize("seconds", [0, 3, LIMIT + 60])
def test_so_linger_counts_before_that_limit(seconds: int) -> None:
    with san_world() as world:
        client, server = world.program("a"), world.program("b")
        s, accepted, _ = full(world, client, server)
        client.option(s, SO_LINGER, (1 | seconds << 16).to_bytes(4, "little"))
        before = world.network.driver.now()
        world.do(client.close, s)
        assert (world.network.driver.now() - before) // SECOND == seconds
        world.run()
        assert client.handles == 0
        assert read_to_the_end(world, server, accepted)[1] == WSAECONNRESET
