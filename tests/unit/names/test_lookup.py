"""One question to the servers, message by message: what is asked when, and what is believed."""

from __future__ import annotations

from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from wsknet.names.cache import MAX_ENTRIES, MAX_NEGATIVE_TTL, MAX_TTL, Cache
from wsknet.names.lookup import STREAM_PATIENCE, Lookup
from wsknet.names.messages import EDNS_PAYLOAD, Question, RecordType
from wsknet.names.results import Failure, Records
from wsknet.names.spelling import labels
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.types import SECOND, Endpoint, Instant

SERVERS = tuple(Endpoint(parse_address(f"192.0.2.{number}"), 53) for number in (53, 54, 55, 56))
FIRST, SECOND_ONE = SERVERS[:2]
ADDRESS = parse_address("192.0.2.80")
START = Instant(7 * SECOND)


def question(name: str = "www.lab", kind: RecordType = RecordType.A) -> Question:
    octets = labels(name)
    assert octets is not None
    return Question(octets, kind)


class Peer:
    """A lookup, and the servers that it asks."""

    def __init__(self, servers: int = 1, asked: Question | None = None) -> None:
        self.lookup = Lookup(asked or question(), SERVERS[:servers], Random(1))
        self.lookup.start(START)
        self.query: dns.message.Message = dns.message.make_query("unused.", "A")

    def sent(self) -> list[tuple[Endpoint, bool]]:
        """Servers asked since the last call, and whether by TCP."""
        found = []
        while self.lookup.actions:
            server, data, is_stream = self.lookup.actions.popleft()
            self.query = dns.message.from_wire(data)
            found.append((server, is_stream))
        return found

    def response(self, *records: str, code: int = 0, authority: tuple[str, ...] = ()) -> dns.message.Message:
        made = dns.message.make_response(self.query)
        made.set_rcode(dns.rcode.Rcode.make(code))
        for section, lines in ((made.answer, records), (made.authority, authority)):
            for line in lines:
                name, ttl, kind, value = line.split(" ", 3)
                section.append(dns.rrset.from_text(name, int(ttl), "IN", kind, value))
        return made

    def answer(
        self, message: dns.message.Message, server: Endpoint = FIRST, now: Instant = START, *, is_stream: bool = False
    ) -> DropReason | None:
        return self.lookup.receive(server, message.to_wire(), now, is_stream=is_stream)

    @property
    def result(self) -> Records:
        assert self.lookup.result is not None
        assert self.lookup.deadline is None
        return self.lookup.result


SOA = "lab. 120 SOA ns.lab. hostmaster.lab. 1 7200 900 86400 60"


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (1, [[0], [0], [0], [0], [0]]),
        (2, [[0], [1], [1], [0, 1], [0, 1]]),
        (4, [[0], [1], [2], [0, 1, 2, 3], [0, 1, 2, 3]]),
    ],
)
def test_servers_are_asked_at_the_times_that_windows_asks_them(count: int, asked: list[list[int]]) -> None:
    peer = Peer(count)
    for seconds, numbers in zip((0, 1, 2, 4, 8), asked, strict=True):
        now = Instant(START + seconds * SECOND)
        if seconds:
            assert peer.lookup.deadline == now
            peer.lookup.expire(now)
        assert peer.sent() == [(SERVERS[number], False) for number in numbers]
    assert peer.lookup.deadline == START + 10 * SECOND
    peer.lookup.expire(Instant(START + 10 * SECOND))
    assert peer.result.failure is Failure.NO_ANSWER
    assert peer.sent() == []


def test_a_query_asks_for_recursion_and_says_how_much_it_takes() -> None:
    peer = Peer()
    peer.sent()
    assert peer.query.flags == dns.flags.RD
    assert (peer.query.edns, peer.query.payload) == (0, EDNS_PAYLOAD)
    assert peer.query.question[0].to_text() == "www.lab. IN A"


def test_an_answer_gives_the_addresses_in_its_order_and_the_shortest_time() -> None:
    peer = Peer()
    peer.sent()
    response = peer.response("www.lab. 300 A 192.0.2.80", "www.lab. 200 A 192.0.2.79", "other.lab. 5 A 192.0.2.9")
    assert peer.answer(response) is None
    assert peer.result == Records((ADDRESS, parse_address("192.0.2.79")), "www.lab", ttl=200)


def test_an_answer_to_an_earlier_attempt_counts() -> None:
    peer = Peer(2)
    peer.sent()
    early = peer.response("www.lab. 300 A 192.0.2.80")
    peer.lookup.expire(Instant(START + SECOND))
    peer.sent()
    assert peer.answer(early, FIRST) is None
    assert peer.result.values == (ADDRESS,)


