"""Runs the steps of a scenario and compares what happens with what was expected.

The same steps run on every world; what a step did is a line of text (`outcomes`), the frames that were seen until the
next step, and the decisions behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wsknet.scenario import schema
from wsknet.scenario.addresses import resolve_references
from wsknet.scenario.faults import move_provider, put_faults
from wsknet.scenario.judge import Ended, Failure, judge, unlike
from wsknet.scenario.names import LookUp
from wsknet.scenario.operations import OPERATIONS
from wsknet.scenario.outcomes import BUG_CHECK, NOTHING, OK, PENDING, render
from wsknet.scenario.san import install
from wsknet.scenario.terms import nanoseconds
from wsknet.scenario.wording import sentence
from wsknet.scenario.world import Failed
from wsknet.types import MILLISECOND
from wsknet.wsk.bugcheck import BugCheck

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Scenario, Step
    from wsknet.scenario.world import Attempt, SeenFrame, Sockets, World
    from wsknet.trace import Decision

PATIENCE = 300 * MILLISECOND
"""How long a step waits for its outcome unless it says otherwise."""


@dataclass
class StepResult:
    number: int
    """From 1."""
    step: Step
    sentence: str
    outcome: str
    rendering: str = ""
    """The number or name that a program would see on this face."""
    detail: str = ""
    """Why, in the words of the stack, where the operation failed."""
    expected: str = ""
    decisions: list[Decision] = field(default_factory=list)
    frames: list[SeenFrame] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass
class Result:
    """One scenario on one world for one column."""

    name: str
    scenario: Scenario
    column: Column
    where: str
    """virtual, tap or kernel"""
    steps: list[StepResult] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not any(step.failures for step in self.steps)


def run(name: str, scenario: Scenario, column: Column, world: World, where: str = "virtual") -> Result:
    """Enters `world`, runs every step that is for the column's face, and leaves it."""
    result = Result(name, scenario, column, where)
    with world:
        runner = _Runner(scenario, column, world)
        for number, step in enumerate(scenario.steps, 1):
            if column.runs(step):
                result.steps.append(runner.perform(number, step))
    return result


class _Runner:
    def __init__(self, scenario: Scenario, column: Column, world: World) -> None:
        self._column = column
        self._world = world
        self._hosts: dict[str, str] = {}
        """Of each socket."""
        self._scenario = scenario

    def perform(self, number: int, step: Step) -> StepResult:
        told = sentence(step)
        self._world.begin(f"step {number}: {told}")
        seen = len(self._world.frames)
        ended = self._end(step)
        if not isinstance(step, schema.Wait):
            self._world.settle()
        decisions = self._decisions(step)
        frames = list(self._world.frames[seen:])
        return StepResult(
            number,
            step,
            told,
            ended.outcome,
            render(ended.outcome, self._column.face),
            ended.detail,
            self._column.expected(step.expect),
            decisions or [],
            frames,
            judge(step, self._column, ended, decisions, frames),
        )

    def _end(self, step: Step) -> Ended:
        if isinstance(step, schema.Table):
            lines = self._world.table(step.what, step.show)
            if lines is None:
                return Ended(OK, True, "this table cannot be seen here")
            problem = unlike(step, lines)
            return Ended(problem or OK, not problem)
        try:
            outcome = self._outcome(step)
        except Failed as failed:
            return Ended(failed.outcome, False, failed.detail)
        except BugCheck as stop:
            return Ended(BUG_CHECK, False, f"rule {stop.rule}: {stop.what}")
        waits_for_others = isinstance(step, (schema.Receive, schema.Accept))
        return Ended(outcome, outcome != PENDING and not (waits_for_others and outcome == NOTHING))

    def _outcome(self, step: Step) -> str:
        if isinstance(step, schema.Wait):
            self._world.pass_time(nanoseconds(step.what))
        elif isinstance(step, schema.Change):
            self._world.change(step)
        elif isinstance(step, schema.Inject):
            self._world.inject(step)
        else:
            done = self._begin(step)
            if isinstance(done, str):
                return done
            if done is not None:
                return self._await(done, nanoseconds(step.within) if step.within else PATIENCE)
        return OK

    def _await(self, attempt: Attempt, patience: int) -> str:
        outcome = attempt.poll()
        if outcome is not None:
            return outcome
        found: list[str] = []

        def is_ready() -> bool:
            polled = attempt.poll()
            if polled is not None:
                found.append(polled)
            return bool(found)

        self._world.run_until(is_ready, patience)
        return found[0] if found else attempt.give_up()

    def _begin(self, step: Step) -> Attempt | str | None:
        if isinstance(step, schema.LookUp):
            return LookUp(self._world.emulated(step.what), step.name)
        if isinstance(step, schema.SetFaults):
            put_faults(self._world.emulated(step.what), step)
            return None
        if isinstance(step, schema.Provider):
            move_provider(self._world.emulated(step.what), step.is_now)
            return None
        if isinstance(step, schema.Install):
            install(self._world.emulated(step.what))
            return None
        return self._on_socket(step)

    def _on_socket(self, step: Step) -> Attempt | str | None:
        if isinstance(step, schema.OpenSocket):
            self._hosts[step.what] = step.on
            self._world.sockets(step.on).open(step)
            return None
        sockets = self._of(step.what)
        if isinstance(step, schema.Accept):
            self._hosts[step.named] = self._hosts[step.what]
        operation = OPERATIONS[type(step)]
        return operation(sockets, step, self._named)

    def _named(self, words: str) -> str:
        """With names and ports of sockets put in."""
        return resolve_references(words, lambda socket: self._of(socket).name(socket))

    def _of(self, socket: str) -> Sockets:
        """Those of its host."""
        host = self._hosts.get(socket)
        if host is None:
            raise Failed("invalid", f"no socket {socket} was opened here")
        return self._world.sockets(host)

    def _decisions(self, step: Step) -> list[Decision] | None:
        if step.SUBJECT != "socket" or step.what not in self._hosts:
            return []
        sockets = self._world.sockets(self._hosts[step.what])
        if not sockets.tells_why:
            return None
        taken, sockets.decisions[:] = list(sockets.decisions), []
        return taken
