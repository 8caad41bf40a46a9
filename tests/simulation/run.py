"""One world from its first frame to the last timer, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.simulation import bounds, verdicts
from tests.simulation.draw import draw
from tests.simulation.lab import Lab
from tests.simulation.server import Server
from tests.simulation.side import Side
from tests.simulation.talk import Talk
from tests.simulation.troubles import schedule
from tests.simulation.words import describe, time_text
from wsknet.types import SECOND, Instant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulation.plan import World


class TooMuchError(Exception):
    """More events than any conversation of this size needs."""


@dataclass
class Outcome:
    """Of one seed; it is good if there are no `faults`."""

    world: World
    faults: list[str] = field(default_factory=list)
    report: str = ""
    """What each end thinks happened, and the latest frames."""
    has_ended_well: bool = False
    """Every end has seen the end of the other one's stream, and no error."""
    lost: int = 0
    """Frames."""
    repeated: int = 0
    """Segments with data that was sent before."""
    drops: int = 0
    """Whatever a host did not want."""
    frames: int = 0
    events: int = 0
    lasted: int = 0
    """Until all had ended, in nanoseconds."""
    bound: int = 0
    frame_bound: int = 0

    def text(self) -> str:
        return "\n".join([*self.faults, describe(self.world), self.report])


def replay_command(seed: int) -> str:
    return f".venv/bin/python -m tools.simulate --seeds {seed}-{seed} -v --pcap seed-{seed}.pcapng"


def run_seed(seed: int, capture: Path | None = None) -> Outcome:
    return run_world(draw(seed), capture)


def run_world(world: World, capture: Path | None = None) -> Outcome:
    return _Run(world, capture).run()


class _Run:
    def __init__(self, world: World, capture: Path | None) -> None:
        self.world = world
        self.lab = Lab(world, capture)
        self.outcome = Outcome(world, bound=bounds.completion(world), frame_bound=bounds.frames(world))
        self.servers = [Server(self.lab.machines[side], world) for side in (0, 1)]
        self.talks = [self._talk(number) for number in range(len(world.talks))]

    def _talk(self, number: int) -> Talk:
        world, plan = self.world, self.world.talks[number]
        data = [Random(f"{world.seed} {number} {side}").randbytes(plan.ends[side].size) for side in (0, 1)]
        sides = [
            Side(machine, plan.ends[side], data[side], data[1 - side]) for side, machine in enumerate(self.lab.machines)
        ]
        return Talk(number, plan, sides[0], sides[1], self.servers[1 - plan.client])

    def run(self) -> Outcome:
        outcome, driver = self.outcome, self.lab.network.driver
        try:
            self._begin()
            self._pass_time()
            outcome.lasted = driver.now()
            outcome.faults += verdicts.of_talks(self.world, self.lab, self.talks)
            self._clean_up()
            outcome.faults += verdicts.of_tables(self.lab, self.talks)
        except Exception as error:
            outcome.faults.append(f"{type(error).__name__} at {time_text(driver.now())}: {error}")
            outcome.faults.append(_where(error))
        finally:
            self.lab.close()
        self._count()
        if outcome.frames > outcome.frame_bound:
            outcome.faults.append(f"{outcome.frames} frames, where {outcome.frame_bound} should do")
        if outcome.faults:
            talks = [line for number, talk in enumerate(self.talks) for line in talk.tell(number)]
            outcome.report = "\n".join(("  what they say:", *talks, "  the latest frames:", self.lab.log.tell()))
        return outcome

    def _count(self) -> None:
        outcome, lab = self.outcome, self.lab
        outcome.frames, outcome.events = lab.log.frames, lab.network.driver.steps
        outcome.lost = sum(len(flow.losses) for flow in lab.log.flows.values())
        outcome.repeated = sum(flow.repeated for flow in lab.log.flows.values())
        outcome.drops = sum(len(machine.host.stack.trace.drops) for machine in lab.machines)
        sides = [side for talk in self.talks for side in talk.sides]
        outcome.has_ended_well = all(side.has_seen_end and side.error is None for side in sides)

    def _begin(self) -> None:
        driver = self.lab.network.driver
        for server in self.servers:
            server.open()
        for talk in self.talks:
            driver.call_at(Instant(talk.plan.opens_at), talk.open)
        schedule(self.world, self.lab, self.servers, self.talks)

    def _pass_time(self) -> None:
        """Until all have ended, or the bound has come; then those that wait rightly are ended."""
        sides = [side for talk in self.talks for side in talk.sides]

        def are_done() -> bool:
            if self.lab.log.frames > 2 * self.outcome.frame_bound + 1000:
                raise TooMuchError(f"{self.lab.log.frames} frames")
            return all(talk.is_over for talk in self.talks)

        driver = self.lab.network.driver
        driver.run_until(are_done, Instant(self.outcome.bound))
        driver.run_until(are_done, Instant(max(driver.now(), self.world.last_trouble)))
        if are_done():
            return
        for talk in self.talks:
            self.outcome.faults += verdicts.of_waiting(self.world, self.lab, talk, self.outcome.bound)
        for side in sides:
            if not side.has_ended and side.endpoint is not None:
                with side.machine.host.pump as now:
                    side.was_given_up = True
                    side.abort(now)

    def _clean_up(self) -> None:
        """Nobody listens any more; every timer may run out, and none may start another for ever."""
        driver = self.lab.network.driver
        driver.run_until(lambda: False, Instant(max(driver.now(), self.world.last_trouble) + SECOND))
        for server in self.servers:
            server.close()
        end = Instant(driver.now() + bounds.LINGERING)
        stacks = [machine.host.stack for machine in self.lab.machines]
        driver.run_until(lambda: all(stack.next_deadline() is None for stack in stacks), end)


def _where(error: BaseException) -> str:
    from traceback import extract_tb

    return "".join(
        f"    {frame.filename}:{frame.lineno} {frame.name}\n" for frame in extract_tb(error.__traceback__)[-8:]
    )
