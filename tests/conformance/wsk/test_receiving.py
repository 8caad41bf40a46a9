"""WskReceive (wsk.md 4.12)."""

from __future__ import annotations

import pytest

from tests.support.wsk_lab import Lab, ok, start
from tests.support.wsk_receiver import rearm, receive
from wsknet.wsk import (
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_BUF,
    WSK_FLAG_DRAIN,
    WSK_FLAG_WAITALL,
    IoAllocateMdl,
    MmBuildMdlForNonPagedPool,
    simple,
)


@pytest.mark.rule("R-205", "R-206", "R-214")
def test_data_that_came_before_is_kept(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(far, b"waiting"))
    request, memory = receive(near)

    assert (request.returned, request.was_pending) == (STATUS_SUCCESS, [False])
    assert (request.information, memory[:7]) == (7, bytearray(b"waiting"))


@pytest.mark.rule("D-12", "R-205")
def test_receives_are_filled_in_order(lab: Lab) -> None:
    near, far = lab.pair()
    requests = [receive(near, 4), receive(near, 0), receive(near, 100)]
    ok(simple.send(far, b"data and more"))

    assert [bytes(memory[: request.information]) for request, memory in requests] == [b"data", b"", b" and more"]


@pytest.mark.rule("R-349")
def test_a_receive_fills_the_chain_and_no_more_than_length(lab: Lab) -> None:
    near, far = lab.pair()
    pieces = [bytearray(b"...."), bytearray(b"...."), bytearray(b"....")]
    mdls = [IoAllocateMdl(piece, 4, False, False, None) for piece in pieces]
    for Mdl, following in zip(mdls, [*mdls[1:], None], strict=True):
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = following
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(mdls[0], 3, 6), 0)
    ok(simple.send(far, b"0123456789"))

    assert request.information == 6
    assert b"|".join(pieces) == b"...0|1234|5..."
    assert ok(simple.receive(near)) == b"6789"


@pytest.mark.rule("R-207")
def test_waitall_waits_until_the_buffer_is_full(lab: Lab) -> None:
    near, far = lab.pair()
    request, memory = receive(near, 8, WSK_FLAG_WAITALL)
    ok(simple.send(far, b"half"))
    lab.run()
    assert not request.is_done
    ok(simple.send(far, b"full and over"))

    assert (request.information, memory) == (8, bytearray(b"halffull"))
    assert ok(simple.receive(near)) == b" and over"


@pytest.mark.rule("R-207")
def test_waitall_takes_more_than_the_window_holds(lab: Lab) -> None:
    near, far = lab.pair()
    data = bytes(range(256)) * 12_000
    request, memory = receive(near, len(data), WSK_FLAG_WAITALL)
    ok(simple.send(far, data))
    lab.run()

    assert request.information == len(data)
    assert memory == data


@pytest.mark.rule("R-207")
def test_waitall_ends_with_the_stream(lab: Lab) -> None:
    near, far = lab.pair()
    request, memory = receive(near, 8, WSK_FLAG_WAITALL)
    ok(simple.disconnect(far, b"half"))
    lab.run()

    assert (request.status, request.information, memory[:4]) == (STATUS_SUCCESS, 4, bytearray(b"half"))


@pytest.mark.rule("R-208")
def test_drain_discards_everything_until_the_end(lab: Lab) -> None:
    near, far = lab.pair()
    ok(simple.send(far, b"early"))
    request = start(near.Dispatch.WskReceive, near, WSK_BUF(None, 0, 0), WSK_FLAG_DRAIN)
    ok(simple.send(far, bytes(3_000_000)))
    assert not request.is_done
    ok(simple.disconnect(far))
    lab.run()

    assert (request.status, request.information) == (STATUS_SUCCESS, 0)
    assert ok(simple.receive(near)) == b""


@pytest.mark.rule("R-209", "R-210", "D-11")
def test_flags_that_do_not_go_together(lab: Lab) -> None:
    near, _ = lab.pair()

    assert receive(near, 1, WSK_FLAG_DRAIN)[0].status == STATUS_INVALID_PARAMETER
    assert receive(near, 0, WSK_FLAG_DRAIN | WSK_FLAG_WAITALL)[0].status == STATUS_INVALID_PARAMETER


@pytest.mark.rule("R-212")
def test_the_end_of_the_stream_is_0_bytes_of_success(lab: Lab) -> None:
    near, far = lab.pair()
    waiting, _ = receive(near)
    ok(simple.disconnect(far))
    lab.run()

    assert (waiting.status, waiting.information) == (STATUS_SUCCESS, 0)
    assert [receive(near)[0].completions for _ in range(2)] == [[(STATUS_SUCCESS, 0)]] * 2


@pytest.mark.rule("R-213", "R-350")
def test_an_empty_receive_takes_nothing(lab: Lab) -> None:
    near, far = lab.pair()
    assert rearm(near).completions == [(STATUS_SUCCESS, 0)]
    ok(simple.send(far, b"data"))
    assert rearm(near).completions == [(STATUS_SUCCESS, 0)]

    assert ok(simple.receive(near)) == b"data"
