"""A connection is known by its two ends, on the side that has accepted it, too."""

from __future__ import annotations

import pytest

from tests.support.san_lab import UNTOUCHED, Caller, name, san_lab
from wsknet.san.numbers import NO_ERROR, WSAEADDRINUSE
from wsknet.san.sockaddr import SIZE


def connect(caller: Caller, s: int, remote: str, port: int) -> int:

    return caller.error("WSPConnect", s, name(remote, port), SIZE, None, None, None, None)


@pytest.mark.rule("SAN-5.1", "SAN-5.3", "SAN-7.WSPConnect")
def test_the_ends_of_an_accepted_connection_are_in_use_until_it_is_over() -> None:
    with san_lab() as lab:
        a, b = lab.callers
        client, accepted, _ = lab.connected(4000)
        other = b.bound("10.0.0.2", 80)
        assert connect(b, other, "10.0.0.1", 4000) == WSAEADDRINUSE
        b.ok("WSPCloseSocket", accepted)
        a.ok("WSPCloseSocket", client)
        lab.run()
        listener, _ = a.listening("10.0.0.1", 4000)
        event = b.connecting(other, "10.0.0.1", 4000)
        lab.run()
        assert a.accept(listener)[1] == UNTOUCHED
        lab.run()
        assert b.connect_error(other, event) == NO_ERROR
