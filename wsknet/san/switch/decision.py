"""SAN or TCP/IP?  Asked at connect and at listen, never at bind (SAN-6.2.2), and answered here, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from wsknet.net.wording import address_text

if TYPE_CHECKING:
    from wsknet.san.switch.subnets import Subnet, Subnets
    from wsknet.trace import Decision
    from wsknet.types import Address

P = TypeVar("P")

NOT_STREAM = "only stream sockets go over a SAN"
OWN_ADDRESS = "the destination is this host itself"
NO_PROVIDER = "no SAN service provider is installed"
NOT_ON_A_SAN = "the destination is on no subnet of a SAN NIC, and a SAN is not routed"
OTHER_SOURCE = "the local address is not the SAN NIC's on that subnet"
ON_THE_SAN = "the destination is on the subnet of a SAN NIC, and the local address is that NIC's"
PAGE = "Initiating a Connection (Windows Sockets Direct)"


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
        path = "TCP/IP" if winner is None else f"SAN, from {address_text(winner.address)}"
        why.conclude(path, rule, PAGE)
    return winner


def _choose(subnets: Subnets[P], question: Question) -> tuple[Subnet[P] | None, str]:
    if not list(subnets):
        return None, NO_PROVIDER
    if question.destination in question.own:
        return None, OWN_ADDRESS
    found = subnets.towards(question.destination)
    if not found:
        return None, NOT_ON_A_SAN
    winner = next((subnet for subnet in found if subnet.address == question.source), None)
    return (winner, ON_THE_SAN) if winner is not None else (None, OTHER_SOURCE)
