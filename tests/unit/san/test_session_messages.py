"""What a session makes of single messages, and of rubbish: a named reason and an end, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.san_session_wire import Wire
from wsknet.san.numbers import WSAECONNABORTED, WSAECONNRESET
from wsknet.san.switch.session import Conceal, Expose, Fault, Flushed, Opened, Read, Send, Session, Settings
from wsknet.san.switch.session.messages import HELLO_PAYLOAD, AbortReason, Kind, header, parse
from wsknet.san.switch.session.session import State


def message(kind: int, flags: int = 0, new: int = 0, a: int = 0, b: int = 0, payload: bytes = b"") -> bytes:
    return bytes([kind, flags]) + new.to_bytes(2, "big") + b"".join(
        n.to_bytes(4, "big") for n in (len(payload), a, b)
    ) + payload  # fmt: skip


def hello(version: int = 1, buffers: int = 8, size: int = 1024, max_rdma: int = 1 << 20, flags: int = 1) -> bytes:
    return message(Kind.HELLO, flags, buffers, size, 1000, HELLO_PAYLOAD.pack(version, max_rdma))


GARBAGE = [
    (b"", Fault.SHORT_HEADER),
    (bytes(15), Fault.SHORT_HEADER),
    (message(Kind.DATA, payload=b"ab")[:-1], Fault.LENGTH_MISMATCH),
    (message(Kind.DATA) + b"!", Fault.LENGTH_MISMATCH),
    (message(0), Fault.UNKNOWN_KIND),
    (message(255), Fault.UNKNOWN_KIND),
    (message(Kind.FIN, flags=1), Fault.UNKNOWN_FLAGS),
    (message(Kind.DATA, flags=2), Fault.UNKNOWN_FLAGS),
    (hello(), Fault.SECOND_HELLO),
    (message(Kind.DATA, new=100), Fault.CREDIT_OVERFLOW),
    (message(Kind.LARGE, a=0), Fault.BAD_LARGE),
    (message(Kind.LARGE, a=3, b=16, payload=bytes(19)), Fault.BAD_LARGE),
    (message(Kind.LARGE, a=9, b=0, payload=b"ab"), Fault.BAD_LARGE),
    (message(Kind.LARGE, a=9, b=17, payload=bytes(16)), Fault.BAD_LARGE),
    (message(Kind.LARGE, a=900, b=129, payload=bytes(200)), Fault.BAD_LARGE),
    (message(Kind.TARGET, a=1, payload=bytes(16)), Fault.UNEXPECTED_TARGET),
    (message(Kind.DONE), Fault.UNEXPECTED_DONE),
    (message(Kind.DONE, flags=1), Fault.UNEXPECTED_DONE),
]

HELLOS = [
    (message(Kind.DATA), Fault.HELLO_EXPECTED),
    (hello(version=2), Fault.BAD_VERSION),
    (hello(buffers=5), Fault.TOO_FEW_BUFFERS),
    (hello(size=255), Fault.BAD_HELLO),
    (hello(max_rdma=0), Fault.BAD_HELLO),
    (message(Kind.HELLO, new=8, a=1024), Fault.BAD_HELLO),
    (hello() + bytes(4), Fault.LENGTH_MISMATCH),
]


def sent_by(session: Session) -> list[tuple[Kind, int]]:
    """Kind and `a` of what goes out."""
    found = []
    while (action := session.next_action()) is not None:
        assert isinstance(action, Send)
        parsed = parse(action.header + bytes(action.payload))
        assert not isinstance(parsed, Fault)
        found.append((parsed.kind, parsed.a))
    return found


def open_session(*, can_read: bool = True) -> Session:
    """It has answered the peer's HELLO."""
    session = Session(Settings(can_read=can_read), is_initiator=False)
    session.start()
    session.receive(hello())
    assert sent_by(session) == [(Kind.HELLO, 16_384)]
    return session


@pytest.mark.parametrize(("raw", "fault"), GARBAGE, ids=lambda value: getattr(value, "name", ""))
def test_garbage_ends_the_session_with_its_reason_and_an_abort(raw: bytes, fault: Fault) -> None:
    session = open_session()

    session.receive(raw)

    assert (session.fault, session.error, session.state) == (fault, WSAECONNABORTED, State.ENDED)
    assert sent_by(session) == [(Kind.ABORT, AbortReason.PROTOCOL)]


