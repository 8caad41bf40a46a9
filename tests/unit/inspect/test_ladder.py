"""The sequence diagram: who is where, which way the arrow points, what is left out."""

from __future__ import annotations

from dataclasses import replace

from wsknet.inspect.frames import CapturedFrame
from wsknet.inspect.ladder import draw

A, B, C, EVERYBODY = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c", "ff:ff:ff:ff:ff:ff"
NAMES = {A: "alice", B: "bob", C: "carol"}


def frame(source: str, destination: str, label: str = "hello", interface: str = "eth0", at: int = 0) -> CapturedFrame:
    return CapturedFrame(at, interface, source, destination, label, ())


def test_the_arrow_goes_from_sender_to_receiver() -> None:
    _, right, left = draw([frame(A, B), frame(B, A, "hi", at=1_500_000)], ["alice", "bob"], NAMES)
    assert "─ hello ─" in right
    assert right.rstrip().endswith("▶│")
    assert "│◀" in left
    assert left.strip().startswith("1.500 ms")


def test_the_heading_stands_over_the_columns() -> None:
    heading, line = draw([frame(A, C)], ["alice", "bob", "carol"], NAMES)
    columns = [index for index, character in enumerate(line) if character == "│"]
    for name in ("alice", "carol"):
        middle = heading.index(name) + len(name) // 2
        assert middle in columns


def test_a_broadcast_goes_to_whoever_is_seen_on_the_other_side_of_that_link() -> None:
    frames = [frame(B, EVERYBODY, "who has", "bob.eth1"), frame(C, B, "me", "carol.eth0"), frame(B, C, "x", "bob.eth1")]
    lines = draw(frames, ["alice", "bob", "carol"], NAMES)
    assert lines[1].rstrip().endswith("*│")
    assert lines[1].index("who has") > lines[1].index("│", lines[1].index("│") + 1)


def test_strangers_and_unanswered_broadcasts_are_left_out() -> None:
    stranger = "02:00:00:00:00:99"
    lines = draw([frame(stranger, A), frame(A, stranger), frame(A, EVERYBODY)], ["alice", "bob"], NAMES)
    assert len(lines) == 1


def test_a_label_never_breaks_the_lines() -> None:
    lines = draw([replace(frame(A, B), label="x" * 200), frame(A, B, "y")], ["alice", "bob"], NAMES)
    assert len({len(line) for line in lines[1:]}) == 1
