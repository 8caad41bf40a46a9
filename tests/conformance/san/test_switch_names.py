"""Two connections of a host never have the same two ends, whichever processes they are of."""

from __future__ import annotations

import pytest

from tests.support.san_switch import Program, World, san_world
from wsknet.san.numbers import NO_ERROR, SO_CONDITIONAL_ACCEPT, WSAEADDRINUSE

WAYS = pytest.mark.parametrize("sans", ["ab", ""], ids=["san", "tcpip"])
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
CLIENT_PORT = 5_000


def sharing(world: World) -> tuple[tuple[Program, int], tuple[Program, int]]:
    """Two processes of a, and a socket of each under one name."""
    first, second = world.program("a"), world.program("a")
    return (
        (first, first.bound(CLIENT, CLIENT_PORT, reuses=True)),
        (second, second.bound(CLIENT, CLIENT_PORT, reuses=True)),
    )


@WAYS
@pytest.mark.rule("SAN-5.1")
def test_what_another_process_is_connected_with_is_in_use(sans: str) -> None:
    with san_world(sans=sans) as world:
        server = world.program("b")
        server.listening()
        (first, one), (second, other) = sharing(world)
        assert world.do(first.connect, one, SERVER) == NO_ERROR
        assert world.do(second.connect, other, SERVER) == WSAEADDRINUSE
        assert world.link == ("native" if sans else "san0")


@pytest.mark.rule("SAN-5.1")
def test_over_a_san_the_name_is_free_again_once_the_other_process_has_closed() -> None:
    with san_world() as world:
        server = world.program("b")
        listener = server.listening()
        (first, one), (second, other) = sharing(world)
        assert world.do(first.connect, one, SERVER) == NO_ERROR
        accepted = world.do(server.accept, listener)
        first.close(one)
        server.close(accepted)
        world.run()
        assert world.do(second.connect, other, SERVER) == NO_ERROR
        assert world.link == "native"


@WAYS
@pytest.mark.rule("SAN-5.1")
def test_what_another_process_is_connecting_with_is_in_use(sans: str) -> None:
    with san_world(sans=sans) as world:
        server = world.program("b")
        listener = server.bound("0.0.0.0")
        server.option(listener, SO_CONDITIONAL_ACCEPT)
        server.ok("WSPListen", listener, 5)
        (first, one), (second, other) = sharing(world)
        waiting = world.start(first.connect, one, SERVER)
        world.run()
        assert not waiting
        assert world.do(second.connect, other, SERVER) == WSAEADDRINUSE
        world.do(server.accept, listener)
        assert world.wait(waiting) == NO_ERROR
