"""`wsknet run`: scenarios."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsknet.errors import UsageError

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.runner import Result
    from wsknet.scenario.schema import Scenario

_FACES = ("wsk", "winsock", "linux", "bsd")


@click.command(short_help="Run scenarios, and see whether every expectation holds.")
@click.argument("scenario", nargs=-1, metavar="SCENARIO...")
@click.option(
    "--all", "run_all", is_flag=True, help="Every packaged scenario, on a TAP every one that makes sense there."
)
@click.option(
    "--face", type=click.Choice(_FACES), multiple=True, help="For these only [default: all the scenario names]."
)
@click.option("--policy", multiple=True, metavar="NAME=VALUE", help="Set a policy of the hosts otherwise.")
@click.option(
    "--link",
    type=click.Choice(["virtual", "tap"]),
    default="virtual",
    show_default=True,
    help="virtual: in virtual time, no privilege.  tap: the other hosts are the kernel's (root).",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Ports, sequence numbers, everything random.")
@click.option("--pcap", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write every frame; its comment has the step and the decision behind it.")  # fmt: skip
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.html", help="Write a page.")
@click.option("--brief", is_flag=True, help="Leave out the decisions.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def run(
    scenario: tuple[str, ...],
    run_all: bool,
    face: tuple[str, ...],
    policy: tuple[str, ...],
    link: str,
    seed: int,
    pcap: Path | None,
    report: Path | None,
    brief: bool,
    as_json: bool,
) -> None:
    """Run SCENARIO: a packaged one by its name or number (`wsknet list` has them), or a file.

    One scenario is told step by step; of several only what failed, and a summary.  With --policy only what happens is
    shown: the expectations are for the hosts as the file has them.

    Exit status 0 if every expectation held, 1 if one did not, 2 for unusable input.
    """
    from wsknet.scenario import text_report
    from wsknet.scenario.catalogue import everything, find

    if bool(scenario) == run_all:
        raise click.UsageError("give the name or the file of a scenario, or --all")
    chosen = everything() if run_all else [each for named in scenario for each in find(named)]
    if run_all and link == "tap":
        chosen = [(name, each) for name, each in chosen if not each.no_tap]
    _check(chosen, face, link, pcap)
    results: list[Result] = []
    for name, each in chosen:
        for number, column in enumerate(_columns(each, face, policy)):
            results.append(_run(name, each, column, link, seed, None if number else pcap))
            if not as_json and len(chosen) == 1:
                _tell(results[-1], brief, is_first=number == 0, is_judged=not policy)
    if not results:
        raise UsageError(f"none of these says anything for {', '.join(face)}: leave --face out, or choose another")
    if report is not None:
        from wsknet.scenario.report import write_report

        write_report(results, report)
    if as_json:
        click.echo(json.dumps([text_report.as_builtins(result) for result in results], indent=2))
    elif len(chosen) > 1:
        _summarize(results)
    if not policy and not all(result.held for result in results):
        sys.exit(1)


def _check(chosen: list[tuple[str, Scenario]], face: tuple[str, ...], link: str, pcap: Path | None) -> None:
    if pcap is not None and len(chosen) > 1:
        raise UsageError("--pcap writes one scenario: name it")
    if pcap is not None and not pcap.absolute().parent.is_dir():
        raise UsageError(f"--pcap {pcap}: there is no directory {pcap.parent}")
    if len(chosen) == 1:
        name, scenario = chosen[0]
        for wanted in face:
            if wanted not in scenario.faces:
                raise UsageError(f"{name} says nothing for {wanted}: choose from {', '.join(scenario.faces)}")
        if link == "tap" and scenario.no_tap:
            raise UsageError(f"{name} makes no sense on a TAP: {scenario.no_tap}")
    if link == "tap":
        from wsknet.cli.platform import require_linux

        require_linux("run --link tap")


def _columns(scenario: Scenario, faces: tuple[str, ...], policies: tuple[str, ...]) -> list[Column]:
    from wsknet.scenario.columns import columns_of, with_policy

    columns = columns_of(scenario, faces)
    if not policies:
        return columns
    changed = []
    for column in columns:
        if column.flip is not None:
            continue
        behaviour = column.behaviour
        for words in policies:
            name, _, value = words.partition("=")
            try:
                behaviour = with_policy(behaviour, name, value)
            except ValueError as error:
                raise UsageError(f"--policy {words}: {error}") from None
        changed.append(column._replace(behaviour=behaviour))
    return changed


def _run(name: str, scenario: Scenario, column: Column, link: str, seed: int, pcap: Path | None) -> Result:
    from wsknet.scenario.runner import run as run_scenario

    if link == "virtual":
        from wsknet.scenario.virtual import VirtualWorld

        return run_scenario(name, scenario, column, VirtualWorld(scenario, column, seed, pcap))
    from wsknet.scenario.tap import TapWorld

    return run_scenario(name, scenario, column, TapWorld(scenario, column, pcap), "tap")


def _tell(result: Result, brief: bool, is_first: bool, is_judged: bool) -> None:
    from wsknet.scenario import text_report

    scenario = result.scenario
    if is_first:
        click.secho(scenario.title, bold=True)
        numbers = f"{', '.join(scenario.cases)}; " if scenario.cases else ""
        click.echo(f"{numbers}{scenario.grade.value}: {scenario.source or 'no source named'}")
    click.echo()
    for line in text_report.lines(result, not brief):
        click.echo(line)
    if not is_judged:
        click.echo("  not judged: the expectations are for the hosts as the file has them")
        return
    verdict, colour = ("every expectation held", "green") if result.held else ("AN EXPECTATION DID NOT HOLD", "red")
    click.secho(f"  {verdict}", fg=colour)


def _summarize(results: list[Result]) -> None:
    from wsknet.scenario import text_report

    failed = [result for result in results if not result.held]
    for result in failed:
        click.secho(f"{result.name}, {result.column.name}", bold=True)
        for step in result.steps:
            if step.failures:
                click.echo(f"  {step.number:2}. {step.sentence}")
                for line in text_report.failures(step):
                    click.echo(line)
    names: dict[str, Any] = {result.name: None for result in results}
    held = len(results) - len(failed)
    click.secho(
        f"{len(names)} scenarios, {len(results)} runs: {held} held, {len(failed)} did not",
        fg="red" if failed else "green",
    )
