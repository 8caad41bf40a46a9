"""New hosts: how they are verified, what is told of those that were not, and the start of their subsystem."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wsknet.host import Host, Network
from wsknet.wsk import SECURITY_DESCRIPTOR, WSK_FLAG_DATAGRAM_SOCKET, kernel_of, simple, verify_new_hosts
from wsknet.wsk.kernel import set_provider_ready, verify


@pytest.fixture
def as_before() -> Iterator[None]:
    """What the tests begin with."""
    yield
    verify_new_hosts()


def manner_of(host: Host) -> bool | None:
    """Whether the verifier is strict; None if there is none."""
    verifier = kernel_of(host).verifier
    return None if verifier is None else verifier.is_strict


@pytest.mark.usefixtures("as_before")
def test_new_hosts_begin_as_was_said_last(network: Network) -> None:
    verify_new_hosts(is_strict=True)
    assert manner_of(network.host("strict")) is True
    verify_new_hosts(False)
    assert manner_of(network.host("nobody looks")) is None
    verify_new_hosts()
    assert manner_of(network.host("mild")) is False


def test_a_socket_is_left_behind_on_a_host_that_nobody_verifies(host: Host) -> None:
    verify(host, False)
    application = simple.Application()
    Status, _ = application.open(WSK_FLAG_DATAGRAM_SOCKET)
    assert Status == 0
    registration, socket = kernel_of(host).leaks()

    assert registration.startswith("a registration with 1 captures, 1 open sockets")
    assert socket.startswith("a datagram socket that ")


def test_the_subsystem_of_a_host_that_nobody_uses_may_start(host: Host) -> None:
    set_provider_ready(host, False)
    set_provider_ready(host, True)
    with simple.Application():
        assert kernel_of(host).provider_is_ready


def test_what_outlives_a_registration_is_told_beside_the_others(host: Host) -> None:
    staying, leaving = simple.Application(), simple.Application()
    leaving.cache(SECURITY_DESCRIPTOR())
    leaving.close()
    leaks = kernel_of(host).leaks()

    assert [line.split(" ")[1] for line in leaks] == ["registration", "cached"]
    staying.close()
