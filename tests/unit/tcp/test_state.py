from __future__ import annotations

import itertools

import pytest

from wsknet.transport.tcp.state import TRANSITIONS, Cause, IllegalChangeError, State, following

S, C = State, Cause


@pytest.mark.rule("RFC9293-3.3.2")
@pytest.mark.parametrize(
    "walk",
    [
        (C.CONNECT, C.SYN_ACK, C.FINISH, C.ACK_OF_FIN, C.FIN, C.DELETE),
        (C.CONNECT, C.SYN, C.ACK_OF_SYN, C.FINISH, C.FIN, C.ACK_OF_FIN, C.DELETE),
        (C.SYN, C.ACK_OF_SYN, C.FIN, C.FINISH, C.ACK_OF_FIN),
    ],
    ids=["active close", "simultaneous open and close", "passive close"],
)
def test_each_way_through_figure_5_leads_back_to_closed(walk: tuple[Cause, ...]) -> None:
    state = S.CLOSED
    for cause in walk:
        state = following(state, cause)

    assert state is S.CLOSED


def test_every_change_that_is_not_in_the_table_raises_and_there_are_many() -> None:
    illegal = [(state, cause) for state, cause in itertools.product(S, C) if cause not in TRANSITIONS[state]]

    assert len(illegal) > 60
    for state, cause in illegal:
        with pytest.raises(IllegalChangeError):
            following(state, cause)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {state for changes in TRANSITIONS.values() for state in changes.values()}

    assert reached == set(S)
    assert all(TRANSITIONS[state] for state in S)
