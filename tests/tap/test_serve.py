"""`wsknet serve` as people use it: real frames, the kernel and its tools on the other side."""

from __future__ import annotations

import hashlib
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.rights import without_rights
from tests.support.tshark import judge
from tests.tap.serve_lab import (
    NETNS,
    OURS,
    OURS6,
    in_netns,
    inside,
    namespaces_now,
    serve_command,
    serving,
    shell,
    wsknet,
)
from wsknet.apps.serving import InterfaceOptions, ServeOptions, Server
from wsknet.errors import UsageError

pytestmark = [pytest.mark.tap, requires_tool("ip", "nc", "ping", "curl")]


@pytest.fixture(scope="class")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    capture = tmp_path_factory.mktemp("serve") / "echo.pcapng"
    with serving("--pcap", str(capture)):
        yield capture
    assert NETNS not in namespaces_now()
    verdict = judge(capture)
    assert not verdict.bad_checksums
    assert not verdict.malformed
    assert verdict.frames > 100


@pytest.mark.usefixtures("echo")
class TestEcho:
    @pytest.mark.parametrize("address", [OURS, OURS6])
    def test_ping(self, address: str) -> None:
        assert b" 0% packet loss" in in_netns("ping", "-c3", "-i0.2", "-W2", address)

    @pytest.mark.parametrize("address", [OURS, OURS6])
    def test_tcp_through_nc(self, address: str) -> None:
        assert in_netns("nc", "-N", address, "7", stdin=b"hello\n") == b"hello\n"

    @pytest.mark.parametrize("address", [OURS, OURS6])
    def test_udp_through_nc(self, address: str) -> None:
        assert in_netns("nc", "-u", "-w1", address, "7", stdin=b"hello\n") == b"hello\n"

    def test_telnet_through_curl(self) -> None:
        assert shell(f"(printf 'hello\\n'; sleep 1) | timeout 3 curl -sN telnet://{OURS}:7") == b"hello\n"

    @pytest.mark.parametrize("address", [OURS, OURS6])
    def test_a_megabyte_comes_back_identical(self, address: str) -> None:
        data = random.Random(1).randbytes(1 << 20)
        back = in_netns("nc", "-N", address, "7", stdin=data)
        assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()

    def test_fifty_connections_at_once(self) -> None:
        with inside():
            clients = [socket.create_connection((OURS, 7), timeout=20) for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(b"%04d" % number)
        for number, client in enumerate(clients):
            assert client.recv(4, socket.MSG_WAITALL) == b"%04d" % number
            client.close()

    def test_a_client_that_resets_harms_nobody(self) -> None:
        with inside():
            rude = socket.create_connection((OURS, 7), timeout=20)
            polite = socket.create_connection((OURS, 7), timeout=20)
        rude.sendall(b"x" * 100_000)
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        rude.close()
        polite.sendall(b"still there?")
        assert polite.recv(12, socket.MSG_WAITALL) == b"still there?"
        polite.close()

    def test_a_half_close_still_gets_all_its_data_back(self) -> None:
        data = random.Random(2).randbytes(300_000)
        with inside():
            client = socket.create_connection((OURS, 7), timeout=20)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        back = b""
        while chunk := client.recv(65536):
            back += chunk
        assert back == data
        client.close()

    def test_a_closed_port_is_refused_and_reported(self) -> None:
        with inside():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((OURS, 8), timeout=20)
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asker.settimeout(20)
        asker.connect((OURS, 8))
        asker.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            asker.recv(1)
        asker.close()


def test_discard_and_chargen() -> None:
    with serving(app="discard"):
        assert in_netns("nc", "-N", OURS, "9", stdin=b"x" * 100_000) == b""
    with serving(app="chargen"):
        head = shell(f"nc {OURS} 19 < /dev/null | head -c 100000")
        first = bytes(range(32, 104)) + b"\r\n" + bytes(range(33, 105)) + b"\r\n"
        assert head.startswith(first)
        assert len(head) == 100_000


def test_time_over_tcp_and_udp_is_that_of_the_machine() -> None:
    since_1900 = 2_208_988_800  # until 1970
    with serving(app="time"):
        for command in (["nc", OURS, "37"], ["nc", "-u", "-W1", OURS, "37"], ["nc", OURS6, "37"]):
            told = int.from_bytes(in_netns(*command, stdin=b"?"), "big") - since_1900
            assert abs(told - time.time()) < 60


@pytest.mark.parametrize(
    ("app", "options", "line"),
    [
        ("echo", (), "echo on TCP and UDP port 7: "),
        ("time", ("--port", "3700"), "time on TCP and UDP port 3700: "),
        ("http", (), "http on TCP port 80: "),
        ("http", ("--port", "8080"), "http on TCP port 8080: "),
    ],
)
def test_it_says_what_it_serves_and_where(app: str, options: tuple[str, ...], line: str) -> None:
    with subprocess.Popen(serve_command(app, *options), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for one in process.stdout:
            said.append(one)
            if "Ctrl-C" in one:
                break
        process.send_signal(signal.SIGINT)
    assert any(one.startswith(line) for one in said), said


def test_several_interfaces_make_a_multi_homed_host() -> None:
    second = ("--tap", "tap1", "--create", "--peer", "203.0.113.1/24", "--address", "203.0.113.2/24")
    with serving(*second):
        assert in_netns("nc", "-N", OURS, "7", stdin=b"one") == b"one"
        assert in_netns("nc", "-N", "203.0.113.2", "7", stdin=b"two") == b"two"


def test_an_address_that_comes_is_announced_on_each_interface_that_has_it() -> None:
    both: list[str] = []
    for name in ("tap0", "tap1"):
        both += ["--tap", name, "--create", "--router-discovery", "--mac", "02:00:00:00:00:11"]
    command = wsknet("serve", "echo", "--netns", NETNS, *both)
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        impatience = threading.Timer(40, process.send_signal, (signal.SIGINT,))
        impatience.start()
        assert process.stdout is not None
        for line in process.stdout:  # duplicate detection takes up to two seconds
            said.append(line)
            if sum("made by ourselves" in one for one in said) == 2:
                process.send_signal(signal.SIGINT)
        impatience.cancel()
    names = [line.split(":")[0] for line in said if "made by ourselves" in line]
    assert sorted(names) == ["tap0", "tap1"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(ending: signal.Signals) -> None:
    with serving() as process:
        assert NETNS in namespaces_now()
        process.send_signal(ending)
        process.wait(timeout=20)
        assert process.returncode == 0
    assert NETNS not in namespaces_now()


def test_more_signals_do_not_keep_it_from_cleaning_up() -> None:
    with serving() as process:
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.005)
    assert NETNS not in namespaces_now()


def test_a_signal_while_it_starts_leaves_nothing_either() -> None:
    process = subprocess.Popen(serve_command(), stdout=subprocess.DEVNULL)
    while NETNS not in namespaces_now():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert NETNS not in namespaces_now()


def test_a_tap_that_is_deleted_meanwhile_ends_it_with_one_line() -> None:
    process = subprocess.Popen(serve_command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    in_netns("ip", "link", "delete", "tap0")
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 2
    assert complaints.splitlines() == ["wsknet: the TAP tap0 is gone: somebody has deleted it"]
    assert NETNS not in namespaces_now()


def test_what_a_killed_one_left_is_removed_by_the_next_start() -> None:
    with serving(netns=NETNS + "-dead") as process:
        process.kill()
        process.wait(timeout=20)
    assert NETNS + "-dead" in namespaces_now()
    with serving():
        assert NETNS + "-dead" not in namespaces_now()
    assert NETNS not in namespaces_now()


def test_an_existing_namespace_is_entered_and_kept() -> None:
    subprocess.run(["ip", "netns", "add", NETNS], check=True)
    try:
        with serving():
            assert in_netns("nc", "-N", OURS, "7", stdin=b"hello") == b"hello"
        assert NETNS in namespaces_now()
        assert b"tap0" not in in_netns("ip", "link")
    finally:
        subprocess.run(["ip", "netns", "delete", NETNS], check=True)


def complaint(*command: str) -> str:
    """What a command that cannot work says: one line, exit status 2."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("wsknet: "), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_wrong_input_gets_one_clear_line_and_leaves_nothing() -> None:
    base = ["serve", "echo", "--netns", NETNS, "--tap", "tap0", "--create"]
    assert "198.51.100.2/99" in complaint(*wsknet(*base, "--address", "198.51.100.2/99"))
    assert "no address" in complaint(*wsknet(*base))
    unknown = complaint(*wsknet("serve", "sing", "--tap", "tap0", "--address", "198.51.100.2/24"))
    assert "'sing'" in unknown
    assert "echo, discard, chargen, time, http" in unknown
    assert "65536" in complaint(*wsknet("serve", "http", *base[2:], "--address", f"{OURS}/24", "--port", "65536"))
    assert "unicast address" in complaint(*wsknet(*base, "--address", "224.0.0.1/24"))
    assert "unicast address" in complaint(*wsknet(*base, "--address", f"{OURS}/24", "--mac", "01:00:5e:00:00:01"))
    assert NETNS not in namespaces_now()


def test_a_tap_in_use_is_named() -> None:
    with serving():
        message = complaint(*wsknet("serve", "echo", "--netns", NETNS, "--tap", "tap0", "--address", f"{OURS}/24"))
        assert "tap0" in message
        assert "in use" in message


def test_without_rights_it_says_so() -> None:
    options = ServeOptions("echo", (InterfaceOptions("tap0", (f"{OURS}/24",), create=True),), netns=NETNS)
    with without_rights(), pytest.raises(UsageError, match="as root"), Server(options):
        pass
