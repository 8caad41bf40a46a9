"""Handshakes that ask for more than others: data in the SYN (Fast Open), and a decision before the answer."""

from __future__ import annotations

from tests.conformance.attacks.common import fill_paths, stranger
from tests.conformance.attacks.table import attack
from tests.support.memory import growth_after
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import sec
from wsknet.config import TcpConfig
from wsknet.trace import DropReason
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.types import Family
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

_ROOM = 1 << 20
"""Bytes, whatever the number of SYNs: see `floods`."""
_TRACE = 300
"""Bytes for each sender of whatever is not answered: its address is known for a while (`interface.MAX_FLOWS`)."""
_FORGED = bytes.fromhex("0123456789abcdef")


def _fast_listener(lab: TcpLab) -> TcpEndpoint:
    listener = lab.bound()
    listener.fast_open = True
    listener.listen(lab.now)
    return listener


def _syn(lab: TcpLab, cookie: bytes, port: int, data: bytes = b"x" * 1000) -> None:
    options = tcp_options.build(Options(mss=1460, fast_open=cookie))
    lab.peer.send(flags="S", seq=0, data=data, options=options, port=port)


def _cookie(lab: TcpLab, port: int = 90) -> bytes:
    """The one that the host gives to the peer's address."""
    _syn(lab, b"", port, b"")
    answer = lab.peer.expect(flags="SA", ack=1)
    assert answer.options.fast_open
    lab.peer.send(flags="R", seq=1, port=port)
    return answer.options.fast_open


def _accept_all(lab: TcpLab, listener: TcpEndpoint) -> int:
    """Closes them; how many there were."""
    count = 0
    while (endpoint := listener.accept(lab.now)) is not None:
        count += 1
        lab.close(endpoint)
    return count


@attack(
    "Fast Open: a flood of SYNs with data and forged cookies",
    "nobody gets the data, each is answered as a SYN without, and a true cookie serves all the while",
    "one SYN-ACK without data each; no memory beyond the full SYN queue and path cache",
    "RFC7413-5.1",
    "RFC7413-4.2.2",
)
def _forged_cookies(family: Family) -> None:
    lab = TcpLab(family)
    listener = _fast_listener(lab)

    def flood(numbers: range) -> None:
        for number in numbers:
            lab.peer.address = stranger(family, number)
            _syn(lab, _FORGED, 1024 + number)
            (answer,) = lab.peer.drain()
            assert (answer.flags, answer.data, answer.ack) == ("SA", b"", 1)

    def fill() -> None:
        fill_paths(lab)
        flood(range(300))

    assert growth_after(fill, lambda: flood(range(300, 1000))) < _ROOM
    assert listener.accept(lab.now) is None
    lab.clock.advance(sec(10))  # the SYN queue is empty again
    lab.peer.address = stranger(family, 1 << 20)
    lab.peer.drain()
    _syn(lab, _cookie(lab), 80, b"let me in")
    endpoint = lab.accept(listener)
    assert lab.receive_all(endpoint) == b"let me in"


@attack(
    "Fast Open as a mirror that makes more of it",
    "who sends somebody else's address with a cookie that is not that one's makes us send less than was sent",
    "one SYN-ACK, its repetitions, and no data however much the program has",
    "RFC7413-5.2",
)
def _mirror(family: Family) -> None:
    lab = TcpLab(family)
    _fast_listener(lab)
    cookie = _cookie(lab)
    lab.peer.address = stranger(family, 1)
    _syn(lab, cookie, 80)
    lab.clock.advance(sec(600))
    answers = lab.peer.drain()
    assert 1 <= len(answers) <= 1 + lab.stack.config.behaviour.tcp.syn_ack_retries
    assert all((answer.flags, answer.data) == ("SA", b"") for answer in answers)


