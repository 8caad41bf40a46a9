"""What types cannot tell of steps: sockets that are open, names that are known, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.behaviour import LINUX
from wsknet.errors import UsageError
from wsknet.scenario import schema
from wsknet.scenario.addresses import parse_name
from wsknet.scenario.check_expectations import CheckExpectations
from wsknet.scenario.columns import Column, columns_of
from wsknet.scenario.faults import BACK, GONE, check_faults
from wsknet.scenario.frames import parse_frame
from wsknet.scenario.san import is_installed_later
from wsknet.scenario.terms import INTERFACE_OPTIONS, SWITCHES, TABLES, nanoseconds, split_address

if TYPE_CHECKING:
    from wsknet.scenario.schema import Host, Scenario, Step
    from wsknet.scenario.yaml_tree import Document, Place

MAX_METRIC = 0xFFFFFFFF
KERNEL = Column("kernel", LINUX)
SOCKET_NAME = re.compile(r"\w[\w-]*")
_LOOPBACK = "loopback"


class CheckSteps:
    """`run` raises `UsageError` for the first thing that is wrong."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self._document = document
        self._scenario = scenario
        self._columns = columns_of(scenario)
        self._hosts: dict[str, str] = {}
        """Of each socket that was ever opened."""
        self._open: dict[str, set[str]] = {column.name: set() for column in self._columns}
        """Sockets, by column: steps need not be for all."""
        self._named: set[str] = set()
        """Sockets that something was done to that gives a name."""
        self._listening: set[str] = set()
        self._installed: set[str] = set()
        """Hosts whose SAN service provider came late."""
        self._cards = [
            f"{name}.{card}"
            for name, host in scenario.hosts.items()
            for card, interface in host.interfaces.items()
            if interface.link
        ]
        """Those that send and receive."""
        self._expectations = CheckExpectations(document, scenario, self._cards)

    def run(self) -> None:
        for index, step in enumerate(self._scenario.steps):
            self._step(step, ("steps", index))

    def _fail(self, place: Place, problem: str) -> UsageError:
        return self._document.fail(place, problem)

    def _try(self, place: Place, check: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return check(*arguments)
        except ValueError as error:
            raise self._fail(place, str(error)) from None

    def _choice(self, given: str, known: Collection[str], place: Place) -> None:
        if given not in known:
            raise self._fail(place, f"expected one of {', '.join(known)}, not {given!r}")

    def _step(self, step: Step, place: Place) -> None:
        subject = (*place, str(type(step).__struct_config__.tag))
        for index, face in enumerate(step.faces):
            self._expectations.known_key(face, (*place, "faces", index))
        columns = [column for column in self._columns if column.runs(step)]
        compared = [KERNEL] if self._scenario.compare and KERNEL.runs(step) else []
        if not columns and not compared:
            raise self._fail((*place, "faces"), "the scenario is for none of these, so the step is never run")
        match step:
            case schema.Change():
                self._change(step, place, self._host(step.what, subject))
            case schema.Table():
                self._host(step.what, subject)
                self._table(step, place)
            case schema.LookUp():
                self._host(step.what, subject)
                self._look_up(step, place, is_compared=bool(compared))
            case schema.SetFaults() | schema.Provider():
                self._host(step.what, subject)
                self._fault(step, place, columns, compared)
            case schema.Install():
                self._install(step, place, subject, columns)
            case schema.Inject():
                self._inject(step, place, subject)
            case schema.Wait():
                self._try(subject, nanoseconds, step.what)
            case _:
                self._socket(step, place, subject, columns)
        if step.within:
            self._try((*place, "within"), nanoseconds, step.within)
        self._expectations.check(step, place, columns, compared)

    def _host(self, name: str, place: Place) -> Host:
        if name not in self._scenario.hosts:
            raise self._fail(place, f"there is no host {name!r}")
        return self._scenario.hosts[name]

    # Sockets

    def _socket(self, step: Step, place: Place, subject: Place, columns: list[Column]) -> None:
        if isinstance(step, schema.OpenSocket):
            self._host(step.on, (*place, "on"))
            self._choice(step.type, ("udp", "tcp"), (*place, "type"))
            self._choice(step.family, ("ipv4", "ipv6", "dual"), (*place, "family"))
            self._new_socket(step.what, step.on, columns, subject)
            return
        self._open_socket(step.what, columns, subject)
        host = self._scenario.hosts[self._hosts[step.what]]
        match step:
            case schema.Bind() | schema.Connect() | schema.Send() | schema.DefaultDestination():
                self._name(step, place, host, columns)
                self._named.add(step.what)
            case schema.Listen():
                self._named.add(step.what)
                self._listening.add(step.what)
            case schema.Kill():
                self._fault(step, place, columns, [KERNEL] if self._scenario.compare and KERNEL.runs(step) else [])
            case schema.RouteQuery():
                self._address(step.to, (*place, "to"), host)
            case schema.SetOption():
                self._option(step, place)
            case schema.Join():
                self._address(step.group, (*place, "group"), host)
                self._card(step.interface, host, (*place, "interface"))
                self._named.add(step.what)
            case schema.Accept():
                if step.what not in self._listening:
                    raise self._fail(
                        subject, f"socket {step.what!r} does not listen: put {{listen: {step.what}}} before"
                    )
                self._named.add(step.named)
                self._new_socket(step.named, self._hosts[step.what], columns, (*place, "named"))
            case schema.Close():
                self._choice(step.how, ("close", "finish"), (*place, "how"))
                for column in columns if step.how == "close" else ():
                    self._open[column.name].discard(step.what)

    def _new_socket(self, name: str, host: str, columns: list[Column], place: Place) -> None:
        if SOCKET_NAME.fullmatch(name) is None:
            raise self._fail(place, "the name of a socket is letters, digits, - and _")
        if name in self._hosts:
            raise self._fail(place, f"there is a socket {name!r} already")
        self._hosts[name] = host
        for column in columns:
            self._open[column.name].add(name)

    def _open_socket(self, name: str, columns: list[Column], place: Place) -> None:
        if name not in self._hosts:
            raise self._fail(place, f"no socket {name!r} was opened before")
        for column in columns:
            if name not in self._open[column.name]:
                raise self._fail(place, f"socket {name!r} is closed here, or was never opened, for {column.name}")

    def _name(self, step: Any, place: Place, host: Host, columns: list[Column]) -> None:
        """Addresses with ports; ``@s`` stands for a name or a port that is not known yet."""
        words, here = step.to, (*place, "to")
        if isinstance(step, schema.Send):
            self._card(step.through, host, (*place, "through"))
            if step.from_address:
                self._address(step.from_address, (*place, "from"), host)
            if not words:
                return
        elif words == "nobody" and not isinstance(step, schema.Bind):
            return
        before, at, socket = words.partition("@")
        if at:
            self._open_socket(socket, columns, here)
            if socket not in self._named:
                raise self._fail(here, f"socket {socket!r} has no name yet: bind it before")
        if not at or before:
            named = self._try(here, parse_name, before + "1" if at else words)
            self._zone(named.zone, host, here)

    def _address(self, words: str, place: Place, host: Host) -> None:
        address, _, zone = words.partition("%")
        self._try(place, text.parse_address, address)
        self._zone(zone, host, place)

    def _zone(self, zone: str, host: Host, place: Place) -> None:
        if not zone.isdecimal():
            self._card(zone, host, place)

    def _card(self, name: str, host: Host, place: Place) -> None:
        if name and name not in host.interfaces and name != _LOOPBACK:
            known = ", ".join((_LOOPBACK, *host.interfaces))
            raise self._fail(place, f"the host has no interface {name!r}: choose one of {known}")

    def _option(self, step: schema.SetOption, place: Place) -> None:
        self._choice(step.set, (*SWITCHES, *INTERFACE_OPTIONS), (*place, "set"))
        if step.set in SWITCHES and not isinstance(step.to, bool):
            raise self._fail((*place, "to"), f"{step.set} is true or false, not {step.to!r}")
        if step.set in INTERFACE_OPTIONS and isinstance(step.to, bool):
            raise self._fail((*place, "to"), f"{step.set} is an interface, by its name or its number")
        if type(step.to) is int and not 0 <= step.to < 1 << 32:
            raise self._fail((*place, "to"), "the number of an interface has 32 bits")

    # Hosts and links

    def _change(self, change: schema.Change, place: Place, host: Host) -> None:
        given = [name for name in _CHANGES if getattr(change, name) not in ("", None)]
        if len(given) != 1:
            raise self._fail(place, f"a change is one thing, not {' and '.join(given) or 'nothing'}")
        here = (*place, given[0])
        told = getattr(change, given[0])
        match given[0]:
            case "add_route" | "remove_route":
                self._route(told, here, host)
            case "down" | "up" | "remove_interface" if told not in host.interfaces:
                raise self._fail(here, f"the host has no interface {told!r}")
            case "weak_send" | "weak_receive":
                self._card(told.removeprefix("off "), host, here)
            case "add_address" | "remove_address" | "metric":
                words, on, card = told.rpartition(" on ")
                if not on:
                    raise self._fail(here, f"{told!r} names no interface: write it as in 10.1.0.9/24 on if1")
                self._card(card, host, here)
                parse = {"add_address": split_address, "remove_address": text.parse_address}.get(given[0], _metric)
                self._try(here, parse, words)

    def _route(self, route: schema.Route, place: Place, host: Host) -> None:
        if place[-1] == "add_route":
            self._try(place, check_route, route)
        self._try(place, text.parse_network, route.to)
        for field in ("via", "source"):
            if getattr(route, field):
                self._address(getattr(route, field), (*place, field), host)
        self._card(route.through, host, (*place, "through"))

    def _table(self, table: schema.Table, place: Place) -> None:
        self._choice(table.show, TABLES, (*place, "show"))
        if not (table.has or table.lacks):
            raise self._fail(place, "it says nothing of the table: give lines that it has, or that it lacks")

    def _look_up(self, step: schema.LookUp, place: Place, *, is_compared: bool) -> None:
        if not step.name:
            raise self._fail((*place, "name"), "the name is empty")
        if is_compared:
            raise self._fail(place, "the kernel would ask the resolver of this machine: say compare: false")

    def _fault(self, step: Step, place: Place, columns: list[Column], compared: list[Column]) -> None:
        if compared or any(column.face != "wsk" for column in columns):
            raise self._fail(place, "only WSK has fault switches: say faces: [wsk]")
        if isinstance(step, schema.SetFaults):
            self._try(place, check_faults, step)
        elif isinstance(step, schema.Provider):
            self._choice(step.is_now, (GONE, BACK), (*place, "is"))

    def _install(self, step: schema.Install, place: Place, subject: Place, columns: list[Column]) -> None:
        if not is_installed_later(self._host(step.what, subject)):
            problem = "has nothing to be installed: say san: [NAME] and san_policy: {installed: false}"
            raise self._fail(subject, f"the host {step.what} {problem}")
        if any(column.face != "winsock" for column in columns):
            raise self._fail(place, "only Winsock knows SAN service providers: say faces: [winsock]")
        if step.what in self._installed:
            raise self._fail(subject, "it is installed already")
        self._installed.add(step.what)

    def _inject(self, step: schema.Inject, place: Place, subject: Place) -> None:
        links = [self._link(step.what, subject), self._link(step.to, (*place, "to"))]
        if links[0] != links[1]:
            raise self._fail((*place, "to"), f"{step.to} is not on the link of {step.what}")
        self._try((*place, "frame"), parse_frame, step.frame)

    def _link(self, name: str, place: Place) -> str:
        if name not in self._cards:
            known = ", ".join(self._cards)
            raise self._fail(place, f"no interface {name!r} is plugged in: choose one of {known or 'none'}")
        host, _, card = name.partition(".")
        return self._scenario.hosts[host].interfaces[card].link


_CHANGES = [name for name in schema.Change.__struct_fields__ if name not in {*schema._Step.__struct_fields__, "what"}]


def check_route(route: schema.Route) -> None:
    """What can be said of it whatever the host has.  Raises `ValueError`."""
    if route.to == "default":
        raise ValueError("a default route is written as to: 0.0.0.0/0 or to: ::/0")
    text.parse_network(route.to)
    if not (route.via or route.through):
        raise ValueError(f"the route to {route.to} leads nowhere: give via, through or both")
    if route.via and (":" in route.via) != (":" in route.to):
        raise ValueError(f"the route to {route.to} and its gateway {route.via} are of different families")
    if not 0 <= route.metric <= MAX_METRIC:
        raise ValueError(f"a metric is 0 to {MAX_METRIC}")


def _metric(words: str) -> None:
    if not re.fullmatch("[0-9]{1,10}", words) or int(words) > MAX_METRIC:
        raise ValueError(f"{words!r} is no metric: expected a number up to {MAX_METRIC}, as in 50 on if1")
