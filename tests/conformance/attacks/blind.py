"""Forged segments of somebody who sees nothing and guesses numbers: RFC 5961."""

from __future__ import annotations

from random import Random

from tests.conformance.attacks.common import CHALLENGE_SECONDS, CHALLENGES, assert_alive
from tests.conformance.attacks.table import attack
from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import sec
from wsknet.behaviour import LINUX
from wsknet.config import TcpConfig
from wsknet.trace import DropReason
from wsknet.transport.tcp.state import State
from wsknet.types import Family

_WINDOW = 4096
_SMALL = TcpConfig(receive_buffer=_WINDOW)


@attack(
    "blind RST at every offset of the window",
    "the connection stays; the peer is asked to prove it",
    "10 challenges in 5 s, none outside the window",
    "RFC5961-3.2",
    "RFC5961-7",
)
def _resets_in_the_window(family: Family) -> None:
    lab = TcpLab(family, tcp_config=_SMALL)
    endpoint = lab.connected()
    for offset in range(1, _WINDOW + 1):
        lab.peer.send(flags="R", seq=1 + offset)
        lab.peer.send(flags="RA", seq=1 + offset, ack=1)
    challenges = lab.peer.drain()
    assert len(challenges) == CHALLENGES
    assert {(each.flags, each.seq, each.ack) for each in challenges} == {("A", 1, 1)}
    for offset in (-1, -_WINDOW, _WINDOW + 1, 1 << 20, 1 << 31):
        lab.clock.advance(sec(CHALLENGE_SECONDS))
        lab.peer.send(flags="R", seq=1 + offset)
        lab.peer.expect_nothing()
    assert_alive(lab, endpoint)
    lab.peer.send(flags="R", seq=25)
    lab.clock.advance(sec(CHALLENGE_SECONDS))
    lab.peer.drain()
    lab.peer.send(flags="R", seq=13)
    assert lab.state(endpoint) is State.CLOSED, "the exact number resets"


@attack(
    "blind RST while opening",
    "the attempt goes on: only a reset that acknowledges our SYN refuses",
    "no answer at all",
    "RFC9293-3.10.7.3",
)
def _resets_while_opening(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connecting()
    lab.peer.expect(flags="S")
    rng = Random(1)
    for _ in range(500):
        lab.peer.send(flags="R", seq=rng.getrandbits(32))
        lab.peer.send(flags="RA", seq=rng.getrandbits(32), ack=2 + rng.randrange(1 << 31))
    lab.peer.expect_nothing()
    assert lab.state(endpoint) is State.SYN_SENT


@attack(
    "blind SYN at every offset",
    "the connection stays, whatever the number; the peer is asked to prove it",
    "10 challenges in 5 s",
    "RFC5961-4.2",
    "RFC5961-7",
)
def _syns(family: Family) -> None:
    lab = TcpLab(family, tcp_config=_SMALL)
    endpoint = lab.connected()
    for offset in (*range(_WINDOW), -1, -_WINDOW, 1 << 20, 1 << 31):
        lab.peer.send(flags="S", seq=1 + offset, mss=1460)
        lab.peer.send(flags="SA", seq=1 + offset, ack=1, mss=1460)
    challenges = lab.peer.drain()
    assert len(challenges) == CHALLENGES
    assert {(each.flags, each.seq, each.ack) for each in challenges} == {("A", 1, 1)}
    assert_alive(lab, endpoint)


@attack(
    "blind data injection",
    "data whose acknowledgement does not fit is not taken: not even to be kept until a gap is filled",
    "10 challenges in 5 s",
    "RFC5961-5.2",
    "RFC5961-7",
)
def _data(family: Family) -> None:
    lab = TcpLab(family)
    endpoint = lab.connected(window=8192)
    rng = Random(1)
    wrong = [2, 1 - 8192 - 1, 1 << 31, *(100_000 + rng.randrange((1 << 32) - 200_000) for _ in range(1000))]
    for ack in wrong:
        lab.peer.send(seq=1, ack=ack, data=b"forged, first")
        lab.peer.send(seq=14, ack=ack, data=b"forged, later")
    assert endpoint.readable == 0
    assert len(lab.peer.drain()) == CHALLENGES
    assert lab.stack.trace.drops[DropReason.TCP_BAD_ACK] == 2 * len(wrong)
    lab.peer.send(seq=1, ack=1, data=b"true in front")
    assert lab.receive_all(endpoint) == b"true in front"
    assert_alive(lab, endpoint, theirs=14)


@attack(
    "blind FIN",
    "a FIN outside the window ends no stream, nor does one that acknowledges wrongly",
    "one answer to each, as to any segment that came late",
    "RFC9293-3.10.7.4",
    "RFC5961-5.2",
)
def _fins(family: Family) -> None:
    lab = TcpLab(family, tcp_config=_SMALL)
    endpoint = lab.connected()
    forged = (-1000, _WINDOW + 1, 1 << 20, 1 << 31)
    for offset in forged:
        lab.peer.send(flags="FA", seq=1 + offset, ack=1)
    for offset in range(0, _WINDOW, 64):
        lab.peer.send(flags="FA", seq=1 + offset, ack=1 << 30)
    assert len(forged) < len(lab.peer.drain()) <= len(forged) + CHALLENGES
    assert not endpoint.peer_finished
    assert_alive(lab, endpoint)


@attack(
    "RST flood against TIME-WAIT",
    "only the exact number ends the wait (RFC 9293), and where RFC 1337 is heeded not even that",
    "one answer in half a second",
    "RFC1337-3",
    "RFC9293-3.10.7.4",
)
def _resets_in_time_wait(family: Family) -> None:
    behaviour = with_tcp(LINUX, ignores_reset_in_time_wait=True)
    lab = TcpLab(family, behaviour=behaviour, tcp_config=_SMALL)
    endpoint = lab.connected()
    lab.finish(endpoint)
    lab.peer.expect(flags="FA")
    lab.peer.send(flags="FA", seq=1, ack=2)
    lab.peer.expect(seq=2, ack=2)
    for offset in range(-_WINDOW, _WINDOW):
        lab.peer.send(flags="R", seq=2 + offset)
    assert len(lab.peer.drain()) <= 1
    assert lab.state(endpoint) is State.TIME_WAIT
