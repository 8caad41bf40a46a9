"""Hosts, sockets and addresses as people write them on the command line.

`UsageError` says what is wrong and how it should look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from wsknet import text
from wsknet.errors import UsageError
from wsknet.inspect.what_if import Held, Name
from wsknet.scenario import addresses, schema
from wsknet.scenario.check_steps import MAX_METRIC, check_route
from wsknet.transport.sharing import Security, Sharing
from wsknet.types import Endpoint, is_unspecified

INTERFACE_EXAMPLE = '--interface "eth0 10.1.0.2/24 10.1.0.9/24"'
ROUTE_EXAMPLE = '--route "default via 10.1.0.1 dev eth0"'

OWN = Security().account
"""Of whoever is not told to be somebody else."""
LOOPBACK = ("lo", "loopback")
_OF_ADDRESS = ("skip-as-source", "deprecated", "temporary")
_IGNORED = ("proto", "scope", "pref")
"""Of ip-route(8), followed by a word; people paste what it prints."""
_SHARING = {"reuse": Sharing.REUSE, "exclusive": Sharing.EXCLUSIVE}
_IS_DUAL = {"dual": True, "v6only": False}

_NUMBER = re.compile(r"[0-9]{1,10}")
_NAME = re.compile(r"(?:\[(?P<six>[^\]]*)\](?::(?P<port6>[0-9]{1,6}))?|(?P<four>[^:\[\]]+)(?::(?P<port4>[0-9]{1,6}))?)")


class Spot(NamedTuple):
    """An address, with a port if one was given."""

    name: Name
    has_port: bool


def parse_spot(words: str, zones: Mapping[str, int]) -> Spot:
    """``10.1.0.2``, ``10.1.0.2:80``, ``fe80::1%eth0``, ``[fe80::1%eth0]:80``; `zones` are interfaces by name."""
    found = _NAME.fullmatch(words)
    if found is None:
        address, port = words, None  # IPv6 without brackets, and so without a port
    else:
        address, port = found["six"] or found["four"] or "", found["port6"] or found["port4"]
    address, percent, zone = address.partition("%")
    try:
        octets = text.parse_address(address)
        if found is not None and (len(octets) == 16) != (found["six"] is not None) and port is not None:
            raise ValueError("brackets")
    except ValueError:
        raise UsageError(
            f"{words!r} is not an address: expected one like 10.1.0.2, 10.1.0.2:80 or [2001:db8::1]:80; names are not "
            "looked up"
        ) from None
    if port is not None and int(port) > 65535:
        raise UsageError(f"{words!r}: a port is a number from 0 to 65535")
    if percent and len(octets) == 4:
        raise UsageError(f"{words!r}: only IPv6 addresses have a zone: leave %{zone} out")
    if percent and zone not in zones:
        raise UsageError(f"{words!r}: there is no interface {zone!r}: the host has {', '.join(zones)}")
    return Spot(Name(addresses.unmapped(octets), int(port or 0), zones[zone] if zone else 0), port is not None)


def parse_name(words: str, zones: Mapping[str, int]) -> Name:
    """An address that must have a port."""
    spot = parse_spot(words, zones)
    if not spot.has_port:
        shown = "10.1.0.2:80" if len(spot.name.address) == 4 else "[2001:db8::1]:80, in brackets"
        raise UsageError(f"{words!r} has no port: write it like {shown}")
    return spot.name


def parse_end(words: str, zones: Mapping[str, int], option: str) -> Endpoint:
    """One end of a packet."""
    name = parse_name(words, zones)
    if is_unspecified(name.address) or not name.port:
        raise UsageError(f"{option} {words}: a packet has an address and a port there, not the wildcard or port 0")
    return Endpoint(name.address, name.port, name.zone)


def parse_held(words: str, zones: Mapping[str, int], is_shared: bool = False) -> Held:
    """``0.0.0.0:80 exclusive as alice``, ``10.1.0.2:53 > 10.1.0.50:4000``.

    `is_shared`: a socket of one program, whose other sockets may stand beside it if the sharing table has it so.
    """
    local, _, peer = words.partition(">")
    first, *rest = local.split() or [""]
    name = parse_name(first, zones)
    sharing, account, admitted = Sharing.DEFAULT, "", ""
    while rest:
        word = rest.pop(0)
        if word in _SHARING and sharing in (Sharing.DEFAULT, _SHARING[word]):
            sharing = _SHARING[word]
        elif word in _SHARING:
            raise UsageError(f'"{words}": a socket cannot have both reuse and exclusive (WSAEINVAL): give one of them')
        elif word in _IS_DUAL:
            name = name._replace(is_dual=_IS_DUAL[word])
        elif word in ("as", "admits") and rest:
            account, admitted = (rest.pop(0), admitted) if word == "as" else (account, rest.pop(0))
        else:
            raise UsageError(
                f'"{words}": {word!r} says nothing about a socket: after its name may stand reuse, exclusive, dual, '
                "v6only, as ACCOUNT, admits ACCOUNT, > PEER:PORT"
            )
    end = parse_end(peer.strip(), zones, f'"{words}":') if peer else None
    if is_shared and not admitted:
        admitted = account or OWN
    return Held(name, sharing, security(account, admitted), end)


def security(account: str, admitted: str = "") -> Security:
    """`admitted` are the accounts that its security descriptor lets share the address, separated by commas."""
    return Security(account or OWN, frozenset(filter(None, admitted.split(","))))


def described_host(interfaces: tuple[str, ...], routes: tuple[str, ...]) -> schema.Host:
    cards: dict[str, schema.Interface] = {}
    loopback: tuple[str, ...] = ()
    for words in interfaces:
        name, card = _interface(words)
        if name in LOOPBACK:
            loopback += card.addresses
            continue
        if name in cards:
            raise UsageError(f'--interface "{words}": {name} is described twice: put all of its addresses into one')
        cards[name] = card
    return schema.Host(interfaces=cards, loopback=loopback, routes=tuple(map(_route, routes)))


def _interface(words: str) -> tuple[str, schema.Interface]:
    name, *rest = words.split() or [""]
    if not name or "/" in name or name == "dev":
        raise UsageError(f'--interface "{words}": the name comes first, as in {INTERFACE_EXAMPLE}')
    where = f'--interface "{words}"'
    cidrs: list[str] = []
    numbers = {"metric": 0, "mtu": 1500}
    flags = {"down": False, "weak-send": False, "weak-receive": False}
    while rest:
        word = rest.pop(0)
        if word in numbers and rest and _NUMBER.fullmatch(rest[0]):
            numbers[word] = int(rest.pop(0))
        elif word in flags:
            flags[word] = True
        elif word in numbers:
            raise UsageError(f"{where}: {word} is followed by a number")
        elif word in _OF_ADDRESS and cidrs:
            cidrs[-1] += f" {word}"
        else:
            _check(text.parse_cidr, word, where)
            if word in cidrs:
                raise UsageError(f"{where}: {word} is there twice")
            cidrs.append(word)
    if not 576 <= numbers["mtu"] <= 65535:
        raise UsageError(f"{where}: an MTU is 576 to 65535")
    if numbers["metric"] > MAX_METRIC:
        raise UsageError(f"{where}: a metric is 0 to {MAX_METRIC}")
    has_own = any(cidr.lower().startswith("fe80:") for cidr in cidrs)
    card = schema.Interface(
        addresses=tuple(cidrs),
        metric=numbers["metric"],
        mtu=numbers["mtu"],
        up=not flags["down"],
        weak_send=flags["weak-send"] or None,
        weak_receive=flags["weak-receive"] or None,
        link_local=not has_own,
    )
    return name, card


def _route(words: str) -> schema.Route:
    """In the words of ip-route(8)."""
    to, *rest = words.split() or [""]
    told: dict[str, str] = {}
    while rest:
        word = rest.pop(0)
        if word in ("via", "dev", "metric", "src", *_IGNORED) and rest and word not in told:
            told[word] = rest.pop(0)
        elif word not in ("onlink", "linkdown"):
            raise UsageError(f'--route "{words}": {word!r} is not understood: write it like {ROUTE_EXAMPLE}')
    if to == "default":
        to = "::/0" if ":" in told.get("via", told.get("src", "")) else "0.0.0.0/0"
    elif "/" not in to:
        to = f"{to}/{128 if ':' in to else 32}"
    where = f'--route "{words}"'
    for address in filter(None, (told.get("via", "").partition("%")[0], told.get("src", ""))):
        _check(text.parse_address, address, where)
    if not _NUMBER.fullmatch(told.get("metric", "0")):
        raise UsageError(f"{where}: a metric is a number")
    if "via" not in told and "dev" not in told:
        raise UsageError(f"{where}: say where it leads, as in {ROUTE_EXAMPLE}")
    route = schema.Route(
        to, told.get("via", ""), told.get("dev", ""), int(told.get("metric", "0")), told.get("src", "")
    )  # fmt: skip
    _check(check_route, route, where)
    return route


def _check(parse: Callable[[Any], object], given: object, where: str) -> None:
    try:
        parse(given)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None
