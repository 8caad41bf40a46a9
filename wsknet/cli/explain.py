"""`wsknet explain`: what would happen, and why."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from wsknet.cli import host_words as words
from wsknet.cli.which_host import Where, san_nics, which_host
from wsknet.errors import UsageError
from wsknet.inspect import winsock_direct
from wsknet.inspect.explain import explain_result, legend, result_data
from wsknet.inspect.what_if import Arrives, Held, MayBind, Name, Question, Result, Towards, ask
from wsknet.scenario.columns import NAMES
from wsknet.scenario.outcomes import OUTCOME_OF_KIND, render
from wsknet.types import Endpoint, Proto, family_of, is_multicast

SYSTEMS = {"wsk": "Windows (WSK)", "winsock": "Windows (Winsock)", "linux": "Linux", "bsd": "BSD"}
"""The columns of a scenario, for people."""
FACES = ("wsk", "winsock")
PROTOCOLS = {"tcp": Proto.TCP, "udp": Proto.UDP}

_PEOPLE_ASK = """
\b
Why did my UDP server answer from the other address?
  Say what the server has, who asked, and which address was asked:
    wsknet explain arrival --interface "eth0 10.1.0.2/24 10.1.0.9/24" \\
        --socket 0.0.0.0:53 --from 10.1.0.50:4000 --to 10.1.0.9:53
  or, on the server itself:
    wsknet explain arrival --host --socket 0.0.0.0:53 --from CLIENT:PORT --to SERVER:53

\b
Why did my packet leave through this interface, from this address?
    wsknet explain sendto 8.8.8.8:53 --host
    wsknet explain connect 8.8.8.8:443 --bound 10.2.0.2 \\
        --interface "eth0 10.1.0.2/24" --interface "eth1 10.2.0.2/24" \\
        --route "default via 10.1.0.1" --route "default via 10.2.0.1 metric 10"

\b
Why can my server not bind its port, when another program has it?
    wsknet explain bind 10.1.0.2:80 --interface "eth0 10.1.0.2/24" \\
        --holding "0.0.0.0:80 exclusive"

\b
Does my connection go over the SAN (Winsock Direct), and does my listener hear there?
    wsknet explain connect 10.9.0.2:80 --san san0 \\
        --interface "eth0 10.1.0.1/24" --interface "san0 10.9.0.1/24"
    wsknet explain listen 0.0.0.0:80 --san san0 \\
        --interface "eth0 10.1.0.2/24" --interface "san0 10.9.0.2/24"

\b
Which of my sockets gets this packet, and why did it never arrive?
    wsknet explain arrival --interface "eth0 10.1.0.2/24" --interface "eth1 10.2.0.2/24" \\
        --on eth0 --from 10.1.0.50:4000 --to 10.2.0.2:53 \\
        --socket 0.0.0.0:53 --socket 10.2.0.2:53

