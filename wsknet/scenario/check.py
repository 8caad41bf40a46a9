"""What types cannot tell of a scenario: names that must be known, addresses, expectations for every face."""

from __future__ import annotations

from typing import Any

from wsknet import text
from wsknet.errors import UsageError
from wsknet.scenario import schema
from wsknet.scenario.addresses import parse_name
from wsknet.scenario.columns import GROUPS, NAMES, check_policy
from wsknet.scenario.schema import Host, Scenario, Step
from wsknet.scenario.terms import nanoseconds, port_range, split_address
from wsknet.scenario.yaml_tree import Document, Place


class Check:
    """`run` raises `UsageError` for the first thing that is wrong."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self._document = document
        self._scenario = scenario
        self._sockets: dict[str, str] = {}
        """Socket to host."""

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
            self._route(route, here)
            if route.through and route.through not in host.interfaces:
                raise self._fail((*here, "through"), f"the host has no interface {route.through!r}")
        for field in ("dynamic_ports", "excluded_ports"):
            if getattr(host, field):
                self._try((*place, field), port_range, getattr(host, field))

    def _route(self, route: schema.Route, place: Place) -> None:
        self._try((*place, "to"), text.parse_network, route.to)
        for field in ("via", "source"):
            if getattr(route, field):
                self._try((*place, field), text.parse_address, getattr(route, field).partition("%")[0])

    def _change(self, change: schema.Change, place: Place) -> None:
        given = [name for name in change.__struct_fields__ if name not in _OF_ALL_STEPS and _is_given(change, name)]
        if len(given) != 1:
            raise self._fail(place, f"a change is one thing, not {' and '.join(given) or 'nothing'}")
        for field in ("add_route", "remove_route"):
            if getattr(change, field) is not None:
                self._route(getattr(change, field), (*place, field))
        for field in ("add_address", "remove_address", "metric"):
            words = getattr(change, field)
            if words and " on " not in words:
                raise self._fail((*place, field), f"{words!r} names no interface: write it as in 10.1.0.9/24 on if1")

    def _name(self, step: Step, place: Place) -> None:
        """Addresses with ports; ``@s`` stands for a name or a port that is not known yet."""
        words = getattr(step, "to", "")
        if not words or words == "nobody" or words.startswith("@"):
            return
        before, at, socket = words.partition("@")
        if at and socket not in self._sockets:
            raise self._fail((*place, "to"), f"no socket {socket!r} was opened before")
        self._try((*place, "to"), parse_name, before + "1" if at else words)

    def _step(self, step: Step, place: Place) -> None:
        operation = str(type(step).__struct_config__.tag)
        subject = (*place, operation)
        match step.SUBJECT:
            case "host":
                if step.what not in self._scenario.hosts:
                    raise self._fail(subject, f"there is no host {step.what!r}")
                if isinstance(step, schema.Change):
                    self._change(step, place)
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
        if isinstance(step, (schema.Bind, schema.Connect, schema.Send, schema.DefaultDestination)):
            self._name(step, place)
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
        flips = [flip.key for flip in self._scenario.flips]
        flips += [f"{face} {key}" for face in self._scenario.faces for key in flips]
        known = {*NAMES, *GROUPS, "kernel", *flips}
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


_OF_ALL_STEPS = frozenset(schema._Step.__struct_fields__) | {"what"}


def _is_given(change: schema.Change, field: str) -> bool:
    return getattr(change, field) not in ("", None)