@pytest.mark.parametrize(("raw", "fault"), HELLOS, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("is_initiator", [True, False])
def test_a_first_message_that_is_no_hello_of_this_version_ends_the_session(
    is_initiator: bool, raw: bytes, fault: Fault
) -> None:
    session = Session(Settings(), is_initiator=is_initiator)

    session.receive(raw)

    assert (session.fault, session.error) == (fault, WSAECONNABORTED)


def test_descriptors_for_one_who_cannot_read_are_refused() -> None:
    session = open_session(can_read=False)

    session.receive(message(Kind.LARGE, a=900, b=16, payload=bytes(16)))

    assert session.fault is Fault.BAD_LARGE


@pytest.mark.parametrize("second", [Kind.DATA, Kind.LARGE, Kind.FIN])
def test_nothing_of_the_stream_comes_between_large_and_its_end_nor_after_fin(second: Kind) -> None:
    raw = message(second, a=20 if second is Kind.LARGE else 0, b=16 if second is Kind.LARGE else 0, payload=bytes(16))
    after = open_session()
    after.receive(message(Kind.FIN))
    after.receive(raw)
    during = open_session()
    during.receive(message(Kind.LARGE, a=100_000, b=16, payload=bytes(16)))
    during.receive(raw)

    assert (after.fault, during.fault) == (Fault.AFTER_FIN, Fault.DURING_LARGE)


def test_a_target_larger_than_what_is_left_is_refused() -> None:
    session = Session(Settings(can_read=False), is_initiator=False)
    session.start()
    session.receive(hello(flags=0))
    session.write(bytes(10_000))

    session.receive(message(Kind.TARGET, a=10_000, payload=bytes(16)))

    assert session.fault is Fault.BAD_TARGET


def test_messages_beyond_the_credits_end_the_session() -> None:
    session = open_session()
    for _ in range(8):
        session.receive(message(Kind.STOP))
    assert session.fault is None, "all of our eight buffers, and what it then tells of is on its way"

    fresh = Session(Settings(receive_limit=0), is_initiator=False)
    fresh.start()
    fresh.receive(hello())
    for _ in range(9):
        fresh.receive(message(Kind.DATA, payload=b"x"))
    assert fresh.fault is Fault.NO_CREDIT


@pytest.mark.rule("SAN-6.6.3")
def test_hello_is_at_most_256_bytes_and_tells_of_the_posted_buffers() -> None:
    session = Session(Settings(receive_buffers=12, message_size=4096, can_read=False, threshold=99), is_initiator=True)
    session.start()

    action = session.next_action()

    assert isinstance(action, Send)
    parsed = parse(action.header + bytes(action.payload))
    assert not isinstance(parsed, Fault)
    assert (parsed.kind, parsed.flags, parsed.credits, parsed.a, parsed.b) == (Kind.HELLO, 0, 12, 4096, 99)
    assert bytes(parsed.payload) == bytes.fromhex("00000001 00100000")


@pytest.mark.rule("SAN-6.6.3")
def test_the_side_that_has_accepted_speaks_second() -> None:
    session = Session(Settings(), is_initiator=False)
    session.start()
    session.write(b"early")
    assert sent_by(session) == []

    session.receive(hello())

    assert [kind for kind, _ in sent_by(session)] == [Kind.HELLO, Kind.DATA]


def test_an_abort_is_a_reset_and_an_answer_to_none() -> None:
    session = open_session()

    session.receive(message(Kind.ABORT))

    assert (session.error, session.fault, sent_by(session)) == (WSAECONNRESET, None, [])


def test_the_last_credit_is_kept_for_credit() -> None:
    """Each LARGE of the peer is read and answered with DONE, and the peer posts no buffers anew."""
    session = Session(Settings(), is_initiator=False)
    session.start()
    session.receive(hello(buffers=6))
    said = []
    for _ in range(6):
        session.receive(message(Kind.LARGE, a=100, b=16, payload=bytes(16)))
        while (action := session.next_action()) is not None:
            if isinstance(action, Read):
                session.has_read(action)
            elif isinstance(action, Send):
                said.append(Kind(action.header[0]))
                session.message_sent()
    assert said == [Kind.HELLO] + [Kind.DONE] * 4 + [Kind.CREDIT]

    session.receive(message(Kind.CREDIT, new=3))
    assert [kind for kind, _ in sent_by(session)] == [Kind.DONE] * 2


def test_memory_that_is_exposed_too_late_is_concealed_again() -> None:
    session = open_session()
    session.write(bytes(100_000))
    expose = session.next_action()
    assert isinstance(expose, Expose)
    session.abort()

    session.exposed(expose, b"descriptor")

    assert [action for action in iter(session.next_action, None) if isinstance(action, Conceal)] == [
        Conceal(b"descriptor")
    ]


def test_flushed_is_told_when_the_fin_itself_has_gone() -> None:
    session = open_session()
    assert session.next_event() == Opened()
    session.message_sent()
    session.write(b"last")
    session.finish()
    session.message_sent()
    assert session.next_event() is None

    session.message_sent()

    assert session.next_event() == Flushed()


PARTS = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda kind, flags, new, a, b, payload: header(kind, flags, new, len(payload), a, b) + payload,
        st.sampled_from(list(Kind)),
        st.integers(0, 1),
        st.integers(0, 3),
        st.one_of(st.integers(0, 300), st.integers(0, 0xFFFF_FFFF)),
        st.one_of(st.integers(0, 20), st.integers(0, 0xFFFF_FFFF)),
        st.binary(max_size=40),
    ),
)


@given(st.booleans(), st.booleans(), st.lists(PARTS, max_size=20))
def test_no_sequence_of_messages_raises(is_initiator: bool, can_read: bool, raws: list[bytes]) -> None:
    session = Session(Settings(can_read=can_read), is_initiator=is_initiator)
    session.start()
    session.write(bytes(100_000))
    session.receive(hello(flags=len(raws) % 2))
    for raw in raws:
        session.receive(raw)
        assert (session.state is State.ENDED) == (session.error != 0)
        while (action := session.next_action()) is not None:
            if isinstance(action, Expose):
                session.exposed(action, b"descriptor")


def test_the_wire_of_these_tests_sees_who_sends_without_credit() -> None:
    wire = Wire(Settings())
    wire.run()
    for _ in range(9):
        wire.b.carry_out(Send(header(Kind.DATA, 0, 0, 0, 0, 0), b"", is_awaited=True))
        wire.b.complete()

    assert "more messages than the peer has posted buffers" in wire.violations