The answer is shown in full for one system (--set), and for the others where theirs differs.  Nothing is sent, and
nothing on this machine is changed.
"""


@click.group(short_help="Why this address, route, port or socket? From a file, or from this machine.", help=f"""
Tell what a host would do, the candidates, the rule that decides, where it is written, and what Windows, Linux and BSD
do differently.
{_PEOPLE_ASK}""")  # fmt: skip
def explain() -> None:
    pass


class Shown(NamedTuple):
    """What is printed, and how."""

    system: str
    is_json: bool


_Command = Callable[..., None]


def about_host(command: _Command) -> _Command:
    """Which host is meant, for all questions."""
    return _decorated(
        command,
        click.option("--interface", "-i", "interfaces", multiple=True, metavar='"NAME CIDR... [metric N] [down]"',
                     help="An interface of the host and its addresses; repeatable."),
        click.option("--route", "-r", "routes", multiple=True, metavar='"PREFIX via A [dev IF] [metric N] [src A]"',
                     help="A route, in the words of `ip route`; repeatable."),
        click.option("--file", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
                     help="Take the host from a scenario file, or from one with `hosts:` alone."),
        click.option("--on", "on", metavar="NAME", help="Which host of FILE, if there are several. For an arrival: the "
                     "interface that the packet arrives on, with FILE also HOST.INTERFACE."),
        click.option("--host", "is_here", is_flag=True, help="Ask about this machine: its interfaces, addresses and "
                     "routes are read, and nothing is changed."),
        click.option("--json", "is_json", is_flag=True, help="Everything about all systems, for programs."),
    )  # fmt: skip


def _options(command: _Command) -> _Command:
    decorated = about_host(command)
    return _decorated(
        decorated,
        click.option("--set", "behaviour", type=click.Choice(["windows", "linux", "bsd"]), default=None,
                     help="Whose answer is shown in full [default: windows; linux with --host]."),
        click.option("--face", type=click.Choice(FACES), default=None, help="On Windows: kernel drivers (wsk) or "
                     "programs (winsock)? They share ports differently [default: wsk; winsock with SAN NICs]."),
    )  # fmt: skip


def san_option(command: _Command) -> _Command:
    return _decorated(
        command,
        click.option("--san", "san", multiple=True, metavar="INTERFACE", help="A NIC that a SAN service provider "
                     "serves (Winsock Direct); repeatable [default: those of FILE]."),
    )  # fmt: skip


def _decorated(command: _Command, *decorators: Callable[[_Command], _Command]) -> _Command:
    """In reverse: click lists the last decorator first."""
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def _protocol(default: str) -> Callable[[_Command], _Command]:
    choice = click.Choice(list(PROTOCOLS))
    return click.option("--protocol", type=choice, default=default, show_default=True, help="Of the sockets.")


@explain.command(short_help="Could a socket bind this name?")
@click.argument("name", metavar="ADDRESS:PORT")
@_protocol("tcp")
@click.option("--option", "options", multiple=True, type=click.Choice(["reuse", "exclusive", "dual", "v6only"]),
              help="SO_REUSEADDR, SO_EXCLUSIVEADDRUSE, IPV6_V6ONLY off or on; repeatable.")  # fmt: skip
@click.option("--holding", multiple=True, metavar='"ADDRESS:PORT [reuse|exclusive] [as ACCOUNT]"',
              help="A socket that is bound already; repeatable.")  # fmt: skip
@click.option("--as", "account", default="", metavar="ACCOUNT", help="Who binds; all are one account unless told.")
@_options
def bind(
    name: str, protocol: str, options: tuple[str, ...], holding: tuple[str, ...], account: str, **common: Any
) -> None:
    """Could a socket bind ADDRESS:PORT, and who is in the way?

    \b
    A web server on one address while another one holds all of them:
      wsknet explain bind 10.1.0.2:80 --interface "eth0 10.1.0.2/24" --holding "0.0.0.0:80 exclusive as alice" --as bob
    An IPv6 wildcard for both families beside an IPv4 one:
      wsknet explain bind "[::]:80" --host --option dual --holding 0.0.0.0:80
    """
    where = which_host(**common)
    asked = words.parse_held(" ".join((name, *options, *(("as", account) if account else ()))), where.zones)
    held = tuple(words.parse_held(each, where.zones) for each in holding)
    question = MayBind(PROTOCOLS[protocol], asked.name, asked.sharing, asked.security, held)
    beside = f" beside {', '.join(holding)}" if holding else ""
    _answer(where, question, f"bind {protocol.upper()} {' '.join((name, *options))}{beside}", common)


def _towards(name: str, protocol: Proto, about: str, example: str) -> None:
    @explain.command(name, short_help=about)
    @click.argument("destination", metavar="ADDRESS[:PORT]")
    @click.option("--bound", default=None, metavar="ADDRESS[:PORT]", help="What the socket was bound to before.")
    @click.option("--through", default=None, metavar="INTERFACE", help="The interface that the program demands, by "
                  "IP_UNICAST_IF or IPV6_UNICAST_IF.")  # fmt: skip
    @san_option
    @_options
    def command(destination: str, bound: str | None, through: str | None, san: tuple[str, ...], **common: Any) -> None:
        where = which_host(**common)
        spot = words.parse_spot(destination, where.zones)
        own = words.parse_spot(bound, where.zones).name if bound is not None else None
        if own is not None and family_of(own.address) is not family_of(spot.name.address):
            raise UsageError(f"--bound {bound} and {destination} are of different families: give two of one family")
        if through is not None and through not in where.zones:
            raise UsageError(f"--through {through}: the host has no such interface, only {', '.join(where.zones)}")
        to = Endpoint(spot.name.address, spot.name.port if spot.has_port else 9, spot.name.zone)
        question = Towards(protocol, to, own, where.zones[through] if through else 0)
        more = (f" bound to {bound}" if bound is not None else "") + (f" through {through}" if through else "")
        if san:
            _check_san(through, common)
        _answer(where, question, f"{name} to {destination}{more}", common, san_nics(where, san))

    command.help = f"{about}\n\n\b\n{example}"


_towards("connect", Proto.TCP, "Which way and from which address would a TCP connection go?", """\
Two ways out, and the socket is bound to the address of the worse one:
  wsknet explain connect 8.8.8.8:443 --bound 10.2.0.2 \\
      --interface "eth0 10.1.0.2/24" --interface "eth1 10.2.0.2/24" \\
      --route "default via 10.1.0.1" --route "default via 10.2.0.1 metric 10"
