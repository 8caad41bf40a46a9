"""A host that checks its addresses: in each family, or in one."""

from __future__ import annotations

import pytest

from tests.unit.net.claimant import Host


@pytest.fixture(params=[True, False], ids=["IPv4", "IPv6"])
def host(request: pytest.FixtureRequest) -> Host:
    return Host(request.param)


@pytest.fixture
def host4() -> Host:
    return Host(is_ipv4=True)


@pytest.fixture
def host6() -> Host:
    return Host(is_ipv4=False)
