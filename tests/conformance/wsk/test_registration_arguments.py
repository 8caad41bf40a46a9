"""Registration functions with blocks and structures that are no such thing, and registering while others look on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import Lab
from wsknet.wsk import (
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_PROVIDER_CHARACTERISTICS,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    BugCheck,
    WskCaptureProviderNPI,
    WskDeregister,
    WskQueryProviderCharacteristics,
    WskRegister,
    WskReleaseProviderNPI,
    verify,
)

NPI = WSK_CLIENT_NPI(None, WSK_CLIENT_DISPATCH())
ODD: dict[str, Any] = {
    "WskRegister of NULL": lambda block: WskRegister(None, WSK_REGISTRATION()),  # type: ignore[arg-type]
    "WskRegister without a block": lambda block: WskRegister(NPI, None),  # type: ignore[arg-type]
    "WskRegister with a number for a table": lambda block: WskRegister(WSK_CLIENT_NPI(None, 5), WSK_REGISTRATION()),  # type: ignore[arg-type]
    "WskCaptureProviderNPI without a block": lambda block: WskCaptureProviderNPI(None, 0, WSK_PROVIDER_NPI()),  # type: ignore[arg-type]
    "WskCaptureProviderNPI into NULL": lambda block: WskCaptureProviderNPI(block, 0, None),  # type: ignore[arg-type]
    "WskCaptureProviderNPI with text": lambda block: WskCaptureProviderNPI(block, "1", WSK_PROVIDER_NPI()),  # type: ignore[arg-type]
    "WskQueryProviderCharacteristics into NULL": lambda block: WskQueryProviderCharacteristics(block, None),  # type: ignore[arg-type]
    "WskQueryProviderCharacteristics without a block": lambda block: WskQueryProviderCharacteristics(
        5,  # type: ignore[arg-type]
        WSK_PROVIDER_CHARACTERISTICS(),
    ),
}


@pytest.mark.rule("R-001", "R-003")
@pytest.mark.parametrize("name", ODD)
def test_what_is_no_such_structure(lab: Lab, name: str) -> None:
    block = WSK_REGISTRATION()
    assert WskRegister(NPI, block) == STATUS_SUCCESS
    verify(lab.near)
    with pytest.raises(BugCheck):
        ODD[name](block)
    verify(lab.near, False)
    assert ODD[name](block) == STATUS_INVALID_PARAMETER
    WskDeregister(block)  # waits for captures


@pytest.mark.rule("R-001")
@pytest.mark.parametrize("function", [WskReleaseProviderNPI, WskDeregister])
@pytest.mark.parametrize("block", [None, 5])
def test_functions_without_a_status(lab: Lab, function: Any, block: Any) -> None:
    verify(lab.near)
    with pytest.raises(BugCheck, match="R-001"):
        function(block)
    verify(lab.near, False)
    assert function(block) is None


@pytest.mark.rule("R-002")
def test_the_clients_of_a_host_change_under_the_driver_lock_alone(lab: Lab) -> None:
    """Others go through them with it.  In virtual time nobody waits for the lock: to take it twice is an error."""
    with lab.near.pump, pytest.raises(RuntimeError, match="a core was entered while one is entered"):
        WskRegister(NPI, WSK_REGISTRATION())
