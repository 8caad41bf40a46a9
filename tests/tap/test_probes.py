"""Port scans and odd probes from a kernel, against the kernel itself and against wsknet as Linux and as Windows.

As Linux it must look as the kernel does.  As Windows, as `WINDOWS_10` and the tables below say: none is at hand to ask.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.needs import requires_tool
from tests.support.scanned import CLOSED, OPEN, TARGETS, UDP_CLOSED, UDP_OPEN, Fingerprint, Street, run, street

pytestmark = [pytest.mark.tap, requires_tool("nmap")]

RECORD = Path(__file__).with_name("data") / "fingerprints.txt"

FAMILIES = pytest.mark.parametrize("family", [0, 1], ids=["IPv4", "IPv6"])


@pytest.fixture(scope="module")
def scanned() -> Iterator[Street]:
    with street() as made:
        yield made


# What nmap makes of the answers

_OPEN_80, _CLOSED_81 = {OPEN: ("open", "syn-ack", 128)}, {CLOSED: ("closed", "reset", 128)}
_WINDOWS_IS_CLOSED = {OPEN: ("closed", "reset", 128)} | _CLOSED_81
SCANS = {
    "-sS": _OPEN_80 | _CLOSED_81,
    "-sA": {OPEN: ("unfiltered", "reset", 128), CLOSED: ("unfiltered", "reset", 128)},
    # nmap(1) and T2, T7 of nmap-os-db: Windows resets these whether the port is open or not.
    "-sF": _WINDOWS_IS_CLOSED,
    "-sX": _WINDOWS_IS_CLOSED,
    "-sN": _WINDOWS_IS_CLOSED,
}
"""What nmap says of Windows, whose initial TTL is 128 (TG=80 in all its fingerprints of nmap-os-db)."""


@FAMILIES
@pytest.mark.parametrize("scan", list(SCANS))
def test_a_scan_of_tcp_ports(scanned: Street, family: int, scan: str) -> None:
    found = scanned.scan(family, scan, "-p", f"{OPEN},{CLOSED}")
    assert found["linux"] == found["kernel"]
    assert found["windows"] == {f"{port}/tcp": state for port, state in SCANS[scan].items()}


@FAMILIES
def test_a_scan_of_udp_ports(scanned: Street, family: int) -> None:
    found = scanned.scan(family, "-sU", "-p", f"{UDP_OPEN},{UDP_CLOSED}")
    assert found["linux"] == found["kernel"]
    assert found["windows"] == {
        f"{UDP_OPEN}/udp": ("open|filtered", "no-response", 0),
        f"{UDP_CLOSED}/udp": ("closed", "port-unreach", 128),
    }


# The answers themselves


class Reply(NamedTuple):
    """Of hping3.  `seq` and `ack` are compared where they do not depend on an initial sequence number."""

    flags: str
    window: int
    seq: int
    ack: int
    ttl: int
    dont_fragment: bool
    has_identification: bool
    length: int
    """Of the IP packet."""


SEQ, ACK = 1000, 77
_COMMON = {"ttl": 128, "dont_fragment": True, "has_identification": True}  # T1 to T7: TG=80, DF=Y; TI=I, CI=I


def reset(flags: str, seq: int, ack: int) -> Reply:
    return Reply(flags, 0, seq, ack, length=40, **_COMMON)  # type: ignore[arg-type]


_NO_ACK = reset("R", ACK, ACK)
"""T4 and T6 show that the second number is not 0 (A=O), though ACK is not set; that it is this one is an assumption."""
PROBES = {
    # Options of hping3, and what Windows answers.  T2 to T7 are tests of nmap-os-db; the rest is RFC 9293 3.10.7.
    f"-S -p {CLOSED}": reset("RA", 0, SEQ + 1),  # T5
    f"-S -d 5 -p {CLOSED}": reset("RA", 0, SEQ + 6),
    f"-p {CLOSED}": reset("RA", 0, SEQ),
    f"-F -p {CLOSED}": reset("RA", 0, SEQ + 1),
    f"-F -P -U -p {CLOSED}": reset("RA", 0, SEQ + 1),  # T7
    f"-S -F -p {CLOSED}": reset("RA", 0, SEQ + 2),
    f"-p {OPEN}": reset("RA", 0, SEQ),  # T2
    f"-F -p {OPEN}": reset("RA", 0, SEQ + 1),
    f"-F -P -U -p {OPEN}": reset("RA", 0, SEQ + 1),
    f"-S -F -p {OPEN}": reset("RA", 0, SEQ + 2),  # T3
    f"-A -p {OPEN}": _NO_ACK,  # T4
    f"-A -p {CLOSED}": _NO_ACK,  # T6
    f"-F -A -p {OPEN}": _NO_ACK,
    f"-S -A -p {OPEN}": _NO_ACK,
    f"-R -p {OPEN}": None,
    f"-S -R -p {OPEN}": None,
}


def replies(scanned: Street, options: str) -> dict[str, Reply | None]:
    """What each target answers to one probe."""
    command = ("hping3", "-n", "-V", "-c", "1", "-i", "u100000", "-M", str(SEQ), "-L", str(ACK), *options.split())
    running = {name: scanned.start(*command, addresses[0]) for name, addresses in TARGETS.items()}
    return {name: read(run(process)) for name, process in running.items()}


def read(output: str) -> Reply | None:
    ip = re.search(r"ttl=(\d+) (DF )?id=(\d+) tos=0 iplen=(\d+)", output)
    if ip is None:
        assert "100% packet loss" in output
        return None
    found = re.search(r"flags=(\w+) .*win=(\d+) .*\nseq=(\d+) ack=(\d+)", output)
    assert found is not None, output
    return Reply(
        found[1], int(found[2]), int(found[3]), int(found[4]), int(ip[1]), ip[2] is not None, ip[3] != "0", int(ip[4])
    )


@requires_tool("hping3")
@pytest.mark.parametrize("options", list(PROBES))
def test_an_odd_probe(scanned: Street, options: str) -> None:
    found = replies(scanned, options)
    assert found["linux"] == found["kernel"]
    assert found["windows"] == PROBES[options]


@requires_tool("hping3")
@pytest.mark.parametrize("options", ["-S", "-S -d 5", "-S -P -U"])
def test_a_syn_that_is_taken(scanned: Street, options: str) -> None:
    """The window is the receive buffer's business."""
    found = replies(scanned, f"{options} -p {OPEN}")
    compared = {name: reply and reply._replace(seq=0, window=0) for name, reply in found.items()}
    assert compared["linux"] == compared["kernel"]
    assert compared["windows"] == Reply("SA", 0, 0, SEQ + 1, length=44, **_COMMON)  # type: ignore[arg-type]


