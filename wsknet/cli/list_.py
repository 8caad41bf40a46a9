"""`wsknet list`: the packaged scenarios."""

from __future__ import annotations

import json

import click


@click.command("list", short_help="The packaged scenarios, by topic.")
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Everything, for programs.")
def list_scenarios(words: tuple[str, ...], as_json: bool) -> None:
    """List the packaged scenarios, one line each; with WORDS only those that have them all in name, number or title.

    `wsknet run NAME` runs one.
    """
    from wsknet.scenario.catalogue import everything

    found = [
        (name, scenario)
        for name, scenario in everything()
        if all(
            word.lower() in f"{name} {' '.join(scenario.cases)} {scenario.topic} {scenario.title}".lower()
            for word in words
        )
    ]
    if as_json:
        told = [
            {
                "name": name,
                "title": scenario.title,
                "topic": scenario.topic,
                "cases": list(scenario.cases),
                "grade": scenario.grade.value,
                "source": scenario.source,
                "faces": list(scenario.faces),
            }
            for name, scenario in found
        ]
        click.echo(json.dumps(told, indent=2))
        return
    topics: dict[str, list[str]] = {}
    width = max((len(name) for name, _ in found), default=0)
    for name, scenario in found:
        numbers = f" ({', '.join(scenario.cases)})" if scenario.cases else ""
        topics.setdefault(scenario.topic, []).append(f"  {name:{width}}  {scenario.title}{numbers}")
    for topic, entries in topics.items():
        click.secho(topic, bold=True)
        for entry in entries:
            click.echo(entry)
    if not found:
        click.echo("no scenario has these words: `wsknet list` shows all")