@attack(
    "Fast Open: true cookies, and handshakes that are never done",
    "beyond the bound data in a SYN is not used, and the connection opens as any other does",
    "max_fast_opens connections before their handshakes are done, until these are given up",
    "RFC7413-5.1",
)
def _never_done(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(max_fast_opens=5))
    listener = _fast_listener(lab)
    cookie = _cookie(lab)
    for port in range(1024, 1124):
        _syn(lab, cookie, port)
    answers = lab.peer.drain()
    assert [answer.ack for answer in answers] == [1001] * 5 + [1] * 95
    accepted = []
    while (endpoint := listener.accept(lab.now)) is not None:
        accepted.append(endpoint)
    assert len(accepted) == 5
    lab.peer.send(seq=1, ack=1, port=1124 - 1)
    assert _accept_all(lab, listener) == 1, "without its data, but with a handshake"
    lab.clock.advance(sec(60))
    assert [endpoint.error is not None for endpoint in accepted] == [True] * 5
    assert list(lab.stack.tcp.connections()) == []
    _syn(lab, cookie, 80)
    assert _accept_all(lab, listener) == 1, "there is room again"


@attack(
    "Fast Open: true cookies, and a reset behind each SYN",
    "data is not used more often than if the resets had not come: they do not make room at once",
    "max_fast_opens in a minute",
    "RFC7413-5.1",
)
def _reset_at_once(family: Family) -> None:
    lab = TcpLab(family, tcp_config=TcpConfig(max_fast_opens=5))
    listener = _fast_listener(lab)
    cookie = _cookie(lab)
    used = 0
    for port in range(1024, 1124):
        _syn(lab, cookie, port)
        (answer,) = lab.peer.drain()
        used += answer.ack == 1001
        lab.peer.send(flags="R", seq=answer.ack, port=port)
        assert listener.accept(lab.now) is None
    assert used == 5
    lab.clock.advance(sec(61))
    _syn(lab, cookie, 80)
    assert lab.peer.expect(flags="SA").ack == 1001


@attack(
    "a flood of SYNs where the program decides first (conditional accept)",
    "what has waited longest is asked about, more than the queue takes is dropped, none is answered",
    "as many requests as the SYN queue has places, for three minutes",
    "RFC4987-3.2",
)
def _undecided(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.bound()
    listener.is_conditional = True
    listener.listen(lab.now, 20)
    assert listener.listener is not None
    inspections = listener.listener.inspections
    assert inspections is not None

    def flood(numbers: range) -> None:
        for number in numbers:
            lab.peer.address = stranger(family, number)
            lab.peer.send(flags="S", seq=0, mss=1460, data=b"x" * 1000)

    assert growth_after(lambda: flood(range(100)), lambda: flood(range(100, 1100))) < 1000 * _TRACE
    assert len(inspections) == 20
    assert lab.stack.trace.drops == {DropReason.TCP_SYN_QUEUE_FULL: 1080}
    lab.peer.expect_nothing(until=sec(181))
    assert len(inspections) == 0
    lab.peer.address = stranger(family, 5000)
    lab.peer.send(flags="S", seq=0, mss=1460)
    request = inspections.next()
    assert request is not None
    assert request.remote.address == lab.peer.address
    assert lab.stack.next_deadline() is not None
    lab.close(listener)
    assert lab.stack.next_deadline() is None


@attack(
    "requests that are taken back by a RST, over and over",
    "a request that nobody has seen is forgotten, one that was shown is told to have come to nothing",
    "their places: nobody is admitted instead before the program knows",
    "RFC9293-3.10.7.2",
)
def _taken_back(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.bound()
    listener.is_conditional = True
    listener.listen(lab.now, 20)
    assert listener.listener is not None
    inspections = listener.listener.inspections
    assert inspections is not None
    for port in range(1024, 1324):
        lab.peer.send(flags="S", seq=0, mss=1460, port=port)
        if port % 2:
            inspections.next()
        lab.peer.send(flags="R", seq=1, port=port)
    assert len(inspections) <= 20
    told = 0
    while inspections.next_aborted() is not None:
        told += 1
    assert told == 20
    assert len(inspections) == 0
    lab.peer.expect_nothing()
