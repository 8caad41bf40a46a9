"""The text of a script, line by line, as steps: `tests.support.tcp_script` has the syntax."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tests.support import tcp_script_segment
from tests.support.tcp_script_segment import SegmentLine
from wsknet.net.messages.icmp import IcmpErrorKind
from wsknet.types import SECOND, Duration

ICMP_KINDS = {
    "net_unreachable": IcmpErrorKind.NETWORK_UNREACHABLE,
    "host_unreachable": IcmpErrorKind.HOST_UNREACHABLE,
    "proto_unreachable": IcmpErrorKind.PROTOCOL_UNREACHABLE,
    "port_unreachable": IcmpErrorKind.PORT_UNREACHABLE,
    "admin_prohibited": IcmpErrorKind.ADMIN_PROHIBITED,
    "frag_needed": IcmpErrorKind.PACKET_TOO_BIG,
    "time_exceeded": IcmpErrorKind.TIME_EXCEEDED,
    "param_problem": IcmpErrorKind.PARAMETER_PROBLEM,
}
_TIME = r"\+?(?:\d+(?:\.\d*)?|\.\d+)"
_LINE = re.compile(rf"(?P<low>{_TIME}|\*)(?:~(?P<high>{_TIME}))?\s+(?P<rest>\S.*)")
_ICMP = re.compile(r"\[(-?\d+):(-?\d+)\((\d+)\)\]\s+icmp\s+(?:unreachable\s+)?(\w+)(?:\s+mtu\s+(\d+))?")


class ScriptSyntaxError(Exception):
    """The script itself is wrong, whatever the stack does."""


@dataclass(frozen=True)
class When:
    """`low` None: at any time."""

    low: Duration | None
    high: Duration
    is_relative: bool


@dataclass(frozen=True)
class SegmentIn:
    segment: SegmentLine


@dataclass(frozen=True)
class SegmentOut:
    segment: SegmentLine


@dataclass(frozen=True)
class IcmpIn:
    kind: IcmpErrorKind
    start: int
    length: int
    mtu: int


@dataclass(frozen=True)
class Call:
    name: str
    words: tuple[str, ...]
    error: str | None
    """Name of the `ErrorKind` that the call raises."""


@dataclass(frozen=True)
class Step:
    line: int
    """From 1, as the text was given."""
    text: str
    when: When
    action: SegmentIn | SegmentOut | IcmpIn | Call


def parse(text: str, calls: Iterable[str]) -> list[Step]:
    """Raises `ScriptSyntaxError` with the number of the line."""
    steps = []
    known = frozenset(calls)
    for number, line in enumerate(textwrap.dedent(text).splitlines(), 1):
        bare = re.sub(r"(^|\s)(#|//).*", "", line).strip()
        if not bare:
            continue
        try:
            steps.append(_parse_line(number, bare, known))
        except ValueError as error:
            raise ScriptSyntaxError(f"line {number}: {bare}\n{error}") from None
    return steps


def _parse_line(number: int, bare: str, calls: frozenset[str]) -> Step:
    found = _LINE.fullmatch(bare)
    if found is None:
        raise ValueError("a line starts with its time: 0.5, +.1, +.1~+.2 or *")
    when = _when(found["low"], found["high"])
    rest = found["rest"]
    action: SegmentIn | SegmentOut | IcmpIn | Call
    if rest.startswith(">"):
        action = SegmentOut(tcp_script_segment.parse(rest[1:].strip(), is_expected=True))
    elif when.low is None or found["high"]:
        raise ValueError("only what is expected may come at one of several times")
    elif rest.startswith("<"):
        action = _incoming(rest[1:].strip())
    else:
        action = _call(rest, calls)
    return Step(number, bare, when, action)


def _when(low: str, high: str | None) -> When:
    if low == "*":
        if high is not None:
            raise ValueError("* is every time already")
        return When(None, 0, True)
    is_relative = low.startswith("+")
    if high is not None and high.startswith("+") != is_relative:
        raise ValueError("both times are relative, or both absolute")
    first = int(Decimal(low) * SECOND)
    last = first if high is None else int(Decimal(high) * SECOND)
    if last < first:
        raise ValueError("the second time is before the first")
    return When(first, last, is_relative)


def _incoming(text: str) -> SegmentIn | IcmpIn:
    if "icmp" not in text:
        return SegmentIn(tcp_script_segment.parse(text, is_expected=False))
    found = _ICMP.fullmatch(text)
    if found is None or found[4] not in ICMP_KINDS:
        raise ValueError(f"not of the form  [START:END(LENGTH)] icmp KIND [mtu N]  with KIND {', '.join(ICMP_KINDS)}")
    start, end, length = (int(word) for word in found.groups()[:3])
    if end - start != length:
        raise ValueError(f"{start}:{end} is not {length} bytes")
    return IcmpIn(ICMP_KINDS[found[4]], start, length, int(found[5] or 0))


def _call(text: str, calls: frozenset[str]) -> Call:
    body, _, error = text.partition(" ! ")
    name, *words = body.split(maxsplit=1) if '"' in body else body.split()
    if name not in calls:
        raise ValueError(f"{name!r} is none of {', '.join(sorted(calls))}")
    return Call(name, tuple(words), error.strip() or None)