@pytest.mark.rule("RFC5452-9.1")
def test_what_answers_no_question_of_ours_is_left_aside() -> None:
    peer = Peer(2)
    peer.sent()
    good = peer.response("www.lab. 300 A 192.0.2.80")
    other_id = peer.response("www.lab. 300 A 192.0.2.80")
    other_id.id ^= 1
    other_name = dns.message.make_response(dns.message.make_query("ww.lab", "A", id=good.id))
    other_kind = dns.message.make_response(dns.message.make_query("www.lab", "AAAA", id=good.id))
    other_class = dns.message.make_response(dns.message.make_query("www.lab", "A", "CH", id=good.id))
    empty = dns.message.make_response(dns.message.Message(good.id))
    for wrong in (other_id, other_name, other_kind, other_class, empty):
        assert peer.answer(wrong) is DropReason.DNS_UNEXPECTED
    assert peer.answer(good, SECOND_ONE) is DropReason.DNS_UNEXPECTED  # it has not been asked yet
    assert peer.answer(good, is_stream=True) is DropReason.DNS_UNEXPECTED
    assert peer.answer(peer.query) is DropReason.DNS_MALFORMED
    assert peer.lookup.receive(FIRST, good.to_wire()[:-3], START) is DropReason.DNS_MALFORMED
    assert peer.lookup.receive(FIRST, b"", START) is DropReason.DNS_MALFORMED
    assert peer.lookup.result is None
    assert peer.answer(good) is None
    assert peer.answer(good) is DropReason.DNS_UNEXPECTED  # once is enough


def test_the_case_of_letters_makes_no_difference() -> None:
    peer = Peer(asked=question("WWW.Lab"))
    peer.sent()
    response = dns.message.make_response(dns.message.make_query("www.LAB", "A", id=peer.query.id))
    response.answer.append(dns.rrset.from_text("wWw.lab.", 9, "IN", "A", "192.0.2.80"))
    assert peer.answer(response) is None
    assert peer.result.values == (ADDRESS,)


@pytest.mark.rule("RFC2308-5")
@pytest.mark.parametrize(("code", "failure"), [(3, Failure.NO_NAME), (0, Failure.NO_DATA)])
def test_a_no_is_final_and_kept_as_long_as_the_zone_says(code: int, failure: Failure) -> None:
    peer = Peer(2)
    peer.sent()
    peer.answer(peer.response(code=code, authority=(SOA,)))
    assert (peer.result.failure, peer.result.ttl) == (failure, 60)
    assert peer.sent() == []
    unkept = Peer(2)
    unkept.sent()
    unkept.answer(unkept.response(code=code))
    assert (unkept.result.failure, unkept.result.ttl) == (failure, 0)


@pytest.mark.parametrize("code", [2, 5, 9])
def test_a_server_that_fails_is_not_asked_again_but_the_next_one_is_at_once(code: int) -> None:
    peer = Peer(2)
    peer.sent()
    peer.answer(peer.response(code=code))
    assert peer.sent() == [(SECOND_ONE, False)]
    for seconds in (1, 3, 7):
        peer.lookup.expire(Instant(START + seconds * SECOND))
        assert peer.sent() == [(SECOND_ONE, False)]
    peer.answer(peer.response(code=code), SECOND_ONE)
    assert peer.result.failure is Failure.SERVER_FAILED


def test_servers_that_cannot_be_reached_are_told_from_those_that_are_silent() -> None:
    peer = Peer(2)
    peer.lookup.fail(FIRST, START)
    assert peer.lookup.result is None
    peer.lookup.fail(SECOND_ONE, START)
    assert peer.result.failure is Failure.UNREACHABLE


@pytest.mark.rule("RFC6891-7")
@pytest.mark.parametrize("code", [1, 4])
@pytest.mark.parametrize("has_question", [True, False])
def test_a_server_that_does_not_know_edns_is_asked_without(code: int, has_question: bool) -> None:
    peer = Peer()
    peer.sent()
    response = peer.response(code=code)
    if not has_question:
        response.question.clear()
    reason = peer.answer(response)
    if code == 4 and not has_question:
        assert reason is DropReason.DNS_UNEXPECTED
        return
    assert peer.sent() == [(FIRST, False)]
    assert peer.query.edns == -1
    peer.answer(response)
    assert peer.result.failure is Failure.SERVER_FAILED


@pytest.mark.rule("RFC7766-5")
def test_what_is_truncated_is_asked_for_by_tcp() -> None:
    peer = Peer(2)
    peer.sent()
    short = peer.response("www.lab. 300 A 192.0.2.1")
    short.flags |= dns.flags.TC
    cut = peer.response("www.lab. 300 A 192.0.2.1")
    cut.flags |= dns.flags.TC
    assert peer.lookup.receive(FIRST, cut.to_wire()[:-2], START) is None
    assert peer.sent() == [(FIRST, True)]
    assert peer.answer(short) is None
    assert peer.sent() == []  # one connection is enough
    assert peer.answer(peer.response("www.lab. 300 A 192.0.2.80"), is_stream=True) is None
    assert peer.result.values == (ADDRESS,)


