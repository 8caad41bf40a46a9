"""The DNS server for labs: what it answers, and what it leaves unanswered."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dns_lab import CLIENT, SERVER, dns_lab
from wsknet.apps.dns import Zone
from wsknet.apps.dns.service import MOST_ANSWERS
from wsknet.apps.dns.zone import EDNS_LIMIT, NEGATIVE_TTL
from wsknet.wsk import SO_RCVBUF, SOL_SOCKET, WSK_FLAG_CONNECTION_SOCKET, simple


def zone() -> Zone:
    made = Zone()
    made.add("Web.lab", "192.0.2.80", "192.0.2.81", "2001:db8::80", ttl=77)
    made.alias("www.lab", "web.LAB")
    return made


def asked(table: Zone, query: dns.message.Message, *, is_stream: bool = False) -> dns.message.Message:
    answer = table.answer(query.to_wire(), is_stream=is_stream)
    assert answer is not None
    response = dns.message.from_wire(answer[0])
    assert query.is_response(response)
    return response


def lines(response: dns.message.Message) -> list[str]:
    return [line for rrset in response.answer for line in rrset.to_text().split("\n")]


def test_hosts_have_addresses_and_names_for_them() -> None:
    answer = asked(zone(), dns.message.make_query("wEb.lab", "A"))
    assert [line.lower() for line in lines(answer)] == ["web.lab. 77 in a 192.0.2.80", "web.lab. 77 in a 192.0.2.81"]
    many = Zone()
    many.add("many.lab", *(addresses := [f"192.0.2.{number}" for number in range(1, 30)]), has_reverse=False)
    found = lines(asked(many, dns.message.make_query("many.lab", "A")))
    assert [line.rpartition(" ")[2] for line in found] == addresses  # no shuffling: the same bytes every time
    assert answer.flags & (dns.flags.AA | dns.flags.RA | dns.flags.TC) == dns.flags.AA | dns.flags.RA
    assert lines(asked(zone(), dns.message.make_query("80.2.0.192.in-addr.arpa", "PTR"))) == [
        "80.2.0.192.in-addr.arpa. 77 IN PTR Web.lab."
    ]
    assert lines(asked(zone(), dns.message.make_query("www.lab", "AAAA"))) == [
        "www.lab. 3600 IN CNAME web.lab.",
        "web.lab. 77 IN AAAA 2001:db8::80",
    ]


@pytest.mark.rule("RFC1035-2.3.4")
@pytest.mark.parametrize("head", [1, 2, 50, 59])
def test_a_name_as_long_as_names_can_be_is_answered(head: int) -> None:
    """The names in the SOA record have to find room beside its owner."""
    name = dns.name.Name([b"h" * head, *[b"x" * 63] * 3, b"y" * (60 - head), b""])
    missing = asked(zone(), dns.message.make_query(name, "A"))
    assert (missing.rcode(), missing.authority[0].ttl) == (dns.rcode.NXDOMAIN, NEGATIVE_TTL)
    assert name.is_subdomain(missing.authority[0].name)


@pytest.mark.rule("RFC2308-2")
def test_what_is_not_there_has_a_time() -> None:
    missing = asked(zone(), dns.message.make_query("none.lab", "A"))
    assert (missing.rcode(), missing.authority[0].ttl) == (dns.rcode.NXDOMAIN, NEGATIVE_TTL)
    empty = asked(zone(), dns.message.make_query("web.lab", "TXT"))
    assert (empty.rcode(), empty.answer, len(empty.authority)) == (dns.rcode.NOERROR, [], 1)
    removed = zone()
    removed.remove("WEB.lab.")
    assert asked(removed, dns.message.make_query("www.lab", "A")).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(("payload", "is_whole"), [(0, False), (600, False), (1232, True), (4096, True)])
def test_an_answer_is_as_long_as_the_query_allows(payload: int, is_whole: bool) -> None:
    table = Zone()
    table.add("many.lab", *(f"192.0.2.{number}" for number in range(1, 61)), has_reverse=False)
    table.add("more.lab", *(f"192.0.2.{number}" for number in range(1, 100)), has_reverse=False)
    edns = {"use_edns": 0, "payload": payload} if payload else {"use_edns": -1}
    query = dns.message.make_query("many.lab", "A", **edns)  # type: ignore[arg-type]
    answer = asked(table, query)
    assert bool(answer.flags & dns.flags.TC) is not is_whole
    assert len(lines(answer)) == (60 if is_whole else 0)
    assert len(lines(asked(table, query, is_stream=True))) == 60
    long = table.answer(dns.message.make_query("more.lab", "A", use_edns=0, payload=4096).to_wire(), is_stream=False)
    assert long is not None
    assert len(long[0]) <= EDNS_LIMIT


def test_troubles_on_purpose() -> None:
    table = zone()
    table.fail("web.lab", dns.rcode.SERVFAIL)
    table.delay("www.lab", 2.5)
    table.ignore("quiet.lab")
    assert asked(table, dns.message.make_query("web.lab", "A")).rcode() == dns.rcode.SERVFAIL
    assert table.answer(dns.message.make_query("quiet.lab", "A").to_wire(), is_stream=False) is None
    delayed = table.answer(dns.message.make_query("www.lab", "A").to_wire(), is_stream=False)
    assert delayed is not None
    assert delayed[1] == 2.5
    table.knows_edns = False
    old = asked(table, dns.message.make_query("www.lab", "A", use_edns=0))
    assert (old.rcode(), old.edns) == (dns.rcode.FORMERR, -1)


def test_other_operations_are_not_implemented_and_responses_not_answered() -> None:
    status = dns.message.make_query("web.lab", "A")
    status.set_opcode(dns.opcode.STATUS)
    assert asked(zone(), status).rcode() == dns.rcode.NOTIMP
    response = dns.message.make_response(dns.message.make_query("web.lab", "A"))
    assert zone().answer(response.to_wire(), is_stream=False) is None


@pytest.mark.parametrize(
    ("name", "kind", "value"), [("a.lab", "A", "x"), ("a..lab", "A", "192.0.2.1"), ("a", "Q", "1")]
)
def test_what_is_no_record_is_refused(name: str, kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} {kind} {value}: "):
        zone().add_record(name, kind, value)


@given(st.binary(max_size=60))
def test_any_bytes_are_answered_or_not(data: bytes) -> None:
    zone().answer(data, is_stream=False)


def test_who_asks_without_end_and_reads_nothing_is_cut_off() -> None:
    with dns_lab() as lab, lab.host.activate():
        _, Socket = simple.Application().open(WSK_FLAG_CONNECTION_SOCKET)
        simple.set_option(Socket, SOL_SOCKET, SO_RCVBUF, 4096)
        simple.bind(Socket, simple.address(CLIENT, 0))
        simple.connect(Socket, simple.address(SERVER, 53))
        query = dns.message.make_query("no.lab", "A").to_wire()
        burst = (len(query).to_bytes(2, "big") + query) * MOST_ANSWERS
        simple.send(Socket, burst)
        lab.network.run_for(1)
        assert lab.service.connections  # all of them were on their way at once
        simple.send(Socket, burst)
        lab.network.run_for(1)
        assert not lab.service.connections


def test_several_queries_in_one_stream_are_answered_and_an_idle_one_is_ended() -> None:
    with dns_lab() as lab, lab.host.activate():
        lab.zone.add("web.lab", "192.0.2.80")
        application = simple.Application()
        status, Socket = application.open(WSK_FLAG_CONNECTION_SOCKET)
        assert not status
        simple.bind(Socket, simple.address(CLIENT, 0))
        simple.connect(Socket, simple.address(SERVER, 53))
        queries = [dns.message.make_query(name, "A", id=number) for number, name in ((1, "web.lab"), (2, "no.lab"))]
        stream = b"".join(len(wire := query.to_wire()).to_bytes(2, "big") + wire for query in queries)
        for piece in (stream[:1], stream[1:40], stream[40:]):
            simple.send(Socket, piece)
            lab.network.run_for(1)
        _, data = simple.receive(Socket)
        first = int.from_bytes(data[:2], "big")
        answers = [dns.message.from_wire(data[2 : 2 + first]), dns.message.from_wire(data[4 + first :])]
        assert [answer.id for answer in answers] == [1, 2]
        assert [answer.rcode() for answer in answers] == [dns.rcode.NOERROR, dns.rcode.NXDOMAIN]
        lab.network.run_for(30)
        assert not lab.service.connections
