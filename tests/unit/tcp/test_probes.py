"""What a port answers to the segments of port scanners and of those who guess systems: RFC 9293 3.10.7.1, 3.10.7.2.

Of Windows: the tests T2 to T7 of its fingerprints in nmap-os-db (nmap 7.93, Windows 10 1507 to 1909, Server 2016), and
nmap(1) of FIN, NULL and Xmas scans: it resets them whether the port is open or not.  Of Linux: tcp_rcv_state_process,
and `tests/tap/test_probes.py` asks the kernel.  Of FreeBSD: nmap-os-db, FreeBSD 11 to 12, and tcp_input.  The database
tells of IPv4; that over IPv6 Windows answers alike is an assumption.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.support.tcp_lab import TcpLab, with_tcp
from tests.support.tcp_peer import OUR_ISS, Peer, Received
from wsknet.behaviour import BSD, LINUX, WINDOWS
from wsknet.tcp_policy import OddOpening
from wsknet.trace import DropReason
from wsknet.types import Family, Proto

SETS = {behaviour.name: behaviour for behaviour in (WINDOWS, LINUX, BSD)}
OPEN, CLOSED = 50000, 50001
ACK = 0x11223344
"""What the probes with ACK acknowledge."""

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)
NAMES = pytest.mark.parametrize("name", list(SETS))


class Answer(NamedTuple):
    flags: str
    seq: int
    """As on the wire; none is expected of a SYN-ACK."""
    ack: int
    """Beyond the sequence number of the probe; 0 as such where there is no ACK."""


NOTHING = None
SYN_ACK = Answer("SA", 0, 1)
REFUSED = Answer("R", ACK, 0)


def reset(length: int) -> Answer:
    return Answer("RA", 0, length)


ODD = {
    # Flags and data, and what answers on a closed port.  On an open one: Windows, Linux, FreeBSD.
    ("", b""): (reset(0), reset(0), NOTHING, NOTHING),  # NULL scan, T2
    ("F", b""): (reset(1), reset(1), NOTHING, NOTHING),  # FIN scan
    ("FPU", b""): (reset(1), reset(1), NOTHING, NOTHING),  # Xmas scan, T7
    ("P", b"data"): (reset(4), reset(4), NOTHING, NOTHING),
    ("U", b""): (reset(0), reset(0), NOTHING, NOTHING),
    ("S", b""): (reset(1), SYN_ACK, SYN_ACK, SYN_ACK),  # T1, T5
    ("S", b"data"): (reset(5), SYN_ACK, SYN_ACK, SYN_ACK),
    ("SPU", b""): (reset(1), SYN_ACK, SYN_ACK, SYN_ACK),
    ("SF", b""): (reset(2), reset(2), NOTHING, SYN_ACK),
    ("SFPU", b""): (reset(2), reset(2), NOTHING, SYN_ACK),  # T3
    ("A", b""): (REFUSED, REFUSED, REFUSED, REFUSED),  # ACK scan, T4, T6
    ("FA", b""): (REFUSED, REFUSED, REFUSED, REFUSED),  # Maimon scan
    ("SA", b""): (REFUSED, REFUSED, REFUSED, REFUSED),
    ("PA", b"data"): (REFUSED, REFUSED, REFUSED, REFUSED),
    ("R", b""): (NOTHING, NOTHING, NOTHING, NOTHING),
    ("RA", b""): (NOTHING, NOTHING, NOTHING, NOTHING),
    ("SR", b""): (NOTHING, NOTHING, NOTHING, NOTHING),
    ("FRPU", b""): (NOTHING, NOTHING, NOTHING, NOTHING),
}


def probe(lab: TcpLab, flags: str, data: bytes, port: int) -> Received | None:
    lab.peer.send(flags, 0, ACK - OUR_ISS, data, window=1024, to=port)
    answers = lab.peer.drain()
    assert len(answers) < 2
    return answers[0] if answers else None


def check(answer: Received | None, wanted: Answer | None) -> None:
    assert (answer is None) is (wanted is None), str(answer)
    if wanted is None or answer is None:
        return
    assert "".join(sorted(answer.flags)) == "".join(sorted(wanted.flags))
    assert answer.ack == wanted.ack  # the numbers of the peer count from its SYN, which is what was sent
    assert answer.data == b""
    if wanted is not SYN_ACK:
        assert (answer.seq + OUR_ISS) & 0xFFFFFFFF == wanted.seq
        assert (answer.window, answer.raw_options) == (0, b"")


@FAMILIES
@NAMES
@pytest.mark.rule("RFC9293-3.10.7.1", "RFC9293-3.10.7.2")
@pytest.mark.parametrize(("flags", "data"), list(ODD), ids=lambda part: part if isinstance(part, str) else len(part))
def test_answers_to_odd_segments(family: Family, name: str, flags: str, data: bytes) -> None:
    lab = TcpLab(family, SETS[name])
    lab.listening(OPEN)
    closed, *opened = ODD[flags, data]
    check(probe(lab, flags, data, CLOSED), closed)
    check(probe(lab, flags, data, OPEN), opened[list(SETS).index(name)])


@FAMILIES
@NAMES
def test_an_odd_segment_leaves_nothing_behind(family: Family, name: str) -> None:
    """Whatever came before: the next SYN is answered, and nothing is ever sent for what was refused or dropped."""
    lab = TcpLab(family, SETS[name])
    lab.listening(OPEN)
    for flags, data in ODD:
        if "S" not in flags:
            probe(lab, flags, data, OPEN)
    lab.peer.expect_nothing(until=200_000_000_000)
    check(probe(lab, "S", b"", OPEN), SYN_ACK)


@FAMILIES
@NAMES
@pytest.mark.rule("RFC3168-6.1.1")
def test_a_syn_with_both_ecn_bits_is_no_odd_one(family: Family, name: str) -> None:
    lab = TcpLab(family, SETS[name])
    lab.listening(OPEN)
    answer = probe(lab, "SEC", b"", OPEN)
    assert answer is not None
    assert answer.flags.replace("E", "") == "SA"
    assert answer.ack == 1


@FAMILIES
@NAMES
def test_what_was_odd_is_counted(family: Family, name: str) -> None:
    lab = TcpLab(family, SETS[name])
    lab.listening(OPEN)
    probe(lab, "FPU", b"", OPEN)
    probe(lab, "A", b"", OPEN)
    probe(lab, "R", b"", OPEN)
    drops = lab.stack.trace.drops
    reasons = (DropReason.TCP_BAD_FLAGS, DropReason.TCP_NO_ENDPOINT, DropReason.TCP_BAD_RESET)
    assert [drops[reason] for reason in reasons] == [1, 1, 1]


class Watching(Peer):
    """Keeps numbers of every packet with TCP that comes: identification over IPv4, and what ACK would acknowledge."""

    def __init__(self, lab: TcpLab) -> None:
        super().__init__(lab)
        self.identifications: list[int] = []
        self.acknowledged: list[int] = []

    def hear(self, frame: bytes) -> None:
        if frame[12:14] == b"\x08\x00" and frame[23] == Proto.TCP:
            self.identifications.append(int.from_bytes(frame[18:20], "big"))
            self.acknowledged.append(int.from_bytes(frame[42:46], "big"))
        elif frame[12:14] == b"\x86\xdd" and frame[20] == Proto.TCP:
            self.acknowledged.append(int.from_bytes(frame[62:66], "big"))
        super().hear(frame)


@FAMILIES
@NAMES
def test_the_number_beside_a_reset_without_ack(family: Family, name: str) -> None:
    lab = TcpLab(family, SETS[name])
    lab.peer = peer = Watching(lab)
    lab.listening(OPEN)
    for port in (OPEN, CLOSED):
        probe(lab, "A", b"", port)
    assert peer.acknowledged == [ACK if name == "windows" else 0] * 2


@FAMILIES
def test_each_choice_of_a_listener_stands_alone(family: Family) -> None:
    for syn_fin, opening in zip(OddOpening, (reset(2), NOTHING, SYN_ACK), strict=True):
        for resets in (True, False):
            lab = TcpLab(family, with_tcp(WINDOWS, syn_fin=syn_fin, listener_resets_without_flags=resets))
            lab.listening(OPEN)
            check(probe(lab, "F", b"", OPEN), reset(1) if resets else NOTHING)
            check(probe(lab, "SF", b"", OPEN), opening)


CONNECTIONS = pytest.mark.parametrize(
    ("name", "syn"),
    [
        ("windows", "S"),
        ("linux", "S"),
        ("linux", "SEC"),
        ("bsd", "S"),
    ],
)


@CONNECTIONS
@pytest.mark.rule("RFC6864-4.1")
def test_how_the_packets_of_connections_are_numbered(name: str, syn: str) -> None:
    """Windows counts all to one peer, Linux those of each connection after the SYN-ACK, FreeBSD none."""
    lab = TcpLab(Family.IPV4, SETS[name])
    lab.peer = peer = Watching(lab)
    listener = lab.listening()
    peer.send(syn, 0)
    peer.next()
    peer.send("A", 1, 1)
    endpoint = lab.accept(listener)
    for _ in range(3):
        lab.send(endpoint, b"data", no_delay=True)
        lab.peer.expect(flags="PA", data=b"data")
    probe(lab, "A", b"", CLOSED)
    syn_ack, first, second, third, refusal = peer.identifications
    assert (second - first & 0xFFFF, third - second & 0xFFFF) == ((0, 0) if name == "bsd" else (1, 1))
    assert (first == 0) is (name == "bsd")
    assert (syn_ack, refusal) == ((first - 1 & 0xFFFF, third + 1 & 0xFFFF) if name == "windows" else (0, 0))
