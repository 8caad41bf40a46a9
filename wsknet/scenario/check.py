"""What types cannot tell of a scenario: hosts that can be, links with two ends, names that must be known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet import text
from wsknet.behaviour import SETS
from wsknet.errors import UsageError
from wsknet.scenario import build
from wsknet.scenario.check_steps import CheckSteps, check_route
from wsknet.scenario.columns import NAMES, Column, check_policy, column
from wsknet.scenario.faults import check_faults
from wsknet.scenario.names import add_names, zone_of
from wsknet.scenario.san import policy_of
from wsknet.scenario.terms import nanoseconds, port_range, split_address
from wsknet.types import is_link_local

if TYPE_CHECKING:
    from wsknet.host import Host as BuiltHost
    from wsknet.host import Network
    from wsknet.scenario.schema import Host, Interface, Scenario
    from wsknet.scenario.yaml_tree import Document, Place

HOST_NAME = re.compile(r"\w[\w-]*")
CARD_NAME = re.compile(r"(?!\d+$)\w[\w.-]*")
"""A number would be taken for that of an interface."""
OF_EVERY_HOST = ("lo", "loopback")


class Check:
    """`run` raises `UsageError` for the first thing that is wrong."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        self._document = document
        self._scenario = scenario

    def run(self) -> None:
        scenario = self._scenario
        self._faces()
        for policy, value in scenario.policies.items():
            self._try(("policies", policy), check_policy, policy, value)
        self._flips()
        self.hosts()
        self._links()
        if not scenario.steps:
            raise self._document.fail(("steps",), "a scenario needs a step")
        CheckSteps(self._document, scenario).run()

    def hosts(self) -> None:
        """Each is built on trial: who builds it knows best what cannot be."""
        from wsknet.host import Network

        if not self._scenario.hosts:
            raise self._document.fail(("hosts",), "a scenario needs a host")
        network = Network()
        for name, host in self._scenario.hosts.items():
            self._host(network, name, host)
        self._neighbours(network)

    def _try(self, place: Place, check: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return check(*arguments)
        except ValueError as error:
            raise self._document.fail(place, str(error)) from None

    def _faces(self) -> None:
        faces = self._scenario.faces
        if not faces:
            raise self._document.fail(("faces",), f"a scenario needs a face: choose from {', '.join(NAMES)}")
        for index, face in enumerate(faces):
            if face not in NAMES:
                raise self._document.fail(
                    ("faces", index), f"there is no face {face!r}: choose from {', '.join(NAMES)}"
                )
            if face in faces[:index]:
                raise self._document.fail(("faces", index), f"{face} is there already")

    def _flips(self) -> None:
        for index, flip in enumerate(self._scenario.flips):
            self._try(("flips", index), check_policy, flip.policy, flip.value)
            if flip in self._scenario.flips[:index]:
                raise self._document.fail(("flips", index), f"{flip.key} is there already")
        if self._scenario.flips and not {"wsk", "winsock"} & set(self._scenario.faces):
            raise self._document.fail(("flips",), "flips are run for wsk and winsock: add one of them to the faces")

    # Hosts

    def _host(self, network: Network, name: str, host: Host) -> None:
        place: Place = ("hosts", name)
        if HOST_NAME.fullmatch(name) is None:
            raise self._document.fail(place, "the name of a host is letters, digits, - and _")
        if host.behaves and host.behaves not in SETS:
            raise self._document.fail((*place, "behaves"), f"expected one of {', '.join(SETS)}")
        for field in ("dynamic_ports", "excluded_ports"):
            if getattr(host, field):
                self._try((*place, field), port_range, getattr(host, field))
        self._addresses(host, place)
        config = build.stack_config(host, self._column())
        built = network.host(name, config.behaviour, config, host.is_router)
        for card_name, card in host.interfaces.items():
            here = (*place, "interfaces", card_name)
            if CARD_NAME.fullmatch(card_name) is None or card_name in OF_EVERY_HOST:
                raise self._document.fail(here, "no name for an interface: choose one like eth0")
            self._try(here, build.add_interface, built, card_name, card)
            if built.interfaces[card_name].mac == bytes(6):
                raise self._document.fail((*here, "mac"), "that is the MAC address of nobody: give another")
        for index, words in enumerate(host.loopback):
            self._try((*place, "loopback", index), build.add_address, built, 1, words)
        self._names(built, host, place)
        self._san(host, place)
        if host.faults is not None:
            self._try((*place, "faults"), check_faults, host.faults)
        for index, route in enumerate(host.routes):
            self._try((*place, "routes", index), check_route, route)
            self._try((*place, "routes", index), build.add_route, built, route)

    def _names(self, built: BuiltHost, host: Host, place: Place) -> None:
        self._try(place, add_names, built, host)
        self._try((*place, "zone"), zone_of, host)
        if host.zone and not self._scenario.no_tap:
            problem = "on a TAP the kernel would be in the place of this host, and has no DNS server: add no_tap: WHY"
            raise self._document.fail((*place, "zone"), problem)

    def _san(self, host: Host, place: Place) -> None:
        for index, name in enumerate(host.san):
            here = (*place, "san", index)
            if name not in host.interfaces:
                known = ", ".join(host.interfaces) or "none"
                raise self._document.fail(here, f"the host has no interface {name!r}: choose one of {known}")
            if name in host.san[:index]:
                raise self._document.fail(here, f"{name} is there already")
        if host.san_policy is not None and not host.san:
            raise self._document.fail((*place, "san_policy"), "of what? Say which interfaces: san: [NAME]")
        self._try((*place, "san_policy", "wildcard"), policy_of, host)
        if host.san and host.behaves:
            raise self._document.fail((*place, "behaves"), "Winsock Direct is of Windows: leave san or behaves out")
        is_first = next(iter(self._scenario.hosts.values())) is host
        if host.san and not is_first and self._scenario.steps and not self._scenario.no_tap:
            problem = "on a TAP the kernel would be in the place of this host, and has no SAN: add no_tap: WHY"
            raise self._document.fail((*place, "san"), problem)

    def _column(self) -> Column:
        return column(self._scenario.faces[0], self._scenario.policies)

    def _addresses(self, host: Host, place: Place) -> None:
        """One stands once on a host, and a link-local one once on an interface."""
        lists: list[tuple[str, Place, tuple[str, ...]]] = [
            (name, (*place, "interfaces", name, "addresses"), card.addresses) for name, card in host.interfaces.items()
        ]
        lists.append(("", (*place, "loopback"), host.loopback))
        known: set[tuple[bytes, str]] = set()
        for name, here, addresses in lists:
            for index, words in enumerate(addresses):
                cidr, _ = self._try((*here, index), split_address, words)
                address, _ = text.parse_cidr(cidr)
                key = address, name if is_link_local(address) else ""
                if key in known:
                    raise self._document.fail((*here, index), f"the host has {text.format_address(address)} already")
                known.add(key)

    def _neighbours(self, network: Network) -> None:
        """No two on one link have the same MAC address or the same address."""
        known: dict[tuple[str, bytes], str] = {}
        for name, host in self._scenario.hosts.items():
            for card_name, card in host.interfaces.items():
                if not card.link:
                    continue
                for octets, words in _identities(network.hosts[name].interfaces[card_name].mac, card):
                    holder = known.setdefault((card.link, octets), f"{name}.{card_name}")
                    if holder != f"{name}.{card_name}":
                        place = ("hosts", name, "interfaces", card_name)
                        problem = f"{holder} on the link {card.link} has {words} already: give another"
                        raise self._document.fail(place, problem)

    # Links

    def _links(self) -> None:
        scenario = self._scenario
        ends = Counter(card.link for host in scenario.hosts.values() for card in host.interfaces.values())
        for link, properties in scenario.links.items():
            place = ("links", link)
            if not ends[link]:
                raise self._document.fail(place, f"no interface is plugged into {link}")
            for field in ("delay", "jitter"):
                if getattr(properties, field):
                    self._try((*place, field), nanoseconds, getattr(properties, field))
            self._try(place, build.impairment_of, properties)
        if len(scenario.hosts) == 1:
            return  # one host alone is about itself
        for name, host in scenario.hosts.items():
            for card_name, card in host.interfaces.items():
                is_own = not host.like or self._document.has(("hosts", name, "interfaces", card_name))
                if card.link and is_own and ends[card.link] == 1 and card.link not in scenario.links:
                    others = [link for link, count in ends.items() if link not in ("", card.link) and count == 1]
                    raise self._one_end(("hosts", name, "interfaces", card_name, "link"), card.link, others)

    def _one_end(self, place: Place, link: str, others: list[str]) -> UsageError:
        nor = f" (nor into {', '.join(others)})" if others else ""
        meant = f"if that is meant, say so with links: {{{link}: {{}}}}"
        return self._document.fail(place, f"nothing else is plugged into {link}{nor}: {meant}")


def _identities(mac: bytes, card: Interface) -> list[tuple[bytes, str]]:
    """Octets that are to be alone on a link, and what they are called."""
    found = [(mac, f"the MAC address {text.format_mac(mac)}")]
    for words in card.addresses:
        address, _ = text.parse_cidr(split_address(words)[0])
        found.append((address, f"the address {text.format_address(address)}"))
    return found