def test_when_tcp_leads_nowhere_the_next_server_is_asked() -> None:
    for ends_in_time in (True, False):
        peer = Peer(2)
        peer.sent()
        short = peer.response()
        short.flags |= dns.flags.TC
        peer.answer(short)
        assert peer.sent() == [(FIRST, True)]
        assert peer.lookup.deadline == START + STREAM_PATIENCE
        if ends_in_time:
            peer.lookup.fail(FIRST, START)
        else:
            peer.lookup.expire(Instant(START + STREAM_PATIENCE))
        assert peer.sent() == [(SECOND_ONE, False)]
        peer.lookup.fail(SECOND_ONE, START)
        assert peer.result.failure is Failure.SERVER_FAILED


def test_aliases_are_followed_within_the_answer() -> None:
    peer = Peer()
    peer.sent()
    records = ("www.lab. 50 CNAME a.lab.", "b.lab. 300 A 192.0.2.80", "a.lab. 70 CNAME B.lab.")
    peer.answer(peer.response(*records))
    assert peer.result == Records((ADDRESS,), "b.lab", ttl=50)


@pytest.mark.rule("RFC1034-5.3.3")
def test_an_alias_whose_end_is_missing_is_asked_for() -> None:
    peer = Peer(2)
    peer.sent()
    before = peer.query.id
    peer.answer(peer.response("www.lab. 50 CNAME a.lab."))
    assert peer.sent() == [(FIRST, False)]
    assert peer.query.question[0].to_text() == "a.lab. IN A"
    assert peer.query.id != before
    peer.answer(peer.response("a.lab. 70 A 192.0.2.80"))
    assert peer.result == Records((ADDRESS,), "a.lab", ttl=50)


def test_a_server_that_was_not_asked_for_the_end_of_an_alias_does_not_tell_it() -> None:
    peer = Peer(2)
    peer.sent()
    peer.lookup.expire(Instant(START + SECOND))
    peer.sent()
    peer.answer(peer.response("www.lab. 50 CNAME a.lab."), SECOND_ONE)
    assert peer.sent() == [(FIRST, False)]
    good = peer.response("a.lab. 70 A 192.0.2.80")
    assert peer.answer(good, SECOND_ONE) is DropReason.DNS_UNEXPECTED
    assert peer.answer(good, FIRST) is None


def test_after_an_alias_told_by_tcp_it_goes_on_by_udp() -> None:
    peer = Peer()
    peer.sent()
    short = peer.response()
    short.flags |= dns.flags.TC
    peer.answer(short)
    assert peer.sent() == [(FIRST, True)]
    peer.answer(peer.response("www.lab. 50 CNAME a.lab."), is_stream=True)
    assert peer.sent() == [(FIRST, False)]
    peer.lookup.expire(Instant(START + SECOND))
    assert peer.sent() == [(FIRST, False)]


def test_an_alias_that_leads_to_nothing_ends_there() -> None:
    peer = Peer()
    peer.sent()
    peer.answer(peer.response("www.lab. 50 CNAME a.lab.", code=3, authority=(SOA,)))
    assert peer.result == Records((), "a.lab", Failure.NO_NAME, 50)


@pytest.mark.parametrize("is_in_one_answer", [True, False])
def test_aliases_in_a_circle_end(is_in_one_answer: bool) -> None:
    peer = Peer()
    circle = ("www.lab. 50 CNAME a.lab.", "a.lab. 50 CNAME www.lab.")
    for turn in range(40):
        peer.sent()
        if peer.lookup.result is not None:
            break
        peer.answer(peer.response(*(circle if is_in_one_answer else circle[turn % 2 : turn % 2 + 1])))
    assert peer.result.failure is Failure.SERVER_FAILED


def test_answers_are_kept_for_their_time_and_no_longer() -> None:
    cache = Cache()
    found = Records((ADDRESS,), "www.lab", ttl=10)
    cache.store(question("WWW.lab"), found, START)
    assert cache.find(question(), Instant(START + 10 * SECOND - 1)) == found
    assert cache.find(question(kind=RecordType.AAAA), START) is None
    assert cache.find(question(), Instant(START + 10 * SECOND)) is None
    cache.store(question(), Records(failure=Failure.NO_ANSWER), START)
    assert cache.find(question(), START) is None


@pytest.mark.parametrize(("failure", "limit"), [(None, MAX_TTL), (Failure.NO_NAME, MAX_NEGATIVE_TTL)])
def test_nothing_is_kept_for_ever(failure: Failure | None, limit: int) -> None:
    cache = Cache()
    cache.store(question(), Records((ADDRESS,), "", failure, 2**31), START)
    assert cache.find(question(), Instant(START + limit * SECOND - 1)) is not None
    assert cache.find(question(), Instant(START + limit * SECOND)) is None


def test_the_oldest_gives_way_when_the_cache_is_full() -> None:
    cache = Cache()
    for number in range(MAX_ENTRIES + 1):
        cache.store(question(f"n{number}.lab"), Records((ADDRESS,), "", ttl=9), START)
    assert cache.find(question("n0.lab"), START) is None
    assert cache.find(question("n1.lab"), START) is not None
    cache.clear()
    assert cache.find(question("n1.lab"), START) is None
