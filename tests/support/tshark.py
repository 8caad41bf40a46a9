"""What Wireshark thinks of a capture.  Tests that use this are marked `requires_tool("tshark")`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

CHECK_ALL = ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE")
"""Off in Wireshark by default, since offload makes sent frames look wrong."""

PROTOCOLS = ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp")
CHECKSUMS = tuple(f"{protocol}.checksum.status" for protocol in PROTOCOLS)
NEGATIVE_ZERO = "tcp.checksum == 0xffff && tcp.checksum_calculated == 0"
"""Where the sum of a segment is zero, the kernel of Linux writes the other zero of ones' complement, as UDP has to.  It
counts as right (RFC 1624 3); tshark calls it bad."""
RETRANSMISSIONS = tuple(f"tcp.analysis.{kind}retransmission" for kind in ("", "fast_", "spurious_"))


@dataclass(frozen=True)
class Verdict:
    """Frame numbers, from 1, of what is wrong in a capture."""

    frames: int
    bad_checksums: tuple[int, ...]
    malformed: tuple[int, ...]
    retransmissions: tuple[int, ...]

    @property
    def is_clean(self) -> bool:
        return self.frames > 0 and not (self.bad_checksums or self.malformed or self.retransmissions)


def judge(capture: Path) -> Verdict:
    """Read the whole capture with every checksum verified.  Fails the test if tshark cannot read it."""
    rows = fields(capture, "frame.number", "_ws.malformed", *CHECKSUMS, *RETRANSMISSIONS)
    checksums = slice(2, 2 + len(CHECKSUMS))
    retransmissions = slice(checksums.stop, None)

    def numbers(wrong: list[bool]) -> tuple[int, ...]:
        return tuple(int(row[0]) for row, is_wrong in zip(rows, wrong, strict=True) if is_wrong)

    bad = numbers([any(_is_bad(status) for status in row[checksums]) for row in rows])
    if bad:
        mangled = {int(number) for (number,) in fields(capture, "frame.number", where=NEGATIVE_ZERO)}
        bad = tuple(number for number in bad if number not in mangled)
    return Verdict(
        frames=len(rows),
        bad_checksums=bad,
        malformed=numbers([bool(row[1]) for row in rows]),
        retransmissions=numbers([any(row[retransmissions]) for row in rows]),
    )


def _is_bad(statuses: str) -> bool:
    """One status per header of the kind: an ICMP error quotes a second IP header."""
    return any(status in {"0", "Bad"} for status in statuses.split(","))


def fields(capture: Path, *names: str, where: str = "") -> list[list[str]]:
    """One row per frame that the display filter `where` selects, with the values of the fields `names` as text."""
    options = [option for preference in CHECK_ALL for option in ("-o", preference)]
    columns = [option for name in names for option in ("-e", name)]
    command = ["tshark", "-n", "-r", str(capture), *options, "-T", "fields", *columns]
    done = subprocess.run([*command, *(["-Y", where] if where else [])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"tshark cannot read {capture}: {done.stderr.strip()}"
    return [line.split("\t") for line in done.stdout.splitlines()]