# nmap -O

WINDOWS_10 = """
    SEQ(TI=I%CI=I%II=I%SS=S)
    OPS(O1=M5B4NW8ST11%O2=M5B4NW8ST11%O3=M5B4NW8NNT11%O4=M5B4NW8ST11%O5=M5B4NW8ST11%O6=M5B4ST11)
    WIN(W1=FFFF%W2=FFFF%W3=FFFF%W4=FFFF%W5=FFFF)
    ECN(R=Y%DF=Y%T=80%W=FFFF%O=M5B4NW8NNS%CC=Y%Q=)
    T1(R=Y%DF=Y%T=80%S=O%A=S+%F=AS%RD=0%Q=)
    T2(R=Y%DF=Y%T=80%W=0%S=Z%A=S%F=AR%O=%RD=0%Q=)
    T3(R=Y%DF=Y%T=80%W=0%S=Z%A=O%F=AR%O=%RD=0%Q=)
    T4(R=Y%DF=Y%T=80%W=0%S=A%A=O%F=R%O=%RD=0%Q=)
    T5(R=Y%DF=Y%T=80%W=0%S=Z%A=S+%F=AR%O=%RD=0%Q=)
    T6(R=Y%DF=Y%T=80%W=0%S=A%A=O%F=R%O=%RD=0%Q=)
    T7(R=Y%DF=Y%T=80%W=0%S=Z%A=S+%F=AR%O=%RD=0%Q=)
    U1(R=Y%DF=N%T=80%IPL=164%UN=0%RIPL=G%RID=G%RIPCK=G%RUCK=G%RUD=G)
    IE(R=Y%DFI=N%T=80%CD=Z)
"""
"""nmap-os-db of nmap 7.93, what most of "Microsoft Windows 10" (1507 to 1909) and "Microsoft Windows Server 2016" agree
on, for a direct link; CC is that of the servers, and N of the others.  Windows are FFFF from 1709 on, 2000 before."""

