"""SO_SNDBUF and SO_RCVBUF mean over a SAN what they mean over TCP/IP."""

from __future__ import annotations

import pytest

from tests.support.san_switch import Program, World, san_world
from wsknet.san.numbers import FIONBIO, NO_ERROR, SO_RCVBUF, SO_SNDBUF, WSAEWOULDBLOCK
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSABUF

POLICY = SanPolicy(max_message_size=256, message_buffers=6, rdma_threshold=1 << 30)
"""So little fits into messages that are under way that the two buffers are what counts."""
MESSAGES = 2 * 6 * 256


def taken(world: World, client: Program, s: int) -> int:
    """Bytes that a nonblocking socket takes while the peer does not read."""
    client.ok("WSPIoctl", s, FIONBIO, (1).to_bytes(4, "little"), 4, None, 0, INT(), None, None, None)
    total: int = 0
    for _ in range(1_000):
        count = INT()
        code = client.code("WSPSend", s, [WSABUF(bytes(1_000))], 1, count, 0, None, None, None)
        assert code in (NO_ERROR, WSAEWOULDBLOCK)
        total += int(count.Value)
        world.run(0.05)
        if code:
            return total
    raise AssertionError("it takes whatever it is given")


def size(number: int) -> bytes:
    return number.to_bytes(4, "little")


@pytest.mark.parametrize("is_early", [True, False], ids=["before", "while-connected"])
@pytest.mark.parametrize(("send", "receive"), [(5_000, 7_000), (0, 7_000), (5_000, 1)])
def test_as_much_waits_as_the_two_buffers_hold(send: int, receive: int, is_early: bool) -> None:
    with san_world(policy=POLICY) as world:
        client, server = world.program("a"), world.program("b")
        listener, s = server.listening(), client.socket()
        if is_early:
            client.option(s, SO_SNDBUF, size(send))
            server.option(listener, SO_RCVBUF, size(receive))
        assert world.do(client.connect, s, "10.9.0.2") == NO_ERROR
        accepted = world.do(server.accept, listener)
        if not is_early:
            client.option(s, SO_SNDBUF, size(send))
            server.option(accepted, SO_RCVBUF, size(receive))
        assert world.link == "native"
        total = taken(world, client, s)
        assert receive <= total <= send + receive + MESSAGES + 1_000
        assert total >= send
