"""What Wireshark thinks of a capture.  Tests that use this are marked `requires_tool("tshark")`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.benchmark.bulk import PORT as BULK_PORT

CHECK_ALL = ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE")
"""Off in Wireshark by default, since offload makes sent frames look wrong."""

IN_ORDER = "tcp.reassemble_out_of_order:TRUE"
"""Off by default, too.  Without it a message of which a segment was lost and sent again counts as malformed."""

NO_GUESS = (f"tcp.port=={BULK_PORT},data", "udp.port==33434-33600,data")
"""Random octets look like the beginning of this protocol or that one to its heuristics; and the probes of traceroute
come from a random port, which may be that of some protocol."""

PROTOCOLS = ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp")
CHECKSUMS = tuple(f"{protocol}.checksum.status" for protocol in PROTOCOLS)
NEGATIVE_ZERO = "tcp.checksum == 0xffff && tcp.checksum_calculated == 0"
"""Where the sum of a segment is zero, the kernel of Linux writes the other zero of ones' complement, as UDP has to.  It
counts as right (RFC 1624 3); tshark calls it bad."""
RETRANSMISSIONS = tuple(f"tcp.analysis.{kind}retransmission" for kind in ("", "fast_", "spurious_"))
DISORDER = tuple(f"tcp.analysis.{kind}" for kind in ("out_of_order", "lost_segment", "ack_lost_segment"))
"""A segment before or after its turn, or one acknowledged that the capture lacks."""

EXPERT = ("_ws.expert.severity", "_ws.expert.message")
PI_WARN = 0x600000
"""Of epan/proto.h: above are errors, below notes, the chat of opening and closing, and comments.

A window that is full (tcp.analysis.window_full) or closed (zero_window) is a warning, too.  Neither is an error in
itself (RFC 9293 3.8.6), but a receiver that takes what comes, and a sender that stops at its congestion window, cause
neither: so in a run that counts as flawless they count as well.
"""


@dataclass(frozen=True)
class Verdict:
    """Frame numbers, from 1, of what is wrong in a capture."""

    frames: int
    bad_checksums: tuple[int, ...]
    malformed: tuple[int, ...]
    retransmissions: tuple[int, ...]
    disordered: tuple[int, ...]
    warnings: tuple[tuple[int, str], ...]
    """With everything that Wireshark's experts say of the frame.  A reset is one of them."""

    @property
    def is_clean(self) -> bool:
        return self.frames > 0 and not (self.bad_checksums or self.malformed or self.retransmissions)

    @property
    def is_flawless(self) -> bool:
        """Clean, all in order, and nothing that an expert would raise an eyebrow at."""
        return self.is_clean and not (self.disordered or self.warnings)


def judge(capture: Path) -> Verdict:
    """Read the whole capture with every checksum verified.  Fails the test if tshark cannot read it."""
    groups = (CHECKSUMS, RETRANSMISSIONS, DISORDER)
    names = [name for group in groups for name in group]
    rows = fields(capture, "frame.number", "_ws.malformed", *EXPERT, *names)
    where = {name: column for column, name in enumerate(names, start=2 + len(EXPERT))}

    def marked(group: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(int(row[0]) for row in rows if any(row[where[name]] for name in group))

    bad = tuple(int(row[0]) for row in rows if any(_is_bad(row[where[name]]) for name in CHECKSUMS))
    warnings = tuple((int(row[0]), row[3]) for row in rows if _is_warning(row[2]))
    if bad:
        mangled = {int(number) for (number,) in fields(capture, "frame.number", where=NEGATIVE_ZERO)}
        bad = tuple(number for number in bad if number not in mangled)
        warnings = tuple(warning for warning in warnings if warning[0] not in mangled)
    return Verdict(
        frames=len(rows),
        bad_checksums=bad,
        malformed=tuple(int(row[0]) for row in rows if row[1]),
        retransmissions=marked(RETRANSMISSIONS),
        disordered=marked(DISORDER),
        warnings=warnings,
    )


def _is_warning(severities: str) -> bool:
    """One for each thing that an expert says of the frame."""
    return any(int(severity) >= PI_WARN for severity in severities.split(",") if severity)


def _is_bad(statuses: str) -> bool:
    """One status per header of the kind: an ICMP error quotes a second IP header."""
    return any(status in {"0", "Bad"} for status in statuses.split(","))


def fields(capture: Path, *names: str, where: str = "") -> list[list[str]]:
    """One row per frame that the display filter `where` selects, with the values of the fields `names` as text."""
    options = [option for preference in (*CHECK_ALL, IN_ORDER) for option in ("-o", preference)]
    columns = [option for name in names for option in ("-e", name)]
    guesses = [option for each in NO_GUESS for option in ("-d", each)]
    command = ["tshark", "-n", "-r", str(capture), *guesses, *options, "-T", "fields", *columns]
    done = subprocess.run([*command, *(["-Y", where] if where else [])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"tshark cannot read {capture}: {done.stderr.strip()}"
    return [line.split("\t") for line in done.stdout.splitlines()]
