"""SAN service providers of scenarios (Winsock Direct): what a file says of one, and when it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.san.policy import SanPolicy, Wildcard
from wsknet.san.provider.dll import SanProvider
from wsknet.san.registry import registry_of

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario import schema

WILDCARDS = {each.value: each for each in Wildcard}


def policy_of(described: schema.Host) -> SanPolicy:
    """`ValueError` for a policy that there is not."""
    told = described.san_policy
    if told is None:
        return SanPolicy()
    if told.wildcard not in WILDCARDS:
        raise ValueError(f"wildcard is one of {', '.join(WILDCARDS)}, not {told.wildcard!r}")
    return SanPolicy(wildcard=WILDCARDS[told.wildcard], supports_rdma_read=told.rdma_read)


def is_installed_later(described: schema.Host) -> bool:
    return described.san_policy is not None and not described.san_policy.installed


def prepare(host: Host, described: schema.Host) -> None:
    """Before the first program of `host` runs."""
    host.faces[SanProvider] = SanProvider(host, described.san, policy_of(described))
    if not is_installed_later(described):
        install(host)


def install(host: Host) -> None:
    """Programs that are running hear of it."""
    registry_of(host).install(host.faces[SanProvider])
