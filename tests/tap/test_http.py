"""`wsknet serve http`, and the clients that people have: curl, wget, nc, ab and wrk."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import requires_tool
from tests.support.tshark import fields, judge
from tests.tap.serve_lab import NETNS, OURS, OURS6, in_netns, inside, namespaces_now, serving, shell
from tests.unit.apps.http_lab import pattern

pytestmark = [pytest.mark.tap, requires_tool("ip", "nc", "curl", "wget", "ab", "wrk")]

CAPTURED = f"{NETNS}-captured"
URL, URL6 = f"http://{OURS}", f"http://[{OURS6}]"


@pytest.fixture(scope="module")
def http() -> Iterator[None]:
    with serving(app="http"):
        yield
    assert NETNS not in namespaces_now()


def curl(*arguments: str, stdin: bytes = b"", netns: str = NETNS) -> bytes:
    return in_netns("curl", "-sS", "--max-time", "50", *arguments, stdin=stdin, netns=netns)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than a resource may have."""
    path = tmp_path / "large"
    path.write_bytes(pattern(1, 20_000_001))
    return path


@pytest.mark.usefixtures("http")
@pytest.mark.parametrize("url", [URL, URL6])
@pytest.mark.parametrize(("size", "length"), [("0", 0), ("1", 1), ("1461", 1461), ("10M", 10 << 20)])
def test_curl_gets_all_bytes(url: str, size: str, length: int) -> None:
    assert sha256(curl(f"{url}/bytes/{size}")) == sha256(pattern(0, length))


@pytest.mark.usefixtures("http")
@pytest.mark.parametrize("url", [URL, URL6])
def test_curl_heads_tell_what_a_get_does(url: str) -> None:
    def fields(*arguments: str) -> list[bytes]:
        return [line for line in curl("-D", "-", *arguments).splitlines() if not line.startswith(b"Date:")]

    assert fields("-I", "-o", "/dev/null", f"{url}/bytes/5000") == fields("-o", "/dev/null", f"{url}/bytes/5000")
    assert b"content-length: 9223372036854775807" in curl("-I", f"{url}/bytes/9223372036854775807").lower()


@pytest.mark.usefixtures("http")
def test_curl_uses_one_connection_for_several_urls(tmp_path: Path) -> None:
    urls = [part for n in range(4) for part in (f"{URL}/bytes/{n * 1000}", "-o", str(tmp_path / str(n)))]
    assert curl(*urls, "-w", "%{num_connects} %{http_code},") == b"1 200,0 200,0 200,0 200,"
    assert [len((tmp_path / str(n)).read_bytes()) for n in range(4)] == [0, 1000, 2000, 3000]
    assert curl("--http1.0", *urls, "-w", "%{num_connects} ") == b"1 1 1 1 "


@pytest.mark.usefixtures("http")
def test_curl_reads_ranges_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    assert curl("-r", "1000000-2999999", f"{URL}/bytes/5M") == pattern(1_000_000, 3_000_000)
    assert curl("-r", "-100", f"{URL}/bytes/5M") == pattern((5 << 20) - 100, 5 << 20)
    both = curl("-r", "0-9,2000000-2000009", f"{URL}/bytes/5M")
    assert pattern(0, 10) in both
    assert pattern(2_000_000, 2_000_010) in both
    assert curl("-r", "100-", "-o", "/dev/null", "-w", "%{http_code}", f"{URL}/bytes/100") == b"416"
    begun = tmp_path / "begun"
    begun.write_bytes(pattern(0, 1_234_567))
    curl("-C", "-", "-o", str(begun), f"{URL}/bytes/5M")
    assert sha256(begun.read_bytes()) == sha256(pattern(0, 5 << 20))


@pytest.mark.usefixtures("http")
def test_wget_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "3M").write_bytes(pattern(0, 1_000_000))
    in_netns("wget", "-q", "-c", "-P", str(tmp_path), f"{URL}/bytes/3M")
    assert sha256((tmp_path / "3M").read_bytes()) == sha256(pattern(0, 3 << 20))


