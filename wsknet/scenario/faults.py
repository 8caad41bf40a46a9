"""Fault switches of a scenario, for its WSK face: how completions come, what is not allocated, what dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.scenario.terms import nanoseconds
from wsknet.wsk import Completing, faults_of, verify

if TYPE_CHECKING:
    from wsknet.host import Host
    from wsknet.scenario import schema

COMPLETING = {each.value: each for each in Completing}
GONE, BACK = "gone", "back"


def check_faults(faults: schema.Faults | schema.SetFaults) -> None:
    """`ValueError` for what no switch can be set to."""
    if faults.completing not in COMPLETING:
        raise ValueError(f"completing is one of {', '.join(COMPLETING)}, not {faults.completing!r}")
    if faults.delay:
        nanoseconds(faults.delay)
    for function, nth in faults.fail.items():
        if nth < 1:
            raise ValueError(f"fail counts calls from 1: the {nth}th of {function} never comes")


def prepare(host: Host, described: schema.Host) -> None:
    """Before the application of `host` registers."""
    if described.verified:
        verify(host)
    if described.faults is not None:
        put_faults(host, described.faults)


def put_faults(host: Host, faults: schema.Faults | schema.SetFaults) -> None:
    """What is not said of completions is as usual again; allocations that were to fail still do."""
    switches = faults_of(host)
    delay = nanoseconds(faults.delay) if faults.delay else 0
    switches.complete(COMPLETING[faults.completing], delay=delay, is_on_thread=faults.on_thread)
    for function, nth in faults.fail.items():
        switches.fail_allocation("" if function == "any" else function, nth)


def move_provider(host: Host, to: str) -> None:
    """GONE or BACK."""
    if to == GONE:
        faults_of(host).detach_provider()
    else:
        faults_of(host).attach_provider()
