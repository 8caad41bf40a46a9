"""The resolver of a host, against the DNS server for labs in virtual time."""

from __future__ import annotations

from functools import partial
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest
from scapy.layers.l2 import Ether

from tests.support.dns_lab import CLIENT, CLIENT6, SERVER, SERVER6, DnsLab, dns_lab
from tests.unit.net.dhcp_server import DHCP_ON, DhcpServer
from wsknet.apps.dns import Zone
from wsknet.drivers.sim import Simulation
from wsknet.host import Network
from wsknet.text import parse_address
from wsknet.trace import DropReason
from wsknet.types import Buffers, Cover, Endpoint, Family, Instant, LocalName

WEB, WEB6 = "192.0.2.80", "2001:db8::80"


def looked_up(lab: DnsLab, name: str, family: Family | None = None) -> list[str] | str:
    try:
        return lab.names.look_up(name, family)
    except LookupError as error:
        return str(error).removeprefix(f"{name}: ")


def test_the_hosts_file_needs_no_server_and_comes_first() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", "192.0.2.99")
        lab.names.hosts.read(f"{WEB} web.lab\n{WEB6} web.lab")
        assert lab.names.look_up("WEB.lab.") == [WEB6, WEB]
        assert lab.names.look_up("web.lab", Family.IPV4) == [WEB]
        assert lab.names.look_up_address(WEB6) == "web.lab"
        assert lab.wire.frames == []


def test_a_host_knows_itself() -> None:
    with dns_lab() as lab:
        names = lab.names
        assert (
            names.look_up("localhost")
            == names.look_up("Loopback")
            == names.look_up("x.localhost")
            == ["::1", "127.0.0.1"]
        )
        link_local = "fe80::ff:fe00:102%2"
        assert names.look_up("CLIENT") == [link_local, CLIENT6, CLIENT]
        names.own.domain = "lab"
        assert names.look_up("client.lab", Family.IPV4) == [CLIENT]
        for own in (CLIENT, CLIENT6, "127.0.0.1", "::1", "fe80::ff:fe00:102%eth0"):
            assert names.look_up_address(own) == "client.lab"
        assert names.look_up("fe80::9%eth0") == ["fe80::9%2"]
        assert lab.wire.frames == []


def test_a_host_without_addresses_is_its_loopback_interface() -> None:
    with Network(seed=1) as network:
        host = network.host("alone")
        assert host.names.look_up("alone") == ["::1", "127.0.0.1"]
        assert host.names.own.families() == ()
        with pytest.raises(LookupError, match="other: no such name"):
            host.names.look_up("other")


@pytest.mark.parametrize("server", [SERVER, SERVER6])
def test_both_families_are_asked_for_over_either(server: str) -> None:
    with dns_lab() as lab:
        lab.names.use_servers(server)
        lab.zone.add("web.lab", WEB, WEB6)
        assert lab.names.look_up("web.lab") == [WEB6, WEB]
        assert lab.names.look_up("web.lab", Family.IPV4) == [WEB]
        assert lab.names.look_up_address(WEB) == "web.lab"
        assert lab.names.look_up_address(WEB6) == "web.lab"
        assert lab.service.queries == 4


def test_every_question_has_an_id_and_a_port_of_its_own() -> None:
    with dns_lab() as lab:
        for number in range(4):
            looked_up(lab, f"n{number}.lab")
        assert len({query[:2] for query in lab.queries()}) == len(lab.queries()) == 8
        ports = {frame[34:36] for frame in lab.wire.frames if frame[36:38] == b"\0\x35" and frame[12:14] == b"\x08\0"}
        assert len(ports) == 8
        assert lab.host.stack.view().udp_ports == ()


def test_the_same_seed_asks_the_same_bytes() -> None:
    def run() -> list[bytes]:
        with dns_lab() as lab:
            lab.zone.add("web.lab", *(f"192.0.2.{number}" for number in range(1, 30)))
            lab.names.look_up("web.lab")
            return lab.wire.frames + lab.server_wire.frames

    assert run() == run()


