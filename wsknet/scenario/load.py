"""A scenario file, checked: an error names the file, the line and the field, and says how to mend it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from wsknet import text
from wsknet.errors import UsageError
from wsknet.scenario import schema
from wsknet.scenario.columns import GROUPS, NAMES, check_policy
from wsknet.scenario.schema import Host, Scenario, Step
from wsknet.scenario.yaml_tree import Document, Place, parse_path

LIBRARY = Path(__file__).parent / "library"
STANDARD_HOSTS = LIBRARY / "hosts.yaml"

OPERATIONS: dict[str, type[Step]] = {kind.__struct_config__.tag: kind for kind in get_args(Step)}

_AT = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_WITH_COUNT = re.compile(r"(?P<count>[0-9]+(?:\.[0-9]+)?)(?P<unit>us|ms|s|min)")
_UNITS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}


def load(path: Path) -> Scenario:
    """`UsageError` tells what is wrong with the file."""
    return read(Document.read(path))


def read(document: Document) -> Scenario:
    top = document.value
    if not isinstance(top, dict):
        raise document.fail((), "expected a mapping with title, topic, hosts and steps")
    if isinstance(top.get("steps"), list):
        top = {**top, "steps": [_tagged(document, step, ("steps", i)) for i, step in enumerate(top["steps"])]}
    scenario: Scenario = _convert(document, top, Scenario)
    hosts = {name: _complete(document, host, ("hosts", name)) for name, host in scenario.hosts.items()}
    scenario = msgspec.structs.replace(scenario, hosts=hosts)
    _Check(document, scenario).run()
    return scenario


def nanoseconds(duration: str) -> int:
    """``50us``, ``20 ms``, ``2s`` or ``1min``.  `ValueError` for anything else."""
    found = _WITH_COUNT.fullmatch(duration.replace(" ", ""))
    if found is None:
        raise ValueError(f"{duration!r} is no time: expected a number with us, ms, s or min, like 50ms")
    return round(float(found["count"]) * _UNITS[found["unit"]])


@cache
def standard_hosts() -> dict[str, Host]:
    document = Document.read(STANDARD_HOSTS)
    return {name: _convert(document, host, Host, (name,)) for name, host in document.value.items()}


def _convert(document: Document, value: Any, kind: Any, place: Place = ()) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        assert found is not None
        raise document.fail((*place, *parse_path(found["path"] or "")), _plain(found["problem"])) from None


def _plain(problem: str) -> str:
    """msgspec speaks of objects, arrays and str."""
    for theirs, ours in (("Object", "this"), ("`object`", "a mapping"), ("`array`", "a list"), ("`str`", "text")):
        problem = problem.replace(theirs, ours)
    return problem[0].lower() + problem[1:]


def _tagged(document: Document, step: Any, place: Place) -> Any:
    """``{bind: s, to: x}`` as ``{do: bind, what: s, to: x}``."""
    if not isinstance(step, dict):
        raise document.fail(place, "expected a step like {bind: s, to: 0.0.0.0:53}")
    # `option` has a field `set`, and steps such as `change` have fields named like operations: the first word counts.
    first = next(iter(step), None)
    if first not in OPERATIONS:
        known = ", ".join(OPERATIONS)
        raise document.fail((*place, str(first)), f"no step begins with {first!r}: choose one of {known}")
    rest = {key: value for key, value in step.items() if key != first}
    for reserved in ("do", "what"):
        if reserved in rest:
            raise document.fail((*place, reserved), f"unknown field {reserved!r}")
    return {"do": first, "what": step[first], **rest}


def _complete(document: Document, host: Host, place: Place) -> Host:
    """A host that is ``like`` a standard one: with its interfaces and routes."""
    if not host.like:
        return host
    standard = standard_hosts().get(host.like)
    if standard is None:
        known = ", ".join(standard_hosts())
        raise document.fail((*place, "like"), f"there is no standard host {host.like!r}: choose one of {known}")
    return msgspec.structs.replace(
        host,
        interfaces={**standard.interfaces, **host.interfaces},
        routes=(*standard.routes, *host.routes),
        loopback=(*standard.loopback, *host.loopback),
    )


class _Check:
    """What types cannot tell: names that must be known, addresses, expectations for every face."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self._document = document
        self._scenario = scenario
        self._sockets: dict[str, str] = {}
        """Socket to host."""
        self._keys = [*scenario.faces, *(flip.key for flip in scenario.flips)]

    def run(self) -> None:
        scenario = self._scenario
        if not scenario.hosts:
            raise self._fail(("hosts",), "a scenario needs a host")
        for index, face in enumerate(scenario.faces):
            if face not in NAMES:
                raise self._fail(("faces", index), f"there is no face {face!r}: choose from {', '.join(NAMES)}")
        for name, host in scenario.hosts.items():
            self._host(host, ("hosts", name))
        used = {card.link for host in scenario.hosts.values() for card in host.interfaces.values()}
        for link, properties in scenario.links.items():
            if link not in used:
                raise self._fail(("links", link), f"no interface is plugged into {link}")
            for field in ("delay", "jitter"):
                self._duration(getattr(properties, field), ("links", link, field))
        for policy, value in scenario.policies.items():
            self._try(("policies", policy), check_policy, policy, value)
        for index, flip in enumerate(scenario.flips):
            self._try(("flips", index), check_policy, flip.policy, flip.value)
        for index, step in enumerate(scenario.steps):
            self._step(step, ("steps", index))

    def _fail(self, place: Place, problem: str) -> UsageError:
        return self._document.fail(place, problem)

    def _try(self, place: Place, check: Any, *arguments: Any) -> None:
        try:
            check(*arguments)
        except ValueError as error:
            raise self._fail(place, str(error)) from None

    def _duration(self, duration: str, place: Place) -> None:
        if duration:
            self._try(place, nanoseconds, duration)

    def _host(self, host: Host, place: Place) -> None:
        for name, card in host.interfaces.items():
            for index, words in enumerate(card.addresses):
                self._try((*place, "interfaces", name, "addresses", index), split_address, words)
        for index, route in enumerate(host.routes):
            here = (*place, "routes", index)
            self._try((*here, "to"), text.parse_network, route.to)
            if route.via:
                self._try((*here, "via"), text.parse_address, route.via.partition("%")[0])
            if route.through and route.through not in host.interfaces:
                raise self._fail((*here, "through"), f"the host has no interface {route.through!r}")
        for field in ("dynamic_ports", "excluded_ports"):
            if getattr(host, field):
                self._try((*place, field), port_range, getattr(host, field))

    def _step(self, step: Step, place: Place) -> None:
        operation = str(type(step).__struct_config__.tag)
        subject = (*place, operation)
        match step.SUBJECT:
            case "host" if step.what not in self._scenario.hosts:
                raise self._fail(subject, f"there is no host {step.what!r}")
            case "interface":
                self._interface(step.what, subject)
            case "time":
                self._duration(step.what, subject)
            case "socket":
                self._socket(step, place, subject)
        self._duration(step.within, (*place, "within"))
        for field in ("expect", "rule", "frames", "no_frames"):
            self._expected(getattr(step, field), step, (*place, field))

    def _socket(self, step: Step, place: Place, subject: Place) -> None:
        if isinstance(step, schema.OpenSocket):
            if step.on not in self._scenario.hosts:
                raise self._fail((*place, "on"), f"there is no host {step.on!r}")
            for field, known in (("type", ("udp", "tcp")), ("family", ("ipv4", "ipv6", "dual"))):
                if getattr(step, field) not in known:
                    raise self._fail((*place, field), f"expected one of {', '.join(known)}")
            self._new_socket(step.what, step.on, subject)
        elif step.what not in self._sockets:
            raise self._fail(subject, f"no socket {step.what!r} was opened before")
        if isinstance(step, schema.Accept):
            self._new_socket(step.named, self._sockets[step.what], (*place, "named"))

    def _new_socket(self, name: str, host: str, place: Place) -> None:
        if name in self._sockets:
            raise self._fail(place, f"there is a socket {name!r} already")
        self._sockets[name] = host

    def _interface(self, name: str, place: Place) -> None:
        host, _, card = name.partition(".")
        if host not in self._scenario.hosts or card not in self._scenario.hosts[host].interfaces:
            raise self._fail(place, f"there is no interface {name!r}: write host.interface")

    def _expected(self, expected: Any, step: Step, place: Place) -> None:
        """One for all, or one for each face that runs the step."""
        if not isinstance(expected, dict):
            return
        known = {*NAMES, *GROUPS, "kernel", *self._keys}
        for key in expected:
            if key not in known:
                raise self._fail((*place, key), f"no face and no flip is called {key!r}")
        if place[-1] != "expect":
            return
        for face in step.faces or self._scenario.faces:
            if face not in expected and not any(
                face in members for group, members in GROUPS.items() if group in expected
            ):
                raise self._fail(place, f"says nothing for {face}")


def split_address(words: str) -> tuple[str, tuple[str, ...]]:
    """The address with its prefix length, and what is said of it.  `ValueError` for anything unknown."""
    cidr, *attributes = words.split()
    text.parse_cidr(cidr)
    for attribute in attributes:
        if attribute not in ("skip-as-source", "deprecated", "temporary"):
            raise ValueError(f"{attribute!r} is nothing that can be said of an address")
    return cidr, tuple(attributes)


def port_range(words: str) -> tuple[int, int]:
    """``50000-50003``.  `ValueError` for anything else."""
    first, _, last = words.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= 65535):
        raise ValueError(f"{words!r} is no range of ports: expected one like 50000-50003")
    return int(first), int(last)
