"""The numbers in which Windows and Linux differ, each as a script: `wsknet.tcp_policy` has their sources."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.support.tcp_script import script
from wsknet.behaviour import LINUX, WINDOWS, Behaviour
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


class Numbers(NamedTuple):
    """In seconds.  Written down a second time, so that no change of a set goes unnoticed."""

    behaviour: Behaviour
    initial_rto: float
    min_rto: float
    max_rto: float
    syn_retries: int
    syn_ack_retries: int
    data_retries: int
    delayed_ack: float
    time_wait: float
    probe_interval: float
    probes: int
    probe: str


SETS = pytest.mark.parametrize(
    "numbers",
    [
        # Get-NetTCPSetting of Windows 10 (Internet), and the registry values of TCP/IP that it no longer shows.
        Numbers(WINDOWS, 1, 0.3, 60, 4, 2, 5, 0.04, 120, 1, 10, "0:1(1)"),
        # include/net/tcp.h, and Documentation/networking/ip-sysctl.rst.
        Numbers(LINUX, 1, 0.2, 120, 6, 5, 15, 0.04, 60, 75, 9, "0:0(0)"),
    ],
    ids=["windows", "linux"],
)


def doubled(first: float, count: int, most: float) -> list[float]:
    """When so many repeats are sent, and when the one after them would be."""
    at, pause, found = 0.0, first, []
    for _ in range(count + 1):
        at += pause
        found.append(round(at, 6))
        pause = min(pause * 2, most)
    return found


@FAMILIES
@SETS
@pytest.mark.rule("RFC6298-2.1", "RFC6298-5.5", "RFC9293-MUST-23")
def test_initial_timeout_and_number_of_syns(numbers: Numbers, family: Family) -> None:
    *repeats, end = doubled(numbers.initial_rto, numbers.syn_retries, numbers.max_rto)
    script(
        "\n".join(
            [
                "0 connect",
                "0 > S 0:0(0) <...>",
                *(f"{at} > S 0:0(0) <...>" for at in repeats),
                f"{end - 0.001:.3f} told nothing",
                f"{end} told FAILED",
                f"{end} error TIMED_OUT",
                "+1000 nothing",
            ]
        ),
        family,
        numbers.behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-3.8.3", "RFC6298-5.5")
def test_number_of_syn_acks(numbers: Numbers, family: Family) -> None:
    *repeats, end = doubled(numbers.initial_rto, numbers.syn_ack_retries, numbers.max_rto)
    script(
        "\n".join(
            [
                "0 listen",
                "0 < S 0:0(0) <mss 1000>",
                "0 > S. 0:0(0) ack 1 <...>",
                *(f"{at} > S. 0:0(0) ack 1 <...>" for at in repeats),
                f"{end - 0.001:.3f} connections 1",
                f"{end} connections 0",
                "+1000 nothing",
            ]
        ),
        family,
        numbers.behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC6298-2.4", "RFC6298-2.5", "RFC9293-MUST-20")
def test_least_and_largest_timeout_and_number_of_repeats(numbers: Numbers, family: Family) -> None:
    *repeats, end = doubled(numbers.min_rto, numbers.data_retries, numbers.max_rto)
    script(
        "\n".join(
            [
                "0 established",
                "0 write 100",
                "0 > P. 1:101(100) ack 1",
                *(f"{at} > P. 1:101(100) ack 1" for at in repeats),
                f"{end} > R 101:101(0)",
                "+0 told FAILED",
                "+0 error TIMED_OUT",
            ]
        ),
        family,
        numbers.behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-MUST-40", "RFC5681-4.2")
def test_delay_of_acknowledgements(numbers: Numbers, family: Family) -> None:
    script(
        """
        +0      established
        +0      < . 1:11(10) ack 1
        +$delay > . 1:1(0) ack 11
        """,
        family,
        numbers.behaviour,
        delay=numbers.delayed_ack,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-MUST-13")
def test_length_of_time_wait(numbers: Numbers, family: Family) -> None:
    script(
        """
        +0      established
        +0      shutdown
        +0      > F. 1:1(0) ack 1
        +0      < F. 1:1(0) ack 2
        +0      > . 2:2(0) ack 2
        +0      close
        +$early connections 1
        +.002   connections 0
        """,
        family,
        numbers.behaviour,
        early=numbers.time_wait - 0.001,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-MUST-28", "RFC9293-MUST-29")
def test_keep_alive(numbers: Numbers, family: Family) -> None:
    first, pause = 7200, numbers.probe_interval
    script(
        "\n".join(
            [
                "0 established",
                "0 set keep_alive on",
                *(f"{first + count * pause} > . {numbers.probe} ack 1" for count in range(numbers.probes)),
                f"{first + numbers.probes * pause} > R 1:1(0)",
                "+0 told FAILED",
                "+0 error TIMED_OUT",
            ]
        ),
        family,
        numbers.behaviour,
    )


@FAMILIES
@SETS
@pytest.mark.rule("RFC9293-3.8.6.1", "RFC9293-MUST-37")
def test_pauses_between_window_probes(numbers: Numbers, family: Family) -> None:
    pauses = [min(numbers.min_rto * 2**count, numbers.max_rto) for count in range(12)]
    script(
        "\n".join(
            [
                "+0 established win 0",
                "+0 write 100",
                *(f"+{pause:.3f} > . 1:2(1) ack 1\n+0 < . 1:1(0) ack 1 win 0" for pause in pauses),
                "+0 state ESTABLISHED",
            ]
        ),
        family,
        numbers.behaviour,
    )


@FAMILIES
@pytest.mark.parametrize(("behaviour", "hops"), [(WINDOWS, 128), (LINUX, 64)], ids=["windows", "linux"])
@pytest.mark.rule("RFC9293-MUST-49", "RFC1122-3.2.1.7")
def test_hop_limit(behaviour: Behaviour, hops: int, family: Family) -> None:
    conversation = script("+0 established", family, behaviour)
    lab = conversation.lab
    frames: list[bytes] = []
    lab.peer.hear = frames.append  # type: ignore[method-assign,assignment]
    lab.send(conversation.application.endpoint, b"x")

    (frame,) = frames
    assert frame[14 + 8 if family is Family.IPV4 else 14 + 7] == hops
