"""`wsknet compare`: the same steps on emulated hosts and on the kernel."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from wsknet.cli.platform import require_linux
from wsknet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsknet.scenario.compare import Comparison, StepComparison
    from wsknet.scenario.schema import Scenario

_COLUMN = 34

LONGEST_WAIT = 10
"""Seconds that a scenario may wait if it is one of all: on the kernel they really pass."""


@click.command(short_help="The same steps on wsknet and on the Linux kernel, side by side (root).")
@click.argument("scenario", nargs=-1, metavar="SCENARIO...")
@click.option("--all", "compare_all", is_flag=True, help="Every packaged scenario that the kernel can do.")
@click.option("--seed", type=int, default=1, show_default=True, help="Ports, sequence numbers, everything random.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def compare(scenario: tuple[str, ...], compare_all: bool, seed: int, as_json: bool) -> None:
    """Run SCENARIO on emulated hosts with the behaviour of Linux, and on the kernel, in namespaces made for it.

    One scenario is shown whole, of several only those with differences.  A difference that the scenario tells of is
    known; any other is a failure.

    Exit status 0 if there is no unknown difference, 1 if there is one, 2 for unusable input.
    """
    require_linux("compare")
    if bool(scenario) == compare_all:
        raise click.UsageError("give the name or the file of a scenario, or --all")
    from wsknet.scenario.catalogue import everything, find
    from wsknet.scenario.compare import as_builtins, obstacle, waiting

    chosen = everything() if compare_all else [each for named in scenario for each in find(named)]
    left_out = {name: obstacle(each) for name, each in chosen if obstacle(each)}
    if compare_all:
        left_out |= {name: "it takes minutes: name it" for name, each in chosen if waiting(each) > LONGEST_WAIT}
    if len(chosen) == 1 and left_out:
        name, reason = next(iter(left_out.items()))
        raise UsageError(f"{name} cannot be compared with the kernel: {reason}")
    if os.geteuid() != 0:
        raise UsageError("no right to make network namespaces: run it as root")
    found = []
    for name, each in chosen:
        if name not in left_out:
            found.append(_compare(name, each, seed))
            if not as_json and (len(chosen) == 1 or found[-1].differences):
                for line in _table(found[-1], is_whole=len(chosen) == 1):
                    click.echo(line)
    if as_json:
        click.echo(json.dumps([as_builtins(comparison) for comparison in found], indent=2))
    else:
        _summarize(found, left_out)
    if any(comparison.unknown for comparison in found):
        sys.exit(1)


def _compare(name: str, scenario: Scenario, seed: int) -> Comparison:
    from wsknet.scenario.compare import compare as compare_scenario

    try:
        return compare_scenario(name, scenario, seed)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _table(comparison: Comparison, is_whole: bool) -> Iterator[str]:
    yield click.style(f"{comparison.name}: {comparison.scenario.title}", bold=True)
    if is_whole:
        yield f"      {'':{_COLUMN}}  {'wsknet as Linux':{_COLUMN}}  Linux {comparison.kernel}"
    for step in comparison.steps:
        if is_whole or step.problem:
            yield from _step(step)
    if comparison.differences and comparison.scenario.differs:
        yield f"      why: {comparison.scenario.differs.strip()}"
    yield ""


def _step(step: StepComparison) -> Iterator[str]:
    mark, colour = ("  ", None) if not step.problem else ("~ ", "yellow") if step.is_known else ("! ", "red")
    row = f"{mark}{step.number:2}. {step.sentence:{_COLUMN}}  {step.ours:{_COLUMN}}  {step.kernels}"
    yield click.style(row, fg=colour)
    if not step.problem:
        return
    yield f"      {'known' if step.is_known else 'UNKNOWN'}: {step.problem}"
    if step.expected:
        yield f"      expected {step.expected}"
    if sorted(step.our_frames) != sorted(step.kernel_frames):
        for who, frames in (("wsknet", step.our_frames), ("kernel", step.kernel_frames)):
            yield f"      {who}: {'; '.join(frames) or 'no frame'}"


def _summarize(found: list[Comparison], left_out: dict[str, str]) -> None:
    by_verdict: dict[str, list[Comparison]] = {"alike": [], "known": [], "unknown": []}
    for comparison in found:
        by_verdict[comparison.verdict].append(comparison)
    if found:
        click.echo(f"compared with Linux {found[0].kernel}")
    for comparison in by_verdict["known"]:
        click.echo(
            f"  {comparison.name} differs: {comparison.scenario.differs.strip() or 'the scenario gives no reason'}"
        )
    for reason in dict.fromkeys(left_out.values()):
        names = ", ".join(name for name, why in left_out.items() if why == reason)
        click.echo(f"  left out, as {reason}: {names}")
    counts = f"{len(by_verdict['alike'])} alike, {len(by_verdict['known'])} with known differences"
    unknown = len(by_verdict["unknown"])
    click.secho(f"{counts}, {unknown} with unknown differences", fg="red" if unknown else "green")
