"""What cannot be, or cannot be checked, is refused before anything runs: one line, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsknet.errors import UsageError
from wsknet.scenario.catalogue import everything
from wsknet.scenario.columns import columns_of
from wsknet.scenario.load import load, read
from wsknet.scenario.schema import Scenario
from wsknet.scenario.yaml_tree import MAX_BYTES, Document

GOOD = """\
title: A datagram.
topic: Tests
hosts:
  a: {interfaces: {eth0: {link: near, addresses: [10.1.0.2/24]}}, routes: [{to: 0.0.0.0/0, via: 10.1.0.1}]}
  b: {interfaces: {eth0: {link: near, addresses: [10.1.0.3/24]}}}
steps:
  - {socket: s, on: b}
  - {bind: s, to: "0.0.0.0:7"}
  - {socket: c, on: a}
  - {send: c, to: "10.1.0.3:7", expect: ok}
  - {receive: s, expect: "hello from *"}
"""
B_ETH0 = "hosts.b.interfaces.eth0"


def scenario(text: str) -> Scenario:
    return read(Document("it.yaml", text))


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        scenario(text)
    told = str(caught.value)
    assert told.isprintable()
    return told.removeprefix("it.yaml")


def test_the_file_to_be_spoilt_is_good() -> None:
    assert len(scenario(GOOD).steps) == 5


# Hosts and links


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("via: 10.1.0.1", "via: 10.9.0.1", ":4: hosts.a.routes[0]: no interface of a is on the subnet of the gateway"),
        ("via: 10.1.0.1", 'via: "fe80::1"', "its gateway fe80::1 are of different families"),
        (", via: 10.1.0.1", "", "the route to 0.0.0.0/0 leads nowhere: give via, through or both"),
        ("to: 0.0.0.0/0", "to: default", "a default route is written as to: 0.0.0.0/0"),
        ("via: 10.1.0.1", "via: 10.1.0.1, metric: -1", "a metric is 0 to 4294967295"),
        ("via: 10.1.0.1", "via: 10.1.0.1, metric: 1" + "0" * 30, "routes[0].metric: a number of more than 20 digits"),
        ("via: 10.1.0.1", "via: 10.1.0.1, source: 9.9.9.9", "9.9.9.9 is not ours"),
        ("via: 10.1.0.1", "via: 10.1.0.1, through: eth9", "a has no interface eth9: it has loopback, eth0"),
        ("10.1.0.3/24", "10.1.0.3/24, 10.1.0.3/16", f":5: {B_ETH0}.addresses[1]: the host has 10.1.0.3 already"),
        ("10.1.0.3/24", "10.1.0.2/24", f"{B_ETH0}: a.eth0 on the link near has the address 10.1.0.2 already"),
        ("10.1.0.3/24", '""', f"{B_ETH0}.addresses[0]: '' has no prefix length"),
        ("10.1.0.3/24", "224.0.0.1/24", f"{B_ETH0}: 224.0.0.1 cannot be the address of an interface"),
        ("[10.1.0.3/24]", '[], mac: "02:00:00:00:01:02"', "a.eth0 on the link near has the MAC address 02:00:"),
        ("[10.1.0.3/24]", '[], mac: "00:00:00:00:00:00"', f"{B_ETH0}.mac: that is the MAC address of nobody"),
        ("[10.1.0.3/24]", "[], mac: zz", f"{B_ETH0}: 'zz' is not a MAC address"),
        ("[10.1.0.3/24]", "[], mtu: 60", f"{B_ETH0}: mtu must be 576 to 65535"),
        ("near, addresses: [10.1.0.3", "naer, addresses: [10.1.0.3", "into near (nor into naer)"),
        ("  b: {", "  b: {behaves: solaris, ", "hosts.b.behaves: expected one of windows, linux, bsd"),
        ("  b: {", "  b.c: {", "hosts.b.c: the name of a host is letters"),
        ("  b: {", '  "": {', "the name of a host is letters"),
        ("  b: {", "  7: {", 'a name that is no word needs quotes: "7"'),
        ("eth0: {link: near, addresses: [10.1.0.3", "lo: {addresses: [10.1.0.3", "no name for an interface"),
        ("eth0: {link: near, addresses: [10.1.0.3", '"2": {addresses: [10.1.0.3', "no name for an interface"),
        ("steps:", "links: {near: {loss: 2.0}}\nsteps:", "links.near: loss must be a probability"),
        ("steps:", "links: {near: {rate: 0}}\nsteps:", "links.near: rate must be positive"),
        ("  b: {", "  b: {loopback: [x], ", "hosts.b.loopback[0]: 'x' has no prefix length"),
    ],
)  # fmt: skip
def test_hosts_that_cannot_be(old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert told in refusal(GOOD.replace(old, new, 1))


def test_a_link_with_one_end_may_be_meant() -> None:
    alone = GOOD.replace(
        "eth0: {link: near, addresses: [10.1.0.3", "eth1: {link: far}, eth0: {link: near, addresses: [10.1.0.3"
    )
    assert "nothing else is plugged into far" in refusal(alone)
    assert scenario(alone.replace("steps:", "links: {far: {}}\nsteps:"))


# Steps


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("{close: s, how: slam}", "how: expected one of close, finish, not 'slam'"),
        ("{wait: 2000min}", "is too long"),
        ('{wait: ""}', "'' is no time"),
        ("{receive: s, within: -5s}", "within: '-5s' is no time"),
        ("{accept: s, named: t}", "accept: socket 's' does not listen: put {listen: s} before"),
        ('{socket: "@x", on: a}', "the name of a socket is letters"),
        ("{send: c, to: nobody}", "'nobody' is no address with port"),
        ('{bind: c, to: ""}', "'' is no address with port"),
        ('{send: c, to: "@q"}', "no socket 'q' was opened before"),
        ('{send: c, to: "10.1.0.3@s"}', "'10.1.0.31' is no address with port"),
        ('{send: c, to: "[fe80::1%eth9]:7"}', "the host has no interface 'eth9': choose one of loopback, eth0"),
        ('{send: c, to: "10.1.0.3:7", from: x}', "from: 'x' is not an address"),
        ('{send: c, to: "10.1.0.3:7", through: eth9}', "through: the host has no interface 'eth9'"),
        ('{send: c, data: "\\ud800"}', "data: half of a character"),
        ("{option: s, set: reues}", "set: expected one of reuse, exclusive, "),
        ("{option: s, set: reuse, to: maybe}", "to: reuse is true or false, not 'maybe'"),
        ("{option: s, set: unicast-if}", "to: unicast-if is an interface"),
        ("{option: s, set: unicast-if, to: -1}", "to: the number of an interface has 32 bits"),
        ("{join: s, group: x}", "group: 'x' is not an address"),
        ("{join: s, group: 224.1.1.1, interface: eth9}", "interface: the host has no interface 'eth9'"),
        ("{route-query: s, to: x, expect: y}", "to: 'x' is not an address"),
        ('{inject: a.eth0, frame: x, to: b.eth0}', "frame: 'x' is no frame"),
        ('{inject: a.eth0, frame: "udp 1.1.1.1:1 > [::1]:7", to: b.eth0}', "both addresses are of one family"),
        ('{inject: a.eth0, frame: "tcp ZZ 1.1.1.1:1 > 1.1.1.2:7", to: b.eth0}', "there is no flag 'ZZ'"),
        ('{inject: a.eth0, frame: "udp 1.1.1.1:1 > 1.1.1.2:7", to: b}', "to: no interface 'b' is plugged in"),
        ("{table: b, show: cats, has: [x]}", "show: expected one of ports, routes, "),
        ("{change: b, down: eth9}", "down: the host has no interface 'eth9'"),
        ("{change: b, metric: x on eth0}", "metric: 'x' is no metric"),
        ("{change: b, metric: 5 on eth9}", "metric: the host has no interface 'eth9'"),
        ("{change: b, add_address: x on eth0}", "add_address: 'x' has no prefix length"),
        ("{change: b, remove_address: 10.1.0.3/24 on eth0}", "remove_address: '10.1.0.3/24' is not an address"),
        ("{change: b, weak_send: eth9}", "weak_send: the host has no interface 'eth9'"),
        ("{change: b, add_route: {to: 1.0.0.0/8}}", "add_route: the route to 1.0.0.0/8 leads nowhere"),
        ("{change: b, add_route: {to: 1.0.0.0/8, vai: x}}", "add_route.vai: unknown field: did you mean via?"),
        ("{wait: 1ms, faces: [solaris]}", "faces[0]: no face and no flip is called 'solaris'"),
    ],
)  # fmt: skip
def test_steps_that_cannot_be(step: str, told: str) -> None:
    assert f":12: steps[5]{'' if told.startswith('the ') else '.'}" in (message := refusal(f"{GOOD}  - {step}\n"))
    assert told in message


@pytest.mark.parametrize("step", [
    '{send: s, to: "10.1.0.2:7"}', "{close: s}", "{option: s, set: reuse}", "{address-list: s}", '{send: c, to: "@s"}',
])  # fmt: skip
def test_a_closed_socket_is_not_used(step: str) -> None:
    assert "socket 's' is closed here, or was never opened, for wsk" in refusal(f"{GOOD}  - {{close: s}}\n  - {step}\n")


def test_a_socket_is_used_by_those_who_have_opened_it() -> None:
    opened = f"{GOOD}  - {{socket: t, on: a, faces: [windows]}}\n"
    assert scenario(opened + '  - {bind: t, to: "0.0.0.0:0", faces: [wsk]}\n')
    assert "never opened, for linux" in refusal(opened + '  - {bind: t, to: "0.0.0.0:0"}\n')


def test_only_what_has_a_name_is_referred_to() -> None:
    opened = f"{GOOD}  - {{socket: t, on: b}}\n"
    assert "to: socket 't' has no name yet" in refusal(opened + '  - {send: c, to: "10.1.0.3:@t"}\n')
    assert scenario(opened + '  - {bind: t, to: "0.0.0.0:0"}\n  - {send: c, to: "10.1.0.3:@t"}\n')


# Expectations


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("expect: {}", "expect: says nothing: leave it out"),
        ('expect: ""', "expect: says nothing: leave it out"),
        ("frames: []", "frames: says nothing: leave it out"),
        ("frames: {windows: []}", "frames: says nothing: leave it out"),
        ('expect: {windows: "", linux: ok}', "expect.windows: says nothing: leave it out"),
        ('expect: "*"', "expect: fits whatever comes"),
        ('expect: {windows: "*", linux: "*"}', "expect: fits whatever comes"),
        ('rule: "**"', "rule: fits whatever comes"),
        ("expect: {windows: ok}", "expect: says nothing for linux"),
        ("rule: {bsd: x}", "rule.bsd: never counts"),
        ("rule: {kernel: x}", "rule.kernel: never counts"),
        ("rule: {windows: x, wsk: y, winsock: z}", "rule.windows: never counts"),
        ('frames: {linux: ["*"]}, faces: [windows]', "frames.linux: never counts"),
        ("faces: [bsd]", "faces: the scenario is for none of these, so the step is never run"),
        ('frames: ["a.eth9: udp *"]', "frames[0]: fits no frame: expected one like a.eth0: udp "),
        ('no_frames: ["a.eth0: upd *"]', "no_frames[0]: fits no frame"),
        ('no_frames: {windows: ["*: nd who-has [2f]*"]}', "no_frames.windows[0]: fits no frame"),
    ],
)
def test_an_expectation_that_nobody_would_check(said: str, told: str) -> None:
    text = GOOD.replace("send: c", f"send: c, {said}").replace(
        ", expect: ok", "" if "expect" in said else ", expect: ok"
    )
    assert f":10: steps[3].{told}" in refusal(text)


def test_a_table_of_which_nothing_is_said() -> None:
    assert "it says nothing of the table" in refusal(f"{GOOD}  - {{table: b, show: ports}}\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("topic: Tests", "topic: Tests\nfaces: []", "faces: a scenario needs a face"),
        ("topic: Tests", "topic: Tests\nfaces: [wsk, wsk]", "faces[1]: wsk is there already"),
        ("topic: Tests", "topic: Tests\nfaces: [linux]\nflips: [{policy: v6only, value: no}]", "flips are run for wsk"),
        ("topic: Tests", "topic: Tests\nflips: [&f {policy: v6only, value: no}, *f]", "flips[1]: v6only=no is there"),
        ("topic: Tests", "topic: Tests\npolicies: {host_sent: weak}", "did you mean host_send?"),
        (GOOD[GOOD.index("steps:"):], "steps: []", "steps: a scenario needs a step"),
    ],
)  # fmt: skip
def test_a_scenario_for_nobody(old: str, new: str, told: str) -> None:
    assert told in refusal(GOOD.replace(old, new, 1))


def test_no_packaged_scenario_expects_anything_that_is_checked_for_no_face() -> None:
    unchecked = []
    for name, each in everything():
        for number, step in enumerate(each.steps, 1):
            columns = [column for column in columns_of(each) if column.runs(step)]
            for field in ("expect", "rule", "frames", "no_frames"):
                told = getattr(step, field)
                counts = [column for column in columns if not isinstance(told, dict) or column.key(told)]
                of_the_kernel = isinstance(told, dict) and set(told) == {"kernel"}
                if told and not counts and not of_the_kernel:
                    unchecked.append((name, number, field))
    assert unchecked == []


# YAML


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("topic:", "\ttopic:"), ":2: not YAML as it is read here: found character '\\t'"),
        (GOOD.replace("Tests", "a\x07b"), ":2: a text file has no character #x0007"),
        (GOOD.replace("Tests", "!!python/object:os.system x"), ":2: not YAML as it is read here: the tag "),
        (GOOD.replace("Tests", "!!binary eA=="), ":2: not YAML as it is read here: the tag "),
        (GOOD + "---\nx: y\n", ":12: not YAML as it is read here: expected a single document"),
        (GOOD.replace("hosts:", "hosts: &h\n  z: *h"), ":3: hosts: it contains itself"),
        ("[" * 5000 + "]" * 5000, ":1: not YAML as it is read here: more than 30 levels deep"),
        ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)),
         "more than 50000 parts, with aliases written out"),
        ("[a, b]: c", ":1: not YAML: a key is one word"),
        ("title: " + "9" * 5000, ":1: title: a number of more than 20 digits"),
        ('"to\\npic": x', "to\\npic: unknown field: did you mean topic?"),
        ("", ": the file is empty"),
        ("# nothing\n", ": the file is empty"),
    ],
)  # fmt: skip
def test_what_yaml_can_do_to_us(text: str, told: str) -> None:
    assert told in refusal(text)


def test_aliases_stand_for_what_they_name() -> None:
    text = GOOD.replace("expect: ok", "expect: &fine ok") + '  - {send: c, to: "10.1.0.3:7", expect: *fine}\n'
    assert scenario(text).steps[-1].expect == "ok"


@pytest.mark.parametrize(
    ("octets", "told"),
    [(bytes(range(256)), "not a text file in UTF-8"), (b"a: b\n" * (MAX_BYTES // 4), "too large for a scenario file")],
)
def test_files_that_are_none(octets: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_bytes(octets)
    with pytest.raises(UsageError, match=told):
        load(path)
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path)


def test_windows_editors_write_a_mark_and_two_characters_for_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(path) == scenario(GOOD)
