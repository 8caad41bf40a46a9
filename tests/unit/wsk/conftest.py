"""A host without a network: what allocates needs a current one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wsknet.host import Host, Network


@pytest.fixture
def network() -> Iterator[Network]:
    with Network() as network:
        yield network


@pytest.fixture
def host(network: Network) -> Iterator[Host]:
    """Current for the whole test."""
    host = network.host("alone")
    with host.activate():
        yield host
