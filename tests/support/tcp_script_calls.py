"""The calls and the questions of a script: `tests.support.tcp_script` describes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from tests.support.tcp_lab import TcpLab
from wsknet.errors import ErrorKind
from wsknet.tcp_policy import KeepAlive
from wsknet.trace import DropReason
from wsknet.transport.endpoint import Ready
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.state import State
from wsknet.types import MILLISECOND, SECOND

_UNITS = {"s": SECOND, "ms": MILLISECOND}
_READY = {name: bit for name, bit in vars(Ready).items() if isinstance(bit, int) and not name.startswith("_")}


def pattern(start: int, length: int) -> bytes:
    """What a stream carries unless the script says it: every byte tells where it stands."""
    return bytes((offset * 31 + (offset >> 8) * 7) & 0xFF for offset in range(start, start + length))


class Application:
    """The user of one connection, on our side of the link."""

    def __init__(self, lab: TcpLab) -> None:
        self.lab = lab
        self.listener: TcpEndpoint | None = None
        self._endpoint: TcpEndpoint | None = None
        self.written = bytearray()
        self.sent_by_peer = bytearray()
        self._read = 0
        self._dropped: Counter[DropReason] = Counter()

    @property
    def endpoint(self) -> TcpEndpoint:
        """The connection, or the listener before anything was accepted."""
        endpoint = self._endpoint or self.listener
        assert endpoint is not None, "connect, listen, established or accepted comes first"
        return endpoint

    # Opening

    def connect(self) -> None:
        self._endpoint = self._endpoint or self.lab.bound()
        self._endpoint.connect(self.lab.peer.endpoint, self.lab.now)

    def listen(self, backlog: str | None = None) -> None:
        self.listener = self.lab.listening(backlog=None if backlog is None else int(backlog))

    def accept(self, outcome: str = "") -> None:
        assert self.listener is not None, "listen comes first"
        if outcome == "none":
            assert self.listener.accept(self.lab.now) is None, "a connection could be accepted"
        else:
            self._endpoint = self.lab.accept(self.listener)

    def established(self, *words: str) -> None:
        numbers = _numbers(tuple(word for word in words if word != "sackOK"), "win", "mss", "wscale")
        window, mss, scale = numbers.get("win", 65535), numbers.get("mss", 1460), numbers.get("wscale")
        self._endpoint = self.lab.connected(window, mss, scale, "sackOK" in words)

    def accepted(self, *words: str) -> None:
        numbers = _numbers(words, "win", "mss")
        self._endpoint = self.lab.accepted(numbers.get("win", 65535), numbers.get("mss", 1460))

    # Data

    def write(self, what: str, *flags: str) -> None:
        text = re.fullmatch(r'"([^"]*)"(.*)', what)
        if text is not None:
            data, flags = text[1].encode(), tuple(text[2].split())
        else:
            data = pattern(len(self.written), int(what))
        assert not set(flags) - {"nodelay"}, f"write knows no {flags}"
        self.endpoint.send(data, self.lab.now, no_delay="nodelay" in flags)
        self.written += data

    def read(self, count: str) -> None:
        data = self.endpoint.receive(1 << 30 if count == "all" else int(count), self.lab.now)
        wanted = bytes(self.sent_by_peer[self._read : self._read + len(data)])
        assert count == "all" or len(data) == int(count), f"{len(data)} bytes were there"
        assert data == wanted, f"read {data[:40]!r}..., but the peer's stream goes on with {wanted[:40]!r}..."
        self._read += len(data)

    def readable(self, count: str) -> None:
        assert self.endpoint.readable == int(count), f"readable: {self.endpoint.readable}"

    def unacknowledged(self, count: str) -> None:
        found = self.endpoint.unacknowledged
        assert found == int(count), f"unacknowledged: {found}"

    # Ending

    def shutdown(self) -> None:
        self.endpoint.finish(self.lab.now)

    def close(self, what: str = "") -> None:
        endpoint = self.listener if what == "listener" else self.endpoint
        assert endpoint is not None
        endpoint.close(self.lab.now)

    def abort(self) -> None:
        self.endpoint.abort(self.lab.now)

    # Options

    def set(self, name: str, value: str) -> None:
        assert hasattr(self.endpoint, name), f"an endpoint has no {name}"
        setattr(self.endpoint, name, _value(value))

    def keepalive(self, idle: str, interval: str, probes: str) -> None:
        """On, with these times."""
        self.endpoint.keep_alive_settings = KeepAlive(_duration(idle), _duration(interval), int(probes))
        self.endpoint.keep_alive = True

    # Questions

    def nothing(self) -> None:
        """The segments that nobody expected are looked for before every call."""

    def state(self, name: str) -> None:
        assert self.endpoint.state is State[name], f"state: {self.endpoint.state.name}"

    def error(self, name: str) -> None:
        found = self.endpoint.error
        assert found is (None if name == "none" else ErrorKind[name]), f"error: {found and found.name}"

    def told(self, *names: str) -> None:
        wanted = set() if names == ("nothing",) else set(names)
        assert wanted <= set(_READY), f"told knows {', '.join(_READY)}"
        bits = self.lab.told(self.endpoint)
        found = {name for name, bit in _READY.items() if bits & bit}
        assert found == wanted, f"told: {', '.join(sorted(found)) or 'nothing'}"

    def drops(self, *names: str) -> None:
        wanted = Counter() if names == ("nothing",) else Counter(DropReason[name] for name in names)
        now = Counter(self.lab.stack.trace.drops)
        found, self._dropped = now - self._dropped, now
        assert found == wanted, f"dropped: {', '.join(reason.name for reason in found.elements()) or 'nothing'}"

    def peer_finished(self, answer: str) -> None:
        assert self.endpoint.peer_finished is {"yes": True, "no": False}[answer], "it is the other way round"

    def connections(self, count: str) -> None:
        found = len(self.lab.stack.view().connections)
        assert found == int(count), f"connections: {found}"


def _numbers(words: tuple[str, ...], *known: str) -> dict[str, int]:
    is_right = len(words) % 2 == 0 and set(words[::2]) <= set(known)
    assert is_right, f"pairs of {', '.join(known)} and a number"
    return {name: int(word) for name, word in zip(words[::2], words[1::2], strict=True)}


def _duration(word: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", word)
    assert found is not None, f"{word!r} is no duration such as 500ms or 2.5s"
    return int(float(found[1]) * _UNITS[found[2]])


def _value(word: str) -> object:
    if word in ("on", "off"):
        return word == "on"
    return int(word) if word.isdigit() else _duration(word)


CALLS: dict[str, Callable[..., None]] = {
    name: method for name, method in vars(Application).items() if callable(method) and not name.startswith("_")
}
