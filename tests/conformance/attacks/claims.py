"""False claims about what was lost, and what was not: to keep the window up, or the connection for ever."""

from __future__ import annotations

from tests.conformance.attacks.common import accepted, assert_alive, blocks, data_in
from tests.conformance.attacks.senders import MSS, MUCH, bulk
from tests.conformance.attacks.table import attack
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import Received, ms, sec
from wsknet.config import TcpConfig
from wsknet.transport.tcp.state import State
from wsknet.types import Family
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

_ROUNDS = 6
_ROUND_TRIP = ms(50)


@attack(
    "SACK for ever: everything reported but the first segment, which is never acknowledged",
    "it is repeated as often as any data, then the connection is given up",
    "the repetitions of the behaviour; no more than the window in flight",
    "RFC2018-8",
    "RFC9293-3.8.3",
)
def _never_the_first(family: Family) -> None:
    lab, endpoint, first = bulk(family, sack=True)
    end, repeats = 1 + first, 0
    for _ in range(3000):
        lab.peer.send(seq=1, ack=1, window=8192, sack=((1 + MSS, end),))
        for segment in lab.peer.drain():
            repeats += segment.seq == 1
            end = max(end, segment.seq + len(segment.data))
        if lab.state(endpoint) is State.CLOSED:
            break
        lab.clock.advance(sec(1))
    assert lab.state(endpoint) is State.CLOSED
    assert end <= 1 + MUCH
    assert repeats <= 2 + lab.stack.config.behaviour.tcp.data_retries + 3000 // 60
    assert lab.stack.next_deadline() is None


@attack(
    "reneging for ever: each report taken back by the next",
    "only what is acknowledged counts; what was reported is kept, repeated after timeouts, and given up in the end",
    "the repetitions of the behaviour",
    "RFC2018-8",
)
def _reneging(family: Family) -> None:
    lab, endpoint, first = bulk(family, sack=True)
    sent = 0
    for number in range(3000):
        left = 1 + MSS * (1 + number % 8)
        lab.peer.send(seq=1, ack=1, window=8192, sack=((left, left + MSS),))
        sent += data_in(lab.peer.drain())
        assert endpoint.unacknowledged in (0, MUCH)
        if lab.state(endpoint) is State.CLOSED:
            break
        lab.clock.advance(sec(0.5))
    assert lab.state(endpoint) is State.CLOSED
    assert sent <= 4 * first


def _play(family: Family, denial: str, has_timestamps: bool) -> int:
    """Bytes that came in some round trips.  In each the first segment seems to be lost, and then that is denied;
    "nothing" is lost, or what is lost is "admitted"."""
    stamps = (1000, 0) if has_timestamps else None
    lab, endpoint, _ = accepted(family, Options(1400, 7, True, (), stamps), round_trip=_ROUND_TRIP)
    lab.send(endpoint, bytes(1 << 22))
    una, arrived = 1, 0
    more: list[Received] = []
    for _ in range(_ROUNDS):
        flight = more + lab.peer.drain()
        size, end = len(flight[0].data), flight[-1].seq + len(flight[-1].data)
        arrived += end - una
        lab.clock.advance(_ROUND_TRIP)
        echoed = flight[0]
        if denial != "nothing":
            for count in range(2, min(len(flight), 5) + 1):
                _answer(lab, una, flight[0], ((una + size, una + count * size),))
            answers = lab.peer.drain()
            again, more = ([each for each in answers if (each.seq < end) == is_old] for is_old in (True, False))
            assert again or len(flight) < 5, "a loss that is reported three times is repaired"
            lab.clock.advance(ms(2))
            echoed = again[0] if again and denial != "Eifel" else flight[0]
        _answer(lab, end, echoed, ((una, una + size),) if denial == "D-SACK" else ())
        una = end
    assert lab.state(endpoint) is State.ESTABLISHED
    return arrived


def _answer(lab: TcpLab, ack: int, echoed: Received, reports: tuple[tuple[int, int], ...]) -> None:
    stamps = echoed.options.timestamps
    options = Options(
        sack_blocks=blocks(*reports), timestamps=stamps and (2000 + lab.now // ms(1) % 100_000, stamps[0])
    )
    lab.peer.send(seq=1, ack=ack, window=8192, options=tcp_options.build(options))


@attack(
    "losses that are denied when they have been repaired (D-SACK, Eifel)",
    "the window is again what it was before the loss, and never more",
    "what comes if nothing is lost, and the two segments of limited transmit in each round trip",
    "RFC2883-4",
    "RFC4015-3.2",
    "RFC3522-3.2",
)
def _denied_losses(family: Family) -> None:
    for denial, has_timestamps in (("D-SACK", False), ("Eifel", True)):
        at_best, at_worst = (_play(family, how, has_timestamps) for how in ("nothing", "admitted"))
        assert at_worst < _play(family, denial, has_timestamps) <= at_best + 2 * MSS * _ROUNDS


@attack(
    "D-SACK of what was never repeated, or never sent",
    "nothing is undone by it",
    "as much in flight as without it",
    "RFC2883-4",
)
def _invented_duplicates(family: Family) -> None:
    brought = []
    for invented in (None, (1 + MSS, 1 + 2 * MSS), (1, 2), (1 - MSS, 1), (1, 1 + (1 << 19))):
        lab, _, first = bulk(family, sack=True)
        lab.clock.advance(ms(50))
        for count in range(2, 6):
            lab.peer.send(seq=1, ack=1, window=8192, sack=((1 + MSS, 1 + count * MSS),))
        lab.peer.drain()
        lab.peer.send(seq=1, ack=1 + first, window=8192, sack=(invented,) if invented else ())
        brought.append(data_in(lab.peer.drain()))
    assert len(set(brought)) == 1


@attack(
    "a window scale of 14 and beyond, and a window that closes to a sliver",
    "nothing is sent beyond the window, and no sliver of it is used; all arrives when it opens",
    "one probe at a time; a scale of 14 at most",
    "RFC7323-2.3",
    "RFC9293-3.8.6.2.1",
)
def _huge_scale(family: Family) -> None:
    unit = 1 << 14
    for scale in (14, 15, 255):
        lab = TcpLab(family, tcp_config=TcpConfig(initial_window_segments=40))
        endpoint = lab.connected(window=1, scale=scale)
        lab.send(endpoint, bytes(3 * unit))
        edge, ack, window = 2, 1, 1
        segments = 0
        for number in range(300):
            for segment in lab.peer.drain():
                segments += 1
                is_probe = len(segment.data) == 1
                assert segment.seq + len(segment.data) <= edge + is_probe
                if segment.seq <= ack and segment.seq + len(segment.data) <= edge:
                    ack = max(ack, segment.seq + len(segment.data))
            window = 0 if number % 10 else 1
            edge = max(edge, ack + window * unit)
            lab.peer.send(seq=1, ack=ack, window=window)
            if ack == 1 + 3 * unit:
                break
            lab.clock.advance(sec(1))
        assert endpoint.acknowledged == 3 * unit
        assert segments <= 100
        assert_alive(lab, endpoint, ours=ack)
