"""Which host a question is about: one described on the command line, one of a file, or this machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from msgspec import structs

from wsknet.behaviour import Behaviour
from wsknet.cli import host_words as words
from wsknet.cli.platform import require_linux
from wsknet.errors import UsageError
from wsknet.host import Host, Network
from wsknet.inspect.what_if import Make
from wsknet.scenario import build, schema
from wsknet.scenario.columns import NAMES, Column
from wsknet.scenario.load import load_hosts
from wsknet.types import LOOPBACK_INDEX


@dataclass(frozen=True)
class Where:
    """The host that is asked about."""

    make: Make
    title: str
    zones: dict[str, int]
    """Numbers of its interfaces by name."""
    arrival: str = ""
    """The interface that ``--on`` named, if any."""
    notes: tuple[str, ...] = ()
    is_linux: bool = False
    """It is this machine, and so no Windows."""
    san: tuple[str, ...] = ()
    """Its SAN NICs, if the file names any."""


def which_host(
    *, interfaces: tuple[str, ...], routes: tuple[str, ...], file: Path | None, on: str | None, is_here: bool,
    is_arrival: bool = False, **_: object,
) -> Where:  # fmt: skip
    """One of the three ways to say which host is meant."""
    ways = [bool(interfaces or routes), file is not None, is_here]
    if sum(ways) != 1:
        problem = "which host is meant" if not any(ways) else "--interface, --file and --host exclude each other"
        raise UsageError(
            f"{problem}: describe it with {words.INTERFACE_EXAMPLE}, or --file FILE, or --host (this machine)"
        )
    if is_here:
        where = _this_machine()
    elif file is not None:
        hosts = load_hosts(file)
        name, on = _host_of(hosts, on, is_arrival, file)
        where = _described(hosts[name], f"{name} of {file}")
    else:
        where = _described(words.described_host(interfaces, routes), "the host described")
    if on is None:
        return where
    if not is_arrival:
        raise UsageError("--on names a host of --file FILE, or where a packet arrives: leave it out here")
    if on not in where.zones:
        raise UsageError(f"--on {on}: there is no interface {on}: {where.title} has {', '.join(where.zones)}")
    return replace(where, arrival=on)


def _host_of(
    hosts: dict[str, schema.Host], on: str | None, is_arrival: bool, file: Path
) -> tuple[str, str | None]:  # fmt: skip
    """The host that ``--on`` names, and the interface, if it names one as well."""
    name, _, interface = (on or "").partition(".")
    if name in hosts and (is_arrival or not interface):
        return name, interface or None
    if len(hosts) == 1 and (is_arrival or on is None):
        return next(iter(hosts)), on
    known = ", ".join(hosts)
    if on is None:
        raise UsageError(f"{file} has several hosts: choose one of {known} with --on NAME")
    raise UsageError(f"--on {on}: {file} has no such host, only {known}")


def _described(described: schema.Host, title: str) -> Where:
    described = structs.replace(described, behaves="")

    def make(behaviour: Behaviour) -> Host:
        config = build.stack_config(described, Column("", behaviour))
        host = Network().host("host", behaviour, config, described.is_router)
        build.add_interfaces(host, described)
        build.add_routes(host, described)
        return host

    notes = tuple(
        f"{name} gets its address by DHCP, and has none here"
        for name, card in described.interfaces.items()
        if card.dhcp
    )
    return _checked(Where(make, title, {}, notes=notes, san=described.san))


def _this_machine() -> Where:
    require_linux("explain --host")
    from wsknet.machine.configuration import read_configuration

    configuration = read_configuration()

    def make(behaviour: Behaviour) -> Host:
        host = Network().host("host", behaviour)
        for change in configuration.changes:
            host.apply(change)
        return host

    return _checked(Where(make, "this machine", {}, notes=configuration.notes, is_linux=True))


def _checked(where: Where) -> Where:
    """With the names of its interfaces.  A host that cannot be is told in the words of who refuses it."""
    try:
        host = where.make(NAMES["wsk"])
    except ValueError as error:
        raise UsageError(str(error)) from None
    return replace(where, zones={each.name: each.index for each in host.stack.view().interfaces})


def san_nics(where: Where, given: tuple[str, ...]) -> tuple[str, ...]:
    """What the command line names, else what the file does."""
    known = [name for name, index in where.zones.items() if index != LOOPBACK_INDEX]
    for name in given:
        if name not in known:
            raise UsageError(
                f"--san {quote(name)}: {where.title} has no such interface, only {', '.join(known) or 'none'}"
            )
    return tuple(dict.fromkeys(given)) or where.san
