"""An interface goes from under a live socket, or its link: BIND-5, cases 34 and 52.

The peers of `two_links` answer; what goes on the links is looked at frame by frame.
"""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP

from tests.conformance.binding.live_connections import KEPT, failure, lives
from tests.conformance.binding.two_links import PORT, A, Names, families, h1, sets, text
from wsknet.behaviour import BSD, LINUX, Behaviour
from wsknet.config import AutoConfig
from wsknet.errors import ErrorKind
from wsknet.net import changes
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.state import State
from wsknet.types import Endpoint


@pytest.mark.rule("BIND-5.6", "BIND-5.2")
@families
def test_sockets_of_a_removed_interface_are_told_that_it_is_gone(names: Names) -> None:
    with h1(names) as lab:
        ours, _ = lab.connected()
        bound, listener = lab.tcp(names.ours[0], 5001), lab.listener(names.ours[0])
        datagrams, fixed, elsewhere = lab.udp(names.ours[0], 5002), lab.udp(), lab.udp(names.ours[1])
        wildcard = lab.tcp(port=5004)
        lab.call(fixed.connect, Endpoint(A(names.peers[0]), PORT))
        lab.sent()
        lab.remove_interface()
        lab.run()
        for endpoint in (ours, bound, listener, datagrams, fixed):
            assert endpoint.error is ErrorKind.INTERFACE_REMOVED
        for told in (ours, bound, listener):
            assert lab.owners[told].readiness & Ready.FAILED
        assert lab.owners[wildcard].readiness == 0
        assert (wildcard.error, elsewhere.error) == (None, None)
        assert lab.sent(TCP) == []


@pytest.mark.rule("BIND-5.2")
@pytest.mark.parametrize("behaviour", [LINUX, BSD, KEPT], ids=["linux", "bsd", "kept"])
@families
def test_elsewhere_a_removed_interface_is_like_removed_addresses(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        ours, theirs = lab.connected()
        datagrams = lab.udp(names.ours[0], 5000)
        lab.remove_interface()
        lab.run()
        assert (ours.state, failure(lab, ours), datagrams.error) == (State.ESTABLISHED, None, None)
        card = lab.cards[0]
        lab.apply(changes.InterfaceAdded(card.index, card.config))
        lab.add_address()
        assert lives(lab, ours, theirs, seconds=10)
        lab.reach(names.ours[0], 5000)
        assert datagrams.readable == 1


@pytest.mark.rule("BIND-5.5", "BIND-52", "BIND-34")
@families
def test_without_a_link_windows_binds_no_address_of_it_and_the_rest_goes_on(names: Names) -> None:
    with h1(names) as lab:
        wildcard = lab.udp(port=5000)
        lab.cards[0].set_up(False)
        beyond, new = Endpoint(A(names.remote), PORT), lab.host.stack.udp.open(names.cover)
        assert lab.kind_of_failure(wildcard.send, (b"data",), beyond) is ErrorKind.NO_ROUTE
        lab.send(wildcard, names.peers[1])
        assert lab.sent() == [(1, names.ours[1])]
        assert lab.kind_of_failure(new.bind, lab.name(names.ours[0])) is ErrorKind.NOT_LOCAL

        lab.cards[0].set_up(True)
        lab.call(new.bind, lab.name(names.ours[0]))
        lab.send(wildcard, names.remote)
        lab.send(new, names.remote)
        assert lab.sent() == [(0, names.ours[0])] * 2


@pytest.mark.rule("BIND-5.6")
@pytest.mark.parametrize("behaviour", [LINUX, BSD], ids=["linux", "bsd"])
@families
def test_without_a_link_linux_still_binds_its_addresses(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        lab.cards[0].set_up(False)
        assert text(lab.udp(names.ours[0]).local) == names.ours[0]


@pytest.mark.rule("BIND-5.5", "BIND-5.6")
@sets
@families
def test_a_connection_outlives_a_link_that_is_away_for_a_while(names: Names, behaviour: Behaviour) -> None:
    with h1(names, behaviour) as lab:
        ours, theirs = lab.connected()
        lab.cards[0].set_up(False)
        lab.call(ours.send, b"meanwhile ")
        lab.run(2)
        assert failure(lab, ours) is None
        lab.cards[0].set_up(True)
        assert lives(lab, ours, theirs, seconds=10)


@pytest.mark.rule("BIND-5.5")
@families
def test_a_connection_outlives_the_check_of_its_address_when_the_link_is_back(names: Names) -> None:
    with h1(names) as lab:
        lab.apply(changes.InterfaceChanged(lab.cards[0].index, auto=AutoConfig(duplicate_detection=True)))
        lab.remove_address()
        lab.add_address()
        lab.run(20)
        ours, theirs = lab.connected()
        lab.cards[0].set_up(False)
        lab.call(ours.send, b"meanwhile ")
        lab.cards[0].set_up(True)
        lab.run(0.01)
        assert failure(lab, ours) is None
        assert lives(lab, ours, theirs, seconds=20)


@pytest.mark.rule("BIND-5.5")
@families
def test_a_connection_whose_link_stays_away_times_out(names: Names) -> None:
    with h1(names) as lab:
        ours, _ = lab.connected()
        lab.cards[0].set_up(False)
        lab.call(ours.send, b"data")
        lab.run(200)
        assert failure(lab, ours) is ErrorKind.TIMED_OUT
