"""IRPs: whose verifier judges a completion, and IRPs that a call has refused or the verifier never saw."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wsk_lab import lab as laboratory
from wsknet import wsk as w
from wsknet.host import Host, Network
from wsknet.wsk import BugCheck

VIOLATION = 0xC4


def pass_on(DeviceObject: Any, Irp: w.IRP, Context: Any) -> int:
    return w.STATUS_SUCCESS


def keep(DeviceObject: Any, Irp: w.IRP, Context: list[int]) -> int:
    Context.append(Irp.IoStatus.Status)
    return w.STATUS_MORE_PROCESSING_REQUIRED


def own() -> w.IRP:
    """An application's own IRP, with a driver below it, whose routine lets it go on."""
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None
    w.IoSetCompletionRoutine(Irp, pass_on, None, True, True, True)
    w.IoSetNextIrpStackLocation(Irp)
    return Irp


def handed_down(kept: list[int]) -> w.IRP:
    """An IRP that was pending in the lowest driver; the routine in between does not mark it pending again."""
    Irp = w.IoAllocateIrp(2, False)
    assert Irp is not None
    w.IoSetCompletionRoutine(Irp, keep, kept, True, True, True)
    w.IoSetNextIrpStackLocation(Irp)
    w.IoSetCompletionRoutine(Irp, pass_on, None, True, True, True)
    w.IoSetNextIrpStackLocation(Irp)
    w.IoMarkIrpPending(Irp)
    return Irp


@pytest.mark.rule("R-046", "R-063")
@pytest.mark.parametrize("rule", ["R-046", "R-063"])
def test_a_completion_is_judged_by_the_verifier_of_the_host_that_has_the_irp(
    network: Network, host: Host, rule: str
) -> None:
    other = network.host("other")
    w.verify(other, False)
    Irp = own() if rule == "R-046" else handed_down([])
    with other.activate(), pytest.raises(BugCheck) as stop:
        w.IoCompleteRequest(Irp)

    assert (stop.value.code, stop.value.rule) == (VIOLATION, rule)


@pytest.mark.rule("R-046", "R-063")
def test_a_verifier_of_another_host_has_nothing_to_say(network: Network, host: Host) -> None:
    other, kept = network.host("other"), list[int]()
    w.verify(host, False)
    w.verify(other)
    Irp, lower = own(), handed_down(kept)
    with other.activate():
        w.IoCompleteRequest(Irp)
        w.IoCompleteRequest(lower)

    assert kept == [w.STATUS_SUCCESS]


@pytest.mark.rule("R-049", "R-065")
def test_freeing_is_judged_by_the_verifier_of_the_host_that_has_the_irp(network: Network, host: Host) -> None:
    other = network.host("other")
    w.verify(other, False)
    pending = own()
    freed = w.IoAllocateIrp(1, False)
    assert freed is not None
    w.IoFreeIrp(freed)
    for Irp, rule in ((pending, "R-065"), (freed, "R-049")):
        with other.activate(), pytest.raises(BugCheck) as stop:
            w.IoFreeIrp(Irp)
        assert stop.value.rule == rule


def test_an_irp_that_is_older_than_the_verifier_is_freed_as_any(host: Host) -> None:
    w.verify(host, False)
    Irp = w.IoAllocateIrp(1, False)
    assert Irp is not None
    w.verify(host)
    w.IoFreeIrp(Irp)

    assert w.kernel_of(host).leaks() == []


@pytest.mark.rule("R-091")
@pytest.mark.parametrize(("any_address", "family"), [("0.0.0.0", w.AF_INET), ("::", w.AF_INET6)])
def test_an_irp_of_a_request_that_breaks_a_rule_is_the_callers_again(any_address: str, family: int) -> None:
    with laboratory() as lab:
        Socket, kept = lab.datagram(lab.near, 0, any_address, AddressFamily=family), list[int]()
        Irp = w.IoAllocateIrp(1, False)
        assert Irp is not None
        w.IoSetCompletionRoutine(Irp, keep, kept, True, True, True)
        uncached = [w.SECURITY_DESCRIPTOR()]
        with pytest.raises(BugCheck) as stop:
            Socket.Dispatch.WskControlSocket(
                Socket, w.WskSetOption, w.SO_WSK_SECURITY, w.SOL_SOCKET, 8, uncached, 0, None, None, Irp
            )
        assert (stop.value.code, stop.value.rule, kept) == (VIOLATION, "R-091", [])
        Socket.Dispatch.WskGetLocalAddress(Socket, bytearray(28), Irp)

        assert kept == [w.STATUS_SUCCESS]
        w.IoFreeIrp(Irp)
