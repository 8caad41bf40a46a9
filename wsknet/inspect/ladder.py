"""The sequence diagram of a capture, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wsknet.inspect.frames import CapturedFrame

SPACING = 40
"""Characters between two participants; a label has four fewer."""
_TIME_WIDTH = 13


def draw(frames: Iterable[CapturedFrame], participants: Sequence[str], by_mac: Mapping[str, str]) -> list[str]:
    """One line per frame, an arrow from sender to receiver.

    `by_mac` tells which participant a MAC address belongs to; frames of others are left out, as are frames to a group
    on a link where nobody ever answers.  An arrow to a group ends in an asterisk.
    """
    columns = {name: _TIME_WIDTH + 2 + index * SPACING for index, name in enumerate(participants)}
    lines = [_heading(participants, columns)]
    known = list(frames)
    across = _who_is_across(known, by_mac)
    for frame in known:
        source = by_mac.get(frame.source_mac)
        target = by_mac.get(frame.destination_mac)
        if frame.is_group and source is not None:
            target = across.get((frame.interface, source))
        if source in columns and target in columns:
            lines.append(_arrow(frame, columns, source, target))
    return lines


def _who_is_across(frames: Sequence[CapturedFrame], by_mac: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """By interface and sender the participant on the other side of that link, as the unicast frames show it."""
    found: dict[tuple[str, str], str] = {}
    for frame in frames:
        source, target = by_mac.get(frame.source_mac), by_mac.get(frame.destination_mac)
        if source is not None and target is not None:
            found[frame.interface, source] = target
            found.setdefault((frame.interface, target), source)
    return found


def _heading(participants: Sequence[str], columns: Mapping[str, int]) -> str:
    line = " " * _TIME_WIDTH
    for name in participants:
        line = line.ljust(columns[name] - len(name) // 2) + name
    return line


def _arrow(frame: CapturedFrame, columns: Mapping[str, int], source: str, target: str) -> str:
    canvas = [" "] * (max(columns.values()) + 1)
    for column in columns.values():
        canvas[column] = "│"
    start = columns[source]
    end = columns[target]
    left, right = min(start, end), max(start, end)
    head = "*" if frame.is_group else "▶" if end > start else "◀"
    canvas[left + 1 : right] = "─" * (right - left - 1)
    canvas[right - 1 if end > start else left + 1] = head
    label = f" {frame.label} "[: right - left - 3]
    at = left + 1 + (right - left - len(label)) // 2
    canvas[at : at + len(label)] = label
    return f"{frame.time / 1e6:9.3f} ms".ljust(_TIME_WIDTH) + "".join(canvas)[_TIME_WIDTH:]
