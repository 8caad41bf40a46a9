"""The steps of a scenario on emulated hosts and on the kernel, side by side."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wsknet.behaviour import LINUX
from wsknet.scenario.columns import Column, column
from wsknet.scenario.kernel import KernelWorld
from wsknet.scenario.kernel_build import lacking
from wsknet.scenario.outcomes import render
from wsknet.scenario.runner import run
from wsknet.scenario.schema import Wait
from wsknet.scenario.terms import nanoseconds
from wsknet.scenario.virtual import VirtualWorld
from wsknet.types import SECOND

if TYPE_CHECKING:
    from wsknet.scenario.runner import Result, StepResult
    from wsknet.scenario.schema import Scenario, Step

FACE = "linux"
KERNEL = Column("kernel", LINUX)

DYNAMIC = 32768
"""Ports from here on are assigned: Linux's ip_local_port_range begins here.  Which one it was means nothing."""
_PORT = re.compile(r"(?<=[0-9a-f\]]):([0-9]{5})(?![0-9:\]])")

_INCIDENTAL = re.compile(r"arp |nd |icmp (mld-report|router-solicitation|type 13[012]) |protocol 2 |tcp ACK ")
"""Neither is part of what a program does: finding neighbours, groups that each host joins by itself, and whether an
acknowledgement travels alone.  A step that means them says so in its `frames`, which both must show."""


@dataclass(frozen=True)
class StepComparison:
    number: int
    sentence: str
    expected: str
    ours: str
    kernels: str
    our_frames: list[str]
    kernel_frames: list[str]
    """Only those that a comparison looks at, with dynamic ports renamed."""
    problem: str = ""
    """What differs; empty if they are alike."""
    is_known: bool = False


@dataclass(frozen=True)
class Comparison:
    name: str
    scenario: Scenario
    kernel: str
    """Release of the kernel."""
    settings: dict[str, str]
    """Its sysctls."""
    steps: list[StepComparison] = field(default_factory=list)

    @property
    def differences(self) -> list[StepComparison]:
        return [step for step in self.steps if step.problem]

    @property
    def unknown(self) -> list[StepComparison]:
        return [step for step in self.differences if not step.is_known]

    @property
    def verdict(self) -> str:
        """alike, known (the scenario tells of each difference) or unknown."""
        if self.unknown:
            return "unknown"
        return "known" if self.differences else "alike"


def obstacle(scenario: Scenario) -> str:
    """Why there is nothing to compare, or nothing."""
    if not scenario.compare:
        return scenario.differs.strip() or "it is about what the kernel has not"
    if FACE not in scenario.faces:
        return f"it is not for {FACE}"
    reasons = (lacking(host) for host in scenario.hosts.values())
    return next((reason for reason in reasons if reason), "")


def waiting(scenario: Scenario) -> int:
    """Seconds that really pass on the kernel."""
    return sum(nanoseconds(step.what) for step in scenario.steps if isinstance(step, Wait)) // SECOND


def compare(name: str, scenario: Scenario, seed: int = 1) -> Comparison:
    """Needs root.  `UsageError` tells what is in the way."""
    ours_column = column(FACE, scenario.policies)
    ours = run(name, scenario, ours_column, VirtualWorld(scenario, ours_column, seed))
    world = KernelWorld(scenario)
    kernels = run(name, scenario, KERNEL, world, "kernel")
    comparison = Comparison(name, scenario, os.uname().release, world.settings)
    comparison.steps.extend(_side_by_side(ours, kernels))
    return comparison


def _side_by_side(ours: Result, kernels: Result) -> list[StepComparison]:
    our_names, kernel_names = PortNames(), PortNames()
    by_number = {step.number: step for step in kernels.steps}
    compared = []
    for our_step in ours.steps:
        kernel_step = by_number.get(our_step.number)
        if kernel_step is not None:
            compared.append(_compare(our_step, our_names, kernel_step, kernel_names))
    return compared


def _compare(ours: StepResult, our_names: PortNames, kernels: StepResult, kernel_names: PortNames) -> StepComparison:
    our_outcome, kernel_outcome = our_names.rename(ours.outcome), kernel_names.rename(kernels.outcome)
    our_frames, kernel_frames = _telling(ours, our_names), _telling(kernels, kernel_names)
    has_own = _kernel_has_own(ours.step)
    if has_own and kernels.failures:
        problem = "the kernel does not do what the scenario says it does: " + _failures(kernels)
    elif not _alike(our_outcome, kernel_outcome):
        problem = "outcome"
    elif sorted(our_frames) != sorted(kernel_frames):
        problem = "frames"
    elif kernels.failures and not ours.failures:
        problem = "expected of both: " + _failures(kernels)
    else:
        problem = ""
    is_known = bool(problem) and has_own and not kernels.failures
    return StepComparison(ours.number, ours.sentence, ours.expected, our_outcome, kernel_outcome, our_frames,
                          kernel_frames, problem, is_known)  # fmt: skip


def _kernel_has_own(step: Step) -> bool:
    """The scenario knows that the kernel differs here."""
    return any(isinstance(told, dict) and "kernel" in told for told in (step.expect, step.frames, step.no_frames))


def _alike(ours: str, kernels: str) -> bool:
    """One errno may be several conditions, which the kernel does not tell apart."""
    if ours == kernels:
        return True
    called = render(ours, FACE)
    return bool(called) and called == render(kernels, FACE)


def _failures(step: StepResult) -> str:
    return "; ".join(f"{failure.of}: {failure.expected}, got {failure.got}" for failure in step.failures)


def _telling(step: StepResult, names: PortNames) -> list[str]:
    lines = [frame.line for frame in step.frames if not _INCIDENTAL.match(frame.text)]
    return [names.rename(line) for line in lines if names.is_first(line)]


class PortNames:
    """Dynamic ports by names in the order in which they appear: the first is p1."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._attempts: set[str] = set()

    def is_first(self, line: str) -> bool:
        """Not a repeated SYN, which falls into this step or that one as real time goes by."""
        if ": tcp SYN" not in line:
            return True
        is_new = line not in self._attempts
        self._attempts.add(line)
        return is_new

    def rename(self, told: str) -> str:
        return _PORT.sub(self._name, told)

    def _name(self, found: re.Match[str]) -> str:
        port = found[1]
        if int(port) < DYNAMIC:
            return found[0]
        return ":" + self._names.setdefault(port, f"p{len(self._names) + 1}")


def as_builtins(comparison: Comparison) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "scenario": comparison.name,
        "title": comparison.scenario.title,
        "cases": list(comparison.scenario.cases),
        "kernel": comparison.kernel,
        "sysctls": comparison.settings,
        "verdict": comparison.verdict,
        "differs": comparison.scenario.differs,
        "steps": [
            {
                "number": step.number,
                "step": step.sentence,
                "expected": step.expected,
                "wsknet": step.ours,
                "kernel": step.kernels,
                "wsknet_frames": step.our_frames,
                "kernel_frames": step.kernel_frames,
                "problem": step.problem,
                "known": step.is_known,
            }
            for step in comparison.steps
        ],
    }
