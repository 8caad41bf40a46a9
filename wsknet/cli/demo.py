"""`wsknet demo`: the guided tour."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path

import click

from wsknet.apps.stages import Stage, virtual_stage
from wsknet.apps.tour import Case, Step, Tour
from wsknet.cli.platform import require_linux
from wsknet.errors import UsageError
from wsknet.inspect.explain import explain
from wsknet.inspect.frames import read
from wsknet.inspect.ladder import draw


@click.command(short_help="The guided tour: how a wildcard socket gets its address.")
@click.option("--link", type=click.Choice(["virtual", "tap"]), default="virtual", show_default=True,
              help="virtual: three emulated hosts, no privilege.  tap: the kernel is the peer (root).")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Ports, sequence numbers, everything random.")
@click.option("--pcap", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", default=None,
              help="The capture to write [default: wsknet-demo.pcapng, wsknet-demo-tap.pcapng].")  # fmt: skip
@click.option("--brief", is_flag=True, help="Leave out the decisions and the sequence diagram.")
def demo(link: str, seed: int, pcap: Path | None, brief: bool) -> None:
    """Show how a wildcard socket gets its address: at connect, per datagram, and per accepted connection.

    Exit status 0 if every claim was seen to hold, 1 if not.
    """
    path = pcap or Path("wsknet-demo.pcapng" if link == "virtual" else "wsknet-demo-tap.pcapng")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--pcap {path}: there is no directory {path.parent}")
    with _stage(link, seed, path) as stage:
        for line in stage.description:
            click.echo(line)
        with stage.host.activate():
            cases = Tour(stage.host, *stage.peers).run()
        by_mac, participants = stage.by_mac, stage.participants
    for number, case in enumerate(cases, 1):
        _show(number, case, brief)
    frames = list(read(path))
    if not brief:
        click.echo("\nWhat went over the links:\n")
        for line in draw(frames, participants, by_mac):
            click.echo("  " + line)
    click.echo(f"\n{len(frames)} frames in {path}: open it in Wireshark, or tshark -r {path}")
    if not all(case.held for case in cases):
        sys.exit(1)


def _stage(link: str, seed: int, capture: Path) -> AbstractContextManager[Stage]:
    if link == "virtual":
        return virtual_stage(seed, capture)
    require_linux("demo --link tap")
    from wsknet.apps.tap_stage import tap_stage

    return tap_stage(seed, capture)


def _show(number: int, case: Case, brief: bool) -> None:
    click.secho(f"\n{number}. {case.title}", bold=True)
    click.echo(f"   {case.claim}\n")
    for step in case.steps:
        click.echo(_step_line(step))
        if step.decision is not None and not brief:
            for line in explain(step.decision, " " * 8):
                click.secho(line, dim=True)
    verdict = "seen to hold" if case.held else "NOT SEEN TO HOLD"
    click.secho(f"   {verdict}", fg="green" if case.held else "red")


def _step_line(step: Step) -> str:
    outcome = step.local or step.status
    remark = f"  {step.remark}" if step.remark else ""
    return f"     {step.call:42} {outcome:22}{remark}".rstrip()
