"""Runs the steps of a scenario and compares what happens with what was expected.

The same steps run on every world; what a step did is a line of text (`outcomes`), the frames that were seen until the
next step, and the decisions behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wsknet.scenario import schema
from wsknet.scenario.addresses import resolve_references
from wsknet.scenario.glob import intruder, matches, missing
from wsknet.scenario.terms import nanoseconds
from wsknet.scenario.outcomes import OK, render
from wsknet.scenario.wording import sentence
from wsknet.scenario.world import Done, Failed
from wsknet.types import MILLISECOND

if TYPE_CHECKING:
    from wsknet.scenario.columns import Column
    from wsknet.scenario.schema import Scenario, Step
    from wsknet.scenario.world import Attempt, SeenFrame, Sockets, World
    from wsknet.trace import Decision

PATIENCE = 300 * MILLISECOND
"""How long a step waits for its outcome unless it says otherwise."""


@dataclass(frozen=True)
class Failure:
    """An expectation that did not hold."""

    of: str
    """outcome, rule, frames, ..."""
    expected: str
    got: str


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
            if not step.faces or _is_for(step, column):
                result.steps.append(runner.perform(number, step))
    return result


def _is_for(step: Step, column: Column) -> bool:
    return bool(column.expected(dict.fromkeys(step.faces, "yes")))


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
        patience = nanoseconds(step.within) if step.within else PATIENCE
        result = StepResult(number, step, told, OK, expected=self._column.expected(step.expect))
        try:
            result.outcome = self._outcome(step, patience)
        except Failed as failed:
            result.outcome, result.detail = failed.outcome, failed.detail
        if not isinstance(step, schema.Wait):
            self._world.settle()
        result.rendering = render(result.outcome, self._column.face)
        result.decisions = self._decisions(step)
        result.frames = list(self._world.frames[seen:])
        self._judge(result)
        return result

    def _outcome(self, step: Step, patience: int) -> str:
        if isinstance(step, schema.Wait):
            self._world.pass_time(nanoseconds(step.what))
        elif isinstance(step, schema.Change):
            self._world.change(step)
        elif isinstance(step, schema.Inject):
            self._world.inject(step)
        elif isinstance(step, schema.Table):
            return self._table(step)
        else:
            done = self._on_socket(step)
            if isinstance(done, str):
                return done
            if done is not None:
                return self._await(done, patience)
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

    def _on_socket(self, step: Step) -> Attempt | str | None:
        if isinstance(step, schema.OpenSocket):
            self._hosts[step.what] = step.on
            self._world.sockets(step.on).open(step)
            return None
        if isinstance(step, schema.Accept):
            self._hosts[step.named] = self._hosts[step.what]
        sockets = self._world.sockets(self._hosts[step.what])
        operation = _OPERATIONS[type(step)]
        return operation(sockets, step, self._named)

    def _named(self, words: str) -> str:
        """With names and ports of sockets put in."""
        return resolve_references(words, lambda socket: self._world.sockets(self._hosts[socket]).name(socket))

    def _table(self, step: schema.Table) -> str:
        lines = self._world.table(step.what, step.show)
        if lines is None:
            return OK
        for pattern in step.has:
            if not any(matches(pattern, line) for line in lines):
                raise Failed(f"no line {pattern!r} among {lines}")
        unwanted = intruder(step.lacks, lines)
        if unwanted is not None:
            raise Failed(f"the line {unwanted!r}")
        return OK

    def _decisions(self, step: Step) -> list[Decision]:
        host = step.what if step.SUBJECT == "host" else self._hosts.get(step.what)
        if step.SUBJECT != "socket" or host is None:
            return []
        decisions = self._world.sockets(host).decisions
        taken, decisions[:] = list(decisions), []
        return taken

    def _judge(self, result: StepResult) -> None:
        step, failures = result.step, result.failures
        expected = result.expected or (OK if isinstance(step, _QUIET) else "")
        if expected and not matches(expected, result.outcome):
            failures.append(Failure("outcome", expected, result.outcome))
        rule = self._column.expected(step.rule)
        # The kernel of another world tells no decisions, so there is nothing to compare.
        if rule and result.decisions:
            rules = [line for decision in result.decisions for line in rules_of(decision)]
            if not any(matches(rule, line) for line in rules):
                failures.append(Failure("rule", rule, "; ".join(rules)))
        lines = [frame.line for frame in result.frames]
        absent = missing(self._frames(step.frames), lines)
        if absent is not None:
            failures.append(Failure("frames", absent, "; ".join(lines) or "no frame"))
        unwanted = intruder(self._frames(step.no_frames), lines)
        if unwanted is not None:
            failures.append(Failure("frames", f"none like {unwanted}", "; ".join(lines)))

    def _frames(self, told: Sequence[str] | dict[str, tuple[str, ...]]) -> Sequence[str]:
        if not isinstance(told, dict):
            return told
        key = self._column.expected({key: key for key in told})
        return told.get(key, ())


_QUIET = (schema.OpenSocket, schema.SetOption, schema.Listen, schema.Change, schema.Inject, schema.Table, schema.Close,
          schema.Bind, schema.Join, schema.DefaultDestination)  # fmt: skip
"""Steps that are expected to go well unless they say otherwise."""


def rules_of(decision: Decision) -> list[str]:
    """Every rule that had a part in it, the decisive one first."""
    return [decision.rule, *(rule for part in decision.parts for rule in rules_of(part))]


_Named = Callable[[str], str]


def _connect(sockets: Sockets, step: Any, named: _Named) -> Attempt:
    return sockets.connect(step.what, None if step.to == "nobody" else named(step.to))


def _send(sockets: Sockets, step: Any, named: _Named) -> Attempt:
    to = named(step.to) if step.to else None
    return sockets.send(step.what, step.data, to, step.from_address, step.through)


def _close(sockets: Sockets, step: Any, named: _Named) -> Done:
    (sockets.finish if step.how == "finish" else sockets.close)(step.what)
    return Done(OK)


_OPERATIONS: dict[type, Callable[[Sockets, Any, _Named], Attempt | str | None]] = {
    schema.SetOption: lambda sockets, step, named: sockets.option(step.what, step.set, step.to),
    schema.Bind: lambda sockets, step, named: sockets.bind(step.what, named(step.to)),
    schema.Listen: lambda sockets, step, named: sockets.listen(step.what),
    schema.Connect: _connect,
    schema.Accept: lambda sockets, step, named: sockets.accept(step.what, step.named),
    schema.Send: _send,
    schema.Receive: lambda sockets, step, named: sockets.receive(step.what),
    schema.Name: lambda sockets, step, named: sockets.name(step.what),
    schema.Peer: lambda sockets, step, named: sockets.peer(step.what),
    schema.DefaultDestination: lambda sockets, step, named: sockets.default_destination(
        step.what, None if step.to == "nobody" else named(step.to)
    ),
    schema.Join: lambda sockets, step, named: sockets.join(step.what, step.group, step.interface),
    schema.RouteQuery: lambda sockets, step, named: sockets.route_query(step.what, step.to),
    schema.AddressList: lambda sockets, step, named: sockets.address_list(step.what),
    schema.Close: _close,
}
