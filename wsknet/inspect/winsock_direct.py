"""Which way a program's connection goes on a host with SAN NICs, and where its listeners hear (Winsock Direct).

The answers are those of a real switch that is loaded for the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wsknet.inspect.what_if import Make, MayBind, Name, Part, Result, Towards, ask_one
from wsknet.san.numbers import AF_INET, IPPROTO_TCP, SOCK_STREAM, SOMAXCONN
from wsknet.san.policy import SanPolicy, Wildcard
from wsknet.san.provider.dll import SanProvider
from wsknet.san.registry import registry_of
from wsknet.san.sockaddr import SIZE, SOCKADDR_IN
from wsknet.san.structures import INT
from wsknet.san.switch.decision import PAGE, PAGE_LISTENING, TCPIP
from wsknet.san.switch.dll import Switch
from wsknet.text import format_address
from wsknet.trace import Decision
from wsknet.types import Family, Proto, family_of, is_unspecified

if TYPE_CHECKING:
    from wsknet.behaviour import Behaviour
    from wsknet.host import Host
    from wsknet.san.base.stream_socket import StreamSocket
    from wsknet.types import Address

NOT_STREAM = "only stream sockets go over a SAN"
NOT_IPV4 = "SAN service providers know no address but IPv4"
WHICH_WAY = "SAN or TCP/IP?"
WHO_HEARS = "Which SAN NICs hear of it, too?"
FALLS_BACK = (
    "If the peer has no Winsock Direct, the switch tries TCP/IP. If nobody listens there, or there is no such host, "
    "the answer of the SAN service provider is final: WSAECONNRESET, WSAECONNREFUSED or WSAEHOSTUNREACH."
)


def _switch_on(host: Host, nics: Sequence[str], wildcard: Wildcard) -> Switch:
    registry_of(host).install(SanProvider(host, nics, SanPolicy(wildcard=wildcard)))
    return Switch(host)


def towards(make: Make, behaviour: Behaviour, question: Towards, nics: Sequence[str], plain: Result) -> Result:
    """`plain` is the answer without SAN NICs; what cannot be bound is not connected either."""
    bound = question.bound
    if bound is not None and plain.error is not None and ask_one(make, _binding(bound), behaviour).error is not None:
        return plain
    why = Decision(WHICH_WAY)
    host = make(behaviour)
    local = None if bound is None or is_unspecified(bound.address) else bound.address
    nic = _nic(host, nics, question, local, why)
    if nic is None:
        why.parts = []  # the path, which `plain` tells
        return replace(plain, parts=(Part(WHICH_WAY, TCPIP, why), *plain.parts))
    way = f"goes over the SAN NIC {_interface_with(host, nic)}, from the address {format_address(nic)}"
    return Result(way, None, (Part(WHICH_WAY, "SAN", why),), FALLS_BACK, nic)


def _binding(name: Name) -> MayBind:
    return MayBind(Proto.TCP, name)


def _nic(host: Host, nics: Sequence[str], question: Towards, local: Address | None, why: Decision) -> Address | None:
    remote = question.destination.address
    if question.protocol is not Proto.TCP or family_of(remote) is not Family.IPV4:
        why.conclude(TCPIP, NOT_IPV4 if question.protocol is Proto.TCP else NOT_STREAM, PAGE)
        return None
    subnet = _switch_on(host, nics, Wildcard.PRE_VISTA).choose(local, remote, why)
    return None if subnet is None else subnet.address


def _interface_with(host: Host, address: Address) -> str:
    interfaces = host.stack.view().interfaces
    return next(each.name for each in interfaces if any(own == address for own, _ in each.addresses))


def listens(make: Make, behaviour: Behaviour, name: Name, nics: Sequence[str]) -> dict[Wildcard, Result]:
    """A program binds `name` and listens there: what it hears under each policy of SAN service providers."""
    refused = ask_one(make, _binding(name), behaviour)
    if refused.error is not None:
        return dict.fromkeys(Wildcard, refused)
    return {wildcard: _listens(make(behaviour), name, nics, wildcard) for wildcard in Wildcard}


def _listens(host: Host, name: Name, nics: Sequence[str], wildcard: Wildcard) -> Result:
    told: list[Decision] = []
    if family_of(name.address) is Family.IPV4:
        switch = _switch_on(host, nics, wildcard)

        def keep(socket: StreamSocket, why: Decision) -> None:
            told.append(why)

        switch.on_decision = keep
        table = switch.table
        s = table.lpWSPSocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, 0, INT())
        table.lpWSPBind(s, SOCKADDR_IN(name.address, name.port), SIZE, INT())
        table.lpWSPListen(s, SOMAXCONN, INT())
    else:
        told.append(Decision(WHO_HEARS))
        told[0].conclude(f"{TCPIP} alone", NOT_IPV4, PAGE_LISTENING)
    return Result(f"listens through {told[0].answer}", None, (Part(WHO_HEARS, told[0].answer, told[0]),))
