"""What one host would do under several behaviour sets: a question, and the answer of each, as data.

The answers are those of a real stack that is built for the question.  Sockets are opened, bound and connected on it;
what is sent goes nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from wsknet.behaviour import Behaviour
from wsknet.errors import ErrorKind, NetError
from wsknet.host import Host
from wsknet.policy_table import MAPPED
from wsknet.text import format_address, format_endpoint
from wsknet.trace import Decision
from wsknet.transport.ports import ANYONE
from wsknet.transport.queries import ArrivalQuery, BindQuery, PathQuery
from wsknet.transport.sharing import Security, Sharing
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import (
    LOOPBACK_INDEX,
    Address,
    Cover,
    Endpoint,
    IfIndex,
    LocalName,
    Proto,
    family_of,
    is_link_local,
    is_unspecified,
)

Make: TypeAlias = Callable[[Behaviour], Host]
"""The host to ask, made anew for each behaviour set.  It has interfaces, addresses and routes, and no sockets."""


class Name(NamedTuple):
    """A local name as people write it: the wildcard is an unspecified address."""

    address: Address
    port: int
    zone: int = 0
    is_dual: bool | None = None
    """Of ``::``: for IPv4, too.  `None`: as the behaviour set has it when the program says nothing."""

    def under(self, behaviour: Behaviour) -> LocalName:
        address = self.address[12:] if self.address[:12] == MAPPED else self.address
        cover = Cover(family_of(address).value)
        if not is_unspecified(address):
            return LocalName(cover, address, self.port, self.zone)
        is_dual = not behaviour.v6only if self.is_dual is None else self.is_dual
        return LocalName(Cover.DUAL if is_dual and cover is Cover.IPV6 else cover, None, self.port)

    def __str__(self) -> str:
        return format_endpoint(Endpoint(self.address, self.port, self.zone))


@dataclass(frozen=True)
class Held:
    """A socket that is there when the question is asked."""

    name: Name
    sharing: Sharing = Sharing.DEFAULT
    security: Security = ANYONE
    peer: Endpoint | None = None


@dataclass(frozen=True)
class MayBind:
    """Could a program bind `name` while others hold theirs?"""

    protocol: Proto
    name: Name
    sharing: Sharing = Sharing.DEFAULT
    security: Security = ANYONE
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Towards:
    """Which way, and from which address, would a connect (TCP) or a sendto (UDP) go?"""

    protocol: Proto
    destination: Endpoint
    bound: Name | None = None
    through: int = 0
    """The interface that the program demands (IP_UNICAST_IF)."""


@dataclass(frozen=True)
class Arrives:
    """Who gets what arrives, and from which address does the answer leave?"""

    protocol: Proto
    local: Endpoint
    remote: Endpoint
    if_index: int = 0
    """Where it arrives; 0: where its destination is, or where the way back leads."""
    sockets: tuple[Held, ...] = ()


Question: TypeAlias = MayBind | Towards | Arrives


@dataclass(frozen=True)
class Part:
    """One of the questions that an answer rests on.  `answer` is short, `decision` tells why."""

    question: str
    answer: str
    decision: Decision | None = None


@dataclass(frozen=True)
class Result:
    """What one behaviour set does.  Two results with one `outcome` are alike for whoever asks."""

    outcome: str
    error: ErrorKind | None = None
    parts: tuple[Part, ...] = ()
    advice: str = ""
    """How to get what was probably wanted."""
    source: Address | None = None
    """The address that a packet leaves with, if one does."""


def ask(make: Make, question: Question, behaviours: Mapping[str, Behaviour]) -> dict[str, Result]:
    """By the names of `behaviours`, in their order.  `ValueError` if the host itself cannot be."""
    return {name: ask_one(make, question, behaviour) for name, behaviour in behaviours.items()}


def ask_one(make: Make, question: Question, behaviour: Behaviour) -> Result:
    asked = _Asked(make(behaviour), behaviour)
    try:
        match question:
            case MayBind():
                return asked.bind(question)
            case Towards():
                return asked.towards(question)
            case Arrives():
                return asked.arrives(question)
    except _CannotHoldError as error:
        return Result(str(error), error.kind)


class _CannotHoldError(Exception):
    """The sockets that the question takes for granted cannot be there together."""

    def __init__(self, held: Held, error: NetError) -> None:
        super().__init__(f"does not come to that: the socket {held.name} fails at its bind already ({error})")
        self.kind = error.kind


class _Asked:
    """A host and its behaviour."""

    def __init__(self, host: Host, behaviour: Behaviour) -> None:
        self._host = host
        self._stack = host.stack
        self._behaviour = behaviour

    def bind(self, question: MayBind) -> Result:
        for held in question.held:
            self._open(question.protocol, held)
        name = question.name.under(self._behaviour)
        answer, why = self._stack.explain(BindQuery(question.protocol, name, question.sharing, question.security))
        error = answer.error
        outcome = "succeeds" if error is None else f"fails: {error.kind.value} ({error.detail})"
        return Result(
            outcome, error.kind if error else None, (Part(f"May {question.name} be bound?", _yes(error), why),)
        )

    def towards(self, question: Towards) -> Result:
        """Explained, and then done: the transports have rules of their own about who can be a peer."""
        to, protocol = question.destination, question.protocol
        name = (question.bound or Name(bytes(len(to.address)), 0)).under(self._behaviour)
        is_given = question.bound is not None
        if is_given:
            answer, why = self._stack.explain(BindQuery(protocol, name))
            if answer.error is not None:
                error = answer.error
                part = Part(f"May {question.bound} be bound?", _yes(error), why)
                return Result(f"fails at bind already: {error.kind.value} ({error.detail})", error.kind, (part,))
        zone = to.zone or name.zone
        answer, why = self._stack.explain(PathQuery(to.address, name.address, zone, question.through))
        done, needs_broadcast = self._try(question, name)
        refusal = done or answer.error
        headline = f"Which way to {format_address(to.address, to.zone)}, and from which address?"
        if refusal is not None:
            asked = Part(headline, refusal.kind.value, why if answer.error is not None else None)
            return Result(f"fails: {refusal.kind.value} ({refusal.detail})", refusal.kind, (asked,))
        assert answer.path is not None
        path = answer.path
        way = _way_text(self._way(path.interface.index, path.next_hop, to.address, path.is_local), path.source)
        note = "; the program must set SO_BROADCAST first, or gets: access denied" if needs_broadcast else ""
        return Result(way + note, None, (Part(headline, format_address(path.source), why),), source=path.source)

    def _try(self, question: Towards, name: LocalName) -> tuple[NetError | None, bool]:
        """How it ends, and whether SO_BROADCAST was needed."""
        pinned = {4: question.through, 16: question.through}
        endpoint: TcpEndpoint | UdpEndpoint
        with self._host.pump as now:
            try:
                if question.protocol is Proto.TCP:
                    endpoint = self._stack.tcp.open(name.cover)
                    endpoint.bind(name, now)
                    endpoint.unicast_interfaces = pinned
                    endpoint.connect(question.destination, now)
                    return None, False
                endpoint = self._stack.udp.open(name.cover)
                endpoint.bind(name, now)
                endpoint.unicast_interfaces = pinned
                endpoint.send((b"",), question.destination, now)
            except NetError as error:
                if error.kind is not ErrorKind.BROADCAST_DENIED:
                    return error, False
                return None, True
        return None, False

    def arrives(self, question: Arrives) -> Result:
        sockets = {self._open(question.protocol, held, is_listening=True): held for held in question.sockets}
        local, remote = question.local, question.remote
        if_index = question.if_index or self._arrival_interface(local.address, remote.address)
        zoned = [
            each._replace(zone=each.zone or if_index) if is_link_local(each.address) else each
            for each in (local, remote)
        ]
        answer, why = self._stack.explain(ArrivalQuery(question.protocol, zoned[0], zoned[1], if_index))
        parts = []
        here = self._name(if_index) if if_index else ""
        if why.parts:
            level_0 = why.parts[0]
            parts.append(Part(f"Is {format_address(local.address)} ours on {here}?", level_0.answer, level_0))
            if answer.drop is not None or answer.is_passed_on:
                verb = "is passed on to other hosts" if answer.is_passed_on else "is dropped before any socket sees it"
                return Result(f"{verb}: {level_0.rule}", None, tuple(parts))
        is_broadcast = bool(why.parts) and not self._has(local.address)
        why.parts = []
        names = [str(sockets[each].name) for each in map(_endpoint_of, answer.receivers) if each in sockets]
        who = f"the socket bound to {names[0]}" if len(names) == 1 else ", ".join(names) or "nobody"
        parts.append(Part("Which socket gets it?", who, why))
        if not names:
            return Result(self._nobody(question, zoned[0], is_broadcast), None, tuple(parts))
        if len(names) > 1:
            return Result(f"every one of {who} gets a copy", None, tuple(parts))
        endpoint = _endpoint_of(answer.receivers[0])
        assert endpoint is not None
        if is_broadcast:
            return self._answered_broadcast(zoned[1], endpoint, names[0], parts)
        return self._answered(question, zoned, endpoint, names[0], if_index, parts)

    def _has(self, address: Address) -> bool:
        return any(address == own for interface in self._stack.view().interfaces for own, _ in interface.addresses)

    def _answered_broadcast(
        self, remote: Endpoint, endpoint: TcpEndpoint | UdpEndpoint, name: str, parts: list[Part]
    ) -> Result:
        """Nobody expects it from the address that was asked: no packet has that as its source."""
        assert endpoint.local is not None
        answer, why = self._stack.explain(PathQuery(remote.address, endpoint.local.address, remote.zone))
        headline = "From which address does the answer leave?"
        if answer.error is not None:
            parts.append(Part(headline, f"none: {answer.error.kind.value}", why))
            return Result(_no_answer(name, answer.error), answer.error.kind, tuple(parts))
        assert answer.path is not None
        source = format_address(answer.path.source)
        parts.append(Part(headline, source, why))
        return Result(f"reaches {name}; the answer leaves from {source}", None, tuple(parts), "", answer.path.source)

    def _answered(
        self, question: Arrives, zoned: list[Endpoint], endpoint: TcpEndpoint | UdpEndpoint, name: str, if_index: int,
        parts: list[Part],
    ) -> Result:  # fmt: skip
        local, remote = zoned
        assert endpoint.local is not None
        is_tcp = question.protocol is Proto.TCP
        bound = local.address if is_tcp else endpoint.local.address
        zone = remote.zone or (endpoint.local.zone if bound is not None else 0)
        answer, why = self._stack.explain(PathQuery(remote.address, bound, zone))
        headline = "From which address does the answer leave?"
        if answer.error is not None:
            parts.append(Part(headline, f"none: {answer.error.kind.value}", why))
            return Result(_no_answer(name, answer.error), answer.error.kind, tuple(parts))
        assert answer.path is not None
        path, asked = answer.path, format_address(local.address)
        source = format_address(path.source)
        same = path.source == local.address
        parts.append(Part(headline, source if same else f"{source}, not {asked}", why))
        which = f"{source}, the address that was asked" if same else f"{source}, not from {asked}, which was asked"
        outcome = f"reaches {name}; the answer leaves from {which}"
        if if_index and not path.is_local and path.interface.index != if_index:
            outcome += f", and through {path.interface.name}, not {self._name(if_index)}"
        advice = "" if is_tcp else _advice(endpoint.local, asked, same)
        if advice and not same:
            advice += self._obstacle(local.address, remote)
        return Result(outcome, None, tuple(parts), advice, path.source)

    def _obstacle(self, asked: Address, remote: Endpoint) -> str:
        """Why even a socket bound to `asked` could not answer."""
        error = self._stack.resolve(PathQuery(remote.address, asked, remote.zone)).error
        if error is None:
            return ""
        interface, peer = f"the interface of {format_address(asked)}", format_address(remote.address)
        return (
            f" As the routes are, that would fail: {error.kind.value} ({error.detail}). "
            f"Give {interface} a route to {peer} first."
        )

    def _nobody(self, question: Arrives, local: Endpoint, is_broadcast: bool) -> str:
        if is_broadcast:
            return "reaches nobody, and nothing is sent back: nobody is told of a broadcast that came in vain"
        if question.protocol is Proto.TCP:
            return "reaches nobody: the sender gets a reset (connection refused)"
        if self._stack.udp.ports.is_held(local.address, local.port, local.zone):
            return "reaches nobody, and nothing is sent back: the socket takes datagrams of its peer alone"
        return "reaches nobody: the sender gets an ICMP port unreachable"

    def _arrival_interface(self, local: Address, remote: Address) -> int:
        """0 if it is not on any wire."""
        interfaces = self._stack.view().interfaces
        for interface in interfaces:
            if any(address == remote for address, _ in interface.addresses):
                return 0
        for interface in interfaces:
            if interface.index != LOOPBACK_INDEX and any(address == local for address, _ in interface.addresses):
                return interface.index
        path = self._stack.resolve(PathQuery(remote)).path
        if path is None:
            return next((each.index for each in interfaces if each.index != LOOPBACK_INDEX and each.is_up), 0)
        return 0 if path.is_local else path.interface.index

    def _open(self, protocol: Proto, held: Held, is_listening: bool = False) -> TcpEndpoint | UdpEndpoint:
        name = held.name.under(self._behaviour)
        endpoint: TcpEndpoint | UdpEndpoint
        with self._host.pump as now:
            try:
                if protocol is Proto.TCP:
                    endpoint = self._stack.tcp.open(name.cover)
                    endpoint.bind(name, now, held.sharing, held.security)
                    if is_listening:
                        endpoint.listen(now)
                else:
                    endpoint = self._stack.udp.open(name.cover)
                    endpoint.bind(name, now, held.sharing, held.security)
                    if held.peer is not None:
                        endpoint.connect(held.peer, now)
            except NetError as error:
                raise _CannotHoldError(held, error) from None
        return endpoint

    def _name(self, if_index: int) -> str:
        return self._stack.ip.interfaces[IfIndex(if_index)].name

    def _way(self, if_index: IfIndex, next_hop: Address, destination: Address, is_local: bool) -> str:
        if is_local:
            return f"stays inside the host, whose own address {format_address(destination)} is"
        if next_hop == destination:
            return f"leaves through {self._name(if_index)} straight to {format_address(destination)}"
        return f"leaves through {self._name(if_index)} to the router {format_address(next_hop)}"


def _way_text(way: str, source: Address) -> str:
    return f"{way}, from the address {format_address(source)}"


def _no_answer(name: str, error: NetError) -> str:
    return f"reaches {name}, but the answer fails: {error.kind.value} ({error.detail})"


def _yes(error: NetError | None) -> str:
    return "yes" if error is None else f"no: {error.kind.value}"


def _endpoint_of(receiver: object) -> TcpEndpoint | UdpEndpoint | None:
    """A TCP listener stands for its endpoint."""
    found = getattr(receiver, "endpoint", receiver)
    return found if isinstance(found, TcpEndpoint | UdpEndpoint) else None


def _advice(local: LocalName, asked: str, same: bool) -> str:
    if local.address is not None:
        return ""
    is_ipv6 = ":" in asked
    option = "IPV6_PKTINFO" if is_ipv6 else "IP_PKTINFO (on BSD IP_RECVDSTADDR and IP_SENDSRCADDR)"
    how = (
        f"bind one socket to each address of the host ({asked} and the others), or set {option} on this one and send "
        "each answer from the address that the question was sent to"
    )
    first = "the route back decides it anew for every answer" if same else "the route back decided, not the question"
    return f"A socket bound to the wildcard has no address of its own: {first}. To answer from {asked} always, {how}."