RANDOM = {"SEQ": ("SP", "GCD", "ISR")}
"""Statistics of initial sequence numbers: another in each run."""

OF_THE_BUFFER = {"WIN": tuple(f"W{number}" for number in range(1, 7)), "ECN": ("W",)}
CLOCK = {"SEQ": ("TS",)}
"""Where timestamps start is each connection's own, so nmap sees no clock in them.  On Windows it does: A."""
SMALL_WINDOW = {"WIN": ("W6",)}
"""To a peer without window scaling: FF70, FFDC or FFFF."""


def read_tests(text: str) -> Fingerprint:
    tests = re.findall(r"(\w+)\(([^)]*)\)", text)
    return {name: dict(part.split("=", 1) for part in parts.split("%") if part) for name, parts in tests}


def without(fingerprint: Fingerprint, *dropped: Mapping[str, tuple[str, ...]]) -> Fingerprint:
    """Tests and values that can be compared."""
    return {
        name: {key: value for key, value in values.items() if not any(key in part.get(name, ()) for part in dropped)}
        for name, values in fingerprint.items()
        if name != "SCAN"
    }


def scales_alike(fingerprint: Fingerprint) -> Fingerprint:
    """Window scales made the same: they follow from receive buffers."""
    for options in fingerprint["OPS"], fingerprint["ECN"]:
        options.update({key: re.sub("NW[0-9A-E]", "NW?", value) for key, value in options.items()})
    return fingerprint


@pytest.fixture(scope="module")
def fingerprints(scanned: Street) -> dict[str, Fingerprint]:
    return {target: scanned.fingerprint(target) for target in TARGETS}


def test_nmap_sees_the_kernel_in_the_linux_set(fingerprints: dict[str, Fingerprint]) -> None:
    dropped = RANDOM, OF_THE_BUFFER, CLOCK
    ours, theirs = (scales_alike(without(fingerprints[name], *dropped)) for name in ("linux", "kernel"))
    assert ours == theirs


def test_nmap_sees_windows_in_the_windows_set(fingerprints: dict[str, Fingerprint]) -> None:
    assert without(fingerprints["windows"], RANDOM, CLOCK, SMALL_WINDOW) == read_tests(WINDOWS_10)


@FAMILIES
@pytest.mark.parametrize(("target", "system"), [("linux", "Linux"), ("windows", "Microsoft Windows")])
def test_nmap_takes_it_for_what_it_says(scanned: Street, family: int, target: str, system: str) -> None:
    assert system in scanned.guess(family, target)


@pytest.mark.parametrize("target", ["linux", "windows"])
def test_what_nmap_sees_is_what_was_recorded(fingerprints: dict[str, Fingerprint], target: str) -> None:
    """`RECORD` is written anew by WSKNET_RECORD=1 in the environment."""
    if os.environ.get("WSKNET_RECORD"):
        record(fingerprints)
    recorded = read_tests(RECORD.read_text().partition(f"[{target}]\n")[2].partition("\n\n")[0])
    assert without(fingerprints[target], RANDOM, CLOCK) == without(recorded, RANDOM, CLOCK)


def record(fingerprints: dict[str, Fingerprint]) -> None:
    lines = [
        "What `nmap -O` (7.93) sees of wsknet's behaviour sets, and of the kernel beside them: the lines of its",
        "fingerprint, whose values are explained at https://nmap.org/book/osdetect-methods.html.",
        "Made by: WSKNET_RECORD=1 pytest -n0 tests/tap/test_probes.py -k recorded",
    ]
    for target, fingerprint in fingerprints.items():
        lines += ["", f"[{target}]"]
        for name, values in fingerprint.items():
            if name != "SCAN":
                lines.append(f"{name}({'%'.join(f'{key}={value}' for key, value in values.items())})")
    RECORD.write_text("\n".join(lines) + "\n")
