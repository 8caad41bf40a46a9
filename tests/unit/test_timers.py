"""The deadline heap against a naive model, and its promise to forget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsknet.timers import Timer, Timers
from wsknet.types import Instant

_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["arm", "arm by"]), st.integers(0, 9), st.integers(0, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("advance"), st.just(0), st.integers(0, 20)),
    ),
    max_size=200,
)


@given(_steps)
def test_timers_expire_as_a_naive_list_says(steps: list[tuple[str, int, int]]) -> None:
    timers = Timers()
    fired: list[tuple[int, int]] = []
    made = []
    for number in range(10):
        timer = Timer(timers, lambda now, number=number: fired.append((now, number)))  # type: ignore[misc]
        made.append(timer)
    model: dict[int, int] = {}
    now = 0
    for what, number, amount in steps:
        if what == "arm":
            made[number].arm(Instant(now + amount))
            model[number] = now + amount
        elif what == "arm by":
            made[number].arm_by(Instant(now + amount))
            model[number] = min(now + amount, model.get(number, now + amount))
        elif what == "cancel":
            made[number].cancel()
            model.pop(number, None)
        else:
            now += amount
            timers.fire(Instant(now))
            due = sorted((at, number) for number, at in model.items() if at <= now)
            assert fired == [(now, number) for _, number in due]
            fired.clear()
            for _, expired in due:
                del model[expired]
        assert timers.next_deadline() == min(model.values(), default=None)
        assert [timer.is_armed for timer in made] == [number in model for number in range(10)]


def test_none_is_lost_when_many_short_lived_ones_are_swept_away() -> None:
    timers = Timers()
    fired: list[int] = []
    for number in range(500):
        Timer(timers, fired.append).arm(Instant(1000 + number))
        for _ in range(3):
            short = Timer(timers, fired.append)
            short.arm(Instant(10 + number))
            short.cancel()
    timers.fire(Instant(2000))
    assert len(fired) == 500
    assert timers.next_deadline() is None