This machine:
  wsknet explain connect 192.0.2.7:443 --host
Over the SAN (Winsock Direct), or through TCP/IP:
  wsknet explain connect 10.9.0.2:80 --san san0 --interface "eth0 10.1.0.1/24" --interface "san0 10.9.0.1/24"
""")  # fmt: skip
_towards("sendto", Proto.UDP, "Which way and from which address would a UDP datagram go?", """\
One card with two addresses:
  wsknet explain sendto 8.8.8.8:53 --interface "eth0 10.1.0.2/24 10.1.0.130/24" --route "default via 10.1.0.129"
This machine:
  wsknet explain sendto 192.0.2.7:53 --host
""")  # fmt: skip


@explain.command(short_help="Who gets this packet, and from which address is it answered?")
@click.option("--from", "source", default="", metavar="ADDRESS:PORT", help="Who sent it.")
@click.option("--to", "target", default="", metavar="ADDRESS:PORT", help="Which of our addresses it was sent to.")
@click.option("--socket", "sockets", multiple=True, metavar='"ADDRESS:PORT [reuse] [> PEER:PORT]"', help="A socket of "
              "ours and its peer if it is connected; repeatable [default: the wildcard].")  # fmt: skip
@_protocol("udp")
@_options
def arrival(source: str, target: str, sockets: tuple[str, ...], protocol: str, **common: Any) -> None:
    """Who gets a packet that arrives, and from which address is it answered?

    \b
    Why did my UDP server answer from the other address?
      wsknet explain arrival --interface "eth0 10.1.0.2/24 10.1.0.9/24" \\
          --socket 0.0.0.0:53 --from 10.1.0.50:4000 --to 10.1.0.9:53
    The same on the server itself:
      wsknet explain arrival --host --socket 0.0.0.0:53 --from CLIENT:PORT --to SERVER:53
    """
    if not source or not target:
        raise UsageError("say who sent the packet, and to which address: --from 10.1.0.50:4000 --to 10.1.0.9:53")
    where = which_host(**common, is_arrival=True)
    local = words.parse_end(target, where.zones, "--to")
    remote = words.parse_end(source, where.zones, "--from")
    if len(local.address) != len(remote.address):
        raise UsageError(f"--from {source} and --to {target} are of different families: no packet has two")
    if is_multicast(local.address):
        raise UsageError(f"--to {target} is a group: every socket that joined it gets a copy, there is nothing to ask")
    notes = where.notes
    if sockets:
        held = tuple(words.parse_held(each, where.zones, is_shared=True) for each in sockets)
    else:
        held = (Held(Name(bytes(len(local.address)), local.port)),)
        notes += (f"no --socket was given, so one is taken to be bound to {held[0].name}",)
    if protocol == "tcp" and any(each.peer for each in held):
        raise UsageError("--socket with a peer is for UDP: of TCP only listeners can be asked about")
    on = where.zones[where.arrival] if where.arrival else 0
    question = Arrives(PROTOCOLS[protocol], local, remote, on, held)
    place = f", arriving on {where.arrival}" if where.arrival else ""
    _answer(replace(where, notes=notes), question, f"{protocol.upper()} from {source} to {target}{place}", common)


def _check_san(through: str | None, common: dict[str, Any]) -> None:
    chosen = common["behaviour"]
    if chosen is not None and _system(chosen, "winsock") not in FACES:
        raise UsageError(f"--san is about Windows: leave --set {chosen} out")
    if common["face"] == "wsk":
        raise UsageError("--san is about programs, drivers do not come past the switch: leave --face wsk out")
    if through is not None:
        raise UsageError("--san and --through exclude each other: the switch knows no IP_UNICAST_IF")


def _answer(
    where: Where, question: Question, title: str, common: dict[str, Any], san: tuple[str, ...] = ()
) -> None:  # fmt: skip
    chosen = common["behaviour"] or ("linux" if where.is_linux and not san else "windows")
    system = _system(chosen, common["face"] or ("winsock" if san else "wsk"))
    shown = Shown(system, common["is_json"])
    try:
        results = ask(where.make, question, NAMES)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if san and isinstance(question, Towards):
        nics = [str(where.zones[name]) for name in san]
        results["winsock"] = winsock_direct.towards(where.make, NAMES["winsock"], question, nics, results["winsock"])
        title = f"{title}, SAN NICs: {', '.join(san)}"
    if shown.is_json:
        click.echo(json.dumps(_data(where, title, shown, results), indent=2, ensure_ascii=False))
        return
    for line in _lines(where, title, shown, results):
        click.echo(line)


def _system(behaviour: str, face: str) -> str:
    """The column that is meant by ``--set`` and ``--face``."""
    return {"windows": face}.get(behaviour, behaviour)


def _data(where: Where, title: str, shown: Shown, results: dict[str, Result]) -> dict[str, Any]:
    return {
        "question": title,
        "host": where.title,
        "chosen": shown.system,
        "notes": list(where.notes),
        "answers": {
            system: {"system": SYSTEMS[system], **result_data(result), "code": code_of(system, result) or None}
            for system, result in results.items()
        },
    }


def _lines(where: Where, title: str, shown: Shown, results: dict[str, Result]) -> list[str]:
    result = results[shown.system]
    reasons = explain_result(result)
    lines = [f"{title} ({where.title})", "", f"{SYSTEMS[shown.system]}: {outcome_of(shown.system, result)}"]
    lines += wrapped(result.advice)
    lines += ["", *(f"  {line}" for line in reasons)] if reasons else []
    lines += [f"  {line}" for line in wrapped(legend(reasons))]
    lines += ["", *_others(shown.system, results)]
    lines += [f"Note: {note}." for note in where.notes]
    return lines


def wrapped(sentences: str) -> list[str]:
    return textwrap.wrap(sentences, 110, break_long_words=False, break_on_hyphens=False)


def _others(chosen: str, results: dict[str, Result]) -> list[str]:
    """One line for each system that does something else, and one for all that do not."""
    others = {system: result for system, result in results.items() if system != chosen}
    lines = [
        f"{SYSTEMS[system]}: {outcome_of(system, result)}"
        for system, result in others.items()
        if result.outcome != results[chosen].outcome
    ]
    alike = {system: result for system, result in others.items() if result.outcome == results[chosen].outcome}
    for remark, has_same_rules in (("the same", True), ("the same, but other rules lead there", False)):
        named = [
            SYSTEMS[system]
            for system, result in alike.items()
            if (_rules(result) == _rules(results[chosen])) is has_same_rules
        ]
        if named:
            names = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
            lines.append(f"{names}: {remark}")
    return lines


def _rules(result: Result) -> list[str]:
    return [rule for part in result.parts if part.decision is not None for rule in part.decision.rules()]


def outcome_of(system: str, result: Result) -> str:
    code = code_of(system, result)
    return f"{result.outcome} [{code}]" if code else result.outcome


def code_of(system: str, result: Result) -> str:
    """What the program sees."""
    return render(OUTCOME_OF_KIND.get(result.error, ""), system) if result.error else ""
