"""Runs of scenarios as one page for a browser: nothing is loaded from elsewhere, and nothing in it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from wsknet.errors import UsageError
from wsknet.types import MILLISECOND

if TYPE_CHECKING:
    from wsknet.scenario.judge import Failure
    from wsknet.scenario.runner import Result, StepResult
    from wsknet.scenario.schema import Host, Interface, Scenario

TEMPLATE = Path(__file__).with_name("report.html")


def write_report(results: Sequence[Result], path: Path) -> None:
    """`UsageError` tells why the file cannot be written."""
    try:
        path.write_text(render_report(results), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}: give --report a file that can be written") from None


def render_report(results: Sequence[Result]) -> str:
    """The page.  The same runs give the same text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["milliseconds"] = _milliseconds
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    chapters = list(_chapters(results))
    return template.render(
        chapters=chapters,
        title=chapters[0].scenario.title if len(chapters) == 1 else f"{len(chapters)} scenarios",
        failures=[failure for chapter in chapters for failure in chapter.failures],
    )


@dataclass(frozen=True)
class StepOfRun:
    """A step in one run, where links can lead to it."""

    anchor: str
    run: Run
    result: StepResult

    @property
    def rule(self) -> str:
        """The expectation."""
        return self.run.result.column.expected(self.result.step.rule)


@dataclass(frozen=True)
class Run:
    """A scenario on one face."""

    anchor: str
    result: Result

    @property
    def steps(self) -> list[StepOfRun]:
        return [StepOfRun(f"{self.anchor}-{step.number}", self, step) for step in self.result.steps]


@dataclass(frozen=True)
class FailedStep:
    """One expectation that did not hold."""

    at: StepOfRun
    failure: Failure


@dataclass(frozen=True)
class Row:
    """What one step came to on every face."""

    sentence: str
    cells: list[StepOfRun | None]
    """`None` where the step is not run."""

    @property
    def differs(self) -> bool:
        return len({cell.result.outcome for cell in self.cells if cell is not None}) > 1


@dataclass(frozen=True)
class Chapter:
    """All runs of one scenario."""

    anchor: str
    name: str
    scenario: Scenario
    runs: list[Run]

    @property
    def failures(self) -> list[FailedStep]:
        return [
            FailedStep(step, failure) for run in self.runs for step in run.steps for failure in step.result.failures
        ]

    @property
    def rows(self) -> list[Row]:
        by_run = [{step.result.number: step for step in run.steps} for run in self.runs]
        numbers = sorted({number for steps in by_run for number in steps})
        rows = []
        for number in numbers:
            cells = [steps.get(number) for steps in by_run]
            sentence = next(cell.result.sentence for cell in cells if cell is not None)
            rows.append(Row(f"{number}. {sentence}", cells))
        return rows

    @property
    def hosts(self) -> list[tuple[str, Host, str]]:
        return [(name, host, _said_of_host(host)) for name, host in self.scenario.hosts.items()]

    def said_of(self, interface: Interface) -> str:
        """What is not as it mostly is."""
        words = [] if interface.up else ["down"]
        if interface.mtu != 1500:
            words.append(f"MTU {interface.mtu}")
        for way, value in (("send", interface.weak_send), ("receive", interface.weak_receive)):
            if value is not None:
                words.append(f"{'weak' if value else 'strong'} {way}")
        if interface.dhcp:
            words.append("asks a DHCP server")
        if interface.mac:
            words.append(interface.mac)
        return ", ".join(words)


def _chapters(results: Sequence[Result]) -> Iterator[Chapter]:
    named: dict[str, list[Result]] = {}
    for result in results:
        named.setdefault(result.name, []).append(result)
    for number, (name, of_one) in enumerate(named.items(), 1):
        runs = [Run(f"s{number}-{place}", result) for place, result in enumerate(of_one, 1)]
        yield Chapter(f"s{number}", name, of_one[0].scenario, runs)


def _said_of_host(host: Host) -> str:
    words = ["router"] if host.is_router else []
    if host.behaves:
        words.append(f"always behaves as {host.behaves}")
    if host.loopback:
        words.append(f"loopback has {', '.join(host.loopback)} too")
    if host.dynamic_ports:
        words.append(f"dynamic ports {host.dynamic_ports}")
    if host.excluded_ports:
        words.append(f"excluded ports {host.excluded_ports}")
    if not host.autoconfiguration:
        words.append("autoconfiguration off")
    if host.hosts:
        words.append(f"hosts file: {'; '.join(host.hosts)}")
    if host.dns:
        words.append(f"asks {', '.join(host.dns)} for names")
    if host.faults is not None:
        words.append(f"completions come {host.faults.completing}")
    if host.verified:
        words.append("drivers are verified")
    if host.zone:
        words.append(f"DNS server of {'; '.join(host.zone)}")
    return ", ".join(words)


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / MILLISECOND:.3f} ms"
