"""The page of `wsknet run --report`."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wsknet.errors import UsageError
from wsknet.scenario.columns import column
from wsknet.scenario.load import read
from wsknet.scenario.report import render_report, write_report
from wsknet.scenario.runner import Result, run
from wsknet.scenario.virtual import VirtualWorld
from wsknet.scenario.yaml_tree import Document

SCENARIO = """
title: A datagram, and <what> may be shared
topic: reports
cases: [BIND-1]
about: Two sockets & one port.
source: a "page"
hosts:
  server:
    interfaces:
      if1: {link: near, addresses: [10.1.0.2/24, 10.1.0.9/24], mtu: 1400, weak_send: true}
    routes: [{to: 0.0.0.0/0, via: 10.1.0.1, metric: 7}]
    dynamic_ports: 50000-50003
  client:
    interfaces:
      eth0: {link: near, addresses: [10.1.0.50/24]}
steps:
  - {socket: s, on: server, note: Read along.}
  - {option: s, set: exclusive, faces: [windows]}
  - {bind: s, to: "0.0.0.0:53"}
  - {socket: t, on: server}
  - {option: t, set: reuse}
  - {bind: t, to: "0.0.0.0:53", expect: %s}
  - {socket: c, on: client}
  - {bind: c, to: "0.0.0.0:4000"}
  - {send: c, data: "<hi>", to: "10.1.0.9:53"}
  - {receive: s, expect: "<hi> from 10.1.0.50:4000"}
  - {send: s, to: "10.1.0.50:4000"}
"""
VOID = {"meta", "br"}


class Page(HTMLParser):
    """What the tests ask of a page: text, links, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._classes: list[str] = []
        self.of_class: dict[str, list[str]] = {}
        """What stands in elements of a class."""
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
            self._classes.append(found.get("class") or "")
            self.of_class.setdefault(self._classes[-1], []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag
        self._classes.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.text += data
        for name in dict.fromkeys(self._classes):
            self.of_class[name][-1] += data

    def values(self, attribute: str) -> list[str]:
        return [value for _, found in self.tags for name, value in found.items() if name == attribute and value]


def runs(
    expected: str = "{windows: denied, linux: in-use}", faces: tuple[str, ...] = ("wsk", "linux"), name: str = "one"
) -> list[Result]:
    scenario = read(Document("one.yaml", SCENARIO % expected))
    columns = [column(face, {}) for face in faces]
    return [run(name, scenario, each, VirtualWorld(scenario, each)) for each in columns]


def page(results: list[Result]) -> Page:
    return Page(render_report(results))


def test_the_page_tells_each_step_with_its_outcome() -> None:
    (result,) = results = runs(faces=("wsk",))
    found = page(results)
    for step in result.steps:
        assert f"{step.number}. {step.sentence} → {step.outcome}" in found.text
    assert "STATUS_ACCESS_DENIED" in found.text
    assert "Read along." in found.text


def test_the_page_begins_with_what_the_scenario_is_about() -> None:
    text = page(runs()).text
    for told in ("A datagram, and <what> may be shared", "BIND-1", "Two sockets & one port.", 'reasoned: a "page"'):
        assert told in text


@pytest.mark.parametrize(
    "told", ["10.1.0.2/24", "10.1.0.9/24", "near", "MTU 1400", "weak send", "10.1.0.1", "dynamic ports 50000-50003"]
)
def test_the_topology_is_shown(told: str) -> None:
    assert told in page(runs()).text.partition("Side by side")[0]


def test_frames_stand_under_their_step_with_the_decision_behind_them() -> None:
    (result,) = results = runs(faces=("wsk",))
    frames = page(results).of_class["frames"]
    sending = next(step for step in result.steps if step.sentence.startswith("c sends"))
    listed = next(text for text in frames if "udp 10.1.0.50:4000 > 10.1.0.9:53" in text)
    for frame in sending.frames:
        assert frame.line in listed
        assert frame.comment in listed


def test_the_candidate_that_was_taken_is_marked() -> None:
    (result,) = results = runs(faces=("wsk",))
    winners = page(results).of_class["winner"]
    paths = [decision for step in result.steps for decision in step.decisions if decision.parts]
    assert paths
    taken = [c for path in paths for part in path.parts for c in part.candidates if c.is_winner]
    assert taken
    for candidate in taken:
        assert any(candidate.what in row for row in winners)


def test_rows_in_which_the_faces_differ_are_marked() -> None:
    (differing,) = page(runs()).of_class["differs"]
    assert "t binds 0.0.0.0:53" in differing
    assert "denied" in differing
    assert "in-use" in differing


def test_a_run_in_which_everything_held_says_so() -> None:
    found = page(runs())
    assert "every expectation held" in found.text
    assert "failed" not in found.of_class


def test_what_did_not_hold_comes_first_and_leads_to_its_step() -> None:
    html = render_report(runs("ok"))
    found = Page(html)
    assert "2 expectations did not hold" in found.text
    (summary,) = found.of_class["failures"]
    assert "wsk, step 6: t binds 0.0.0.0:53" in summary
    assert "outcome: expected ok, got denied" in summary
    assert found.text.index("What did not hold") < found.text.index("Hosts")
    assert sum("t binds 0.0.0.0:53" in step for step in found.of_class["bad"]) == 2


def test_links_lead_to_places_that_there_are_once() -> None:
    found = page([*runs("ok"), *runs(name="two")])
    places = found.values("id")
    assert len(places) == len(set(places))
    links = found.values("href")
    assert links
    assert {link.removeprefix("#") for link in links} <= set(places)


def test_of_several_scenarios_there_is_a_list_with_verdicts() -> None:
    text = page([*runs("ok"), *runs(name="two")]).text
    head = text.partition("Hosts")[0]
    assert re.search(r"one\s*A datagram.*?✗ failed", head, re.DOTALL)
    assert re.search(r"two\s*A datagram.*?✓ held", head, re.DOTALL)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    html = render_report(runs("ok"))
    found = Page(html)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe", "object"}
    assert all(link.startswith("#") for link in found.values("href"))
    assert "url(" not in html
    assert "@import" not in html


def test_what_a_scenario_says_is_text_and_never_markup() -> None:
    html = render_report(runs())
    assert "<what>" not in html
    assert "<hi>" not in html
    assert "<hi> from 10.1.0.50:4000" in Page(html).text


def test_the_same_runs_give_the_same_page() -> None:
    assert render_report(runs()) == render_report(runs())


def test_the_page_is_written(tmp_path: Path) -> None:
    results = runs()
    write_report(results, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == render_report(results)


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"page\.html: No such file or directory: give --report"):
        write_report(runs(), tmp_path / "missing" / "page.html")
