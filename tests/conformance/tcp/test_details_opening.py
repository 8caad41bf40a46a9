"""Small print of openings: listeners, cookies, Fast Open and SYNs that cross."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

import pytest

from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_PORT, PEER_ADDRESS, PEER_PORT
from tests.support.tcp_script import Script, script
from wsknet.config import TcpConfig
from wsknet.net import changes
from wsknet.trace import DropReason
from wsknet.transport.tcp.inspections import Verdict
from wsknet.transport.tcp.state import State
from wsknet.transport.tcp.syn_cookies import SynCookies
from wsknet.types import Endpoint, Family, IfIndex, Instant
from wsknet.wire import tcp_options
from wsknet.wire.tcp_options import Options

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.9.1.1", "RFC1122-4.2.3.5")
def test_an_accepted_connection_has_the_user_timeout_of_its_listener(family: Family) -> None:
    script(
        """
        +0     listen
        +0     set user_timeout 1s
        +0     < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < . 1:1(0) ack 1
        +0     accept
        +0     write 10
        +0     > P. 1:11(10) ack 1
        +.3    > P. 1:11(10) ack 1
        +.6    > P. 1:11(10) ack 1
        *      > R 11:11(0)
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
@pytest.mark.parametrize("minutes", [0, 7, 16, 31, 32, 1000])
def test_a_cookie_is_good_whatever_the_time(minutes: int, family: Family) -> None:
    conversation = script(
        """
        $start  listen 1
        +0      < S 0:0(0) port 7000
        +0      > S. 0:0(0) ack 1 <...> port 7000
        +0      < S 0:0(0) <mss 1000>
        +0      > S. *:*(0) ack 1 <...>
        +0      < R 1:1(0) port 7000
        """,
        family,
        start=minutes * 60,
    )
    assert conversation.latest is not None
    conversation.names["ack"] = conversation.latest.seq + 1
    conversation.run(
        """
        +60    < . 1:1(0) ack $ack
        +0     accept
        +0     state ESTABLISHED
        """
    )


@FAMILIES
@pytest.mark.rule("RFC4987-3.6")
def test_without_a_way_back_no_cookie_is_sent(family: Family) -> None:
    lab = TcpLab(family)
    host = PEER_ADDRESS[family]
    lab.listening(backlog=1)
    lab.peer.send(flags="S", seq=0, port=7000)
    lab.peer.expect(flags="SA")
    lab.stack.apply(changes.RouteRemoved(bytes(len(host)), 0, IfIndex(2), host), lab.now)
    lab.peer.address = ip_address("203.0.113.9" if family is Family.IPV4 else "2001:db8:ffff::9").packed
    lab.peer.send(flags="S", seq=0)
    lab.peer.drain()
    assert lab.stack.trace.drops[DropReason.NO_ROUTE] == 1


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.1")
def test_with_a_cookie_and_nothing_to_say_the_cookie_travels_alone(family: Family) -> None:
    lab = TcpLab(family)
    for expected, port in ((b"", OUR_PORT), (b"12345678", OUR_PORT + 1)):
        endpoint = lab.bound(port)
        endpoint.fast_open = True
        endpoint.connect(lab.peer.endpoint, lab.now)
        lab.settle()
        assert lab.peer.expect(flags="S", data=b"").options.fast_open == expected
        options = tcp_options.build(Options(mss=1000, fast_open=b"12345678"))
        lab.peer.send(flags="SA", seq=0, ack=1, options=options, to=port)
        lab.peer.expect(flags="A", seq=1, ack=1)
        assert lab.state(endpoint) is State.ESTABLISHED


@FAMILIES
@pytest.mark.rule("RFC6298-2", "RFC9293-3.5")
def test_when_both_open_at_once_the_round_trip_counts_from_our_first_syn(family: Family) -> None:
    script(
        """
        +0     connect
        +0     > S 0:0(0) <...>
        +.3    < S 0:0(0) <mss 1000>
        +0     > S. 0:0(0) ack 1 <...>
        +.1    < S. 0:0(0) ack 1 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 10
        +0     > P. 1:11(10) ack 1
        +1.2   > P. 1:11(10) ack 1
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC7413-4.2.2", "RFC7413-4.1.2")
def test_a_cookie_is_offered_in_every_repeat_of_the_answer(family: Family) -> None:
    conversation = Script(family)
    conversation.application.listener = listener = conversation.lab.bound()
    listener.fast_open = True
    listener.listen(conversation.lab.now)
    offered = []
    conversation.run(
        """
        +0     < S 0:0(0) <mss 1000,FO>
        +0     > S. 0:0(0) ack 1 <...>
        """
    )
    for _ in range(2):
        assert conversation.latest is not None
        offered.append(conversation.latest.options.fast_open)
        conversation.run("*     > S. 0:0(0) ack 1 <...>")
    assert conversation.latest is not None
    assert offered[0]
    assert [*offered, conversation.latest.options.fast_open] == [offered[0]] * 3


@FAMILIES
@pytest.mark.rule("R-170", "RFC7413-4.2.2")
def test_while_a_request_waits_for_its_decision_early_data_is_not_kept(family: Family) -> None:
    lab = TcpLab(family)
    listener = lab.bound()
    listener.fast_open = True
    listener.is_conditional = True
    listener.listen(lab.now)
    assert listener.listener is not None
    inspections = listener.listener.inspections
    assert inspections is not None
    cookie = b""
    for _ in range(2):
        options = tcp_options.build(Options(mss=1000, fast_open=cookie))
        lab.peer.send(flags="S", seq=0, data=b"early", options=options)
        request = inspections.next()
        assert request is not None
        listener.listener.decide(request.id, Verdict.ACCEPT, lab.now)
        lab.settle()
        cookie = lab.peer.expect(flags="SA", ack=1).options.fast_open or cookie
        lab.peer.send(flags="R", seq=1)
    assert cookie


@FAMILIES
@pytest.mark.rule("RFC4987-3.6", "RFC9293-3.7.1")
def test_a_cookie_keeps_the_usual_segment_sizes_as_they_are(family: Family) -> None:
    cookies = SynCookies(Random(1))
    local, remote = Endpoint(OUR_ADDRESS[family], OUR_PORT), Endpoint(PEER_ADDRESS[family], PEER_PORT)
    usual = {
        Family.IPV4: (64, 536, 1220, 1360, 1440, 1452, 1460, 8960),
        Family.IPV6: (64, 1220, 1280, 1360, 1420, 1432, 1440, 8940),
    }[family]
    for mss in usual:
        number = cookies.number(local, remote, 7, mss, Instant(0))
        assert cookies.check(local, remote, 7, number, Instant(0)) == mss


@FAMILIES
@pytest.mark.rule("RFC7413-5.1")
def test_an_early_connection_that_is_reset_makes_room_a_minute_later(family: Family) -> None:
    conversation = Script(family, tcp_config=TcpConfig(max_fast_opens=1))
    conversation.application.listener = listener = conversation.lab.bound()
    listener.fast_open = True
    listener.listen(conversation.lab.now)
    conversation.run(
        """
        +0     < S 0:0(0) <mss 1000,FO>
        +0     > S. 0:0(0) ack 1 <...>
        +0     < R 1:1(0)
        """
    )
    assert conversation.latest is not None
    conversation.names["cookie"] = (conversation.latest.options.fast_open or b"").hex()
    for _ in range(2):
        conversation.run(
            """
            +61    < S 0:100(100) <mss 1000,FO $cookie>
            +0     > S. 0:0(0) ack 101 <...>
            +0     < R 101:101(0)
            """
        )
