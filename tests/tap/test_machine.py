"""Namespaces, TAPs and addresses: set up as asked, and nothing left, not even by a killed process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.rights import without_rights
from wsknet.devices.tap import TapDevice
from wsknet.errors import UsageError
from wsknet.machine.lab import Lab
from wsknet.machine.ledger import clean_leftovers, started
from wsknet.machine.namespace import NAMED, OWN, Namespace, remove_name

pytestmark = pytest.mark.tap

_numbers = count()


@pytest.fixture
def name() -> Iterator[str]:
    """A namespace name that is free now, and afterwards whatever the test did."""
    unused = f"wsknet-machine-{os.getpid()}-{next(_numbers)}"
    yield unused
    if (NAMED / unused).exists():
        remove_name(unused)
        pytest.fail(f"{unused} was left behind")


@pytest.fixture
def existing(name: str) -> Iterator[str]:
    """A namespace that somebody else has made, with a TAP of his own in it."""
    namespace = Namespace.make(name)
    with namespace.entered():
        ip("tuntap", "add", "tap7", "mode", "tap")
    yield name
    namespace.close()
    remove_name(name)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the labs of the test note their changes."""
    return tmp_path / "notes"


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=20).stdout


def inode(path: str | Path) -> int:
    return Path(path).stat().st_ino


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def interfaces() -> list[str]:
    return [interface for _, interface in socket.if_nameindex()]


def state(name: str) -> str:
    """Everything there is to see in a namespace."""
    namespace = Namespace.named(name)
    assert namespace is not None
    with namespace.entered():
        seen = ip("-o", "address") + ip("route", "show", "table", "all") + ip("-o", "link", "show", "up")
        seen += Path("/proc/sys/net/ipv4/ip_default_ttl").read_text()
    namespace.close()
    return seen


def test_a_namespace_is_made_and_removed(name: str, notes: Path) -> None:
    own = inode(OWN)
    with Lab(name, directory=notes) as lab:
        assert (NAMED / name).exists()
        with lab.entered():
            assert interfaces() == ["lo"]
            assert inode(OWN) == inode(NAMED / name)
        assert inode(OWN) == own
    assert not (NAMED / name).exists()
    assert not list(notes.glob("*.json"))


def test_an_existing_namespace_is_entered_and_stays_as_it_was(existing: str, notes: Path) -> None:
    before = state(existing)
    with Lab(existing, directory=notes) as lab:
        lab.tap("tap0", TapDevice, peer=["198.51.100.1/24", "2001:db8::1/64"])
        lab.tap("tap7", TapDevice, peer=["203.0.113.1/24"], create=False)
        lab.route("192.0.2.0/24", "203.0.113.2")
        lab.sysctl("net.ipv4.ip_default_ttl", "77")
        during = state(existing)
        assert all(text in during for text in ("198.51.100.1/24", "2001:db8::1/64", "192.0.2.0/24 via", "77"))
    assert state(existing) == before


def test_what_was_there_before_is_not_undone(existing: str, notes: Path) -> None:
    namespace = Namespace.named(existing)
    assert namespace is not None
    with namespace.entered():
        ip("address", "add", "203.0.113.1/24", "dev", "tap7")
        ip("link", "set", "tap7", "up")
    with Lab(existing, directory=notes) as lab:
        lab.tap("tap7", TapDevice, peer=["203.0.113.1/24"], create=False)
    with namespace.entered():
        assert "203.0.113.1/24" in ip("address")
        assert "tap7" in ip("link", "show", "up")
    namespace.close()


def test_the_kernel_side_is_ready_at_once(notes: Path) -> None:
    with Lab.unnamed() as lab:
        lab.tap("tap0", TapDevice, peer=["198.51.100.1/24", "2001:db8::1/64"])
        with lab.entered():
            assert "tentative" not in ip("address", "show", "dev", "tap0", "scope", "global")
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
                sender.bind(("2001:db8::1", 0))
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()


def test_sockets_taps_and_processes_stay_where_they_were_started() -> None:
    with Lab.unnamed() as lab:
        tap = lab.tap("tap0", TapDevice)
        with lab.entered():
            child = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True, timeout=20)
            listener = socket.create_server(("127.0.0.1", 0))
        assert "tap0" in child.stdout
        with socket.socket() as outside, pytest.raises(ConnectionRefusedError):
            outside.connect(listener.getsockname())
        listener.close()
        tap.close()


def test_unnamed_namespaces_are_apart_and_leave_no_descriptor() -> None:
    before = descriptors()
    with Lab.unnamed() as one, Lab.unnamed() as other:
        one.tap("tap0", TapDevice)
        with other.entered():
            assert interfaces() == ["lo"]
    assert descriptors() == before


def test_congestion_control_can_be_pinned() -> None:
    # Reno: the one algorithm that the kernel lets every namespace choose.
    setting = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    before = setting.read_text()
    with Lab.unnamed() as lab:
        lab.sysctl("net.ipv4.tcp_congestion_control", "reno")
        with lab.entered():
            assert setting.read_text().strip() == "reno"
    assert setting.read_text() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from wsknet.devices.tap import TapDevice
