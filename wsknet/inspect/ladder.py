"""The sequence diagram of a capture, as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wsknet.inspect.frames import CapturedFrame

SPACING = 40
"""Characters between two participants; a label has four fewer."""
_TIME_WIDTH = 13


def draw(frames: Iterable[CapturedFrame], participants: Sequence[str], by_mac: Mapping[str, str]) -> list[str]:
    """One line per frame, an arrow from sender to receiver.

    `by_mac` tells which participant a MAC address belongs to; frames of others are left out.  A frame to a group is
    drawn to the next participant on the sender's link with an asterisk, where `by_mac` knows no better.
    """
    columns = {name: _TIME_WIDTH + 2 + index * SPACING for index, name in enumerate(participants)}
    lines = [_heading(participants, columns)]
    for frame in frames:
        source = by_mac.get(frame.source_mac)
        target = by_mac.get(frame.destination_mac)
        if source is None or source not in columns or (target is None and not frame.is_group):
            continue
        lines.append(_arrow(frame, columns, source, target))
    return lines


def _heading(participants: Sequence[str], columns: Mapping[str, int]) -> str:
    line = " " * _TIME_WIDTH
    for name in participants:
        line = line.ljust(columns[name] - len(name) // 2) + name
    return line


def _arrow(frame: CapturedFrame, columns: Mapping[str, int], source: str, target: str | None) -> str:
    canvas = [" "] * (max(columns.values()) + 1)
    for column in columns.values():
        canvas[column] = "│"
    start = columns[source]
    end = columns[target] if target is not None else _neighbouring(columns, frame, source)
    left, right = min(start, end), max(start, end)
    head = "*" if target is None else "▶" if end > start else "◀"
    canvas[left + 1 : right] = "─" * (right - left - 1)
    canvas[right - 1 if end > start else left + 1] = head
    label = f" {frame.label} "[: right - left - 3]
    at = left + 1 + (right - left - len(label)) // 2
    canvas[at : at + len(label)] = label
    return f"{frame.time / 1e6:9.3f} ms  ".ljust(_TIME_WIDTH) + "".join(canvas)[_TIME_WIDTH:]


def _neighbouring(columns: Mapping[str, int], frame: CapturedFrame, source: str) -> int:
    """The column a group frame is drawn towards: the participant that its interface is named for, or the next one."""
    names = list(columns)
    index = names.index(source)
    return columns[names[index + 1 if index + 1 < len(names) else index - 1]]