def test_answers_are_kept_in_virtual_time() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB, ttl=100)
        for pause, queries in ((0, 2), (50, 2), (15, 3), (40, 4)):  # no AAAA: that is kept for 60 seconds
            lab.network.run_for(pause)
            assert lab.names.look_up("web.lab") == [WEB]
            assert lab.service.queries == queries
        lab.names.cache.clear()
        lab.names.look_up("web.lab")
        assert lab.service.queries == 6


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (dns.rcode.SERVFAIL, "every server has failed to answer"),
        (dns.rcode.REFUSED, "every server has failed to answer"),
    ],
)
def test_a_server_that_fails_is_told_apart_from_a_name_that_is_not_there(code: int, told: str) -> None:
    with dns_lab() as lab:
        lab.zone.fail("bad.lab", code)
        lab.zone.add_record("text.lab", "TXT", "text")
        assert looked_up(lab, "bad.lab") == told
        assert looked_up(lab, "none.lab") == "no such name"
        assert looked_up(lab, "text.lab") == "the name has nothing of the kind that was asked for"
        assert lab.seconds < 1


def test_one_family_alone_is_enough() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB)
        assert looked_up(lab, "web.lab") == [WEB]
        assert looked_up(lab, "web.lab", Family.IPV6) == "the name has nothing of the kind that was asked for"


def test_a_lost_query_is_sent_again() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB, WEB6)
        lab.names.look_up("web.lab", Family.IPV4)  # ARP is done with
        began = lab.seconds
        lab.lose(1)
        lab.network.driver.call_at(Instant(lab.network.driver.now() + 3_500_000_000), lambda: lab.lose(0))
        assert lab.names.look_up("web.lab", Family.IPV6) == [WEB6]
        assert 4 <= lab.seconds - began < 4.1
        times = [query for query in lab.queries() if query == lab.queries()[-1]]
        assert len(times) == 4


def test_a_silent_server_costs_ten_seconds_and_a_second_one_saves_them() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB)
        lab.zone.ignore("quiet.lab")
        assert looked_up(lab, "quiet.lab") == "no server has answered"
        assert lab.seconds == 10
        lab.names.use_servers("192.0.2.54", SERVER)
        assert looked_up(lab, "web.lab") == [WEB]
        assert 11 <= lab.seconds < 11.1


def test_a_slow_answer_to_the_first_query_is_good() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB)
        lab.zone.delay("web.lab", 1.5)
        assert looked_up(lab, "web.lab", Family.IPV4) == [WEB]
        assert 1.5 <= lab.seconds < 1.6


def test_a_host_without_the_service_says_so_and_the_next_is_asked_at_once() -> None:
    with dns_lab() as lab:
        lab.stop()
        assert looked_up(lab, "web.lab") == "no server can be reached"
        assert lab.seconds < 1
        lab.names.use_servers("203.0.113.53")
        assert looked_up(lab, "web.lab") == "no server can be reached"  # there is no route


@pytest.mark.parametrize("server", [SERVER, SERVER6])
def test_a_long_answer_comes_by_tcp(server: str) -> None:
    with dns_lab() as lab:
        lab.names.use_servers(server)
        many = sorted(f"2001:db8:1::{number:x}" for number in range(1, 200))
        lab.zone.add("many.lab", *many, has_reverse=False)
        assert sorted(lab.names.look_up("many.lab", Family.IPV6)) == many
        assert (lab.service.queries, lab.service.accepted) == (1, 1)
        lab.network.run_for(60)
        view = lab.host.stack.view()
        assert (view.tcp_ports, view.udp_ports, view.connections) == ((), (), ())


def test_a_server_whose_tcp_is_closed_is_of_no_use_for_a_long_answer() -> None:
    with dns_lab() as lab:
        lab.zone.add("many.lab", *(f"192.0.2.{number}" for number in range(1, 200)), has_reverse=False)
        lab.service.most_connections = 0  # type: ignore[misc]
        assert looked_up(lab, "many.lab") == "every server has failed to answer"
        assert lab.seconds < 2


