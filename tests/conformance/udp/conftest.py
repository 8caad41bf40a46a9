from __future__ import annotations

import pytest

from tests.conformance.udp.udp_lab import UdpLab
from wsknet.types import Family


@pytest.fixture(params=list(Family), ids=lambda family: family.name)
def lab(request: pytest.FixtureRequest) -> UdpLab:
    return UdpLab(request.param)
