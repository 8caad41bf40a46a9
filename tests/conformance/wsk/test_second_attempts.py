"""What a connect that has failed leaves behind for the next one on the same socket: nothing."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import FAR, FAR6, PORT, Lab, ok, start
from wsknet.wsk import (
    AF_INET,
    AF_INET6,
    IPPROTO_TCP,
    STATUS_CANCELLED,
    STATUS_CONNECTION_REFUSED,
    STATUS_SUCCESS,
    TCP_FASTOPEN,
    WSK_FLAG_CONNECTION_SOCKET,
    WSK_SOCKET,
    IoCancelIrp,
    simple,
)

FAMILIES = pytest.mark.parametrize(
    ("family", "wildcard", "peer"), [(AF_INET, "0.0.0.0", FAR), (AF_INET6, "::", FAR6)], ids=["ipv4", "ipv6"]
)


def failed(lab: Lab, family: int, wildcard: str, peer: str, is_cancelled: bool) -> WSK_SOCKET:
    """A socket whose WskConnectEx with data has come to nothing, and that has TCP_FASTOPEN since."""
    Socket = lab.bound(lab.near, WSK_FLAG_CONNECTION_SOCKET, wildcard, AddressFamily=family)
    there = simple.address(peer, PORT)
    request = start(Socket.Dispatch.WskConnectEx, Socket, there, simple.buffer(b"old"), 0)
    if is_cancelled:
        assert IoCancelIrp(request.Irp)
    lab.run(5)
    assert request.status == (STATUS_CANCELLED if is_cancelled else STATUS_CONNECTION_REFUSED)
    ok(simple.set_option(Socket, IPPROTO_TCP, TCP_FASTOPEN, 1))
    return Socket


@pytest.mark.rule("R-194", "R-197")
@pytest.mark.parametrize("is_cancelled", [False, True], ids=["refused", "cancelled"])
@FAMILIES
def test_data_of_an_attempt_that_failed_is_not_sent_with_the_next(
    lab: Lab, family: int, wildcard: str, peer: str, is_cancelled: bool
) -> None:
    Socket = failed(lab, family, wildcard, peer, is_cancelled)
    listener = lab.listener(wildcard, AddressFamily=family)

    request = start(Socket.Dispatch.WskConnectEx, Socket, simple.address(peer, PORT), simple.buffer(b"new"), 0)
    lab.run(1)

    assert request.status == STATUS_SUCCESS
    accepted = ok(simple.accept(listener))
    ok(simple.send(Socket, b"!"))
    lab.run(1)
    assert ok(simple.receive(accepted)) == b"new!"


@pytest.mark.rule("R-188")
@FAMILIES
def test_a_plain_connect_sends_nothing_of_an_attempt_that_failed(
    lab: Lab, family: int, wildcard: str, peer: str
) -> None:
    Socket = failed(lab, family, wildcard, peer, is_cancelled=False)
    listener = lab.listener(wildcard, AddressFamily=family)

    ok(simple.connect(Socket, simple.address(peer, PORT)))

    accepted = ok(simple.accept(listener))
    ok(simple.send(Socket, b"!"))
    lab.run(1)
    assert ok(simple.receive(accepted)) == b"!"