@pytest.mark.usefixtures("http")
@pytest.mark.parametrize("url", [URL, URL6])
def test_curl_puts_gets_replaces_and_deletes(url: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(pattern(7, 3_000_007))
    assert curl("-T", str(tmp_path / "one"), f"{url}/kept", "-w", "%{http_code}") == b"created\n201"
    assert sha256(curl(f"{url}/kept")) == sha256(pattern(7, 3_000_007))
    assert curl("-T", "-", f"{url}/kept", "-w", "%{http_code}", stdin=b"in chunks") == b"204"
    assert curl(f"{url}/kept") == b"in chunks"
    assert curl("-X", "DELETE", f"{url}/kept", "-w", "%{http_code}") == b"204"
    assert curl("-o", "/dev/null", f"{url}/kept", "-w", "%{http_code}") == b"404"


@pytest.mark.usefixtures("http")
def test_curl_uploads_any_size_after_100_continue(large: Path) -> None:
    expected = f"20000000 {sha256(large.read_bytes())}\n".encode()
    with_expect = curl("-i", "-T", str(large), f"{URL}/discard")
    assert with_expect.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    assert with_expect.endswith(expected)
    assert curl("--http1.0", "-T", str(large), f"{URL}/discard") == expected
    assert curl("-H", "Expect:", "-T", "-", f"{URL}/discard", stdin=large.read_bytes()) == expected


@pytest.mark.usefixtures("http")
@pytest.mark.parametrize("expectation", ["Expect: 100-continue", "Expect:"])
def test_curl_is_told_that_an_upload_is_too_large(large: Path, expectation: str) -> None:
    refused = curl("-i", "-H", expectation, "-T", str(large), f"{URL}/large")
    assert refused.startswith(b"HTTP/1.1 413 ")
    assert refused.endswith(b"octets\n")


@pytest.mark.usefixtures("http")
@pytest.mark.rule("RFC9112-9.6")
def test_a_client_that_sends_everything_first_reads_the_whole_refusal() -> None:
    with inside():
        client = socket.create_connection((OURS, 80), timeout=20)
    client.sendall(b"PUT /large HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n" + bytes(30_000_000))
    answer = b""
    while more := client.recv(65536):
        answer += more
    client.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"octets\n")


@pytest.mark.usefixtures("http")
def test_raw_requests_through_nc() -> None:
    request = b"GET /bytes/100 HTTP/1.1\r\nHost: h\r\n\r\n"
    said = in_netns("nc", "-N", OURS, "80", stdin=request * 3)
    assert said.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert said.endswith(b"\r\n\r\n" + pattern(0, 100))
    assert shell(f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {OURS} 80").startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"bare LF" in shell(f"printf 'GET / HTTP/1.0\\n\\n' | nc {OURS} 80")
    assert shell(f"printf 'GET / HTTP/1.0\\n\\n' | nc -C {OURS} 80").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.usefixtures("http")
@pytest.mark.parametrize("options", [["-k"], []])
def test_ab_has_no_failed_request(options: list[str]) -> None:
    report = in_netns("ab", "-q", *options, "-n", "500", "-c", "20", f"{URL}/bytes/2000").decode()
    assert re.search(r"Complete requests: +500\n", report)
    assert re.search(r"Failed requests: +0\n", report)
    assert "Non-2xx" not in report
    assert re.search(r"HTML transferred: +1000000 bytes\n", report)
    if options:
        assert re.search(r"Keep-Alive requests: +500\n", report)


@pytest.mark.usefixtures("http")
def test_wrk_has_no_error() -> None:
    report = in_netns("wrk", "-t1", "-c20", "-d2s", f"{URL}/bytes/2000").decode()
    assert re.search(r"[1-9]\d* requests in", report)
    assert "Socket errors" not in report
    assert "Non-2xx" not in report


@pytest.mark.usefixtures("http")
def test_the_example_of_the_readme_is_true() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (example,) = re.findall(r"```console\n(# ip netns exec lab curl .*?)```", readme, re.DOTALL)
    steps = re.findall(r"^# (.*)\n((?:[^#].*\n)*)", example, re.MULTILINE)
    assert len(steps) == 2
    for command, output in steps:
        script = command.replace("ip netns exec lab ", "")
        assert shell(script).decode() == output


@requires_tool("tshark")
def test_wireshark_reads_requests_and_answers(tmp_path: Path) -> None:
    capture = tmp_path / "http.pcapng"
    with serving("--pcap", str(capture), app="http", netns=CAPTURED):
        curl(
            f"{URL}/bytes/100",
            f"{URL}/bytes/200000",
            f"{URL6}/time",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            netns=CAPTURED,
        )
        curl("-I", f"{URL}/", f"{URL}/none", netns=CAPTURED)
        curl("-r", "0-9,20-29", f"{URL}/bytes/100", netns=CAPTURED)
        curl("-T", "-", f"{URL}/a", stdin=bytes(200_000), netns=CAPTURED)
        curl("-X", "BREW", f"{URL}/a", netns=CAPTURED)
    verdict = judge(capture)
    assert verdict.frames > 100
    assert not verdict.bad_checksums
    assert not verdict.malformed
    codes = [code for (code,) in fields(capture, "http.response.code", where="http.response")]
    assert codes == ["200", "200", "200", "200", "404", "206", "100", "201", "501"]
