"""`wsknet explain listen`: which SAN NICs a listening program hears, too (Winsock Direct)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from wsknet.cli import host_words as words
from wsknet.cli.explain import about_host, code_of, outcome_of, san_option, wrapped
from wsknet.cli.which_host import san_nics, which_host
from wsknet.errors import UsageError
from wsknet.inspect.explain import explain_result, legend, result_data
from wsknet.inspect.winsock_direct import listens
from wsknet.san.policy import Wildcard
from wsknet.scenario.columns import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsknet.inspect.what_if import Result

SYSTEMS = {Wildcard.PRE_VISTA: "Before Vista", Wildcard.VISTA: "From Vista on"}


@click.command(short_help="Which SAN NICs does a listening program hear, too?")
@click.argument("name", metavar="ADDRESS:PORT")
@san_option
@about_host
def listen(name: str, san: tuple[str, ...], **common: Any) -> None:
    """Which SAN NICs does a program hear that listens at ADDRESS:PORT, and by which companion sockets?

    \b
    A server on all addresses of a host with one SAN NIC (Winsock Direct), under both policies for the wildcard:
      wsknet explain listen 0.0.0.0:80 --san san0 \\
          --interface "eth0 10.1.0.2/24" --interface "san0 10.9.0.2/24"
    """
    where = which_host(**common)
    nics = san_nics(where, san)
    if not nics:
        raise UsageError("say which NICs a SAN service provider serves: --san NAME")
    local = words.parse_name(name, where.zones)
    results = listens(where.make, NAMES["winsock"], local, [str(where.zones[nic]) for nic in nics])
    title = f"listen at {name}, SAN NICs: {', '.join(nics)}"
    if common["is_json"]:
        answers = {
            each.value: {"system": SYSTEMS[each], **result_data(result), "code": code_of("winsock", result) or None}
            for each, result in results.items()
        }
        data = {"question": title, "host": where.title, "notes": list(where.notes), "answers": answers}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    lines = [f"{title} ({where.title})"]
    for systems, answer in _told(results):
        lines += ["", f"{systems}: {answer[0]}", "", *answer[1:]]
    lines += [f"  {line}" for line in wrapped(legend([line.strip() for line in lines]))]
    lines += [f"Note: {note}." for note in where.notes]
    for line in lines:
        click.echo(line)


def _told(results: Mapping[Wildcard, Result]) -> list[tuple[str, list[str]]]:
    """The systems, and what there is to say of them: once where the policy makes no difference."""
    answers = [
        (SYSTEMS[wildcard], [outcome_of("winsock", result), *(f"  {line}" for line in explain_result(result))])
        for wildcard, result in results.items()
    ]
    if all(answer == answers[0][1] for _, answer in answers):
        return [("Before Vista and from Vista on", answers[0][1])]
    return answers
