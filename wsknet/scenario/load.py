"""A scenario file, checked: an error names the file, the line and the field, and says how to mend it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from wsknet.errors import UsageError
from wsknet.scenario import schema
from wsknet.scenario.check import Check
from wsknet.scenario.schema import Host, Scenario, Step
from wsknet.scenario.yaml_tree import Document, Place, parse_path

LIBRARY = Path(__file__).parent / "library"
STANDARD_HOSTS = LIBRARY / "hosts.yaml"

OPERATIONS: dict[str, type[Step]] = {kind.__struct_config__.tag: kind for kind in get_args(Step)}

_AT = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}


def load(path: Path) -> Scenario:
    """`UsageError` tells what is wrong with the file."""
    return read(Document.read(path))


def read(document: Document) -> Scenario:
    top = document.value
    if not isinstance(top, dict):
        raise document.fail((), "expected a mapping with title, topic, hosts and steps")
    if isinstance(top.get("steps"), list):
        top = {**top, "steps": [_tagged(document, step, ("steps", i)) for i, step in enumerate(top["steps"])]}
    _convert_named(document, top)
    scenario = _completed(document, top)
    Check(document, scenario).run()
    return scenario


def load_hosts(path: Path) -> dict[str, Host]:
    """The hosts of a scenario, or of a file that tells of nothing but ``hosts``."""
    document = Document.read(path)
    top = document.value
    if not isinstance(top, dict) or not top.get("hosts"):
        raise document.fail((), "expected a mapping with hosts")
    top = {"title": "", "topic": "", "hosts": top["hosts"], "steps": []}
    _convert_named(document, top)
    scenario = _completed(document, top)
    Check(document, scenario).hosts()
    return scenario.hosts


def _completed(document: Document, top: dict[str, Any]) -> Scenario:
    scenario: Scenario = _convert(document, top, Scenario)
    hosts = {name: _complete(document, host, ("hosts", name)) for name, host in scenario.hosts.items()}
    return msgspec.structs.replace(scenario, hosts=hosts)


@cache
def standard_hosts() -> dict[str, Host]:
    document = Document.read(STANDARD_HOSTS)
    return {name: _convert(document, host, Host, (name,)) for name, host in document.value.items()}


def _convert(document: Document, value: Any, kind: Any, place: Place = ()) -> Any:
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        assert found is not None
        inner = parse_path(found["path"] or "")
        raise _refusal(document, (*place, *inner), found["problem"], _known_fields(kind, inner, value)) from None


def _convert_named(document: Document, top: dict[str, Any]) -> None:
    """What has names of its own, one by one: msgspec does not tell the name of what is wrong."""
    for name, host in _entries(top.get("hosts")):
        for card, interface in _entries(host.get("interfaces") if isinstance(host, dict) else None):
            _convert(document, interface, schema.Interface, ("hosts", name, "interfaces", card))
        _convert(document, host, Host, ("hosts", name))
    for name, link in _entries(top.get("links")):
        _convert(document, link, schema.Link, ("links", name))


def _entries(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _as_written(document: Document, place: Place) -> Place:
    """The subject of a step stands behind its operation."""
    match place:
        case ("steps", int(index), "what"):
            return ("steps", index, next(iter(document.value["steps"][index])))
    return place


def _refusal(document: Document, place: Place, problem: str, known: tuple[str, ...]) -> UsageError:
    """In the words of people: msgspec speaks of objects, arrays and str."""
    unknown, missing = _UNKNOWN.fullmatch(problem), _MISSING.fullmatch(problem)
    if unknown is not None:
        near = get_close_matches(unknown["field"], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
        return document.fail((*place, unknown["field"]), f"unknown field: {hint}")
    if missing is not None:
        return document.fail(_as_written(document, place), f"the field {missing['field']!r} is missing")
    plain = re.sub("`([^`]*)`", lambda found: _in_plain_words(found[1]), problem)
    return document.fail(_as_written(document, place), plain[0].lower() + plain[1:])


def _in_plain_words(types: str) -> str:
    return " or ".join(dict.fromkeys(_TYPES.get(each, each) for each in types.split(" | ")))


def _known_fields(kind: Any, place: Place, value: Any) -> tuple[str, ...]:
    """Of what stands at `place` in `value`, which is to be of `kind`."""
    match place:
        case ("steps", int(index)):
            kind = OPERATIONS[value["steps"][index]["do"]]
        case (*_, "routes", int()) | (*_, "add_route" | "remove_route"):
            kind = schema.Route
        case ("flips", int()):
            kind = schema.Flip
        case (*_, "san_policy"):
            kind = schema.SanPolicy
        case (*_, "faults"):
            kind = schema.Faults
    return tuple(field for field in getattr(kind, "__struct_encode_fields__", ()) if field != "what")


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