def test_a_connection_is_for_one_answer() -> None:
    class Terse(Zone):
        def answer(self, data: bytes, *, is_stream: bool) -> tuple[bytes, float] | None:
            """The alias by TCP, and nothing behind it."""
            answer = super().answer(data, is_stream=is_stream)
            if answer is None or b"many" not in data:
                return answer
            message = dns.message.from_wire(answer[0])
            del message.answer[1:]
            if not is_stream:
                message.answer.clear()
                message.flags |= dns.flags.TC
            return message.to_wire(), 0

    with dns_lab() as lab:
        lab.zone = lab.service.zone = Terse()
        lab.zone.alias("many.lab", "web.lab")
        lab.zone.add("web.lab", WEB)
        lab.zone.delay("web.lab", 0.9)
        open_then: list[object] = []
        view = lab.host.stack.view
        lab.network.driver.call_at(Instant(500_000_000), lambda: open_then.extend([*view().connections, "looked"]))
        assert looked_up(lab, "many.lab", Family.IPV4) == [WEB]
        assert (lab.service.accepted, open_then) == (1, ["looked"])


def test_nonsense_by_tcp_is_not_waited_out() -> None:
    class Broken(Zone):
        def answer(self, data: bytes, *, is_stream: bool) -> tuple[bytes, float] | None:
            return (b"nonsense", 0) if is_stream else super().answer(data, is_stream=is_stream)

    with dns_lab() as lab:
        lab.service.zone = broken = Broken()
        broken.add("many.lab", *(f"192.0.2.{number}" for number in range(1, 200)), has_reverse=False)
        assert looked_up(lab, "many.lab", Family.IPV4) == "every server has failed to answer"
        assert lab.host.stack.trace.drops == {DropReason.DNS_MALFORMED: 1}
        assert lab.seconds < 1


def test_a_server_without_edns_answers_all_the_same() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB)
        lab.zone.knows_edns = False
        assert looked_up(lab, "web.lab", Family.IPV4) == [WEB]
        assert [len(query) for query in lab.queries()] == [36, 25]


def test_only_the_server_that_was_asked_is_believed() -> None:
    with dns_lab() as lab:
        host = lab.server
        lab.zone.ignore("web.lab")
        liar = host.stack.udp.open(Cover.IPV4)
        with host.pump as now:
            liar.bind(LocalName(Cover.IPV4, None, 5353), now)

        def lie() -> None:
            message = dns.message.make_response(dns.message.from_wire(lab.queries()[0]))
            port = lab.host.stack.view().udp_ports[0].port
            with host.pump as now:
                liar.send((message.to_wire(),), Endpoint(parse_address(CLIENT), port), now)

        lab.network.driver.call_at(Instant(500_000_000), lie)
        assert looked_up(lab, "web.lab", Family.IPV4) == "no server has answered"
        assert lab.host.stack.trace.drops[DropReason.UDP_OTHER_PEER] == 1


def test_what_the_server_sends_and_nobody_can_read_is_counted() -> None:
    class Broken(Zone):
        def answer(self, data: bytes, *, is_stream: bool) -> tuple[bytes, float] | None:
            return (b"nonsense", 0) if b"web" in data else (b"\0\0" + data[2:2] + b"\x80\0" + data[4:], 0)

    with dns_lab() as lab:
        lab.service.zone = Broken()
        assert looked_up(lab, "web.lab", Family.IPV4) == "no server has answered"
        assert lab.host.stack.trace.drops == {DropReason.DNS_MALFORMED: 5}
        assert looked_up(lab, "other.lab", Family.IPV4) == "no server has answered"
        assert lab.host.stack.trace.drops[DropReason.DNS_UNEXPECTED] == 5


