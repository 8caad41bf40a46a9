"""Which of our addresses a packet gets when the program named none.

Read BIND-3.1 and BIND-3.6 (Windows: KB 969029), RFC 6724 sections 2, 3.1 and 5.  A choice is a list of rules,
each a score: the best scores go on to the next rule, the first that leaves one candidate has decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from wsknet.behaviour import SourceRule
from wsknet.net.interface import InterfaceAddress, is_in_prefix
from wsknet.net.routes import network_of
from wsknet.net.wording import address_text
from wsknet.types import Address, Family, family_of, is_link_local, is_loopback, is_multicast

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.routes import Route
    from wsknet.net.tables import Tables
    from wsknet.trace import Decision


class Candidate(NamedTuple):
    interface: Interface
    entry: InterfaceAddress


class Query(NamedTuple):
    tables: Tables
    destination: Address
    next_hop: Address
    outgoing: Interface


class Rule(NamedTuple):
    name: str
    reference: str
    score: Callable[[Candidate, Query], int]
    """The higher the better."""


def choose_source(
    tables: Tables, outgoing: Interface, destination: Address, next_hop: Address, why: Decision | None
) -> Address | None:
    """`None`: no address of the right family may be used."""
    query = Query(tables, destination, next_hop, outgoing)
    family = family_of(destination)
    rules = _RFC_6724 if family is Family.IPV6 else _IPV4[tables.behaviour.ipv4_source]
    candidates = _candidates(tables, query, family, why)
    if len(candidates) == 1 and why is None:
        return candidates[0].entry.address
    if not candidates:
        if why is not None:
            why.conclude("none", f"{outgoing.name} has no usable {family.name} address", rules[0].reference)
        return None
    return _decide(candidates, rules, query, why)


def source_of_route(tables: Tables, outgoing: Interface, route: Route, why: Decision | None) -> Address | None:
    """The source that the route names, if it is ours and may be used there; else the rules decide."""
    hint = route.preferred_source
    owner = None
    if hint is not None:
        owner = outgoing if hint in outgoing.addresses else tables.owner(hint)
    if hint is None or owner is None or (owner is not outgoing and owner.is_strong):
        if why is not None and hint is not None:
            why.consider(address_text(hint), f"named by the route, but not to be used on {outgoing.name} now")
        return None
    if why is not None:
        why.consider(f"{address_text(hint)} on {owner.name}", "chosen: named by the route", is_winner=True)
        why.conclude(address_text(hint), "named by the route", "ip-route(8): src")
    return hint


def _candidates(tables: Tables, query: Query, family: Family, why: Decision | None) -> list[Candidate]:
    """The outgoing interface's addresses, on weak hosts others' too.  In the order in which ties are broken."""
    outgoing = query.outgoing
    found = [Candidate(outgoing, entry) for entry in outgoing.addresses_of(family)]
    may_borrow = outgoing.weak_send and not is_multicast(query.destination) and not is_link_local(query.destination)
    # RFC 6724 section 4; IPv4 turns to other interfaces only if its own has nothing (Linux inet_select_addr).
    if may_borrow and (family is Family.IPV6 or not found):
        found += [
            Candidate(interface, entry)
            for interface in tables.interfaces.values()
            if interface is not outgoing and interface.is_up
            for entry in interface.addresses_of(family)
            if not is_loopback(entry.address) and not is_link_local(entry.address)
        ]
    usable = []
    for candidate in found:
        if not candidate.entry.skip_as_source or candidate.entry.address == query.destination:
            usable.append(candidate)
        elif why is not None:
            why.consider(_text(candidate), "flagged SkipAsSource: only for programs that bind it")
    if _prefers_lowest(query):
        usable.sort(key=_address)
    return usable


def _prefers_lowest(query: Query) -> bool:
    """Where no rule decides.  Nobody says what Windows does then; its IPv4 rules compare nothing but addresses."""
    is_ipv4 = len(query.destination) == 4
    return is_ipv4 and query.tables.behaviour.ipv4_source is SourceRule.LONGEST_MATCH_WITH_NEXT_HOP


def _decide(candidates: list[Candidate], rules: tuple[Rule, ...], query: Query, why: Decision | None) -> Address:
    left = candidates
    decided, reference = _ONLY, rules[0].reference
    for rule in rules:
        if len(left) == 1:
            break
        scores = [rule.score(candidate, query) for candidate in left]
        best = max(scores)
        if min(scores) == best:
            continue
        if why is not None:
            for candidate, score in zip(left, scores, strict=True):
                if score < best:
                    why.consider(_text(candidate), f"loses by the rule: {rule.name}")
        left = [candidate for candidate, score in zip(left, scores, strict=True) if score == best]
        decided, reference = rule.name, rule.reference
    tie = _LOWEST if _prefers_lowest(query) else _FIRST
    if len(left) > 1:
        decided = tie
    winner = left[0]
    if why is not None:
        for candidate in left[1:]:
            why.consider(_text(candidate), f"loses by the rule: {tie}")
        why.consider(_text(winner), f"chosen: {decided}", is_winner=True)
        why.conclude(address_text(winner.entry.address), decided, reference)
    return winner.entry.address


def _text(candidate: Candidate) -> str:
    return f"{address_text(candidate.entry.address)}/{candidate.entry.prefix_length} on {candidate.interface.name}"


def _address(candidate: Candidate) -> Address:
    return candidate.entry.address


def common_bits(one: Address, other: Address) -> int:
    """Length of the longest prefix that two addresses of one family share."""
    difference = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) * 8 - difference.bit_length()


def scope(address: Address) -> int:
    """RFC 6724 3.1 with the numbers of RFC 4291 2.7: 2 link-local, 5 site-local, 14 global.

    Of IPv4 only 169.254/16 and 127/8 are link-local, private addresses are global (RFC 6724 3.2).
    """
    if len(address) == 4:
        return 2 if is_link_local(address) or is_loopback(address) else 14
    if address[0] == 0xFF:
        return address[1] & 0x0F
    if is_link_local(address) or is_loopback(address):
        return 2
    if address[0] == 0xFE and address[1] & 0xC0 == 0xC0:
        return 5
    return 14


def _is_destination(candidate: Candidate, query: Query) -> int:
    return candidate.entry.address == query.destination


def _is_of_outgoing(candidate: Candidate, query: Query) -> int:
    return candidate.interface is query.outgoing


def _match_with_next_hop(candidate: Candidate, query: Query) -> int:
    return common_bits(candidate.entry.address, query.next_hop)


def _match_with_destination(candidate: Candidate, query: Query) -> int:
    return common_bits(candidate.entry.address, query.destination)


def _is_on_next_hops_subnet(candidate: Candidate, query: Query) -> int:
    return is_in_prefix(query.next_hop, candidate.entry.address, candidate.entry.prefix_length)


def _scope(candidate: Candidate, query: Query) -> int:
    own = scope(candidate.entry.address)
    return 16 - own if own >= scope(query.destination) else own - 16


def _is_preferred(candidate: Candidate, query: Query) -> int:
    return not candidate.entry.is_deprecated


def _is_of_next_hops_prefix(candidate: Candidate, query: Query) -> int:
    # Applies only where it is known which router told which prefix (RFC 6724 5, rule 5.5, discussion).
    tables = query.tables
    if not tables.behaviour.prefers_prefix_of_next_hop:
        return 0
    key = (candidate.interface.index, network_of(candidate.entry.address, candidate.entry.prefix_length))
    return query.next_hop in tables.advertised_by.get(key, ())


def _has_label_of_destination(candidate: Candidate, query: Query) -> int:
    find = query.tables.policy_table.find
    return find(candidate.entry.address).label == find(query.destination).label


def _is_temporary(candidate: Candidate, query: Query) -> int:
    return candidate.entry.is_temporary


def _match_within_prefix(candidate: Candidate, query: Query) -> int:
    return min(common_bits(candidate.entry.address, query.destination), candidate.entry.prefix_length)


_ONLY = "only candidate"
_LOWEST = "equal so far: the lowest address"
_FIRST = "equal so far: the one that was added first"

_SAME = Rule("a: the destination is our own address", "KB 969029", _is_destination)

_IPV4 = {
    SourceRule.LONGEST_MATCH_WITH_NEXT_HOP: (
        _SAME,
        Rule("b: address of the outgoing interface", "KB 969029", _is_of_outgoing),
        Rule("c: longest match with the next hop", "KB 969029", _match_with_next_hop),
        Rule("d: longest match with the destination", "KB 969029", _match_with_destination),
    ),
    SourceRule.PRIMARY_ADDRESS: (
        Rule("the destination is our own address", "ip-route(8)", _is_destination),
        Rule("address on the subnet of the next hop", "ip-route(8)", _is_on_next_hops_subnet),
    ),
}

_RFC_6724 = (
    Rule("1: same address", "RFC 6724 5", _is_destination),
    Rule("2: appropriate scope", "RFC 6724 5", _scope),
    Rule("3: avoid deprecated addresses", "RFC 6724 5", _is_preferred),
    Rule("5: outgoing interface", "RFC 6724 5", _is_of_outgoing),
    Rule("5.5: address in a prefix that the next hop advertised", "RFC 6724 5", _is_of_next_hops_prefix),
    Rule("6: matching label", "RFC 6724 5", _has_label_of_destination),
    Rule("7: prefer temporary addresses", "RFC 6724 5", _is_temporary),
    Rule("8: longest matching prefix", "RFC 6724 5", _match_within_prefix),
)