from wsknet.machine.lab import Lab
with Lab(sys.argv[1], directory=Path(sys.argv[2])) as lab:
    lab.tap("tap0", TapDevice, peer=["198.51.100.1/24"])
    if sys.argv[3] == "existing":
        lab.tap("tap7", TapDevice, peer=["203.0.113.1/24"], create=False)
        lab.route("192.0.2.0/24", "203.0.113.2")
        lab.sysctl("net.ipv4.ip_default_ttl", "77")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_in_a_lab(name: str, notes: Path, kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, name, str(notes), kind], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_the_next_start_removes_what_a_killed_process_made(name: str, notes: Path) -> None:
    kill_in_a_lab(name, notes, "new")
    assert (NAMED / name).exists()
    with Lab(name, directory=notes) as lab:
        assert lab.cleaned == [f"namespace {name}"]
        lab.tap("tap0", TapDevice, peer=["198.51.100.1/24"])
    assert not (NAMED / name).exists()


def test_clean_leftovers_puts_an_existing_namespace_back(existing: str, notes: Path) -> None:
    before = state(existing)
    kill_in_a_lab(existing, notes, "existing")
    assert "203.0.113.1/24" in state(existing)
    cleaned = clean_leftovers(notes)
    assert f"address tap7 203.0.113.1/24 in {existing}" in cleaned
    assert state(existing) == before
    assert not list(notes.glob("*.json"))
    assert clean_leftovers(notes) == []


def test_a_living_process_keeps_what_it_made(name: str, notes: Path) -> None:
    with Lab(name, directory=notes):
        assert clean_leftovers(notes) == []
        assert (NAMED / name).exists()


def test_a_new_process_with_an_old_number_is_told_apart(name: str, notes: Path) -> None:
    kill_in_a_lab(name, notes, "new")
    note = next(notes.glob("*.json"))
    content = json.loads(note.read_text())
    content["pid"] = os.getpid()
    note.write_text(json.dumps(content))
    assert clean_leftovers(notes) == [f"namespace {name}"]


def test_a_dead_process_that_nobody_has_waited_for_is_dead() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert started(child.pid) is None
    child.wait()
    assert started(os.getpid()) is not None


def test_notes_that_are_not_ours_are_left_alone(notes: Path) -> None:
    notes.mkdir()
    (notes / "strange.json").write_text("[1, 2")
    (notes / "other.json").write_text("[]")
    assert clean_leftovers(notes) == []
    assert len(list(notes.glob("*.json"))) == 2


def test_a_namespace_made_meanwhile_is_not_ours_to_remove(existing: str) -> None:
    with pytest.raises(UsageError, match="the name is taken"):
        Namespace.make(existing)
    assert (NAMED / existing).exists()


def open_tap(lab: Lab) -> None:
    lab.tap("tap0", TapDevice)


UNUSABLE: list[tuple[Callable[[Lab], object], str]] = [
    (lambda lab: lab.tap("tap0", TapDevice, peer=["198.51.100.1"]), "has no prefix length"),
    (lambda lab: lab.tap("tap0", TapDevice, peer=["198.51.100.300/24"]), "is not an address"),
    (lambda lab: lab.tap("lo", TapDevice), "lo exists"),
    (lambda lab: lab.tap("tap0", TapDevice, create=False), "there is no TAP tap0"),
    (lambda lab: lab.tap("a/b", TapDevice), "cannot name an interface"),
    (lambda lab: lab.address("tap5", "198.51.100.1/24"), "there is no interface tap5"),
    (lambda lab: lab.route("192.0.2.1/24", "198.51.100.2"), "bits set after the prefix"),
    (lambda lab: lab.route("192.0.2.0/24", "198.51.100.2"), "cannot add the route to 192.0.2.0/24"),
    (lambda lab: lab.sysctl("net.ipv4.no_such_thing", "1"), "cannot read net.ipv4.no_such_thing"),
    (
        lambda lab: lab.sysctl("net.ipv4.tcp_congestion_control", "no-such"),
        "cannot set net.ipv4.tcp_congestion_control",
    ),
]


@pytest.mark.parametrize(("action", "message"), UNUSABLE, ids=[message for _, message in UNUSABLE])
def test_unusable_input_gets_one_clear_line(action: Callable[[Lab], object], message: str, notes: Path) -> None:
    with Lab.unnamed() as lab:
        with pytest.raises(UsageError, match=message) as caught:
            action(lab)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", ["", "a/b", "..", "."])
def test_bad_names_of_namespaces_are_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="cannot name a network namespace"):
        Lab(bad)


def test_a_file_that_is_no_namespace(name: str, notes: Path) -> None:
    (NAMED / name).touch()
    try:
        with pytest.raises(UsageError, match="is no network namespace"), Lab(name, directory=notes):
            pass
    finally:
        (NAMED / name).unlink()


def test_without_rights_the_message_says_what_to_do(existing: str, notes: Path) -> None:
    with without_rights():
        with pytest.raises(UsageError, match="run it as root"), Lab.unnamed():
            pass
        with pytest.raises(UsageError, match="run it as root"), Lab(existing, directory=notes):
            pass


def test_without_pyroute2_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroute2", None)
    with pytest.raises(UsageError, match="pip install pyroute2"), Lab.unnamed():
        pass


def test_a_lab_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        open_tap(Lab.unnamed())