def test_a_short_name_is_tried_with_each_suffix_and_then_as_it_is() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.two", WEB)
        lab.zone.add("bare", "192.0.2.81")
        lab.names.own.domain = "one"
        lab.names.suffixes = ["two.", "One"]
        assert lab.names.look_up("web") == [WEB]
        assert lab.names.look_up("bare") == ["192.0.2.81"]
        asked = [dns.message.from_wire(query).question[0].name.to_text() for query in lab.queries()]
        assert list(dict.fromkeys(asked)) == ["web.one.", "web.two.", "bare.one.", "bare.two.", "bare."]
        assert looked_up(lab, "web.") == looked_up(lab, "web.lab") == "no such name"


def test_a_name_that_no_message_can_hold_is_asked_of_nobody() -> None:
    with dns_lab() as lab:
        assert looked_up(lab, "x" * 64 + ".lab") == looked_up(lab, "") == looked_up(lab, "a..b") == "no such name"
        assert lab.queries() == []


def test_letters_beyond_ascii_are_encoded() -> None:
    with dns_lab() as lab:
        lab.zone.add("xn--bcher-kva.lab", WEB)
        assert lab.names.look_up("Bücher.lab") == [WEB]


@pytest.mark.rule("RFC6724-6")
def test_the_best_address_comes_first() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", "203.0.113.1", WEB, "2001:db8:9::1")  # only the second can be reached
        assert lab.names.look_up("web.lab")[0] == WEB
        lab.host.route("2001:db8:9::/64", via=SERVER6)
        assert lab.names.look_up("web.lab")[:2] == ["2001:db8:9::1", WEB]


def test_a_server_behind_a_link_local_address_needs_its_interface() -> None:
    with dns_lab() as lab:
        lab.zone.add("web.lab", WEB)
        own = next(a for a in lab.server.addresses(Family.IPV6) if a[0] == 0xFE)
        lab.names.use_servers("fe80::" + own[8:].hex(":", 2) + "%eth0")
        assert lab.names.look_up("web.lab", Family.IPV4) == [WEB]
        with pytest.raises(ValueError, match="only a link-local address has an interface"):
            lab.names.use_servers("192.0.2.53%eth0")
        with pytest.raises(ValueError, match="there is no interface eth9"):
            lab.names.use_servers("fe80::1%eth9")
        with pytest.raises(ValueError, match="is not an address"):
            lab.names.use_servers("server")


def test_other_servers_are_asked_anew() -> None:
    with dns_lab() as lab:
        assert looked_up(lab, "web.lab") == "no such name"
        lab.zone.add("web.lab", WEB)
        assert looked_up(lab, "web.lab") == "no such name"
        lab.names.use_servers(SERVER6)
        assert looked_up(lab, "web.lab") == [WEB]


class DhcpCable:
    """A device with a DHCP server at the other end, and nobody else."""

    name = "cable"

    def __init__(self, driver: Simulation) -> None:
        self.server = DhcpServer()
        self._driver = driver

    def attach(self, receiver: Any, entry: Any) -> None:
        self._receiver, self._entry = receiver, entry

    def transmit(self, frame: Buffers, now: Instant, comment: str | None = None) -> None:
        for answer in self.server(Ether(b"".join(frame))):
            self._driver.call_at(now, partial(self._arrive, bytes(answer)))

    def _arrive(self, frame: bytes) -> None:
        with self._entry as now:
            self._receiver(frame, now)

    def close(self) -> None:
        pass


def test_servers_and_suffix_are_learnt_by_dhcp_and_what_is_set_by_hand_wins() -> None:
    with Network(seed=1) as network:
        host = network.host("client")
        host.interface("eth0", auto=DHCP_ON).plug(DhcpCable(network.driver))
        assert not host.names.servers
        network.run_for(20)
        assert host.names.servers == tuple(Endpoint(parse_address(f"192.0.2.{last}"), 53) for last in (53, 54))
        assert host.names.candidates("web") == ["web.lab.example", "web"]
        assert host.names.is_local_domain("Lab.example")
        host.names.suffixes = ["other"]
        assert host.names.candidates("web") == ["web.other", "web"]
        host.names.use_servers("192.0.2.9", "192.0.2.9")
        assert [server.address[3] for server in host.names.servers] == [9]
        host.names.use_servers()
        assert [server.address[3] for server in host.names.servers] == [53, 54]
