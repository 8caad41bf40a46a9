"""What people give by hand is checked where they give it."""

from __future__ import annotations

from typing import Any

import pytest

from wsknet.san.policy import SanPolicy
from wsknet.san.sockaddr import SOCKADDR_IN


@pytest.mark.parametrize(
    "settings", [{"native_port": 0}, {"native_port": 65_536}, {"connect_seconds": -1}, {"max_rdma_size": -1}]
)
def test_a_policy_that_cannot_work_is_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        SanPolicy(**settings)


@pytest.mark.parametrize("address", ["10.9.0.2", bytes(16), b"", None])
def test_an_address_is_four_bytes(address: Any) -> None:
    with pytest.raises(ValueError, match="four bytes"):
        SOCKADDR_IN(address, 80)
