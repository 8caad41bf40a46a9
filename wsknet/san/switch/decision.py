"""SAN or TCP/IP?  Asked at connect and at listen, never at bind (SAN-6.2.2), and answered here, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from wsknet.net.wording import address_text
from wsknet.san.numbers import name_of
from wsknet.san.policy import Wildcard
from wsknet.san.sockaddr import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsknet.san.switch.subnets import Subnet, Subnets
    from wsknet.trace import Decision
    from wsknet.types import Address

P = TypeVar("P")

TCPIP = "TCP/IP"
DOWN = "is down"

OWN_ADDRESS = "the destination is this host itself"
NO_PROVIDER = "no SAN service provider is installed"
NO_ADDRESS = "no SAN NIC has an address"
NIC_IS_DOWN = "the SAN NIC on the subnet of the destination is down"
NOT_ON_A_SAN = "the destination is on no subnet of a SAN NIC, and a SAN is not routed"
OTHER_SOURCE = "the local address is not the SAN NIC's on that subnet"
ON_THE_SAN = "the destination is on the subnet of a SAN NIC, and the local address is that NIC's"
FINAL = "the provider promises with this code that TCP/IP would fail, too"
NOT_FINAL = "with any other code than the three final ones TCP/IP is tried"
PAGE = "Initiating a Connection (Windows Sockets Direct)"

LISTENS_AT_NIC = "the address is that of a SAN NIC"
LISTENS_ELSEWHERE = "the address is that of no SAN NIC"
LISTENS_AT_NIC_DOWN = "the address is that of a SAN NIC that is down: a companion follows once it is up"
NICS_ARE_DOWN = "every SAN NIC that has an address is down: a companion follows once one is up"
LISTENS_AT_WILDCARD = "before Vista: one companion at 0.0.0.0, which means all NICs of the provider"
LISTENS_AT_EACH = "from Vista on no provider is given 0.0.0.0: one companion for each address of a NIC"
PAGE_LISTENING = "Listening for Connections on a SAN"


class Question(NamedTuple):
    """One connect of an application."""

    destination: Address
    source: Address
    """What the application has bound, or what TCP/IP's route to the destination gives: the companion gets the same."""
    own: frozenset[Address]
    """All addresses of the host."""


def choose(subnets: Subnets[P], question: Question, why: Decision | None = None) -> Subnet[P] | None:
    """The NIC that carries the connection; `None` for TCP/IP.  `why` collects subnets, answer and rule."""
    winner, rule = _choose(subnets, question)
    if why is not None:
        for subnet in subnets:
            verdict = "holds the destination" if subnet.holds(question.destination) else "does not hold the destination"
            what = f"SAN NIC {address_text(subnet.address)}/{subnet.prefix_length}"
            why.consider(what, verdict, subnet is winner)
        for address, prefix_length in subnets.down:
            why.consider(f"SAN NIC {address_text(address)}/{prefix_length}", DOWN)
        path = TCPIP if winner is None else f"SAN, from {address_text(winner.address)}"
        why.conclude(path, rule, PAGE)
    return winner


def explain_failure(code: int, is_final: bool, why: Decision) -> None:
    """Of the SAN service provider's connect."""
    why.consider("SAN", f"the provider answers {name_of(code)}")
    why.conclude("the connect has failed" if is_final else TCPIP, FINAL if is_final else NOT_FINAL, PAGE)


class Serving(NamedTuple):
    """What there is to know of a provider when somebody listens."""

    addresses: Sequence[Address]
    """Of its NICs that are up."""
    down: Sequence[Address]
    """Of the others."""
    wildcard: Wildcard


def companions(serving: Serving, local: Address | None) -> list[Address]:
    """What the companions of a socket that listens at `local` are bound to; `None` is the wildcard (4.1 and 4.2)."""
    if local is not None:
        return [local] if local in serving.addresses else []
    return [ANY] if serving.wildcard is Wildcard.PRE_VISTA else list(serving.addresses)


def explain_listening(providers: Sequence[Serving], local: Address | None, why: Decision) -> None:
    names: list[Address] = []
    for serving in providers:
        bound = companions(serving, local)
        names += bound
        for address in serving.addresses:
            is_heard = address in bound or ANY in bound
            at = "a companion listens there" if address in bound else "the companion at 0.0.0.0 listens there"
            what = f"SAN NIC {address_text(address)}"
            why.consider(what, at if is_heard else "no companion: it is another address", is_heard)
        for address in serving.down:
            why.consider(f"SAN NIC {address_text(address)}", DOWN)
    paths = f"{TCPIP}, and SAN at {', '.join(map(address_text, names))}" if names else f"{TCPIP} alone"
    why.conclude(paths, _listening_rule(providers, local, names), PAGE_LISTENING)


def _listening_rule(providers: Sequence[Serving], local: Address | None, names: list[Address]) -> str:
    if not providers:
        return NO_PROVIDER
    down = [address for serving in providers for address in serving.down]
    if local is not None and not names:
        return LISTENS_AT_NIC_DOWN if local in down else LISTENS_ELSEWHERE
    if local is not None:
        return LISTENS_AT_NIC
    if not names:
        return NICS_ARE_DOWN if down else NO_ADDRESS
    rules = {Wildcard.PRE_VISTA: LISTENS_AT_WILDCARD, Wildcard.VISTA: LISTENS_AT_EACH}
    return "; ".join(dict.fromkeys(rules[serving.wildcard] for serving in providers))


def _choose(subnets: Subnets[P], question: Question) -> tuple[Subnet[P] | None, str]:
    if not subnets.has_providers:
        return None, NO_PROVIDER
    if not list(subnets) and not subnets.down:
        return None, NO_ADDRESS
    if question.destination in question.own:
        return None, OWN_ADDRESS
    found = subnets.towards(question.destination)
    if not found:
        return None, NIC_IS_DOWN if subnets.is_down_towards(question.destination) else NOT_ON_A_SAN
    winner = next((subnet for subnet in found if subnet.address == question.source), None)
    return (winner, ON_THE_SAN) if winner is not None else (None, OTHER_SOURCE)
